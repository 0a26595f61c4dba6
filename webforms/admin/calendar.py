"""The working calendar: what differs from Monday-to-Friday, and the import of a year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import clock, errors, office_time
from webforms.admin import calendar_files
from webforms.admin.blueprint import blueprint
from webforms.database import engine, now
from webforms.shell import calendars, paging, places, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

KINDS = {calendar_files.OFF: "off", calendar_files.WORK: "work", calendar_files.HALF: "half"}
PAGE_SIZE = 100
REFRESH_SECONDS = 3
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
    """Import a year's announcement, a file or one day a line; then show what it moved."""
    lines, typed_year = request.form.get("days", ""), request.form.get("year", "")
    source = request.form.get("source", "").strip()
    upload = request.files.get("file")
    try:
        if upload is not None and upload.filename:
            year = _year(typed_year) if typed_year else None
            table = calendar_files.table_of(upload.read(), upload.filename, year)
        else:
            table = calendar_files.typed(_year(typed_year), lines)
        number = calendars.keep(table, current_actor(), source)
    except errors.Rejected as error:
        page = _page(fault=error.message, typed=lines, typed_year=typed_year)
        return make_response(page, 422)
    flash(gettext("已导入放假安排，正在重新计算未完成的时限"), "success")
    return see_other("admin.calendar_version", number=number)


@blueprint.post("/admin/calendar/local")
@requires(roles.SYSTEM_ADMIN)
def calendar_local() -> Response:
    """Days and hours of one area."""
    unit = request.form.get("unit", "").strip()
    lines, hours = request.form.get("local", ""), request.form.get("hours", "")
    try:
        days = calendar_files.read_lines(lines, tuple(KINDS), "2027-03-08 半天 本地活动")
        number = engine().calendars.import_local(
            current_actor(),
            unit=unit,
            days={day: (KINDS[kind], name) for day, kind, name in days},
            hours=tuple(hours.replace("，", ",").replace(",", " ").split()),
            source=request.form.get("source", "").strip(),
        )
    except errors.Rejected as error:
        page = _page(local_fault=error.message, typed_local=lines, typed_unit=unit)
        return make_response(page, 422)
    flash(gettext("已保存本地安排，正在重新计算未完成的时限"), "success")
    return see_other("admin.calendar_version", number=number)


@blueprint.get("/admin/calendar/versions/<int:number>")
@requires(roles.SYSTEM_ADMIN)
def calendar_version(number: int) -> Response:
    """One import, how far counting again is, and every due date it moved; reloads meanwhile."""
    found = next((one for one in engine().calendars.versions() if one.number == number), None)
    if found is None:
        raise errors.NotFound
    rows, after = engine().calendars.moved_by(
        number, after=request.args.get("after", "")[:64], limit=PAGE_SIZE
    )
    places.remember({one.region for one in rows})
    progress = engine().calendars.progress(number)
    still = bool(request.args.get("still"))
    page = render(
        "admin/calendar_version.html",
        version=found,
        progress=progress,
        seconds=REFRESH_SECONDS,
        still=still,
        rows=rows,
        kinds={"task": gettext("待办"), "timer": gettext("定时"), "case": gettext("全案")},
        older=paging.link(after=after) if after else None,
        first=paging.link(after=None) if request.args.get("after") else None,
    )
    answer = make_response(page)
    if not progress.is_over and not still:
        answer.headers["Refresh"] = str(REFRESH_SECONDS)
    return answer


def _page(
    *,
    fault: str = "",
    typed: str = "",
    typed_year: str = "",
    local_fault: str = "",
    typed_local: str = "",
    typed_unit: str = "",
) -> str:
    counted = engine().calendar_for(COUNTRY)
    years = sorted(counted.years)
    asked = request.args.get("year", "")
    chosen = paging.whole(asked)
    year = chosen if chosen in years else _nearest(years)
    table = counted.tables[year]
    places.remember({one.unit for one in counted.local})
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
        local=[(one, office_time.written_hours(one.hours or ())) for one in counted.local],
        local_fault=local_fault,
        typed_local=typed_local,
        typed_unit=typed_unit,
        version=counted.version,
        versions=engine().calendars.versions()[:20],
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
