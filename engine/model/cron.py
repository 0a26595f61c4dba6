"""Cron texts are refused; whoever writes one is told the ISO 8601 way to say the same.

Cron has at least four dialects that differ in what ``0 9 1 * 1`` means, and none can say
when a cycle begins or how often it fires.
"""

from __future__ import annotations

import re

_FIELD = re.compile(r"[0-9A-Za-z*?/,#\-]+")
_NAMED = {"@hourly": "PT1H", "@weekly": "P1W", "@monthly": "P1M", "@yearly": "P1Y"}
_FREE = ("*", "?")
_WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_FIRST_MONDAY = 5
"""5 January 2026: the offer needs some day to begin with."""


def iso_instead_of(text: str) -> str | None:
    """A repeating interval close to this cron text; None where the text is no cron at all.

    It begins in January 2026: cycles are reckoned from their start, which may be past.
    """
    fields = text.split()
    if text.startswith("@"):
        interval = _NAMED.get(text.lower(), "P1D")
        return f"R/{interval}" if interval.startswith("PT") else f"R/{_start(9, 0)}/{interval}"
    if len(fields) not in (5, 6, 7) or not all(map(_FIELD.fullmatch, fields)):
        return None
    # Six fields lead with seconds; seven also end with the year.
    minute, hour, day, month, weekday = fields[-5:] if len(fields) < 7 else fields[1:6]
    often = _within_a_day(minute, hour)
    if often is not None:
        return f"R/{often}"
    at = (_number(hour, 9, 23), _number(minute, 0, 59))
    if weekday not in _FREE:
        # Quartz, which has seconds, counts Sunday as 1; the cron of Unix as 0.
        first, interval = _on_weekdays(weekday, sunday=0 if len(fields) == 5 else 1)
        return f"R/{_start(*at, day=_FIRST_MONDAY + first)}/{interval}"
    if day in _FREE:
        return f"R/{_start(*at)}/P1D"
    on = 31 if day.upper() == "L" else _number(day, 1, 31)
    if month in _FREE:
        return f"R/{_start(*at, day=on)}/P1M"
    return f"R/{_start(*at, day=min(on, 28), month=_number(month, 1, 12))}/P1Y"


def _within_a_day(minute: str, hour: str) -> str | None:
    """The interval of what happens several times a day."""
    for field, unit in ((minute, "M"), (hour, "H")):
        step = re.fullmatch(r"[*0]/([0-9]+)", field)
        if step is not None and int(step[1]):
            return f"PT{step[1]}{unit}"
    if minute in _FREE or hour in _FREE:
        return "PT1M" if minute in _FREE else "PT1H"
    return None


def _on_weekdays(field: str, sunday: int) -> tuple[int, str]:
    """Days after a Monday on which it first happens, and how often it does."""
    days = [_weekday(part, sunday) for part in re.split("[-,#]", field.upper())]
    if "-" in field and days[:2] == [0, 4]:
        return 0, "1wd"
    return days[0], "P1W"


def _weekday(part: str, sunday: int) -> int:
    if part[:3] in _WEEK:
        return _WEEK.index(part[:3])
    return (_number(part, sunday + 1, 7) - sunday - 1) % 7


def _number(field: str, otherwise: int, highest: int) -> int:
    """The first number of a field, where it has a possible one."""
    found = re.match(r"[0-9]{1,2}", field)
    return int(found[0]) if found is not None and int(found[0]) <= highest else otherwise


def _start(hour: int, minute: int, day: int = _FIRST_MONDAY, month: int = 1) -> str:
    return f"2026-{month:02}-{max(day, 1):02}T{hour:02}:{minute:02}:00+08:00"
