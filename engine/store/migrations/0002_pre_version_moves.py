"""Tasks remember what they keep when their case moves to another version of its process."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

_COLUMNS = {
    "form_of": "VARCHAR(240)",
    "ladder_of": "VARCHAR(240)",
    "counts_as": "VARCHAR(200)",
}


def run(connection: Connection) -> None:
    """Three columns that are empty for every task that was never moved."""
    known = {column["name"] for column in inspect(connection).get_columns("human_task")}
    for name, kind in _COLUMNS.items():
        if name not in known:
            connection.execute(text(f"ALTER TABLE human_task ADD COLUMN {name} {kind}"))
    connection.execute(
        text(
            "CREATE INDEX IF NOT EXISTS ix_human_task_counts_as"
            " ON human_task (instance_id, counts_as) WHERE counts_as IS NOT NULL"
        )
    )
