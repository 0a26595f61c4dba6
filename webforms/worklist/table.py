"""The worklist as a table: tabs, badges and rows in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine import (
    DueFilter,
    Holding,
    TaskRow,
    WorkingCalendar,
    WorklistCounts,
    WorklistFilter,
    states,
)
from webforms.shell import deadlines
from webforms.shell.paging import capped
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: what it filters and how many there are."""

    key: str
    title: object
    #: None: not counted
    count: str | None
    hot: bool
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task as a row."""

    task: TaskRow
    due: deadlines.Due | None
    status: str
    mine: bool


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


def row(
    task: TaskRow, *, actor_id: str, now: datetime, calendar: WorkingCalendar | None = None
) -> Row:
    """One row."""
    mine = task.owner == actor_id
    if mine:
        status = gettext("我在办")
    elif task.owner_name:
        status = gettext("%(name)s 在办", name=task.owner_name)
    else:
        status = gettext(states.TASK_TITLES[task.status])
    return Row(task=task, due=due_of(task, now, calendar), status=status, mine=mine)


def due_of(task: TaskRow, now: datetime, calendar: WorkingCalendar | None) -> deadlines.Due | None:
    """The badge of a line."""
    return deadlines.due(task.due_at, now, calendar, warn_at=task.warn_at, paused_at=task.paused_at)
