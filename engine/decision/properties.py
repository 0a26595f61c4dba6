"""The properties of moments, durations and ranges that `.name` reads (DMN 1.5 Table 65)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.decision.errors import Fault
from engine.decision.temporal import (
    NANOS_PER_SECOND,
    duration_nanos,
    in_cycle,
    offset_of,
)
from engine.decision.values import Range, YearMonthDuration, kind_of
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

_DATE = ("year", "month", "day", "weekday")
_TIME = ("hour", "minute", "second", "time offset", "timezone")


def property_of(value: Any, name: str) -> Any:
    """Read a property. Raises Fault where the value has none of this name."""
    if isinstance(value, (date, WideDate, WideDateTime)) and name in _DATE:
        return Decimal(in_cycle(value).isoweekday() if name == "weekday" else _field(value, name))
    if isinstance(value, (time, datetime, WideTime, WideDateTime)) and name in _TIME:
        if name == "time offset":
            return offset_of(value)
        return _zone_name(value.tzinfo) if name == "timezone" else Decimal(_field(value, name))
    if isinstance(value, (timedelta, WideDuration)):
        return _day_time(value, name)
    if isinstance(value, YearMonthDuration) and name in ("years", "months"):
        return Decimal(value.years if name == "years" else value.months)
    if isinstance(value, Range):
        return _range(value, name)
    raise _missing(value, name)


def _field(value: Any, name: str) -> int:
    # The names come from the tuples above, never from a text.
    return int(getattr(value, name))


def _missing(value: Any, name: str) -> Fault:
    return Fault(f"{kind_of(value)} 没有“{name}”这一项")


def _zone_name(zone: tzinfo | None) -> str | None:
    """Name a region; a mere offset is no time zone."""
    return zone.key if isinstance(zone, ZoneInfo) else None


def _day_time(value: timedelta | WideDuration, name: str) -> Decimal:
    nanos = duration_nanos(value)
    seconds = abs(nanos) // NANOS_PER_SECOND
    parts = {
        "days": seconds // 86_400,
        "hours": seconds // 3_600 % 24,
        "minutes": seconds // 60 % 60,
        "seconds": seconds % 60,
    }
    if name not in parts:
        raise _missing(value, name)
    return Decimal(-parts[name] if nanos < 0 else parts[name])


def _range(value: Range, name: str) -> Any:
    parts = {
        "start": value.low,
        "end": value.high,
        "start included": value.low_closed,
        "end included": value.high_closed,
    }
    if name not in parts:
        raise _missing(value, name)
    return parts[name]
