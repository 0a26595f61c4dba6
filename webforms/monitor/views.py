"""For leaders: what is late in the units below, and who carries how much."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from flask import Blueprint, current_app, request
from markupsafe import Markup

from engine import Actor, TaskRow, clock, errors, region
from webforms.database import engine, now
from webforms.monitor import health, load
from webforms.shell import deadlines, links, paging, places
from webforms.shell.page import current_actor, render
from webforms.shell.permissions import requires
from webforms.shell.roles import LEADERS

blueprint = Blueprint("monitor", __name__)
health.add_to(blueprint)
PAGE_SIZE = 50
ONE_WEEK = timedelta(days=7)
#: the address of a late task's order from above, where there is one
Order = Callable[[TaskRow], str | None]
ORDER = "papers.supervision_of_task"


@blueprint.get("/monitor/overdue")
@requires(*LEADERS)
def overdue() -> str:
    """Every late task in my subtree, the longest late first; drilled down by unit."""
    unit = request.args.get("unit") or None
    actor, at = _looking_at(current_actor(), unit), now()
    card = "yellow" if request.args.get("card") == "yellow" else "red"
    look = engine().worklist.warned if card == "yellow" else engine().worklist.overdue
    page = look(actor, cursor=paging.cursor(), limit=PAGE_SIZE)
    below = load.level_below(unit or load.top(actor))
    rolled = load.latest_first(engine().worklist.load(actor, level=below))
    named = places.names({row.unit for row in page.rows if row.unit} | {one.unit for one in rolled})
    order = _supervision(current_actor()) if card == "red" else _no_order
    return render(
        "monitor/overdue.html",
        rows=[_line(row, named, order) for row in page.rows],
        load=[load.shown(one, at) for one in rolled],
        totals=load.shown(load.total(rolled), at),
        unit=unit,
        card=card,
        now=at,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        link=paging.link,
    )


@blueprint.get("/monitor/circular")
@requires(*LEADERS)
def circular() -> str:
    """Whom the circular names: tasks and whole cases whose ladder reached it, of one month."""
    month = _month(request.args.get("month", ""))
    following = (month.replace(day=28) + ONE_WEEK).replace(day=1)
    actor, supervision = current_actor(), engine().supervision
    since, until = clock.local_midnight(month), clock.local_midnight(following)
    rows = supervision.to_be_named(actor, since=since, until=until)
    cases = supervision.cases_to_be_named(actor, since=since, until=until)
    places.remember({row.unit for row in rows if row.unit} | {one.region for one in cases})
    return render(
        "monitor/circular.html",
        rows=[(row, _due(row)) for row in rows],
        cases=[(one, deadlines.due(one.due_at, now())) for one in cases],
        month=month,
        before=(month - timedelta(days=1)).strftime("%Y-%m"),
        after=following.strftime("%Y-%m"),
        now=now(),
    )


def _month(text: str) -> date:
    """The first day of the month asked for, else of this one."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return clock.local_date(now()).replace(day=1)


class _Line(NamedTuple):
    """One late task as the page says it, in the order its template takes it apart."""

    url: str
    title: str
    process: str
    step: str
    unit: str
    who: str | None
    due: Markup
    order: str | None


def _line(row: TaskRow, named: Mapping[str, str], order: Order) -> _Line:
    return _Line(
        url=links.to("processes.instance", instance_id=row.instance_id),
        title=row.subject or row.name,
        process=row.process_title,
        step=row.name,
        unit=named[row.unit] if row.unit else "",
        who=row.owner_name,
        due=deadlines.tag(_due(row)),
        order=order(row),
    )


def _no_order(_row: TaskRow) -> str | None:
    return None


def _supervision(actor: Actor) -> Order:
    """The address of a late task's 督办单, for whoever sits above the unit that is late."""

    def order(row: TaskRow) -> str | None:
        unit = row.unit or ""
        above = [seat for seat in actor.seats if seat.unit != unit]
        if ORDER not in current_app.view_functions or not region.is_code(unit):
            return None
        if not any(region.covers(seat.unit, unit) for seat in above):
            return None
        return links.to(ORDER, task_id=row.id)

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
    return deadlines.due(row.due_at, now(), calendar, warn_at=row.warn_at, paused_at=row.paused_at)
