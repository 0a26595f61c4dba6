"""How much lies at which unit, rolled up to the level below the reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from engine import Actor, UnitLoad, region

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
        at = region.at_level(one.unit, level) if level else None
        sums[at or one.unit].append(one)
    rolled = [_sum(code, parts) for code, parts in sums.items()]
    return sorted(rolled, key=lambda one: (-one.overdue, -one.open, one.unit))


def total(found: Iterable[UnitLoad]) -> UnitLoad:
    """Everything together."""
    return _sum("", list(found))


def top(actor: Actor) -> str | None:
    """The highest unit of the actor's seats."""
    units = {seat.unit for seat in actor.seats}
    return min(units, key=lambda code: (region.level(code).value, code), default=None)


def _sum(unit: str, parts: list[UnitLoad]) -> UnitLoad:
    return UnitLoad(
        unit=unit,
        open=sum(one.open for one in parts),
        overdue=sum(one.overdue for one in parts),
        today=sum(one.today for one in parts),
    )
