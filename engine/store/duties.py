"""Periodic duties: a row each; whoever moves `next_at` from what he read has the occurrence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import SmallInteger, String, Text, bindparam, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, UtcDateTime
from engine.store.statement import Statement


class DutyRow(Base):
    """What is to be done again and again, once an occurrence in the whole cluster."""

    __tablename__ = "duty"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: the schedule `next_at` was reckoned by; another one reckons anew
    schedule: Mapped[str] = mapped_column(String(100))
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the occurrence that was handed out last, and until when nobody else may take it up
    taken_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)


_duty: Any = DutyRow.__table__

INSERT = Statement(insert(_duty))
ALL = Statement(select(_duty).order_by(_duty.c.name))
BY_NAME = Statement(select(_duty).where(_duty.c.name == bindparam("duty_name")))
RESCHEDULE = Statement(
    update(_duty)
    .where(_duty.c.name == bindparam("duty_name"), _duty.c.schedule == bindparam("seen_schedule"))
    .values(schedule=bindparam("schedule"), next_at=bindparam("next_at"))
)
#: the guard of a new occurrence
TAKE = Statement(
    update(_duty)
    .where(_duty.c.name == bindparam("duty_name"), _duty.c.next_at == bindparam("seen_next_at"))
    .values(
        next_at=bindparam("next_at"),
        taken_for=bindparam("taken_for"),
        leased_until=bindparam("leased_until"),
        attempts=0,
        error=None,
    )
)
_unfinished = or_(_duty.c.finished_for.is_(None), _duty.c.finished_for < _duty.c.taken_for)
#: the guard of an occurrence whose keeper died or failed
TAKE_AGAIN = Statement(
    update(_duty)
    .where(
        _duty.c.name == bindparam("duty_name"),
        _duty.c.leased_until == bindparam("seen_leased_until"),
        _unfinished,
    )
    .values(leased_until=bindparam("leased_until"))
)
_occurrence = (_duty.c.name == bindparam("duty_name"), _duty.c.taken_for == bindparam("occurrence"))
FINISH = Statement(
    update(_duty)
    .where(*_occurrence)
    .values(finished_for=bindparam("occurrence"), finished_at=bindparam("at"), error=None)
)
FAILED = Statement(
    update(_duty)
    .where(*_occurrence)
    .values(
        error=bindparam("error"),
        attempts=_duty.c.attempts + 1,
        leased_until=bindparam("leased_until"),
    )
)
#: an operator: try the given-up occurrence again
REVIVE = Statement(
    update(_duty)
    .where(_duty.c.name == bindparam("duty_name"), _unfinished)
    .values(attempts=0, leased_until=bindparam("at"))
)
