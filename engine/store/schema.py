"""The schema and its versions: numbered migrations, each run once."""

from __future__ import annotations

import re
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Connection, Engine, Integer, String, insert, inspect, select, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.clock import Clock
from engine.store import migrations
from engine.store.base import Base, UtcDateTime

_NAME = re.compile(r"(\d{4})_(pre|post)_\w+")


class SchemaVersion(Base):
    """A migration that has run; `pre` ones run before new code starts, `post` ones after."""

    __tablename__ = "schema_version"

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)


def migration_names() -> list[str]:
    """Every migration that ships, in order."""
    return sorted(
        found.name for found in iter_modules(migrations.__path__) if _NAME.fullmatch(found.name)
    )


def create_schema(engine: Engine, clock: Clock) -> None:
    """Make every table that is missing; on an empty database all migrations count as done."""
    with engine.begin() as connection:
        fresh = not inspect(connection).has_table(SchemaVersion.__tablename__)
        Base.metadata.create_all(connection)
        if fresh:
            _tune(connection)
            for name in migration_names():
                _note(connection, name, clock)


def upgrade(engine: Engine, clock: Clock) -> list[str]:
    """Run every migration that has not run yet, each in its own transaction; their names."""
    create_schema(engine, clock)
    with engine.connect() as connection:
        done = set(connection.scalars(select(SchemaVersion.number)))
    ran = []
    for name in migration_names():
        if int(name[:4]) in done:
            continue
        module = import_module(f"{migrations.__name__}.{name}")
        with engine.begin() as connection:
            module.run(connection)
            _note(connection, name, clock)
        ran.append(name)
    return ran


def pending(engine: Engine) -> list[str]:
    """Migrations that still have to run; all of them on an empty database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(SchemaVersion.__tablename__):
            return migration_names()
        done = set(connection.scalars(select(SchemaVersion.number)))
    return [name for name in migration_names() if int(name[:4]) not in done]


def _note(connection: Connection, name: str, clock: Clock) -> None:
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
