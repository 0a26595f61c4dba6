"""Two columns that nothing reads may stay empty; one index holds less, one counts by itself."""

from __future__ import annotations

from sqlalchemy import Connection, text

from engine.store.schema_change import UNREAD, add_index, present

#: a province has millions of cases: nobody waits while they are looked through
OUTSIDE_TRANSACTION = True
_ADDED = (
    ("ix_process_instance_called", "process_instance", "root_id", "parent_id IS NOT NULL"),
    (
        "ix_human_task_inbox",
        "human_task",
        "role, unit, due_sort, id, owner, is_open",
        "is_open = 1",
    ),
)


def run(connection: Connection) -> None:
    """SQLite cannot loosen a column; there they go at once, when this code takes over."""
    if connection.dialect.name == "postgresql":
        for table, column in present(connection, UNREAD):
            connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"))
    for name, table, columns, where in _ADDED:
        add_index(connection, name, table, columns, where=where)
