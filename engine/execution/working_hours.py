"""The hours in which people work, as one line of time without nights, breaks and days off.

Every instant has a place on that line: the seconds worked before it.  Waiting, service and
utilisation are counted there, so a task that comes at midnight has not waited by nine o'clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from engine.model.calendar import WorkingCalendar
from engine.model.clock import local_midnight, to_local

DAY = 86_400
Hours = tuple[tuple[int, int], ...]
"""Spans of one day, in seconds since midnight, rising and apart."""

DEFAULT_HOURS: Hours = ((9 * 3600, 12 * 3600), (13 * 3600 + 1800, 17 * 3600 + 1800))


class NoHours(ValueError):
    """The text names no span of a day."""


def read_hours(texts: Sequence[str]) -> Hours:
    """`["09:00-12:00", "13:30-17:30"]` as spans. Raises `NoHours` with the text that is wrong."""
    spans = sorted(_span(text) for text in texts)
    if not spans:
        raise NoHours("没有写上班时间")
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise NoHours("上班时间重叠")
    return tuple(spans)


def _span(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise NoHours(f"“{text}”应写成 09:00-12:00")
    start, end = _seconds(first, text), _seconds(last, text)
    if start >= end:
        raise NoHours(f"“{text}”结束不晚于开始")
    return start, end


def _seconds(part: str, text: str) -> int:
    hours, _, minutes = part.strip().partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise NoHours(f"“{text}”应写成 09:00-12:00")
    found = int(hours) * 3600 + int(minutes) * 60
    if found > DAY:
        raise NoHours(f"“{text}”超过 24:00")
    return found


class WorkingHours:
    """Working time from a first day on; days are looked up as far as they are asked about."""

    def __init__(
        self,
        calendar: WorkingCalendar,
        first: date,
        spans: Hours = DEFAULT_HOURS,
        *,
        every_day: bool = False,
    ) -> None:
        self._calendar = calendar
        self._first = first
        self._spans = spans
        self._every_day = every_day
        self._a_day = sum(end - start for start, end in spans)
        #: seconds worked before day n
        self._before = [0]

    def worked(self, at: datetime) -> int:
        """Seconds worked from the first day up to this instant."""
        day, second = self._place(at)
        self._know(day + 1)
        before = self._before[day]
        if self._before[day + 1] == before:
            return before
        return before + sum(
            min(second, end) - start for start, end in self._spans if second > start
        )

    def at(self, worked: int) -> datetime:
        """The first instant at which so many seconds have been worked."""
        while self._before[-1] < worked:
            self._know(len(self._before))
        if worked <= 0:
            return local_midnight(self._first)
        day = bisect_left(self._before, worked) - 1
        rest = worked - self._before[day]
        for start, end in self._spans:
            if rest <= end - start:
                return self._instant(day, start + rest)
            rest -= end - start
        raise AssertionError("a day holds what its spans hold")

    def after(self, start: datetime, seconds: int) -> datetime:
        """When work of so many seconds that begins at `start` is done; it rests over breaks."""
        return self.at(self.worked(start) + seconds) if seconds > 0 else start

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at this instant."""
        day, second = self._place(at)
        self._know(day + 1)
        if self._before[day + 1] == self._before[day]:
            return False
        return any(start <= second < end for start, end in self._spans)

    def opening(self, at: datetime) -> datetime:
        """The instant itself where somebody works, else the next at which work begins."""
        if self.is_open(at):
            return at
        return self.at(self.worked(at) + 1) - timedelta(seconds=1)

    def _place(self, at: datetime) -> tuple[int, int]:
        local = to_local(at)
        day = local.toordinal() - self._first.toordinal()
        return day, local.hour * 3600 + local.minute * 60 + local.second

    def _instant(self, day: int, second: int) -> datetime:
        return local_midnight(self._first + timedelta(days=day)) + timedelta(seconds=second)

    def _know(self, days: int) -> None:
        """Raises `CalendarYearMissing` for days no calendar is known of."""
        while len(self._before) <= days:
            day = self._first + timedelta(days=len(self._before) - 1)
            works = self._every_day or self._calendar.is_working_day(day)
            self._before.append(self._before[-1] + (self._a_day if works else 0))
