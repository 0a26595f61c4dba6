"""一卡通: Inv-1, Inv-3, Inv-4; a return file is right in every row, or refused."""

from __future__ import annotations

import csv
import io
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from engine import errors
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain import (
    funds,
    lines,
    payout,
    payout_file,
    payout_fix,
    payout_query,
    roster,
    vault,
)
from workflows.domain.line_states import LineState, Verb
from workflows.domain.notice_tables import Notice, Objection
from workflows.domain.payout_file import ReturnFileRefused, ReturnRow
from workflows.domain.payout_tables import PayoutItem

TOWN = TOWNS[0]


@pytest.fixture
def approved(desk, winter, apply):
    """Three approved lines of 200, 300 and 400 元 that stood their notice."""
    found = []
    for fen in (20_000, 30_000, 40_000):
        line = apply(1)
        line.level, line.planned_fen, line.approved_fen = "一般", fen, fen
        line.state = LineState.APPROVED.value
        funds.approve(desk, winter.id, (line.id, line.village), fen)
        desk.stand(line)
        found.append(line)
    return found


@pytest.fixture
def handed(desk, winter, wan, approved):
    batch = payout.build(desk, winter.id, TOWN, wan)
    payout.check(desk.by("zhou"), batch)
    payout.hand_over(desk, batch)
    return batch


def answer(desk, batch, fails=()):
    return [
        ReturnRow(
            row_no=row.row_no,
            is_paid=row.row_no not in fails,
            code="E1" if row.row_no in fails else "0",
            reason="户名不符" if row.row_no in fails else "",
            paid_fen=0 if row.row_no in fails else row.amount_fen,
            booked_at="2026-01-28",
            reference=f"T{row.row_no}",
        )
        for row in payout.items(desk.session, batch.id)
    ]


def returned(desk, batch, results):
    return desk.store_file(
        "回盘.csv", payout_file.render_return(batch.number, results), "text/csv"
    ).id


def test_the_file_lies_sealed_and_leaves_only_with_a_purpose(desk, winter, wan, approved) -> None:
    batch = payout.build(desk, winter.id, TOWN, wan)
    _, stored = desk.files[batch.csv_file]

    assert batch.number.encode() not in stored
    with pytest.raises(errors.InvalidInput):
        payout.download(desk, batch, payout.FileKind.CSV, "看")
    name, content = payout.download(desk, batch, payout.FileKind.XLSX, "交代发银行")
    assert name.endswith(".xlsx")
    assert content[:2] == b"PK"
    reads = desk.session.query(vault.DisclosureRead).filter_by(subject=f"payout:{batch.number}")
    assert [read.purpose for read in reads] == ["制作报盘文件", "交代发银行"]


def test_every_wrong_row_of_a_return_file_is_named(desk, winter, wan, approved) -> None:
    batch = payout.build(desk, winter.id, TOWN, wan)
    rows = [
        ReturnRow(
            row_no=n, is_paid=True, code="0", reason="", paid_fen=1, booked_at="", reference=""
        )
        for n in (1, 2)
    ]

    with pytest.raises(ReturnFileRefused) as refused:
        payout_file.read_return(
            payout_file.render_return(batch.number, rows), batch.number, {1: 100, 2: 200}
        )

    assert list(refused.value.fields) == ["第 3 行", "第 4 行"]
    assert "有 2 行有误" in refused.value.message


def test_the_file_adds_up_and_says_disaster_relief(desk, winter, wan, approved) -> None:
    batch = payout.build(desk, winter.id, TOWN, wan)

    _, content = payout.download(desk, batch, payout.FileKind.CSV, "财政核对")
    table = list(csv.reader(io.StringIO(content.decode("gb18030"))))

    assert batch.sha256 == sha256(content).hexdigest()
    assert (batch.count, batch.total_fen) == (3, 90_000)
    assert table[0][:6] == ["批次号", batch.number, "总笔数", "3", "总金额", "900.00"]
    assert tuple(table[1]) == payout_file.COLUMNS
    assert all("救灾" in row[15] and len(row[10]) == 18 for row in table[2:])
    assert {line.standing for line in approved} == {LineState.IN_FILE}
    assert payout.build(desk, winter.id, TOWN, wan) is None


@pytest.mark.parametrize("flaw", ["changed", "objection", "account", "amount"])
def test_no_line_is_filed_that_is_not_ready(desk, winter, wan, approved, flaw) -> None:
    line = approved[1]
    if flaw == "changed":
        lines.change(desk, line, lambda row: setattr(row, "need_n", 9))
    elif flaw == "objection":
        desk.session.add(
            Objection(
                id="o",
                notice_id=desk.session.query(Notice.id).first()[0],
                line_id=line.id,
                kind="金额",
                text="…",
                filed_at=desk.now,
                filed_by="public",
            )
        )
    elif flaw == "account":
        line.bank = ""
    else:
        line.approved_fen = 0

    with pytest.raises(payout.NotReadyToPay, match="王建国"):
        payout.build(desk, winter.id, TOWN, wan)

    assert {one.standing for one in approved} == {LineState.APPROVED}


def test_maker_and_checker_differ_and_nothing_unchecked_goes_out(
    desk, winter, wan, approved
) -> None:
    batch = payout.build(desk, winter.id, TOWN, wan)

    with pytest.raises(lines.SamePersonTwice):
        payout.check(desk, batch)
    with pytest.raises(errors.InvalidState):
        payout.hand_over(desk, batch)


def test_a_void_file_frees_its_lines(desk, winter, wan, approved) -> None:
    batch = payout.build(desk, winter.id, TOWN, wan)
    payout.void(desk.by("zhou"), batch, "摘要有误")

    again = payout.build(desk, winter.id, TOWN, wan)

    assert again.seq == batch.seq + 1
    assert again.total_fen == batch.total_fen


def test_a_household_is_in_one_file_per_attempt(desk, handed) -> None:
    row = payout.items(desk.session, handed.id)[0]
    desk.session.add(
        PayoutItem(
            id="twice",
            batch_id="other",
            row_no=1,
            line_id=row.line_id,
            attempt=row.attempt,
            amount_fen=1,
        )
    )

    with pytest.raises(IntegrityError):
        desk.session.flush()
    desk.session.rollback()


def test_each_row_is_booked_once(desk, winter, handed, approved) -> None:
    failed = payout.import_return(desk, handed, returned(desk, handed, answer(desk, handed, {2})))
    booked = payout.apply_return(desk, handed)

    assert failed == 1
    assert booked == {"paid": 2, "failed": [approved[1].id]}
    assert [line.standing for line in approved] == [
        LineState.PAID,
        LineState.FAILED,
        LineState.PAID,
    ]
    assert funds.view(desk.session, winter.id, TOWN).paid_fen == 60_000
    with pytest.raises(errors.InvalidState):
        payout.apply_return(desk, handed)
    with pytest.raises(errors.InvalidState):
        payout.import_return(desk, handed, returned(desk, handed, answer(desk, handed)))
    assert funds.view(desk.session, winter.id, TOWN).paid_fen == 60_000


def tampered(text: str, kind: str) -> str:
    rows = text.split("\r\n")
    if kind == "total":
        rows[0] = rows[0].replace("900.00", "901.00")
    elif kind == "count":
        rows[0] = rows[0].replace("总笔数,3", "总笔数,4")
    elif kind == "unknown row":
        rows[4] = rows[4].replace(",3,", ",7,", 1)
    elif kind == "repeated row":
        rows.insert(3, rows[2])
    elif kind == "missing row":
        del rows[4]
    elif kind == "amount":
        rows[2] = rows[2].replace("200.00", "999.00")
    elif kind == "other batch":
        rows[0] = rows[0].replace("DCJZ", "XXXX")
    elif kind == "row of another batch":
        rows[2] = "别的批次" + rows[2]
    elif kind == "columns":
        rows[1] = rows[1].replace("流水号", "备注")
    elif kind == "failure without reason":
        rows[2] = rows[2].replace(",0,,200.00", ",E1,,0.00")
    return "\r\n".join(rows)


@pytest.mark.parametrize(
    "kind",
    [
        "total",
        "count",
        "unknown row",
        "repeated row",
        "missing row",
        "amount",
        "other batch",
        "row of another batch",
        "columns",
        "failure without reason",
    ],
)
def test_it_refuses_a_return_file_that_is_wrong_anywhere_and_changes_nothing(
    desk, winter, handed, approved, kind
) -> None:
    good = payout_file.render_return(handed.number, answer(desk, handed)).decode("utf-8-sig")
    bad = tampered(good, kind)
    assert bad != good
    file = desk.store_file("回盘.csv", bad.encode("gb18030"), "text/csv").id

    with pytest.raises(ReturnFileRefused):
        payout.import_return(desk, handed, file)

    assert handed.status == "handed"
    assert {line.standing for line in approved} == {LineState.IN_FILE}
    assert all(not row.return_code for row in payout.items(desk.session, handed.id))
    assert funds.view(desk.session, winter.id, TOWN).paid_fen == 0


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_return_file_with_any_cell_changed_is_read_the_same_or_refused(data) -> None:
    sent = {1: 20_000, 2: 30_000, 3: 5}
    results = [
        ReturnRow(
            row_no=n,
            is_paid=n != 2,
            code="0" if n != 2 else "9",
            reason="" if n != 2 else "销户",
            paid_fen=fen if n != 2 else 0,
            booked_at="",
            reference="",
        )
        for n, fen in sent.items()
    ]
    text = payout_file.render_return("B-1", results).decode("utf-8-sig")
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("0159,.E户B-\n")) + text[at + 1 :]

    try:
        found = payout_file.read_return(changed.encode(), "B-1", sent)
    except ReturnFileRefused:
        return

    assert [row.row_no for row in found] == [1, 2, 3]
    assert all(row.paid_fen in (0, sent[row.row_no]) for row in found)
    assert sum(row.paid_fen for row in found) == 20_005


def test_a_cell_never_becomes_a_formula() -> None:
    header = payout_file.Header(
        number="B",
        project_code="X",
        project="冬春",
        year=2025,
        county="暖河县",
        town="柳河镇",
        remark="救灾资金",
        made_by="=cmd()",
    )
    row = payout_file.PayRow(
        row_no=1,
        village_code="1",
        village="@SUM(A1)",
        head_name="=1+1",
        identity="1",
        bank="+1",
        account_name="-2",
        account="1",
        amount_fen=1,
    )

    cells = list(csv.reader(io.StringIO(payout_file.render_csv(header, [row], "utf-8").decode())))[
        2
    ]

    assert not [cell for cell in cells if cell[:1] in "=+-@"]


@pytest.fixture
def failed(desk, handed, approved):
    payout.import_return(desk, handed, returned(desk, handed, answer(desk, handed, {2})))
    payout.apply_return(desk, handed)
    return approved[1]


def test_two_people_mend_an_account_and_the_line_goes_into_the_next_file(
    desk, winter, wan, failed
) -> None:
    fix = payout_fix.open_fix(desk, failed)
    data = {"account_no": "62980000007777", "photos": [desk.photo()]}
    assert payout.payable(desk.session, winter.id, TOWN) == []

    assert payout_fix.propose_account(desk, fix, data) is False
    with pytest.raises(lines.SamePersonTwice):
        payout_fix.verify_account(desk, fix)
    payout_fix.verify_account(desk.by("zhao"), fix)
    batch = payout.build(desk, winter.id, TOWN, wan)

    assert batch.count == 1
    assert [row.attempt for row in payout.items(desk.session, batch.id)] == [2]
    assert payout_query.fix(desk.session, fix.id).new_account == "**** 7777"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"account_no": "12"}, "account_no"),
        ({"photos": []}, "photos"),
        ({"account_name": "李四"}, "payee_reason"),
        ({"account_kind": "饭卡"}, "account_kind"),
    ],
)
def test_a_mended_account_is_complete(desk, failed, data, field) -> None:
    fix = payout_fix.open_fix(desk, failed)
    good = {"account_no": "62980000007777", "photos": [desk.photo()]}

    with pytest.raises(errors.InvalidInput) as refused:
        payout_fix.propose_account(desk, fix, good | data)

    assert field in refused.value.fields


def test_after_two_failures_it_is_handed_over_against_a_receipt(desk, winter, failed) -> None:
    failed.pay_failures = 2
    fix = payout_fix.open_fix(desk, failed)
    assert fix.way == "cash"

    payout_fix.propose_cash(desk, fix, {"receiver": "王建国", "photos": [desk.photo("签收单.png")]})
    with pytest.raises(lines.SamePersonTwice):
        payout_fix.verify_cash(desk, fix)
    payout_fix.verify_cash(desk.by("zhao"), fix)

    assert failed.standing is LineState.PAID
    assert failed.paid_fen == failed.approved_fen
    assert funds.view(desk.session, winter.id, TOWN).paid_fen == 90_000


def test_death_before_payment_releases_the_money_after_a_second_look(desk, winter, failed) -> None:
    fix = payout_fix.open_fix(desk, failed)
    payout_fix.propose_cancel(desk, fix, "户主于1月27日去世")

    payout_fix.cancel(desk.by("zhao"), fix)

    assert failed.standing is LineState.CANCELLED
    assert funds.view(desk.session, winter.id, TOWN).approved_fen == 60_000


def test_a_line_in_a_bank_file_is_not_cancelled(desk, handed, approved) -> None:
    with pytest.raises(errors.InvalidState, match="已报盘"):
        roster.cancel(desk, approved[0], "去世")


def test_a_paid_line_is_never_filed_again(desk, winter, wan, handed, approved) -> None:
    payout.import_return(desk, handed, returned(desk, handed, answer(desk, handed)))
    payout.apply_return(desk, handed)

    assert payout.build(desk, winter.id, TOWN, wan) is None
    with pytest.raises(errors.InvalidState):
        lines.move(desk, approved[0], Verb.FILE)


def test_pages_show_files_masked_and_inside_the_region(desk, handed) -> None:
    county, stranger = (
        desk.by("li", "county_clerk", COUNTY).actor,
        desk.by("sun", "town_clerk", TOWNS[1]).actor,
    )
    rows, cursor = payout_query.batches(desk.session, county)

    assert [row.number for row in rows] == [handed.number]
    assert cursor is None
    assert {
        item.account_masked[:4] for item in payout_query.items(desk.session, county, handed.id)
    } == {"****"}
    assert payout_query.batches(desk.session, stranger) == ((), None)
    with pytest.raises(errors.NotFound):
        payout_query.batch(desk.session, stranger, handed.id)
    village = desk.by("wang", "village_clerk", VILLAGES[1]).actor
    assert payout_query.items(desk.session, village, handed.id) == []
