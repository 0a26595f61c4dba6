"""The engine's only room with SQL: one file a noun, its table and its statements."""
