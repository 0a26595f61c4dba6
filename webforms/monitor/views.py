"""For leaders: what is late in the units below, and who carries how much."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from flask import Blueprint, current_app, request, url_for

from engine import Actor, TaskRow, errors, region
from webforms.database import engine, now
from webforms.monitor import load
from webforms.shell import deadlines, paging, places
from webforms.shell.page import current_actor, render
from webforms.shell.permissions import requires
from webforms.shell.roles import LEADERS

blueprint = Blueprint("monitor", __name__)
PAGE_SIZE = 50
ORDER = "papers.supervision_of_task"


@blueprint.get("/monitor/overdue")
@requires(*LEADERS)
def overdue() -> str:
    """Every late task in my subtree, the longest late first; drilled down by unit."""
    unit = request.args.get("unit") or None
    actor, at = _looking_at(current_actor(), unit), now()
    page = engine().worklist.overdue(actor, cursor=paging.cursor(), limit=PAGE_SIZE)
    by_unit = engine().worklist.load(actor)
    rolled = load.rolled_up(by_unit, unit or load.top(actor))
    places.remember({row.unit for row in page.rows if row.unit} | {row.unit for row in rolled})
    return render(
        "monitor/overdue.html",
        rows=[(row, _due(row)) for row in page.rows],
        load=rolled,
        totals=load.total(by_unit),
        unit=unit,
        now=at,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        link=paging.link,
        order=_supervision(current_actor()),
    )


def _supervision(actor: Actor) -> Callable[[TaskRow], str | None]:
    """The address of a late task's 督办单, for whoever sits above the unit that is late."""

    def order(row: TaskRow) -> str | None:
        unit = row.unit or ""
        above = [seat for seat in actor.seats if seat.unit != unit]
        if ORDER not in current_app.view_functions or not region.is_code(unit):
            return None
        if not any(region.covers(seat.unit, unit) for seat in above):
            return None
        return url_for(ORDER, task_id=row.id)

    return order


def _looking_at(actor: Actor, unit: str | None) -> Actor:
    """The same person with his sight narrowed to one unit of his. Raises NotFound outside it."""
    if unit is None:
        return actor
    if not region.is_code(unit) or not actor.sees(unit):
        raise errors.NotFound
    seats = tuple(
        dataclasses.replace(seat, unit=unit)
        for seat in actor.seats
        if region.covers(seat.unit, unit)
    )
    return dataclasses.replace(actor, seats=seats)


def _due(row: TaskRow) -> deadlines.Due | None:
    calendar = engine().calendar_for(row.unit) if row.unit else None
    return deadlines.due(row.due_at, now(), calendar)
