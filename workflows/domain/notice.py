"""公示: prepared, posted with photos, standing its days, closed with photos, concluded.

A notice holds versions of lines. Whether a line "has stood" is read from that: only the version
it has now counts, so a change after posting voids its notice without anybody doing anything
(Inv-1, Inv-2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import OperationContext, clock, duration, errors, region
from workflows.domain import campaign, division, line_input, lines
from workflows.domain.line_states import LineState, Verb
from workflows.domain.notice_tables import (
    Notice,
    NoticeLine,
    NoticeLineStatus,
    NoticeStatus,
    Objection,
)
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import RosterLine

PLACES = ("村务公开栏", "自然村组", "政务公开栏", "网站")
TIER_TITLES = {"village": "村公示", "town": "乡镇公示", "both": "镇村同时公示"}
COVERS = {"village": ("village", "both"), "town": ("town", "both"), "both": ("both",)}
SIDES = {"village": ("village",), "town": ("town",), "both": ("village", "town")}


class NoticeStillRunning(errors.InvalidState):
    """公示期未满"""

    code = "NOTICE_STILL_RUNNING"


class PhotoMissing(errors.InvalidInput):
    """请上传公示照片"""

    code = "PHOTO_MISSING"


def get(session: Session, notice_id: object) -> Notice:
    """One notice. Raises NotFound."""
    found = session.get(Notice, str(notice_id))
    if found is None:
        raise errors.NotFound("没有找到这份公示")
    return found


def prepare(
    context: OperationContext, campaign_id: str, tier: str, unit: str, profile: Profile
) -> tuple[Notice | None, int]:
    """A notice of every line of the unit that has not stood in its present version, and how many.

    None where there is nothing to post. Raises InvalidState for an unsettled exception.
    """
    session: Session = context.session
    pending = _pending(session, campaign_id, tier, unit)
    if not pending:
        return None, 0
    unsettled = [line.head_name for line in pending if line.exception in ("open", "stated")]
    if unsettled:
        raise errors.InvalidState(f"特殊情形未处理，不能公示：{'、'.join(unsettled[:5])}")
    found = campaign.get(session, campaign_id)
    is_village = region.level(unit) is region.Level.VILLAGE
    town = str(region.parent(unit)) if is_village else unit
    made = Notice(
        id=context.new_id(), campaign_id=campaign_id, tier=tier, town=town,
        village=unit if is_village else None,
        title=f"{division.name_of(session, unit)}{found.name}拟救助对象公示",
        days=profile.days_of(tier), hotline=found.hotline, prepared_at=context.now,
        postings={}, closings={},
    )  # fmt: skip
    session.add(made)
    session.flush()
    for number, line in enumerate(pending, 1):
        lines.keep_version(context, line)
        session.add(
            NoticeLine(notice_id=made.id, line_id=line.id, seq=number, version=line.version)
        )
    session.flush()
    return made, len(pending)


def _pending(session: Session, campaign_id: str, tier: str, unit: str) -> list[RosterLine]:
    if tier == "town":
        states = (LineState.TOWN_REVIEW, LineState.TOWN_NOTICE)
        found = [
            line
            for line in lines.of_town(session, campaign_id, unit, *states)
            if line.passed_by or line.standing is LineState.TOWN_NOTICE
        ]
    else:
        states = (LineState.APPRAISED, LineState.VILLAGE_NOTICE)
        found = [
            line
            for line in lines.of_town(session, campaign_id, str(region.parent(unit)), *states)
            if line.village == unit
        ]
    stood = cleared_tiers(session, found)
    return [line for line in found if not stood[line.id] & set(COVERS[tier])]


def post(
    context: OperationContext, found: Notice, side: str, data: Mapping[str, Any], profile: Profile
) -> datetime | None:
    """One side hangs; the end of the period once every side does, else None.

    Posted on day D with N days: D is not counted, complete at 24:00 of D+N (domain §8.1).
    Raises InvalidInput (places), PhotoMissing, InvalidState.
    """
    if found.status == NoticeStatus.CONCLUDED or side not in SIDES[found.tier]:
        raise errors.InvalidState("这份公示不能再张贴")
    places = list(line_input.people(data.get("places")))
    if not places or any(place not in PLACES for place in places):
        raise errors.InvalidInput(None, {"places": f"至少选一处：{'、'.join(PLACES)}"})
    photos = _photos(context, data.get("photos"), "张贴")
    found.postings = {
        **found.postings,
        side: {
            "at": context.now.isoformat(), "by": lines.actor_id(context), "places": places,
            "photos": photos,
        },
    }  # fmt: skip
    if set(found.postings) != set(SIDES[found.tier]):
        return None
    length = duration.parse_duration(found.days)
    found.status, found.posted_at = NoticeStatus.POSTED.value, context.now
    found.ends_at = context.calendar.end_of_period(context.now, length).at
    found.take_down_at = found.ends_at + timedelta(days=profile.take_down_days)
    verb = Verb.POST_TOWN if found.tier == "town" else Verb.POST_VILLAGE
    for line in posted_lines(context.session, found.id):
        if (verb, line.standing) in _MAY_POST:
            lines.move(context, line, verb)
    return found.ends_at


_MAY_POST = {
    (Verb.POST_VILLAGE, LineState.APPRAISED),
    (Verb.POST_VILLAGE, LineState.VILLAGE_NOTICE),
    (Verb.POST_TOWN, LineState.TOWN_REVIEW),
    (Verb.POST_TOWN, LineState.TOWN_NOTICE),
}


def _photos(context: OperationContext, raw: Any, what: str) -> list[str]:
    ids = list(line_input.people(raw))
    if not ids:
        raise PhotoMissing(None, {"photos": f"请上传{what}照片，能看清日期和地点"})
    today = clock.local_date(context.now)
    for photo in ids:
        ref = context.attachment(photo)
        if not ref.media_type.startswith("image/"):
            raise PhotoMissing(None, {"photos": f"“{ref.name}”不是照片"})
        if ref.taken_at is not None and clock.local_date(ref.taken_at) != today:
            raise PhotoMissing(None, {"photos": f"“{ref.name}”不是今天拍摄的"})
    return ids


def close(context: OperationContext, found: Notice, side: str, data: Mapping[str, Any]) -> None:
    """One side is photographed at the end. Raises NoticeStillRunning, PhotoMissing."""
    if found.ends_at is None or context.now < found.ends_at:
        raise NoticeStillRunning
    if side not in SIDES[found.tier]:
        raise errors.InvalidState("这份公示不由本级取证")
    photos = _photos(context, data.get("photos"), "届满")
    found.closings = {
        **found.closings,
        side: {"at": context.now.isoformat(), "by": lines.actor_id(context), "photos": photos},
    }


def conclude(context: OperationContext, found: Notice) -> dict[str, int]:
    """Unchanged lines are cleared, changed ones must be posted anew; the counts.

    Raises InvalidState while evidence is missing or an objection is open.
    """
    session: Session = context.session
    if found.ends_at is None or context.now < found.ends_at:
        raise NoticeStillRunning
    if set(found.closings) != set(SIDES[found.tier]):
        raise errors.InvalidState("届满取证尚未完成")
    if open_objections(session, found.id):
        raise errors.InvalidState("还有异议没有办结")
    verb = Verb.CLEAR_TOWN if found.tier == "town" else Verb.CLEAR_VILLAGE
    counts = {"cleared": 0, "changed": 0, "struck": 0}
    for row, line in _rows(session, found.id):
        if not line.standing.is_live:
            row.status = NoticeLineStatus.STRUCK.value
            counts["struck"] += 1
        elif line.version != row.version:
            row.status = NoticeLineStatus.VOIDED.value
            counts["changed"] += 1
        else:
            row.status = NoticeLineStatus.CLEARED.value
            lines.move(context, line, verb)
            counts["cleared"] += 1
    found.status, found.concluded_at = NoticeStatus.CONCLUDED.value, context.now
    session.flush()
    return counts


def _rows(session: Session, notice_id: str) -> list[tuple[NoticeLine, RosterLine]]:
    found = session.execute(
        select(NoticeLine, RosterLine)
        .join(RosterLine, RosterLine.id == NoticeLine.line_id)
        .where(NoticeLine.notice_id == notice_id)
        .order_by(NoticeLine.seq)
    )
    return [(row, line) for row, line in found]


def posted_lines(session: Session, notice_id: str) -> list[RosterLine]:
    """The households of a notice in their order."""
    return [line for _, line in _rows(session, notice_id)]


def open_objections(session: Session, notice_id: str) -> int:
    """How many objections to this notice wait for their reply."""
    return int(
        session.scalar(
            select(func.count()).where(
                Objection.notice_id == notice_id, Objection.status != "resolved"
            )
        )
        or 0
    )


def cleared_tiers(session: Session, found: Collection[RosterLine]) -> dict[str, set[str]]:
    """Of each line: the tiers of concluded notices in which its present version stood."""
    session.flush()
    answer: dict[str, set[str]] = {line.id: set() for line in found}
    ids = list(answer)
    for start in range(0, len(ids), lines.MOST_IDS):
        rows = session.execute(
            select(NoticeLine.line_id, Notice.tier)
            .join(Notice, Notice.id == NoticeLine.notice_id)
            .join(RosterLine, RosterLine.id == NoticeLine.line_id)
            .where(
                NoticeLine.line_id.in_(ids[start : start + lines.MOST_IDS]),
                NoticeLine.version == RosterLine.version,
                NoticeLine.status == NoticeLineStatus.CLEARED.value,
                Notice.status == NoticeStatus.CONCLUDED.value,
            )
        )
        for line_id, tier in rows:
            answer[line_id].add(tier)
    return answer


def has_stood(session: Session, line: RosterLine, tier: str) -> bool:
    """Whether the line's present version completed a notice that covers this tier."""
    return bool(cleared_tiers(session, [line])[line.id] & set(COVERS[tier]))


def first_missing(
    session: Session, found: Collection[RosterLine], tiers: Iterable[str]
) -> tuple[RosterLine, str] | None:
    """A line whose present version has not stood in one of these notices, and which (Inv-1)."""
    stood = cleared_tiers(session, found)
    for line in found:
        missing = [TIER_TITLES[tier] for tier in tiers if not stood[line.id] & set(COVERS[tier])]
        if missing:
            return line, "、".join(missing)
    return None


def with_open_objection(session: Session, found: Sequence[RosterLine]) -> set[str]:
    """Those of these lines that somebody objects to and nobody has answered yet."""
    wanted = {line.id for line in found}
    campaigns = {line.campaign_id for line in found}
    # Open objections of a campaign are few; ids of lines may be thousands.
    named = session.scalars(
        select(Objection.line_id)
        .join(Notice, Notice.id == Objection.notice_id)
        .where(Notice.campaign_id.in_(campaigns), Objection.status != "resolved")
    )
    return {line_id for line_id in named if line_id in wanted}
