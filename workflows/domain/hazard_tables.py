"""Tables of the safety chain. Rows are never deleted; what is void is marked (Inv-17)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, IsoDate, JsonText, UtcDateTime

_ID = String(36)
_UNIT = String(32)
_WORD = String(20)


class InstitutionRow(Base):
    """A civil-affairs institution (救助管理站、养老机构 …) that takes part in safety rounds."""

    __tablename__ = "hazard_institution"

    code: Mapped[str] = mapped_column(_UNIT, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(_WORD)
    #: 一对一帮包 officer, by name
    buddy: Mapped[str] = mapped_column(String(50), default="")
    opened_on: Mapped[date] = mapped_column(IsoDate)
    closed_on: Mapped[date | None] = mapped_column(IsoDate)
    #: last serial number given to a hazard here
    hazard_count: Mapped[int] = mapped_column(Integer, default=0)


class ChecklistRow(Base):
    """One published version of a checklist; immutable once written."""

    __tablename__ = "hazard_checklist"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    basis: Mapped[str] = mapped_column(Text, default="")
    published_on: Mapped[date] = mapped_column(IsoDate)
    published_by: Mapped[str] = mapped_column(_ID)
    #: list of {code, group, category, text, clause}
    items: Mapped[list[dict[str, str]]] = mapped_column(JsonText)
    #: list of {id, text}: criteria that make a hazard 重大
    criteria: Mapped[list[dict[str, str]]] = mapped_column(JsonText)


class RoundRow(Base):
    """One round of self-check and inspection (安全检查轮次) of a city."""

    __tablename__ = "hazard_round"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(_UNIT, index=True)
    checklist_id: Mapped[str] = mapped_column(String(60))
    notice_on: Mapped[date] = mapped_column(IsoDate)
    ledger_due: Mapped[date] = mapped_column(IsoDate)
    inspect_due: Mapped[date] = mapped_column(IsoDate)
    report_on: Mapped[date] = mapped_column(IsoDate)
    opened_by: Mapped[str] = mapped_column(_ID)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    instance_id: Mapped[str | None] = mapped_column(_ID)
    summary: Mapped[str] = mapped_column(Text, default="")
    #: D-37 as it was signed
    figures: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    closed_by: Mapped[str | None] = mapped_column(_ID)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RoundUnitRow(Base):
    """One institution's part in a round; together they must reach 100 % coverage."""

    __tablename__ = "hazard_round_unit"

    round_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    institution: Mapped[str] = mapped_column(_UNIT, primary_key=True)
    instance_id: Mapped[str | None] = mapped_column(_ID)
    checked_by: Mapped[str | None] = mapped_column(_ID)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    graded_by: Mapped[str | None] = mapped_column(_ID)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ledger_by: Mapped[str | None] = mapped_column(_ID)
    ledger_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ledger_signature: Mapped[str] = mapped_column(String(50), default="")
    inspected_by: Mapped[str | None] = mapped_column(_ID)
    inspected_on: Mapped[date | None] = mapped_column(IsoDate)
    inspection: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    cosigned_by: Mapped[str | None] = mapped_column(_ID)
    cosigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notice_number: Mapped[str | None] = mapped_column(String(60))
    notice_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_by: Mapped[str | None] = mapped_column(_ID)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AnswerRow(Base):
    """The answer of one institution to one item of the round's checklist."""

    __tablename__ = "hazard_answer"

    round_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    institution: Mapped[str] = mapped_column(_UNIT, primary_key=True)
    item: Mapped[str] = mapped_column(String(30), primary_key=True)
    result: Mapped[str] = mapped_column(_WORD)
    note: Mapped[str] = mapped_column(Text, default="")
    photos: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    by: Mapped[str] = mapped_column(_ID)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class HazardRow(Base):
    """One hazard: a line of the ledger D-30."""

    __tablename__ = "hazard"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    round_id: Mapped[str | None] = mapped_column(_ID)
    institution: Mapped[str] = mapped_column(_UNIT)
    city: Mapped[str] = mapped_column(_UNIT)
    item: Mapped[str | None] = mapped_column(String(30))
    instance_id: Mapped[str | None] = mapped_column(_ID)
    state: Mapped[str] = mapped_column(_WORD)
    source: Mapped[str] = mapped_column(_WORD)
    found_on: Mapped[date] = mapped_column(IsoDate)
    found_by: Mapped[str] = mapped_column(_ID)
    #: participant ids of the inspectors who issued it; empty for a self-check find (SoD-4)
    issuers: Mapped[list[str]] = mapped_column(JsonText)
    place: Mapped[str] = mapped_column(String(100))
    category: Mapped[str] = mapped_column(_WORD)
    description: Mapped[str] = mapped_column(Text)
    grade: Mapped[str | None] = mapped_column(_WORD)
    criterion: Mapped[str | None] = mapped_column(String(30))
    #: list of {id, name, sha256, taken_at}
    before: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    suspension: Mapped[str] = mapped_column(_WORD, default="none")
    interim: Mapped[str] = mapped_column(Text, default="")
    goal: Mapped[str] = mapped_column(Text, default="")
    measure: Mapped[str] = mapped_column(Text, default="")
    owner_name: Mapped[str] = mapped_column(String(50), default="")
    fund_fen: Mapped[int | None] = mapped_column(BigInteger)
    plan: Mapped[str] = mapped_column(Text, default="")
    due_on: Mapped[date | None] = mapped_column(IsoDate)
    deferred_to: Mapped[date | None] = mapped_column(IsoDate)
    #: the day that counts now: planned, deferred, or set anew after a failed re-inspection
    current_due: Mapped[date | None] = mapped_column(IsoDate)
    #: participant ids of everybody who ever submitted a rectification
    rectifiers: Mapped[list[str]] = mapped_column(JsonText)
    rectified_on: Mapped[date | None] = mapped_column(IsoDate)
    rectified_note: Mapped[str] = mapped_column(Text, default="")
    self_verdict: Mapped[str] = mapped_column(Text, default="")
    cost_fen: Mapped[int | None] = mapped_column(BigInteger)
    after: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    supervised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    supervision: Mapped[str] = mapped_column(Text, default="")
    #: the 挂牌督办 case, once one was opened
    major_case: Mapped[str | None] = mapped_column(_ID)
    #: 挂牌督办 of a 重大 hazard: number, leader in charge, last day
    listed_number: Mapped[str | None] = mapped_column(String(60))
    listed_leader: Mapped[str] = mapped_column(String(50), default="")
    listed_due: Mapped[date | None] = mapped_column(IsoDate)
    closed_on: Mapped[date | None] = mapped_column(IsoDate)
    closed_by: Mapped[str | None] = mapped_column(_ID)
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")
    remark: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_hazard_city_state_id", "city", "state", "id"),
        Index("ix_hazard_institution_id", "institution", "id"),
        Index("ix_hazard_round_id_id", "round_id", "id"),
    )


class RecheckRow(Base):
    """One re-inspection (复查): what the first re-inspector found and the second one signed."""

    __tablename__ = "hazard_recheck"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    hazard_id: Mapped[str] = mapped_column(_ID, index=True)
    attempt: Mapped[int] = mapped_column(Integer)
    passed: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(Text, default="")
    photos: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    new_due: Mapped[date | None] = mapped_column(IsoDate)
    first_by: Mapped[str] = mapped_column(_ID)
    first_name: Mapped[str] = mapped_column(String(50))
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    second_by: Mapped[str | None] = mapped_column(_ID)
    second_name: Mapped[str] = mapped_column(String(50), default="")
    second_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: set when the second re-inspector did not agree: the record counts for nothing
    void: Mapped[bool] = mapped_column(Boolean, default=False)


class DeferralRow(Base):
    """The one deferral a hazard may have (延期申请 D-36)."""

    __tablename__ = "hazard_deferral"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    hazard_id: Mapped[str] = mapped_column(_ID)
    reason: Mapped[str] = mapped_column(Text)
    interim: Mapped[str] = mapped_column(Text)
    old_due: Mapped[date] = mapped_column(IsoDate)
    new_due: Mapped[date] = mapped_column(IsoDate)
    applied_by: Mapped[str] = mapped_column(_ID)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opinion: Mapped[str] = mapped_column(Text, default="")
    supported: Mapped[bool | None] = mapped_column(Boolean)
    opinion_by: Mapped[str | None] = mapped_column(_ID)
    opinion_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    granted: Mapped[bool | None] = mapped_column(Boolean)
    decision: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(_ID)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("hazard_id"),)


class DowngradeRow(Base):
    """A proposal to lower 重大 to 一般: evidence and two signatures (Inv-12)."""

    __tablename__ = "hazard_downgrade"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    hazard_id: Mapped[str] = mapped_column(_ID, index=True)
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    first_by: Mapped[str] = mapped_column(_ID)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    second_by: Mapped[str | None] = mapped_column(_ID)
    second_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EntryRow(Base):
    """One line of a hazard's own time line; only ever added (Inv-7)."""

    __tablename__ = "hazard_entry"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    hazard_id: Mapped[str] = mapped_column(_ID, index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(_ID)
    by_name: Mapped[str] = mapped_column(String(50))
    what: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(_WORD)
    note: Mapped[str] = mapped_column(Text, default="")
