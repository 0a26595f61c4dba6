"""Two tables: what a person was told, and how each copy of it went out."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, UtcDateTime

_ID = String(36)


class DeliveryStatus(enum.StrEnum):
    """How far a copy is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class MessageRow(Base):
    """One message to one participant; (source, participant) is written once (idempotency)."""

    __tablename__ = "message"
    __table_args__ = (
        Index("uq_message_source_participant", "source", "participant_id", unique=True),
        Index("ix_message_participant", "participant_id", "id"),
        Index(
            "ix_message_unread",
            "participant_id",
            postgresql_where=text("read_at IS NULL AND shown"),
            sqlite_where=text("read_at IS NULL AND shown"),
        ),
        Index("ix_message_digest", "urgency", "created_at"),
    )

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    #: id of the outbox row, or `digest:<day>`
    source: Mapped[str] = mapped_column(_ID)
    participant_id: Mapped[str] = mapped_column(_ID)
    key: Mapped[str] = mapped_column(String(100))
    urgency: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(120), default="")
    task_id: Mapped[str | None] = mapped_column(_ID)
    instance_id: Mapped[str | None] = mapped_column(_ID)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: whether the in-app box shows it; a daily summary only repeats what is there already
    shown: Mapped[bool] = mapped_column(Boolean, default=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DeliveryRow(Base):
    """One copy of a message by one channel; at most one each."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_waiting",
            "next_at",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index("ix_delivery_status", "status", "message_id"),
    )

    message_id: Mapped[str] = mapped_column(_ID, ForeignKey("message.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    status: Mapped[str] = mapped_column(String(8))
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
