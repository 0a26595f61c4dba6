"""The clock of a task: paused with a reason and its proof, let go; a late office supervised."""

from __future__ import annotations

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import errors
from webforms.database import engine
from webforms.shell import paging
from webforms.shell.page import current_actor, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.worklist.blueprint import blueprint
from webforms.worklist.pages import render_task
from webforms.worklist.task_page import open_page

MOST_NOTE = 1000
MOST_FILES = 10


@blueprint.post("/tasks/<task_id>/pause")
@requires()
def pause(task_id: str) -> Response:
    """Let the clock stand still; what is wrong brings the page back with what was typed."""
    page = open_page(task_id)
    reason = request.form.get("reason", "")
    note = request.form.get("note", "").strip()[:MOST_NOTE]
    if "pause" not in page.task.verbs:
        # The engine says why, before anything is stored.
        engine().deadlines.pause(task_id, page.actor, reason=reason, note=note)
    try:
        engine().deadlines.pause(
            task_id,
            page.actor,
            reason=reason,
            note=note,
            evidence=stored_evidence(task_id),
            version=version(),
        )
    except errors.InvalidInput as error:
        page.pause_faults = error.fields or {"reason": error.message}
        page.typed = {"pause_reason": reason, "pause_note": note}
        return make_response(render_task(page), error.http_status)
    flash(gettext("已暂停计时，恢复后到期日顺延"), "success")
    return see_other("worklist.task", task_id=task_id, _anchor="clock")


@blueprint.post("/tasks/<task_id>/continue")
@requires()
def go_on(task_id: str) -> Response:
    """Let the clock run again."""
    engine().deadlines.resume(
        task_id, current_actor(), note=request.form.get("note", ""), version=version()
    )
    flash(gettext("已恢复计时，到期日已重新计算"), "success")
    return see_other("worklist.task", task_id=task_id, _anchor="clock")


@blueprint.post("/tasks/<task_id>/supervise")
@requires()
def supervise(task_id: str) -> Response:
    """A supervision slip to whoever is late."""
    slip = engine().supervision.issue(
        task_id, current_actor(), demand=request.form.get("demand", ""), version=version()
    )
    flash(gettext("已下达督办单"), "success")
    return see_other("worklist.slip", slip_id=slip)


def stored_evidence(task_id: str | None = None, instance_id: str | None = None) -> list[str]:
    """Ids of the files that came with the form."""
    uploads = [one for one in request.files.getlist("evidence") if one.filename][:MOST_FILES]
    return [
        engine()
        .tasks.attach(
            current_actor(),
            name=one.filename or "file",
            content=one.read(),
            task_id=task_id,
            instance_id=instance_id,
        )
        .id
        for one in uploads
    ]


def version() -> int:
    """The version of the task that the page showed. Raises Stale."""
    found = paging.whole(request.form.get("version", ""))
    if found is None:
        raise errors.Stale
    return found
