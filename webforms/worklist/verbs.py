"""Every verb of a task as a POST: one engine call, then 303; mistakes bring the page back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import flash, g, make_response, request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.wrappers import Response

from engine import Completed, OutcomeOption, errors
from webforms.database import engine
from webforms.forms.binding import Fault
from webforms.shell import paging
from webforms.shell.page import current_actor, see_other, wants_fragment
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.worklist import drafts
from webforms.worklist.blueprint import blueprint
from webforms.worklist.pages import render_task
from webforms.worklist.task_page import TaskPage, open_page, refused

REASON = "reason"
MAXIMUM_REASON = 1000
MAXIMUM_KEY = 64
MAXIMUM_ARGS = 400
#: refusals that somebody can do something about on this very page
COMES_BACK = (
    errors.InvalidInput,
    errors.InvalidState,
    errors.AlreadyExists,
    errors.SeparationOfDuties,
)


@blueprint.post("/tasks/<task_id>/complete")
@requires()
def complete(task_id: str) -> Response:
    """Send the form with one of the outcomes; wrong → the page again (422) with a summary."""
    page = _posted(task_id)
    outcome = _outcome(page, request.form.get("outcome", ""))
    data = checked(page, outcome)
    if data is None:
        return make_response(render_task(page), 422)
    try:
        done = engine().tasks.complete(
            task_id,
            page.actor,
            data,
            outcome=outcome.id or None,
            version=_version(),
            key=page.key,
        )
    except COMES_BACK as error:
        return _again(page, error)
    flash(
        gettext("“%(task)s”已办结：%(outcome)s", task=page.task.name, outcome=outcome.name),
        "success",
    )
    return _onwards(done)


@blueprint.post("/tasks/<task_id>/draft")
@requires()
def draft(task_id: str) -> Response:
    """Keep what is typed, right or wrong."""
    page = _posted(task_id)
    raw = drafts.kept(page.bound)
    if page.typed.get(REASON):
        raw[REASON] = page.typed[REASON]
    engine().tasks.save_draft(task_id, page.actor, raw)
    flash(gettext("已暂存，只有您能看到"), "success")
    return see_other("worklist.task", task_id=task_id)


@blueprint.post("/tasks/<task_id>/claim")
@requires()
def claim(task_id: str) -> Response:
    """Take the task so that no colleague does it, too."""
    engine().tasks.claim(task_id, current_actor(), version=_version())
    flash(gettext("已签收"), "success")
    return see_other("worklist.task", task_id=task_id)


@blueprint.post("/tasks/<task_id>/release")
@requires()
def release(task_id: str) -> Response:
    """Give it back to the office."""
    engine().tasks.release(task_id, current_actor(), version=_version())
    flash(gettext("已退签，同岗位的人可以签收"), "success")
    return see_other("worklist.inbox")


@blueprint.post("/tasks/<task_id>/return")
@requires()
def return_to(task_id: str) -> Response:
    """Send the case back to an earlier step, with a reason."""
    page = _posted(task_id)
    reason = page.typed.get(REASON, "")
    activity = request.form.get("activity", "")
    faults = []
    if activity not in dict(page.task.returns):
        faults.append(
            Fault(id="return-activity", label=gettext("退回到"), message=gettext("请选择环节"))
        )
    if not reason:
        faults.append(
            Fault(id="return-reason", label=gettext("退回原因"), message=gettext("此项必填"))
        )
    if faults:
        page.faults = faults
        return make_response(render_task(page), 422)
    engine().runtime.return_to(task_id, activity, page.actor, reason, version=_version())
    flash(gettext("已退回到“%(step)s”", step=dict(page.task.returns)[activity]), "success")
    return see_other("worklist.inbox")


@blueprint.post("/tasks/<task_id>/hand-over")
@requires()
def hand_over(task_id: str) -> Response:
    """Give the task to a colleague: `delegate` (he does it for me) or `nominate` (by a leader)."""
    page = _posted(task_id)
    to, verb = request.form.get("to", ""), request.form.get("verb", "")
    tasks = engine().tasks
    verbs = {"delegate": tasks.delegate, "nominate": tasks.nominate}
    if verb not in verbs or to not in dict(page.colleagues):
        page.faults = [Fault(id="to", label=gettext("交给"), message=gettext("请选择接办的人"))]
        return make_response(render_task(page), 422)
    verbs[verb](task_id, page.actor, to, reason=page.typed.get(REASON, ""), version=_version())
    flash(gettext("已交给 %(name)s", name=dict(page.colleagues)[to]), "success")
    return see_other("worklist.inbox")


@blueprint.post("/tasks/<task_id>/forward")
@requires()
def forward(task_id: str) -> Response:
    """Let another office do it: the same role at another unit."""
    page = _posted(task_id)
    unit = request.form.get("unit", "").strip()
    try:
        engine().tasks.forward(
            task_id,
            page.actor,
            unit=unit,
            reason=page.typed.get(REASON, ""),
            version=_version(),
        )
    except errors.InvalidInput as error:
        page.faults = [Fault(id="forward-unit", label=gettext("转办单位"), message=error.message)]
        return make_response(render_task(page), 422)
    flash(gettext("已转办"), "success")
    return see_other("worklist.inbox")


@blueprint.post("/tasks/<task_id>/comments")
@requires()
def comment(task_id: str) -> Response:
    """Leave a remark on the case."""
    engine().worklist.task(task_id, current_actor())
    text = request.form.get("text", "").strip()
    if text:
        engine().tasks.comment(current_actor(), text, task_id=task_id)
        flash(gettext("已添加批注"), "success")
    return see_other("worklist.task", task_id=task_id, _anchor="comments")


@blueprint.post("/tasks/<task_id>/attachments")
@requires()
def attach(task_id: str) -> Response:
    """Put files to the case; each is checked by its content."""
    engine().worklist.task(task_id, current_actor())
    stored = [
        _attach(task_id, upload) for upload in request.files.getlist("files") if upload.filename
    ]
    if stored:
        flash(gettext("已上传 %(n)s 个文件", n=len(stored)), "success")
    return see_other("worklist.task", task_id=task_id, _anchor="files")


@blueprint.post("/tasks/<task_id>/actions/<operation>")
@requires()
def act(task_id: str, operation: str) -> Response:
    """Run one of the operations the model lists for this task; the task stays open.

    Form fields become the data; several values of one name a list; uploaded files are stored
    first, their ids stand under the field's name.  htmx gets the panels again.
    """
    # Strangers learn nothing, and nothing of theirs is stored: not found before anything else.
    engine().worklist.task(task_id, current_actor())
    data = _action_data(task_id)
    try:
        engine().tasks.perform(task_id, current_actor(), operation, data)
    except COMES_BACK as error:
        # The panel shows again what was typed, with the faults beside (components/inputs.html).
        g.faults = error.fields if isinstance(error, errors.InvalidInput) else {}
        g.refusal = "" if g.faults else error.message
        page = open_page(task_id)
        if wants_fragment():
            return make_response(str(page.panels()), error.http_status)
        return _again(page, error)
    if wants_fragment():
        return make_response(str(open_page(task_id).panels()))
    flash(gettext("已保存"), "success")
    anchor = request.form.get("anchor") or None
    return see_other("worklist.task", task_id=task_id, _anchor=anchor, **_shown_part())


def _shown_part() -> dict[str, str]:
    """Which part of a long panel was open: the page comes back with the same query."""
    pairs = parse_qsl(request.form.get("_args", "")[:MAXIMUM_ARGS])
    return {
        key: value
        for key, value in paging.plain(dict(pairs)).items()
        if key.isidentifier() and key != "task_id"
    }


def _again(page: TaskPage, error: errors.Rejected) -> Response:
    """The page with what was typed and why it could not be."""
    if isinstance(error, errors.InvalidInput):
        refused(page, error)
    else:
        page.bound.faults.append(Fault(id="", label="", message=error.message))
    return make_response(render_task(page), error.http_status)


def _posted(task_id: str) -> TaskPage:
    """The page with what was sent; uploaded files are stored before anything else may fail."""
    page = open_page(task_id, posted=MultiDict(request.form))
    page.key = request.form.get("key", "")[:MAXIMUM_KEY] or page.key
    page.typed = {REASON: request.form.get(REASON, "").strip()[:MAXIMUM_REASON]}
    if page.editable:
        page.bound.attach(request.files, lambda upload: _attach(task_id, upload))
        files = engine().tasks.attachments(page.actor, task_id=task_id)
        page.attachments = {file.id: file for file in files}
    return page


def _attach(task_id: str, upload: FileStorage) -> str:
    stored = engine().tasks.attach(
        current_actor(), name=upload.filename or "file", content=upload.read(), task_id=task_id
    )
    return stored.id


def _outcome(page: TaskPage, wanted: str) -> OutcomeOption:
    for option in page.outcomes:
        if option.id == wanted:
            return option
    raise errors.InvalidInput("请用页面下方的按钮提交")


def checked(page: TaskPage, outcome: OutcomeOption) -> dict[str, Any] | None:
    """The data to send, or None with the faults on the page."""
    right = page.bound.validate()
    data = page.bound.data()
    if not right and outcome.tone == "danger":
        # A return must not wait until the whole form is right: only its reason counts.
        page.bound.faults, data, right = [], {}, True
    if outcome.requires and not data.get(outcome.requires):
        reason = page.typed.get(REASON, "")
        if not reason:
            page.bound.faults.append(
                Fault(
                    id=REASON,
                    label=gettext("原因"),
                    message=gettext("选择“%(o)s”时必须填写", o=outcome.name),
                )
            )
            return None
        data[outcome.requires] = reason
    return data if right else None


def _action_data(task_id: str) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name in request.form:
        if name in {"csrf_token", "anchor"} or name.startswith("_"):
            continue
        values = request.form.getlist(name)
        data[name] = values if len(values) > 1 or name.endswith("[]") else values[0]
    for name in request.files:
        ids = [_attach(task_id, one) for one in request.files.getlist(name) if one.filename]
        if ids:
            data[name] = ids
    return data


def _version() -> int:
    version = paging.whole(request.form.get("version", ""))
    if version is None:
        raise errors.Stale
    return version


def _onwards(done: Completed) -> Response:
    """To the next task of the same case where it is mine, else back to the list."""
    if done.next_tasks:
        return see_other("worklist.task", task_id=done.next_tasks[0])
    return see_other("worklist.inbox")
