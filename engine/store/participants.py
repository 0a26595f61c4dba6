"""Participants, the seats they hold and who stands in for whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, bindparam, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, IsoDate, Unit, UtcDateTime
from engine.store.statement import Statement


class Participant(Base):
    """A person who may act. The login belongs to the shell; passwords are not kept here."""

    __tablename__ = "participant"
    __table_args__ = (Index(None, "login", unique=True),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    login: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SeatRow(Base):
    """A role at a unit from a day to a day, both included."""

    __tablename__ = "seat"
    __table_args__ = (Index(None, "participant_id"), Index(None, "unit", "role"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    participant_id: Mapped[str] = mapped_column(Id, ForeignKey("participant.id"))
    role: Mapped[str] = mapped_column(String(64))
    unit: Mapped[str] = mapped_column(Unit)
    since: Mapped[date] = mapped_column(IsoDate)
    until: Mapped[date | None] = mapped_column(IsoDate)


class Substitution(Base):
    """`substitute_id` may act on the seats of `absent_id` during the days named."""

    __tablename__ = "substitution"
    __table_args__ = (Index(None, "substitute_id"), Index(None, "absent_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    absent_id: Mapped[str] = mapped_column(Id, ForeignKey("participant.id"))
    substitute_id: Mapped[str] = mapped_column(Id, ForeignKey("participant.id"))
    since: Mapped[date] = mapped_column(IsoDate)
    until: Mapped[date] = mapped_column(IsoDate)
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)


_participant: Any = Participant.__table__
_seat: Any = SeatRow.__table__
_substitution: Any = Substitution.__table__
_valid = (
    _seat.c.since <= bindparam("today"),
    or_(_seat.c.until.is_(None), _seat.c.until >= bindparam("today")),
)

BY_ID = Statement(select(_participant).where(_participant.c.id == bindparam("participant_id")))
SEATS = Statement(
    select(_seat)
    .where(_seat.c.participant_id == bindparam("participant_id"), *_valid)
    .order_by(_seat.c.role, _seat.c.unit)
)
#: past and future ones too
EVERY_SEAT = Statement(
    select(_seat)
    .where(_seat.c.participant_id == bindparam("participant_id"))
    .order_by(_seat.c.role, _seat.c.unit)
)
SEATS_INSTEAD = Statement(
    select(_seat, _substitution.c.absent_id)
    .join(_substitution, _substitution.c.absent_id == _seat.c.participant_id)
    .where(
        _substitution.c.substitute_id == bindparam("participant_id"),
        _substitution.c.since <= bindparam("today"),
        _substitution.c.until >= bindparam("today"),
        *_valid,
    )
    .order_by(_seat.c.role, _seat.c.unit)
)
HOLDERS = Statement(
    select(_participant.c.id, _participant.c.name, _seat.c.role)
    .join(_seat, _seat.c.participant_id == _participant.c.id)
    .where(
        _seat.c.role == bindparam("role"),
        _seat.c.unit == bindparam("unit"),
        _participant.c.active.is_(True),
        *_valid,
    )
    .order_by(_participant.c.id)
)
ROLES_AT = Statement(
    select(_seat.c.role)
    .join(_participant, _seat.c.participant_id == _participant.c.id)
    .where(_seat.c.unit == bindparam("unit"), _participant.c.active.is_(True), *_valid)
    .distinct()
)
NAMES = Statement(
    select(_participant.c.name).where(_participant.c.id == bindparam("participant_id"))
)
