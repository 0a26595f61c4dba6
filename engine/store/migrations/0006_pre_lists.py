"""Lists of a subtree read an index in their own order; rows that hold nothing are in none."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_index, drop_index

#: a province has millions of tasks: nobody waits while they are sorted
OUTSIDE_TRANSACTION = True

_TASK = "human_task"
_CASE = "process_instance"
_ADDED = (
    ("ix_human_task_below", _TASK, "shard, due_sort, id, region", "is_open = 1"),
    ("ix_human_task_alone", _TASK, "due_sort, id", "is_open = 1 AND no_holder"),
    (
        "ix_human_task_taken_away", _TASK, "owner, instance_id",
        "is_open = 0 AND completed_by IS NULL AND owner IS NOT NULL",
    ),
    ("ix_process_instance_shard", _CASE, "shard, id", None),
    ("ix_process_instance_starter", _CASE, "started_by, id", None),
    (
        "ix_process_instance_business_key", _CASE, "process_key, business_key",
        "business_key IS NOT NULL",
    ),
    ("ix_process_instance_child", _CASE, "parent_id", "parent_id IS NOT NULL"),
    ("ix_outbox_failed", "outbox", "id", "status = 'failed'"),
)  # fmt: skip
_REPLACED = (
    "ix_process_instance_parent_id",
    "ix_process_instance_process_key_process_instance_business_key",
)


def run(connection: Connection) -> None:
    """New indexes first, so that no question is without one in between."""
    for name, table, columns, where in _ADDED:
        add_index(connection, name, table, columns, where=where)
    for name in _REPLACED:
        drop_index(connection, name)
