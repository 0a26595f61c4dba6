"""Columns that nothing read are gone; SQLite keeps ids and instants as bytes instead of texts.

In place: a text column of SQLite keeps bytes as they are, so no table has to be made anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, inspect, text

from engine.store.base import Base, IdText
from engine.store.compact import packed_id, packed_instant
from engine.store.schema_change import UNREAD, drop_index, present

#: this code finds nothing by texts there; one process works on such a database, so it stands still
NEEDED_ON = "sqlite"

#: instants are the only texts of this form in columns of this width, whoever declared them
_WIDTH = "VARCHAR(32)"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{6})?\+00:00")


def run(connection: Connection) -> None:
    """Again, it finds nothing to do."""
    for table, column in present(connection, UNREAD):
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    for name in ("ix_process_instance_root_id", "ix_human_task_seat"):
        drop_index(connection, name)
    if connection.dialect.name == "sqlite":
        _pack(connection)


def _pack(connection: Connection) -> None:
    # An id and what refers to it change in different statements.
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    driver: Any = connection.connection.driver_connection
    driver.create_function("packed_id", 1, _id, deterministic=True)
    driver.create_function("packed_instant", 1, _instant, deterministic=True)
    seen = inspect(connection)
    for table in seen.get_table_names():
        changes = ", ".join(_changes(table, seen.get_columns(table)))
        if changes:
            connection.execute(text(f'UPDATE "{table}" SET {changes}'))  # noqa: S608  # names of the schema


def _changes(table: str, columns: list[Any]) -> Iterator[str]:
    ours = Base.metadata.tables.get(table)
    for column in columns:
        name = column["name"]
        known = None if ours is None else ours.columns.get(name)
        if known is not None and isinstance(known.type, IdText):
            yield f'"{name}" = packed_id("{name}")'
        elif str(column["type"]) == _WIDTH:
            yield f'"{name}" = packed_instant("{name}")'


def _id(kept: object) -> object:
    return packed_id(kept) if isinstance(kept, str) else kept


def _instant(kept: object) -> object:
    if isinstance(kept, str) and _INSTANT.fullmatch(kept):
        return packed_instant(datetime.fromisoformat(kept))
    return kept
