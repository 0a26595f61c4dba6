"""The hours in which people work, as one line of time without nights, breaks and days off.

Every instant has a place on that line: the seconds worked before it.  Waiting, service and
utilisation are counted there, so a task that comes at midnight has not waited by nine o'clock.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta

from engine.model.calendar import WorkingCalendar
from engine.model.clock import local_midnight, to_local
from engine.model.office_time import DAY, DEFAULT_HOURS, Hours, NoHours, read_hours

__all__ = ["DAY", "DEFAULT_HOURS", "Hours", "NoHours", "WorkingHours", "read_hours"]


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
