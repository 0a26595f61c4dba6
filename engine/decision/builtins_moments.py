"""Functions of dates, times and durations (DMN 1.5 §10.3.4.1, §10.3.4.7, §10.3.4.8)."""

from __future__ import annotations

import re
from datetime import UTC, time, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from engine.decision.arguments import (
    DATE_TIMES,
    DATES,
    DURATIONS,
    TIMES,
    builtin,
    day,
    number,
    single,
    whole,
)
from engine.decision.errors import Fault
from engine.decision.runtime import Place, Runtime
from engine.decision.temporal import (
    NANOS_PER_SECOND,
    date_of,
    duration_nanos,
    epoch_days,
    in_cycle,
    in_zone,
    make_date,
    make_datetime,
    make_time,
    months_between,
    time_of,
)
from engine.decision.temporal_text import (
    read_date,
    read_date_time,
    read_duration,
    read_time,
    read_zone,
    zone_of,
)
from engine.decision.values import YearMonthDuration, kind_of

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)
_NO_MOMENT = "没有给出当前时刻（at=）"
_UTC_MIDNIGHT = time(0, 0, tzinfo=UTC)


@builtin("date", "from", "year, month, day")
def to_date(first: Any, *rest: Any) -> Any:
    """Read a date, take that of a date and time, or build one of three numbers."""
    if rest:
        if len(rest) == 1:
            raise Fault("要年、月、日三个数")
        return make_date(whole(first), whole(rest[0]), whole(rest[1]))
    value = single(first)
    if type(value) is str:
        return read_date(value)
    if type(value) in DATE_TIMES:
        return date_of(value)
    if type(value) in DATES:
        return value
    raise Fault(f"要 string 或 date，却是 {kind_of(first)}")


@builtin("time", "from", "hour, minute, second, offset")
def to_time(first: Any, *rest: Any) -> Any:
    """Read a time, take that of a date and time, or build one of its parts."""
    if rest:
        if len(rest) == 1:
            raise Fault("要时、分、秒三个数")
        return _time_of_parts(first, *rest)
    value = single(first)
    if type(value) is str:
        return read_time(value)
    if type(value) in DATE_TIMES:
        return time_of(value)
    if type(value) in DATES:
        return _UTC_MIDNIGHT
    if type(value) in TIMES:
        return value
    raise Fault(f"要 string 或 time，却是 {kind_of(first)}")


def _time_of_parts(hour: Any, minute: Any, second: Any, offset: Any = None) -> Any:
    seconds = number(second)
    full = int(seconds.to_integral_value(ROUND_FLOOR))
    nano = int((seconds - full) * NANOS_PER_SECOND)
    zone = None
    if offset is not None:
        value = single(offset)
        if type(value) not in DURATIONS:
            raise Fault('时区偏移要是时长，例如 duration("PT8H")')
        zone = zone_of(timedelta(seconds=duration_nanos(value) // NANOS_PER_SECOND))
    return make_time(whole(hour), whole(minute), full, nano, zone)


@builtin("date and time", "from", "date, time", "date, timezone")
def to_date_time(first: Any, *second: Any) -> Any:
    """Read a date and time, join a date with a time, or move one to a time zone."""
    value = single(first)
    if second:
        moment = single(second[0])
        if type(moment) is str and type(value) in DATE_TIMES:
            return in_zone(value, _zone(moment))
        if type(moment) not in TIMES:
            raise Fault(f"要 time，却是 {kind_of(moment)}")
        return make_datetime(day(value), moment)
    if type(value) is str:
        return read_date_time(value)
    if type(value) in DATE_TIMES:
        return value
    if type(value) in DATES:
        return make_datetime(value, _UTC_MIDNIGHT)
    raise Fault(f"要 string 或 date and time，却是 {kind_of(first)}")


def _zone(text: str) -> tzinfo | None:
    return read_zone(text if _OFFSET.fullmatch(text) else f"@{text}")


@builtin("duration", "from")
def to_duration(value: Any) -> Any:
    """Read a duration of either kind."""
    found = single(value)
    if type(found) in DURATIONS or isinstance(found, YearMonthDuration):
        return found
    if type(found) is not str:
        raise Fault(f"要 string，却是 {kind_of(value)}")
    return read_duration(found)


@builtin("years and months duration", "from, to")
def years_and_months(start: Any, end: Any) -> YearMonthDuration:
    """Count the whole months between two moments."""
    return months_between(day(start), day(end))


@builtin("now", "", wants_runtime=True)
def now(runtime: Runtime, _: Place) -> Any:
    """Give the moment of the evaluation, which the caller supplies."""
    if runtime.at is None:
        raise Fault(_NO_MOMENT)
    return runtime.at


@builtin("today", "", wants_runtime=True)
def today(runtime: Runtime, _: Place) -> Any:
    """Give the day of the evaluation, in the zone of the moment the caller supplies."""
    if runtime.at is None:
        raise Fault(_NO_MOMENT)
    return date_of(runtime.at)


@builtin("day of year", "date")
def day_of_year(value: Any) -> Decimal:
    """Number the day within its year."""
    found = day(value)
    return Decimal(epoch_days(found) - epoch_days(make_date(found.year, 1, 1)) + 1)


@builtin("day of week", "date")
def day_of_week(value: Any) -> str:
    """Name the day of the week, in English."""
    return _DAYS[in_cycle(day(value)).weekday()]


@builtin("month of year", "date")
def month_of_year(value: Any) -> str:
    """Name the month, in English."""
    return _MONTHS[day(value).month - 1]


@builtin("week of year", "date")
def week_of_year(value: Any) -> Decimal:
    """Number the week as ISO 8601 does."""
    return Decimal(in_cycle(day(value)).isocalendar().week)
