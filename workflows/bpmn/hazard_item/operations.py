"""Operations of 隐患整改销号: thin calls into the hazard register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, operation
from workflows.domain import hazard as register
from workflows.domain import hazard_deferral, hazard_grading, hazard_rectification, hazard_rules
from workflows.domain.hazard_state import HazardState, Source
from workflows.domain.hazard_tables import HazardRow

Result = Mapping[str, object]


def _hazard(context: OperationContext) -> HazardRow:
    return register.load(context.session, context.variables().get("hazard_id"))


def _seen(context: OperationContext) -> HazardRow:
    return register.look(context.session, context.variables().get("hazard_id"))


@operation("hazard.register", roles=("inspector",))
def register_hazard(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """登记一条检查以外发现的隐患，定级、定期限，并立即下达整改."""
    source = Source.REPORT if data.get("source") == "report" else Source.CITY
    actor = register.person(context)
    institution = register.seen_institution(context, data.get("institution"))
    found = register.read_finding(
        context, data, institution=institution, round_id=None, source=source, issuers=(actor.id,)
    )
    hazard = register.register(context, found)
    hazard_grading.grade(context, hazard, data)
    hazard_rectification.order(context, hazard)
    hazard.instance_id = context.start(
        "hazard_item",
        variables={"hazard_id": hazard.id, "hazard_number": hazard.number},
        region=hazard.institution,
        title=f"隐患整改 {hazard.number}",
        business_key=hazard.id,
    )
    if hazard.grade == "major":
        hazard_grading.report_major(context, hazard)
    return {"hazard_id": hazard.id, "number": hazard.number, "instance_id": hazard.instance_id}


@operation("hazard.brief")
def brief(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """读取隐患的机构、等级与期限."""
    hazard = _hazard(context)
    register.take_over(context, hazard)
    return {
        "hazard_number": hazard.number,
        "institution": hazard.institution,
        "city": hazard.city,
        **register.position(hazard),
    }


@operation("hazard.issuers")
def issuers(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """下达隐患的检查人员，不得办理整改."""
    return {"participants": sorted(_seen(context).issuers)}


@operation("hazard.rectifiers")
def rectifiers(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """办理过整改的人员，不得复查."""
    return {"participants": sorted(_seen(context).rectifiers)}


@operation("hazard.cosign_excluded")
def cosign_excluded(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """不得作为第二复查人的人员."""
    hazard = _seen(context)
    record = hazard_rectification.unsigned(context.session, hazard.id)
    first = record.first_by if record else ""
    excluded = hazard_rules.excluded_from_cosigning(
        first, rectifiers=hazard.rectifiers, issuers=hazard.issuers
    )
    return {"participants": sorted(excluded - {""})}


@operation("hazard.apply_deferral")
def apply_deferral(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """机构申请延期，每条隐患一次."""
    return {"deferral_id": hazard_deferral.apply(context, _hazard(context), data).id}


@operation("hazard.defer_opinion")
def defer_opinion(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """检查人员核实延期理由."""
    supported = context.task is not None and context.task.outcome == "support"
    opinion = str(data.get("opinion") or "")
    hazard_deferral.give_opinion(context, _hazard(context), supported=supported, opinion=opinion)
    return {"deferral_supported": supported}


@operation("hazard.defer_decision")
def defer_decision(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """市级领导审批延期，批准后整改期限随之改变."""
    granted = context.task is not None and context.task.outcome == "grant"
    reason = str(data.get("reason") or "")
    return hazard_deferral.decide(context, _hazard(context), granted=granted, decision=reason)


@operation("hazard.submit_rectification")
def submit_rectification(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """提交整改情况、花费与整改后照片."""
    hazard_rectification.submit(context, _hazard(context), data)
    return {"rectified_by": register.person(context).id}


@operation("hazard.record_recheck")
def record_recheck(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """第一复查人记录复查结论."""
    record = hazard_rectification.recheck(context, _hazard(context), data)
    return {"rechecked_by": record.first_by}


@operation("hazard.confirm_recheck")
def confirm_recheck(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """第二复查人会签，结论生效."""
    hazard = _hazard(context)
    agrees = context.task is not None and context.task.outcome == "agree"
    remark = str(data.get("remark") or "")
    verdict = hazard_rectification.cosign(context, hazard, agrees=agrees, remark=remark)
    return {"verdict": verdict, **register.position(hazard)}


@operation("hazard.supervise")
def supervise(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """二次复查不合格，市级领导下达督办单."""
    hazard_rectification.supervise(context, _hazard(context), str(data.get("demand") or ""))
    return {"supervised_by": register.person(context).id}


@operation("hazard.close")
def close(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """销号，或者退回复查."""
    hazard = _hazard(context)
    outcome = (context.task.outcome if context.task else None) or "approve"
    if outcome == "return":
        hazard_rectification.send_back(context, hazard, str(data.get("reason") or ""))
    elif hazard.state != HazardState.CLOSED.value:
        hazard_rectification.close(context, hazard)
    return {"closing": outcome}
