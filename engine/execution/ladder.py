"""Climbing the escalation ladder of a task, one rung a firing (WS-HumanTask 1.1 §4.9)."""

from __future__ import annotations

from typing import Any

from engine.execution import task_terms
from engine.execution.deadlines import next_rung
from engine.execution.work import Work
from engine.model import region
from engine.model.clock import local_date
from engine.model.facts import Fact
from engine.model.package import LadderAction, Rung
from engine.store import human_tasks, participants, timers

_FACTS = {
    LadderAction.REMIND: (Fact.TASK_REMINDED, "task_reminder"),
    LadderAction.OVERDUE: (Fact.TASK_OVERDUE, "task_overdue"),
    LadderAction.URGE: (Fact.TASK_URGED, "task_urged"),
    LadderAction.SUPERVISE: (Fact.TASK_SUPERVISED, "task_supervised"),
    LadderAction.CIRCULATE: (Fact.TASK_CIRCULATED, "task_circulated"),
}


def climb(work: Work, timer: Any) -> None:
    """Do what the rung says for its task, if that is still open, and arm the next rung."""
    row = work.tx.first(human_tasks.BY_ID, {"task_id": timer.task_id})
    if row is None or not row.is_open or row.due_at is None:
        return
    ladder = task_terms.ladder_of(work, row)
    if ladder is None or timer.rung >= len(ladder.rungs):
        return
    rung = ladder.rungs[timer.rung]
    _act(work, row, rung)
    calendar = work.environment.calendars.at(row.unit or work.instance.region)
    following = next_rung(ladder, timer.rung, calendar, row.created_at, row.due_at)
    if following is not None:
        work.arm(
            kind=timers.LADDER,
            element=row.element,
            node_id=row.activity_id,
            at=following[1],
            task_id=row.id,
            rung=following[0],
        )


def _act(work: Work, row: Any, rung: Rung) -> None:
    fact, message = _FACTS[rung.action]
    work.change_task(row, urgency=rung.action)
    receivers = audiences(work, row, rung.audience)
    work.record(
        fact,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"rung": rung.at, "due": row.due_at, "receivers": len(receivers)},
    )
    data = {
        "name": row.name,
        "subject": row.subject,
        "unit": row.unit,
        "due_at": row.due_at,
        "rung": rung.at,
    }
    for audience in receivers:
        work.notify(message, audience, data, task_id=row.id)


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
        return [_seat(row.role, unit)] if row.role else []
    if name == "leader":
        role = work.deployed.leader_role(unit) if region.is_code(unit) else None
        # Without a leader of its own the unit's superior is the next who must know.
        return [_seat(role, unit)] if role else _superior(work, unit)
    if name == "superior":
        return _superior(work, unit)
    return [_seat(name, unit)]


def _superior(work: Work, unit: str) -> list[dict[str, str]]:
    above = region.parent(unit) if region.is_code(unit) else None
    if above is None:
        return []
    desk = work.deployed.desk_role(above)
    if desk is not None:
        return [_seat(desk, above)]
    rows = work.tx.rows(participants.ROLES_AT, {"unit": above, "today": local_date(work.now)})
    return [_seat(row.role, above) for row in rows if row.role in work.deployed.package.roles]


def _seat(role: str, unit: str) -> dict[str, str]:
    return {"kind": "role", "role": role, "unit": unit}
