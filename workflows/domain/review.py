"""乡审 and 县定: every line looked at by somebody who did not make it (SoD-1, SoD-2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import OperationContext, errors
from workflows.domain import funds, kin, lines, notice
from workflows.domain.line_states import LineState, Verb
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import LineReview, Roster, RosterLine

PASS, RETURN, REJECT = "通过", "退回补正", "不符合"
OPINIONS = (PASS, RETURN, REJECT)
NOT_SPOTTED, BY_PHONE, AT_HOME = "未抽", "电话", "入户"
SPOTS = (NOT_SPOTTED, BY_PHONE, AT_HOME)

_STATE = {"town": LineState.TOWN_REVIEW, "county": LineState.COUNTY_REVIEW}
_RETURN = {"town": Verb.TOWN_RETURN, "county": Verb.COUNTY_RETURN}
_REJECT = {"town": Verb.TOWN_REJECT, "county": Verb.COUNTY_REJECT}


class ReviewIncomplete(errors.InvalidState):
    """还有名册行没有审核"""

    code = "REVIEW_INCOMPLETE"


def review_line(
    context: OperationContext, tier: str, data: Mapping[str, Any], *, region_unit: str
) -> RosterLine:
    """One line's opinion is on record: 通过 stays, 退回补正 and 不符合 move it.

    Raises InvalidInput, KinMayNotHandle, SamePersonTwice, LineNotReady.
    """
    line = lines.get(context.session, data.get("line"))
    if line.town != region_unit:
        raise errors.NotFound("这一户不在本乡镇")
    opinion = str(data.get("opinion") or "")
    reason = str(data.get("reason") or "").strip()
    spot = str(data.get("spot") or NOT_SPOTTED)
    wrong: dict[str, str] = {}
    if opinion not in OPINIONS:
        wrong["opinion"] = f"应为：{'、'.join(OPINIONS)}"
    elif opinion != PASS and not reason:
        wrong["reason"] = "退回或不符合的，必须写明理由"
    if spot not in SPOTS:
        wrong["spot"] = f"应为：{'、'.join(SPOTS)}"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    if line.standing is not _STATE[tier]:
        raise errors.InvalidState(f"“{line.head_name}”户处于“{line.standing.label}”，不在审核中")
    kin.refuse_kin(context, line)
    lines.refuse_own_work(context, line, *_other_tier(context.session, line, tier))
    _give(context, tier, line, opinion, reason, spot)
    return line


def _other_tier(session: Session, line: RosterLine, tier: str) -> Sequence[str]:
    """Who reviewed the line for another tier: a change of job makes nobody his own checker."""
    return session.scalars(
        select(LineReview.actor_id)
        .where(LineReview.line_id == line.id, LineReview.tier != tier)
        .distinct()
    ).all()


def _give(
    context: OperationContext, tier: str, line: RosterLine, opinion: str, reason: str, spot: str
) -> None:
    me = lines.actor_id(context)
    context.session.add(
        LineReview(
            id=context.new_id(), line_id=line.id, tier=tier, version=line.version,
            opinion=opinion, reason=reason, spot=spot, at=context.now, actor_id=me,
        )
    )  # fmt: skip
    if tier == "county" or spot != NOT_SPOTTED:
        line.spot = spot
    if opinion == PASS:
        line.passed_by = me
        lines.note(context, line, f"{tier}_pass", line.standing)
    elif opinion == RETURN:
        lines.move(context, line, _RETURN[tier], reason)
    else:
        lines.move(context, line, _REJECT[tier], reason)
    context.session.flush()


def pass_rest(context: OperationContext, tier: str, campaign_id: str, town: str) -> int:
    """Pass every line that has no opinion yet and that the actor may handle; how many."""
    session: Session = context.session
    open_lines = [
        line
        for line in lines.of_town(session, campaign_id, town, _STATE[tier])
        if not line.passed_by
    ]
    me = lines.actor_id(context)
    mine = kin.lines_kin_to(session, me, [line.id for line in open_lines])
    free = [
        line
        for line in open_lines
        if line.id not in mine
        and me != line.entered_by
        and me not in (line.surveyors or [])
        and me not in _other_tier(session, line, tier)
        and not (tier == "county" and line.is_relative)
    ]
    for line in free:
        _give(context, tier, line, PASS, "", line.spot if tier == "county" else NOT_SPOTTED)
    return len(free)


def _all_passed(found: Sequence[RosterLine]) -> None:
    missing = [line for line in found if not line.passed_by]
    if missing:
        names = "、".join(line.head_name for line in missing[:5])
        raise ReviewIncomplete(f"还有 {len(missing)} 户没有审核意见：{names}")


def finish_town(context: OperationContext, campaign_id: str, town: str) -> dict[str, Any]:
    """Every line has an opinion; which villages have returned lines. Σ ≤ town allotment.

    Raises ReviewIncomplete, OverAllotment.
    """
    session: Session = context.session
    returned = lines.of_town(session, campaign_id, town, LineState.TOWN_RETURNED)
    _all_passed(lines.of_town(session, campaign_id, town, LineState.TOWN_REVIEW))
    if not returned:
        within_allotment(session, campaign_id, town)
    return {
        "returned": len(returned),
        "returned_villages": sorted({line.village for line in returned}),
    }


def within_allotment(session: Session, campaign_id: str, town: str) -> int:
    """Σ planned of the town's live lines in fen. Raises OverAllotment, with what is missing."""
    total = sum(
        line.planned_fen
        for line in lines.of_town(session, campaign_id, town)
        if line.standing.is_live and line.level is not None
    )
    allotted = funds.view(session, campaign_id, town).allotted_fen
    if total > allotted:
        raise funds.OverAllotment(
            f"本乡镇拟救助合计 {total / 100:.2f} 元，超过下达额度 {allotted / 100:.2f} 元，"
            f"差 {(total - allotted) / 100:.2f} 元"
        )
    return total


def finish_correction(context: OperationContext, roster: Roster) -> dict[str, int]:
    """Returned lines go on: unchanged ones to the town, changed ones to a new notice (Inv-2)."""
    session: Session = context.session
    returned = lines.of_roster(session, roster.id, LineState.TOWN_RETURNED)
    changed = 0
    for line in returned:
        if notice.has_stood(session, line, "village"):
            lines.move(context, line, Verb.RESUME, "已补正")
        else:
            lines.move(context, line, Verb.REAPPRAISE, "补正改动了公示内容，须重新公示")
            changed += 1
    return {"changed": changed}


def submit_village(context: OperationContext, roster: Roster, profile: Profile) -> dict[str, int]:
    """村报送: noticed lines go to the town; every account is complete.

    Raises InvalidState naming the households that are not ready.
    """
    session: Session = context.session
    waiting = lines.of_roster(
        session, roster.id, LineState.APPLIED, LineState.APPRAISED, LineState.VILLAGE_NOTICE,
        LineState.VILLAGE_OBJECTION,
    )  # fmt: skip
    if waiting:
        names = "、".join(line.head_name for line in waiting[:5])
        raise errors.InvalidState(f"还有 {len(waiting)} 户未完成评议或公示：{names}")
    ready = lines.of_roster(session, roster.id, LineState.VILLAGE_NOTICED)
    incomplete = [
        line.head_name
        for line in ready
        if line.pay_way == "银行" and not (line.account_hash and line.bank)
    ]
    if incomplete:
        names = "、".join(incomplete[:5])
        raise errors.InvalidState(f"{len(incomplete)} 户缺开户银行或账号：{names}")
    _refuse_unnoticed(session, ready, profile.notice_tiers[:1])
    for line in ready:
        lines.move(context, line, Verb.REPORT)
    roster.submitted_at = roster.submitted_at or context.now
    roster.submitted_by = lines.actor_id(context)
    return {"reported": len(ready)}


def submit_town(
    context: OperationContext, campaign_id: str, town: str, profile: Profile
) -> dict[str, int]:
    """乡报县: lines that stood every notice of the profile go up. Raises InvalidState."""
    session: Session = context.session
    within_allotment(session, campaign_id, town)
    ready = [
        *lines.of_town(session, campaign_id, town, LineState.TOWN_REVIEW),
        *lines.of_town(session, campaign_id, town, LineState.TOWN_NOTICED),
    ]
    _refuse_unnoticed(session, ready, profile.notice_tiers)
    for line in ready:
        lines.move(context, line, Verb.TO_COUNTY)
    return {"reported": len(ready)}


def finish_county(
    context: OperationContext, campaign_id: str, town: str, profile: Profile
) -> dict[str, int]:
    """Every line passed; the spot check reached its share and every relative's home.

    Raises ReviewIncomplete with what is missing.
    """
    session: Session = context.session
    returned = lines.of_town(session, campaign_id, town, LineState.COUNTY_RETURNED)
    found = lines.of_town(session, campaign_id, town, LineState.COUNTY_REVIEW)
    if returned:
        return {"returned": len(returned), "lines": len(found)}
    _all_passed(found)
    unvisited = [line.head_name for line in found if line.is_relative and line.spot != AT_HOME]
    if unvisited:
        raise ReviewIncomplete(f"经办人、村干部近亲属户须入户核查：{'、'.join(unvisited[:5])}")
    needed = math.ceil(len(found) * profile.county_spot_pct / 100)
    spotted = sum(line.spot != NOT_SPOTTED for line in found)
    if spotted < needed:
        raise ReviewIncomplete(
            f"抽查 {spotted} 户，未达到 {profile.county_spot_pct}%（应 {needed} 户）"
        )
    return {"returned": 0, "lines": len(found)}


def back_to_town(context: OperationContext, campaign_id: str, town: str, reason: str) -> int:
    """The whole town's list is reviewed by the town again; how many lines."""
    found = lines.of_town(
        context.session, campaign_id, town, LineState.COUNTY_REVIEW, LineState.COUNTY_RETURNED
    )
    for line in found:
        lines.move(context, line, Verb.BACK_TO_TOWN, reason)
    return len(found)


def approve_town(
    context: OperationContext, campaign_id: str, town: str, profile: Profile
) -> dict[str, int]:
    """县定: every passed line is approved with its amount, once, within every node's allotment.

    Raises SamePersonTwice, OverAllotment, InvalidState where a notice or a stamp is missing.
    """
    found = lines.of_town(context.session, campaign_id, town, LineState.COUNTY_REVIEW)
    _all_passed(found)
    _refuse_unnoticed(context.session, found, profile.notice_tiers)
    kin.refuse_kin_of_any(context, found)
    for line in found:
        lines.refuse_own_work(context, line, line.passed_by)
        if line.exception in ("open", "stated"):
            raise errors.InvalidState(f"“{line.head_name}”户的特殊情形未经乡镇盖章")
        line.approved_fen = line.planned_fen
    amounts = [(line.id, line.village, line.approved_fen) for line in found]
    funds.approve_all(context, campaign_id, amounts)
    for line in found:
        lines.move(context, line, Verb.APPROVE)
    return {"approved": len(found), "approved_fen": sum(fen for _, _, fen in amounts)}


def _refuse_unnoticed(session: Session, found: Sequence[RosterLine], tiers: Sequence[str]) -> None:
    missing = notice.first_missing(session, found, tiers)
    if missing is not None:
        line, named = missing
        raise errors.InvalidState(f"“{line.head_name}”户现有内容未经公示（{named}）")


def unpass(context: OperationContext, tier: str, campaign_id: str, town: str, reason: str) -> None:
    """Whoever signs sends the list back to the desk: every pass has to be given again."""
    for line in lines.of_town(context.session, campaign_id, town, _STATE[tier]):
        line.passed_by = ""
        lines.note(context, line, f"{tier}_again", line.standing, reason)
