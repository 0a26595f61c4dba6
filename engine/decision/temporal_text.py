"""Moments and durations as text: ISO 8601 with FEEL's `@zone` (DMN 1.5 §10.3.4.1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from engine.decision.errors import Fault
from engine.decision.temporal import (
    NANOS_PER_DAY,
    NANOS_PER_SECOND,
    AnyDate,
    AnyDateTime,
    AnyDuration,
    AnyTime,
    duration_nanos,
    make_date,
    make_datetime,
    make_duration,
    make_time,
    nanos_of,
    offset_of,
)
from engine.decision.values import YearMonthDuration
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

_DATE = r"(?P<year>-?(?:[1-9]\d{4,8}|\d{4}))-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = (
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,30}))?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z][A-Za-z0-9_+\-/]{0,60})?"
)
_DATE_PATTERN = re.compile(_DATE, re.ASCII)
_TIME_PATTERN = re.compile(_TIME, re.ASCII)
_DATE_TIME_PATTERN = re.compile(_DATE + "T" + _TIME, re.ASCII)
_DAY_TIME = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,18})D)?(?P<clock>T(?:(?P<hours>\d{1,18})H)?"
    r"(?:(?P<minutes>\d{1,18})M)?(?:(?P<seconds>\d{1,18})(?:\.(?P<fraction>\d{1,30}))?S)?)?",
    re.ASCII,
)
_YEAR_MONTH = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d{1,18})Y)?(?:(?P<months>\d{1,18})M)?", re.ASCII
)
# Java's and XML Schema's engines alike refuse more; DMN is silent.
_MAX_OFFSET_HOURS = 18


def read_date(text: str) -> AnyDate:
    """Read `2017-12-31`. Raises Fault."""
    match = _DATE_PATTERN.fullmatch(text)
    if match is None:
        raise Fault(f"“{_shown(text)}”不是日期，应写成 2026-01-31 的样子")
    return _date_from(match)


def read_time(text: str) -> AnyTime:
    """Read `12:30:00`, with a fraction, an offset or a zone. Raises Fault."""
    match = _TIME_PATTERN.fullmatch(text.removeprefix("T"))
    if match is None:
        raise Fault(f"“{_shown(text)}”不是时间，应写成 08:30:00 的样子")
    return _time_from(match)


def read_date_time(text: str) -> AnyDateTime:
    """Read `2017-12-31T12:30:00…`; a date alone means its midnight. Raises Fault."""
    if _DATE_PATTERN.fullmatch(text):
        return make_datetime(read_date(text), time())
    match = _DATE_TIME_PATTERN.fullmatch(text)
    if match is None:
        raise Fault(f"“{_shown(text)}”不是日期时间，应写成 2026-01-31T08:30:00 的样子")
    return make_datetime(_date_from(match), _time_from(match))


def read_duration(text: str) -> AnyDuration | YearMonthDuration:
    """Read `P1DT2H` or `P1Y2M`. Raises Fault."""
    match = _YEAR_MONTH.fullmatch(text)
    if match and (match["years"] or match["months"]):
        months = int(match["years"] or 0) * 12 + int(match["months"] or 0)
        return YearMonthDuration(-months if match["sign"] else months)
    match = _DAY_TIME.fullmatch(text)
    if match is None or match["clock"] == "T" or not (match["days"] or match["clock"]):
        raise Fault(f"“{_shown(text)}”不是时长，应写成 P3D、PT2H 或 P1Y6M 的样子")
    seconds = (
        (int(match["days"] or 0) * 24 + int(match["hours"] or 0)) * 60 + int(match["minutes"] or 0)
    ) * 60 + int(match["seconds"] or 0)
    nanos = seconds * NANOS_PER_SECOND + _nanos(match["fraction"])
    return make_duration(-nanos if match["sign"] else nanos)


def read_moment(text: str) -> Any:
    """Read the text of an at-literal: whichever of the temporal types it is. Raises Fault."""
    if text.lstrip("-").startswith("P"):
        return read_duration(text)
    if _DATE_PATTERN.fullmatch(text):
        return read_date(text)
    if _DATE_TIME_PATTERN.fullmatch(text):
        return read_date_time(text)
    return read_time(text)


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _nanos(fraction: str | None) -> int:
    return int(fraction[:9].ljust(9, "0")) if fraction else 0


def _date_from(match: re.Match[str]) -> AnyDate:
    return make_date(int(match["year"]), int(match["month"]), int(match["day"]))


def _time_from(match: re.Match[str]) -> AnyTime:
    return make_time(
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"]),
        _nanos(match["fraction"]),
        read_zone(match["zone"]),
    )


def read_zone(text: str | None) -> tzinfo | None:
    """Read `Z`, `+08:00` or `@Asia/Shanghai`. Raises Fault for an unknown zone."""
    if not text:
        return None
    if text in ("Z", "z"):
        return UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except (KeyError, ValueError, OSError):
            raise Fault(f"没有“{text[1:]}”这个时区") from None
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if minutes > 59 or (seconds and seconds[0] > 59):
        raise Fault(f"时区偏移“{text}”不对")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)
    return zone_of(-offset if text[0] == "-" else offset)


def zone_of(offset: timedelta) -> tzinfo:
    """Make a zone of a fixed offset. Raises Fault beyond 18 hours."""
    if abs(offset) > timedelta(hours=_MAX_OFFSET_HOURS):
        raise Fault("时区偏移超过 18 小时")
    return UTC if not offset else timezone(offset)


def write_date(day: AnyDate | AnyDateTime) -> str:
    """Write `2017-12-31`."""
    sign = "-" if day.year < 0 else ""
    return f"{sign}{abs(day.year):04d}-{day.month:02d}-{day.day:02d}"


def write_time(moment: AnyTime | AnyDateTime) -> str:
    """Write `12:30:00.5+08:00`."""
    nano = nanos_of(moment)
    fraction = f".{nano:09d}".rstrip("0") if nano else ""
    clock = f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}{fraction}"
    return clock + _written_zone(moment)


def _written_zone(moment: AnyTime | AnyDateTime) -> str:
    """Write a zone the way `read_zone` reads it; of a foreign kind of zone, its offset."""
    if isinstance(moment.tzinfo, ZoneInfo) and moment.tzinfo.key:
        return f"@{moment.tzinfo.key}"
    offset = offset_of(moment)
    if offset is None:
        return ""
    seconds = duration_nanos(offset) // NANOS_PER_SECOND
    if not seconds:
        return "Z"
    minutes, second = divmod(abs(seconds), 60)
    tail = f":{second:02d}" if second else ""
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}{tail}"


def write_date_time(moment: AnyDateTime) -> str:
    """Write `2017-12-31T12:30:00…`."""
    return f"{write_date(moment)}T{write_time(moment)}"


def write_duration(duration: AnyDuration) -> str:
    """Write `P1DT2H3M4.5S`; nothing at all is `PT0S`."""
    nanos = duration_nanos(duration)
    days, rest = divmod(abs(nanos), NANOS_PER_DAY)
    seconds, nano = divmod(rest, NANOS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    fraction = f".{nano:09d}".rstrip("0") if nano else ""
    clock = (
        (f"{hours}H" if hours else "")
        + (f"{minute}M" if minute else "")
        + (f"{second}{fraction}S" if second or nano else "")
    )
    if not days and not clock:
        return "PT0S"
    sign = "-" if nanos < 0 else ""
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def write_moment(value: object) -> str | None:
    """Write any temporal value, or None if it is not one."""
    if isinstance(value, (datetime, WideDateTime)):
        return write_date_time(value)
    if isinstance(value, (date, WideDate)):
        return write_date(value)
    if isinstance(value, (time, WideTime)):
        return write_time(value)
    if isinstance(value, (timedelta, WideDuration)):
        return write_duration(value)
    return str(value) if isinstance(value, YearMonthDuration) else None
