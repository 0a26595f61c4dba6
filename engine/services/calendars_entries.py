"""Entries of the calendar as they are kept, and the calendar with one laid over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select

from engine.model.calendar import InvalidCalendar, WorkingCalendar, YearTable
from engine.model.errors import NotFound
from engine.model.office_time import read_hours
from engine.store import calendars as store
from engine.store.database import Transaction

_entry: Any = store.CalendarEntry.__table__
OFF, WORK, HALF = "off", "work", "half"


def newest(tx: Transaction) -> int:
    """The number of the newest entry; 0 without any."""
    return int(tx.execute(select(func.max(_entry.c.number))).scalar() or 0)


def row(tx: Transaction, number: int) -> Any:
    """One entry. Raises NotFound."""
    found = tx.execute(select(_entry).where(_entry.c.number == number)).first()
    if found is None:
        raise NotFound("没有这一版日历")
    return found


def written(table: YearTable) -> dict[str, Any]:
    """A year as it is kept."""
    days = [(day, name, True) for day, name in table.off.items()]
    days += [(day, name, False) for day, name in table.work.items()]
    return {
        "year": table.year,
        "days": [
            {"name": name, "date": day.isoformat(), "isOffDay": off}
            for day, name, off in sorted(days)
        ],
    }


def with_entry(calendar: WorkingCalendar, kind: str, about: str, content: Any) -> WorkingCalendar:
    """The calendar with one entry laid over it. Raises InvalidCalendar."""
    return _ENTRIES[kind](calendar, about, content)


def _with_year(calendar: WorkingCalendar, _about: str, content: Any) -> WorkingCalendar:
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for each in content["days"]:
        (off if each["isOffDay"] else work)[date.fromisoformat(each["date"])] = each["name"]
    return calendar.with_year(content["year"], off, work)


def _with_local(calendar: WorkingCalendar, unit: str, content: Any) -> WorkingCalendar:
    kinds: dict[str, dict[date, str]] = {OFF: {}, WORK: {}, HALF: {}}
    for each in content["days"]:
        if each["kind"] not in kinds:
            raise InvalidCalendar(f"不认识的日子“{each['kind']}”")
        kinds[each["kind"]][date.fromisoformat(each["date"])] = each["name"]
    hours = read_hours(content["hours"]) if content["hours"] else None
    return calendar.with_local_days(
        unit, kinds[OFF], kinds[WORK], half_days=kinds[HALF], hours=hours
    )


_ENTRIES: Mapping[str, Callable[[WorkingCalendar, str, Any], WorkingCalendar]] = {
    store.YEAR: _with_year,
    store.LOCAL: _with_local,
}


def named(calendar: WorkingCalendar, version: str) -> WorkingCalendar:
    """The same calendar under another version."""
    return WorkingCalendar(
        version=version, tables=calendar.tables, local=calendar.local, hours=calendar.hours
    )
