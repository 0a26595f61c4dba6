"""Jobs: work that follows a commit, one row each; done is deleted in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, UtcDateTime
from engine.store.statement import Statement

QUEUED = "queued"
#: given up after the last attempt; an incident says so, an operator may retry
DEAD = "dead"

_QUEUED = text("status = 'queued'")


class Job(Base):
    """A trigger for an instance, or an operation outside a transaction."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_queued", "run_at", "id", postgresql_where=_QUEUED, sqlite_where=_QUEUED),
        Index(None, "instance_id", "element"),
        Index(None, "key", unique=True),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    kind: Mapped[str] = mapped_column(String(20))
    #: the instance it works on
    instance_id: Mapped[str | None] = mapped_column(Id)
    element: Mapped[int | None] = mapped_column(Integer)
    #: idempotency key: what is queued twice under one key is done once
    key: Mapped[str | None] = mapped_column(String(200))
    #: encoded values (`engine.kernel.codec`)
    arguments: Mapped[bytes] = mapped_column(Blob)
    status: Mapped[str] = mapped_column(String(8))
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    #: when it was handed to a worker; in no index, so that noting it stays cheap
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_job: Any = Job.__table__

INSERT = Statement(
    insert(_job).values(
        {column.name: bindparam(column.name) for column in _job.c if column.name != "claimed_at"}
    )
)
DUE = Statement(
    select(_job.c.id, _job.c.kind, _job.c.instance_id)
    .where(_job.c.status == QUEUED, _job.c.run_at <= bindparam("now"))
    .order_by(_job.c.run_at, _job.c.id)
    .limit(bindparam("limit"))
)
NEXT = Statement(select(func.min(_job.c.run_at).label("at")).where(_job.c.status == QUEUED))
BY_ID = Statement(select(_job).where(_job.c.id == bindparam("job_id")))
#: the guard: only the one who hits the row has done the work
TAKE = Statement(delete(_job).where(_job.c.id == bindparam("job_id"), _job.c.status == QUEUED))
#: a lease: whoever moves `run_at` from what he read may work outside a transaction
LEASE = Statement(
    update(_job)
    .where(
        _job.c.id == bindparam("job_id"),
        _job.c.status == QUEUED,
        _job.c.run_at == bindparam("seen_run_at"),
    )
    .values(run_at=bindparam("run_at"), claimed_at=None)
)
#: a job of many parts: the part just done is noted by whoever read what stood there
GO_ON = Statement(
    update(_job)
    .where(
        _job.c.id == bindparam("job_id"),
        _job.c.status == QUEUED,
        _job.c.arguments == bindparam("seen_arguments"),
    )
    .values(
        arguments=bindparam("arguments"),
        run_at=bindparam("run_at"),
        attempts=0,
        error=None,
        #: kept while whoever has it goes on with it, so that no other worker is given it
        claimed_at=bindparam("claimed_at"),
    )
)
TAKE_AS = Statement(
    delete(_job).where(
        _job.c.id == bindparam("job_id"),
        _job.c.status == QUEUED,
        _job.c.arguments == bindparam("seen_arguments"),
    )
)
FAILED = Statement(
    update(_job)
    .where(_job.c.id == bindparam("job_id"))
    .values(
        run_at=bindparam("run_at"),
        status=bindparam("status"),
        error=bindparam("error"),
        attempts=bindparam("attempts"),
        claimed_at=None,
    )
)
#: asked again at `run_at`, and found by the beginning of its key before that
KEEP = Statement(
    update(_job)
    .where(_job.c.id == bindparam("job_id"), _job.c.status == QUEUED)
    .values(
        run_at=bindparam("run_at"),
        key=bindparam("key"),
        attempts=bindparam("attempts"),
        claimed_at=None,
    )
)
KEPT = Statement(
    select(_job.c.id)
    .where(_job.c.key >= bindparam("low"), _job.c.key < bindparam("high"), _job.c.status == QUEUED)
    .order_by(_job.c.created_at, _job.c.id)
)
RUN_NOW = Statement(
    update(_job)
    .where(_job.c.id == bindparam("job_id"), _job.c.status == QUEUED)
    .values(run_at=bindparam("run_at"), claimed_at=None)
)
#: what it is asked to do was computed again
RENEW = Statement(
    update(_job).where(_job.c.id == bindparam("job_id")).values(arguments=bindparam("arguments"))
)
REVIVE = Statement(
    update(_job)
    .where(_job.c.id == bindparam("job_id"), _job.c.status == DEAD)
    .values(run_at=bindparam("run_at"), status=QUEUED, attempts=0, claimed_at=None)
)


def _claim(name: str, *where: Any) -> Statement:
    """Note a hand-over of what is due; a row that another pump is looking at is passed over."""
    due = (
        select(_job.c.id)
        .where(_job.c.status == QUEUED, _job.c.run_at <= bindparam("now"), *where)
        .order_by(_job.c.run_at, _job.c.id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte(name)
    )
    return Statement(
        update(_job)
        .where(_job.c.id == due.c.id)
        .values(claimed_at=bindparam("now"))
        .returning(_job.c.id, _job.c.kind, _job.c.arguments)
    )


CLAIM = _claim("due", _job.c.claimed_at.is_(None))
#: handed out long ago and still there: whoever had it lost it
CLAIM_LOST = _claim("lost", _job.c.claimed_at < bindparam("before"))
CANCEL = Statement(
    delete(_job).where(
        _job.c.instance_id == bindparam("instance_id"),
        _job.c.element == bindparam("element"),
        _job.c.kind == bindparam("kind"),
    )
)
