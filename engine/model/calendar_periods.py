"""How a period ends: first day, last day, midnight, rest days, pauses.

Civil Code of the PRC art. 200–204 and 1259: the day a period begins on is not counted; a
period of months ends on the corresponding day; a last day that is a statutory rest day
gives way to the next working day; the last day ends at 24:00; "within" includes it. Which
periods move off rest days is for their own rule to say, hence `DayRule`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Protocol

from engine.model import duration_words as words
from engine.model.calendar_hours import end_of_office_time
from engine.model.calendar_years import ONE_DAY
from engine.model.clock import LOCAL_ZONE, to_utc
from engine.model.duration import (
    CalendarDays,
    Cycle,
    Due,
    Span,
    WorkingDays,
    add_months,
    add_span,
)
from engine.model.errors import InvalidState
from engine.model.office_time import Hours, OfficeMinutes

_INSTANT = timedelta(microseconds=1)


class ClockIsPaused(InvalidState):
    """计时已暂停，恢复后才能得出到期时间"""

    code = "CLOCK_IS_PAUSED"


class CycleIsOver(InvalidState):
    """重复周期已经结束，没有下一次"""

    code = "CYCLE_IS_OVER"


class DayRule(Enum):
    """How a period of days or months is counted. Hours and minutes are always exact."""

    #: to the second, as a BPMN timer reads ISO 8601; the default for ``P3D``, ``P1M``
    EXACT = "exact"
    #: first day not counted, complete at 24:00 of the last; the default for ``7d``
    WHOLE_DAYS = "whole_days"
    #: as WHOLE_DAYS, and a last day off moves to the next working day (art. 203)
    STATUTORY = "statutory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stretch during which a clock stood still; without ``end`` it still does."""

    start: datetime
    end: datetime | None = None
    reason: str = "暂停计时"

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a pause cannot end before it begins")

    def touches(self, day: date, zone: tzinfo = LOCAL_ZONE) -> bool:
        """Whether any moment of this day was paused; a pause of no length touches nothing."""
        if self.end is not None and self.end <= self.start:
            return False
        begins = datetime.combine(day, time.min, zone)
        ends = datetime.combine(day + ONE_DAY, time.min, zone)
        return self.start < ends and (self.end is None or self.end > begins)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutDay:
    """A day that was not counted, with the reason shown to people."""

    day: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueResult:
    """When a period ends and how that came about.

    ``at`` is the first instant that is too late (24:00 = 00:00 of the next day); it raises
    ClockIsPaused while an open pause holds the clock. ``counted_days`` are those counted so
    far. ``provisional`` tells that a day of a year not yet announced was consulted.
    """

    start: datetime
    at_or_none: datetime | None
    counted_days: int
    left_out: tuple[LeftOutDay, ...]
    provisional: bool
    explanation: tuple[str, ...]
    moved_from: date | None = None

    @property
    def is_paused(self) -> bool:
        """Whether an open pause holds the clock, so that no end can be told."""
        return self.at_or_none is None

    @property
    def at(self) -> datetime:
        """The end, in UTC. Raises ClockIsPaused."""
        if self.at_or_none is None:
            raise ClockIsPaused
        return self.at_or_none


class DaysOff(Protocol):
    """What is asked of a calendar here; `engine.model.calendar.WorkingCalendar` fulfils it."""

    def is_provisional(self, day: date) -> bool:
        """Whether this day's year was not announced yet."""
        ...

    def reason_off(self, day: date) -> str | None:
        """Why the day is off; None for a working day."""
        ...

    def add_working_days(self, day: date, number: int) -> date:
        """The n-th working day after this one."""
        ...

    def hours_on(self, day: date) -> Hours:
        """When the office is open on this day; nothing on a day off."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """Where a count of days ended; ``day`` None when an open pause stopped it."""

    day: date | None
    counted: int
    left_out: tuple[LeftOutDay, ...] = ()
    provisional: bool = False
    moved_from: date | None = None


def end_of_period(
    calendar: DaysOff,
    start: datetime,
    due: Due,
    zone: tzinfo = LOCAL_ZONE,
    *,
    rule: DayRule | None = None,
    pauses: Iterable[Pause] = (),
) -> DueResult:
    """When a period begun at ``start`` (aware) is over.

    * hours and minutes: exact; paused time is added at the end;
    * ``5wd``, ``7d``, and ``P10D``/``P3M`` under a whole-day rule: the day of ``start`` is
      not counted, days touched by a pause are not counted, complete at 24:00;
    * ``4wh``: while the office is open and no pause holds the clock;
    * a date: 24:00 of that day; a date and time: itself. Neither is moved by a pause;
    * a cycle: its first firing not before ``start``.

    Raises CalendarYearMissing; CycleIsOver.
    """
    start = to_utc(start)
    held = tuple(pauses)
    if isinstance(due, Cycle):
        found = next_occurrence(calendar, due, start, start - _INSTANT, zone)
        if found is None:
            raise CycleIsOver
        return _on_the_second(start, found[1], due, zone)
    if isinstance(due, datetime):
        return _on_the_second(start, due, due, zone)
    if isinstance(due, OfficeMinutes):
        return _at_the_desk(calendar, start, due, held, zone)
    if isinstance(due, Span) and (rule in (None, DayRule.EXACT) or due.clock_time):
        exact = add_span(start.astimezone(zone), due)
        return _on_the_second(start, _prolonged(start, exact, held), due, zone)
    walk = _walk(calendar, start.astimezone(zone).date(), due, held, zone)
    if rule is DayRule.STATUTORY and not isinstance(due, WorkingDays):
        walk = _off_the_rest_day(calendar, walk, held, zone)
    return _at_midnight(start, walk, due, zone)


def next_occurrence(
    calendar: DaysOff | None,
    cycle: Cycle,
    anchor: datetime,
    after: datetime,
    zone: tzinfo = LOCAL_ZONE,
) -> tuple[int, datetime] | None:
    """The first firing later than ``after``: its number from 1 and its instant; None when over.

    A cycle with a start fires there first; one without fires first one interval after
    ``anchor``. Each firing is reckoned from the first (31 Jan, 28 Feb, 31 Mar …) and cycles
    of days keep the time of day. Only a cycle of working days needs a calendar.
    """
    # A cycle with its own start has firing number 1 at no distance from it.
    skipped = 1 if cycle.start is not None else 0
    base = (cycle.start or anchor).astimezone(zone)

    def firing(number: int) -> datetime:
        return _firing(calendar, cycle, base, number - skipped)

    low, high = 0, 1
    while firing(high) <= after:
        # Working days are only ever asked one step ahead: far years have no table yet.
        low, high = high, high + 1 if isinstance(cycle.interval, WorkingDays) else high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if firing(middle) <= after else (low, middle)
    at = firing(high)
    if cycle.repetitions is not None and high > cycle.repetitions:
        return None
    return None if cycle.end is not None and at > cycle.end else (high, at)


def left_out_days(
    calendar: DaysOff, start: date, end: date, pauses: tuple[Pause, ...], zone: tzinfo = LOCAL_ZONE
) -> tuple[LeftOutDay, ...]:
    """Days after ``start`` up to and with ``end`` that a count of working days skips."""
    days = (start + number * ONE_DAY for number in range(1, (end - start).days + 1))
    reasons = ((day, _why_not(calendar, day, pauses, zone)) for day in days)
    return tuple(LeftOutDay(day=day, reason=reason) for day, reason in reasons if reason)


def last_day(at: datetime, zone: tzinfo = LOCAL_ZONE) -> date:
    """The last day on which there is still time: of midnight it is the day that ends then."""
    return (at.astimezone(UTC) - _INSTANT).astimezone(zone).date()


def _prolonged(start: datetime, at: datetime, pauses: tuple[Pause, ...]) -> datetime | None:
    """The instant moved on by all time paused before it; None while it is paused."""
    at, reached = to_utc(at), start
    for pause in sorted(pauses, key=lambda found: found.start):
        begins = max(pause.start, reached)
        if begins >= at:
            break
        if pause.end is None:
            return None
        if pause.end > begins:
            at, reached = at + (pause.end - begins), pause.end
    return at


def _walk(
    calendar: DaysOff,
    first: date,
    due: Span | CalendarDays | WorkingDays | date,
    pauses: tuple[Pause, ...],
    zone: tzinfo,
) -> _Walk:
    if isinstance(due, date):
        return _Walk(day=due, counted=max((due - first).days, 0))
    working = isinstance(due, WorkingDays)
    if isinstance(due, Span):
        number = (add_months(first, due.months) + due.days * ONE_DAY - first).days
    else:
        number = due.days
    if number <= 0:
        # Backwards ("no later than 20 working days before"): nothing runs that could pause.
        day = calendar.add_working_days(first, number) if working else first + number * ONE_DAY
        provisional = working and any(map(calendar.is_provisional, (day, first)))
        return _Walk(day=day, counted=number, provisional=provisional)
    return _forward(calendar, first, number, pauses, zone, working=working)


def _forward(
    calendar: DaysOff,
    first: date,
    number: int,
    pauses: tuple[Pause, ...],
    zone: tzinfo,
    *,
    working: bool,
) -> _Walk:
    held_from = min(
        (p.start.astimezone(zone).date() for p in pauses if p.end is None), default=None
    )
    left_out: list[LeftOutDay] = []
    day, counted, provisional = first, 0, False
    while counted < number:
        day += ONE_DAY
        if held_from is not None and day >= held_from:
            break
        reason = _why_not(calendar if working else None, day, pauses, zone)
        provisional = provisional or (working and calendar.is_provisional(day))
        if reason is None:
            counted += 1
        else:
            left_out.append(LeftOutDay(day=day, reason=reason))
    return _Walk(
        day=day if counted == number else None,
        counted=counted,
        left_out=tuple(left_out),
        provisional=provisional,
    )


def _off_the_rest_day(
    calendar: DaysOff, walk: _Walk, pauses: tuple[Pause, ...], zone: tzinfo
) -> _Walk:
    """Civil Code art. 203: the first working day after a last day that is off."""
    if walk.day is None or calendar.reason_off(walk.day) is None:
        return walk
    following = _forward(calendar, walk.day, 1, pauses, zone, working=True)
    reason = calendar.reason_off(walk.day) or ""
    return _Walk(
        day=following.day,
        counted=walk.counted,
        left_out=(*walk.left_out, LeftOutDay(day=walk.day, reason=reason), *following.left_out),
        provisional=following.provisional or calendar.is_provisional(walk.day),
        moved_from=walk.day,
    )


def _why_not(
    calendar: DaysOff | None, day: date, pauses: tuple[Pause, ...], zone: tzinfo
) -> str | None:
    off = calendar.reason_off(day) if calendar is not None else None
    return off or next((pause.reason for pause in pauses if pause.touches(day, zone)), None)


def _firing(calendar: DaysOff | None, cycle: Cycle, base: datetime, times: int) -> datetime:
    interval = cycle.interval
    if isinstance(interval, Span):
        return to_utc(add_span(base, interval * times))
    if isinstance(interval, WorkingDays):
        assert calendar is not None, "working days are counted by a calendar"
        day = calendar.add_working_days(base.date(), interval.days * times)
    else:
        day = base.date() + interval.days * times * ONE_DAY
    return to_utc(datetime.combine(day, base.timetz()))


def _on_the_second(start: datetime, at: datetime | None, due: Due, zone: tzinfo) -> DueResult:
    return DueResult(
        start=start,
        at_or_none=None if at is None else to_utc(at),
        counted_days=0,
        left_out=(),
        provisional=False,
        explanation=words.exact_end(start, at, due, zone),
    )


def _at_the_desk(
    calendar: DaysOff,
    start: datetime,
    due: OfficeMinutes,
    pauses: tuple[Pause, ...],
    zone: tzinfo,
) -> DueResult:
    stretches = [(pause.start, pause.end) for pause in pauses]
    walk = end_of_office_time(calendar, start, due.minutes, stretches, zone)
    return DueResult(
        start=start,
        at_or_none=walk.at,
        counted_days=0,
        left_out=tuple(LeftOutDay(day=day, reason=reason) for day, reason in walk.left_out),
        provisional=walk.provisional,
        explanation=words.exact_end(start, walk.at, due, zone),
    )


def _at_midnight(start: datetime, walk: _Walk, due: Due, zone: tzinfo) -> DueResult:
    at = None if walk.day is None else datetime.combine(walk.day + ONE_DAY, time.min, zone)
    skipped = [(entry.day, entry.reason) for entry in walk.left_out]
    return DueResult(
        start=start,
        at_or_none=None if at is None else to_utc(at),
        counted_days=walk.counted,
        left_out=walk.left_out,
        provisional=walk.provisional,
        moved_from=walk.moved_from,
        explanation=words.whole_days_end(
            start.astimezone(zone).date(), walk.day, due, skipped, walk.moved_from, walk.provisional
        ),
    )
