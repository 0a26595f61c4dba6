"""Indexes of open tasks by due instant that only the last release reads, and every step pays."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import drop_index

_REPLACED = ("ix_human_task_due", "ix_human_task_below")


def run(connection: Connection) -> None:
    """`ix_human_task_watch` answers what they did."""
    for name in _REPLACED:
        drop_index(connection, name)
