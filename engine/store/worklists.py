"""The questions a worklist asks: one prebuilt, indexed statement for each seat and each owner.

Asking for all seats at once (`role = ANY(…)`) is a thousand times slower on a full database;
the few short lists are merged by the service.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, case, func, literal_column, or_, select, text

from engine.store.human_tasks import HumanTask
from engine.store.skipping import shards
from engine.store.statement import Statement

_task: Any = HumanTask.__table__

#: before every task, for the first page
BEGINNING = (datetime(1, 1, 1, tzinfo=UTC), "")

COLUMNS = (
    "id", "instance_id", "definition_id", "process_key", "activity_id", "name", "subject",
    "role", "unit", "owner", "status", "created_at", "due_at", "due_sort", "warn_at", "paused_at",
    "urgency",
)  # fmt: skip


class Holder(enum.Enum):
    """Whose tasks a statement lists."""

    #: open and free, for `role` at `unit`
    SEAT = "seat"
    #: open and reserved for `owner`
    OWNER = "owner"


class Narrowing(enum.Enum):
    """Conditions that may be added; each reads the parameter of its name."""

    DUE = "due_until"
    WARNED = "warned_at"
    PROCESS = "process_key"
    ACTIVITY = "activity_id"
    ROLE = "of_role"
    UNIT = "of_unit"
    SEARCH = "search"


def rows() -> Any:
    """A query for the columns of a worklist line."""
    return select(*[_task.c[name] for name in COLUMNS])


@cache
def page(holder: Holder, narrowed: frozenset[Narrowing]) -> Statement:
    """The next `limit` tasks behind (`after_at`, `after_id`), the most urgent first."""
    query = (
        rows()
        .where(
            *_held(holder),
            *_behind(),
            *[_CONDITIONS[each] for each in sorted(narrowed, key=lambda each: each.value)],
        )
        .order_by(_task.c.due_sort, _task.c.id)
        .limit(bindparam("limit"))
    )
    return Statement(query)


@cache
def counts(holder: Holder) -> Statement:
    """How many tasks, how many past `now`, how many due until `tonight`; of the first `cap`."""
    capped = (
        select(_task.c.due_sort)
        .where(*_held(holder))
        .order_by(_task.c.due_sort, _task.c.id)
        .limit(bindparam("cap"))
        .subquery()
    )
    overdue = capped.c.due_sort <= bindparam("now")
    today = and_(capped.c.due_sort > bindparam("now"), capped.c.due_sort <= bindparam("tonight"))
    return Statement(
        select(
            func.count().label("total"),
            func.coalesce(func.sum(case((overdue, 1), else_=0)), 0).label("overdue"),
            func.coalesce(func.sum(case((today, 1), else_=0)), 0).label("today"),
        ).select_from(capped)
    )


def _behind() -> tuple[Any, ...]:
    # The first condition bounds the index range, the second skips within one instant.
    return (
        _task.c.due_sort >= bindparam("after_at"),
        or_(_task.c.due_sort > bindparam("after_at"), _task.c.id > bindparam("after_id")),
    )


def _held(holder: Holder) -> tuple[Any, ...]:
    if holder is Holder.SEAT:
        return (
            _task.c.is_open == 1,
            _task.c.role == bindparam("role"),
            _task.c.unit == bindparam("unit"),
            _task.c.owner.is_(None),
        )
    return (_task.c.is_open == 1, _task.c.owner == bindparam("owner"))


def pattern(part: str) -> str:
    """A text as it must stand in `search`, with its own wildcards taken literally."""
    escaped = part.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{escaped}%"


_CONDITIONS: dict[Narrowing, Any] = {
    Narrowing.DUE: _task.c.due_sort <= bindparam("due_until"),
    Narrowing.WARNED: and_(
        _task.c.warn_at <= bindparam("warned_at"), _task.c.due_sort > bindparam("warned_at")
    ),
    Narrowing.PROCESS: _task.c.process_key == bindparam("process_key"),
    Narrowing.ACTIVITY: _task.c.activity_id == bindparam("activity_id"),
    Narrowing.ROLE: _task.c.role == bindparam("of_role"),
    Narrowing.UNIT: _task.c.unit == bindparam("of_unit"),
    Narrowing.SEARCH: or_(
        _task.c.subject.like(bindparam("search"), escape="/"),
        _task.c.name.like(bindparam("search"), escape="/"),
    ),
}


# --- whole counties: read from `ix_human_task_watch` alone ----------------------------------------

#: written out: a plan made for any value could not use an index of open tasks only
_OPEN = text("is_open = 1")


def _in_shard(*names: str) -> Any:
    """Open tasks of :shard behind a place, due until :until, in their order."""
    return (
        select(*[_task.c[name] for name in names])
        .where(
            _OPEN,
            _task.c.shard == bindparam("shard"),
            *_behind(),
            _task.c.due_sort <= bindparam("until"),
        )
        .order_by(_task.c.due_sort, _task.c.id)
    )


IN_SHARD = Statement(_in_shard("id", "due_sort").limit(bindparam("limit")))
#: the next :limit of them, with what a question may narrow them by
WINDOW: Any = (
    _in_shard("id", "due_sort", "region", "unit", "process_key", "warn_at")
    .limit(bindparam("limit"))
    .subquery("watched")
)
#: the task behind the next :before, if there are so many
END_OF_WINDOW = Statement(_in_shard("id", "due_sort").offset(bindparam("before")).limit(1))


#: shards with open tasks
SHARDS = Statement(shards(_task, lambda tasks: (tasks.c.is_open == literal_column("1"),)))
