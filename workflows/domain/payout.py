"""一卡通发放: a file of approved lines, checked by a second person, handed over, returned, booked.

Nobody is paid twice: a household is in one file per attempt (unique), a row is booked once, and
the ledger refuses more than was approved (Inv-3, Inv-4).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import OperationContext, errors, region
from workflows.domain import campaign, division, funds, lines, notice, payout_file, vault
from workflows.domain.line_states import LineState, Verb
from workflows.domain.payout_file import Header, PayRow
from workflows.domain.payout_tables import BatchStatus, PayoutBatch, PayoutItem
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import RosterLine

Purpose = vault.Purpose
PROJECT = "冬春救灾资金"


class FileKind(enum.StrEnum):
    """As what a bank file is handed out."""

    CSV = "csv"
    XLSX = "xlsx"


class NotReadyToPay(errors.InvalidState):
    """名册行尚不能报盘"""

    code = "NOT_READY_TO_PAY"


def get(session: Session, batch_id: object) -> PayoutBatch:
    """One bank file. Raises NotFound."""
    found = session.get(PayoutBatch, str(batch_id))
    if found is None:
        raise errors.NotFound("没有找到这个报盘批次")
    return found


def items(session: Session, batch_id: str) -> Sequence[PayoutItem]:
    """The rows of a file in their order."""
    return session.scalars(
        select(PayoutItem).where(PayoutItem.batch_id == batch_id).order_by(PayoutItem.row_no)
    ).all()


def payable(session: Session, campaign_id: str, town: str) -> list[RosterLine]:
    """Approved lines and mended ones that go through the bank."""
    found = lines.of_town(session, campaign_id, town, LineState.APPROVED, LineState.FIXING)
    return [
        line
        for line in found
        if line.pay_way == "银行" and (line.standing is LineState.APPROVED or line.passed_by)
    ]


def by_hand(session: Session, campaign_id: str, town: str) -> list[RosterLine]:
    """Approved lines that are handed over in cash or goods, against a receipt."""
    found = lines.of_town(session, campaign_id, town, LineState.APPROVED)
    return [line for line in found if line.pay_way != "银行"]


def build(
    context: OperationContext, campaign_id: str, town: str, profile: Profile
) -> PayoutBatch | None:
    """The next file of a town with every payable line frozen in it; None where there is none.

    Raises NotReadyToPay naming the first line that has not stood its notices (Inv-1), has an
    open objection, an incomplete account or an amount beyond the approved.
    """
    session: Session = context.session
    found = payable(session, campaign_id, town)
    if not found:
        return None
    _check_ready(session, found, profile)
    seq = _next_seq(session, campaign_id, town)
    number = f"{profile.subsidy_code}-{region.prefix(town)}-{campaign_id[-6:]}-{seq:02d}".upper()
    header = _header(context, campaign_id, town, profile, number)
    names = division.names_of(session, [line.village for line in found])
    rows = [_pay_row(row_no, line, names[line.village]) for row_no, line in enumerate(found, 1)]
    total = sum(line.approved_fen for line in found)
    if sum(row.amount_fen for row in rows) != total:
        raise errors.Broken("the file does not add up to what was approved")
    content = payout_file.render_csv(header, rows)
    csv_ref = _keep(context, f"报盘_{number}.csv", content)
    xlsx_ref = _keep(context, f"报盘_{number}.xlsx", payout_file.render_xlsx(header, rows))
    vault.record_read(context, f"payout:{number}", "制作报盘文件")
    batch = PayoutBatch(
        id=context.new_id(), campaign_id=campaign_id, town=town, seq=seq, number=number,
        status=BatchStatus.MADE.value, count=len(rows), total_fen=total,
        remark=profile.pay_remark, csv_file=csv_ref, xlsx_file=xlsx_ref,
        sha256=sha256(content).hexdigest(), made_at=context.now, made_by=lines.actor_id(context),
    )  # fmt: skip
    session.add(batch)
    attempts = _attempts(session, [line.id for line in found])
    for row, line in zip(rows, found, strict=True):
        session.add(
            PayoutItem(
                id=context.new_id(), batch_id=batch.id, row_no=row.row_no, line_id=line.id,
                attempt=attempts.get(line.id, 0) + 1, amount_fen=row.amount_fen,
                status="pending", paid_fen=0,
            )
        )  # fmt: skip
        lines.move(context, line, Verb.FILE)
    session.flush()
    return batch


def _keep(context: OperationContext, name: str, content: bytes) -> str:
    """The file stays sealed and in no case's list; `download` alone hands it out."""
    sealed = vault.current().seal_bytes(content, Purpose.PAY_FILE)
    return context.store_file(name, sealed, "application/octet-stream", listed=False).id


def download(
    context: OperationContext, batch: PayoutBatch, kind: FileKind, purpose: str
) -> tuple[str, bytes]:
    """Name and content of the file with full numbers; the reading is on record first (Inv-18).

    Raises InvalidInput without a purpose.
    """
    if len(purpose.strip()) < vault.SHORTEST_PURPOSE:
        raise errors.InvalidInput(None, {"purpose": "请写明下载报盘文件的用途"})
    vault.record_read(context, f"payout:{batch.number}", purpose.strip()[:100])
    stored = batch.csv_file if kind is FileKind.CSV else batch.xlsx_file
    content = vault.current().open_bytes(context.read_attachment(stored), Purpose.PAY_FILE)
    return f"报盘_{batch.number}.{kind}", content


def _check_ready(session: Session, found: Sequence[RosterLine], profile: Profile) -> None:
    missing = notice.first_missing(session, found, profile.notice_tiers)
    if missing is not None:
        line, named = missing
        raise NotReadyToPay(f"“{line.head_name}”户现有内容未完成{named}")
    objected = notice.with_open_objection(session, found)
    for line in found:
        if line.id in objected:
            raise NotReadyToPay(f"“{line.head_name}”户有异议未办结")
        if not (line.account_sealed and line.bank and line.account_name):
            raise NotReadyToPay(f"“{line.head_name}”户账户信息不全")
        if line.approved_fen <= 0 or line.paid_fen:
            raise NotReadyToPay(f"“{line.head_name}”户没有可发放的核准金额")


def _next_seq(session: Session, campaign_id: str, town: str) -> int:
    last = session.scalar(
        select(func.max(PayoutBatch.seq)).where(
            PayoutBatch.campaign_id == campaign_id, PayoutBatch.town == town
        )
    )
    return int(last or 0) + 1


def _attempts(session: Session, line_ids: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(PayoutItem.line_id, func.max(PayoutItem.attempt))
        .where(PayoutItem.line_id.in_(line_ids))
        .group_by(PayoutItem.line_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _header(
    context: OperationContext, campaign_id: str, town: str, profile: Profile, number: str
) -> Header:
    session: Session = context.session
    found = campaign.get(session, campaign_id)
    return Header(
        number=number, project_code=profile.subsidy_code, project=PROJECT, year=found.winter,
        county=division.name_of(session, found.county), town=division.name_of(session, town),
        remark=profile.pay_remark, made_by=context.actor.name if context.actor else "",
    )  # fmt: skip


def _pay_row(row_no: int, line: RosterLine, village: str) -> PayRow:
    return PayRow(
        row_no=row_no, village_code=line.village, village=village,
        head_name=line.head_name, identity=vault.unseal(line.id_sealed, Purpose.IDENTITY),
        bank=line.bank, account_name=line.account_name,
        account=vault.unseal(line.account_sealed, Purpose.ACCOUNT), amount_fen=line.approved_fen,
    )  # fmt: skip


def check(context: OperationContext, batch: PayoutBatch) -> None:
    """财政复核 by somebody else than the maker; totals tie again. Raises SamePersonTwice."""
    me = lines.actor_id(context)
    if me == batch.made_by:
        raise lines.SamePersonTwice("报盘文件的制作与复核不能是同一人")
    if batch.status != BatchStatus.MADE:
        raise errors.InvalidState(f"批次处于“{BatchStatus(batch.status).label}”，不能复核")
    rows = items(context.session, batch.id)
    if (len(rows), sum(row.amount_fen for row in rows)) != (batch.count, batch.total_fen):
        raise errors.Broken("the rows of a bank file no longer tie to its header")
    batch.status, batch.checked_by = BatchStatus.CHECKED.value, me


def void(context: OperationContext, batch: PayoutBatch, reason: str) -> None:
    """A file that was not handed over is thrown away; its lines are payable again."""
    if batch.status not in (BatchStatus.MADE, BatchStatus.CHECKED):
        raise errors.InvalidState("已交银行的批次不能作废")
    rows = items(context.session, batch.id)
    found = lines.get_all(context.session, [row.line_id for row in rows])
    for row in rows:
        row.status = "void"
        lines.move(context, found[row.line_id], Verb.UNFILE, reason)
    batch.status = BatchStatus.VOID.value


def hand_over(context: OperationContext, batch: PayoutBatch) -> None:
    """The file is with the bank. Raises InvalidState unless it was checked."""
    if batch.status != BatchStatus.CHECKED:
        raise errors.InvalidState("报盘文件未经复核，不能交付银行")
    batch.status, batch.handed_at = BatchStatus.HANDED.value, context.now


def import_return(context: OperationContext, batch: PayoutBatch, attachment_id: str) -> int:
    """The bank's results are kept with the rows, all of them or none; how many failed.

    Raises ReturnFileRefused, InvalidState for a batch that was returned already.
    """
    if batch.status != BatchStatus.HANDED:
        raise errors.InvalidState(f"批次处于“{BatchStatus(batch.status).label}”，不能导入回盘文件")
    rows = {row.row_no: row for row in items(context.session, batch.id)}
    results = payout_file.read_return(
        context.read_attachment(attachment_id),
        batch.number,
        {row_no: row.amount_fen for row_no, row in rows.items()},
    )
    for result in results:
        row = rows[result.row_no]
        row.return_code, row.return_reason = result.code, result.reason
        row.booked_at, row.reference = result.booked_at, result.reference
        row.paid_fen = result.paid_fen
    batch.status, batch.returned_at = BatchStatus.RETURNED.value, context.now
    batch.return_file = attachment_id
    context.session.flush()
    return sum(not result.is_paid for result in results)


def apply_return(context: OperationContext, batch: PayoutBatch) -> dict[str, Any]:
    """Every row is booked once: paid into the ledger, or failed with its reason.

    Answers the counts and the ids of failed lines.
    """
    if batch.status != BatchStatus.RETURNED:
        raise errors.InvalidState("该批次没有待入账的回盘结果")
    session: Session = context.session
    failed: list[str] = []
    rows = items(session, batch.id)
    found = lines.get_all(session, [row.line_id for row in rows])
    paid = [(row.line_id, found[row.line_id].village, row.paid_fen) for row in rows if row.paid_fen]
    funds.pay_all(context, batch.campaign_id, paid)
    for row in rows:
        line = found[row.line_id]
        if row.paid_fen:
            line.paid_fen += row.paid_fen
            lines.move(context, line, Verb.PAY)
            row.status = "paid"
        else:
            line.pay_failures += 1
            lines.move(context, line, Verb.FAIL, row.return_reason)
            row.status = "failed"
            failed.append(line.id)
    batch.status, batch.settled_at = BatchStatus.SETTLED.value, context.now
    session.flush()
    return {"paid": batch.count - len(failed), "failed": failed}
