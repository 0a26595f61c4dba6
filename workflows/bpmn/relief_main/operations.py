"""What the county's case does to the registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, clock, errors, operation
from workflows.domain import archive, campaign, division, funds, kin
from workflows.domain.case_variables import outcome, text
from workflows.domain.line_input import allotments
from workflows.domain.money import InvalidAmount, fen_from_text

PROCESS = "relief_main"


def _draft(context: OperationContext, data: Mapping[str, Any]) -> campaign.Draft:
    try:
        total = fen_from_text(str(data.get("total") or ""))
    except InvalidAmount as wrong:
        raise errors.InvalidInput(None, {"total": wrong.message}) from wrong
    today = clock.local_date(context.now)
    autumn = today.year if today.month >= 9 else today.year - 1
    return campaign.Draft(
        name=str(data.get("name") or "").strip(),
        county=str(data.get("county") or (context.instance.region if context.instance else "")),
        winter=int(data.get("winter") or autumn),
        total_fen=total,
        document_no=str(data.get("document_no") or ""),
        hotline=str(data.get("hotline") or ""),
    )


def _create(context: OperationContext, data: Mapping[str, Any]) -> campaign.Campaign:
    made = campaign.open_campaign(context, _draft(context, data))
    funds.receive(context, made.id, made.county, made.total_fen, made.document_no)
    return made


@operation("campaign.create_and_start", roles=("county_clerk",))
def create_and_start(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """立项并启动: the campaign with its money, and its case. Needs name, county, total, …"""
    county = str(data.get("county") or "")
    if context.actor is None or not context.actor.holds("county_clerk", county):
        raise errors.NotAllowed("只能为本县启动行动")
    made = _create(context, data)
    started = context.start(
        PROCESS,
        variables={"campaign": made.id},
        region=county,
        title=f"冬春救助 {made.name}",
        business_key=made.id,
    )
    return {"campaign": made.id, "instance": started}


@operation("campaign.open")
def open_campaign(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """建立救助行动: read the campaign, or create it from the start form."""
    given = context.variables()
    if given.get("campaign"):
        found = campaign.get(context.session, str(given["campaign"]))
    else:
        found = _create(context, given)
    towns = division.children(context.session, found.county)
    return {
        "campaign": found.id,
        "campaign_name": found.name,
        "county": found.county,
        "towns": [town.code for town in towns],
        "town_names": {town.code: town.name for town in towns},
        "conflicts": len(found.conflicts),
    }


@operation("funds.save_share")
def save_share(context: OperationContext, data: Mapping[str, Any]) -> None:
    """分解到一个乡镇: unit and amount in 元."""
    campaign_id, county = text(context, "campaign"), text(context, "county")
    kept = {row.unit: row.amount_fen for row in funds.plan(context.session, campaign_id, county)}
    funds.draft_plan(context, campaign_id, county, kept | allotments([data]))


@operation("funds.submit_plan")
def submit_plan(context: OperationContext, data: Mapping[str, Any]) -> None:
    """提交分解方案: `shares` (unit, amount) where given; the answer to date conflicts."""
    campaign_id, county = text(context, "campaign"), text(context, "county")
    campaign.choose_schedule(context.session, campaign_id, str(data.get("schedule_choice") or ""))
    campaign.number_plan(context.session, campaign_id, str(data.get("document_no") or ""))
    if data.get("shares"):
        funds.draft_plan(context, campaign_id, county, allotments(data["shares"]))
    if not funds.plan(context.session, campaign_id, county):
        raise errors.InvalidState("请先填写各乡镇的分配额")


@operation("funds.decide_plan")
def decide_plan(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """签批分解方案: agreed shares are the towns' allotments; what is passed on of how much."""
    if outcome(context) != "approve":
        return {}
    campaign_id = text(context, "campaign")
    found = campaign.get(context.session, campaign_id)
    funds.sign_plan(context, campaign_id, found.county, found.plan_document_no)
    node = funds.view(context.session, campaign_id, found.county)
    return {"passed_on_fen": node.passed_on_fen, "allotted_fen": node.allotted_fen}


@operation("archive.explain_gap")
def explain_gap(context: OperationContext, data: Mapping[str, Any]) -> None:
    """说明缺项: unit, document, reason."""
    archive.explain_gap(
        context, text(context, "campaign"), str(data.get("unit") or ""),
        str(data.get("document") or ""), str(data.get("reason") or ""),
    )  # fmt: skip


@operation("archive.close")
def close(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """归档: refused while a paper is neither there nor explained."""
    return archive.close(context, text(context, "campaign"))


@operation("division.save", roles=("sys_admin",))
def save_division(context: OperationContext, data: Mapping[str, Any]) -> None:
    """登记区划或机构: code, name, profile (the rules a town goes by)."""
    division.add(
        context.session, str(data.get("code") or ""), str(data.get("name") or "").strip(),
        profile_key=data.get("profile") or None,
    )  # fmt: skip


@operation("kin.register", roles=("county_clerk", "sys_admin"))
def register_kin(context: OperationContext, data: Mapping[str, Any]) -> None:
    """登记近亲属: participant, id_no of the relative, relation."""
    kin.register(
        context, str(data.get("participant") or ""), str(data.get("id_no") or ""),
        str(data.get("relation") or ""),
    )  # fmt: skip
