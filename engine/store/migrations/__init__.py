"""Numbered changes of the schema: `NNNN_pre|post_what.py`, each with `run(connection)`."""
