"""Timers: rows written with the state; firing one is deleting its row, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Index,
    Integer,
    SmallInteger,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, UtcDateTime
from engine.store.statement import Statement

#: a timer of the model, and a rung of a task's ladder
EVENT = "event"
LADDER = "ladder"
#: a rung of the ladder of a whole case, the limit of a pause, the instant a task must be begun
CASE = "case"
PAUSE = "pause"
BEGIN = "begin"
#: stands for the case where a timer belongs to no element of its state
WHOLE_CASE = -1


class Timer(Base):
    """What must happen later. At most one of a kind for an element."""

    __tablename__ = "timer"
    __table_args__ = (Index(None, "due_at"), {"sqlite_with_rowid": False})

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    element: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: of this one arming: a cycle arms the same element again under another id
    id: Mapped[str] = mapped_column(Id)
    shard: Mapped[str] = mapped_column(String(6))
    node_id: Mapped[str] = mapped_column(String(200))
    task_id: Mapped[str | None] = mapped_column(Id)
    #: the rung of the ladder
    rung: Mapped[int | None] = mapped_column(SmallInteger)
    #: the instant the model asked for; `due_at` moves ahead when firing fails
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    #: what was asked for, where the working calendar has a say (`5wd`), and from when it counts
    length: Mapped[str | None] = mapped_column(String(100))
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: when it was handed to a worker; in no index, so that noting it stays cheap
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_timer: Any = Timer.__table__

INSERT = Statement(
    insert(_timer).values(
        {column.name: bindparam(column.name) for column in _timer.c if column.name != "claimed_at"}
    )
)
DUE = Statement(
    select(_timer.c.id, _timer.c.instance_id, _timer.c.kind, _timer.c.element, _timer.c.due_at)
    .where(_timer.c.due_at <= bindparam("now"))
    # By the index alone: hundreds of thousands are due at one midnight, and nobody sorts them all
    # to take the first two hundred. Whoever takes them sorts those.
    .order_by(_timer.c.due_at)
    .limit(bindparam("limit"))
)
_this = (
    _timer.c.instance_id == bindparam("of_instance"),
    _timer.c.kind == bindparam("of_kind"),
    _timer.c.element == bindparam("of_element"),
    _timer.c.id == bindparam("timer_id"),
)
#: one arming, by `key_of` its row
THIS = Statement(select(_timer).where(*_this))
NEXT = Statement(select(func.min(_timer.c.due_at).label("at")))
#: the guard: only the one who hits the row may fire
TAKE = Statement(delete(_timer).where(*_this))
CANCEL = Statement(
    delete(_timer).where(
        _timer.c.instance_id == bindparam("instance_id"),
        _timer.c.kind == bindparam("kind"),
        _timer.c.element == bindparam("element"),
    )
)
CANCEL_ALL = Statement(delete(_timer).where(_timer.c.instance_id == bindparam("instance_id")))
#: a cancelled timer's row carries the next one: one statement and no dead row instead of two
REPLACE = Statement(
    update(_timer)
    .where(
        _timer.c.instance_id == bindparam("instance_id"),
        _timer.c.kind == bindparam("of_kind"),
        _timer.c.element == bindparam("of_element"),
    )
    .values(
        id=bindparam("id"),
        kind=bindparam("kind"),
        element=bindparam("element"),
        node_id=bindparam("node_id"),
        task_id=bindparam("task_id"),
        rung=bindparam("rung"),
        planned_at=bindparam("planned_at"),
        due_at=bindparam("due_at"),
        length=bindparam("length"),
        since=bindparam("since"),
        attempts=0,
        claimed_at=None,
    )
)
PUSH_AHEAD = Statement(
    update(_timer)
    .where(*_this)
    .values(due_at=bindparam("due_at"), attempts=_timer.c.attempts + 1, claimed_at=None)
)
#: handed out for a due instant that holds no more: to be found again at the new one
RELEASE = Statement(update(_timer).where(*_this).values(claimed_at=None))
_handed = (_timer.c.id, _timer.c.instance_id, _timer.c.kind, _timer.c.element, _timer.c.due_at)


def _claim(name: str, *where: Any) -> Statement:
    """Note a hand-over of what is due; a row that another pump is looking at is passed over."""
    due = (
        select(_timer.c.instance_id, _timer.c.kind, _timer.c.element)
        .where(_timer.c.due_at <= bindparam("now"), *where)
        .order_by(_timer.c.due_at)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte(name)
    )
    return Statement(
        update(_timer)
        .where(
            _timer.c.instance_id == due.c.instance_id,
            _timer.c.kind == due.c.kind,
            _timer.c.element == due.c.element,
        )
        .values(claimed_at=bindparam("now"))
        .returning(*_handed)
    )


#: `floor` spares the walk over dead index entries, which a long transaction elsewhere keeps alive
CLAIM = _claim("due", _timer.c.due_at >= bindparam("floor"), _timer.c.claimed_at.is_(None))
#: handed out long ago and still there: whoever had it lost it
CLAIM_LOST = _claim("lost", _timer.c.claimed_at < bindparam("before"))
OF_INSTANCE = Statement(
    select(_timer).where(_timer.c.instance_id == bindparam("instance_id")).order_by(_timer.c.id)
)


def key_of(row: Any) -> dict[str, Any]:
    """What names this one arming in `THIS`, `TAKE` and `PUSH_AHEAD`."""
    return {
        "of_instance": row.instance_id,
        "of_kind": row.kind,
        "of_element": row.element,
        "timer_id": row.id,
    }
