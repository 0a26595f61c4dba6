"""Connections and transactions; every difference between the databases lives in this file.

SQLite: WAL, `synchronous=FULL`, one writer at a time in a fair queue, `BEGIN IMMEDIATE`.
PostgreSQL: psycopg 3, read committed; lost races are found by the guarded update of the instance.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql import ClauseElement

from engine.model.errors import Broken
from engine.store.transaction import JOINED, LazyTransaction, LostRace, Transaction

__all__ = [
    "Database",
    "LostRace",
    "Transaction",
    "compile_sql",
    "is_duplicate",
    "is_lost_race",
    "let_it_rest",
]

BUSY_TIMEOUT_MS = 15_000
CHECKPOINT_PAGES = 16_000
WRITER_CACHE_KIB = 32_768
#: PostgreSQL: serialization failure, deadlock
_RACE_STATES = frozenset({"40001", "40P01"})
#: PostgreSQL: unique violation, and the key of the facts of a case
_DUPLICATE = "23505"
_FACT_NUMBERS = "pk_history_fact"
#: PostgreSQL: connection failures, shutdowns, sessions ended for standing idle
_GONE_STATES = ("08", "57P", "25P03", "25P04")


class Database:
    """The one store of an engine, built from a URL or around an existing SQLAlchemy engine."""

    def __init__(self, target: str | Engine) -> None:
        self.engine = target if isinstance(target, Engine) else _engine(target)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock()
        self._writing = threading.local()
        self._shared = isinstance(self.engine.pool, StaticPool)
        #: SQLite's one writer keeps its connection, with the pages and statements it knows
        self._kept: Any = None
        if self.is_sqlite and not event.contains(self.engine, "begin", _begin_sqlite):
            event.listen(self.engine, "connect", _connect_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def write(self, *, lazily: bool = False) -> Iterator[Transaction]:
        """One transaction that commits when the block ends and rolls back when it raises.

        `lazily`: what is read before the first write locks nothing. Raises `LostRace` where the
        database itself gave up on a conflict.
        """
        if getattr(self._writing, "now", False):
            raise Broken("a transaction was begun inside another one")
        self._writing.now = True
        try:
            if self.is_sqlite:
                # Writers of one process queue here fairly; the file lock alone starves some.
                with self._writer:
                    yield from self._transaction(writes=True)
            else:
                yield from self._transaction(writes=True, lazily=lazily)
        finally:
            self._writing.now = False

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One snapshot to read from; nothing written in it is kept."""
        if self._shared and not getattr(self._writing, "now", False):
            with self._writer:
                yield from self._transaction(writes=False)
        else:
            yield from self._transaction(writes=False)

    def _transaction(self, *, writes: bool, lazily: bool = False) -> Iterator[Transaction]:
        keeps = writes and self.is_sqlite and not self._shared
        pooled = self._writers_own() if keeps else self.engine.raw_connection()
        lazily = lazily and self.engine.dialect.driver == "psycopg"
        transaction = (LazyTransaction if lazily else Transaction)(self.engine, pooled)
        try:
            if self.is_sqlite:
                # Taking the write lock at the start turns an upgrade deadlock into a plain wait.
                transaction.begin("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield transaction
            if writes:
                transaction.commit()
            else:
                transaction.rollback()
        except BaseException as error:
            # After a failure the pool decides what becomes of the connection.
            keeps, self._kept = False, None if keeps else self._kept
            if self.is_gone(error):
                # Every pooled connection is as dead as this one; the next caller dials again.
                transaction.invalidate()
                self.engine.dispose()
            else:
                transaction.rollback()
            if is_lost_race(error):
                raise LostRace from error
            raise
        finally:
            transaction.close(keep_connection=keeps)

    def _writers_own(self) -> Any:
        # Only who holds the writer's lock comes here.
        if self._kept is None or not self._kept.is_valid:
            self._kept = self.engine.raw_connection()
            cursor = self._kept.cursor()
            cursor.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")
            cursor.close()
        return self._kept

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """What a statement raises that breaks a constraint, prebuilt or not (`is_duplicate`)."""
        dialect: Any = self.engine.dialect
        return (IntegrityError, dialect.loaded_dbapi.IntegrityError)

    def is_gone(self, error: BaseException) -> bool:
        """Whether the connection was lost: nobody's mistake, and to be tried again."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        dialect: Any = self.engine.dialect
        if self.is_sqlite or not isinstance(cause, dialect.dbapi.Error):
            return False
        state = getattr(cause, "sqlstate", None)
        if state is None:
            return isinstance(cause, dialect.dbapi.OperationalError)
        return bool(state.startswith(_GONE_STATES))

    def dispose(self) -> None:
        """Close every pooled connection."""
        with self._writer:
            kept, self._kept = self._kept, None
            if kept is not None:
                kept.close()
        self.engine.dispose()


def is_lost_race(error: BaseException) -> bool:
    """Whether the database refused because another transaction was faster."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    # A fact of our number is there already: its writer was faster by one commit.
    return state in _RACE_STATES or (
        state == _DUPLICATE and cause.diag.constraint_name == _FACT_NUMBERS
    )


def is_duplicate(error: BaseException) -> bool:
    """Whether a unique key was violated."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.IntegrityError):
        return "UNIQUE" in str(cause)
    return getattr(cause, "sqlstate", None) == _DUPLICATE


def let_it_rest(connection: Connection) -> None:
    """The transaction may wait for a disk between two statements, however long that takes."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def compile_sql(statement: ClauseElement, dialect: Any) -> str:
    """The text of a statement, for explain plans in tests."""
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            return create_engine(
                parsed,
                poolclass=StaticPool,
                connect_args={"check_same_thread": False},
                hide_parameters=True,
            )
        return create_engine(
            parsed,
            hide_parameters=True,  # errors are logged, and values name people
            pool_size=20,
            max_overflow=20,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed,
            hide_parameters=True,  # errors are logged, and values name people
            pool_size=20,
            max_overflow=20,
            pool_pre_ping=False,
            connect_args={"options": "-c timezone=UTC", "prepare_threshold": 2},
        )
    raise Broken(f"no such database: {parsed.get_backend_name()}")


def _connect_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control would begin too late and deferred.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    # A checkpoint syncs the whole file: seldom is cheaper than often.
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A connection that joins a `Transaction` is in the midst of one already.
    if not connection.get_execution_options().get(JOINED, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
