"""Climbing the escalation ladder of a task, one rung a firing (WS-HumanTask 1.1 §4.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.execution import automatic, case_clock, pauses, reckoning, supervision, task_terms
from engine.execution.deadlines import next_rung
from engine.execution.work import Work
from engine.model import region
from engine.model.calendar import Pause
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.package import LadderAction, Rung
from engine.store import human_tasks, timers

_FACTS = {
    LadderAction.REMIND: (Fact.TASK_REMINDED, "task_reminder"),
    LadderAction.OVERDUE: (Fact.TASK_OVERDUE, "task_overdue"),
    LadderAction.URGE: (Fact.TASK_URGED, "task_urged"),
    LadderAction.SUPERVISE: (Fact.TASK_SUPERVISED, "task_supervised"),
    LadderAction.CIRCULATE: (Fact.TASK_CIRCULATED, "task_circulated"),
}


def fire(work: Work, timer: Any) -> None:
    """What a timer that belongs to no event of the model means."""
    _FIRED[timer.kind](work, timer)


def climb(work: Work, timer: Any) -> None:
    """Do what the rung says for its task, if that is still open, and arm the next rung."""
    row = work.tx.first(human_tasks.BY_ID, {"task_id": timer.task_id})
    if row is None or not row.is_open or row.due_at is None:
        return
    ladder = task_terms.ladder_of(work, row)
    if ladder is None or timer.rung >= len(ladder.rungs):
        return
    rung = ladder.rungs[timer.rung]
    if rung.action is LadderAction.AUTO:
        automatic.complete(work, row, rung)
        return
    unit = _act(work, row, rung)
    held: tuple[Pause, ...] = ()
    if work.deployed.package.pauses or work.instance.parent_id is not None:
        held = reckoning.holding(reckoning.pauses_of(work), row.id)
    calendar = work.environment.calendars.at(unit or work.instance.region)
    following = next_rung(ladder, timer.rung, calendar, row.created_at, row.due_at, held)
    if following is not None:
        work.arm(
            kind=timers.LADDER,
            element=row.element,
            node_id=row.activity_id,
            at=following[1],
            task_id=row.id,
            rung=following[0],
        )


def not_begun(work: Work, timer: Any) -> None:
    """Tell the leader that nobody has begun a task in time."""
    row = work.tx.first(human_tasks.BY_ID, {"task_id": timer.task_id})
    if row is None or not row.is_open or row.status != TaskStatus.READY:
        return
    receivers = audiences(work, row, ("owner", "leader"))
    work.record(
        Fact.TASK_BEGUN_LATE,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"due": row.start_by, "receivers": len(receivers)},
    )
    for audience in receivers:
        work.notify("task_not_begun", audience, _data(row, "start"), task_id=row.id)


def _act(work: Work, row: Any, rung: Rung) -> str | None:
    """Carry the rung out; the unit that has the task afterwards."""
    if rung.action is LadderAction.REASSIGN:
        return _reassign(work, row, rung)
    fact, message = _FACTS[rung.action]
    work.change_task(row, urgency=rung.action)
    receivers = audiences(work, row, rung.audience)
    work.record(
        fact,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"rung": rung.at, "due": row.due_at, "receivers": len(receivers)},
    )
    for audience in receivers:
        work.notify(message, audience, _data(row, rung.at), task_id=row.id)
    if rung.action is LadderAction.SUPERVISE:
        supervision.issue(work, row, reply=rung.reply)
    unit: str | None = row.unit
    return unit


def _reassign(work: Work, row: Any, rung: Rung) -> str | None:
    """The office that the rung names takes over; where there is none, all stays as it is."""
    here: str | None = row.unit
    found = [one for one in audiences(work, row, rung.audience) if one["kind"] == "role"]
    if not found:
        return here
    to = found[0]
    holders = work.environment.seats.holders(work.tx, to["role"], to["unit"], work.now)
    work.change_task(
        row,
        urgency=rung.action,
        status=TaskStatus.READY,
        owner=None,
        claimed_at=None,
        role=to["role"],
        unit=to["unit"],
        no_holder=not holders,
    )
    work.record(
        Fact.TASK_REASSIGNED,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"rung": rung.at, "due": row.due_at, "role": to["role"], "unit": to["unit"]},
    )
    work.notify("task_opened", to, _data(row, rung.at), task_id=row.id)
    if row.owner is not None:
        work.notify(
            "task_cancelled",
            {"kind": "participant", "id": row.owner},
            {"name": row.name, "subject": row.subject},
            task_id=row.id,
        )
    return to["unit"]


def _data(row: Any, rung: str) -> dict[str, object]:
    return {
        "name": row.name,
        "subject": row.subject,
        "unit": row.unit,
        "due_at": row.due_at,
        "rung": rung,
    }


def audiences(work: Work, row: Any, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Whom a rung means: `owner`, `leader`, `superior` or a role at the acting unit; no doubles."""
    found: list[dict[str, str]] = []
    for name in names:
        for audience in _audience(work, row, name):
            if audience not in found:
                found.append(audience)
    return found


def _audience(work: Work, row: Any, name: str) -> list[dict[str, str]]:
    unit = row.unit or work.instance.region
    if name == "owner":
        if row.owner is not None:
            return [{"kind": "participant", "id": row.owner}]
        return [case_clock.seat(row.role, unit)] if row.role else []
    if name == "leader":
        role = work.deployed.leader_role(unit) if region.is_code(unit) else None
        # Without a leader of its own the unit's superior is the next who must know.
        return [case_clock.seat(role, unit)] if role else case_clock.superior(work, unit)
    if name == "superior":
        return case_clock.superior(work, unit)
    return [case_clock.seat(name, unit)]


_FIRED: dict[str, Callable[[Work, Any], None]] = {
    timers.LADDER: climb,
    timers.BEGIN: not_begun,
    timers.CASE: case_clock.climb,
    timers.PAUSE: pauses.limit_reached,
}
