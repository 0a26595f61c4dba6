"""What a town's case does to the registers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine import OperationContext, errors, operation
from workflows.domain import (
    archive,
    campaign,
    division,
    funds,
    lines,
    review,
    roster,
    roster_export,
    vault,
)
from workflows.domain.case_variables import acting_unit, outcome, profile, text
from workflows.domain.line_states import LineState
from workflows.domain.profile import due_on

EXPORTERS = ("town_clerk", "town_leader", "county_clerk", "county_approver")


@operation("relief.open_town")
def open_town(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """读取本乡镇口径: villages, shape of the notice, due date."""
    found, town = profile(context), text(context, "town")
    villages = division.children(context.session, town)
    return {
        "villages": [unit.code for unit in villages],
        "village_names": {unit.code: unit.name for unit in villages},
        "notice_mode": found.notice_mode.value,
        "town_due": due_on(found.town_due, _winter(context)),
        "town_name": division.name_of(context.session, town),
    }


def _winter(context: OperationContext) -> int:
    return campaign.get(context.session, text(context, "campaign")).winter


@operation("roster.review_line")
def review_line(context: OperationContext, data: Mapping[str, Any]) -> None:
    """乡审一户: line, opinion (通过 | 退回补正 | 不符合), reason, spot."""
    review.review_line(context, "town", data, region_unit=text(context, "town"))


@operation("roster.pass_rest")
def pass_rest(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """其余通过: every line without an opinion that the actor may handle."""
    passed = review.pass_rest(context, "town", text(context, "campaign"), text(context, "town"))
    return {"passed": passed}


@operation("roster.finish_town_review", reversible=True)
def finish_town_review(context: OperationContext, _: Mapping[str, Any]) -> dict[str, Any]:
    """乡审办结: refused while a line has no opinion or the sum exceeds the allotment."""
    return review.finish_town(context, text(context, "campaign"), text(context, "town"))


@operation("roster.finish_correction")
def finish_correction(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """补正办结 of one village: unchanged lines resume, changed ones are noticed again."""
    found = roster.open_roster(context, text(context, "campaign"), acting_unit(context))
    return review.finish_correction(context, found)


@operation("roster.changed_villages")
def changed_villages(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """清点改动的户: villages with lines that must be posted again, and the tier to post at."""
    found = lines.of_town(
        context.session, text(context, "campaign"), text(context, "town"), LineState.APPRAISED
    )
    return {
        "changed_villages": sorted({line.village for line in found}),
        "notice_tier": profile(context).notice_tiers[0],
    }


@operation("roster.report_again")
def report_again(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """补正户再报乡镇: every corrected village that is noticed reports."""
    session = context.session
    campaign_id, town = text(context, "campaign"), text(context, "town")
    noticed = lines.of_town(session, campaign_id, town, LineState.VILLAGE_NOTICED)
    reported = 0
    for roster_id in sorted({line.roster_id for line in noticed}):
        found = lines.get_roster(session, roster_id)
        reported += review.submit_village(context, found, profile(context))["reported"]
    return {"reported": reported}


@operation("roster.leader_sign")
def leader_sign(context: OperationContext, _: Mapping[str, Any]) -> None:
    """分管领导签批: on 退回 every pass has to be given again."""
    if outcome(context) == "return":
        review.unpass(
            context, "town", text(context, "campaign"), text(context, "town"), "分管领导退回"
        )


@operation("roster.submit_to_county")
def submit_to_county(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """乡报县: only lines that stood every notice of the profile, within the allotment."""
    return review.submit_town(
        context, text(context, "campaign"), text(context, "town"), profile(context)
    )


@operation("roster.county_review_line")
def county_review_line(context: OperationContext, data: Mapping[str, Any]) -> None:
    """县审一户: line, opinion, reason, spot (未抽 | 电话 | 入户)."""
    review.review_line(context, "county", data, region_unit=text(context, "town"))


@operation("roster.county_pass_rest")
def county_pass_rest(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """其余通过, relatives excepted: those are visited one by one."""
    passed = review.pass_rest(context, "county", text(context, "campaign"), text(context, "town"))
    return {"passed": passed}


@operation("roster.finish_county_review")
def finish_county_review(context: OperationContext, data: Mapping[str, Any]) -> None:
    """县审办结: passed with its spot checks, or the list goes back to the town."""
    campaign_id, town = text(context, "campaign"), text(context, "town")
    if outcome(context) == "return":
        review.back_to_town(context, campaign_id, town, str(data.get("reason") or ""))
        return
    found = review.finish_county(context, campaign_id, town, profile(context))
    if found["returned"]:
        raise errors.InvalidState(f"有 {found['returned']} 户退回补正，请选择“退回乡镇”")


@operation("roster.county_decide")
def county_decide(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """县定: approved amounts count against every node's allotment; until when to pay."""
    campaign_id, town = text(context, "campaign"), text(context, "town")
    if outcome(context) != "approve":
        review.unpass(context, "county", campaign_id, town, "县级审批退回")
        return {"pay_due": None}
    review.approve_town(context, campaign_id, town, profile(context))
    node = funds.view(context.session, campaign_id, town)
    reported_at = context.variables().get("reported_at")
    if not isinstance(reported_at, datetime):
        reported_at = context.now
    due = campaign.pay_due(profile(context), reported_at, context.now, context.calendar)
    return {
        "pay_due": due, "approved_fen": node.approved_fen, "allotted_fen": node.allotted_fen,
    }  # fmt: skip


@operation("roster.export_register", roles=EXPORTERS)
def export_register(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """导出发放花名册 D-11: `campaign`, `town`, `purpose`; the workbook in base64, on record."""
    town, purpose = str(data.get("town") or ""), str(data.get("purpose") or "").strip()
    if context.actor is None or not vault.holds_over(context.actor, EXPORTERS, town):
        raise errors.NotFound
    if len(purpose) < vault.SHORTEST_PURPOSE:
        raise errors.InvalidInput(None, {"purpose": "请写明导出花名册的用途"})
    content = roster_export.register(
        context, str(data.get("campaign") or ""), town, purpose=purpose
    )
    return {"content": b64encode(content).decode("ascii")}


@operation("archive.publish_results")
def publish_results(context: OperationContext, data: Mapping[str, Any]) -> None:
    """公布发放结果 of one village: places, photos."""
    archive.publish_results(context, text(context, "campaign"), acting_unit(context), data)
