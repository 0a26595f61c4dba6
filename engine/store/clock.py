"""The real clocks. Nothing else in the product may ask the operating system for the time."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

_log = logging.getLogger("engine.clock")
ASK_EVERY = 20.0
_ASK_AGAIN_AFTER = 2.0
_PATIENCE = 5


class SystemClock:
    """The time of this machine; fulfils `engine.model.clock.Clock`."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks


class DatabaseClock:
    """The time of the database: one for all processes, however wrong their machines' clocks are.

    It is asked for now and then and carried on by the monotonic clock, which no one can put back;
    while the database is away it goes on by that. A database whose clock jumps takes us along
    within `ASK_EVERY` seconds.
    """

    def __init__(self, database_url: str) -> None:
        """Ask the PostgreSQL of this URL. Raises DBAPIError where it does not answer."""
        url = make_url(database_url).set(drivername="postgresql+psycopg")
        # A connection of its own: a thread that holds one of the pool must not wait for another.
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": _PATIENCE},
        )
        self._lock = threading.Lock()
        self._known = self._ask()
        self._asked_at = self._known[1]

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        if time.monotonic() - self._asked_at > ASK_EVERY and self._lock.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._lock.release()
        instant, at = self._known
        return instant + timedelta(seconds=time.monotonic() - at)

    def _renew(self) -> None:
        try:
            self._known = self._ask()
            self._asked_at = self._known[1]
        except DBAPIError as error:
            _log.warning("the database does not tell the time", exc_info=error)
            self._asked_at = time.monotonic() - ASK_EVERY + _ASK_AGAIN_AFTER

    def _ask(self) -> tuple[datetime, float]:
        with self._engine.connect() as connection:
            before = time.monotonic()
            found: Any = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            after = time.monotonic()
        return found.astimezone(UTC), (before + after) / 2
