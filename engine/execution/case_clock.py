"""The clock of a whole case: begun with it, held by its pauses, with a ladder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.execution import reckoning, supervision, task_terms
from engine.execution.deadlines import first_rung_from, next_rung
from engine.execution.work import Work
from engine.model import region
from engine.model.clock import local_date
from engine.model.facts import Fact
from engine.model.package import Ladder, LadderAction
from engine.store import human_tasks, participants, pauses, timers
from engine.store.base import FAR_FUTURE

MESSAGES = {
    LadderAction.REMIND: "task_reminder",
    LadderAction.OVERDUE: "task_overdue",
    LadderAction.URGE: "task_urged",
    LadderAction.SUPERVISE: "task_supervised",
    LadderAction.CIRCULATE: "task_circulated",
}
"""What a rung of a case says; the other actions need a task, and the gate lets none through."""


def follow(work: Work) -> None:
    """Begin the clock with the case, stop it with its end."""
    if work.deployed.package.case_deadline is None:
        return
    if any(fact.kind == Fact.INSTANCE_STARTED for fact in work.facts):
        _begin(work)
    if work.instance.ended_at is not None:
        row = of(work)
        if row is not None:
            _write(work, row, is_open=0)
            work.disarm(timers.CASE, timers.WHOLE_CASE)


def of(work: Work) -> Any:
    """The clock of the case, if it has one."""
    return work.tx.first(pauses.CLOCK_OF, {"instance_id": work.instance.id})


def _begin(work: Work) -> None:
    asked = work.deployed.package.case_deadline
    assert asked is not None
    ladder = _ladder(work, asked.ladder)
    clock = reckoning.reckon(
        work,
        unit=work.instance.region,
        since=work.instance.started_at,
        wanted=asked.deadline,
        ladder=ladder,
    )
    work.tx.write(
        pauses.CLOCK_INSERT,
        {
            "instance_id": work.instance.id,
            "shard": work.instance.shard,
            "process_key": work.instance.process_key,
            "region": work.instance.region,
            "is_open": 1,
            "since": work.instance.started_at,
            "deadline": asked.deadline,
            "ladder": asked.ladder,
            "due_at": clock.due_at,
            "due_sort": clock.due_at or FAR_FUTURE,
            "warn_at": clock.warn_at,
            "due_note": clock.note,
            "calendar_version": clock.calendar_version[:60],
            "urgency": None,
        },
    )
    _arm(work, ladder, work.instance.started_at, clock.due_at, ())


def recount(work: Work, rows: Sequence[Any], reason: str | None = None) -> datetime | None:
    """Count the clock again from its pauses and today's calendar; when the case is due."""
    row = of(work)
    if row is None or not row.is_open:
        return None
    held = reckoning.holding(rows, None)
    ladder = _ladder(work, row.ladder)
    again = reckoning.reckon(
        work,
        unit=work.instance.region,
        since=row.since,
        wanted=row.deadline,
        ladder=ladder,
        held=held,
    )
    if again.due_at != row.due_at or again.calendar_version != row.calendar_version:
        _write(
            work,
            row,
            due_at=again.due_at,
            due_sort=again.due_at or FAR_FUTURE,
            warn_at=again.warn_at,
            due_note=again.note,
            calendar_version=again.calendar_version[:60],
        )
    if again.due_at != row.due_at:
        work.disarm(timers.CASE, timers.WHOLE_CASE)
        _arm(work, ladder, row.since, again.due_at, held)
        if reason is not None:
            work.record(
                Fact.CASE_DUE_CHANGED,
                detail={"from": row.due_at, "to": again.due_at, "reason": reason},
            )
    return again.due_at


def climb(work: Work, timer: Any) -> None:
    """Do what the rung says for the case, and arm the next."""
    row = of(work)
    if row is None or not row.is_open or row.due_at is None:
        return
    ladder = _ladder(work, row.ladder)
    if ladder is None or timer.rung >= len(ladder.rungs):
        return
    rung = ladder.rungs[timer.rung]
    _write(work, row, urgency=rung.action)
    receivers = _receivers(work, rung.audience)
    work.record(
        Fact.CASE_ESCALATED,
        detail={"rung": rung.at, "name": TITLES[rung.action], "due": row.due_at},
    )
    data = {
        "name": work.deployed.title,
        "subject": work.instance.title,
        "unit": work.instance.region,
        "due_at": row.due_at,
        "rung": rung.at,
    }
    for audience in receivers:
        work.notify(MESSAGES[rung.action], audience, data)
    if rung.action is LadderAction.SUPERVISE:
        supervision.issue_of_case(work, row, answerable(work), reply=rung.reply)
    held = reckoning.holding(reckoning.pauses_of(work), None)
    calendar = work.environment.calendars.at(work.instance.region)
    following = next_rung(ladder, timer.rung, calendar, row.since, row.due_at, held)
    if following is not None:
        _arm_at(work, *following)


TITLES = {
    LadderAction.REMIND: "临期提醒",
    LadderAction.OVERDUE: "超期",
    LadderAction.URGE: "催办",
    LadderAction.SUPERVISE: "督办",
    LadderAction.CIRCULATE: "通报",
}


def _ladder(work: Work, name: str) -> Ladder | None:
    return task_terms.here(work, work.deployed.ladder(name), work.instance.region)


def _arm(
    work: Work, ladder: Ladder | None, since: datetime, due_at: datetime | None, held: Any
) -> None:
    if ladder is None or due_at is None:
        return
    calendar = work.environment.calendars.at(work.instance.region)
    rung = first_rung_from(ladder, calendar, since, due_at, work.now, held)
    if rung is not None:
        _arm_at(work, *rung)


def _arm_at(work: Work, number: int, at: datetime) -> None:
    work.arm(kind=timers.CASE, element=timers.WHOLE_CASE, node_id="", at=at, rung=number)


_CHANGED = (
    "due_at", "due_sort", "warn_at", "due_note", "calendar_version", "urgency", "is_open",
)  # fmt: skip


def _write(work: Work, row: Any, **changes: Any) -> None:
    values = {name: getattr(row, name) for name in _CHANGED} | changes
    work.tx.write(pauses.CLOCK_CHANGE, {"of_instance": row.instance_id, **values})


def _receivers(work: Work, names: tuple[str, ...]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for name in names:
        for audience in _audience(work, name):
            if audience not in found:
                found.append(audience)
    return found


def _audience(work: Work, name: str) -> list[dict[str, str]]:
    unit = work.instance.region
    if name == "owner":
        # Of a case: whoever has its open tasks now.
        rows = work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
        return [
            {"kind": "participant", "id": row.owner} if row.owner else seat(row.role, row.unit)
            for row in rows
            if row.owner or row.role
        ]
    if name == "leader":
        role = work.deployed.leader_role(unit) if region.is_code(unit) else None
        return [seat(role, unit)] if role else superior(work, unit)
    return superior(work, unit) if name == "superior" else [seat(name, unit)]


def answerable(work: Work) -> supervision.Addressee:
    """Who answers for the case: who leads its unit, else whoever has its oldest open task."""
    unit = work.instance.region
    leader = work.deployed.leader_role(unit) if region.is_code(unit) else None
    if leader and work.environment.seats.holders(work.tx, leader, unit, work.now):
        return supervision.Addressee(owner=None, role=leader, unit=unit)
    rows = work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
    for row in sorted(rows, key=lambda one: one.id):
        if row.owner or row.role:
            return supervision.Addressee(owner=row.owner, role=row.role, unit=row.unit or unit)
    return supervision.Addressee(owner=None, role=leader, unit=unit)


def superior(work: Work, unit: str) -> list[dict[str, str]]:
    """Who receives what goes up from this unit."""
    above = region.parent(unit) if region.is_code(unit) else None
    if above is None:
        return []
    desk = work.deployed.desk_role(above)
    if desk is not None:
        return [seat(desk, above)]
    rows = work.tx.rows(participants.ROLES_AT, {"unit": above, "today": local_date(work.now)})
    return [seat(row.role, above) for row in rows if row.role in work.deployed.package.roles]


def seat(role: str, unit: str) -> dict[str, str]:
    """An office as an audience."""
    return {"kind": "role", "role": role, "unit": unit}
