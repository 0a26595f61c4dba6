"""Indexes of tasks that only the last release reads, and that every completion pays for."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import drop_index

_REPLACED = ("ix_human_task_due", "ix_human_task_below", "ix_human_task_case")


def run(connection: Connection) -> None:
    """`ix_human_task_watch` and `ix_human_task_step` answer what they did."""
    for name in _REPLACED:
        drop_index(connection, name)
