"""A due date as the sum it is: when it began, how long it runs, what was left out, when it ends.

Begin + 10 working days, without 7 days of a pause = end: what a clerk can check with a pencil,
and every day that was not counted by name for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from engine.model.calendar_periods import DueResult, Pause
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import Due
from engine.model.duration_words import day_in_words, days_in_words, in_words, moment_in_words

#: how a count of exact time is told from one of whole days
_WHOLE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSum:
    """One line of arithmetic, and its parts for a page."""

    #: 收件日 2026年1月5日
    start: str
    #: 10个工作日; empty for a fixed date
    length: str
    #: what stopped the clock, and how long in words: (补正, 7天)
    without: tuple[tuple[str, str], ...]
    #: 2026年1月26日24:00; while paused what it would be, were the clock let go now
    end: str
    #: the clock stands still
    paused: bool
    #: a day of a year whose holidays nobody has announced yet was counted
    provisional: bool
    #: the last day fell on a day off and moved from here
    moved_from: date | None
    #: version of the calendar that counted
    calendar: str
    #: every day that was not counted, ranges with their reason
    left_out: tuple[str, ...]

    @property
    def line(self) -> str:
        """The sum: 收件日2026年1月5日 + 10个工作日，除去补正7天 = 2026年1月26日24:00."""
        if not self.length:
            return f"定于{self.end}"
        less = "、".join(f"{name}{long}" for name, long in self.without)
        moved = "，末日遇休假顺延" if self.moved_from is not None else ""
        told = f"{self.start} + {self.length}" + (f"，除去{less}" if less else "") + moved
        if self.paused:
            return f"{told} = 计时暂停中（如现在恢复，为{self.end}）"
        return f"{told} = {self.end}" + ("（暂定）" if self.provisional else "")


def due_sum(
    result: DueResult,
    due: Due,
    *,
    pauses: Iterable[Pause],
    calendar: str,
    now: datetime,
    origin: str = "收件日",
    paused: bool = False,
    zone: tzinfo = LOCAL_ZONE,
) -> DueSum:
    """What `end_of_period` found, as a sum. An open pause must have been closed at `now` for it."""
    local = result.start.astimezone(zone)
    whole = _is_midnight(result.at.astimezone(zone))
    begun = day_in_words(local) if whole else moment_in_words(local, zone)
    fixed = isinstance(due, date)
    return DueSum(
        start=f"{origin}{begun}",
        length="" if fixed else in_words(due, zone),
        without=() if fixed else tuple(_without(result, pauses, now, zone)),
        end=_end(result.at, zone),
        paused=paused,
        provisional=result.provisional,
        moved_from=result.moved_from,
        calendar=calendar,
        left_out=tuple(
            part
            for part in days_in_words([(each.day, each.reason) for each in result.left_out]).split(
                "、"
            )
            if part
        ),
    )


def _without(
    result: DueResult, pauses: Iterable[Pause], now: datetime, zone: tzinfo
) -> Iterable[tuple[str, str]]:
    """Each reason once, with the days it touched or, where less than a day counts, its time."""
    days: dict[str, set[date]] = {}
    spans: dict[str, timedelta] = {}
    whole = _is_midnight(result.at.astimezone(zone))
    for pause in pauses:
        begins, ends = max(pause.start, result.start), min(pause.end or now, result.at)
        if ends <= begins:
            continue
        spans[pause.reason] = spans.get(pause.reason, timedelta()) + (ends - begins)
        found = days.setdefault(pause.reason, set())
        day, last = begins.astimezone(zone).date(), (ends - timedelta.resolution).astimezone(zone)
        while day <= last.date():
            # The day it began on does not count anyway: it was not left out because of a pause.
            if day > result.start.astimezone(zone).date():
                found.add(day)
            day += _WHOLE
    for reason, span in spans.items():
        if whole and days[reason]:
            yield reason, f"{len(days[reason])}天"
        elif not whole:
            yield reason, _span_in_words(span)


def _span_in_words(span: timedelta) -> str:
    minutes = max(1, int(span.total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}小时" if hours else "") + (f"{minutes}分钟" if minutes or not hours else "")


def _is_midnight(local: datetime) -> bool:
    return (local.hour, local.minute, local.second) == (0, 0, 0)


def _end(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    if _is_midnight(local):
        return f"{day_in_words(local - _WHOLE)}24:00"
    return moment_in_words(at, zone)
