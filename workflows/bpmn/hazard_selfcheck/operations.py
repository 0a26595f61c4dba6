"""Operations of 机构安全自查与市级检查: thin calls into the hazard register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, operation
from workflows.domain import hazard as register
from workflows.domain import hazard_grading, hazard_round, hazard_selfcheck
from workflows.domain.hazard_tables import HazardRow, RoundUnitRow

Result = Mapping[str, object]


def _part(context: OperationContext) -> RoundUnitRow:
    own = context.variables()
    return hazard_round.part(context.session, own.get("round_id"), own.get("institution"))


def _hazard(context: OperationContext, data: Mapping[str, Any]) -> HazardRow:
    part = _part(context)
    found = register.load(context.session, data.get("hazard_id"), institution=part.institution)
    if found.round_id != part.round_id:
        raise register.UnknownHazard
    return found


def _outcome(context: OperationContext) -> str:
    return (context.task.outcome if context.task else None) or "submit"


@operation("hazard.answer_item")
def answer_item(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """填写一个检查项，不合格的自动登记隐患；合格的可以一次填写多项."""
    hazard_selfcheck.answer_all(context, _part(context), data)
    return {}


@operation("hazard.add_found")
def add_found(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """登记检查项以外自查发现的隐患."""
    return {"hazard_id": hazard_selfcheck.add_found(context, _part(context), data).id}


@operation("hazard.submit_selfcheck")
def submit_selfcheck(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """自查完成，所有检查项都已填写."""
    return {"hazard_count": hazard_selfcheck.finish_answers(context, _part(context))}


@operation("hazard.grade")
def grade(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """给一条隐患定级并落实五项措施."""
    hazard_grading.grade(context, _hazard(context, data), data)
    return {}


@operation("hazard.withdraw")
def withdraw(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """撤销一条不属实或重复的隐患，记录保留."""
    register.withdraw(context, _hazard(context, data), str(data.get("reason") or ""))
    return {}


@operation("hazard.finish_grading")
def finish_grading(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """全部隐患分级完成，或者退回自查."""
    if _outcome(context) == "return":
        return {"grading": "return", "major_count": 0}
    majors = hazard_selfcheck.finish_grading(context, _part(context))
    return {"grading": "submit", "major_count": len(majors)}


@operation("hazard.report_major")
def report_major(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """重大隐患立即报市级挂牌督办."""
    for one in hazard_selfcheck.live(context.session, _part(context)):
        if one.grade == "major":
            hazard_grading.report_major(context, one)
    return {}


@operation("hazard.submit_ledger")
def submit_ledger(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """主要负责人签字上报台账，下达自查隐患整改."""
    if _outcome(context) == "return":
        return {"reporting": "return", "own_hazards": []}
    signature = str(data.get("signature") or "")
    ordered = hazard_selfcheck.sign_ledger(context, _part(context), signature)
    return {"reporting": "submit", "own_hazards": register.keys(ordered)}


@operation("hazard.add_inspected")
def add_inspected(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """市级检查现场发现的隐患."""
    return {"hazard_id": hazard_selfcheck.add_inspected(context, _part(context), data).id}


@operation("hazard.raise_grade")
def raise_grade(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """检查人员改定为重大隐患，立即上报."""
    hazard = _hazard(context, data)
    hazard_grading.raise_to_major(context, hazard, str(data.get("criterion") or ""))
    hazard_grading.report_major(context, hazard)
    return {}


@operation("hazard.propose_downgrade")
def propose_downgrade(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """提议重大隐患降级，附证据，待第二人签字."""
    hazard_grading.propose_downgrade(context, _hazard(context, data), data)
    return {}


@operation("hazard.confirm_downgrade")
def confirm_downgrade(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """第二人签字，重大隐患降为一般."""
    hazard_grading.confirm_downgrade(context, _hazard(context, data))
    return {}


@operation("hazard.submit_inspection")
def submit_inspection(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """第一检查人提交现场检查记录."""
    hazard_selfcheck.inspect(context, _part(context), data)
    return {"inspected_by": register.person(context).id}


@operation("hazard.cosign_inspection")
def cosign_inspection(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """第二检查人会签，本机构计入检查覆盖."""
    if _outcome(context) == "return":
        return {"cosigning": "return", "new_count": 0}
    found = hazard_selfcheck.cosign_inspection(context, _part(context))
    return {"cosigning": "agree", "new_count": len(found)}


@operation("hazard.serve_notice")
def serve_notice(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """下达整改通知书."""
    return {"found_hazards": register.keys(hazard_selfcheck.serve_notice(context, _part(context)))}


@operation("hazard.receive_notice")
def receive_notice(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """机构负责人签收整改通知书."""
    hazard_selfcheck.receive_notice(context, _part(context))
    return {"received_by": register.person(context).id}
