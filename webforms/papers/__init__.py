"""Papers as pages: each answers a PDF, for those who may read what is on it."""
