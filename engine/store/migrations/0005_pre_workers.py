"""Timers and jobs say when they were handed to a worker; workers and duties have their tables."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

_NOTED = ("timer", "job")


def run(connection: Connection) -> None:
    """One empty column each; it is in no index, so that noting a hand-over stays cheap.

    The tables `cluster_member` and `duty` are made with all that are missing.
    """
    kind = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "VARCHAR(32)"
    for table in _NOTED:
        known = {column["name"] for column in inspect(connection).get_columns(table)}
        if "claimed_at" not in known:
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN claimed_at {kind}"))
