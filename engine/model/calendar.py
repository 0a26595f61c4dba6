"""The working calendar: which days count, added and counted.

It never changes; importing a year or local days answers a new calendar with a new version.
How a period ends (midnights, statutory rest days, pauses) is in `calendar_periods`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cache

from engine.model import calendar_periods as periods
from engine.model import region
from engine.model.calendar_data import ANNOUNCED, MOON_DAYS, VERSION
from engine.model.calendar_periods import (
    ClockIsPaused,
    CycleIsOver,
    DayRule,
    DueResult,
    LeftOutDay,
    Pause,
)
from engine.model.calendar_years import (
    ONE_DAY,
    CalendarYearMissing,
    InvalidCalendar,
    YearTable,
    announced_year,
    is_weekend,
    named_days,
    provisional_year,
    read_holiday_json,
)
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import Cycle, Due
from engine.model.duration_words import days_in_words, in_words
from engine.model.office_time import DEFAULT_HOURS, Hours

__all__ = [
    "CalendarYearMissing",
    "ClockIsPaused",
    "CycleIsOver",
    "DayRule",
    "DueResult",
    "InvalidCalendar",
    "LeftOutDay",
    "LocalDays",
    "Pause",
    "WorkingCalendar",
    "YearTable",
    "days_in_words",
    "in_words",
    "read_holiday_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDays:
    """Days off or worked in one unit's area only, such as an ethnic festival or a flood."""

    unit: str
    off: Mapping[date, str]
    work: Mapping[date, str]
    #: working days on which the office closes at noon: they count as days, not as afternoons
    half: Mapping[date, str] = field(default_factory=dict)
    #: when the offices of this area are open; None: as elsewhere
    hours: Hours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """Monday to Friday, corrected by one table per year and by local days.

    ``for_region`` answers the calendar that holds at a unit; without it local days do not
    count. Asking about a day of a year without table raises CalendarYearMissing.
    """

    version: str
    tables: Mapping[int, YearTable]
    local: tuple[LocalDays, ...] = ()
    hours: Hours = DEFAULT_HOURS
    _half: Mapping[date, str] = field(init=False, repr=False, compare=False)
    _off: Mapping[date, str] = field(init=False, repr=False, compare=False)
    _work: Mapping[date, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        off: dict[date, str] = {}
        work: dict[date, str] = {}
        # Rising years, so that a later announcement overrules the December it moved.
        for _, table in sorted(self.tables.items()):
            _lay_over(off, work, table.off, table.work)
        object.__setattr__(self, "_off", off)
        object.__setattr__(self, "_work", work)
        object.__setattr__(self, "_half", {})

    @staticmethod
    def default() -> WorkingCalendar:
        """2004 to 2026 as announced, the years after computed from the law: provisional."""
        return _default()

    @property
    def years(self) -> tuple[int, ...]:
        """Every year this calendar knows, rising."""
        return tuple(sorted(self.tables))

    @property
    def provisional_years(self) -> tuple[int, ...]:
        """Known years whose announcement has not been imported yet."""
        return tuple(year for year in self.years if self.tables[year].provisional)

    def with_table(self, table: YearTable, version: str | None = None) -> WorkingCalendar:
        """A calendar in which this table stands for its whole year."""
        return WorkingCalendar(
            version=version or f"{self.version}+{table.year}",
            tables={**self.tables, table.year: table},
            local=self.local,
            hours=self.hours,
        )

    def with_year(
        self,
        year: int,
        off_days: Mapping[date, str] | Iterable[date],
        work_days: Mapping[date, str] | Iterable[date],
        version: str | None = None,
    ) -> WorkingCalendar:
        """Import one year's announcement. Raises InvalidCalendar."""
        off, work = named_days(off_days, "节假日"), named_days(work_days, "节假日")
        return self.with_table(YearTable(year=year, off=off, work=work), version)

    def with_holiday_json(self, text: str, version: str | None = None) -> WorkingCalendar:
        """Import one year from the open JSON form. Raises InvalidCalendar."""
        return self.with_table(read_holiday_json(text), version)

    def with_local_days(
        self,
        unit: str,
        off_days: Mapping[date, str] | Iterable[date],
        work_days: Mapping[date, str] | Iterable[date] = (),
        version: str | None = None,
        *,
        half_days: Mapping[date, str] | Iterable[date] = (),
        hours: Hours | None = None,
    ) -> WorkingCalendar:
        """Let days and hours differ at a unit and below it; replaces that unit's earlier ones.

        Raises InvalidCalendar, InvalidRegion.
        """
        region.level(unit)
        off, work = named_days(off_days, "本地假日"), named_days(work_days, "本地")
        if both := set(off) & set(work):
            raise InvalidCalendar(f"{min(both)} 既是放假日又是补班日")
        half = named_days(half_days, "半天")
        if both := set(off) & set(half):
            raise InvalidCalendar(f"{min(both)} 既是放假日又是半天班")
        others = tuple(entry for entry in self.local if entry.unit != unit)
        return WorkingCalendar(
            version=version or f"{self.version}+{unit}",
            tables=self.tables,
            local=(*others, LocalDays(unit=unit, off=off, work=work, half=half, hours=hours)),
            hours=self.hours,
        )

    def for_region(self, unit: str) -> WorkingCalendar:
        """The calendar as it holds at this unit; of two local rules the nearer one wins."""
        covering = [entry for entry in self.local if region.covers(entry.unit, unit)]
        if not covering:
            return self
        covering.sort(key=lambda found: len(region.prefix(found.unit)))
        hours = next((one.hours for one in reversed(covering) if one.hours), self.hours)
        here = WorkingCalendar(
            version=self.version, tables=self.tables, local=self.local, hours=hours
        )
        off, work = dict(here._off), dict(here._work)
        half: dict[date, str] = {}
        for entry in covering:
            _lay_over(off, work, entry.off, entry.work)
            half |= entry.half
        object.__setattr__(here, "_off", off)
        object.__setattr__(here, "_work", work)
        object.__setattr__(here, "_half", half)
        return here

    def is_provisional(self, day: date) -> bool:
        """Whether the answer for this day may change with the announcement to come."""
        return self._table(day).provisional

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on this day."""
        self._table(day)
        return day in self._work or (day not in self._off and not is_weekend(day))

    def reason_off(self, day: date) -> str | None:
        """Why this day is off (周末, 国庆节 …); None for a working day."""
        if self.is_working_day(day):
            return None
        return self._off.get(day, "周末")

    def hours_on(self, day: date) -> Hours:
        """When offices are open on this day; the first stretch only on a half day."""
        if not self.is_working_day(day):
            return ()
        return self.hours[:1] if day in self._half else self.hours

    def describe(self, day: date) -> str:
        """What a calendar sheet prints on this day: 工作日, 周末, 国庆节, 国庆节调休上班."""
        off = self.reason_off(day)
        if off is not None:
            return off
        return f"{self._work[day]}调休上班" if day in self._work else "工作日"

    def add_working_days(self, day: date, number: int) -> date:
        """The n-th working day after this one, which is not counted (or before it, n < 0).

        0 answers the day itself, working or not. From 2026-02-14 five days on: 2026-02-28.
        """
        step = ONE_DAY if number >= 0 else -ONE_DAY
        left = abs(number)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def next_working_day(self, day: date) -> date:
        """The day itself, or the first working day after it."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def count_working_days(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and with ``end``; negative when it lies before.

        So ``count_working_days(d, add_working_days(d, n)) == n`` for every n.
        """
        if end < start:
            return -sum(self.is_working_day(day) for day in _days(end, start))
        return sum(self.is_working_day(day + ONE_DAY) for day in _days(start, end))

    def left_out_days(
        self, start: date, end: date, pauses: Iterable[Pause] = ()
    ) -> tuple[LeftOutDay, ...]:
        """Days after ``start`` up to and with ``end`` that a working-day count skips, and why."""
        return periods.left_out_days(self, start, end, tuple(pauses))

    def end_of_period(
        self,
        start: datetime,
        due: Due,
        zone: tzinfo = LOCAL_ZONE,
        *,
        rule: DayRule | None = None,
        pauses: Iterable[Pause] = (),
    ) -> DueResult:
        """When a period begun at ``start`` ends; see `calendar_periods.end_of_period`."""
        return periods.end_of_period(self, start, due, zone, rule=rule, pauses=tuple(pauses))

    def remaining(self, now: datetime, due: datetime | DueResult, zone: tzinfo = LOCAL_ZONE) -> int:
        """Working days after today up to the last day; 0 on that day, negative after it."""
        at = due.at if isinstance(due, DueResult) else due
        return self.count_working_days(now.astimezone(zone).date(), periods.last_day(at, zone))

    def next_occurrence(
        self, cycle: Cycle, anchor: datetime, after: datetime, zone: tzinfo = LOCAL_ZONE
    ) -> tuple[int, datetime] | None:
        """The first firing of a cycle later than ``after``; see `calendar_periods`."""
        return periods.next_occurrence(self, cycle, anchor, after, zone)

    def _table(self, day: date) -> YearTable:
        try:
            return self.tables[day.year]
        except KeyError:
            raise CalendarYearMissing(day.year) from None


def _days(first: date, end: date) -> Iterator[date]:
    """From ``first`` up to but without ``end``."""
    for number in range((end - first).days):
        yield first + number * ONE_DAY


def _lay_over(
    off: dict[date, str],
    work: dict[date, str],
    more_off: Mapping[date, str],
    more_work: Mapping[date, str],
) -> None:
    """Let the later rule win on every day it names."""
    for day, name in more_off.items():
        work.pop(day, None)
        off[day] = name
    for day, name in more_work.items():
        off.pop(day, None)
        work[day] = name


@cache
def _default() -> WorkingCalendar:
    shipped = [announced_year(year) for year in ANNOUNCED]
    to_come = [provisional_year(year) for year in MOON_DAYS]
    tables = {table.year: table for table in (*shipped, *to_come)}
    return WorkingCalendar(version=VERSION, tables=tables)
