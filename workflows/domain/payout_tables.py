"""Tables of 一卡通发放: bank files, their rows, fixes of failed rows."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, UtcDateTime


class BatchStatus(enum.StrEnum):
    """How far a bank file is."""

    MADE = "made"
    CHECKED = "checked"
    HANDED = "handed"
    RETURNED = "returned"
    SETTLED = "settled"
    VOID = "void"

    @property
    def label(self) -> str:
        """The Chinese word."""
        return {
            "made": "待复核", "checked": "已复核", "handed": "已交银行", "returned": "已回盘",
            "settled": "已入账", "void": "已作废",
        }[self.value]  # fmt: skip


class PayoutBatch(Base):
    """One bank file (D-13) of one town; `seq` counts files of the town in the campaign."""

    __tablename__ = "payout_batch"
    __table_args__ = (UniqueConstraint("campaign_id", "town", "seq"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    town: Mapped[str] = mapped_column(String(32), index=True)
    seq: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(10), default=BatchStatus.MADE.value)
    count: Mapped[int] = mapped_column(Integer)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    remark: Mapped[str] = mapped_column(String(40))
    csv_file: Mapped[str] = mapped_column(String(36))
    xlsx_file: Mapped[str] = mapped_column(String(36))
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(36))
    checked_by: Mapped[str | None] = mapped_column(String(36))
    handed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    returned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    return_file: Mapped[str | None] = mapped_column(String(36))


class PayoutItem(Base):
    """One household in one file; a household is in file `attempt` at most once (Inv-4)."""

    __tablename__ = "payout_item"
    __table_args__ = (UniqueConstraint("line_id", "attempt"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    batch_id: Mapped[str] = mapped_column(String(36), index=True)
    row_no: Mapped[int] = mapped_column(Integer)
    line_id: Mapped[str] = mapped_column(String(36))
    attempt: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    #: pending | paid | failed | void
    status: Mapped[str] = mapped_column(String(10), default="pending")
    return_code: Mapped[str] = mapped_column(String(10), default="")
    return_reason: Mapped[str] = mapped_column(String(60), default="")
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    booked_at: Mapped[str] = mapped_column(String(30), default="")
    reference: Mapped[str] = mapped_column(String(60), default="")


class PayoutFix(Base):
    """更正 of a failed payment, or handing over of cash and goods (domain R1C)."""

    __tablename__ = "payout_fix"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    line_id: Mapped[str] = mapped_column(String(36), index=True)
    reason: Mapped[str] = mapped_column(String(60))
    #: account | cash
    way: Mapped[str] = mapped_column(String(10))
    #: open | proposed | done
    status: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    account_masked: Mapped[str] = mapped_column(String(40), default="")
    account_kind: Mapped[str] = mapped_column(String(10), default="")
    account_name: Mapped[str] = mapped_column(String(40), default="")
    bank: Mapped[str] = mapped_column(String(60), default="")
    payee_reason: Mapped[str] = mapped_column(String(60), default="")
    receiver: Mapped[str] = mapped_column(String(40), default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    proposed_by: Mapped[str | None] = mapped_column(String(36))
    verified_by: Mapped[str | None] = mapped_column(String(36))
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
