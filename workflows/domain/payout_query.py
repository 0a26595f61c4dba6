"""What pages read of bank files, their rows and fixes; masked, inside the reader's regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Actor, errors
from workflows.domain import campaign, division, funds, payout
from workflows.domain.line_states import LineState
from workflows.domain.payout_tables import BatchStatus, PayoutBatch, PayoutFix, PayoutItem
from workflows.domain.roster_tables import RosterLine

MOST_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """One bank file."""

    id: str
    number: str
    town: str
    town_name: str
    seq: int
    status: str
    status_title: str
    count: int
    total_fen: int
    paid_fen: int
    failed: int
    remark: str
    sha256: str
    csv_file: str
    xlsx_file: str
    made_at: datetime
    made_by: str
    checked_by: str | None
    handed_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One row of a bank file, masked."""

    row_no: int
    line: str
    village_name: str
    head_name: str
    bank: str
    account_masked: str
    amount_fen: int
    paid_fen: int
    status: str
    reason: str
    booked_at: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FixView:
    """One fix, masked."""

    id: str
    line: str
    head_name: str
    village_name: str
    way: str
    status: str
    reason: str
    approved_fen: int
    failures: int
    old_account: str
    new_account: str
    bank: str
    account_name: str
    payee_reason: str
    receiver: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far the money of one unit is (发放进度); sums in fen."""

    unit: str
    unit_name: str
    allotted_fen: int
    approved_fen: int
    paid_fen: int

    @property
    def percent(self) -> int:
        """Paid share of the allotment, whole percent, rounded down."""
        return self.paid_fen * 100 // self.allotted_fen if self.allotted_fen else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a file made now would hold."""

    rows: tuple[ItemView, ...]
    total_fen: int
    by_hand: int


def batches(
    session: Session, actor: Actor, *, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[BatchView, ...], str | None]:
    """Bank files in the actor's regions, newest first; the next page's cursor or None."""
    query = select(PayoutBatch).where(division.visible(PayoutBatch.town, actor))
    if cursor:
        query = query.where(PayoutBatch.id < cursor)
    limit = max(1, min(limit, MOST_ROWS))
    found = session.scalars(query.order_by(PayoutBatch.id.desc()).limit(limit + 1)).all()
    rows = tuple(_batch(session, one) for one in found[:limit])
    return rows, found[limit - 1].id if len(found) > limit else None


def batch(session: Session, actor: Actor, batch_id: str) -> BatchView:
    """One bank file. Raises NotFound outside the actor's regions."""
    found = session.get(PayoutBatch, batch_id)
    if found is None or not actor.sees(found.town):
        raise errors.NotFound("没有找到这个报盘批次")
    return _batch(session, found)


def _batch(session: Session, found: PayoutBatch) -> BatchView:
    rows = payout.items(session, found.id)
    return BatchView(
        id=found.id, number=found.number, town=found.town,
        town_name=division.name_of(session, found.town), seq=found.seq, status=found.status,
        status_title=BatchStatus(found.status).label, count=found.count,
        total_fen=found.total_fen, paid_fen=sum(row.paid_fen for row in rows),
        failed=sum(row.status == "failed" for row in rows), remark=found.remark,
        sha256=found.sha256, csv_file=found.csv_file, xlsx_file=found.xlsx_file,
        made_at=found.made_at, made_by=found.made_by, checked_by=found.checked_by,
        handed_at=found.handed_at, settled_at=found.settled_at,
    )  # fmt: skip


def items(session: Session, actor: Actor, batch_id: str) -> list[ItemView]:
    """The rows of a file that lie in the actor's regions, in their order."""
    found = session.execute(
        select(PayoutItem, RosterLine)
        .join(RosterLine, RosterLine.id == PayoutItem.line_id)
        .where(PayoutItem.batch_id == batch_id, division.visible(RosterLine.village, actor))
        .order_by(PayoutItem.row_no)
    ).all()
    names = division.names_of(session, [line.village for _, line in found])
    return [
        ItemView(
            row_no=row.row_no, line=line.id, village_name=names[line.village],
            head_name=line.head_name, bank=line.bank, account_masked=line.account_masked,
            amount_fen=row.amount_fen, paid_fen=row.paid_fen, status=row.status,
            reason=row.return_reason, booked_at=row.booked_at, reference=row.reference,
        )
        for row, line in found
    ]  # fmt: skip


def preview(session: Session, campaign_id: str, town: str) -> Preview:
    """What `payout.build` would put into the next file of a town."""
    found = payout.payable(session, campaign_id, town)
    names = division.names_of(session, [line.village for line in found])
    rows = tuple(
        ItemView(
            row_no=number, line=line.id, village_name=names[line.village],
            head_name=line.head_name, bank=line.bank, account_masked=line.account_masked,
            amount_fen=line.approved_fen, paid_fen=0, status="pending", reason="", booked_at="",
            reference="",
        )
        for number, line in enumerate(found, 1)
    )  # fmt: skip
    return Preview(
        rows=rows,
        total_fen=sum(row.amount_fen for row in rows),
        by_hand=len(payout.by_hand(session, campaign_id, town)),
    )


def fix(session: Session, fix_id: str) -> FixView:
    """One fix for the panel of its task. Raises NotFound."""
    found = session.get(PayoutFix, fix_id)
    line = session.get(RosterLine, found.line_id) if found is not None else None
    if found is None or line is None:
        raise errors.NotFound("没有找到这条更正记录")
    photos = found.evidence.split(",") if found.status != "open" and found.evidence else []
    return FixView(
        id=found.id, line=line.id, head_name=line.head_name,
        village_name=division.name_of(session, line.village), way=found.way,
        status=found.status, reason=found.reason, approved_fen=line.approved_fen,
        failures=line.pay_failures, old_account=line.account_masked,
        new_account=found.account_masked, bank=found.bank or line.bank,
        account_name=found.account_name or line.account_name,
        payee_reason=found.payee_reason or "", receiver=found.receiver or "",
        evidence=tuple(photos),
    )  # fmt: skip


def results(session: Session, campaign_id: str, village: str) -> list[Mapping[str, Any]]:
    """D-16: who got how much in a village; what is published has no number in it."""
    found = session.execute(
        select(RosterLine.seq, RosterLine.head_name, RosterLine.need_n, RosterLine.paid_fen)
        .where(
            RosterLine.campaign_id == campaign_id, RosterLine.village == village,
            RosterLine.state == LineState.PAID.value,
        )
        .order_by(RosterLine.seq)
    )  # fmt: skip
    return [
        {"seq": seq, "head_name": name, "needy": needy, "paid_fen": paid}
        for seq, name, needy, paid in found
    ]


def progress(session: Session, actor: Actor, campaign_id: str) -> list[ProgressView]:
    """发放进度 of every unit with money that the actor sees, higher units first."""
    county = campaign.get(session, campaign_id).county
    found = [
        node for node in funds.nodes(session, campaign_id)
        if actor.sees(node.unit) or node.unit == county
    ]  # fmt: skip
    names = division.names_of(session, [node.unit for node in found])
    return [
        ProgressView(
            unit=node.unit, unit_name=names[node.unit], allotted_fen=node.allotted_fen,
            approved_fen=node.approved_fen, paid_fen=node.paid_fen,
        )
        for node in found
    ]  # fmt: skip
