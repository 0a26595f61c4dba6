"""发放失败与更正 (R1C): mended by one person, confirmed by another, then sent again (SoD-5).

The line keeps its id; the next file has a new number. After two failures, and for households
without an account, money is handed over against a signed receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import OperationContext, errors
from workflows.domain import bank_account, funds, kin, line_input, lines, masking, roster, vault
from workflows.domain.bank_account import AccountKind
from workflows.domain.line_states import LineState, Verb
from workflows.domain.payout_tables import PayoutFix
from workflows.domain.roster_tables import RosterLine

FAILURES_BEFORE_CASH = 2
ACCOUNT, CASH = "account", "cash"


def get(session: Session, fix_id: object) -> PayoutFix:
    """One fix. Raises NotFound."""
    found = session.get(PayoutFix, str(fix_id))
    if found is None:
        raise errors.NotFound("没有找到这条更正记录")
    return found


def of_line(session: Session, line_id: str) -> PayoutFix | None:
    """The open fix of a line, if any."""
    return session.scalars(
        select(PayoutFix).where(PayoutFix.line_id == line_id, PayoutFix.status != "done")
    ).first()


def open_fix(context: OperationContext, line: RosterLine) -> PayoutFix:
    """The failed (or cash) line is being mended; `way` says how."""
    by_hand = line.pay_failures >= FAILURES_BEFORE_CASH or line.pay_way != "银行"
    reason = line.opinion if line.standing is LineState.FAILED else f"{line.pay_way}发放"
    lines.move(context, line, Verb.START_FIX, reason)
    made = PayoutFix(
        id=context.new_id(), campaign_id=line.campaign_id, line_id=line.id, reason=reason[:60],
        way=CASH if by_hand else ACCOUNT, status="open", opened_at=context.now,
        account_masked="", evidence="",
    )  # fmt: skip
    context.session.add(made)
    context.session.flush()
    return made


def propose_account(context: OperationContext, fix: PayoutFix, data: Mapping[str, Any]) -> bool:
    """What the household gave as its account; whether the payee is another person than the head.

    Raises InvalidInput, KinMayNotHandle.
    """
    line = lines.get(context.session, fix.line_id)
    kin.refuse_kin(context, line)
    number = bank_account.normalise(str(data.get("account_no") or ""))
    kind = str(data.get("account_kind") or line.account_kind)
    name = str(data.get("account_name") or line.head_name).strip()
    bank = str(data.get("bank") or line.bank).strip()
    reason = str(data.get("payee_reason") or "").strip()
    photos = list(line_input.people(data.get("photos")))
    wrong: dict[str, str] = {}
    problem = bank_account.problem(number)
    if problem:
        wrong["account_no"] = problem
    if kind not in [one.value for one in AccountKind]:
        wrong["account_kind"] = "请选择账户类别"
    if not bank:
        wrong["bank"] = "请填写开户银行"
    if name != line.head_name and not reason:
        wrong["payee_reason"] = "账户不是户主本人的，请写明监护或代领原因"
    if not photos:
        wrong["photos"] = "请上传证件与卡（折）照片"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    for photo in photos:
        context.attachment(photo)
    fix.account_sealed = vault.seal(number, vault.Purpose.ACCOUNT)
    fix.account_masked = masking.screen_account(number)
    fix.account_kind, fix.account_name, fix.bank = kind, name, bank
    fix.payee_reason, fix.evidence = reason, ",".join(photos)
    fix.status, fix.proposed_by = "proposed", lines.actor_id(context)
    return name != line.head_name


def verify_account(context: OperationContext, fix: PayoutFix) -> None:
    """A second person saw document and card: the line may be sent again.

    Raises SamePersonTwice, DuplicateAccount, InvalidState.
    """
    line = _second_person(context, fix)
    number = vault.unseal(fix.account_sealed, vault.Purpose.ACCOUNT)
    roster.set_account(line, number)
    line.account_kind, line.account_name, line.bank = fix.account_kind, fix.account_name, fix.bank
    line.payee_reason = fix.payee_reason
    context.session.flush()
    lines.refuse_shared_account(context, line)
    _done(context, fix)
    line.passed_by = lines.actor_id(context)
    lines.note(context, line, "account_verified", line.standing)


def refuse(context: OperationContext, fix: PayoutFix, reason: str) -> None:
    """The second person does not agree: it is done again."""
    if not reason.strip():
        raise errors.InvalidInput(None, {"reason": "请写明不一致之处"})
    fix.status = "open"
    line = lines.get(context.session, fix.line_id)
    lines.note(context, line, "fix_refused", line.standing, reason)


def propose_cash(context: OperationContext, fix: PayoutFix, data: Mapping[str, Any]) -> None:
    """Money or goods were handed over against a signed receipt. Raises InvalidInput."""
    line = lines.get(context.session, fix.line_id)
    kin.refuse_kin(context, line)
    receiver = str(data.get("receiver") or "").strip()
    photos = list(line_input.people(data.get("photos")))
    reason = str(data.get("payee_reason") or "").strip()
    wrong: dict[str, str] = {}
    if not receiver:
        wrong["receiver"] = "请填写签收人"
    elif receiver != line.head_name and not reason:
        wrong["payee_reason"] = "由他人代领的，请写明原因"
    if not photos:
        wrong["photos"] = "请上传签收单照片"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    for photo in photos:
        context.attachment(photo)
    fix.receiver, fix.payee_reason, fix.evidence = receiver, reason, ",".join(photos)
    fix.status, fix.proposed_by = "proposed", lines.actor_id(context)


def verify_cash(context: OperationContext, fix: PayoutFix) -> None:
    """A second person confirms the receipt: the line is paid, once."""
    line = _second_person(context, fix)
    funds.pay(context, line.campaign_id, (line.id, line.village), line.approved_fen)
    line.paid_fen += line.approved_fen
    lines.move(context, line, Verb.PAY_CASH, f"签收人：{fix.receiver}")
    _done(context, fix)


def propose_cancel(context: OperationContext, fix: PayoutFix, reason: str) -> None:
    """The person died or moved away before payment: a second person has to confirm."""
    kin.refuse_kin(context, lines.get(context.session, fix.line_id))
    if not reason.strip():
        raise errors.InvalidInput(None, {"reason": "请写明去世或迁出的情况"})
    fix.evidence, fix.status, fix.proposed_by = reason.strip(), "proposed", lines.actor_id(context)


def cancel(context: OperationContext, fix: PayoutFix) -> None:
    """注销 with counter-entry, confirmed by a second person."""
    roster.cancel(context, _second_person(context, fix), fix.evidence)
    _done(context, fix)


def _second_person(context: OperationContext, fix: PayoutFix) -> RosterLine:
    if fix.status != "proposed":
        raise errors.InvalidState("还没有待核实的更正")
    if lines.actor_id(context) == fix.proposed_by:
        raise lines.SamePersonTwice("更正与核实须由两人分别办理")
    line = lines.get(context.session, fix.line_id)
    kin.refuse_kin(context, line)
    return line


def _done(context: OperationContext, fix: PayoutFix) -> None:
    fix.status, fix.done_at = "done", context.now
    fix.verified_by = lines.actor_id(context)
