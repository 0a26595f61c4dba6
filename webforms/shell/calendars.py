"""The working calendar of the installation; kept and counted by the engine."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import SYSTEM, Actor, ProcessEngine
from webforms.database import engine


def apply(to: ProcessEngine, session: Session | None = None) -> None:  # noqa: ARG001  # callers hand theirs
    """Let an engine count with everything that was imported."""
    to.calendars.apply()


def keep(table: str, actor: Actor = SYSTEM, source: str = "") -> int:
    """Keep an announcement, count with it from now on; the number of the version it made.

    Raises InvalidCalendar.
    """
    return engine().calendars.import_year(actor, table, source=source)
