"""Taking back a completed task from the page of its case."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, request
from werkzeug.wrappers import Response

from engine import Actor, TaskRow
from webforms.database import engine
from webforms.processes.blueprint import blueprint
from webforms.shell.page import current_actor, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

MAXIMUM_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A task that the reader may take back now."""

    id: str
    name: str
    subject: str


def offers(instance_id: str, actor: Actor, tasks: tuple[TaskRow, ...]) -> tuple[Offer, ...]:
    """What he can take back of this case, the newest first."""
    known = {row.id: row for row in tasks}
    return tuple(
        Offer(id=row.id, name=row.name, subject=row.subject)
        for task_id in engine().tasks.withdrawable(instance_id, actor)
        if (row := known.get(task_id)) is not None
    )


@blueprint.post("/tasks/<task_id>/withdraw")
@requires()
def withdraw(task_id: str) -> Response:
    """Take it back with a reason; then its form is open again with what he had written."""
    reason = request.form.get("reason", "").strip()[:MAXIMUM_REASON]
    again = engine().tasks.withdraw(task_id, current_actor(), reason)
    flash(gettext("已撤回，上次填写的内容还在，请修改后重新提交"), "success")
    return see_other("worklist.task", task_id=again)
