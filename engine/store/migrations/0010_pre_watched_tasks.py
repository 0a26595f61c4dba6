"""One index lists, narrows and counts what is open in a county; rare rows have small ones."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table, inspect

from engine.store.base import Base
from engine.store.schema_change import add_index

#: a province has millions of tasks: nobody waits while they are sorted
OUTSIDE_TRANSACTION = True

_TASK = "human_task"
_ADDED = (
    (
        "ix_human_task_watch",
        "shard, due_sort, id, region, unit, process_key, warn_at, is_open",
        "is_open = 1",
    ),
    ("ix_human_task_named", "due_sort, id", "urgency = 'circulate'"),
    ("ix_human_task_step", "instance_id, is_open, activity_id, completed_by, id", None),
)


def run(connection: Connection) -> None:
    """Those of tasks, and plain ones that packages declare for tables of theirs."""
    for name, columns, where in _ADDED:
        add_index(connection, name, _TASK, columns, where=where)
    known = inspect(connection)
    for table in _of_packages():
        there = {column["name"] for column in known.get_columns(table.name)}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            cells = [column.name for column in index.columns]
            plain = not index.unique and all(one is None for one in index.dialect_kwargs.values())
            if plain and there.issuperset(cells):
                add_index(connection, str(index.name), table.name, ", ".join(cells))


def _of_packages() -> Iterator[Table]:
    """The engine may not know their names; what they declare is in the same metadata."""
    own = {
        mapper.class_.__tablename__
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("engine.")
    }
    yield from (table for table in Base.metadata.sorted_tables if table.name not in own)
