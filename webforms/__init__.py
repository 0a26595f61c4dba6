"""The web shell: pages, forms, login, the command line and the heartbeat."""
