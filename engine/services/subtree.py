"""What lies open below somebody's seats: in the order of the due instants, or counted by unit.

Each county keeps its open tasks in one stretch of an index, in the order of the lists. So each is
asked by itself and the short answers are merged. What narrows a list further (a town, a process,
the yellow card) is read from the same index, over so many entries and no more: where that was not
enough, the page ends there and the next one goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from engine.execution.environment import Environment
from engine.execution.visibility import Sight
from engine.model import region
from engine.model.actor import Actor
from engine.model.human_task import UnitLoad
from engine.store import worklists
from engine.store.database import Transaction

Place = tuple[datetime, str]
"""Where a task stands in the order: due instant and id."""

LAST = datetime(9999, 12, 31, 23, tzinfo=UTC)
"""Behind every task, those without a due instant included."""

#: index entries a page looks at in all the counties together, and at first in each
WINDOW, FIRST_WINDOW = 20_000, 500
#: tasks that are counted, in all the counties together and in each at least
COUNTED, COUNTED_IN_EACH = 20_000, 1_000

_WINDOW: Any = worklists.WINDOW
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The open tasks of one county, as far as somebody sees them."""

    shard: str
    #: None: all of them
    narrowed: Any = None


@dataclass(slots=True, kw_only=True)
class Found:
    """The first tasks behind a place, and how far was looked: None, to the end."""

    rows: list[Any] = field(default_factory=list)
    frontier: Place | None = None


class Subtree:
    """Questions about whole subtrees; each is bounded, however much lies there."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def page(
        self,
        tx: Transaction,
        actor: Actor,
        *,
        after: Place,
        limit: int,
        until: datetime = LAST,
        warned: datetime | None = None,
    ) -> tuple[list[Any], Place | None]:
        """Tasks due until then behind a place, and where the next page begins.

        `warned` narrows to those that are yellow at that instant. A page may hold fewer than
        `limit`, none even, and yet be followed by another one.
        """
        if warned is not None:
            after = max(after, (warned + _INSTANT, worklists.BEGINNING[1]))
        stretches = self._stretches(tx, actor)
        share = max(FIRST_WINDOW, WINDOW // max(1, len(stretches)))
        found = Found()
        for stretch in stretches:
            here = _in_stretch(
                tx, _yellow(stretch, warned), after=after, until=until, most=limit + 1, share=share
            )
            _merge(found, here, limit)
            if len(found.rows) > limit:
                # What the other counties have to offer behind these is of no use to this page.
                until = min(until, found.rows[limit].due_sort)
        frontier = found.frontier
        seen = [row for row in found.rows if frontier is None or _place(row) <= frontier]
        if len(seen) > limit:
            return seen[:limit], _place(seen[limit - 1])
        return seen, frontier

    def load(
        self, tx: Transaction, actor: Actor, now: datetime, tonight: datetime
    ) -> list[UnitLoad]:
        """Open tasks by acting unit; where a county has very many, its most urgent ones only."""
        stretches = self._stretches(tx, actor)
        most = max(COUNTED_IN_EACH, COUNTED // max(1, len(stretches)))
        parts: dict[str, list[UnitLoad]] = defaultdict(list)
        for stretch in stretches:
            for one in _counted(tx, stretch, most, {"now": now, "tonight": tonight}):
                parts[one.unit].append(one)
        return [UnitLoad.of(unit, those) for unit, those in parts.items()]

    # --- private -----------------------------------------------------------------------------

    def _stretches(self, tx: Transaction, actor: Actor) -> list[Stretch]:
        sights = self._environment.visibility.sights(tx, actor)
        wide = [sight for sight in sights if not sight.is_within_a_county]
        by_shard: dict[str, list[Sight]] = defaultdict(list)
        for sight in wide:
            for shard in _counties(tx, sight):
                by_shard[shard].append(sight)
        for sight in sights:
            if sight.is_within_a_county:
                assert sight.unit is not None
                by_shard[region.shard(sight.unit)].append(sight)
        return [
            Stretch(shard=shard, narrowed=_narrowed(among))
            for shard, among in sorted(by_shard.items())
        ]


def _counties(tx: Transaction, sight: Sight) -> list[str]:
    """Counties with open tasks below a unit above them."""
    prefix = "" if sight.unit is None else region.prefix(sight.unit)
    digits = region.Level.COUNTY.value
    bounds = {"first": prefix.ljust(digits, "0"), "last": prefix.ljust(digits, "9")}
    return [row.shard for row in tx.rows(worklists.SHARDS, bounds)]


def _narrowed(sights: Sequence[Sight]) -> Any:
    """What in one county any of these sights lets through; None: everything."""
    conditions = []
    for sight in sights:
        parts = sight.within_shard(_WINDOW)
        if not parts:
            return None
        conditions.append(and_(*parts))
    return or_(*conditions)


def _yellow(stretch: Stretch, now: datetime | None) -> Stretch:
    if now is None:
        return stretch
    card = _WINDOW.c.warn_at <= now
    narrowed = card if stretch.narrowed is None else and_(card, stretch.narrowed)
    return Stretch(shard=stretch.shard, narrowed=narrowed)


def _in_stretch(
    tx: Transaction, stretch: Stretch, *, after: Place, until: datetime, most: int, share: int
) -> Found:
    asked: dict[str, Any] = {
        "shard": stretch.shard, "after_at": after[0], "after_id": after[1], "until": until,
    }  # fmt: skip
    if stretch.narrowed is None:
        return Found(rows=tx.rows(worklists.IN_SHARD, {**asked, "limit": most}))
    query = (
        select(_WINDOW.c.id, _WINDOW.c.due_sort)
        .where(stretch.narrowed)
        .order_by(_WINDOW.c.due_sort, _WINDOW.c.id)
        .limit(most)
    )
    rows: list[Any] = []
    for window in (FIRST_WINDOW, share):
        rows = list(tx.execute(query, {**asked, "limit": window}).all())
        if len(rows) == most:
            return Found(rows=rows)
        end = tx.first(worklists.END_OF_WINDOW, {**asked, "before": window - 1})
        if end is None:
            return Found(rows=rows)
    return Found(rows=rows, frontier=_place(end))


def _counted(tx: Transaction, stretch: Stretch, most: int, values: Mapping[str, Any]) -> list[Any]:
    late = _WINDOW.c.due_sort <= values["now"]
    today = and_(~late, _WINDOW.c.due_sort <= values["tonight"])
    query = select(
        _WINDOW.c.unit,
        func.count().label("open"),
        func.sum(case((late, 1), else_=0)).label("overdue"),
        func.sum(case((today, 1), else_=0)).label("today"),
    ).group_by(_WINDOW.c.unit)
    if stretch.narrowed is not None:
        query = query.where(stretch.narrowed)
    asked = {
        "shard": stretch.shard, "after_at": worklists.BEGINNING[0],
        "after_id": worklists.BEGINNING[1], "until": LAST,
    }  # fmt: skip
    rows = tx.execute(query, {**asked, "limit": most}).all()
    end = tx.first(worklists.END_OF_WINDOW, {**asked, "before": most})
    until = None if end is None else end.due_sort
    return [
        UnitLoad(
            unit=row.unit, open=row.open, overdue=row.overdue, today=row.today, counted_until=until
        )
        for row in rows
        if row.unit is not None
    ]


def _merge(found: Found, here: Found, limit: int) -> None:
    known = {row.id: row for row in (*found.rows, *here.rows)}
    found.rows = sorted(known.values(), key=_place)[: limit + 1]
    ends = [end for end in (found.frontier, here.frontier) if end is not None]
    found.frontier = min(ends, default=None)


def _place(row: Any) -> Place:
    return row.due_sort, row.id
