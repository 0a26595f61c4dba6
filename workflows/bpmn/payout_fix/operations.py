"""What the mending of one failed payment does to the line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, errors, operation
from workflows.domain import lines, payout_fix
from workflows.domain.case_variables import outcome, text
from workflows.domain.payout_tables import PayoutFix


def _fix(context: OperationContext) -> PayoutFix:
    return payout_fix.get(context.session, text(context, "fix"))


def _reason(data: Mapping[str, Any]) -> str:
    return str(data.get("reason") or "")


@operation("payout_fix.open")
def open_fix(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """登记更正: which way the household will get its money."""
    line = lines.get(context.session, text(context, "line"))
    made = payout_fix.open_fix(context, line)
    return {
        "fix": made.id, "way": made.way, "village": line.village,
        "household": f"第 {line.seq} 号 {line.head_name}户",
    }  # fmt: skip


@operation("payout_fix.propose")
def propose(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """联系更正: the new account with photos, or that the person died or moved away."""
    if outcome(context) == "deceased":
        payout_fix.propose_cancel(context, _fix(context), _reason(data))
        return {"payee_changed": False}
    return {"payee_changed": payout_fix.propose_account(context, _fix(context), data)}


@operation("payout_fix.verify")
def verify(context: OperationContext, data: Mapping[str, Any]) -> None:
    """第二人核实: applied at once, unless another person is to be paid."""
    if outcome(context) == "refuse":
        payout_fix.refuse(context, _fix(context), _reason(data))
    elif not context.variables().get("payee_changed"):
        payout_fix.verify_account(context, _fix(context))


@operation("payout_fix.approve_payee")
def approve_payee(context: OperationContext, data: Mapping[str, Any]) -> None:
    """变更领款人审批."""
    if outcome(context) == "approve":
        payout_fix.verify_account(context, _fix(context))
    else:
        payout_fix.refuse(context, _fix(context), _reason(data))


@operation("payout_fix.confirm_cancel")
def confirm_cancel(context: OperationContext, data: Mapping[str, Any]) -> None:
    """核实注销: the approved amount is released by counter-entry."""
    if outcome(context) == "confirm":
        payout_fix.cancel(context, _fix(context))
    else:
        payout_fix.refuse(context, _fix(context), _reason(data))


@operation("payout_fix.hand_cash")
def hand_cash(context: OperationContext, data: Mapping[str, Any]) -> None:
    """现金或实物签收: receiver, photos of the receipt."""
    payout_fix.propose_cash(context, _fix(context), data)


@operation("payout_fix.verify_cash")
def verify_cash(context: OperationContext, data: Mapping[str, Any]) -> None:
    """第二人核对签收单."""
    if outcome(context) == "confirm":
        payout_fix.verify_cash(context, _fix(context))
    elif outcome(context) == "refuse":
        payout_fix.refuse(context, _fix(context), _reason(data))
    else:
        raise errors.InvalidState("请选择核对结果")
