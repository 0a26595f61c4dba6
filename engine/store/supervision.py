"""Supervision slips: an order from above to a late office, and the office's written answer."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Index,
    String,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, IsoDate, Unit, UtcDateTime
from engine.store.statement import Statement

#: stands for the task where a slip is about a case
WHOLE_CASE = ""


class SupervisionSlip(Base):
    """Addressed to whoever has the late task, else to the role at the acting unit."""

    __tablename__ = "supervision_slip"
    __table_args__ = (
        Index(None, "instance_id"),
        Index(None, "role", "unit", "replied_at"),
        Index(None, "owner", "replied_at"),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str] = mapped_column(Id)
    #: the late task; empty: the whole case is late
    task_id: Mapped[str] = mapped_column(Id)
    process_key: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(Unit)
    name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(500))
    owner: Mapped[str | None] = mapped_column(Id)
    role: Mapped[str | None] = mapped_column(String(64))
    unit: Mapped[str | None] = mapped_column(Unit)
    #: until when the task was due
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: NULL: the ladder did
    issued_by: Mapped[str | None] = mapped_column(Id)
    issued_by_name: Mapped[str] = mapped_column(String(100))
    demand: Mapped[str] = mapped_column(Text)
    reply_by: Mapped[datetime] = mapped_column(UtcDateTime)
    replied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replied_by: Mapped[str | None] = mapped_column(Id)
    replied_by_name: Mapped[str | None] = mapped_column(String(100))
    cause: Mapped[str | None] = mapped_column(Text)
    measures: Mapped[str | None] = mapped_column(Text)
    promised: Mapped[Any] = mapped_column(IsoDate, nullable=True)


_slip: Any = SupervisionSlip.__table__

INSERT = Statement(insert(_slip))
BY_ID = Statement(select(_slip).where(_slip.c.id == bindparam("slip_id")))
OF_TASK = Statement(
    select(_slip).where(_slip.c.task_id == bindparam("task_id")).order_by(_slip.c.issued_at)
)
OPEN_OF_TASK = Statement(
    select(_slip).where(_slip.c.task_id == bindparam("task_id"), _slip.c.replied_at.is_(None))
)
OPEN_OF_CASE = Statement(
    select(_slip).where(
        _slip.c.instance_id == bindparam("instance_id"),
        _slip.c.task_id == WHOLE_CASE,
        _slip.c.replied_at.is_(None),
    )
)


@lru_cache(maxsize=64)
def waiting(owners: int, offices: int) -> Statement:
    """How many unanswered slips are addressed to so many owners and offices, up to :most.

    Reads `owner0`…, and `role0`, `unit0`… for each office.
    """
    found = select(_slip.c.id).where(*unanswered(owners, offices)).limit(bindparam("most"))
    return Statement(select(func.count().label("waiting")).select_from(found.subquery()))


@lru_cache(maxsize=64)
def mine(owners: int, offices: int) -> Statement:
    """Those slips, up to :most of them, the most urgent first; reads the same."""
    found = select(_slip).where(*unanswered(owners, offices))
    return Statement(found.order_by(_slip.c.reply_by, _slip.c.id).limit(bindparam("most")))


def unanswered(owners: int, offices: int) -> tuple[Any, ...]:
    """The conditions of slips that wait for one of them."""
    own = [_slip.c.owner == bindparam(f"owner{number}") for number in range(owners)]
    of_office = [
        and_(_slip.c.role == bindparam(f"role{number}"), _slip.c.unit == bindparam(f"unit{number}"))
        for number in range(offices)
    ]
    return _slip.c.replied_at.is_(None), or_(*own, *of_office)


#: the guard: a slip is answered once
REPLY = Statement(
    update(_slip)
    .where(_slip.c.id == bindparam("slip_id"), _slip.c.replied_at.is_(None))
    .values(
        replied_at=bindparam("replied_at"),
        replied_by=bindparam("replied_by"),
        replied_by_name=bindparam("replied_by_name"),
        cause=bindparam("cause"),
        measures=bindparam("measures"),
        promised=bindparam("promised"),
    )
)
