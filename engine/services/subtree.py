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
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select

from engine.execution.environment import Environment
from engine.execution.visibility import Part, Shape, Sight, like
from engine.model import region
from engine.model.actor import Actor
from engine.model.human_task import UnitLoad
from engine.store import worklists
from engine.store.database import Transaction
from engine.store.statement import Statement

Shapes = tuple[Shape, ...]
Place = tuple[datetime, str]
"""Where a task stands in the order: due instant and id."""

LAST = datetime(9999, 12, 31, 23, tzinfo=UTC)
"""Behind every task, those without a due instant included."""

#: index entries a page looks at in all the counties together, and at first in each
WINDOW, FIRST_WINDOW = 20_000, 500
#: tasks that are counted, in all the counties together and in each at least
COUNTED, COUNTED_IN_EACH = 20_000, 1_000

_WINDOW: Any = worklists.WINDOW
#: queries written for what different people see; more are written anew
KEPT = 256
_DIGITS = region.Level.VILLAGE.value
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The open tasks of one county, as far as somebody sees them."""

    shard: str
    #: what he sees of it, one sight beside the other; none: all of it
    sights: tuple[Sight, ...] = ()

    @property
    def shapes(self) -> Shapes:
        """What the queries are written for."""
        return tuple(sight.shape for sight in self.sights)

    @property
    def bounds(self) -> dict[str, str]:
        """What they read."""
        found: dict[str, str] = {}
        for number, sight in enumerate(self.sights):
            found |= sight.bounds(number)
        return found


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
                tx,
                stretch,
                after=after,
                until=until,
                most=limit + 1,
                share=share,
                warned=warned,
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
        self,
        tx: Transaction,
        actor: Actor,
        now: datetime,
        tonight: datetime,
        level: region.Level | None = None,
    ) -> list[UnitLoad]:
        """Open tasks by acting unit; where a county has very many, its most urgent ones only.

        With a level summed to the units there; what stands higher, or below none, by itself.
        """
        stretches = self._stretches(tx, actor)
        most = max(COUNTED_IN_EACH, COUNTED // max(1, len(stretches)))
        parts: dict[str, list[UnitLoad]] = defaultdict(list)
        for stretch in stretches:
            for one in _counted(tx, stretch, level, most, {"now": now, "tonight": tonight}):
                parts[one.unit].append(one)
        return [
            those[0] if len(those) == 1 else UnitLoad.of(unit, those)
            for unit, those in parts.items()
        ]

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
            Stretch(shard=shard, sights=_narrowed(among))
            for shard, among in sorted(by_shard.items())
        ]


def _counties(tx: Transaction, sight: Sight) -> list[str]:
    """Counties with open tasks below a unit above them."""
    return [row.shard for row in tx.rows(worklists.SHARDS, sight.shards())]


def _narrowed(sights: Sequence[Sight]) -> tuple[Sight, ...]:
    """What in one county these sights let through; none: everything."""
    return () if (Part.WHOLE, None) in {sight.shape for sight in sights} else tuple(sights)


def _seen(shapes: Shapes) -> tuple[Any, ...]:
    """The condition of what any of them lets through."""
    each = [and_(*like(shape, number, _WINDOW)) for number, shape in enumerate(shapes)]
    return (or_(*each),) if each else ()


def _in_stretch(
    tx: Transaction,
    stretch: Stretch,
    *,
    after: Place,
    until: datetime,
    most: int,
    share: int,
    warned: datetime | None,
) -> Found:
    asked: dict[str, Any] = {
        "shard": stretch.shard, "after_at": after[0], "after_id": after[1], "until": until,
        "most": most, "warned_at": warned, **stretch.bounds,
    }  # fmt: skip
    if not stretch.sights and warned is None:
        return Found(rows=tx.rows(worklists.IN_SHARD, {**asked, "limit": most}))
    rows: list[Any] = []
    for window in (FIRST_WINDOW, share):
        query = _in_window(stretch.shapes, yellow=warned is not None)
        rows = tx.rows(query, {**asked, "limit": window})
        if len(rows) == most:
            return Found(rows=rows)
        end = tx.first(worklists.END_OF_WINDOW, {**asked, "before": window - 1})
        if end is None:
            return Found(rows=rows)
    return Found(rows=rows, frontier=_place(end))


@lru_cache(maxsize=KEPT)
def _in_window(shapes: Shapes, *, yellow: bool) -> Statement:
    """Those of the next :limit that the question is about, :most of them at most."""
    card = (_WINDOW.c.warn_at <= bindparam("warned_at"),) if yellow else ()
    return Statement(
        select(_WINDOW.c.id, _WINDOW.c.due_sort)
        .where(*card, *_seen(shapes))
        .order_by(_WINDOW.c.due_sort, _WINDOW.c.id)
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=KEPT)
def _loads(level: region.Level | None, shapes: Shapes) -> Statement:
    """How much lies at which unit: open, due until :now, due until :tonight."""
    due = {name: case((_WINDOW.c.due_sort <= bindparam(name), 1)) for name in ("now", "tonight")}
    by_unit = (
        select(
            _WINDOW.c.unit,
            func.count().label("open"),
            *[func.count(late).label(name) for name, late in due.items()],
        )
        .where(*_seen(shapes))
        .group_by(_WINDOW.c.unit)
    )
    # First by unit, then those few by what their codes begin with: half the work of one go.
    units = by_unit.subquery()
    code = units.c.unit if level is None else _beginning(units.c.unit, level)
    sums = [func.sum(units.c[name]).label(name) for name in ("open", "now", "tonight")]
    return Statement(select(code.label("code"), *sums).group_by("code"))


def _beginning(unit: Any, level: region.Level) -> Any:
    """The digits of the unit at this level; the whole code where it has none there."""
    above = max((one.value for one in region.Level if one.value < level.value), default=0)
    width = level.value - above
    own = func.substr(unit, above + 1, width)
    return case((own != "0" * width, func.substr(unit, 1, level.value)), else_=unit)


def _counted(
    tx: Transaction,
    stretch: Stretch,
    level: region.Level | None,
    most: int,
    values: Mapping[str, Any],
) -> list[Any]:
    asked = {
        "shard": stretch.shard, "after_at": worklists.BEGINNING[0],
        "after_id": worklists.BEGINNING[1], "until": LAST,
    }  # fmt: skip
    rows = tx.rows(
        _loads(level, stretch.shapes), {**asked, **values, **stretch.bounds, "limit": most}
    )
    end = tx.first(worklists.END_OF_WINDOW, {**asked, "before": most})
    until = None if end is None else end.due_sort
    return [
        UnitLoad(
            unit=row.code.ljust(_DIGITS, "0"),
            open=int(row.open),
            overdue=int(row.now),
            today=int(row.tonight) - int(row.now),
            counted_until=until,
        )
        for row in rows
        if row.code is not None
    ]


def _merge(found: Found, here: Found, limit: int) -> None:
    known = {row.id: row for row in (*found.rows, *here.rows)}
    found.rows = sorted(known.values(), key=_place)[: limit + 1]
    ends = [end for end in (found.frontier, here.frontier) if end is not None]
    found.frontier = min(ends, default=None)


def _place(row: Any) -> Place:
    return row.due_sort, row.id
