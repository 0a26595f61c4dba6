"""For leaders: what is late in the units below, and who carries how much."""

from __future__ import annotations

from flask import Blueprint, request

from engine import TaskRow
from webforms.database import engine, now
from webforms.shell import deadlines, paging, places
from webforms.shell.page import current_actor, render
from webforms.shell.permissions import requires
from webforms.shell.roles import LEADERS

blueprint = Blueprint("monitor", __name__)
PAGE_SIZE = 50


@blueprint.get("/monitor/overdue")
@requires(*LEADERS)
def overdue() -> str:
    """Every late task in my subtree, the longest late first."""
    actor, at = current_actor(), now()
    unit = request.args.get("unit") or None
    page = engine().worklist.overdue(actor, unit=unit, cursor=paging.cursor(), limit=PAGE_SIZE)
    load = engine().worklist.load(actor, unit=unit)
    places.remember({row.unit for row in page.rows if row.unit} | {row.unit for row in load})
    return render(
        "monitor/overdue.html",
        rows=[(row, deadlines.due(row.due_at, at)) for row in page.rows],
        load=load,
        unit=unit,
        held=_days_late(page.rows[0]) if page.rows else 0,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        link=paging.link,
    )


def _days_late(row: TaskRow) -> int:
    return (now() - row.due_at).days if row.due_at else 0
