"""What the payout's case does to bank files and lines."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from engine import OperationContext, errors, operation
from workflows.domain import funds, lines, payout, vault
from workflows.domain.case_variables import outcome, profile, text
from workflows.domain.line_states import LineState
from workflows.domain.payout_tables import PayoutBatch

MAKERS = ("county_clerk", "county_finance")
#: the bank gets the file when it was handed over, not before
FILE_READERS = (*MAKERS, "bank")


def _batch(context: OperationContext) -> PayoutBatch:
    return payout.get(context.session, text(context, "batch"))


@operation("payout.build")
def build(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """制作报盘文件 of every payable line of the town."""
    made = payout.build(context, text(context, "campaign"), text(context, "town"), profile(context))
    return {"batch": made.id if made else None, "rows": made.count if made else 0}


@operation("payout.check")
def check(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """财政复核: totals tie, by another person; a returned file is void. What is due of how much."""
    batch = _batch(context)
    if outcome(context) != "approve":
        payout.void(context, batch, str(data.get("reason") or ""))
        return {}
    payout.check(context, batch)
    node = funds.view(context.session, batch.campaign_id, batch.town)
    return {
        "file_fen": batch.total_fen, "unpaid_fen": node.approved_fen - node.paid_fen,
    }  # fmt: skip


@operation("payout.hand_over")
def hand_over(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """交付代发银行."""
    payout.hand_over(context, _batch(context))
    return {"handed": True}


@operation("payout.import_return", roles=FILE_READERS)
def import_return(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """导入回盘文件: `batch` and `file` (attachment); right in every row, or refused whole."""
    found = payout.get(context.session, data.get("batch"))
    if context.actor is None or not vault.holds_over(context.actor, FILE_READERS, found.town):
        raise errors.NotFound("没有找到这个报盘批次")
    failed = payout.import_return(context, found, str(data.get("file") or ""))
    context.send_message("bank_return", found.id)
    return {"failed": failed}


@operation("payout.download", roles=FILE_READERS)
def download(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """下载报盘文件: `batch`, `kind` (csv | xlsx), `purpose`; the content in base64, on record."""
    found = payout.get(context.session, data.get("batch"))
    roles = FILE_READERS if found.handed_at else MAKERS
    if context.actor is None or not vault.holds_over(context.actor, roles, found.town):
        raise errors.NotFound("没有找到这个报盘批次")
    name, content = payout.download(
        context, found, payout.FileKind(str(data.get("kind"))), str(data.get("purpose") or "")
    )
    return {"name": name, "content": b64encode(content).decode("ascii")}


@operation("payout.apply_return")
def apply_return(context: OperationContext, _: Mapping[str, Any]) -> dict[str, Any]:
    """回盘入账: every row once."""
    return payout.apply_return(context, _batch(context))


@operation("payout.gather_fixes")
def gather_fixes(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """清点须更正的户: failed lines, and those that are paid by hand."""
    session, campaign_id, town = context.session, text(context, "campaign"), text(context, "town")
    failed = lines.of_town(session, campaign_id, town, LineState.FAILED)
    found = [*failed, *payout.by_hand(session, campaign_id, town)]
    return {"to_fix": [line.id for line in found]}


@operation("payout.count_payable")
def count_payable(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """清点再报盘的户."""
    found = payout.payable(context.session, text(context, "campaign"), text(context, "town"))
    return {"payable": len(found)}
