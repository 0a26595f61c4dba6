"""Ladders that a region has instead of the package's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, JsonText, Unit, UtcDateTime


class LadderOverride(Base):
    """The rungs of one ladder of one process, in one region and below it."""

    __tablename__ = "ladder_override"

    process_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    ladder: Mapped[str] = mapped_column(String(64), primary_key=True)
    region: Mapped[str] = mapped_column(Unit, primary_key=True)
    rungs: Mapped[Any] = mapped_column(JsonText)
    reason: Mapped[str] = mapped_column(String(500))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    set_by: Mapped[str] = mapped_column(Id)
