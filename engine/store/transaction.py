"""One open transaction: prebuilt statements on the driver, and a Session when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from engine.store.statement import Statement, alone, together

#: an option of connections that join a transaction begun already
JOINED = "nuanliu_joined"
Write = tuple[Statement, Mapping[str, Any]]


class LostRace(Exception):
    """Somebody else changed the instance between our read and our write; roll back and repeat."""


class Transaction:
    """Begun when it is made; whoever made it ends it."""

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
        self._ready()
        if self._connection is None:
            connection = Connection(self._engine, connection=self._pooled)
            self._connection = connection.execution_options(**{JOINED: True})
            self._connection.begin()
        return self._connection

    @property
    def driver_connection(self) -> Any:
        """The driver's own connection: another library may write in this transaction with it."""
        self._ready()
        return self._pooled.driver_connection

    @property
    def session(self) -> Session:
        """An ORM session on this transaction's connection; flush it, never commit it."""
        self._ready()
        if self._session is None:
            self._session = Session(
                bind=self.connection, join_transaction_mode="control_fully", expire_on_commit=False
            )
        return self._session

    def rows(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """All rows of a prebuilt query, as named tuples."""
        self._ready()
        prepared = statement.prepared(self.dialect)
        self._cursor.execute(prepared.sql, prepared.bind(values or {}))
        return prepared.fetch(self._cursor)

    def first(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Any | None:
        """The first row, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def write(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run one prebuilt write; how many rows it hit."""
        self._ready()
        prepared = statement.prepared(self.dialect)
        self._cursor.execute(prepared.sql, prepared.bind(values))
        return int(self._cursor.rowcount)

    def defer(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Run a prebuilt write that must hit one row, at the latest before anything else is asked.

        Raises LostRace where it hits none.
        """
        if self.write(statement, values) != 1:
            raise LostRace

    def write_each(self, writes: Sequence[Write]) -> list[int]:
        """Run prebuilt writes in order; how many rows each hit.

        One round trip where the database can run several writes as one statement. Then none of
        them sees what another did, so no two may touch the same row. Raises LostRace where a fact
        of this number was written by somebody else.
        """
        if self.dialect.driver != "psycopg" or len(writes) == 1:
            return [self.write(statement, values) for statement, values in writes]
        self._ready()
        text = together(tuple(statement for statement, _ in writes), self.dialect)
        self._cursor.execute(text, self._bound(writes))
        return list(self._cursor.fetchone())

    def finish(self, writes: Sequence[Write]) -> list[int]:
        """As `write_each`; nothing else is asked of this transaction before its end."""
        return self.write_each(writes)

    def _bound(self, writes: Sequence[Write]) -> list[Any]:
        values: list[Any] = []
        for statement, given in writes:
            values += statement.prepared(self.dialect).bind(given)
        return values

    def write_behind(self) -> None:
        """From now on `write_all` does not wait for its answers, where the driver can do without.

        What goes wrong with such a write is raised by the next call that waits, the commit at
        the latest: one round trip for all of them.
        """
        if self._pipeline is None and self.dialect.driver == "psycopg":
            pipeline = self._pooled.driver_connection.pipeline()
            pipeline.__enter__()
            self._pipeline = pipeline

    def _ready(self) -> None:
        """Called before anything is asked of the connection."""
        self._hear_answers()

    def _hear_answers(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.__exit__(None, None, None)

    def write_all(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """Run one prebuilt write for each set of values, in one round trip."""
        if not many:
            return
        if self._pipeline is None:
            self._ready()
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


class LazyTransaction(Transaction):
    """PostgreSQL: begins when it has to, and often need not.

    A command that reads, decides and then writes once is one statement, atomic by itself: two
    round trips instead of five. The reads before it see what was committed when each began, as
    they would in a transaction that reads committed rows.
    """

    __slots__ = ("_begun", "_deferred")

    def __init__(self, engine: Engine, pooled: Any) -> None:
        super().__init__(engine, pooled)
        self._begun = False
        self._deferred: Write | None = None
        pooled.driver_connection.autocommit = True

    def rows(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """All rows of a prebuilt query, which locks none."""
        if self._begun or self._deferred is not None:
            return super().rows(statement, values)
        prepared = statement.prepared(self.dialect)
        self._cursor.execute(prepared.sql, prepared.bind(values or {}))
        return prepared.fetch(self._cursor)

    def defer(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Keep a write for the end, where nothing asks for what it changes before."""
        if self._begun or self._deferred is not None:
            super().defer(statement, values)
        else:
            self._deferred = (statement, values)

    def finish(self, writes: Sequence[Write]) -> list[int]:
        """All that was deferred and these, each of which must hit one row, as one statement.

        Raises LostRace where one does not; then nothing was written.
        """
        if self._begun:
            return super().finish(writes)
        first, *rest = writes
        kept, self._deferred = self._deferred, None
        every = [first, *rest] if kept is None else [first, kept, *rest]
        text = alone(tuple(statement for statement, _ in every), self.dialect)
        dbapi: Any = self.dialect.loaded_dbapi
        try:
            self._cursor.execute(text, self._bound(every))
        except dbapi.errors.DivisionByZero as error:
            raise LostRace from error
        return [1] * len(writes)

    def commit(self) -> None:
        """Nothing that was deferred is forgotten."""
        if self._deferred is not None:
            self._ready()
        super().commit()

    def close(self, *, keep_connection: bool = False) -> None:
        """Give the connection back as it was."""
        if self._pooled.is_valid and not self._pooled.driver_connection.closed:
            self._pooled.driver_connection.autocommit = False
        super().close(keep_connection=keep_connection)

    def _ready(self) -> None:
        super()._ready()
        if not self._begun:
            self._begun = True
            self._cursor.execute("BEGIN", prepare=False)
        if self._deferred is not None:
            kept, self._deferred = self._deferred, None
            super().defer(*kept)


def raw_cursor(engine: Engine, pooled: Any) -> Any:
    """A cursor for prebuilt statements; psycopg sends their text as it is."""
    if engine.dialect.driver != "psycopg":
        return pooled.cursor()
    dbapi: Any = engine.dialect.loaded_dbapi
    return dbapi.RawCursor(pooled.driver_connection)
