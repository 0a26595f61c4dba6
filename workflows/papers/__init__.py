"""Papers for people: what hangs on the board, is signed and stamped, goes into the box."""
