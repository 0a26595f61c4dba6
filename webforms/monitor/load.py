"""How much lies at which unit, rolled up to the level below the reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from engine import Actor, UnitLoad, clock, region

_BELOW = {
    region.Level.COUNTRY: region.Level.PROVINCE,
    region.Level.PROVINCE: region.Level.CITY,
    region.Level.CITY: region.Level.COUNTY,
    region.Level.COUNTY: region.Level.TOWN,
    region.Level.TOWN: region.Level.VILLAGE,
}


def rolled_up(found: Iterable[UnitLoad], unit: str | None) -> list[UnitLoad]:
    """Summed to the units directly below `unit`, the latest first."""
    level = _BELOW.get(region.level(unit)) if unit else None
    sums: dict[str, list[UnitLoad]] = defaultdict(list)
    for one in found:
        at = _above(one.unit, level) if level else None
        sums[at or one.unit].append(one)
    rolled = [UnitLoad.of(code, parts) for code, parts in sums.items()]
    return sorted(rolled, key=lambda one: (-one.overdue, -one.open, one.unit))


@lru_cache(maxsize=16_384)
def _above(unit: str, level: region.Level) -> str | None:
    # Reckoned from the code alone, for thousands of villages on every visit of the page.
    return region.at_level(unit, level)


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
