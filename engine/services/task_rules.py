"""Rules that the verbs of human tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.execution import assignment
from engine.execution.work import Work
from engine.model import region
from engine.model.actor import Actor, Seat
from engine.model.clock import local_date
from engine.model.errors import InvalidInput, InvalidState, NotFound, Stale
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus
from engine.store import participants


def fresh(row: Any, version: int | None) -> None:
    """Raises Stale when the page showed an older version."""
    if version is not None and row.version != version:
        raise Stale


def require_running(work: Work) -> None:
    """Raises InvalidState while the case is suspended."""
    if work.instance.status is InstanceStatus.SUSPENDED:
        raise InvalidState("事项已挂起，恢复后才能办理")


def require_reason(reason: str) -> None:
    """Raises InvalidInput without a reason."""
    if not reason.strip():
        raise InvalidInput("必须说明原因", {"reason": "必填"})


def require_in_reach(work: Work, unit: str) -> None:
    """Raises InvalidInput for an office that has nothing to do with the case.

    It must lie above or below the region of the case, or where the actor himself has a say.
    """
    here = work.instance.region
    if region.covers(unit, here) or region.covers(here, unit) or work.actor.sees(unit):
        return
    raise InvalidInput("不能转给与本事项无关的单位", {"unit": "不能转给与本事项无关的单位"})


def receiver(work: Work, row: Any, to: str) -> Actor:
    """Who gets the task, with no seats: he must hold its office, or see its case where it has none.

    Raises NotFound, InvalidInput.
    """
    person = work.tx.first(participants.BY_ID, {"participant_id": to})
    if person is None or not person.active:
        raise NotFound("没有这个人员，或已停用")
    found = Actor(id=person.id, name=person.name)
    if row.role is not None:
        holders = work.environment.seats.holders(work.tx, row.role, row.unit, work.now)
        fits = to in holders
    else:
        fits = assignment.sees(work, replace(found, seats=_seats(work, to)))
    if not fits:
        raise InvalidInput(f"{person.name}没有在该单位任此岗位", {"to": "没有在该单位任此岗位"})
    return found


def _seats(work: Work, participant_id: str) -> tuple[Seat, ...]:
    asked = {"participant_id": participant_id, "today": local_date(work.now)}
    return tuple(
        Seat(role=seat.role, unit=seat.unit, since=seat.since, until=seat.until)
        for seat in work.tx.rows(participants.SEATS, asked)
    )


def chosen_outcome(
    work: Work, row: Any, outcome: str | None, data: Mapping[str, object]
) -> str | None:
    """The outcome, if the task offers it and what it requires is filled. Raises InvalidInput."""
    options = {option.id: option for option in assignment.spec_of(work, row).outcomes}
    if not options:
        return None
    if outcome not in options:
        raise InvalidInput("请选择办理结果", {"outcome": "请选择办理结果"})
    required = options[outcome].requires
    if required is not None and not str(data.get(required) or "").strip():
        raise InvalidInput(f"选择“{options[outcome].name}”时必须填写", {required: "必填"})
    return outcome


def take(work: Work, row: Any, status: TaskStatus) -> None:
    """Make the task the actor's own."""
    work.change_task(
        row,
        status=status,
        owner=row.owner or work.actor.id,
        # Stays empty for an owner the model named: he needs no seat (`assignment.require`).
        claimed_at=row.claimed_at if row.owner else work.now,
        no_holder=False,
    )


def told(
    work: Work,
    row: Any,
    fact: Fact,
    detail: Mapping[str, object] | None = None,
    *,
    element: int | None = None,
) -> Any:
    """Record a fact about the task."""
    return work.record(
        fact, activity_id=row.activity_id, task_id=row.id, detail=detail, element=element
    )


def message_data(row: Any) -> dict[str, object]:
    """What a message about the task says."""
    return {"name": row.name, "subject": row.subject, "unit": row.unit, "due_at": row.due_at}
