"""Effects on human tasks become rows: opened with their office, deadline and ladder, or closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.execution import policy_guard, reckoning, task_terms
from engine.execution.deadlines import deadline_result, deadline_text, next_rung
from engine.execution.work import PendingFact, Work
from engine.kernel import effects as fx
from engine.model import region
from engine.model.calendar import Pause
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.package import Ladder
from engine.store import human_tasks, timers
from engine.store.base import FAR_FUTURE


def open_task(work: Work, effect: fx.OpenTask) -> None:
    """A task row, its fact, its message, the first rung of its ladder."""
    policy_guard.opened(work, effect)
    task_id = work.new_id()
    unit = effect.unit or work.instance.region
    ladder = _ladder(work, effect.activity_id, unit)
    held = _held(work)
    due = _due_of(work, effect, unit, ladder, held)
    row = _row(work, effect, task_id, unit, due)
    if due is not None:
        row["paused_at"] = _since_when(held)
    work.tasks[effect.element] = row
    _absorb(
        work,
        effect.element,
        work.record(
            Fact.TASK_OPENED,
            activity_id=effect.activity_id,
            task_id=task_id,
            element=effect.element,
            detail=_said(effect, unit, due),
        ),
    )
    audience: dict[str, object] = (
        {"kind": "role", "role": effect.role or "", "unit": unit}
        if effect.owner is None
        else {"kind": "participant", "id": effect.owner}
    )
    work.notify("task_opened", audience, _message_data(row), task_id=task_id)
    if due is not None and due.due_at is not None and ladder is not None:
        _arm_ladder(work, row, due.due_at, ladder)
    start_by = work.deployed.package.start_by.get(effect.activity_id)
    if start_by is not None and effect.owner is None:
        _arm_begin(work, row, start_by)


def _row(
    work: Work, effect: fx.OpenTask, task_id: str, unit: str, due: reckoning.Reckoned | None
) -> dict[str, Any]:
    instance = work.instance
    owned = effect.owner is not None
    return {
        "id": task_id,
        "shard": instance.shard,
        "instance_id": instance.id,
        "definition_id": instance.definition_id,
        "process_key": instance.process_key,
        "element": effect.element,
        "activity_id": effect.activity_id,
        "name": effect.name,
        "subject": (effect.subject or instance.title)[:500],
        "item": effect.item,
        "role": effect.role,
        "unit": unit,
        "region": unit if region.is_code(unit) else instance.region,
        "owner": effect.owner,
        "status": TaskStatus.RESERVED if owned else TaskStatus.READY,
        "suspended_from": None,
        "is_open": 1,
        "no_holder": not owned and not _holders(work, effect.role, unit),
        "priority": effect.priority,
        "created_at": work.now,
        "claimed_at": work.now if owned else None,
        "due_at": due.due_at if due else None,
        "due_sort": (due.due_at if due else None) or FAR_FUTURE,
        "due_note": due.note if due else "",
        "deadline": deadline_text(effect.deadline),
        "start_by": None,
        "warn_at": due.warn_at if due else None,
        "paused_at": None,
        "calendar_version": due.calendar_version[:60] if due else None,
        "urgency": None,
        "completed_at": None,
        "completed_by": None,
        "outcome": None,
        "completion_key": None,
        "version": 1,
        "form_of": None,
        "ladder_of": None,
        "counts_as": None,
    }


def _said(effect: fx.OpenTask, unit: str, due: reckoning.Reckoned | None) -> dict[str, object]:
    """Whose it is and until when; what there is none of is left out."""
    said: dict[str, object] = {"unit": unit}
    if effect.role is not None:
        said["role"] = effect.role
    if effect.owner is not None:
        said["owner"] = effect.owner
    if due is not None and due.due_at is not None:
        said["due"] = due.due_at
    if effect.item is not None:
        said["item"] = effect.item
    return said


def _ladder(work: Work, activity_id: str, unit: str) -> Ladder | None:
    spec = work.deployed.program.node(activity_id).task
    return task_terms.here(work, work.deployed.ladder(spec.ladder if spec else None), unit)


def _held(work: Work) -> tuple[Pause, ...]:
    """Pauses of the whole case, or of its callers, that hold whatever is opened meanwhile."""
    if not work.deployed.package.pauses and work.instance.parent_id is None:
        return ()
    held = reckoning.holding(reckoning.pauses_of(work), "")
    # What is over before the task came is none of its clock's business.
    return tuple(pause for pause in held if pause.end is None or pause.end > work.now)


def _since_when(held: tuple[Pause, ...]) -> datetime | None:
    return min((pause.start for pause in held if pause.end is None), default=None)


def _due_of(
    work: Work,
    effect: fx.OpenTask,
    unit: str,
    ladder: Ladder | None,
    held: tuple[Pause, ...],
) -> reckoning.Reckoned | None:
    if effect.deadline is None:
        return None
    return reckoning.reckon(
        work, unit=unit, since=work.now, wanted=effect.deadline, ladder=ladder, held=held
    )


def _holders(work: Work, role: str | None, unit: str) -> tuple[str, ...]:
    if role is None:
        return ()
    return work.environment.seats.holders(work.tx, role, unit, work.now)


def _arm_ladder(work: Work, row: dict[str, Any], due_at: datetime, ladder: Ladder) -> None:
    calendar = work.environment.calendars.at(row["unit"])
    rung = next_rung(ladder, -1, calendar, work.now, due_at)
    if rung is not None:
        work.arm(
            kind=timers.LADDER,
            element=row["element"],
            node_id=row["activity_id"],
            at=rung[1],
            task_id=row["id"],
            rung=rung[0],
        )


def _arm_begin(work: Work, row: dict[str, Any], length: str) -> None:
    """Until when somebody must have begun it; told to the leader where nobody has."""
    calendar = work.environment.calendars.at(row["unit"])
    row["start_by"] = deadline_result(calendar, work.now, length)[0].at
    work.arm(
        kind=timers.BEGIN,
        element=row["element"],
        node_id=row["activity_id"],
        at=row["start_by"],
        task_id=row["id"],
    )


def _message_data(row: dict[str, Any]) -> dict[str, object]:
    return {
        "name": row["name"],
        "subject": row["subject"],
        "unit": row["unit"],
        "due_at": row["due_at"],
    }


def close_task(work: Work, effect: fx.CloseTask) -> None:
    """Exited, unless the verb that completed the task has said so already."""
    if effect.element in work.closed:
        return
    gathered = work.tasks.pop(effect.element, None)
    if gathered is not None:
        if gathered["due_at"] is not None:
            work.disarm(timers.LADDER, effect.element)
        # Opened and cancelled by the same command: nobody ever saw it, history still says so.
        gathered.update(is_open=0, status=TaskStatus.EXITED, completed_at=work.now, version=2)
        work.tx.write_all(human_tasks.INSERT, [gathered])
        task_id = gathered["id"]
    else:
        row = work.tx.first(
            human_tasks.OPEN_OF_ELEMENT,
            {"instance_id": work.instance.id, "element": effect.element},
        )
        if row is None:
            return
        task_id = row.id
        work.change_task(row, status=TaskStatus.EXITED, is_open=0, completed_at=work.now)
        if row.owner is not None:
            work.notify(
                "task_cancelled",
                {"kind": "participant", "id": row.owner},
                {"name": row.name, "subject": row.subject},
                task_id=row.id,
            )
    work.closed[effect.element] = work.record(
        Fact.TASK_EXITED,
        activity_id=effect.activity_id,
        task_id=task_id,
        element=effect.element,
    )


def _absorb(work: Work, element: int, fact: PendingFact) -> None:
    """A task's opening says that its node was entered; one fact is enough for both."""
    for other in reversed(work.facts):
        if other.element == element and other.kind == Fact.NODE_ENTERED:
            fact.detail.update(other.detail)
            work.facts.remove(other)
            return
