"""A version of the calendar says how far counting again by it is."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_columns


def run(connection: Connection) -> None:
    """Two columns that are empty for every version there is: those were counted in the request."""
    add_columns(connection, "calendar_entry", {"total": "INTEGER", "done": "INTEGER"})
