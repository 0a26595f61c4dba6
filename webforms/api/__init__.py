"""The HTTP API `/api/v1`: the verbs of the pages for programs, one table of routes."""
