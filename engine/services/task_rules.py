"""Rules that the verbs of human tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.execution import assignment
from engine.execution.work import Work
from engine.model.errors import InvalidInput, InvalidState, Stale
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus


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
