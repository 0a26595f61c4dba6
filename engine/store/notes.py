"""Remarks on cases, and forms somebody has not sent yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, JsonText, UtcDateTime
from engine.store.statement import Statement


class TaskComment(Base):
    """A remark; it stays."""

    __tablename__ = "task_comment"
    __table_args__ = (Index(None, "instance_id", "id"), Index(None, "task_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str] = mapped_column(Id)
    task_id: Mapped[str | None] = mapped_column(Id)
    author: Mapped[str] = mapped_column(Id)
    author_name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class TaskDraft(Base):
    """The unsent form of one participant for one task; gone when the task is completed."""

    __tablename__ = "task_draft"

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    participant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    data: Mapped[Any] = mapped_column(JsonText)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


COMMENTS = Statement(
    select(TaskComment.__table__)
    .where(TaskComment.instance_id == bindparam("instance_id"))
    .order_by(TaskComment.id)
)
DRAFT = Statement(
    select(TaskDraft.data, TaskDraft.saved_at).where(
        TaskDraft.task_id == bindparam("task_id"),
        TaskDraft.participant_id == bindparam("participant_id"),
    )
)
