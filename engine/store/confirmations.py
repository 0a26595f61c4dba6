"""Orders that wait for a second administrator, and who has edited the drafts of a process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, JsonText, Unit, UtcDateTime


class Confirmation(Base):
    """One order; kept for good, as the record of who asked and who agreed."""

    __tablename__ = "confirmation"
    __table_args__ = (Index(None, "status", "id"), Index(None, "subject", "status"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    #: key of a process or id of a case
    subject: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(300))
    region: Mapped[str] = mapped_column(Unit)
    reason: Mapped[str] = mapped_column(Text)
    #: what to do (`engine.kernel.codec`)
    order: Mapped[bytes] = mapped_column("what", Blob)
    #: ids of those who may not confirm: who asked, and who edited
    involved: Mapped[Any] = mapped_column(JsonText)
    asked_by: Mapped[str] = mapped_column(Id)
    asked_name: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(10))
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_name: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text)
    #: id of the version that came of it
    result: Mapped[str | None] = mapped_column(Id)


class DraftEditor(Base):
    """Somebody who saved a draft of a process since its last version."""

    __tablename__ = "draft_editor"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    participant_id: Mapped[str] = mapped_column(Id, primary_key=True)
