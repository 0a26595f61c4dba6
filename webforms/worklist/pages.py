"""My tasks: the list, one task with its form, and the pieces htmx asks for."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webforms.database import engine, now
from webforms.shell import paging, titles
from webforms.shell.page import current_actor, render, see_other, wants_fragment
from webforms.shell.permissions import requires
from webforms.worklist import table
from webforms.worklist.blueprint import blueprint
from webforms.worklist.task_page import TaskPage, open_page

PAGE_SIZE = 30


@blueprint.get("/")
@requires()
def home() -> Response:
    """Work begins at the worklist."""
    return see_other("worklist.inbox")


@blueprint.get("/tasks")
@requires()
def inbox() -> str:
    """What I have to do, the most urgent first."""
    actor, at = current_actor(), now()
    tab = table.tab_key(request.args.get("tab", "all"))
    process_key = request.args.get("process") or None
    search = paging.search()
    wanted = table.filter_of(tab, search=search, process_key=process_key)
    page = engine().worklist.page(actor, filter=wanted, cursor=paging.cursor(), limit=PAGE_SIZE)
    return render(
        "worklist/inbox.html",
        tabs=table.tabs(tab, engine().worklist.counts(actor, at)),
        tab=tab,
        rows=table.rows(page.rows, actor_id=actor.id, now=at, calendar_of=engine().calendar_for),
        processes=titles.processes(actor),
        process_key=process_key,
        search=search,
        filtered=bool(search or process_key or tab != "all"),
        first=paging.link(cursor=None) if paging.cursor() else None,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        link=paging.link,
    )


@blueprint.get("/tasks/<task_id>")
@requires()
def task(task_id: str) -> str:
    """One task: its form, what surrounds it, the buttons the process offers."""
    return render_task(open_page(task_id))


@blueprint.post("/tasks/<task_id>/form")
@requires()
def form(task_id: str) -> str:
    """The form again with what was typed: after a condition changed, or a row was asked for."""
    page = open_page(task_id, posted=MultiDict(request.form))
    add, remove = request.form.get("add_row"), request.form.get("remove_row")
    if add:
        page.bound.add_row(add)
    elif remove:
        path, _, index = remove.rpartition(":")
        row = paging.whole(index)
        page.bound.remove_row(path, -1 if row is None else row)
    if wants_fragment():
        return str(page.form_page().html())
    return render_task(page)


def render_task(page: TaskPage) -> str:
    """The whole page of a task."""
    return render("worklist/task.html", page=page, task=page.task)
