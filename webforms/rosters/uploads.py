"""Many households at once from Excel: the upload, how far a large table is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import TaskView, errors
from webforms.database import engine
from webforms.rosters import board, importing
from webforms.shell import paging
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l
from workflows.domain import roster_export, roster_import, roster_import_run
from workflows.domain.roster_import_run import ImportState, RosterImport

#: so many rows are imported while the clerk waits
AT_ONCE = 300
REFRESH_SECONDS = 2
PAGE_SIZE = 50
STATES = {
    ImportState.WAITING: (_l("等待导入"), "info"),
    ImportState.RUNNING: (_l("正在导入"), "info"),
    ImportState.DONE: (_l("已导入"), "ok"),
    ImportState.REFUSED: (_l("未导入"), "bad"),
}


def upload_page(task: TaskView, faults: Mapping[str, str] | None = None, message: str = "") -> str:
    """Where a filled template is uploaded; every wrong cell with its row; earlier uploads."""
    return _page(task, faults=faults or {}, message=message)


def upload(task: TaskView) -> Response:
    """All rows or none: a small table now, a large one behind the page."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return make_response(upload_page(task, message=gettext("请选择文件")), 422)
    actor, content = current_actor(), sent.read()
    try:
        total = roster_import.count_rows(content)
        # Not among the files of the case: the table is full of numbers, and only its lines count.
        kept = engine().tasks.attach(actor, name=sent.filename, content=content)
        if total > AT_ONCE:
            return see_other("rosters.import_progress", import_id=_begin(task, kept.id, total))
        done = engine().tasks.perform(task.id, actor, "roster.import_lines", {"file": kept.id})
    except (errors.InvalidInput, errors.InvalidState) as wrong:
        fields = wrong.fields if isinstance(wrong, errors.InvalidInput) else {}
        return make_response(upload_page(task, fields, wrong.message), wrong.http_status)
    flash(gettext("已导入 %(n)s 户", n=done["lines"]), "success")
    told = done["warnings"]
    if not isinstance(told, list) or not told:
        return see_other("worklist.task", task_id=task.id, _anchor="panels")
    return make_response(_page(task, warnings=told))


def progress_page(import_id: str) -> Response:
    """The import for whoever may see it; while it goes on, the page asks again by itself."""
    actor = current_actor()
    after = paging.whole(paging.cursor() or "") or 0
    with engine().read() as session:
        found = roster_import_run.see(session, import_id, actor)
        rows = roster_import_run.faults(session, import_id, after=after, limit=PAGE_SIZE + 1)
        session.expunge_all()
    more = len(rows) > PAGE_SIZE
    still = "still" in request.args
    answer = make_response(
        render(
            "rosters/import_progress.html",
            run=found,
            written=max(found.written, importing.written_here.get(found.id, 0)),
            state=STATES[found.standing][0],
            tone=STATES[found.standing][1],
            uploader=_name(found.uploaded_by),
            may_correct=_is_open(found.task_id),
            faults=[one for _, one in rows[:PAGE_SIZE]],
            older=paging.link(cursor=str(rows[PAGE_SIZE - 1][0])) if more else None,
            first=paging.link(cursor=None) if after else None,
            still=still,
            seconds=REFRESH_SECONDS,
        )
    )
    if found.standing.is_open and not still:
        # A header, so that the page needs no script and a reader of the page meets no timer in it.
        answer.headers["Refresh"] = str(REFRESH_SECONDS)
    return answer


def faults_file(import_id: str) -> Response:
    """All of them on one sheet."""
    with engine().read() as session:
        roster_import_run.see(session, import_id, current_actor())
        found = [one for _, one in roster_import_run.faults(session, import_id)]
    answer = make_response(roster_export.faults(found))
    answer.mimetype = roster_export.MEDIA_TYPE
    answer.headers["Content-Disposition"] = "attachment; filename=import-faults.xlsx"
    return answer


def latest(task_id: str, limit: int = 5) -> tuple[RosterImport, ...]:
    """Uploads of a task that this person may look at, newest first."""
    with engine().read() as session:
        found = roster_import_run.of_task(session, task_id, current_actor(), limit=limit)
        session.expunge_all()
    return found


def _begin(task: TaskView, file: str, total: int) -> str:
    actor = current_actor()
    variables = engine().runtime.instance(task.instance_id, actor).variables or {}
    with engine().read() as session:
        roster = board.roster_of(session, variables, task.unit).id
    sent = {
        "task": task.id,
        "role": task.role or "",
        "unit": task.unit or "",
        "roster": roster,
        "file": file,
        "total": total,
    }
    return str(engine().runtime.perform("roster.begin_import", actor, sent)["import"])


def _page(
    task: TaskView,
    *,
    faults: Mapping[str, str] | None = None,
    message: str = "",
    warnings: Sequence[str] = (),
) -> str:
    return render(
        "rosters/import.html",
        task=task,
        faults=faults or {},
        message=message,
        warnings=warnings,
        columns=len(roster_import.COLUMNS),
        runs=latest(task.id),
        states=STATES,
    )


def _is_open(task_id: str) -> bool:
    """Whether the task is there for this person, so that a corrected table may follow."""
    try:
        task = engine().worklist.task(task_id, current_actor())
    except errors.NotFound:
        return False
    return "perform" in task.verbs


def _name(participant_id: str) -> str:
    try:
        return engine().identity.actor(participant_id).name
    except errors.NotFound:
        return participant_id
