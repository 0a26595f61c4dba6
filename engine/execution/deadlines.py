"""When a task is due and which rung of its ladder comes next.

Lengths are counted by the working calendar of the task's region. Rungs are armed one at a
time, so that a ladder of five steps is one row and not five.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.decision.values import YearMonthDuration
from engine.model.calendar import DayRule, DueResult, Pause, WorkingCalendar
from engine.model.clock import end_of_day, to_local, to_utc
from engine.model.due_text import RelativeDue, read_deadline
from engine.model.duration import (
    CalendarDays,
    Cycle,
    Due,
    Span,
    WorkingDays,
    parse_due,
    parse_duration,
)
from engine.model.errors import ModelFault
from engine.model.office_time import OfficeMinutes
from engine.model.package import Ladder, Rung

_PERCENT = re.compile(r"(\d{1,3})%")
_RELATIVE = re.compile(r"due(?:([+-])(.+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInstant:
    """When something is due, and how that was counted, in words for people."""

    at: datetime
    note: str = ""
    provisional: bool = False


def due_instant(calendar: WorkingCalendar, since: datetime, wanted: object) -> DueInstant:
    """The instant a deadline or timer names.

    A date ends at 24:00 of that day. Raises ModelFault for what is no time at all.
    """
    if isinstance(wanted, datetime):
        if wanted.tzinfo is None:
            raise ModelFault(f"时间“{wanted.isoformat()}”缺少时区")
        return DueInstant(at=to_utc(wanted))
    if isinstance(wanted, timedelta):
        return DueInstant(at=since + wanted)
    return _counted(calendar, since, _due(wanted))


def deadline_result(
    calendar: WorkingCalendar, since: datetime, wanted: object, pauses: Iterable[Pause] = ()
) -> tuple[DueResult, Due]:
    """A deadline that people keep: calendar days that end on a day off move (art. 203).

    Raises ModelFault for what is no time at all.
    """
    if isinstance(wanted, datetime):
        wanted = due_instant(calendar, since, wanted).at
    due = (
        Span(seconds=int(wanted.total_seconds())) if isinstance(wanted, timedelta) else _due(wanted)
    )
    rule = DayRule.STATUTORY if isinstance(due, CalendarDays) else None
    return calendar.end_of_period(since, due, rule=rule, pauses=tuple(pauses)), due


def note_of(result: DueResult) -> str:
    """How a due date was counted, in words."""
    return _note(result.explanation, provisional=result.provisional)


def is_pausable(wanted: str | None) -> bool:
    """Whether a deadline is a length: a fixed date does not move because a clock stood still."""
    return wanted is not None and not isinstance(_due(wanted), date)


def share_instant(
    since: datetime, due_at: datetime, percent: int, pauses: Iterable[Pause] = ()
) -> datetime:
    """The instant at which the clock has run for a share of its whole run."""
    stretches = sorted(
        (max(pause.start, since), min(pause.end or due_at, due_at)) for pause in pauses
    )
    running, at = [], since
    for begins, ends in stretches:
        if begins > at:
            running.append((at, begins))
        at = max(at, ends)
    if at < due_at:
        running.append((at, due_at))
    left = sum((ends - begins for begins, ends in running), timedelta()) * percent / 100
    for begins, ends in running:
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    return due_at + left


def timer_instant(calendar: WorkingCalendar, since: datetime, wanted: object) -> datetime:
    """As `due_instant`, without the words; a plain span is added without asking the calendar."""
    due = parse_due(wanted) if isinstance(wanted, str) else wanted
    if isinstance(due, Span) and not due.months:
        return since + timedelta(days=due.days) + due.clock_time
    return due_instant(calendar, since, due).at


def deadline_text(wanted: object) -> str | None:
    """The deadline as it is kept with the task, to be counted again when the calendar changes."""
    if wanted is None:
        return None
    return wanted.isoformat() if isinstance(wanted, date) else str(wanted)


def next_rung(
    ladder: Ladder,
    after: int,
    calendar: WorkingCalendar,
    since: datetime,
    due_at: datetime,
    pauses: Iterable[Pause] = (),
) -> tuple[int, datetime] | None:
    """The number and instant of the rung after number `after` (-1: the first); None at the end."""
    number = after + 1
    if number >= len(ladder.rungs):
        return None
    return number, rung_instant(ladder.rungs[number], calendar, since, due_at, pauses)


def first_rung_from(
    ladder: Ladder,
    calendar: WorkingCalendar,
    since: datetime,
    due_at: datetime,
    now: datetime,
    pauses: Iterable[Pause] = (),
) -> tuple[int, datetime] | None:
    """The first rung not yet past, after a due date has moved."""
    for number, rung in enumerate(ladder.rungs):
        at = rung_instant(rung, calendar, since, due_at, pauses)
        if at > now:
            return number, at
    return None


def rung_instant(
    rung: Rung,
    calendar: WorkingCalendar,
    since: datetime,
    due_at: datetime,
    pauses: Iterable[Pause] = (),
) -> datetime:
    """When a rung is reached: `80%` of the span, `due`, `due+1wd`, `due-1d`. Raises ModelFault."""
    share = _PERCENT.fullmatch(rung.at)
    if share is not None:
        return share_instant(since, due_at, int(share[1]), pauses)
    relative = _RELATIVE.fullmatch(rung.at)
    if relative is None:
        raise ModelFault(f"督办阶梯的时间“{rung.at}”看不懂")
    sign, length = relative[1], relative[2]
    if length is None:
        return due_at
    duration = parse_duration(length)
    if isinstance(duration, Span):
        return due_instant(calendar, due_at, duration if sign == "+" else -duration).at
    days = duration.days if sign == "+" else -duration.days
    # Due at 24:00 of a day reads as 00:00 of the next: one working day later is 24:00 of the
    # next working day, so the count starts from the last day that was in time.
    last = to_local(due_at - timedelta(microseconds=1)).date()
    if isinstance(duration, WorkingDays):
        shifted = calendar.add_working_days(last, days)
    else:
        shifted = last + timedelta(days=days)
    return due_at + (end_of_day(shifted) - end_of_day(last))


def require_rung(rung: Rung) -> None:
    """Raises ModelFault or InvalidDuration for a rung whose time cannot be read."""
    if _PERCENT.fullmatch(rung.at):
        return
    relative = _RELATIVE.fullmatch(rung.at)
    if relative is None:
        raise ModelFault(f"督办阶梯的时间“{rung.at}”看不懂")
    if relative[2] is not None:
        parse_duration(relative[2])


def _due(wanted: object) -> Due:
    if isinstance(wanted, str):
        found = read_deadline(wanted)
        # Who plans ahead does not know when the other step will be done: counted from here.
        return parse_due(found.length) if isinstance(found, RelativeDue) else found
    if isinstance(wanted, YearMonthDuration):
        return Span(months=wanted.total_months)
    if isinstance(wanted, (date, Span, CalendarDays, WorkingDays, OfficeMinutes, Cycle)):
        return wanted
    raise ModelFault(f"时限应为日期、时间或时长，得到的是 {type(wanted).__name__}")


def _counted(calendar: WorkingCalendar, since: datetime, due: Due) -> DueInstant:
    result = calendar.end_of_period(since, due)
    return DueInstant(at=result.at, note=note_of(result), provisional=result.provisional)


def _note(explanation: Iterable[str], *, provisional: bool) -> str:
    text = "；".join(explanation)
    return f"暂定：{text}" if provisional and "暂定" not in text else text
