"""Who keeps the engine going: one row a process, renewed every few seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, UtcDateTime
from engine.store.statement import Statement

#: a process of `nuanliu worker`, and one that serves pages
WORKER = "worker"
WEB = "web"


class ClusterMember(Base):
    """A process that was alive at `seen_at`."""

    __tablename__ = "cluster_member"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    host: Mapped[str] = mapped_column(String(100))
    pid: Mapped[int] = mapped_column(Integer)
    version: Mapped[str] = mapped_column(String(40))
    queues: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: timers and jobs it has run since it began
    done: Mapped[int] = mapped_column(BigInteger)


_member: Any = ClusterMember.__table__

INSERT = Statement(insert(_member))
SEEN = Statement(
    update(_member)
    .where(_member.c.id == bindparam("member_id"))
    .values(seen_at=bindparam("seen_at"), done=bindparam("done"))
)
LEAVE = Statement(delete(_member).where(_member.c.id == bindparam("member_id")))
FORGET = Statement(delete(_member).where(_member.c.seen_at < bindparam("before")))
ALL = Statement(select(_member).order_by(_member.c.kind, _member.c.started_at, _member.c.id))
