"""Pages on the hazard register: ledger, one hazard, rounds, and the panels of its task forms."""
