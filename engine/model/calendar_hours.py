"""Time that passes only while the office is open: hours, half days, breaks, pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Protocol

from engine.model.calendar_years import ONE_DAY
from engine.model.clock import to_utc
from engine.model.office_time import Hours

MOST_DAYS = 3660
Stretch = tuple[datetime, datetime | None]
"""From when until when a clock stood still; without an end it still does."""


class OfficeHours(Protocol):
    """What is asked of a calendar here."""

    def hours_on(self, day: date) -> Hours:
        """When the office is open on this day; nothing on a day off."""
        ...

    def reason_off(self, day: date) -> str | None:
        """Why the day is off; None for a working day."""
        ...

    def is_provisional(self, day: date) -> bool:
        """Whether this day's year was not announced yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeWalk:
    """Where a count of office time ended; `at` None when an open pause stopped it."""

    at: datetime | None
    left_out: tuple[tuple[date, str], ...]
    provisional: bool


def end_of_office_time(
    calendar: OfficeHours,
    start: datetime,
    minutes: int,
    paused: Sequence[Stretch],
    zone: tzinfo,
) -> OfficeWalk:
    """The instant at which the office has been open, and the clock running, for so long."""
    left = timedelta(minutes=minutes)
    day = start.astimezone(zone).date()
    left_out: list[tuple[date, str]] = []
    provisional = False
    for _ in range(MOST_DAYS):
        provisional = provisional or calendar.is_provisional(day)
        off = calendar.reason_off(day)
        if off is not None:
            left_out.append((day, off))
        for begins, ends in _running(calendar, day, start, paused, zone):
            if ends - begins >= left:
                return OfficeWalk(
                    at=to_utc(begins + left), left_out=tuple(left_out), provisional=provisional
                )
            left -= ends - begins
        if any(end is None and to_utc(begin) <= _midnight(day, zone) for begin, end in paused):
            break
        day += ONE_DAY
    return OfficeWalk(at=None, left_out=tuple(left_out), provisional=provisional)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return to_utc(datetime.combine(day + ONE_DAY, time.min, zone))


def _running(
    calendar: OfficeHours, day: date, start: datetime, paused: Sequence[Stretch], zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of one day in which the office is open and the clock runs."""
    midnight = datetime.combine(day, time.min, zone)
    for opens, closes in calendar.hours_on(day):
        begins = max(midnight + timedelta(seconds=opens), start)
        ends = midnight + timedelta(seconds=closes)
        for since, until in sorted(paused, key=lambda one: one[0]):
            if since >= ends or (until is not None and until <= begins):
                continue
            if since > begins:
                yield begins, since
            begins = ends if until is None else max(begins, until)
        if begins < ends:
            yield begins, ends
