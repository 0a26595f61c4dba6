"""Tables of 公示, 异议 and 发放结果公布."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, JsonText, UtcDateTime


class NoticeStatus(enum.StrEnum):
    """How far a notice is."""

    PREPARED = "prepared"
    POSTED = "posted"
    CONCLUDED = "concluded"


class NoticeLineStatus(enum.StrEnum):
    """What became of a line's version in a notice."""

    STANDING = "standing"
    CLEARED = "cleared"
    VOIDED = "voided"
    STRUCK = "struck"


class Notice(Base):
    """One public notice; `tier` is village, town, or both where both post at the same time."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_unit_status", "town", "status"),
        Index("ix_notice_public", "status", "posted_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36), index=True)
    tier: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(32))
    #: None for a notice of the town
    village: Mapped[str | None] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(120))
    days: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(12), default=NoticeStatus.PREPARED.value)
    hotline: Mapped[str] = mapped_column(String(40))
    prepared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: when the last of the sides was posted: from there the period counts
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: 24:00 of the last day
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    take_down_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: side (village, town) → posted_at, by, places, photos
    postings: Mapped[Any] = mapped_column(JsonText, default=dict)
    #: side → closed_at, by, photos
    closings: Mapped[Any] = mapped_column(JsonText, default=dict)
    concluded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NoticeLine(Base):
    """One version of one household in one notice, as it was posted."""

    __tablename__ = "notice_line"
    # Asked the other way round, too: which notices named these households.
    __table_args__ = (Index("ix_notice_line_line", "line_id"),)

    notice_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    line_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(10), default=NoticeLineStatus.STANDING.value)


class Objection(Base):
    """异议 (D-07); who objects is sealed and never shown to the village."""

    __tablename__ = "objection"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    notice_id: Mapped[str] = mapped_column(String(36), index=True)
    line_id: Mapped[str | None] = mapped_column(String(36), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    objector_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(10), default="open")
    filed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    filed_by: Mapped[str] = mapped_column(String(36))
    checked_by: Mapped[str | None] = mapped_column(String(36))
    confirmed_by: Mapped[str | None] = mapped_column(String(36))
    verdict: Mapped[str | None] = mapped_column(String(10))
    #: what 成立-调整 changes: needy, level, main_type, amount
    adjustment: Mapped[Any] = mapped_column(JsonText, nullable=True)
    reply: Mapped[str] = mapped_column(Text, default="")
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ResultPublication(Base):
    """发放结果公布 by a village (D-16; 自然灾害救助条例 26)."""

    __tablename__ = "result_publication"

    campaign_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    village: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))
    places: Mapped[Any] = mapped_column(JsonText)
    photos: Mapped[Any] = mapped_column(JsonText)
    households: Mapped[int] = mapped_column(Integer)
    paid_fen: Mapped[int] = mapped_column(BigInteger)
