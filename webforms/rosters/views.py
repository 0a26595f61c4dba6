"""The roster's pages: entering households inside a task; lists and lines outside of one."""

from __future__ import annotations

from flask import Blueprint, make_response
from werkzeug.wrappers import Response

from engine import TaskView, errors
from webforms.database import engine
from webforms.rosters import entry, panels, register, uploads
from webforms.shell import navigation
from webforms.shell.page import current_actor
from webforms.shell.permissions import requires
from webforms.shell.words import lazy_gettext as _l
from workflows.domain import roster_export
from workflows.domain.roster_query import NUMBER_READERS

blueprint = Blueprint("rosters", __name__)
CLERKS = ("village_clerk", "town_clerk")


READERS = (
    "village_clerk", "village_head", "town_clerk", "town_leader", "county_clerk",
    "county_approver", "county_finance", "city_leader", "province_view", "audit", "discipline",
)  # fmt: skip


def install() -> None:
    """Offer the area in the menu and its panels to the task forms."""
    navigation.offer(
        navigation.Entry(
            endpoint="rosters.index",
            title=_l("名册"),
            icon="table",
            order=50,
            roles=frozenset(READERS),
        )
    )
    panels.install()


@blueprint.get("/rosters")
@requires(*READERS)
def index() -> str:
    """Villages with their sums, or households by name."""
    return register.index_page()


@blueprint.post("/rosters/export")
@requires(*register.EXPORTERS)
def export() -> Response:
    """D-11 of a town as a workbook, its purpose on record."""
    return register.export()


@blueprint.get("/rosters/<roster_id>")
@requires(*READERS)
def roster(roster_id: str) -> str:
    """One village's households."""
    return register.roster_page(roster_id)


@blueprint.get("/rosters/lines/<line_id>")
@requires(*READERS)
def line(line_id: str) -> str:
    """One household, masked."""
    return register.line_page(line_id)


@blueprint.post("/rosters/lines/<line_id>/numbers")
@requires(*NUMBER_READERS)
def numbers(line_id: str) -> Response:
    """One household with full numbers, its purpose on record."""
    return register.reveal(line_id)


@blueprint.get("/rosters/template.xlsx")
@requires()
def template() -> Response:
    """The empty 25-column table."""
    answer = make_response(roster_export.template())
    answer.mimetype = roster_export.MEDIA_TYPE
    answer.headers["Content-Disposition"] = "attachment; filename=roster-template.xlsx"
    return answer


@blueprint.post("/rosters/lines/<line_id>/cancel")
@requires(*register.CANCELLERS)
def cancel(line_id: str) -> Response:
    """Take a household out before it is paid: died, moved away, registered twice."""
    return register.cancel(line_id)


@blueprint.get("/rosters/tasks/<task_id>/lines/new")
@requires(*CLERKS)
def new_line(task_id: str) -> str:
    """Enter a household."""
    return entry.form_page(_task(task_id), None, entry.empty())


@blueprint.post("/rosters/tasks/<task_id>/lines/new")
@requires(*CLERKS)
def add_line(task_id: str) -> Response:
    """Keep a new household."""
    return entry.save(_task(task_id), None)


@blueprint.get("/rosters/tasks/<task_id>/lines/<line_id>")
@requires(*CLERKS)
def edit_line(task_id: str, line_id: str) -> str:
    """Correct a household; numbers stay hidden and are kept unless typed anew."""
    task = _task(task_id)
    return entry.form_page(task, *entry.known_line(task, line_id))


@blueprint.post("/rosters/tasks/<task_id>/lines/<line_id>")
@requires(*CLERKS)
def save_line(task_id: str, line_id: str) -> Response:
    """Keep the correction."""
    task = _task(task_id)
    return entry.save(task, entry.known_line(task, line_id)[0])


@blueprint.get("/rosters/tasks/<task_id>/import")
@requires(*CLERKS)
def import_page(task_id: str) -> str:
    """Upload a filled template."""
    return uploads.upload_page(_task(task_id, "roster.import_lines"))


@blueprint.post("/rosters/tasks/<task_id>/import")
@requires(*CLERKS)
def import_file(task_id: str) -> Response:
    """All rows or none; a large table comes in behind the page."""
    return uploads.upload(_task(task_id, "roster.import_lines"))


@blueprint.get("/rosters/imports/<import_id>")
@requires(*CLERKS)
def import_progress(import_id: str) -> Response:
    """How far a large table is, and what came of it."""
    return uploads.progress_page(import_id)


@blueprint.get("/rosters/imports/<import_id>/faults.xlsx")
@requires(*CLERKS)
def import_faults(import_id: str) -> Response:
    """Every row with why it was not imported, as a workbook."""
    return uploads.faults_file(import_id)


def _task(task_id: str, action: str = "roster.save_line") -> TaskView:
    """An open task whose lines this participant may write. Raises NotFound, NotAllowed."""
    task = engine().worklist.task(task_id, current_actor())
    if "perform" not in task.verbs or action not in task.actions:
        raise errors.NotAllowed
    return task
