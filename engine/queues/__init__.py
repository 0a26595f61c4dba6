"""What drives due work: the port and its implementations."""
