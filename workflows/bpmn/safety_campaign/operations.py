"""Operations of 安全检查专项行动: thin calls into the rounds of the hazard register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import Audience, OperationContext, operation
from workflows.domain import hazard as register
from workflows.domain import hazard_checklist, hazard_institution, hazard_round
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_tables import RoundRow

Result = Mapping[str, object]


def _round(context: OperationContext) -> RoundRow:
    return hazard_round.get(context.session, context.variables().get("round_id"))


@operation("hazard.publish_checklist", roles=("inspector",))
def publish_checklist(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """发布一个新版本的检查清单与判定标准."""
    found = hazard_checklist.read(data)
    actor = register.person(context)
    hazard_checklist.publish(context.session, found, on=register.today(context), by=actor.id)
    return {"checklist": found.id}


@operation("hazard.register_institution", roles=("inspector", "sys_admin"))
def register_institution(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """登记一个接受安全检查的机构."""
    found = hazard_institution.read(data)
    if not register.person(context).sees(found.code):
        raise hazard_institution.UnknownInstitution
    hazard_institution.register(context.session, found)
    return {"code": found.code}


@operation("hazard.open_round")
def open_round(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """下发检查任务到本市每个机构."""
    found = hazard_round.open_round(context, data)
    units = hazard_round.parts(context.session, found.id)
    return {
        "round_id": found.id,
        "round_title": found.title,
        "city": found.city,
        "institutions": hazard_round.named(context.session, units),
        "ledger_due": found.ledger_due,
        "inspect_due": found.inspect_due,
        "report_on": found.report_on,
    }


@operation("hazard.interim_report")
def interim_report(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """到期发布阶段通报，数字由台账自动统计."""
    text = _text(data)
    hazard_round.report(context, _round(context), text, final=False)
    return {"interim_by": register.person(context).id}


@operation("hazard.weekly_figures")
def weekly_figures(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """每周向市级报送一次统计数字."""
    found = _round(context)
    now = hazard_round.figures(context.session, found, register.today(context))
    told = {"title": found.title, "coverage": f"{now.coverage // 10}%"}
    told |= {key: str(now.total(key)) for key in ("found", "closed", "overdue")}
    for role in ("inspector", "city_leader"):
        context.notify("weekly_figures", Audience.seat(role, found.city), told)
    return {}


@operation("hazard.draft_summary", reversible=True)
def draft_summary(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """起草汇总通报，机构检查须已全覆盖."""
    text = _text(data)
    hazard_round.require_covered(context, _round(context))
    return {"summary": text}


@operation("hazard.close_round")
def close_round(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """签发汇总通报，本轮检查办结."""
    if context.task is not None and context.task.outcome == "return":
        return {"signing": "return"}
    text = str(context.variables().get("summary") or "")
    hazard_round.report(context, _round(context), text, final=True)
    return {"signing": "approve"}


def _text(data: Mapping[str, Any]) -> str:
    fields = Fields(data)
    text = fields.text("text", "通报内容", longest=5000)
    fields.refuse_faults()
    return text
