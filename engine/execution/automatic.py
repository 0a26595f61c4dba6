"""A task done by the engine, where the law lets silence decide (a notice nobody objected to)."""

from __future__ import annotations

from typing import Any

from engine.execution import policy_guard, settle, task_terms
from engine.execution.work import Work
from engine.kernel.triggers import TaskCompleted
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.package import Rung


def complete(work: Work, row: Any, rung: Rung) -> None:
    """The task is over with the rung's outcome and the case goes on.

    The gate lets no such rung stand for a task that is kept from its doers by separation of
    duties, that runs an operation, or that does not offer the outcome; a task that came by an
    older version is left to people.
    """
    spec = task_terms.spec_of(work, row)
    outcomes = {option.id for option in spec.outcomes}
    forbidden = spec.different_from or spec.excluded_by or spec.operation
    if forbidden or (rung.outcome is not None and rung.outcome not in outcomes):
        return
    work.change_task(
        row,
        status=TaskStatus.COMPLETED,
        is_open=0,
        completed_at=work.now,
        outcome=rung.outcome,
        urgency=rung.action,
        no_holder=False,
    )
    policy_guard.completed(work, row.activity_id, rung.outcome, {})
    work.closed[row.element] = work.record(
        Fact.TASK_COMPLETED,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"outcome": rung.outcome, "automatic": rung.at, "reason": "期满无人提出，自动办结"},
        element=row.element,
    )
    settle.advance(
        work, TaskCompleted(at=work.now, element=row.element, outcome=rung.outcome, by=None)
    )
