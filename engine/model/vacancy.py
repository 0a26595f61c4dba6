"""Desks that a process needs and nobody holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacancy:
    """A role at a unit without a holder; `activities`: names of what would wait for nobody."""

    role: str
    role_title: str
    unit: str
    activities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VacancyPage:
    """One page, lower units last; `total` counts all of them."""

    rows: tuple[Vacancy, ...]
    total: int
    next_cursor: str | None = None
