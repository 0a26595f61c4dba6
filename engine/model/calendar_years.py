"""One year's days off and make-up working days: shipped, computed or imported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from engine.model.calendar_data import ANNOUNCED, MOON_DAYS
from engine.model.errors import Incident, Rejected

ONE_DAY = timedelta(days=1)
SATURDAY = 5


class InvalidCalendar(Rejected, ValueError):
    """放假安排有误"""

    code = "INVALID_CALENDAR"
    http_status = 422


class CalendarYearMissing(Incident, LookupError):
    """没有该年的放假安排，请先在“工作日历”中导入

    An incident, not a refusal: once the year is imported the same work can be retried.
    """

    code = "CALENDAR_YEAR_MISSING"

    def __init__(self, year: int) -> None:
        super().__init__(f"没有 {year} 年的放假安排，请先在“工作日历”中导入")
        self.year = year


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTable:
    """The days of one year that differ from Monday-to-Friday, each with the holiday's name.

    ``work`` holds Saturdays and Sundays only. Days of the December before are allowed,
    because an announcement moves them now and then. ``provisional`` marks a year that was
    computed from the law before its announcement.
    """

    year: int
    off: Mapping[date, str]
    work: Mapping[date, str]
    provisional: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "off", MappingProxyType(dict(sorted(self.off.items()))))
        object.__setattr__(self, "work", MappingProxyType(dict(sorted(self.work.items()))))
        if not self.off:
            raise InvalidCalendar(f"{self.year} 年没有任何放假日：该年安排可能尚未公布")
        for day in (*self.off, *self.work):
            if day.year != self.year and (day.year, day.month) != (self.year - 1, 12):
                raise InvalidCalendar(f"{day} 不属于 {self.year} 年（也不在上一年 12 月）")
        for day in self.work:
            if day in self.off:
                raise InvalidCalendar(f"{day} 既是放假日又是补班日")
            if not is_weekend(day):
                raise InvalidCalendar(f"补班日 {day} 不是周六或周日")

    def to_json(self) -> str:
        """The table in the form `read_holiday_json` reads."""
        days = sorted(
            [(day, name, True) for day, name in self.off.items()]
            + [(day, name, False) for day, name in self.work.items()]
        )
        listed = [{"name": n, "date": d.isoformat(), "isOffDay": off} for d, n, off in days]
        return json.dumps({"year": self.year, "days": listed}, ensure_ascii=False)


def is_weekend(day: date) -> bool:
    """Saturday or Sunday, whatever the announcements say."""
    return day.weekday() >= SATURDAY


def named_days(days: Mapping[date, str] | Iterable[date], name: str) -> dict[date, str]:
    """Days with their names; days that come without one all get this one."""
    if isinstance(days, Mapping):
        return dict(days)
    return dict.fromkeys(days, name)


def announced_year(year: int) -> YearTable:
    """The shipped table of a year from 2004 to 2026."""
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for line in ANNOUNCED[year]:
        name, *ranges = line.split()
        for written in ranges:
            if written.startswith("+"):
                work[_day(year, written[1:])] = name
            else:
                first, _, last = written.partition("-")
                off |= dict.fromkeys(_days(_day(year, first), _day(year, last or first)), name)
    return YearTable(year=year, off=off, work=work)


def provisional_year(year: int) -> YearTable:
    """The statutory days of a year to come, with what the law itself gives back.

    Regulation on public holidays (2024 revision) art. 2: New Year 1, Spring Festival 4 from
    the eve, Qingming 1, Labour Day 2, Dragon Boat 1, Mid-Autumn 1, National Day 3 days;
    art. 6: a statutory day on a Saturday or Sunday is made up on working days — here on the
    next ones. Which weekends are worked instead is unknown until the announcement.
    """
    new_moon, qingming, fifth, eighth = MOON_DAYS[year]
    new_year = _day(year, new_moon)
    statutory = dict.fromkeys(_days(new_year - ONE_DAY, new_year + 2 * ONE_DAY), "春节")
    fixed = (
        ("元旦", "0101", 1),
        ("清明节", qingming, 1),
        ("劳动节", "0501", 2),
        ("端午节", fifth, 1),
        ("中秋节", eighth, 1),
        ("国庆节", "1001", 3),
    )
    for name, written, length in fixed:
        first = _day(year, written)
        for day in _days(first, first + (length - 1) * ONE_DAY):
            statutory.setdefault(day, name)
    off = dict(statutory)
    for day, name in sorted(statutory.items()):
        if is_weekend(day):
            made_up = day
            while made_up in off or is_weekend(made_up):
                made_up += ONE_DAY
            off[made_up] = f"{name}补假"
    return YearTable(year=year, off=off, work={}, provisional=True)


def read_holiday_json(text: str) -> YearTable:
    """A year in the widespread open form ``{"year", "days": [{"name", "date", "isOffDay"}]}``.

    Raises InvalidCalendar naming the entry that is wrong.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidCalendar(f"文件不是 JSON：第 {error.lineno} 行有误") from error
    except (ValueError, RecursionError) as error:
        raise InvalidCalendar("文件不是 JSON：数字过长或嵌套过深") from error
    if not isinstance(content, dict):
        raise InvalidCalendar("文件内容应是一个对象，含 year 与 days")
    year, days = content.get("year"), content.get("days")
    if not isinstance(year, int) or isinstance(year, bool) or not 1900 <= year <= 2999:
        raise InvalidCalendar("缺少年份 year，或年份不是四位整数")
    if not isinstance(days, list):
        raise InvalidCalendar(f"{year} 年缺少日期列表 days")
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for number, entry in enumerate(days, start=1):
        day, name, is_off = _entry(entry, number)
        if day in off or day in work:
            raise InvalidCalendar(f"第 {number} 条：{day} 重复")
        (off if is_off else work)[day] = name
    return YearTable(year=year, off=off, work=work)


def _entry(entry: object, number: int) -> tuple[date, str, bool]:
    if not isinstance(entry, dict):
        raise InvalidCalendar(f"第 {number} 条应是对象，含 name、date、isOffDay")
    name, written, is_off = entry.get("name"), entry.get("date"), entry.get("isOffDay")
    if not isinstance(name, str) or not name.strip():
        raise InvalidCalendar(f"第 {number} 条缺少节日名称 name")
    if not isinstance(is_off, bool):
        raise InvalidCalendar(f"第 {number} 条的 isOffDay 应是 true 或 false")
    try:
        day = date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidCalendar(f"第 {number} 条的日期“{written}”不是 2026-01-01 这样的日期")
    return day, name.strip(), is_off


def _day(year: int, written: str) -> date:
    return date(year, int(written[:2]), int(written[2:]))


def _days(first: date, last: date) -> list[date]:
    return [first + number * ONE_DAY for number in range((last - first).days + 1)]
