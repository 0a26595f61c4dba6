"""Texts for spans of time, and the values they stand for.

Five kinds of length are told apart, because they end differently:

* ``P3D``, ``PT24H``, ``P1M`` — an ISO 8601 duration, exact to the microsecond (`Span`);
* ``24h``, ``90m`` — shorthand for such an exact span;
* ``4wh``, ``90wm`` — hours and minutes in which the office is open (`OfficeMinutes`);
* ``7d`` — calendar days, counted as the law counts them: the first day does not count and
  the last one runs to midnight (`CalendarDays`);
* ``5wd`` — working days of a calendar (`WorkingDays`).

A `Cycle` repeats one of them (``R/PT1H``, ``R3/P1W``). Counting is not done here: only
`engine.model.calendar` knows which days count.
"""

from __future__ import annotations

import calendar as month_lengths
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias, TypeVar

from engine.model import cron
from engine.model.clock import LOCAL_ZONE
from engine.model.errors import Rejected
from engine.model.office_time import OfficeMinutes, read_office_minutes

_Moment = TypeVar("_Moment", date, datetime)

MICROSECOND = Decimal("0.000001")
MAXIMUM_LENGTH = 100
MAXIMUM_DAYS = 366 * 1000
"""No process waits a millennium: a longer text is a slip of the pen."""


class InvalidDuration(Rejected, ValueError):
    """时长写法不正确

    ``text`` is what was written, ``position`` (from 0) where it went wrong.
    """

    code = "INVALID_DURATION"
    http_status = 422

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"时长“{text}”第 {position + 1} 个字符处：{reason}")
        self.text = text
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An exact ISO 8601 duration; months, days and seconds never convert into each other."""

    months: int = 0
    days: int = 0
    seconds: int = 0
    microseconds: int = 0

    def __post_init__(self) -> None:
        whole = self.seconds * 1_000_000 + self.microseconds
        sign = -1 if whole < 0 else 1
        seconds, rest = divmod(abs(whole), 1_000_000)
        object.__setattr__(self, "seconds", sign * seconds)
        object.__setattr__(self, "microseconds", sign * rest)

    @property
    def clock_time(self) -> timedelta:
        """The part that is counted in hours, minutes and seconds."""
        return timedelta(seconds=self.seconds, microseconds=self.microseconds)

    @property
    def is_zero(self) -> bool:
        """Whether it leads nowhere."""
        return not (self.months or self.days or self.seconds or self.microseconds)

    def __neg__(self) -> Span:
        return self * -1

    def __mul__(self, times: int) -> Span:
        return Span(
            months=self.months * times,
            days=self.days * times,
            seconds=self.seconds * times,
            microseconds=self.microseconds * times,
        )

    def __str__(self) -> str:
        parts = (self.months, self.days, self.seconds, self.microseconds)
        if any(part < 0 for part in parts) and all(part <= 0 for part in parts):
            return f"-{-self}"
        years, months = _split(self.months, 12)
        minutes, seconds = _split(self.seconds, 60)
        hours, minutes = _split(minutes, 60)
        exact = seconds + Decimal(self.microseconds) * MICROSECOND
        day_part = _written((years, "Y"), (months, "M"), (self.days, "D"))
        time_part = _written((hours, "H"), (minutes, "M"), (exact, "S"))
        if not day_part and not time_part:
            return "PT0S"
        return "P" + day_part + ("T" + time_part if time_part else "")


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """Whole days as the law counts them; the day it starts on is not counted."""

    days: int

    def __str__(self) -> str:
        return f"{self.days}d"


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Working days of a calendar; the day it starts on is not counted."""

    days: int

    def __str__(self) -> str:
        return f"{self.days}wd"


Duration: TypeAlias = Span | CalendarDays | WorkingDays


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A repeating interval; ``repetitions`` None repeats for ever."""

    interval: Duration
    repetitions: int | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __str__(self) -> str:
        count = "" if self.repetitions is None else str(self.repetitions)
        written = [f"R{count}"]
        if self.start is not None:
            written.append(self.start.isoformat())
        written.append(str(self.interval))
        if self.end is not None:
            written.append(self.end.isoformat())
        return "/".join(written)


Due: TypeAlias = Span | CalendarDays | WorkingDays | OfficeMinutes | Cycle | date | datetime


def add_months(moment: _Moment, months: int) -> _Moment:
    """Same day so many months later; a day the month lacks becomes its last (31 Jan → 28 Feb)."""
    index = moment.year * 12 + (moment.month - 1) + months
    year, month = index // 12, index % 12 + 1
    last = month_lengths.monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(moment.day, last))


def add_span(moment: datetime, span: Span) -> datetime:
    """Months first, then days, both on the wall clock of ``moment``; then exact time."""
    shifted = add_months(moment, span.months) + timedelta(days=span.days)
    if not span.clock_time:
        return shifted
    if shifted.tzinfo is None:
        return shifted + span.clock_time
    # Wall-clock addition would skip or repeat an hour in a zone with summer time.
    return (shifted.astimezone(UTC) + span.clock_time).astimezone(shifted.tzinfo)


def parse_duration(text: str) -> Duration:
    """One length of time: ``P3D``, ``-PT1.5S``, ``P1M``, ``5wd``, ``7d``, ``24h``, ``90m``.

    Raises InvalidDuration, naming the text and the place, for anything else.
    """
    text = _stripped(text)
    if text[:1] in ("R", "r"):
        raise InvalidDuration(text, 0, "这里需要一段时长，不能写成重复周期（R…）")
    return _duration(text, text)


def parse_cycle(text: str) -> Cycle:
    """``R/PT1H``, ``R3/P1W``, ``R/<start>/P1D``, ``R/P1D/<end>``, ``R/<start>/<end>``.

    ``R3`` fires three times. The interval must lead forward. Raises InvalidDuration.
    """
    text = _stripped(text)
    head, *rest = text.split("/")
    count = re.fullmatch(r"[Rr](-1|\d*)", head)
    if count is None:
        raise InvalidDuration(text, 0, "重复周期以 R 或 R 加次数开头，例如 R3/P1W")
    if not 1 <= len(rest) <= 2 or not all(rest):
        raise InvalidDuration(text, len(head), "应写成 R次数/间隔，可再加一个起点或终点时间")
    repetitions = int(count[1]) if count[1] not in ("", "-1") else None
    if repetitions == 0:
        raise InvalidDuration(text, 1, "重复次数至少是 1；不限次数请只写 R")
    first_at = len(head) + 1
    if len(rest) == 1:
        cycle = Cycle(repetitions=repetitions, interval=_duration(rest[0], text, first_at))
    else:
        cycle = _bounded_cycle(repetitions, rest[0], rest[1], text, first_at)
    if not _leads_forward(cycle.interval):
        raise InvalidDuration(text, first_at, "重复间隔必须大于零")
    return cycle


@lru_cache(maxsize=1024)
def parse_due(text: str) -> Due:
    """A length, a cycle, an ISO date (``2026-01-20``) or an ISO date and time.

    A date and time without zone is read in Asia/Shanghai. Raises InvalidDuration.
    """
    text = _stripped(text)
    if text[0] in "Rr":
        return parse_cycle(text)
    if _DATE.fullmatch(text):
        return _read(date.fromisoformat, text, text, 0)
    if _DATETIME.fullmatch(text):
        return _moment(text, text, 0)
    return read_office_minutes(text) or _duration(text, text)


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_SHORTHAND = re.compile(r"([+-]?[0-9]+)(wd|d|h|m|s)")
_COMPONENT = re.compile(r"([+-]?)([0-9]+)(?:[.,]([0-9]+))?([A-Za-z])")
_SECONDS = {"H": 3600, "M": 60, "S": 1}


def _stripped(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise InvalidDuration(stripped, 0, "没有填写时长")
    if len(stripped) > MAXIMUM_LENGTH:
        raise InvalidDuration(stripped[:20] + "…", MAXIMUM_LENGTH, "时长文字过长")
    return stripped


def _duration(part: str, text: str, offset: int = 0) -> Duration:
    shorthand = _SHORTHAND.fullmatch(part)
    if shorthand is not None:
        return _bounded(_from_shorthand(int(shorthand[1]), shorthand[2]), text, offset)
    body = part[1:] if part[:1] in ("+", "-") else part
    if body[:1] not in ("P", "p"):
        raise InvalidDuration(text, offset, _advice(part))
    span = _iso_span(body, text, offset + len(part) - len(body))
    return _bounded(-span if part[0] == "-" else span, text, offset)


def _from_shorthand(number: int, unit: str) -> Duration:
    if unit == "wd":
        return WorkingDays(number)
    if unit == "d":
        return CalendarDays(number)
    return Span(seconds=number * _SECONDS[unit.upper()])


def _bounded(duration: Duration, text: str, offset: int) -> Duration:
    days = abs(duration.days)
    if isinstance(duration, Span):
        days += abs(duration.months) * 31 + abs(duration.seconds) // 86400
    if days > MAXIMUM_DAYS:
        raise InvalidDuration(text, offset, "时长超过一千年")
    return duration


def _iso_span(body: str, text: str, offset: int) -> Span:
    """The text from its P on. A fraction may stand in the last component only."""
    units, position, in_time, total = "YMWD", 1, False, Span()
    fraction_at: int | None = None
    while position < len(body):
        if body[position] in "Tt":
            if in_time or position + 1 == len(body):
                raise InvalidDuration(
                    text, offset + position, "T 之后应写时（H）、分（M）、秒（S）"
                )
            units, position, in_time = "HMS", position + 1, True
        found = _COMPONENT.match(body, position)
        if found is None:
            raise InvalidDuration(text, offset + position, "这里应是数字加单位，例如 P3D、PT24H")
        if fraction_at is not None:
            raise InvalidDuration(text, offset + fraction_at, "小数只能写在最后一个单位上")
        place = units.find(found[4].upper())
        if place < 0:
            raise InvalidDuration(text, offset + found.start(4), _misplaced(found[4], in_time))
        units, position = units[place + 1 :], found.end()
        if found[3]:
            fraction_at = found.start(2)
        total = _sum(total, _component(found, in_time, text, offset))
    if position == 1:
        raise InvalidDuration(text, offset, "P 之后没有写时长，例如 P3D")
    return total


def _component(found: re.Match[str], in_time: bool, text: str, offset: int) -> Span:
    number = Decimal(f"{found[1]}{found[2]}.{found[3] or 0}")
    unit = found[4].upper()
    if in_time:
        return _exact(number * _SECONDS[unit], text, offset + found.start())
    if unit in ("Y", "M"):
        months = number * (12 if unit == "Y" else 1)
        if months != int(months):
            raise InvalidDuration(text, offset + found.start(), "不满一个月的部分请改用天数书写")
        return Span(months=int(months))
    days = number * (7 if unit == "W" else 1)
    rest = _exact((days - int(days)) * 86400, text, offset + found.start())
    return _sum(Span(days=int(days)), rest)


def _exact(seconds: Decimal, text: str, position: int) -> Span:
    microseconds = seconds / MICROSECOND
    if microseconds != int(microseconds):
        raise InvalidDuration(text, position, "最小精度是百万分之一秒")
    return Span(microseconds=int(microseconds))


def _sum(one: Span, other: Span) -> Span:
    return Span(
        months=one.months + other.months,
        days=one.days + other.days,
        seconds=one.seconds + other.seconds,
        microseconds=one.microseconds + other.microseconds,
    )


def _misplaced(unit: str, in_time: bool) -> str:
    if not in_time and unit.upper() in _SECONDS and unit.upper() != "M":
        return f"时间单位 {unit} 要写在 T 之后，例如 PT24H"
    return f"单位 {unit} 不认识、重复或顺序不对（年Y 月M 周W 日D，T 之后 时H 分M 秒S）"


def _bounded_cycle(count: int | None, first: str, second: str, text: str, offset: int) -> Cycle:
    second_at = offset + len(first) + 1
    if not _DATETIME.fullmatch(first):
        interval = _duration(first, text, offset)
        return Cycle(repetitions=count, interval=interval, end=_moment(second, text, second_at))
    start = _moment(first, text, offset)
    if not _DATETIME.fullmatch(second):
        return Cycle(repetitions=count, start=start, interval=_duration(second, text, second_at))
    gap = _moment(second, text, second_at) - start
    seconds = gap.days * 86400 + gap.seconds
    return Cycle(
        repetitions=count,
        start=start,
        interval=Span(seconds=seconds, microseconds=gap.microseconds),
    )


def _leads_forward(interval: Duration) -> bool:
    if not isinstance(interval, Span):
        return interval.days > 0
    parts = (interval.months, interval.days, interval.seconds, interval.microseconds)
    return not interval.is_zero and all(part >= 0 for part in parts)


def _moment(part: str, text: str, offset: int) -> datetime:
    if not _DATETIME.fullmatch(part):
        raise InvalidDuration(text, offset, "这里应是日期时间，例如 2026-01-05T09:00:00+08:00")
    moment = _read(datetime.fromisoformat, part, text, offset)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LOCAL_ZONE)


def _read(reader: Callable[[str], _Moment], part: str, text: str, offset: int) -> _Moment:
    try:
        return reader(part)
    except ValueError as error:
        raise InvalidDuration(text, offset, "没有这一天或这个时刻") from error


def _split(number: int, by: int) -> tuple[int, int]:
    """Quotient and rest, both with the sign of the number."""
    quotient, rest = divmod(abs(number), by)
    return (quotient, rest) if number >= 0 else (-quotient, -rest)


def _written(*components: tuple[int | Decimal, str]) -> str:
    return "".join(f"{_plain(number)}{unit}" for number, unit in components if number)


def _plain(number: int | Decimal) -> str:
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _advice(part: str) -> str:
    instead = cron.iso_instead_of(part)
    if instead is not None:
        return f"不支持 cron 写法，请用 ISO 8601 重复周期，例如 {instead}"
    return "不认识的写法；可写 P3D、PT24H、P1M、7d、24h、90m 或 5wd（5 个工作日）"
