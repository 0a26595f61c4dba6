"""Flask-SQLAlchemy over the engine's own metadata, and the way to the engine from a request.

The engine works without Flask; the extension serves the shell's own tables (accounts, sessions)
which are declared on the same `Base` and made by the same `create_schema`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy

from engine import Base, Clock, ProcessEngine, TravellingClock
from webforms.settings import Settings

EXTENSION = "nuanliu"
db = SQLAlchemy(metadata=Base.metadata)


@dataclass(slots=True, kw_only=True)
class Runtime:
    """What `create_app` was given: the engine, its clock, the wall clock, the settings."""

    engine: ProcessEngine
    #: the clock of the processes; in a demo it can be moved
    clock: Clock
    #: the real time, for login, sessions and locks, which no demo may move
    wall: Clock
    settings: Settings
    #: password hash compared against for unknown login names, made on first need
    decoy_hash: str | None = None

    @property
    def travelling(self) -> TravellingClock | None:
        """The demo clock, where there is one."""
        return self.clock if isinstance(self.clock, TravellingClock) else None


def attach(app: Flask, runtime: Runtime) -> None:
    """Bind the extension and the runtime to the application."""
    app.config["SQLALCHEMY_DATABASE_URI"] = runtime.settings.database_url
    # A whole roster is written in one transaction; meanwhile who logs in waits rather than fails.
    options: dict[str, Any] = (
        {"connect_args": {"timeout": 60}}
        if runtime.settings.database_url.startswith("sqlite")
        else {"pool_pre_ping": True}
    )
    # Errors are logged, and values name people.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {**options, "hide_parameters": True}
    db.init_app(app)
    app.extensions[EXTENSION] = runtime


def runtime() -> Runtime:
    """The runtime of the current application."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Runtime)
    return found


def engine() -> ProcessEngine:
    """The process engine of the current application."""
    return runtime().engine


def now() -> datetime:
    """The instant the processes live in (UTC); a demo may have moved it."""
    at: datetime = runtime().clock.now()
    return at


def wall_now() -> datetime:
    """The real instant (UTC)."""
    at: datetime = runtime().wall.now()
    return at
