"""Lengths that need more than a count of days: office time, and counts from another event.

``4wh`` is four hours in which the office is open, ``90wm`` ninety such minutes; the hours are the
calendar's. ``10wd after survey`` counts ten working days from the last time the step ``survey``
was done in the same case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DAY = 86_400
Hours = tuple[tuple[int, int], ...]
"""Spans of one day, in seconds since midnight, rising and apart."""

DEFAULT_HOURS: Hours = ((9 * 3600, 12 * 3600), (13 * 3600 + 1800, 17 * 3600 + 1800))
MOST_MINUTES = 60 * 24 * 366

_OFFICE = re.compile(r"([0-9]{1,6})w([hm])")
_AFTER = re.compile(r"(.+?)\s+after\s+([A-Za-z_][\w.-]*)")


class NoHours(ValueError):
    """The text names no span of a day."""


@dataclass(frozen=True, slots=True)
class OfficeMinutes:
    """Minutes during which the office is open; the minute it starts in counts."""

    minutes: int

    def __str__(self) -> str:
        hours, rest = divmod(self.minutes, 60)
        return f"{self.minutes}wm" if rest else f"{hours}wh"


def read_office_minutes(text: str) -> OfficeMinutes | None:
    """`4wh` or `90wm`; None for every other text, and for more than a year."""
    found = _OFFICE.fullmatch(text)
    if found is None:
        return None
    minutes = int(found[1]) * (60 if found[2] == "h" else 1)
    return OfficeMinutes(minutes) if minutes <= MOST_MINUTES else None


@dataclass(frozen=True, slots=True)
class RelativeDue:
    """A length counted from the last time another step of the same case was done."""

    length: str
    after: str

    def __str__(self) -> str:
        return f"{self.length} after {self.after}"


def read_relative(text: str) -> RelativeDue | None:
    """`10wd after survey`; None for a text that names no other step. The length is not read."""
    found = _AFTER.fullmatch(text)
    return RelativeDue(found[1], found[2]) if found is not None else None


def read_hours(texts: Sequence[str]) -> Hours:
    """`["09:00-12:00", "13:30-17:30"]` as spans. Raises `NoHours` with the text that is wrong."""
    spans = sorted(_span(text) for text in texts)
    if not spans:
        raise NoHours("没有写上班时间")
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise NoHours("上班时间重叠")
    return tuple(spans)


def written_hours(hours: Hours) -> list[str]:
    """What `read_hours` reads."""
    return [f"{_clock(start)}-{_clock(end)}" for start, end in hours]


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _span(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise NoHours(f"“{text}”应写成 09:00-12:00")
    start, end = _seconds(first, text), _seconds(last, text)
    if start >= end:
        raise NoHours(f"“{text}”结束不晚于开始")
    return start, end


def _seconds(part: str, text: str) -> int:
    hours, _, minutes = part.strip().partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise NoHours(f"“{text}”应写成 09:00-12:00")
    found = int(hours) * 3600 + int(minutes) * 60
    if found > DAY:
        raise NoHours(f"“{text}”超过 24:00")
    return found
