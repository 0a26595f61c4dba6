"""The values of FEEL that Python does not have, and the names of all kinds of value.

Numbers are Decimal, texts str, truth bool, null None, lists list, contexts dict, moments date,
time and datetime, days-and-time durations timedelta; what does not fit into those (years beyond
9999, nanoseconds) is a wide value of `temporal`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    Inexact,
    Rounded,
    Subnormal,
    Underflow,
)
from functools import total_ordering
from typing import Any

from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

# DMN 1.5 §10.3.2.3.1: numbers are IEEE 754-2008 decimal128.
NUMBERS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, capitals=1, clamp=0)
for _quiet in (Inexact, Rounded, Subnormal, Underflow, Clamped):
    NUMBERS.traps[_quiet] = False


@total_ordering
@dataclass(frozen=True, slots=True)
class YearMonthDuration:
    """A years-and-months duration; `total_months` may be negative."""

    total_months: int

    @classmethod
    def of(cls, *, years: int = 0, months: int = 0) -> YearMonthDuration:
        """Build it from years and months that are added up."""
        return cls(years * 12 + months)

    @property
    def years(self) -> int:
        """Whole years, with the sign of the duration."""
        return abs(self.total_months) // 12 * (1 if self.total_months >= 0 else -1)

    @property
    def months(self) -> int:
        """Months beyond the whole years, with the sign of the duration."""
        return abs(self.total_months) % 12 * (1 if self.total_months >= 0 else -1)

    def __lt__(self, other: YearMonthDuration) -> bool:
        return self.total_months < other.total_months

    def __str__(self) -> str:
        years, months = divmod(abs(self.total_months), 12)
        sign = "-" if self.total_months < 0 else ""
        written = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{sign}P{written}"


@dataclass(frozen=True, slots=True)
class Range:
    """A range of comparable values; an end that is None is open to infinity."""

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameter:
    """A formal parameter: its name and the type an argument is coerced to (None: any)."""

    name: str
    type: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeelFunction:
    """A function made by a model: its parameters and the compiled body."""

    parameters: tuple[Parameter, ...]
    body: Callable[..., Any]
    result: Any = None
    name: str = "function"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Builtin:
    """A built-in function with the ways its arguments may be named."""

    name: str
    run: Callable[..., Any]
    signatures: tuple[tuple[str, ...], ...]
    required: int
    variadic: bool = False
    wants_runtime: bool = False


NATIVE_SCALARS = frozenset(
    {Decimal, str, bool, type(None), date, time, datetime, timedelta, YearMonthDuration}
    | {WideDate, WideTime, WideDateTime, WideDuration, Range, FeelFunction, Builtin}
)

KIND_NAMES: dict[type, str] = {
    Decimal: "number",
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    date: "date",
    WideDate: "date",
    time: "time",
    WideTime: "time",
    datetime: "date and time",
    WideDateTime: "date and time",
    timedelta: "days and time duration",
    WideDuration: "days and time duration",
    YearMonthDuration: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    FeelFunction: "function",
    Builtin: "function",
    type(None): "Null",
}


def kind_of(value: object) -> str:
    """Name the FEEL type of a value; "unknown" for what FEEL has no word for."""
    return KIND_NAMES.get(type(value), "unknown")
