"""Moments and durations that Python's own types cannot hold.

FEEL knows years up to nine digits and fractions of a second down to nanoseconds
(DMN 1.5 §10.3.2.3.4 ff.). A value is wide only if it does not fit into the Python type, so that
the ordinary case stays ordinary Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo


@dataclass(frozen=True, slots=True)
class WideDate:
    """A date with a year outside 1…9999."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class WideTime:
    """A time of day with nanoseconds."""

    hour: int
    minute: int
    second: int
    nano: int
    tzinfo: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class WideDateTime:
    """A date and time with a year outside 1…9999 or with nanoseconds."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nano: int
    tzinfo: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class WideDuration:
    """A days-and-time duration with nanoseconds or beyond timedelta's range."""

    nanos: int
