"""What migrations are made of; each does nothing where it has been done already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, inspect, text

#: our types as a database spells them
INSTANT = "instant"
_KINDS = {
    "postgresql": {INSTANT: "TIMESTAMP WITH TIME ZONE", "blob": "BYTEA", "float": "FLOAT"},
    "sqlite": {INSTANT: "VARCHAR(32)", "blob": "BLOB", "float": "FLOAT"},
}


#: columns without a reader: loosened for a while, then gone
UNREAD = (("human_task", "root_id"), ("timer", "bucket"))


def add_columns(connection: Connection, table: str, columns: Mapping[str, str]) -> None:
    """Columns that old code need not name: empty, or with a default written in the type."""
    known = {column["name"] for column in inspect(connection).get_columns(table)}
    kinds = _KINDS[connection.dialect.name]
    for name, kind in columns.items():
        if name not in known:
            spelled = kinds.get(kind, kind)
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {name} {spelled}"))


def add_index(
    connection: Connection, name: str, table: str, columns: str, *, where: str | None = None
) -> None:
    """An index; outside of a transaction PostgreSQL builds it while others go on writing."""
    beside = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if beside and connection.dialect.name == "postgresql":
        _drop_half_built(connection, name)
        how = "CREATE INDEX CONCURRENTLY IF NOT EXISTS"
    else:
        how = "CREATE INDEX IF NOT EXISTS"
    only = f" WHERE {where}" if where else ""
    connection.execute(text(f"{how} {name} ON {table} ({columns}){only}"))


def present(
    connection: Connection, columns: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Those of (table, column) that are there still."""
    seen = inspect(connection)
    for table, column in columns:
        if column in {each["name"] for each in seen.get_columns(table)}:
            yield table, column


def drop_index(connection: Connection, name: str) -> None:
    """The index is not there."""
    connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def _drop_half_built(connection: Connection, name: str) -> None:
    """What a build that was cut off leaves behind: it costs every write and serves no read."""
    broken = connection.scalar(
        text(
            "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relname = :name AND NOT i.indisvalid"
        ),
        {"name": name},
    )
    if broken:
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
