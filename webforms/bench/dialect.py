"""The few words in which the databases differ when they multiply rows by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from engine import UtcDateTime

_SQLITE = SQLiteDialect()
_SQLITE_SEQUENCE = (
    "WITH RECURSIVE seq(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM seq WHERE n < :last)"
)
_POSTGRES_SEQUENCE = (
    "WITH seq AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n)"
)
_SQLITE_TIMERS = (
    "UPDATE timer SET due_at = :at, planned_at = :at WHERE (instance_id, kind, element) IN"
    " (SELECT instance_id, kind, element FROM timer LIMIT :number)"
)
_POSTGRES_TIMERS = (
    "UPDATE timer SET due_at = :at, planned_at = :at WHERE ctid IN"
    " (SELECT ctid FROM timer LIMIT :number)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One database's way of saying it."""

    is_sqlite: bool

    @property
    def sequence(self) -> str:
        """A query `seq` of the numbers :first … :last in its column `n`."""
        return _SQLITE_SEQUENCE if self.is_sqlite else _POSTGRES_SEQUENCE

    @property
    def some_timers(self) -> str:
        """:number timers, whichever, are due :at."""
        return _SQLITE_TIMERS if self.is_sqlite else _POSTGRES_TIMERS

    def ident(self, since_ms: int, mark: int, number: str, place: str) -> str:
        """A version 7 UUID: millisecond `since_ms` + `number`, then mark, place and number."""
        ms = f"({since_ms} + {number})"
        if self.is_sqlite:
            return (
                f"bench_id(printf('%08x%04x7%03x8%03x%012x', {ms} >> 16, {ms} & 65535, {mark},"
                f" {place}, {number}))"
            )
        return (
            f"lpad(to_hex({ms} >> 16), 8, '0') || '-' || lpad(to_hex({ms} & 65535), 4, '0') ||"
            f" '-7' || lpad(to_hex({mark}), 3, '0') || '-8' || lpad(to_hex({place}), 3, '0') ||"
            f" '-' || lpad(to_hex({number}), 12, '0')"
        )

    def later(self, since: datetime, minutes: str) -> str:
        """An instant so many minutes after `since`, as the columns keep instants."""
        if self.is_sqlite:
            return f"bench_instant({int(since.timestamp())} + ({minutes}) * 60)"
        written = since.astimezone(UTC).isoformat()
        return f"CAST('{written}' AS timestamptz) + ({minutes}) * interval '1 minute'"

    def prepare(self, connection: Connection) -> None:
        """Make known what `ident` and `later` call: bytes as the columns of SQLite keep them."""
        if self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.create_function("bench_id", 1, bytes.fromhex, deterministic=True)
            driver.create_function("bench_instant", 1, _instant, deterministic=True)

    def settle(self, engine: Engine) -> None:
        """What a database does by itself after a while, done now: statistics, the log emptied."""
        if self.is_sqlite:
            pooled = engine.raw_connection()
            pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pooled.close()
            return
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _instant(seconds: int) -> object:
    return UtcDateTime().process_bind_param(datetime.fromtimestamp(seconds, UTC), _SQLITE)


def words_for(dialect: str) -> Words:
    """The words of SQLite or of PostgreSQL."""
    return Words(is_sqlite=dialect == "sqlite")
