"""How much lies at which unit, rolled up to the level below the reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine import Actor, UnitLoad, clock, region

_BELOW = {
    region.Level.COUNTRY: region.Level.PROVINCE,
    region.Level.PROVINCE: region.Level.CITY,
    region.Level.CITY: region.Level.COUNTY,
    region.Level.COUNTY: region.Level.TOWN,
    region.Level.TOWN: region.Level.VILLAGE,
}


def level_below(unit: str | None) -> region.Level | None:
    """The level a unit's numbers are told by; None where each unit stands for itself."""
    return _BELOW.get(region.level(unit)) if unit else None


def latest_first(found: Iterable[UnitLoad]) -> list[UnitLoad]:
    """The unit with the most that is late comes first."""
    return sorted(found, key=lambda one: (-one.overdue, -one.open, one.unit))


def total(found: Iterable[UnitLoad]) -> UnitLoad:
    """Everything together."""
    return UnitLoad.of("", found)


def top(actor: Actor) -> str | None:
    """The highest unit of the actor's seats."""
    units = {seat.unit for seat in actor.seats}
    return min(units, key=lambda code: (region.level(code).value, code), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A unit's numbers as texts: a plus where there may be more than were counted."""

    unit: str
    open: str
    overdue: str
    today: str
    is_late: bool
    is_partial: bool


def shown(one: UnitLoad, now: datetime) -> Shown:
    """What the page says of a unit."""
    end = one.counted_until
    ends = {"overdue": now, "today": clock.end_of_day(clock.local_date(now))}
    more = {name: "+" if end is not None and end <= ends[name] else "" for name in ends}
    return Shown(
        unit=one.unit,
        open=f"{one.open}{'+' if end is not None else ''}",
        overdue=f"{one.overdue}{more['overdue']}",
        today=f"{one.today}{more['today']}",
        is_late=one.overdue > 0,
        is_partial=end is not None,
    )
