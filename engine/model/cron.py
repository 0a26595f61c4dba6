"""Cron texts are refused; whoever writes one is told the ISO 8601 way to say the same.

Cron has at least four dialects that differ in what ``0 9 1 * 1`` means, and none can say
when a cycle begins or how often it fires.
"""

from __future__ import annotations

import re

_FIELD = re.compile(r"[0-9A-Za-z*?/,#\-]+")
_NAMED = {"@hourly": "PT1H", "@weekly": "P1W", "@monthly": "P1M", "@yearly": "P1Y"}
_FREE = ("*", "?")


def iso_instead_of(text: str) -> str | None:
    """A repeating interval close to this cron text; None where the text is no cron at all."""
    fields = text.split()
    if text.startswith("@"):
        interval = _NAMED.get(text.lower(), "P1D")
    elif len(fields) in (5, 6, 7) and all(_FIELD.fullmatch(field) for field in fields):
        # Six fields lead with seconds; seven also end with the year.
        interval = _interval(*(fields[-5:] if len(fields) < 7 else fields[1:6]))
    else:
        return None
    if interval.startswith("PT"):
        return f"R/{interval}"
    return f"R/2026-01-05T09:00:00+08:00/{interval}"


def _interval(minute: str, hour: str, day: str, month: str, weekday: str) -> str:
    for field, unit in ((minute, "M"), (hour, "H")):
        step = re.fullmatch(r"[*0]/([0-9]+)", field)
        if step is not None:
            return f"PT{step[1]}{unit}"
    if minute in _FREE or hour in _FREE:
        return "PT1M" if minute in _FREE else "PT1H"
    if weekday not in _FREE:
        return "P1W"
    if day in _FREE:
        return "P1D"
    return "P1M" if month in _FREE else "P1Y"
