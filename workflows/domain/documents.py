"""Papers that were printed: what was made of which record, when and by whom, under which code.

The code stands in the paper's footer; whoever holds a paper can ask whether it is ours.
"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, OperationContext, UtcDateTime, errors
from workflows.domain import vault

_CODE = re.compile(r"[0-9A-F]{4}(?:-[0-9A-F]{4}){3}")


class IssuedPaper(Base):
    """One printing; printing the same content again adds a row with the same code."""

    __tablename__ = "issued_paper"
    __table_args__ = (Index("ix_issued_paper_code", "code", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    code: Mapped[str] = mapped_column(String(19))
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    unit: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))


def issue(
    context: OperationContext,
    *,
    code: str,
    kind: str,
    title: str,
    subject: str,
    unit: str,
    sha256: str,
) -> IssuedPaper:
    """The printing is on record. Raises InvalidInput for a code that is none."""
    if not _CODE.fullmatch(code):
        raise errors.InvalidInput("文件校验码格式有误")
    row = IssuedPaper(
        id=context.new_id(),
        code=code,
        kind=kind,
        title=title,
        subject=subject,
        unit=unit,
        sha256=sha256,
        at=context.now,
        actor_id=context.actor.id if context.actor else "system",
    )
    context.session.add(row)
    context.session.flush()
    return row


def record_reading(context: OperationContext, subject: str, purpose: str) -> None:
    """Full numbers leave on this paper: who reads them is written down first (Inv-18)."""
    if not purpose.strip():
        raise errors.InvalidInput(None, {"purpose": "请写明用途"})
    vault.record_read(context, subject, purpose.strip()[:100])


def tidy_code(text: str) -> str | None:
    """A code as somebody types it (spaces, small letters, no dashes), or None."""
    digits = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    code = "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    return code if _CODE.fullmatch(code) else None


def first_issued(session: Session, code: str) -> IssuedPaper | None:
    """The first printing under this code; None when no paper of ours carries it."""
    return session.scalars(
        select(IssuedPaper).where(IssuedPaper.code == code).order_by(IssuedPaper.at).limit(1)
    ).first()
