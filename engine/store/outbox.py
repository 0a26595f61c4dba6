"""Messages to people, written with the state and handed over after the commit.

A row stands here only until whoever delivers has taken it over, so the table is nearly empty and
needs no index by time: writing a message touches one page.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Index,
    SmallInteger,
    String,
    Text,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, JsonText, UtcDateTime
from engine.store.statement import Statement

QUEUED = "queued"
FAILED = "failed"

_FAILED = text("status = 'failed'")


class OutboxMessage(Base):
    """One message for one audience; its id is the idempotency key towards every channel."""

    __tablename__ = "outbox"
    __table_args__ = (
        # Nearly empty: what could not be delivered.
        Index("ix_outbox_failed", "id", postgresql_where=_FAILED, sqlite_where=_FAILED),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    message: Mapped[str] = mapped_column(String(100))
    audience: Mapped[Any] = mapped_column(JsonText)
    data: Mapped[Any] = mapped_column(JsonText)
    process_key: Mapped[str | None] = mapped_column(String(100))
    definition_id: Mapped[str | None] = mapped_column(Id)
    instance_id: Mapped[str | None] = mapped_column(Id)
    task_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(8))
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    #: of the release before this one, which kept what was sent
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_outbox: Any = OutboxMessage.__table__

#: what sending sets later stays NULL and need not be sent
INSERT = Statement(
    insert(_outbox).values(
        {
            column.name: bindparam(column.name)
            for column in _outbox.c
            if column.name not in ("error", "sent_at")
        }
    )
)
PENDING = Statement(
    select(_outbox)
    .where(_outbox.c.status == QUEUED, _outbox.c.next_at <= bindparam("now"))
    .order_by(_outbox.c.id)
    .limit(bindparam("limit"))
    # Whoever else sends takes the next ones instead of waiting for ours.
    .with_for_update(skip_locked=True)
)
#: a lease: whoever moves `next_at` from what he read may send
LEASE = Statement(
    update(_outbox)
    .where(
        _outbox.c.id == bindparam("message_id"),
        _outbox.c.status == QUEUED,
        _outbox.c.next_at == bindparam("seen_next_at"),
    )
    .values(next_at=bindparam("next_at"))
)
#: taken over: whoever delivers keeps it from here on
FORGET = Statement(
    delete(_outbox).where(_outbox.c.id == bindparam("message_id"), _outbox.c.status == QUEUED)
)
MARK_FAILED = Statement(
    update(_outbox)
    .where(_outbox.c.id == bindparam("message_id"), _outbox.c.status == QUEUED)
    .values(
        status=bindparam("status"),
        next_at=bindparam("next_at"),
        error=bindparam("error"),
        attempts=_outbox.c.attempts + 1,
    )
)
