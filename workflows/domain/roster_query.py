"""What pages read of rosters: masked views, inside the reader's regions, in keyset pages.

Full numbers are never in here; `reveal` hands out one line's, and writes down who asked why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine import Actor, OperationContext, errors
from workflows.domain import division, kin, lines, vault
from workflows.domain.line_states import LineState
from workflows.domain.roster_tables import (
    Appraisal,
    LineReview,
    Roster,
    RosterLine,
    RosterLineEvent,
)

MOST_ROWS = 200
#: who may read one line's full numbers; the appraisal panel and the bank's desk may not
NUMBER_READERS = (
    "village_clerk", "village_head", "town_clerk", "town_leader", "county_clerk",
    "county_approver", "county_finance", "audit", "discipline",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One household as an office sees it on screen: masked. Money in fen."""

    id: str
    seq: int
    version: int
    village: str
    village_name: str
    group_name: str
    head_name: str
    id_masked: str
    phone_masked: str
    account_masked: str
    bank: str
    address: str
    members_n: int
    need_n: int
    hukou: str
    family_type: str
    dis_types: tuple[str, ...]
    level: str
    main_type: str
    planned_fen: int
    least_fen: int
    most_fen: int
    approved_fen: int
    paid_fen: int
    state: str
    state_title: str
    exception: str
    exception_reason: str
    is_relative: bool
    spot: str
    opinion: str
    is_passed: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """A page of lines; `next_cursor` is None on the last."""

    rows: tuple[LineView, ...]
    next_cursor: str | None
    #: state → how many lines of the whole selection
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSelection:
    """What to show; every field narrows."""

    campaign: str | None = None
    roster: str | None = None
    unit: str | None = None
    states: tuple[LineState, ...] = ()
    #: part of a head's name
    search: str = ""
    #: open | stated
    exceptions_only: bool = False
    unpassed_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDetail:
    """One household with its story."""

    line: LineView
    roster: str
    members: tuple[Mapping[str, Any], ...]
    needs: Mapping[str, Any]
    reason: str
    amount_trace: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    votes: tuple[Mapping[str, Any], ...]
    reviews: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterView:
    """One village's roster as a line of a list."""

    id: str
    campaign: str
    village: str
    village_name: str
    town: str
    households: int
    persons: int
    planned_fen: int
    paid_fen: int
    visited_at: datetime | None
    submitted_at: datetime | None
    meeting: Mapping[str, Any] | None


def page(
    session: Session,
    actor: Actor,
    selection: LineSelection,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> LinePage:
    """Lines of the selection that lie in the actor's regions, by village and number."""
    wanted = _conditions(actor, selection)
    query = select(RosterLine).where(*wanted)
    if cursor:
        village, _, seq = cursor.partition("-")
        after = int(seq) if re.fullmatch("[0-9]{1,9}", seq) else 0
        query = query.where(
            or_(
                RosterLine.village > village,
                (RosterLine.village == village) & (RosterLine.seq > after),
            )
        )
    limit = max(1, min(limit, MOST_ROWS))
    found = session.scalars(
        query.order_by(RosterLine.village, RosterLine.seq).limit(limit + 1)
    ).all()
    shown = found[:limit]
    more = len(found) > limit
    counts = session.execute(
        select(RosterLine.state, func.count()).where(*wanted).group_by(RosterLine.state)
    )
    return LinePage(
        rows=_views(session, shown),
        next_cursor=f"{shown[-1].village}-{shown[-1].seq}" if more else None,
        counts={row[0]: row[1] for row in counts},
    )


def _conditions(actor: Actor, selection: LineSelection) -> list[Any]:
    wanted: list[Any] = [division.visible(RosterLine.village, actor)]
    if selection.campaign:
        wanted.append(RosterLine.campaign_id == selection.campaign)
    if selection.roster:
        wanted.append(RosterLine.roster_id == selection.roster)
    if selection.unit:
        wanted.append(division.below(RosterLine.village, selection.unit))
    if selection.states:
        wanted.append(RosterLine.state.in_([state.value for state in selection.states]))
    if selection.search:
        wanted.append(RosterLine.head_name.contains(selection.search, autoescape=True))
    if selection.exceptions_only:
        wanted.append(RosterLine.exception.in_(("open", "stated")))
    if selection.unpassed_only:
        wanted.append(RosterLine.passed_by == "")
    return wanted


def _views(session: Session, found: Sequence[RosterLine]) -> tuple[LineView, ...]:
    names = division.names_of(session, [line.village for line in found])
    return tuple(_view(line, names[line.village]) for line in found)


def _view(line: RosterLine, village_name: str) -> LineView:
    return LineView(
        id=line.id, seq=line.seq, version=line.version, village=line.village,
        village_name=village_name, group_name=line.group_name, head_name=line.head_name,
        id_masked=line.id_masked, phone_masked=line.phone_masked,
        account_masked=line.account_masked, bank=line.bank, address=line.address,
        members_n=line.members_n, need_n=line.need_n, hukou=line.hukou,
        family_type=line.family_type, dis_types=tuple(line.dis_types or ()),
        level=line.level or "", main_type=line.main_type or "", planned_fen=line.planned_fen,
        least_fen=line.least_fen, most_fen=line.most_fen, approved_fen=line.approved_fen,
        paid_fen=line.paid_fen, state=line.state, state_title=line.standing.label,
        exception=line.exception, exception_reason=line.exception_reason or "",
        is_relative=line.is_relative, spot=line.spot or "", opinion=line.opinion or "",
        is_passed=bool(line.passed_by), updated_at=line.updated_at,
    )  # fmt: skip


def detail(session: Session, actor: Actor, line_id: str) -> LineDetail:
    """One household with members (masked) and everything that happened. Raises NotFound."""
    line = _visible_line(session, actor, line_id)
    events = session.scalars(
        select(RosterLineEvent)
        .where(RosterLineEvent.line_id == line_id)
        .order_by(RosterLineEvent.id)
    )
    votes = session.scalars(
        select(Appraisal).where(Appraisal.line_id == line_id).order_by(Appraisal.round)
    )
    reviews = session.scalars(
        select(LineReview).where(LineReview.line_id == line_id).order_by(LineReview.id)
    )
    return LineDetail(
        line=_views(session, [line])[0],
        roster=line.roster_id,
        members=tuple(
            {"name": m.name, "relation": m.relation, "id_masked": m.id_masked}
            for m in lines.members(session, line_id)
        ),
        needs=dict(line.needs or {}),
        reason=line.reason or "",
        amount_trace=dict(line.amount_trace or {}),
        events=tuple(
            {
                "at": e.at, "actor": e.actor_id, "verb": e.verb, "version": e.version,
                "before": LineState(e.before).label, "after": LineState(e.after).label,
                "reason": e.reason,
            }
            for e in events
        ),
        votes=tuple(
            {
                "round": v.round, "passed": v.passed, "agree": v.agree, "against": v.against,
                "abstain": v.abstain, "recused": len(v.recused or ()), "level": v.level,
                "planned_fen": v.planned_fen, "reason": v.reason, "at": v.at,
            }
            for v in votes
        ),
        reviews=tuple(
            {
                "tier": r.tier, "opinion": r.opinion, "reason": r.reason, "spot": r.spot,
                "at": r.at, "actor": r.actor_id,
            }
            for r in reviews
        ),
    )  # fmt: skip


def _visible_line(session: Session, actor: Actor, line_id: str) -> RosterLine:
    line = session.scalars(
        select(RosterLine).where(
            RosterLine.id == line_id, division.visible(RosterLine.village, actor)
        )
    ).one_or_none()
    if line is None:
        raise errors.NotFound
    return line


def rosters(
    session: Session, actor: Actor, *, campaign: str | None = None, unit: str | None = None
) -> list[RosterView]:
    """Rosters in the actor's regions with their sums, by village; a county has some 200."""
    dead = [state.value for state in LineState if not state.is_live]
    sums = (
        select(
            RosterLine.roster_id,
            func.count().label("households"),
            func.sum(RosterLine.need_n).label("persons"),
            func.sum(RosterLine.planned_fen).label("planned"),
            func.sum(RosterLine.paid_fen).label("paid"),
        )
        .where(RosterLine.state.not_in(dead))
        .group_by(RosterLine.roster_id)
        .subquery()
    )
    query = (
        select(Roster, sums.c.households, sums.c.persons, sums.c.planned, sums.c.paid)
        .outerjoin(sums, sums.c.roster_id == Roster.id)
        .where(division.visible(Roster.village, actor))
        .order_by(Roster.campaign_id.desc(), Roster.village)
    )
    if campaign:
        query = query.where(Roster.campaign_id == campaign)
    if unit:
        query = query.where(division.below(Roster.village, unit))
    rows = session.execute(query).all()
    names = division.names_of(session, [row[0].village for row in rows])
    return [
        RosterView(
            id=roster.id, campaign=roster.campaign_id, village=roster.village,
            village_name=names[roster.village], town=roster.town, households=int(count or 0),
            persons=int(persons or 0), planned_fen=int(planned or 0), paid_fen=int(paid or 0),
            visited_at=roster.visited_at, submitted_at=roster.submitted_at,
            meeting=roster.meeting,
        )
        for roster, count, persons, planned, paid in rows
    ]  # fmt: skip


def mine_to_leave(session: Session, actor: Actor, found: Sequence[LineView]) -> frozenset[str]:
    """Ids of shown lines that the actor must leave to others, so that a page can say so."""
    return kin.lines_kin_to(session, actor.id, [line.id for line in found])


def reveal(context: OperationContext, line_id: str, purpose: str) -> dict[str, str]:
    """Full identity number, account and phone of one line; the reading is on record (Inv-18).

    Raises NotFound outside the actor's regions, InvalidInput without a purpose.
    """
    if context.actor is None:
        raise errors.NotAllowed
    line = _visible_line(context.session, context.actor, line_id)
    if not vault.holds_over(context.actor, NUMBER_READERS, line.village):
        raise errors.NotAllowed
    if len(purpose.strip()) < vault.SHORTEST_PURPOSE:
        raise errors.InvalidInput(None, {"purpose": "请写明查看完整号码的用途"})
    vault.record_read(context, f"line:{line.id}", purpose.strip()[:100])
    return {
        "id_no": vault.unseal(line.id_sealed, vault.Purpose.IDENTITY),
        "account_no": vault.unseal(line.account_sealed, vault.Purpose.ACCOUNT),
        "phone": vault.unseal(line.phone_sealed, vault.Purpose.PHONE),
    }
