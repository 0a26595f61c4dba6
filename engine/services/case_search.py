"""Finding a case by a part of its title: looked for in the newest ones first, so many at a time.

No index knows the middle of a title. So a page looks through a number of cases and no more, in the
order of the list; where that was not enough it ends there, and the next page goes on. Who knows a
number finds it by an index, however old the case is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, or_, select, text, true, union

from engine.execution.visibility import Sight
from engine.model import region
from engine.model.actor import SYSTEM, Actor
from engine.model.process import InstanceStatus
from engine.store import human_tasks, instances
from engine.store.database import Transaction
from engine.store.definitions import ProcessDefinition
from engine.store.skipping import shards
from engine.store.statement import Statement

#: An officer completes tens of thousands of tasks; beyond his seats the list of cases goes back
#: as far as these. What he did before is in the list of what he did.
LATEST = 2_000
#: cases a page looks through, for each stretch of what somebody sees
LOOKED_THROUGH = 10_000
#: and in each county at least, where many are looked through
LEAST_LOOKED_THROUGH = 200

_instance: Any = instances.ProcessInstance.__table__
_task: Any = human_tasks.HumanTask.__table__
_definition: Any = ProcessDefinition.__table__
_NAMES = (
    "id", "shard", "region", "process_key", "status", "title", "business_key", "root_id",
    "parent_id", "started_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for: a part of the title, and columns that must equal something."""

    part: str
    equal: tuple[tuple[str, str], ...]
    below: str | None
    #: behind this case
    cursor: str | None


def found(
    tx: Transaction, actor: Actor, sights: Sequence[Sight], wanted: Wanted, limit: int
) -> tuple[list[str], str | None]:
    """Ids, newest first behind those whose number it is, and where the next page begins."""
    exact = [] if wanted.cursor else _numbered(tx, actor, sights, wanted, limit)
    ids: set[str] = set()
    ends: list[str] = []
    for window, conditions, most in _stretches(tx, actor, sights, wanted):
        here = _titled(tx, window, conditions, wanted, limit + 1)
        ids.update(here)
        end = None if len(here) > limit else tx.execute(_end(window, most)).scalar()
        if end is not None:
            ends.append(end)
    frontier = max(ends, default="")
    seen = [one for one in sorted(ids, reverse=True) if one >= frontier and one not in exact]
    room = max(limit - len(exact), 0)
    if len(seen) > room:
        return [*exact, *seen[:room]], seen[room - 1] if room else None
    return [*exact, *seen], frontier or None


def took_part(actor: Actor) -> Any:
    """Cases with a task that he has, had when it was taken from him, or completed lately."""
    completed = (
        select(_task.c.instance_id)
        .where(_task.c.completed_by == actor.id)
        .order_by(_task.c.completed_at.desc(), _task.c.id.desc())
        .limit(LATEST)
        .subquery()
    )
    has = select(_task.c.instance_id).where(text("is_open = 1"), _task.c.owner == actor.id)
    had = select(_task.c.instance_id).where(
        text("is_open = 0 AND completed_by IS NULL"), _task.c.owner == actor.id
    )
    return union(select(completed.c.instance_id), has, had)


def counties_with(tx: Transaction, sight: Sight, status: InstanceStatus) -> list[str]:
    """Shards in which somebody may see cases that ended so, skipping through their index."""
    if sight.is_within_a_county:
        assert sight.unit is not None
        return [region.shard(sight.unit)]
    asked = {"status": status.value, **sight.shards()}
    return [row.shard for row in tx.rows(SHARDS_WITH, asked)]


def _over(cases: Any) -> tuple[ColumnElement[bool], ...]:
    return cases.c.ended_at.is_not(None), cases.c.status == bindparam("status", type_=String())


SHARDS_WITH = Statement(shards(_instance, _over))


def _stretches(
    tx: Transaction, actor: Actor, sights: Sequence[Sight], wanted: Wanted
) -> list[tuple[Any, tuple[Any, ...], int]]:
    """Windows that an index gives in the order of the list, what narrows each, and their size."""
    status = dict(wanted.equal).get("status")
    over = status is not None and InstanceStatus(status).is_over
    made: list[tuple[Any, tuple[Any, ...], int]] = []
    for sight in sights:
        if over:
            assert status is not None
            made += _stretches_over(tx, sight, InstanceStatus(status), wanted)
            continue
        if sight.is_within_a_county:
            assert sight.unit is not None
            window = _window(wanted, _instance.c.shard == region.shard(sight.unit))
            made.append((window, sight.within_shard(window), LOOKED_THROUGH))
        else:
            window = _window(wanted)
            made.append((window, sight.where(window), LOOKED_THROUGH))
    if actor is not SYSTEM:
        own = (_instance.c.started_by == actor.id, _instance.c.id.in_(took_part(actor)))
        made += [(_window(wanted, one), (), LOOKED_THROUGH) for one in own]
    return made


def _stretches_over(
    tx: Transaction, sight: Sight, status: InstanceStatus, wanted: Wanted
) -> list[tuple[Any, tuple[Any, ...], int]]:
    """The same of cases that ended so: no window holds any that did not."""
    shards = counties_with(tx, sight, status)
    most = max(LOOKED_THROUGH // max(len(shards), 1), LEAST_LOOKED_THROUGH)
    made = []
    for shard in shards:
        window = _window(
            wanted,
            _instance.c.shard == shard,
            _instance.c.status == status,
            _instance.c.ended_at.is_not(None),
            most=most,
        )
        made.append((window, sight.where(window), most))
    return made


def _window(wanted: Wanted, *conditions: Any, most: int | None = None) -> Any:
    behind = () if wanted.cursor is None else (_instance.c.id < wanted.cursor,)
    return (
        select(*[_instance.c[name] for name in _NAMES])
        .where(*conditions, *behind)
        .order_by(_instance.c.id.desc())
        .limit(LOOKED_THROUGH if most is None else most)
        .subquery("recent")
    )


def _titled(
    tx: Transaction, window: Any, conditions: tuple[Any, ...], wanted: Wanted, most: int
) -> list[str]:
    query = select(window.c.id).where(
        *conditions,
        *_narrowed(window, wanted),
        window.c.title.contains(wanted.part, autoescape=True),
    )
    return list(tx.execute(query.order_by(window.c.id.desc()).limit(most)).scalars())


def _end(window: Any, most: int) -> Any:
    return select(window.c.id).order_by(window.c.id.desc()).limit(1).offset(most - 1)


def _numbered(
    tx: Transaction, actor: Actor, sights: Sequence[Sight], wanted: Wanted, limit: int
) -> list[str]:
    """Cases whose number it is, by the index of numbers of each process."""
    keys = tx.execute(select(_definition.c.key).distinct()).scalars().all()
    seen = [and_(true(), *sight.where(_instance)) for sight in sights]
    seen += [_instance.c.started_by == actor.id, _instance.c.id.in_(took_part(actor))]
    query = (
        select(_instance.c.id)
        .where(
            _instance.c.process_key.in_(sorted(keys)),
            _instance.c.business_key == wanted.part,
            or_(*seen),
            *_narrowed(_instance, wanted),
        )
        .order_by(_instance.c.id.desc())
        .limit(limit)
    )
    return list(tx.execute(query).scalars())


def _narrowed(table: Any, wanted: Wanted) -> list[Any]:
    narrowed = [table.c[name] == value for name, value in wanted.equal]
    if wanted.below is not None and region.prefix(wanted.below):
        narrowed.append(table.c.region.startswith(region.prefix(wanted.below), autoescape=True))
    return narrowed
