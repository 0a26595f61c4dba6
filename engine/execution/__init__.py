"""The imperative shell: the only place where a transaction begins and ends."""
