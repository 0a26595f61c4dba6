"""Time is passed in, never taken: the protocol, the local zone and a clock that travels."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone in which days begin and end, and in which people read time."""


class Clock(Protocol):
    """Answers what time it is; the only way any room learns it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class TravellingClock:
    """A clock that stands still until it is moved; for tests, dry runs and demonstrations."""

    def __init__(self, at: datetime) -> None:
        self._at = to_utc(at)

    def now(self) -> datetime:
        """The instant it stands at, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to an instant, also backwards, as a corrected server clock does."""
        self._at = to_utc(at)

    def advance(self, by: timedelta) -> datetime:
        """Move on by a span of real time and answer the new instant."""
        self._at += by
        return self._at


def to_utc(at: datetime) -> datetime:
    """The same instant in UTC. A time without zone is a mistake of ours: ValueError."""
    if at.tzinfo is None:
        raise ValueError(f"a time without zone is no instant: {at.isoformat()}")
    return at.astimezone(UTC)


def to_local(at: datetime) -> datetime:
    """The same instant as a wall clock in Asia/Shanghai shows it."""
    return to_utc(at).astimezone(LOCAL_ZONE)


def local_date(at: datetime) -> date:
    """The day of this instant in Asia/Shanghai."""
    return to_local(at).date()


def local_midnight(day: date) -> datetime:
    """The instant, in UTC, at which this day begins in Asia/Shanghai."""
    return datetime.combine(day, time.min, LOCAL_ZONE).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """24:00 of this day in Asia/Shanghai, in UTC: the first instant that is too late."""
    return local_midnight(day + timedelta(days=1))
