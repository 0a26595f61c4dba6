"""What a case waits for is found without looking at what it has done ten thousand times over."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_index, drop_index

#: a province has millions of tasks: nobody waits while they are sorted
OUTSIDE_TRANSACTION = True


def run(connection: Connection) -> None:
    """One index takes the place of another."""
    columns = "instance_id, is_open, activity_id, id"
    add_index(connection, "ix_human_task_case", "human_task", columns)
    drop_index(connection, "ix_human_task_instance_id_human_task_activity_id")
