"""How much lies at which unit: one grouped query, rolled up to the level below the reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, false, func, or_, select
from sqlalchemy.orm import Session

from engine import Actor, region, tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Open tasks of one unit (with everything below it, where it was rolled up)."""

    unit: str
    open: int
    overdue: int
    today: int


_task: Any = tables.HumanTask.__table__
_BELOW = {
    region.Level.COUNTRY: region.Level.PROVINCE,
    region.Level.PROVINCE: region.Level.CITY,
    region.Level.CITY: region.Level.COUNTY,
    region.Level.COUNTY: region.Level.TOWN,
    region.Level.TOWN: region.Level.VILLAGE,
}


def by_unit(session: Session, actor: Actor, *, now: datetime, tonight: datetime) -> list[Load]:
    """Open tasks of every unit in the subtrees of the actor's seats."""
    prefixes = {region.prefix(seat.unit) for seat in actor.seats}
    inside = or_(false(), *(_task.c.unit.startswith(text, autoescape=True) for text in prefixes))
    late = _task.c.due_sort <= now
    rows = session.execute(
        select(
            _task.c.unit,
            func.count(),
            func.sum(case((late, 1), else_=0)),
            func.sum(case(((_task.c.due_sort > now) & (_task.c.due_sort <= tonight), 1), else_=0)),
        )
        .where(_task.c.is_open == 1, inside)
        .group_by(_task.c.unit)
    )
    return [Load(unit=row[0], open=row[1], overdue=row[2], today=row[3]) for row in rows]


def rolled_up(found: Iterable[Load], unit: str | None) -> list[Load]:
    """Summed to the units directly below `unit`, the latest first."""
    level = _BELOW.get(region.level(unit)) if unit else None
    sums: dict[str, list[Load]] = defaultdict(list)
    for one in found:
        at = region.at_level(one.unit, level) if level else None
        sums[at or one.unit].append(one)
    rolled = [_sum(code, parts) for code, parts in sums.items()]
    return sorted(rolled, key=lambda one: (-one.overdue, -one.open, one.unit))


def total(found: Iterable[Load]) -> Load:
    """Everything together."""
    return _sum("", list(found))


def top(actor: Actor) -> str | None:
    """The highest unit of the actor's seats."""
    units = {seat.unit for seat in actor.seats}
    return min(units, key=lambda code: (region.level(code).value, code), default=None)


def _sum(unit: str, parts: list[Load]) -> Load:
    return Load(
        unit=unit,
        open=sum(one.open for one in parts),
        overdue=sum(one.overdue for one in parts),
        today=sum(one.today for one in parts),
    )
