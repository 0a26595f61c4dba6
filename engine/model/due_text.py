"""Deadlines as a model writes them: any length or date, also counted from another step."""

from __future__ import annotations

from typing import TypeAlias

from engine.model.duration import Due, InvalidDuration, parse_due
from engine.model.office_time import RelativeDue, read_relative

Deadline: TypeAlias = Due | RelativeDue


def read_deadline(text: str) -> Deadline:
    """What `parse_due` reads, or `10wd after survey`. Raises InvalidDuration."""
    relative = read_relative(text.strip())
    if relative is None:
        return parse_due(text)
    parse_due(relative.length)
    return relative


__all__ = ["Deadline", "InvalidDuration", "RelativeDue", "read_deadline"]
