"""Connections and transactions; every difference between the databases lives in this file.

SQLite: WAL, `synchronous=FULL`, one writer at a time in a fair queue, `BEGIN IMMEDIATE`.
PostgreSQL: psycopg 3, read committed; lost races are found by the guarded update of the instance.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql import ClauseElement

from engine.model.errors import Broken
from engine.store.statement import Statement, together

BUSY_TIMEOUT_MS = 15_000
CHECKPOINT_PAGES = 16_000
WRITER_CACHE_KIB = 65_536
_JOINED = "nuanliu_joined"
#: PostgreSQL: serialization failure, deadlock
_RACE_STATES = frozenset({"40001", "40P01"})
#: PostgreSQL: unique violation, and the key of the facts of a case
_DUPLICATE = "23505"
_FACT_NUMBERS = "pk_history_fact"
#: PostgreSQL: connection failures, shutdowns, sessions ended for standing idle
_GONE_STATES = ("08", "57P", "25P03", "25P04")


class LostRace(Exception):
    """Somebody else changed the instance between our read and our write; roll back and repeat."""


class Transaction:
    """One open transaction: prebuilt statements on the driver, and a Session when asked for."""

    __slots__ = (
        "_connection", "_cursor", "_engine", "_pipeline", "_pooled", "_session", "dialect",
    )  # fmt: skip

    def __init__(self, engine: Engine, pooled: Any) -> None:
        self.dialect = engine.dialect
        self._engine = engine
        self._pooled = pooled
        self._cursor = raw_cursor(engine, pooled)
        self._connection: Connection | None = None
        self._session: Session | None = None
        #: open while writes are sent without waiting for what each answers
        self._pipeline: Any = None

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection on the same driver connection, made when first asked for."""
        self._hear_answers()
        if self._connection is None:
            connection = Connection(self._engine, connection=self._pooled)
            self._connection = connection.execution_options(**{_JOINED: True})
            self._connection.begin()
        return self._connection

    @property
    def driver_connection(self) -> Any:
        """The driver's own connection: another library may write in this transaction with it."""
        self._hear_answers()
        return self._pooled.driver_connection

    @property
    def session(self) -> Session:
        """An ORM session on this transaction's connection; flush it, never commit it."""
        self._hear_answers()
        if self._session is None:
            self._session = Session(
                bind=self.connection, join_transaction_mode="control_fully", expire_on_commit=False
            )
        return self._session

    def rows(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """All rows of a prebuilt query, as named tuples."""
        self._hear_answers()
        prepared = statement.prepared(self.dialect)
        self._cursor.execute(prepared.sql, prepared.bind(values or {}))
        return prepared.fetch(self._cursor)

    def first(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Any | None:
        """The first row, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def write(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run one prebuilt write; how many rows it hit."""
        self._hear_answers()
        prepared = statement.prepared(self.dialect)
        self._cursor.execute(prepared.sql, prepared.bind(values))
        return int(self._cursor.rowcount)

    def write_each(self, writes: Sequence[tuple[Statement, Mapping[str, Any]]]) -> list[int]:
        """Run prebuilt writes in order; how many rows each hit.

        One round trip where the database can run several writes as one statement. Then none of
        them sees what another did, so no two may touch the same row. Raises LostRace where a fact
        of this number was written by somebody else.
        """
        if self.dialect.driver != "psycopg" or len(writes) == 1:
            return [self.write(statement, values) for statement, values in writes]
        self._hear_answers()
        values: list[Any] = []
        for statement, given in writes:
            values += statement.prepared(self.dialect).bind(given)
        text = together(tuple(statement for statement, _ in writes), self.dialect)
        self._cursor.execute(text, values)
        return list(self._cursor.fetchone())

    def write_behind(self) -> None:
        """From now on `write_all` does not wait for its answers, where the driver can do without.

        What goes wrong with such a write is raised by the next call that waits, the commit at
        the latest: one round trip for all of them.
        """
        if self._pipeline is None and self.dialect.driver == "psycopg":
            pipeline = self._pooled.driver_connection.pipeline()
            pipeline.__enter__()
            self._pipeline = pipeline

    def _hear_answers(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.__exit__(None, None, None)

    def write_all(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """Run one prebuilt write for each set of values, in one round trip."""
        if not many:
            return
        prepared = statement.prepared(self.dialect)
        if len(many) == 1:
            self._cursor.execute(prepared.sql, prepared.bind(many[0]))
        else:
            self._cursor.executemany(prepared.sql, [prepared.bind(each) for each in many])

    def execute(self, statement: Any, values: Any = None) -> Any:
        """A statement built for this call (administration, registers), on the same connection."""
        if values is None:
            return self.connection.execute(statement)
        return self.connection.execute(statement, values)

    def begin(self, command: str) -> None:
        """Begin by hand where the driver would begin too late."""
        self._cursor.execute(command)

    def commit(self) -> None:
        """Bring what an operation did through the Session to the database, and end it all."""
        self.flush()
        self._pooled.commit()
        self._hear_answers()

    def rollback(self) -> None:
        """Nothing of it happened."""
        if self._pipeline is not None:
            # Why it is rolled back is known already; what else went wrong changes nothing.
            with suppress(self.dialect.loaded_dbapi.Error):
                self._hear_answers()
        self._pooled.rollback()

    def invalidate(self) -> None:
        """The driver connection is dead; the pool must not hand it out again."""
        # The pool may have found out before us, when another of its connections died.
        if self._pooled.is_valid:
            self._pooled.invalidate()

    def flush(self) -> None:
        """Send what an operation did through the Session, so that other statements see it."""
        if self._session is not None:
            self._hear_answers()
            self._session.flush()

    def close(self, *, keep_connection: bool = False) -> None:
        """Give the connection back, unless its keeper goes on using it."""
        if self._session is not None:
            self._session.close()
        if self._pooled.is_valid:
            self._cursor.close()
        if not keep_connection:
            self._pooled.close()


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
    def write(self) -> Iterator[Transaction]:
        """One transaction that commits when the block ends and rolls back when it raises.

        Raises `LostRace` where the database itself gave up on a conflict.
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
                yield from self._transaction(writes=True)
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

    def _transaction(self, *, writes: bool) -> Iterator[Transaction]:
        keeps = writes and self.is_sqlite and not self._shared
        transaction = Transaction(
            self.engine, self._writers_own() if keeps else self.engine.raw_connection()
        )
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

    def for_update(self, statement: Any, *, skip_locked: bool = False) -> Any:
        """Lock the rows a query finds; SQLite's only writer needs no lock."""
        return statement if self.is_sqlite else statement.with_for_update(skip_locked=skip_locked)


def raw_cursor(engine: Engine, pooled: Any) -> Any:
    """A cursor for prebuilt statements; psycopg sends their text as it is."""
    if engine.dialect.driver != "psycopg":
        return pooled.cursor()
    dbapi: Any = engine.dialect.loaded_dbapi
    return dbapi.RawCursor(pooled.driver_connection)


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
    if not connection.get_execution_options().get(_JOINED, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
