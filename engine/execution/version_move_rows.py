"""Rows of an instance as they were before a move, and putting them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select, update

from engine.execution.snapshot import unpack
from engine.execution.work import Work
from engine.kernel import codec
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.store import (
    human_tasks,
    incidents,
    instances,
    jobs,
    subscriptions,
    timers,
    version_moves,
)
from engine.store.database import Transaction

_task: Any = human_tasks.HumanTask.__table__
_timer: Any = timers.Timer.__table__
_subscription: Any = subscriptions.EventSubscription.__table__
_incident: Any = incidents.IncidentRow.__table__
_job: Any = jobs.Job.__table__
_instance: Any = instances.ProcessInstance.__table__
_moved: Any = version_moves.MovedInstance.__table__

_TASK_COLUMNS = (
    "activity_id", "name", "definition_id", "form_of", "ladder_of", "role", "unit", "region",
    "owner", "status", "suspended_from", "is_open", "no_holder", "claimed_at", "due_at",
    "due_sort", "due_note", "deadline", "warn_at", "paused_at", "calendar_version", "urgency",
    "completed_at",
)  # fmt: skip


def remember(work: Work, tasks: list[Any], renamed: dict[str, str]) -> bytes:
    """Everything a move may change, as it stands now."""
    mine = work.instance.id
    closed = []
    if renamed:
        closed = work.tx.execute(
            select(_task.c.id, _task.c.counts_as).where(
                _task.c.instance_id == mine,
                _task.c.is_open == 0,
                human_tasks.ACTIVITY.in_(sorted(renamed)),
            )
        ).all()
    return codec.encode(
        {
            "tasks": [
                [row.id, {name: getattr(row, name) for name in _TASK_COLUMNS}] for row in tasks
            ],
            "closed": [[row.id, row.counts_as] for row in closed],
            "timers": _all_of(work, _timer),
            "subscriptions": _all_of(work, _subscription),
            "incidents": [
                [row.id, row.activity_id]
                for row in work.tx.rows(incidents.OPEN_OF_INSTANCE, {"instance_id": mine})
            ],
            "jobs": [[row.id, codec.decode(bytes(row.arguments))] for row in jobs_of(work, None)],
        }
    )


def jobs_of(work: Work, element: int | None) -> list[Any]:
    """Jobs that wait for this instance, or for one element of it."""
    query = select(_job.c.id, _job.c.arguments).where(_job.c.instance_id == work.instance.id)
    if element is not None:
        query = query.where(_job.c.element == element)
    return list(work.tx.execute(query).all())


def put_back(work: Work, state_before: bytes, rows_before: bytes) -> None:
    """State and rows as they were. Only where nothing has happened since."""
    kept = codec.decode(rows_before)
    before = unpack(state_before)
    # Numbers of elements are never used twice, also not by what was taken back.
    work.instance.state = replace(before, next_id=max(before.next_id, work.state.next_id))
    _close_new_tasks(work, {task_id for task_id, _ in kept["tasks"]})
    for task_id, values in kept["tasks"]:
        work.tx.execute(
            update(_task).where(_task.c.id == task_id).values(version=_task.c.version + 1, **values)
        )
    for task_id, counts_as in kept["closed"]:
        work.tx.execute(update(_task).where(_task.c.id == task_id).values(counts_as=counts_as))
    for table, name in ((_timer, "timers"), (_subscription, "subscriptions")):
        work.tx.execute(delete(table).where(table.c.instance_id == work.instance.id))
        if kept[name]:
            work.tx.execute(insert(table), kept[name])
    for incident_id, activity_id in kept["incidents"]:
        work.tx.execute(
            update(_incident).where(_incident.c.id == incident_id).values(activity_id=activity_id)
        )
    for job_id, arguments in kept["jobs"]:
        work.tx.execute(
            update(_job).where(_job.c.id == job_id).values(arguments=codec.encode(arguments))
        )


def forget_stale(tx: Transaction) -> None:
    """Drop what was kept for an undo that is no longer possible: it is data of people, twice."""
    current = (
        select(_instance.c.id)
        .where(_instance.c.id == _moved.c.instance_id, _instance.c.revision == _moved.c.revision)
        .exists()
    )
    tx.execute(
        update(_moved)
        .where(_moved.c.state_before.is_not(None), ~current)
        .values(state_before=None, rows_before=None)
    )


def _close_new_tasks(work: Work, known: set[str]) -> None:
    for row in work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
        if row.id not in known:
            work.change_task(row, status=TaskStatus.EXITED, is_open=0, completed_at=work.now)
            work.record(Fact.TASK_EXITED, activity_id=row.activity_id, task_id=row.id)


def _all_of(work: Work, table: Any) -> list[dict[str, Any]]:
    rows = work.tx.execute(select(table).where(table.c.instance_id == work.instance.id)).all()
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  # the documented way to a mapping
