"""Pages of the roster: registering, appraising and reviewing households line by line."""
