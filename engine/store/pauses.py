"""Clocks that stand still: pauses of tasks and cases; and the clock of a whole case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text, bindparam, insert, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, JsonText, Unit, UtcDateTime
from engine.store.instances import ProcessInstance
from engine.store.statement import Statement

#: whose clocks a pause holds: of one task and its case, of everything in the case (and in the
#: cases it called), of the case only
TASK = "task"
CASE = "case"
CLOCK = "clock"
_NAMED = text("urgency = 'circulate'")


class DeadlinePause(Base):
    """A stretch during which the clock of a task or case stood still, why, and what proves it."""

    __tablename__ = "deadline_pause"
    __table_args__ = (Index(None, "instance_id", "ended_at"), {"sqlite_with_rowid": False})

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str] = mapped_column(Id)
    #: the task, where a person paused one; NULL: the case
    task_id: Mapped[str | None] = mapped_column(Id)
    #: TASK, CASE or CLOCK
    scope: Mapped[str] = mapped_column(String(8))
    #: names its timer beside the elements of the state, which count up from zero
    element: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(Text)
    #: ids of the files that prove it
    evidence: Mapped[Any] = mapped_column(JsonText)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str] = mapped_column(Id)
    started_by_name: Mapped[str] = mapped_column(String(100))
    #: when it ends by itself
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(Id)
    ended_by_name: Mapped[str | None] = mapped_column(String(100))
    #: person, limit, event, done
    ended_how: Mapped[str | None] = mapped_column(String(10))
    end_note: Mapped[str | None] = mapped_column(Text)


class CaseClock(Base):
    """Until when a whole case is to be over. Only processes that say so have one."""

    __tablename__ = "case_clock"
    __table_args__ = (
        Index(None, "is_open", "due_sort"),
        Index(None, "region"),
        # The few cases a circular names, those that are over by now included.
        Index(
            "ix_case_clock_named", "due_sort", "instance_id",
            postgresql_where=_NAMED, sqlite_where=_NAMED,
        ),
        {"sqlite_with_rowid": False},
    )  # fmt: skip

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    process_key: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(Unit)
    is_open: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline: Mapped[str] = mapped_column(String(100))
    ladder: Mapped[str] = mapped_column(String(64))
    #: None while the clock stands still
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_sort: Mapped[datetime] = mapped_column(UtcDateTime)
    warn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_note: Mapped[str] = mapped_column(Text)
    calendar_version: Mapped[str] = mapped_column(String(60))
    urgency: Mapped[str | None] = mapped_column(String(20))


_pause: Any = DeadlinePause.__table__
_clock: Any = CaseClock.__table__
_instance: Any = ProcessInstance.__table__

INSERT = Statement(insert(_pause))
OF_INSTANCE = Statement(
    select(_pause)
    .where(_pause.c.instance_id == bindparam("instance_id"))
    .order_by(_pause.c.started_at, _pause.c.id)
)


def _of_callers() -> Any:
    names = ("id", "parent_id", "parent_element", "definition_id")
    #: `called_at` is the element of a caller that waits for the case below it
    called_at = bindparam("parent_element", type_=Integer)
    above = (
        select(
            _instance.c.id,
            _instance.c.parent_id,
            _instance.c.parent_element,
            _instance.c.definition_id,
            called_at.label("called_at"),
        )
        .where(_instance.c.id == bindparam("parent_id"))
        .cte("caller", recursive=True)
    )
    higher = select(*(_instance.c[name] for name in names), above.c.parent_element)
    above = above.union_all(higher.where(_instance.c.id == above.c.parent_id))
    return (
        select(_pause, above.c.definition_id, above.c.called_at)
        .join_from(above, _pause, _pause.c.instance_id == above.c.id)
        .order_by(_pause.c.started_at, _pause.c.id)
    )


#: pauses of the case that called this one, of that one's caller, and so on; by what they call
OF_CALLERS = Statement(_of_callers())
#: living cases that a case called, in the order of their start
CALLED = Statement(
    select(_instance.c.id)
    .where(_instance.c.parent_id == bindparam("parent_id"), _instance.c.ended_at.is_(None))
    .order_by(_instance.c.id)
)
#: the guard: only one ends it
END = Statement(
    update(_pause)
    .where(_pause.c.id == bindparam("pause_id"), _pause.c.ended_at.is_(None))
    .values(
        ended_at=bindparam("ended_at"),
        ended_by=bindparam("ended_by"),
        ended_by_name=bindparam("ended_by_name"),
        ended_how=bindparam("ended_how"),
        end_note=bindparam("end_note"),
    )
)

CLOCK_INSERT = Statement(insert(_clock))
CLOCK_OF = Statement(select(_clock).where(_clock.c.instance_id == bindparam("instance_id")))
CLOCK_CHANGE = Statement(
    update(_clock)
    .where(_clock.c.instance_id == bindparam("of_instance"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "due_at", "due_sort", "warn_at", "due_note", "calendar_version", "urgency",
                "is_open",
            )
        }
    )
)  # fmt: skip
