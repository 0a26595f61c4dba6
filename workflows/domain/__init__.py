"""The nouns of civil affairs with their tables and rules; imports only `engine`."""
