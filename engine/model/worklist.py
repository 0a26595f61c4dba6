"""What somebody wants to see of his worklist."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Holding(enum.StrEnum):
    """Whose tasks: to be claimed, already mine, or both."""

    ALL = "all"
    CLAIMABLE = "claimable"
    MINE = "mine"


class DueFilter(enum.StrEnum):
    """How urgent."""

    ANY = "any"
    OVERDUE = "overdue"
    TODAY = "today"
    #: within seven days from now, overdue ones included
    WEEK = "week"
    #: with a yellow card: close to the end, not past it
    YELLOW = "yellow"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """Every field narrows; the empty filter shows all."""

    holding: Holding = Holding.ALL
    due: DueFilter = DueFilter.ANY
    process_key: str | None = None
    activity_id: str | None = None
    role: str | None = None
    unit: str | None = None
    #: part of subject or name
    search: str | None = None
