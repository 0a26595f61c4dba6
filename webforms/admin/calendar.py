"""The working calendar: what differs from Monday-to-Friday, and the import of a year."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from flask import flash, make_response, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock, errors
from webforms.admin.blueprint import blueprint
from webforms.database import engine, now
from webforms.shell import calendars, paging, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires

OFF, WORK = "放假", "补班"
COUNTRY = "000000000000"
FIRST_YEAR, LAST_YEAR = 2000, 2100


@blueprint.get("/admin/calendar")
@requires(roles.SYSTEM_ADMIN)
def calendar() -> str:
    """One year."""
    return _page()


@blueprint.post("/admin/calendar")
@requires(roles.SYSTEM_ADMIN)
def calendar_import() -> Response:
    """Import a year's announcement, one day a line."""
    typed, typed_year = request.form.get("days", ""), request.form.get("year", "")
    try:
        year = _year(typed_year)
        moved = calendars.keep(year, _table(year, typed), current_actor().id)
    except errors.Rejected as error:
        page = _page(fault=error.message, typed=typed, typed_year=typed_year)
        return make_response(page, 422)
    flash(
        gettext("已导入 %(year)s 年放假安排，%(n)s 个时限随之变动", year=year, n=moved), "success"
    )
    return see_other("admin.calendar", year=year)


def _page(*, fault: str = "", typed: str = "", typed_year: str = "") -> str:
    counted = engine().calendar_for(COUNTRY)
    years = sorted(counted.years)
    asked = request.args.get("year", "")
    chosen = paging.whole(asked)
    year = chosen if chosen in years else _nearest(years)
    table = counted.tables[year]
    return render(
        "admin/calendar.html",
        years=[one for one in years if one >= year - 2][:6],
        year=year,
        off=_runs(table.off),
        work=_runs(table.work),
        provisional=table.provisional,
        fault=fault,
        typed=typed,
        typed_year=typed_year,
    )


def _runs(days: Mapping[date, str]) -> list[tuple[str, date, date, int]]:
    """Days that follow each other under one name, as one line: name, first, last, how many."""
    runs: list[tuple[str, date, date, int]] = []
    for day, name in days.items():
        if runs and runs[-1][0] == name and (day - runs[-1][2]).days == 1:
            runs[-1] = (name, runs[-1][1], day, runs[-1][3] + 1)
        else:
            runs.append((name, day, day, 1))
    return runs


def _nearest(years: list[int]) -> int:
    here = clock.local_date(now()).year
    return min(years, key=lambda year: abs(year - here))


def _year(text: str) -> int:
    year = paging.whole(text)
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        raise errors.InvalidInput("请填写年份，如 2027")
    return year


def _table(year: int, typed: str) -> str:
    """The typed lines in the form the engine reads. Raises InvalidInput naming the line."""
    days = []
    for number, line in enumerate(typed.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) < 2 or parts[1] not in {OFF, WORK} or not _is_date(parts[0]):
            raise errors.InvalidInput(f"第 {number} 行看不懂：应如“{year}-01-01 放假 元旦”")
        name = parts[2] if len(parts) > 2 else parts[1]
        days.append({"date": parts[0], "name": name, "isOffDay": parts[1] == OFF})
    return json.dumps({"year": year, "days": days}, ensure_ascii=False)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
