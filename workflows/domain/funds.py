"""Relief money by node: allotted ≥ approved ≥ paid at every unit and at every moment (Inv-3).

`FundNode` holds the sums and is changed by one conditional UPDATE, so two clerks at once cannot
overdraw it; `FundEntry` (D-03 资金台账) is only ever added to: a correction is a counter-entry.
All amounts are integer fen (分).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    String,
    UniqueConstraint,
    Update,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, OperationContext, UtcDateTime, errors, region


class OverAllotment(errors.InvalidState):
    """超出下达额度"""

    code = "OVER_ALLOTMENT"


class EntryKind(enum.StrEnum):
    """What moved."""

    RECEIVED = "received"
    ALLOTTED = "allotted"
    APPROVED = "approved"
    PAID = "paid"
    RELEASED = "released"
    RECOVERED = "recovered"


class FundNode(Base):
    """The sums of one unit in one campaign; a parent's `passed_on` is its children's allotment."""

    __tablename__ = "fund_node"

    campaign_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    unit: Mapped[str] = mapped_column(String(32), primary_key=True)
    allotted_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    passed_on_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    approved_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)


_BOUNDS = {
    EntryKind.APPROVED: (FundNode.approved_fen, FundNode.allotted_fen),
    EntryKind.PAID: (FundNode.paid_fen, FundNode.approved_fen),
}
"""What a kind of entry adds to, and what that may never exceed."""


class FundEntry(Base):
    """One movement of money."""

    __tablename__ = "fund_entry"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36), index=True)
    unit: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    line_id: Mapped[str | None] = mapped_column(String(36), index=True)
    document_no: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))


class FundPlanRow(Base):
    """分配方案 (D-02), drafted before it is signed: what each child shall get."""

    __tablename__ = "fund_plan_row"
    __table_args__ = (UniqueConstraint("campaign_id", "unit"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    unit: Mapped[str] = mapped_column(String(32))
    amount_fen: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """The sums of one unit, in fen."""

    unit: str
    allotted_fen: int
    passed_on_fen: int
    approved_fen: int
    paid_fen: int


def receive(
    context: OperationContext, campaign_id: str, unit: str, amount_fen: int, document_no: str
) -> None:
    """Money from above is on the unit's account."""
    session: Session = context.session
    node = session.get(FundNode, (campaign_id, unit))
    if node is None:
        node = FundNode(campaign_id=campaign_id, unit=unit)
        session.add(node)
        session.flush()
    _grow(session, campaign_id, unit, FundNode.allotted_fen, amount_fen)
    enter(context, campaign_id, unit, EntryKind.RECEIVED, amount_fen, document_no=document_no)


def draft_plan(
    context: OperationContext, campaign_id: str, parent: str, shares: Mapping[str, int]
) -> None:
    """The drafted allotment of every child is replaced by these amounts.

    Raises InvalidInput when a share is negative or not a child, OverAllotment when Σ children
    exceeds what the parent has.
    """
    wrong = {
        unit: "不是下级单位" if region.parent(unit) != parent else "金额不能为负"
        for unit, amount in shares.items()
        if amount < 0 or region.parent(unit) != parent
    }
    if wrong:
        raise errors.InvalidInput("分解方案有误", wrong)
    session: Session = context.session
    node = view(session, campaign_id, parent)
    total = sum(shares.values())
    if total > node.allotted_fen:
        raise OverAllotment(
            f"下级合计 {total / 100:.2f} 元，超过可分配的 {node.allotted_fen / 100:.2f} 元"
        )
    known = {row.unit: row for row in plan(session, campaign_id, parent)}
    for unit, amount in shares.items():
        if unit in known:
            known[unit].amount_fen = amount
        else:
            session.add(
                FundPlanRow(
                    id=context.new_id(), campaign_id=campaign_id, unit=unit, amount_fen=amount
                )
            )
    session.flush()


def plan(session: Session, campaign_id: str, parent: str) -> Sequence[FundPlanRow]:
    """The drafted shares of the units below, in order of their codes."""
    rows = session.scalars(
        select(FundPlanRow).where(FundPlanRow.campaign_id == campaign_id).order_by(FundPlanRow.unit)
    )
    return [row for row in rows if region.parent(row.unit) == parent]


def sign_plan(context: OperationContext, campaign_id: str, parent: str, document_no: str) -> int:
    """Every child holds its drafted share; the sum in fen. Raises OverAllotment, InvalidState."""
    session: Session = context.session
    rows = plan(session, campaign_id, parent)
    if not rows:
        raise errors.InvalidState("还没有分解方案")
    total = sum(row.amount_fen for row in rows)
    _bounded(session, campaign_id, parent, FundNode.passed_on_fen, total, FundNode.allotted_fen)
    for row in rows:
        receive(context, campaign_id, row.unit, row.amount_fen, document_no)
        enter(
            context, campaign_id, parent, EntryKind.ALLOTTED, row.amount_fen,
            document_no=document_no, note=row.unit,
        )  # fmt: skip
    return total


def approve(context: OperationContext, campaign_id: str, line: tuple[str, str], fen: int) -> None:
    """The amount of a line (id, unit) counts as approved at its unit and everywhere above.

    Raises OverAllotment, naming the first node that has not enough left.
    """
    approve_all(context, campaign_id, [(*line, fen)])


def approve_all(
    context: OperationContext, campaign_id: str, amounts: Iterable[tuple[str, str, int]]
) -> None:
    """Approve many lines (id, unit, fen): one entry each, one update a node. All or none."""
    _book(context, campaign_id, amounts, EntryKind.APPROVED)


def pay_all(
    context: OperationContext, campaign_id: str, amounts: Iterable[tuple[str, str, int]]
) -> None:
    """Pay many lines (id, unit, fen): one entry each, one update a node. All or none."""
    _book(context, campaign_id, amounts, EntryKind.PAID)


def _book(
    context: OperationContext,
    campaign_id: str,
    amounts: Iterable[tuple[str, str, int]],
    kind: EntryKind,
) -> None:
    by_unit: dict[str, int] = {}
    for line_id, unit, fen in amounts:
        by_unit[unit] = by_unit.get(unit, 0) + fen
        enter(context, campaign_id, unit, kind, fen, line_id=line_id)
    by_node: dict[str, int] = {}
    for unit, fen in by_unit.items():
        for node in _path(context.session, campaign_id, unit):
            by_node[node] = by_node.get(node, 0) + fen
    column, limit = _BOUNDS[kind]
    # Lower units first: the refusal names the node that is short.
    for node in sorted(by_node, reverse=True):
        _bounded(context.session, campaign_id, node, column, by_node[node], limit)


def release(context: OperationContext, campaign_id: str, line: tuple[str, str], fen: int) -> None:
    """An approved amount that will not be paid is free again, by counter-entry (Inv-17)."""
    line_id, unit = line
    for node in _path(context.session, campaign_id, unit):
        released = (
            update(FundNode)
            .where(
                FundNode.campaign_id == campaign_id,
                FundNode.unit == node,
                FundNode.approved_fen - fen >= FundNode.paid_fen,
            )
            .values(approved_fen=FundNode.approved_fen - fen)
        )
        if not _hits(context.session, released):
            raise errors.Broken("an approved amount is released that was not approved")
    enter(context, campaign_id, unit, EntryKind.RELEASED, -fen, line_id=line_id)


def pay(context: OperationContext, campaign_id: str, line: tuple[str, str], fen: int) -> None:
    """The amount counts as paid at the unit and above. Raises OverAllotment beyond the approved."""
    pay_all(context, campaign_id, [(*line, fen)])


def view(session: Session, campaign_id: str, unit: str) -> NodeView:
    """The sums of one unit; zeros where it never had money."""
    row = session.execute(
        select(FundNode.allotted_fen, FundNode.passed_on_fen, FundNode.approved_fen,
               FundNode.paid_fen)
        .where(FundNode.campaign_id == campaign_id, FundNode.unit == unit)
    ).one_or_none()  # fmt: skip
    allotted, passed_on, approved, paid = row if row is not None else (0, 0, 0, 0)
    return NodeView(
        unit=unit, allotted_fen=allotted, passed_on_fen=passed_on, approved_fen=approved,
        paid_fen=paid,
    )  # fmt: skip


def nodes(session: Session, campaign_id: str) -> list[NodeView]:
    """Every unit that has money in this campaign, higher units first."""
    units = session.scalars(
        select(FundNode.unit).where(FundNode.campaign_id == campaign_id).order_by(FundNode.unit)
    )
    return [view(session, campaign_id, unit) for unit in units]


def ledger_sum(session: Session, campaign_id: str, line_id: str, *kinds: EntryKind) -> int:
    """Σ of a line's entries of these kinds, counter-entries included."""
    total = session.scalar(
        select(func.coalesce(func.sum(FundEntry.amount_fen), 0)).where(
            FundEntry.campaign_id == campaign_id,
            FundEntry.line_id == line_id,
            FundEntry.kind.in_(kinds),
        )
    )
    return int(total or 0)


def affordable(allotted_fen: int, each_fen: int) -> tuple[int, int]:
    """How many persons the money reaches at one amount each, and what is left (fen)."""
    return divmod(allotted_fen, each_fen)


def enter(
    context: OperationContext,
    campaign_id: str,
    unit: str,
    kind: EntryKind,
    amount_fen: int,
    *,
    line_id: str | None = None,
    document_no: str = "",
    note: str = "",
) -> None:
    """One more row of the ledger."""
    context.session.add(
        FundEntry(
            id=context.new_id(), campaign_id=campaign_id, unit=unit, kind=kind.value,
            amount_fen=amount_fen, line_id=line_id, document_no=document_no, note=note,
            at=context.now, actor_id=context.actor.id if context.actor else "system",
        )
    )  # fmt: skip


def _path(session: Session, campaign_id: str, unit: str) -> list[str]:
    """The unit and those above it that hold money in this campaign."""
    candidates = (unit, *region.ancestors(unit))
    held = set(
        session.scalars(
            select(FundNode.unit).where(
                FundNode.campaign_id == campaign_id, FundNode.unit.in_(candidates)
            )
        )
    )
    if not held:
        raise OverAllotment("该单位没有下达资金，不能核准")
    return [candidate for candidate in candidates if candidate in held]


def _grow(session: Session, campaign_id: str, unit: str, column: Mapped[int], fen: int) -> None:
    session.execute(
        update(FundNode)
        .where(FundNode.campaign_id == campaign_id, FundNode.unit == unit)
        .values({column: column + fen})
    )


def _bounded(
    session: Session,
    campaign_id: str,
    unit: str,
    column: Mapped[int],
    fen: int,
    limit: Mapped[int],
) -> None:
    grown = (
        update(FundNode)
        .where(FundNode.campaign_id == campaign_id, FundNode.unit == unit, column + fen <= limit)
        .values({column: column + fen})
    )
    if not _hits(session, grown):
        raise OverAllotment(f"单位 {unit} 的额度不足，尚缺 {fen / 100:.2f} 元内的部分，请核对")


def _hits(session: Session, statement: Update) -> bool:
    """Whether the conditional update found its row."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
