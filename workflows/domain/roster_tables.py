"""Tables of the roster (花名册): one roster a village and campaign, one row a household.

Numbers of persons and accounts are sealed (`vault`); the masked form is what pages show.
`IdentityClaim` makes the database itself refuse a person in two live lines of one campaign.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, IsoDate, JsonText, UtcDateTime
from workflows.domain.line_states import LineState


class Roster(Base):
    """The register of one village in one campaign."""

    __tablename__ = "roster"
    __table_args__ = (UniqueConstraint("campaign_id", "village"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    village: Mapped[str] = mapped_column(String(32), index=True)
    town: Mapped[str] = mapped_column(String(32), index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    visited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    visit_photos: Mapped[Any] = mapped_column(JsonText, default=list)
    #: D-04: held_on, place, host, due_n, present_n, attendees (participant ids), photos
    meeting: Mapped[Any] = mapped_column(JsonText, nullable=True)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_by: Mapped[str | None] = mapped_column(String(36))


class RosterLine(Base):
    """One household; `state` changes only through `lines.move`."""

    __tablename__ = "roster_line"
    __table_args__ = (
        UniqueConstraint("roster_id", "seq"),
        Index("ix_roster_line_campaign_state", "campaign_id", "state"),
        Index("ix_roster_line_town_state", "campaign_id", "town", "state"),
        Index("ix_roster_line_account", "campaign_id", "account_hash"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    roster_id: Mapped[str] = mapped_column(String(36))
    town: Mapped[str] = mapped_column(String(32))
    village: Mapped[str] = mapped_column(String(32), index=True)
    seq: Mapped[int] = mapped_column(Integer)
    #: grows when something that a notice publishes changes (Inv-2)
    version: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(20), default=LineState.DRAFT.value)

    group_name: Mapped[str] = mapped_column(String(60), default="")
    head_name: Mapped[str] = mapped_column(String(40))
    id_kind: Mapped[str] = mapped_column(String(20), default="身份证")
    no_id_reason: Mapped[str | None] = mapped_column(String(20))
    id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    id_masked: Mapped[str] = mapped_column(String(24), default="")
    head_is_minor: Mapped[bool] = mapped_column(default=False)
    guardian_name: Mapped[str] = mapped_column(String(40), default="")
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str] = mapped_column(String(24), default="")
    address: Mapped[str] = mapped_column(String(100), default="")

    members_n: Mapped[int] = mapped_column(Integer)
    need_n: Mapped[int] = mapped_column(Integer)
    hukou: Mapped[str] = mapped_column(String(10), default="农村")
    family_type: Mapped[str] = mapped_column(String(20))
    family_types: Mapped[Any] = mapped_column(JsonText, default=list)
    dis_types: Mapped[Any] = mapped_column(JsonText, default=list)
    dis_on: Mapped[date | None] = mapped_column(IsoDate)
    hazard_kind: Mapped[str] = mapped_column(String(20), default="")
    self_help: Mapped[str] = mapped_column(String(10), default="弱")
    #: food_kg (text decimal), cloth (pieces), heat/water/illness/other (fen)
    needs: Mapped[Any] = mapped_column(JsonText, default=dict)
    need_months: Mapped[int] = mapped_column(Integer, default=1)
    apply_way: Mapped[str] = mapped_column(String(10), default="本人")
    reason: Mapped[str] = mapped_column(Text, default="")

    pay_way: Mapped[str] = mapped_column(String(10), default="银行")
    account_kind: Mapped[str] = mapped_column(String(10), default="社保卡")
    bank: Mapped[str] = mapped_column(String(60), default="")
    account_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    account_hash: Mapped[str | None] = mapped_column(String(64))
    account_masked: Mapped[str] = mapped_column(String(40), default="")
    account_name: Mapped[str] = mapped_column(String(40), default="")
    #: why the payee is not the head (监护人, 代领人); also lets one account serve two households
    payee_reason: Mapped[str] = mapped_column(String(60), default="")

    surveyors: Mapped[Any] = mapped_column(JsonText, default=list)
    entered_by: Mapped[str] = mapped_column(String(36))
    is_relative: Mapped[bool] = mapped_column(default=False)

    level: Mapped[str | None] = mapped_column(String(10))
    main_type: Mapped[str | None] = mapped_column(String(10))
    planned_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    least_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    most_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    #: which rules of the standard matched: shown to whoever asks why this amount
    amount_trace: Mapped[Any] = mapped_column(JsonText, default=dict)
    #: none | open | stated | stamped
    exception: Mapped[str] = mapped_column(String(10), default="none")
    exception_reason: Mapped[str] = mapped_column(Text, default="")
    exception_by: Mapped[str | None] = mapped_column(String(36))
    approved_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    pay_failures: Mapped[int] = mapped_column(Integer, default=0)
    #: how the county looked at it: 未抽 | 电话 | 入户
    spot: Mapped[str] = mapped_column(String(10), default="未抽")
    opinion: Mapped[str] = mapped_column(Text, default="")
    #: who passed the line in its present state; empty again with every move
    passed_by: Mapped[str] = mapped_column(String(36), default="")

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def standing(self) -> LineState:
        """The state as a word of the transition table."""
        return LineState(self.state)


class RosterMember(Base):
    """A person of the household, the head included."""

    __tablename__ = "roster_member"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    line_id: Mapped[str] = mapped_column(String(36), index=True)
    name: Mapped[str] = mapped_column(String(40))
    relation: Mapped[str] = mapped_column(String(20))
    id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    id_masked: Mapped[str] = mapped_column(String(24), default="")
    is_needy: Mapped[bool] = mapped_column(default=True)


class IdentityClaim(Base):
    """One person, one live line a campaign (Inv-4); the row goes when its line dies."""

    __tablename__ = "identity_claim"

    campaign_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    line_id: Mapped[str] = mapped_column(String(36), index=True)


class RosterLineEvent(Base):
    """What happened to a line; rows are only ever added."""

    __tablename__ = "roster_line_event"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    line_id: Mapped[str] = mapped_column(String(36), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))
    verb: Mapped[str] = mapped_column(String(20))
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text, default="")


class RosterLineVersion(Base):
    """What a notice of this version says about the household; no numbers of persons in it."""

    __tablename__ = "roster_line_version"

    line_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))
    content: Mapped[Any] = mapped_column(JsonText)


class Appraisal(Base):
    """村评行 (F-R1B-2): the vote on one line; a later round replaces nothing."""

    __tablename__ = "appraisal"

    line_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    round: Mapped[int] = mapped_column(Integer, primary_key=True)
    roster_id: Mapped[str] = mapped_column(String(36), index=True)
    passed: Mapped[bool] = mapped_column()
    present_n: Mapped[int] = mapped_column(Integer)
    recused: Mapped[Any] = mapped_column(JsonText, default=list)
    agree: Mapped[int] = mapped_column(Integer)
    against: Mapped[int] = mapped_column(Integer)
    abstain: Mapped[int] = mapped_column(Integer)
    level: Mapped[str | None] = mapped_column(String(10))
    main_type: Mapped[str | None] = mapped_column(String(10))
    planned_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))


class LineReview(Base):
    """审核/审批 of one line at one tier (F-R1B-4)."""

    __tablename__ = "line_review"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    line_id: Mapped[str] = mapped_column(String(36), index=True)
    tier: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    opinion: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    spot: Mapped[str] = mapped_column(String(10), default="未抽")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))
