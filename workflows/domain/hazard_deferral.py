"""延期申请 (D-36): once per hazard, before its date runs out; inspector first, then leader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Audience, OperationContext, errors
from workflows.domain import hazard as register
from workflows.domain import hazard_rules
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_state import HazardState
from workflows.domain.hazard_tables import DeferralRow, HazardRow

#: BPMN message that wakes the event subprocess of `hazard_item`; its key is the hazard's id
MESSAGE = "hazard_deferral"


def of(session: Session, hazard_id: str) -> DeferralRow | None:
    """The deferral of a hazard, whatever became of it."""
    return session.scalars(select(DeferralRow).where(DeferralRow.hazard_id == hazard_id)).first()


def apply(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> DeferralRow:
    """Ask for a later date. Raises `DeferralRefused`, `InvalidInput`, `InvalidState`."""
    if hazard.state != HazardState.RECTIFYING.value or hazard.current_due is None:
        raise errors.InvalidState("只有整改中的隐患可以申请延期")
    fields = Fields(data)
    reason = fields.text("reason", "延期理由")
    interim = fields.text("interim", "延期期间的防范措施")
    new_due = fields.must_day("new_due", "申请延期至")
    fields.refuse_faults()
    hazard_rules.check_deferral(
        earlier=0 if of(context.session, hazard.id) is None else 1,
        due_on=hazard.current_due,
        new_due=new_due,
        today=register.today(context),
    )
    deferral = DeferralRow(
        id=context.new_id(),
        hazard_id=hazard.id,
        reason=reason,
        interim=interim,
        old_due=hazard.current_due,
        new_due=new_due,
        applied_by=register.person(context).id,
        applied_at=context.now,
        opinion="",
        decision="",
    )
    context.session.add(deferral)
    register.note(context, hazard, "申请延期", f"申请延期至 {new_due:%Y-%m-%d}：{reason}")
    context.send_message(MESSAGE, hazard.id, {})
    return deferral


def give_opinion(
    context: OperationContext, hazard: HazardRow, *, supported: bool, opinion: str
) -> None:
    """The inspector's word before the leader decides."""
    deferral = _pending(context.session, hazard)
    deferral.supported, deferral.opinion = supported, opinion
    deferral.opinion_by, deferral.opinion_at = register.person(context).id, context.now
    register.note(context, hazard, "延期核实意见", ("同意" if supported else "不同意") + opinion)


def decide(
    context: OperationContext, hazard: HazardRow, *, granted: bool, decision: str
) -> Mapping[str, object]:
    """The city leader's decision; a granted one moves the due date of the open rectification.

    Where the institution has finished meanwhile, the decision is kept and no date moves.
    Raises `SeparationOfDuties` when he gave the opinion himself.
    """
    deferral = _pending(context.session, hazard)
    actor = register.person(context)
    if actor.id in (deferral.opinion_by, deferral.applied_by):
        raise errors.SeparationOfDuties("延期的申请、核实与审批不能是同一人")
    deferral.granted, deferral.decision = granted, decision
    deferral.decided_by, deferral.decided_at = actor.id, context.now
    word = "批准延期" if granted else "不予延期"
    still_open = hazard.state == HazardState.RECTIFYING.value
    if granted and still_open:
        hazard.deferred_to = hazard.current_due = deferral.new_due
        hazard.interim = deferral.interim
        context.set_due("rectify", deferral.new_due, f"{word}：{deferral.reason}")
    register.note(context, hazard, word, f"{deferral.new_due:%Y-%m-%d} {decision}".strip())
    context.notify(
        "deferral_decided",
        Audience.seat("safety_officer", hazard.institution),
        {"number": hazard.number, "decision": word, "new_due": f"{deferral.new_due:%Y-%m-%d}"},
    )
    return {"due": hazard.current_due}


def _pending(session: Session, hazard: HazardRow) -> DeferralRow:
    deferral = of(session, hazard.id)
    if deferral is None or deferral.decided_at is not None:
        raise errors.InvalidState("这条隐患没有待办的延期申请")
    return deferral
