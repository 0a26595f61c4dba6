"""The schema and its versions: numbered migrations, each one transaction, each run once.

A release changes the schema in two phases (decision 0006). *Pre* migrations only add, so the code
before them goes on working; *post* ones take away what only that code needed, so they run when its
last process has ended. A database with a post migration this code has not heard of is refused; one
with an unknown pre migration is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.clock import Clock
from engine.model.errors import InvalidState
from engine.store import migrations
from engine.store.base import Base, UtcDateTime

_NAME = re.compile(r"(\d{4})_(pre|post)_\w+")
POST = "post"
#: one upgrade at a time in the whole cluster; any number that nobody else takes
_LOCK = 0x6E756E61
#: a change that has to wait behind a long transaction makes everybody else wait behind itself
PATIENCE = "15s"
_BUSY = frozenset({"55P03"})


class SchemaBehind(InvalidState):
    """数据库还没有升级到本程序需要的样子，请先运行 nuanliu upgrade --pre"""

    code = "SCHEMA_BEHIND"


class SchemaAhead(InvalidState):
    """数据库已由更新的版本收尾升级，本程序不能再用它，请换用新版本"""

    code = "SCHEMA_AHEAD"


class SchemaBusy(InvalidState):
    """数据库正被占用（另一次升级，或很长的事务），没有升级，请稍后再试"""

    code = "SCHEMA_BUSY"


class SchemaVersion(Base):
    """A migration that has run; `pre` ones run before new code starts, `post` ones after."""

    __tablename__ = "schema_version"

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)


_version: Any = SchemaVersion.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration, known to this code or found in the database; `applied_at` None: not run.

    `needed`: though it ends what old code could do, this code cannot work without it.
    """

    name: str
    applied_at: datetime | None = None
    known: bool = True
    needed: bool = False

    @property
    def is_post(self) -> bool:
        """Whether it takes something away that the code before it needs."""
        return self.name[5:].startswith(POST)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStatus:
    """What has run and what has not, in order of the numbers."""

    steps: tuple[Step, ...]

    @property
    def pending(self) -> tuple[Step, ...]:
        """What this code has and the database has not."""
        return tuple(step for step in self.steps if step.applied_at is None)

    @property
    def unknown(self) -> tuple[Step, ...]:
        """What a newer release did to the database."""
        return tuple(step for step in self.steps if not step.known)

    @property
    def is_served(self) -> bool:
        """Whether this code may work on the database."""
        behind = any(not step.is_post or step.needed for step in self.pending)
        return not behind and not any(step.is_post for step in self.unknown)

    def require_served(self) -> None:
        """Return where this code may work on the database. Raises SchemaBehind, SchemaAhead."""
        ahead = [step.name for step in self.unknown if step.is_post]
        if ahead:
            raise SchemaAhead(f"{SchemaAhead.__doc__}（{'、'.join(ahead)}）")
        missing = [step for step in self.pending if not step.is_post or step.needed]
        names = "、".join(step.name for step in missing)
        if any(step.needed for step in missing):
            raise SchemaBehind(
                f"这次升级要停机：请停止旧版本，再运行 nuanliu upgrade（缺 {names}）"
            )
        if missing:
            raise SchemaBehind(f"{SchemaBehind.__doc__}（缺 {names}）")


def migration_names() -> list[str]:
    """Every migration that ships, in order."""
    return sorted(
        found.name for found in iter_modules(migrations.__path__) if _NAME.fullmatch(found.name)
    )


def create_schema(engine: Engine, clock: Clock) -> None:
    """Make every table that is missing; on an empty database all migrations count as done.

    Raises SchemaBehind, SchemaAhead where the database is another release's, SchemaBusy.
    """
    with engine.connect() as connection:
        now = status_of(connection)
        missing = _missing(connection)
    if missing:
        with _alone(engine), _changing(engine) as connection:
            make(connection, clock)
            now = status_of(connection)
    now.require_served()


def make(connection: Connection, clock: Clock) -> None:
    """The same within the caller's transaction; an older database only gets its missing tables."""
    fresh = not inspect(connection).has_table(SchemaVersion.__tablename__)
    _every_table().create_all(connection)
    if fresh:
        _tune(connection)
        for name in migration_names():
            note(connection, name, clock)


def upgrade(engine: Engine, clock: Clock, *, pre_only: bool = False) -> list[str]:
    """Run what has not run yet, or only what running old code can bear; the names.

    Each migration is one transaction: one that fails leaves the database as it found it, and the
    next upgrade goes on from there. Raises SchemaAhead; InvalidState where old clearing up is due
    before new additions; SchemaBusy.
    """
    ran = []
    with _alone(engine):
        _refuse(status(engine), pre_only=pre_only)
        for name in migration_names():
            if pre_only and Step(name=name).is_post:
                continue
            if _run(engine, name, clock):
                ran.append(name)
        with engine.connect() as connection:
            missing = _missing(connection)
        if missing:
            with _changing(engine) as connection:
                make(connection, clock)
    return ran


def status(engine: Engine) -> SchemaStatus:
    """What has run and what has not."""
    with engine.connect() as connection:
        return status_of(connection)


def status_of(connection: Connection) -> SchemaStatus:
    """The same, as the caller's transaction sees it."""
    done: dict[str, datetime] = {}
    if inspect(connection).has_table(SchemaVersion.__tablename__):
        rows = connection.execute(select(_version.c.name, _version.c.applied_at))
        done = {row.name: row.applied_at for row in rows}
    ours = migration_names()
    return SchemaStatus(
        steps=tuple(
            Step(
                name=name,
                applied_at=done.get(name),
                known=name in ours,
                needed=name in ours and _needed_on(name) == connection.dialect.name,
            )
            for name in sorted({*ours, *done})
        )
    )


def _needed_on(name: str) -> str | None:
    found: str | None = getattr(_module(name), "NEEDED_ON", None)
    return found


def _module(name: str) -> Any:
    return import_module(f"{migrations.__name__}.{name}")


def pending(engine: Engine) -> list[str]:
    """Migrations that still have to run; all of them on an empty database."""
    return [step.name for step in status(engine).pending]


def _refuse(now: SchemaStatus, *, pre_only: bool) -> None:
    ahead = [step.name for step in now.unknown if step.is_post]
    if ahead:
        raise SchemaAhead(f"{SchemaAhead.__doc__}（{'、'.join(ahead)}）")
    names = [step.name for step in now.pending]
    if not pre_only or all(step.applied_at is None for step in now.steps):
        return
    posts = [step.name for step in now.pending if step.is_post]
    if posts and any(name > posts[0] for name in names if not Step(name=name).is_post):
        raise InvalidState(
            f"隔着收尾步骤（{posts[0]}）不能只做预升级：请先升级到中间的版本，"
            "或停机后运行 nuanliu upgrade"
        )


def _run(engine: Engine, name: str, clock: Clock) -> bool:
    module = _module(name)
    if getattr(module, "OUTSIDE_TRANSACTION", False) and engine.dialect.name == "postgresql":
        return _run_outside(engine, module, name, clock)
    with _changing(engine) as connection:
        if _is_done(connection, name):
            return False
        if not inspect(connection).has_table(SchemaVersion.__tablename__):
            # Nobody has been here yet: the whole schema at once, with every migration in it.
            make(connection, clock)
            return False
        _every_table().create_all(connection)
        module.run(connection)
        note(connection, name, clock)
    return True


def _run_outside(engine: Engine, module: Any, name: str, clock: Clock) -> bool:
    """Without a transaction around it: an index built beside running work; can be repeated."""
    with engine.connect() as connection:
        if _is_done(connection, name):
            return False
        connection.rollback()
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        module.run(own)
    with _changing(engine) as connection:
        note(connection, name, clock)
    return True


def _is_done(connection: Connection, name: str) -> bool:
    if not inspect(connection).has_table(SchemaVersion.__tablename__):
        return False
    found = connection.scalar(select(_version.c.number).where(_version.c.number == int(name[:4])))
    return found is not None


def _missing(connection: Connection) -> bool:
    there = set(inspect(connection).get_table_names())
    return not there.issuperset(_every_table().tables)


def _every_table() -> MetaData:
    """The engine's tables, and those of the shell and the domain where they were imported.

    Whoever only upgrades may have loaded none of them, and `tables` imports this module.
    """
    import_module("engine.store.tables")
    return Base.metadata


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Nobody else in the cluster changes the schema; SQLite's write lock does that by itself."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with _patient(), engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        own.execute(text(f"SET lock_timeout = '{PATIENCE}'"))
        try:
            own.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                yield
            finally:
                own.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        finally:
            # The pool would hand the connection on with our patience.
            own.execute(text("RESET lock_timeout"))


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    with _patient(), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
        yield connection


@contextmanager
def _patient() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        busy = getattr(error.orig, "sqlstate", None) in _BUSY or "is locked" in str(error.orig)
        if busy:
            raise SchemaBusy from error
        raise


def note(connection: Connection, name: str, clock: Clock) -> None:
    """The migration has run."""
    connection.execute(
        insert(SchemaVersion).values(number=int(name[:4]), name=name, applied_at=clock.now())
    )


def _tune(connection: Connection) -> None:
    # Measured: compressed bytes in a compressing column cost half of the writing time.
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("ALTER TABLE process_instance ALTER COLUMN state SET STORAGE EXTERNAL")
        )
        connection.execute(text("ALTER TABLE process_instance SET (fillfactor = 70)"))
        connection.execute(
            text(
                "ALTER TABLE timer SET (autovacuum_vacuum_scale_factor = 0,"
                " autovacuum_vacuum_threshold = 5000)"
            )
        )
