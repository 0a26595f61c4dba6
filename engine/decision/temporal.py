"""Arithmetic of moments and durations, native and wide alike.

Native and wide values share the names of their fields, so everything here works on fields and
ends in a `make_…` that picks the native type whenever the value fits into it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TypeAlias, TypeVar

from engine.decision.errors import Fault
from engine.decision.values import YearMonthDuration
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

AnyDate: TypeAlias = date | WideDate
AnyTime: TypeAlias = time | WideTime
AnyDateTime: TypeAlias = datetime | WideDateTime
AnyDuration: TypeAlias = timedelta | WideDuration
_Moment = TypeVar("_Moment", bound=AnyDate | AnyDateTime)

DATES = (date, WideDate)
TIMES = (time, WideTime)
DATE_TIMES = (datetime, WideDateTime)
DURATIONS = (timedelta, WideDuration)

NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_DAY = 86_400 * NANOS_PER_SECOND
MAX_YEAR = 999_999_999
_UNIX_EPOCH_ORDINAL = 719_163
_CYCLE_YEARS = 400
_MAX_NATIVE_NANOS = 999_999_999 * NANOS_PER_DAY
# Twice the way from the first year FEEL knows to the last.
_MAX_NANOS = 4 * MAX_YEAR * 366 * NANOS_PER_DAY
MAX_MONTHS = 4 * MAX_YEAR * 12
_SOME_DAY = date(2000, 1, 1)


def is_leap(year: int) -> bool:
    """Tell whether the proleptic Gregorian year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Count the days of a month."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def make_date(year: int, month: int, day: int) -> AnyDate:
    """Build a date; Raises Fault where there is no such day."""
    if abs(year) > MAX_YEAR or not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        raise Fault(f"没有 {year}-{month}-{day} 这一天")
    return date(year, month, day) if 1 <= year <= 9999 else WideDate(year, month, day)


def make_time(hour: int, minute: int, second: int, nano: int, zone: tzinfo | None) -> AnyTime:
    """Build a time of day; Raises Fault where there is no such time."""
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise Fault(f"没有 {hour}:{minute}:{second} 这一时刻")
    if nano % 1000:
        return WideTime(hour, minute, second, nano, zone)
    return time(hour, minute, second, nano // 1000, tzinfo=zone)


def make_datetime(day: AnyDate | AnyDateTime, moment: AnyTime | AnyDateTime) -> AnyDateTime:
    """Join the day of the one with the time and zone of the other."""
    nano = nanos_of(moment)
    parts = (day.year, day.month, day.day, moment.hour, moment.minute, moment.second)
    if nano % 1000 or not 1 <= day.year <= 9999:
        return WideDateTime(*parts, nano, moment.tzinfo)
    return datetime(*parts, nano // 1000, tzinfo=moment.tzinfo)


def make_duration(nanos: int) -> AnyDuration:
    """Build a days-and-time duration from nanoseconds. Raises Fault beyond all reason."""
    if abs(nanos) > _MAX_NANOS:
        raise Fault("时长超出范围")
    if nanos % 1000 or not -_MAX_NATIVE_NANOS <= nanos < _MAX_NATIVE_NANOS + NANOS_PER_DAY:
        return WideDuration(nanos)
    return timedelta(microseconds=nanos // 1000)


def date_of(moment: AnyDate | AnyDateTime) -> AnyDate:
    """Take the date of a date and time."""
    return make_date(moment.year, moment.month, moment.day)


def time_of(moment: AnyDateTime) -> AnyTime:
    """Take the time and zone of a date and time."""
    return make_time(moment.hour, moment.minute, moment.second, nanos_of(moment), moment.tzinfo)


def nanos_of(moment: AnyTime | AnyDateTime) -> int:
    """Count the nanoseconds within the second."""
    if isinstance(moment, (WideTime, WideDateTime)):
        return moment.nano
    return moment.microsecond * 1000


def duration_nanos(duration: AnyDuration) -> int:
    """Measure a days-and-time duration in nanoseconds."""
    if isinstance(duration, WideDuration):
        return duration.nanos
    whole = duration.days * 86_400 + duration.seconds
    return whole * NANOS_PER_SECOND + duration.microseconds * 1000


def epoch_days(day: AnyDate | AnyDateTime) -> int:
    """Number the days from 1970-01-01."""
    if isinstance(day, date):
        return day.toordinal() - _UNIX_EPOCH_ORDINAL
    cycles, year = divmod(day.year, _CYCLE_YEARS)
    within = date(year + 2000, day.month, day.day).toordinal() - _UNIX_EPOCH_ORDINAL
    return within + (cycles - 5) * 146_097


def date_from_epoch_days(days: int) -> AnyDate:
    """Find the date with this number."""
    cycles, within = divmod(days - 10_957, 146_097)
    found = date.fromordinal(within + 10_957 + _UNIX_EPOCH_ORDINAL)
    return make_date(found.year + cycles * _CYCLE_YEARS, found.month, found.day)


def day_nanos(moment: AnyTime | AnyDateTime) -> int:
    """Measure the wall-clock time of day in nanoseconds."""
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return seconds * NANOS_PER_SECOND + nanos_of(moment)


def offset_of(moment: AnyTime | AnyDateTime) -> timedelta | None:
    """Tell the offset from UTC, or None where the moment has no zone.

    A region's offset changes over the year; a time of day alone takes that of 1 January 2000.
    """
    zone = moment.tzinfo
    if zone is None:
        return None
    if isinstance(zone, timezone):
        return zone.utcoffset(None)
    if isinstance(moment, datetime):
        return moment.utcoffset()
    day = in_cycle(moment) if isinstance(moment, WideDateTime) else _SOME_DAY
    wall = time(moment.hour, moment.minute, moment.second)
    return datetime.combine(day, wall, tzinfo=zone).utcoffset()


def instant(moment: AnyTime | AnyDateTime) -> int:
    """Place a moment on the time line, in nanoseconds; without a zone, as if in UTC."""
    nanos = day_nanos(moment)
    if isinstance(moment, DATE_TIMES):
        nanos += epoch_days(moment) * NANOS_PER_DAY
    offset = offset_of(moment)
    return nanos if offset is None else nanos - duration_nanos(offset)


def comparable(left: AnyTime | AnyDateTime, right: AnyTime | AnyDateTime) -> bool:
    """Tell whether both have a zone or neither has one."""
    return (left.tzinfo is None) == (right.tzinfo is None)


def _wall(nanos: int, zone: tzinfo | None) -> AnyDateTime:
    days, rest = divmod(nanos, NANOS_PER_DAY)
    return make_datetime(date_from_epoch_days(days), _clock(rest, zone))


def _clock(nanos: int, zone: tzinfo | None) -> AnyTime:
    seconds, nano = divmod(nanos, NANOS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    return make_time(minutes // 60, minutes % 60, second, nano, zone)


def shift(moment: AnyDate | AnyTime | AnyDateTime, nanos: int) -> AnyDate | AnyTime | AnyDateTime:
    """Add a days-and-time duration (DMN 1.5 Table 58).

    A date moves as its midnight does and stays a date; a time goes round the clock; a date and
    time moves along the time line and keeps its zone.
    """
    if isinstance(moment, (time, WideTime)):
        return _clock((day_nanos(moment) + nanos) % NANOS_PER_DAY, moment.tzinfo)
    if isinstance(moment, (datetime, WideDateTime)):
        zone = moment.tzinfo
        if zone is None or isinstance(zone, timezone):
            wall = epoch_days(moment) * NANOS_PER_DAY + day_nanos(moment)
            return _wall(wall + nanos, zone)
        return _in_region(instant(moment) + nanos, zone)
    return date_from_epoch_days((epoch_days(moment) * NANOS_PER_DAY + nanos) // NANOS_PER_DAY)


def _in_region(nanos: int, zone: tzinfo) -> AnyDateTime:
    wall = _wall(nanos, UTC)
    # Regions repeat their rules for ever, so the same place of the 400-year cycle serves.
    utc = datetime.combine(in_cycle(wall), time(wall.hour, wall.minute, wall.second), tzinfo=UTC)
    offset = utc.astimezone(zone).utcoffset() or timedelta()
    return _wall(nanos + duration_nanos(offset), zone)


def in_zone(moment: AnyDateTime, zone: tzinfo | None) -> AnyDateTime:
    """Tell the same instant as the clocks of a zone do; without a zone, just give it this one."""
    if zone is None or moment.tzinfo is None:
        return _wall(epoch_days(moment) * NANOS_PER_DAY + day_nanos(moment), zone)
    return _in_region(instant(moment), zone)


def shift_months(moment: _Moment, months: int) -> _Moment:
    """Add a years-and-months duration; a day that the month does not have becomes its last."""
    total = moment.year * 12 + moment.month - 1 + months
    year, month = total // 12, total % 12 + 1
    if abs(year) > MAX_YEAR:
        raise Fault("年份超出范围")
    day = make_date(year, month, min(moment.day, days_in_month(year, month)))
    if isinstance(moment, DATE_TIMES):
        return make_datetime(day, moment)  # type: ignore[return-value]  # same family in and out
    return day  # type: ignore[return-value]  # same family in and out


def months_between(start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime) -> YearMonthDuration:
    """Count the whole months from one day to the other (`years and months duration`).

    The times of day do not count (DMN 1.5 Table 70 works on dates).
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearMonthDuration(months)


def as_date_time(day: AnyDate) -> AnyDateTime:
    """Read a date as the date and time of its midnight in UTC (DMN 1.5 §10.3.2.9.4)."""
    return make_datetime(day, time(0, 0, tzinfo=UTC))


def in_cycle(day: AnyDate | AnyDateTime) -> date:
    """Find the native date with the same place in the 400-year cycle (weekdays, weeks)."""
    if 2 <= day.year <= 9998:
        return date(day.year, day.month, day.day)
    # Before the first year the regions keep the local mean time of long ago; one year of margin
    # on both sides lets Python compute with offsets.
    cycle = 1200 if day.year < 2 else 2000
    return date(cycle + day.year % _CYCLE_YEARS, day.month, day.day)
