"""Two columns that nothing reads may stay empty; the index of roots holds called cases only."""

from __future__ import annotations

from sqlalchemy import Connection, text

from engine.store.schema_change import UNREAD, add_index, present

#: a province has millions of cases: nobody waits while they are looked through
OUTSIDE_TRANSACTION = True


def run(connection: Connection) -> None:
    """SQLite cannot loosen a column; there they go at once, when this code takes over."""
    if connection.dialect.name == "postgresql":
        for table, column in present(connection, UNREAD):
            connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"))
    add_index(
        connection,
        "ix_process_instance_called",
        "process_instance",
        "root_id",
        where="parent_id IS NOT NULL",
    )
