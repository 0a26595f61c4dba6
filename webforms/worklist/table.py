"""The worklist as a table: tabs, badges and rows in the words of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from engine import (
    DueFilter,
    Holding,
    TaskRow,
    WorkingCalendar,
    WorklistCounts,
    WorklistFilter,
    states,
)
from webforms.shell import deadlines, i18n, links, places
from webforms.shell.paging import capped
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l

CalendarOf = Callable[[str], WorkingCalendar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: what it filters and how many there are."""

    key: str
    title: object
    #: None: not counted
    count: str | None
    hot: bool
    current: bool


class Row(NamedTuple):
    """One task as the page says it, in the order its template takes it apart."""

    url: str
    title: str
    process: str
    step: str
    unit: str
    status: str
    tone: str
    due: Markup
    #: ISO, for machines, and month, day and minute for people
    since: str
    since_short: str


_TABS: Mapping[str, tuple[object, WorklistFilter]] = {
    "all": (_l("全部"), WorklistFilter()),
    "overdue": (_l("已超期"), WorklistFilter(due=DueFilter.OVERDUE)),
    "yellow": (_l("黄牌"), WorklistFilter(due=DueFilter.YELLOW)),
    "today": (_l("今日到期"), WorklistFilter(due=DueFilter.TODAY)),
    "claimable": (_l("待签收"), WorklistFilter(holding=Holding.CLAIMABLE)),
}


def tab_key(text: str) -> str:
    """A tab that exists."""
    return text if text in _TABS else "all"


def filter_of(tab: str, *, search: str | None, process_key: str | None) -> WorklistFilter:
    """What to ask the engine for."""
    base = _TABS[tab][1]
    return WorklistFilter(
        holding=base.holding, due=base.due, search=search, process_key=process_key
    )


def tabs(current: str, counts: WorklistCounts) -> tuple[Tab, ...]:
    """The tabs with their badges."""
    numbers = {
        "all": counts.total,
        "overdue": counts.overdue,
        "today": counts.today,
        "claimable": counts.claimable,
    }
    return tuple(
        Tab(
            key=key,
            title=title,
            count=capped(numbers[key]) if key in numbers else None,
            hot=key == "overdue" and numbers[key] > 0,
            current=key == current,
        )
        for key, (title, _) in _TABS.items()
    )


def rows(
    tasks: Iterable[TaskRow], *, actor_id: str, now: datetime, calendar_of: CalendarOf
) -> list[Row]:
    """The lines of the list, in words."""
    tasks = list(tasks)
    places_of = places.names({task.unit for task in tasks if task.unit})
    states_of = {
        status: gettext(states.TASK_TITLES[status]) for status in {t.status for t in tasks}
    }
    lines = []
    for task in tasks:
        mine = task.owner == actor_id
        since = i18n.iso(task.created_at)
        calendar = calendar_of(task.unit) if task.unit else None
        lines.append(
            Row(
                url=links.to("worklist.task", task_id=task.id),
                title=task.subject or task.name,
                process=task.process_title,
                step=task.name,
                unit=places_of[task.unit] if task.unit else "",
                status=_held(task, mine=mine) or states_of[task.status],
                tone="info" if mine else "mute",
                due=deadlines.tag(due_of(task, now, calendar)),
                since=since,
                since_short=f"{since[5:10]} {since[11:16]}",
            )
        )
    return lines


def _held(task: TaskRow, *, mine: bool) -> str:
    """In whose hands it is; nothing where in nobody's."""
    if mine:
        return gettext("我在办")
    return gettext("%(name)s 在办", name=task.owner_name) if task.owner_name else ""


def due_of(task: TaskRow, now: datetime, calendar: WorkingCalendar | None) -> deadlines.Due | None:
    """The badge of a line."""
    return deadlines.due(task.due_at, now, calendar, warn_at=task.warn_at, paused_at=task.paused_at)
