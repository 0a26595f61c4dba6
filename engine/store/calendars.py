"""What the administration added to the shipped calendar, in order, and what each addition moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, JsonText, Unit, UtcDateTime

YEAR = "year"
LOCAL = "local"


class CalendarEntry(Base):
    """One import; nothing is overwritten: the newest entry of a year or unit counts."""

    __tablename__ = "calendar_entry"

    #: also the number of the calendar version that this entry made
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    #: the year, or the unit whose area differs
    about: Mapped[str] = mapped_column(Unit)
    content: Mapped[Any] = mapped_column(JsonText)
    source: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_by: Mapped[str] = mapped_column(Id)
    #: how many due dates it moved; NULL while they are still being counted again
    moved: Mapped[int | None] = mapped_column(Integer)
    #: rows to look at when that began, and how many were; NULL: nobody has begun
    total: Mapped[int | None] = mapped_column(Integer)
    done: Mapped[int | None] = mapped_column(Integer)


class MovedDue(Base):
    """One due date that moved because the calendar changed."""

    __tablename__ = "calendar_moved_due"
    __table_args__ = (Index(None, "number", "id"), {"sqlite_with_rowid": False})

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(ForeignKey("calendar_entry.number"))
    #: task, timer or case
    kind: Mapped[str] = mapped_column(String(8))
    instance_id: Mapped[str] = mapped_column(Id)
    task_id: Mapped[str | None] = mapped_column(Id)
    region: Mapped[str] = mapped_column(Unit)
    process_key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(Text)
    before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    after: Mapped[datetime | None] = mapped_column(UtcDateTime)
