"""What operations and assignment ask about the people and tasks of a case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from engine.execution import reckoning, task_terms
from engine.execution.deadlines import DueInstant, due_instant
from engine.execution.work import Work
from engine.model.facts import Fact
from engine.store import definitions, human_tasks, instances, subscriptions
from engine.store.base import FAR_FUTURE
from engine.store.database import Transaction


def completers(work: Work, activity_ids: Iterable[str]) -> frozenset[str]:
    """Who completed one of these activities.

    A plain id means this instance or one of its callers; `process_key.activity` also those it
    called and those its caller called beside it.
    """
    found: set[str] = set()
    for wanted in activity_ids:
        key, _, activity_id = wanted.rpartition(".")
        for instance_id in _called_family(work, key) if key else _callers(work):
            rows = work.tx.rows(
                human_tasks.COMPLETERS,
                {"instance_id": instance_id, "activity_id": activity_id},
            )
            found.update(row.completed_by for row in rows)
    return frozenset(found)


def _callers(work: Work) -> list[str]:
    """The instance at work and those above it."""
    family = [work.instance.id]
    parent = work.instance.parent_id
    while parent is not None:
        family.append(parent)
        above = work.tx.first(instances.BY_ID, {"instance_id": parent})
        parent = None if above is None else above.parent_id
    return family


def _called_family(work: Work, key: str) -> list[str]:
    """Instances of a process among this one, its callers, those it called, and its siblings."""
    here = work.instance
    table: Any = instances.ProcessInstance.__table__
    rows = work.tx.execute(
        select(table.c.id, table.c.parent_id, table.c.process_key).where(
            instances.in_family(here.root_id)
        )
    ).all()
    parents = {row.id: row.parent_id for row in rows}
    above = {here.id, *_above(parents, here.id)}
    return [
        row.id
        for row in rows
        if row.process_key == key
        and (
            row.id in above
            or (row.parent_id is not None and row.parent_id == here.parent_id)
            or here.id in _above(parents, row.id)
        )
    ]


def _above(parents: dict[str, str | None], instance_id: str) -> list[str]:
    found = []
    parent = parents.get(instance_id)
    while parent is not None:
        found.append(parent)
        parent = parents.get(parent)
    return found


def somebody_waits(tx: Transaction, name: str, key: str) -> bool:
    """Whether an instance waits for this message, or a process starts by it."""
    waiting = tx.rows(subscriptions.WAITING_FOR_KEY, {"kind": "message", "name": name, "key": key})
    if waiting:
        return True
    starts = definitions.DefinitionStart
    count = tx.execute(
        select(func.count()).where(starts.kind == "message", starts.name == name)
    ).scalar()
    return bool(count)


def move_due(work: Work, row: Any, due: datetime | date, reason: str) -> None:
    """A new due instant for an open task; its ladder starts again from the rungs to come."""
    calendar = work.environment.calendars.at(row.unit or work.instance.region)
    moved = due_instant(calendar, row.created_at, due)
    work.change_task(
        row, due_at=moved.at, due_note=_noted(moved, reason), urgency=None, deadline=None
    )
    ladder = task_terms.ladder_of(work, row)
    fixed = reckoning.counted(calendar, row.created_at, moved.at, ladder=ladder)
    reckoning.keep(work, row.id, fixed, None)
    arm_ladder_again(work, row._asdict(), moved.at)
    work.record(
        Fact.TASK_DUE_CHANGED,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"from": row.due_at, "to": moved.at, "reason": reason},
    )


def recount_due(work: Work, row: Any, reason: str) -> bool:
    """Count the deadline of an open task again by today's calendar; whether it moved."""
    again = reckoning.recount(work, row)
    if again is None or again.due_at == row.due_at:
        return False
    work.record(
        Fact.TASK_DUE_CHANGED,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"from": row.due_at, "to": again.due_at, "reason": reason},
    )
    return True


def move_gathered_due(work: Work, row: dict[str, Any], moved: DueInstant, reason: str) -> None:
    """The same for a task that this very command opens."""
    row.update(due_at=moved.at, due_sort=moved.at or FAR_FUTURE, due_note=_noted(moved, reason))
    row.update(deadline=None, warn_at=None)
    arm_ladder_again(work, row, moved.at)
    work.record(
        Fact.TASK_DUE_CHANGED,
        activity_id=row["activity_id"],
        task_id=row["id"],
        detail={"to": moved.at, "reason": reason},
    )


def arm_ladder_again(work: Work, row: dict[str, Any], due_at: datetime) -> None:
    """Arm the first rung of a task's ladder that is not past."""
    ladder = task_terms.ladder_named(work, row["activity_id"], row["ladder_of"], row["unit"])
    held = reckoning.holding(reckoning.pauses_of(work), row["id"])
    reckoning.rearm(work, row, due_at, held, ladder)


def _noted(moved: DueInstant, reason: str) -> str:
    return f"{reason}；{moved.note}" if moved.note else reason
