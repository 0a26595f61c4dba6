"""Faults of model or data, kept until somebody resolves them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, SmallInteger, String, Text, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Unit, UtcDateTime
from engine.store.statement import Statement


class IncidentRow(Base):
    """One fault. Which of job, timer or element it points to says how a retry works."""

    __tablename__ = "incident"
    __table_args__ = (Index(None, "instance_id"), Index(None, "resolved_at", "id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str | None] = mapped_column(Id)
    region: Mapped[str | None] = mapped_column(Unit)
    element: Mapped[int | None] = mapped_column(Integer)
    activity_id: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    job_id: Mapped[str | None] = mapped_column(Id)
    timer_id: Mapped[str | None] = mapped_column(Id)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(Id)


_incident: Any = IncidentRow.__table__

INSERT = Statement(insert(_incident))
#: what a row of `INSERT` holds where its writer has nothing to say
NOTHING: Mapping[str, object] = {**dict.fromkeys(_incident.c.keys()), "attempts": 0}
BY_ID = Statement(select(_incident).where(_incident.c.id == bindparam("incident_id")))
OPEN_OF_INSTANCE = Statement(
    select(_incident)
    .where(_incident.c.instance_id == bindparam("instance_id"), _incident.c.resolved_at.is_(None))
    .order_by(_incident.c.id)
)
RESOLVE = Statement(
    update(_incident)
    .where(_incident.c.id == bindparam("incident_id"), _incident.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("resolved_at"), resolved_by=bindparam("resolved_by"))
)
#: of a job that belongs to no case
OPEN_OF_JOB = Statement(
    select(_incident).where(
        _incident.c.instance_id.is_(None),
        _incident.c.job_id == bindparam("job_id"),
        _incident.c.resolved_at.is_(None),
    )
)
OPEN_OF_TIMER = Statement(
    select(_incident.c.id).where(
        _incident.c.timer_id == bindparam("timer_id"), _incident.c.resolved_at.is_(None)
    )
)
