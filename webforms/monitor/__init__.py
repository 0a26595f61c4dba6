"""For leaders: what is late, and who carries how much."""
