"""What pages read of notices: for offices, and for anybody at all.

Public views are values of their own, made for one audience; they have no field that could hold
an identity number, an account, a phone or an illness (Inv-8; 政府信息公开条例 15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Actor, errors
from workflows.domain import division, masking
from workflows.domain.masking import Audience
from workflows.domain.money import text_from_fen
from workflows.domain.notice import TIER_TITLES
from workflows.domain.notice_tables import (
    Notice,
    NoticeLine,
    NoticeLineStatus,
    NoticeStatus,
    Objection,
)
from workflows.domain.roster_tables import RosterLine, RosterLineVersion

MOST_ROWS = 100
#: offices that read notices with their evidence and objections
READERS = (
    "village_clerk", "village_head", "town_clerk", "town_leader", "county_clerk",
    "county_approver", "province_view", "audit", "discipline",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLine:
    """One household on a public notice."""

    #: handed back when somebody objects to this household
    ref: str
    seq: int
    name: str
    #: last digits, only on a village board and only where two share a name
    tell_apart: str
    members: int
    needy: int
    category: str
    level: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNotice:
    """A notice as anybody may read it."""

    id: str
    title: str
    tier: str
    unit_name: str
    posted_at: datetime
    ends_at: datetime
    hotline: str
    places: tuple[str, ...]
    is_open: bool
    total: str
    lines: tuple[PublicLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice as an office sees it in a list."""

    id: str
    title: str
    tier: str
    tier_title: str
    unit: str
    unit_name: str
    status: str
    days: str
    posted_at: datetime | None
    ends_at: datetime | None
    concluded_at: datetime | None
    lines: int
    open_objections: int
    sides_posted: tuple[str, ...]
    sides_closed: tuple[str, ...]
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionView:
    """An objection for those who check it; the objector's name is not in it."""

    id: str
    notice: str
    line: str | None
    line_text: str
    kind: str
    text: str
    status: str
    filed_at: datetime
    verdict: str
    reply: str
    adjustment: Mapping[str, Any]
    resolved_at: datetime | None


def public_list(
    session: Session, now: datetime, *, unit: str | None = None, limit: int = MOST_ROWS
) -> list[PublicNotice]:
    """Notices that hang at this moment or hung lately, newest first, without their lines."""
    query = _on_the_web(now).order_by(Notice.posted_at.desc(), Notice.id).limit(limit)
    if unit:
        query = query.where(division.below(Notice.town, unit) if unit.endswith("000")
                            else Notice.village == unit)  # fmt: skip
    return [_public(session, found, (), now) for found in session.scalars(query)]


def public_notice(
    session: Session, notice_id: str, now: datetime, audience: Audience = Audience.WEBSITE
) -> PublicNotice:
    """One notice as this audience may read it. Raises NotFound once it is taken down."""
    found = session.scalars(_on_the_web(now).where(Notice.id == notice_id)).one_or_none()
    if found is None:
        raise errors.NotFound("这份公示不存在，或已到期撤下")
    return _public(session, found, _public_lines(session, found, audience), now)


def board_sheet(session: Session, actor: Actor, notice_id: str, side: str) -> PublicNotice:
    """D-05/D-10: the sheet that an office prints for its board, also before it is posted."""
    found = _visible(session, actor, notice_id)
    audience = Audience.VILLAGE_BOARD if side == "village" else Audience.TOWN_BOARD
    return _public(session, found, _public_lines(session, found, audience), found.prepared_at)


def _on_the_web(now: datetime) -> Any:
    return select(Notice).where(
        Notice.status.in_((NoticeStatus.POSTED.value, NoticeStatus.CONCLUDED.value)),
        Notice.take_down_at > now,
    )


def _public(
    session: Session, found: Notice, rows: tuple[PublicLine, ...], now: datetime
) -> PublicNotice:
    places = dict.fromkeys(
        place for posting in (found.postings or {}).values() for place in posting["places"]
    )
    total = _amounts(session, found.id)
    return PublicNotice(
        id=found.id,
        title=found.title,
        tier=TIER_TITLES[found.tier],
        unit_name=division.name_of(session, found.village or found.town),
        posted_at=found.posted_at or found.prepared_at,
        ends_at=found.ends_at or found.prepared_at,
        hotline=found.hotline,
        places=tuple(places),
        is_open=found.status == NoticeStatus.POSTED
        and (found.ends_at is None or now < found.ends_at),
        total=text_from_fen(total),
        lines=rows,
    )


def _amounts(session: Session, notice_id: str) -> int:
    contents = session.scalars(
        select(RosterLineVersion.content)
        .join(
            NoticeLine,
            (NoticeLine.line_id == RosterLineVersion.line_id)
            & (NoticeLine.version == RosterLineVersion.version),
        )
        .where(NoticeLine.notice_id == notice_id)
    )
    return sum(int(content["amount_fen"]) for content in contents)


def _public_lines(session: Session, found: Notice, audience: Audience) -> tuple[PublicLine, ...]:
    rows = session.execute(
        select(NoticeLine, RosterLine, RosterLineVersion.content)
        .join(RosterLine, RosterLine.id == NoticeLine.line_id)
        .join(
            RosterLineVersion,
            (RosterLineVersion.line_id == NoticeLine.line_id)
            & (RosterLineVersion.version == NoticeLine.version),
        )
        .where(
            NoticeLine.notice_id == found.id,
            NoticeLine.status.in_(
                (NoticeLineStatus.STANDING.value, NoticeLineStatus.CLEARED.value)
            ),
        )
        .order_by(NoticeLine.seq)
    ).all()
    shared = Counter(line.head_name for _, line, _ in rows)
    return tuple(
        _public_line(row, line, content, audience, same_name=shared[line.head_name] > 1)
        for row, line, content in rows
        if line.standing.is_live
    )


def _public_line(
    row: NoticeLine,
    line: RosterLine,
    content: Mapping[str, Any],
    audience: Audience,
    *,
    same_name: bool,
) -> PublicLine:
    # The screen form ends in the last two digits: enough to tell neighbours apart.
    tail = line.id_masked[-2:] if same_name and audience is Audience.VILLAGE_BOARD else ""
    return PublicLine(
        ref=line.id,
        seq=row.seq,
        name=masking.public_name(
            line.head_name,
            audience,
            minor=line.head_is_minor,
            guardian=line.guardian_name or None,
        ),
        tell_apart=f"尾号{tail}" if tail and not line.head_is_minor else "",
        members=int(content["members"]),
        needy=int(content["needy"]),
        category=masking.mask_family_type(content["family_type"], audience),
        level=str(content["level"] or ""),
        amount=text_from_fen(int(content["amount_fen"])),
    )


def page(
    session: Session,
    actor: Actor,
    *,
    status: NoticeStatus | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[tuple[NoticeView, ...], str | None]:
    """Notices in the actor's regions, newest first; the cursor of the next page or None."""
    # A town's notice concerns each of its villages; a village sees its own and its town's.
    query = select(Notice).where(
        division.visible(Notice.village, actor)
        | division.visible(Notice.town, actor)
        | (Notice.village.is_(None) & Notice.town.in_(_towns_of(actor)))
    )
    if status is not None:
        query = query.where(Notice.status == status.value)
    if cursor:
        query = query.where(Notice.id < cursor)
    limit = max(1, min(limit, MOST_ROWS))
    found = session.scalars(query.order_by(Notice.id.desc()).limit(limit + 1)).all()
    rows = tuple(_view(session, one) for one in found[:limit])
    return rows, found[limit - 1].id if len(found) > limit else None


def _towns_of(actor: Actor) -> list[str]:
    return sorted({f"{seat.unit[:9]}000" for seat in actor.seats if len(seat.unit) == 12})


def view(session: Session, actor: Actor, notice_id: str) -> NoticeView:
    """One notice for an office. Raises NotFound outside the actor's regions."""
    return _view(session, _visible(session, actor, notice_id))


def _visible(session: Session, actor: Actor, notice_id: str) -> Notice:
    found = session.get(Notice, notice_id)
    if found is None or not (
        actor.sees(found.village or found.town)
        or (found.village is None and found.town in _towns_of(actor))
    ):
        raise errors.NotFound("没有找到这份公示")
    return found


def _view(session: Session, found: Notice) -> NoticeView:
    unit = found.village or found.town
    line_ids = session.scalars(
        select(NoticeLine.line_id).where(NoticeLine.notice_id == found.id)
    ).all()
    open_ids = session.scalars(
        select(Objection.id).where(Objection.notice_id == found.id, Objection.status != "resolved")
    ).all()
    evidence = [*(found.postings or {}).values(), *(found.closings or {}).values()]
    return NoticeView(
        id=found.id, title=found.title, tier=found.tier, tier_title=TIER_TITLES[found.tier],
        unit=unit, unit_name=division.name_of(session, unit), status=found.status,
        days=found.days, posted_at=found.posted_at, ends_at=found.ends_at,
        concluded_at=found.concluded_at, lines=len(line_ids), open_objections=len(open_ids),
        sides_posted=tuple(found.postings or {}), sides_closed=tuple(found.closings or {}),
        photos=tuple(photo for one in evidence for photo in one["photos"]),
    )  # fmt: skip


def objections(session: Session, actor: Actor, notice_id: str) -> list[ObjectionView]:
    """Objections to a notice, oldest first. Villages see their state, not who filed them."""
    _visible(session, actor, notice_id)
    found = session.scalars(
        select(Objection).where(Objection.notice_id == notice_id).order_by(Objection.id)
    )
    return [_objection_view(session, one) for one in found]


def objection_seen(session: Session, actor: Actor, objection_id: str) -> ObjectionView:
    """One objection for an office. Raises NotFound outside the actor's regions."""
    found = session.get(Objection, objection_id)
    if found is None:
        raise errors.NotFound("没有找到这条异议")
    _visible(session, actor, found.notice_id)
    return _objection_view(session, found)


def objection(session: Session, objection_id: str) -> ObjectionView:
    """One objection for the panel of its task. Raises NotFound."""
    found = session.get(Objection, objection_id)
    if found is None:
        raise errors.NotFound("没有找到这条异议")
    return _objection_view(session, found)


def _objection_view(session: Session, found: Objection) -> ObjectionView:
    line = session.get(RosterLine, found.line_id) if found.line_id else None
    return ObjectionView(
        id=found.id, notice=found.notice_id, line=found.line_id,
        line_text=f"第 {line.seq} 号 {line.head_name}户" if line else "未指明户",
        kind=found.kind, text=found.text, status=found.status, filed_at=found.filed_at,
        verdict=found.verdict or "", reply=found.reply or "",
        adjustment=dict(found.adjustment or {}), resolved_at=found.resolved_at,
    )  # fmt: skip
