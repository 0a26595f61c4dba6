"""Bank files: masked rows, the file on record, the bank's return right in every row or not at all."""

from __future__ import annotations

import csv
import io

from sqlalchemy import select

from workflows.demo.relief_households import households
from workflows.demo.relief_people import COUNTY, TOWNS
from workflows.domain import payout_file
from workflows.domain.payout_file import ReturnRow
from workflows.domain.payout_tables import PayoutBatch, PayoutItem
from workflows.domain.vault import DisclosureRead

TOWN = TOWNS[1]


def batch_of(office):
    with office.engine.read() as session:
        found = session.scalars(select(PayoutBatch)).one()
        session.expunge(found)
        return found


def answers(office, *, fails=(), wrong=()):
    """The bank's file as it should be, or with rows that do not tie."""
    batch = batch_of(office)
    with office.engine.read() as session:
        rows = session.scalars(select(PayoutItem).order_by(PayoutItem.row_no)).all()
        results = [
            ReturnRow(
                row_no=row.row_no, is_paid=row.row_no not in fails, code="0",
                reason="", booked_at="2026-02-02 10:00", reference=f"T{row.row_no}",
                paid_fen=1 if row.row_no in wrong else row.amount_fen,
            )
            if row.row_no not in fails
            else ReturnRow(
                row_no=row.row_no, is_paid=False, code="E1", reason="销户", booked_at="",
                reference="", paid_fen=0,
            )
            for row in rows
        ]  # fmt: skip
    return payout_file.render_return(batch.number, results)


def send(page, batch, content, *, status=200, name="回盘.csv"):
    page.get(f"/payouts/{batch.id}")
    upload = {"file": (io.BytesIO(content), name)}
    return page.post(f"/payouts/{batch.id}/return", upload, status=status)


def test_the_list_shows_how_far_the_money_is(paying):
    page = paying.as_("county_finance", COUNTY).get("/payouts")

    assert "石桥镇 第 1 批" in page.text
    assert "已交银行" in page.text
    assert "发放率" in page.text
    assert "<meter" in page.html


def test_rows_are_masked_for_everybody(paying):
    batch = batch_of(paying)
    pages = [
        paying.as_("county_finance", COUNTY).get(f"/payouts/{batch.id}").html,
        paying.as_("town_clerk", TOWN).get(f"/payouts/{batch.id}").html,
        paying.as_("bank", COUNTY).get(f"/payouts/{batch.id}").html,
    ]

    secret = {one.data[key] for one in households() for key in ("id_no", "account_no", "phone")}
    assert not [number for number in secret for html in pages if number in html]


def test_strangers_find_no_file(paying):
    batch = batch_of(paying)

    paying.as_("town_clerk", TOWNS[0]).get(f"/payouts/{batch.id}", status=404)
    paying.as_("village_clerk", "349898102201").get("/payouts", status=403)
    assert paying.nobody().client.get(f"/payouts/{batch.id}").status_code == 303


def test_the_file_needs_a_purpose_and_leaves_a_trace(paying):
    batch = batch_of(paying)
    page = paying.as_("bank", COUNTY).get(f"/payouts/{batch.id}")

    page.post(f"/payouts/{batch.id}/file", {"kind": "csv", "purpose": "", "_form": "file-csv"},
              status=422)  # fmt: skip
    assert "请写明下载报盘文件的用途" in page.text
    page.post(f"/payouts/{batch.id}/file", {"kind": "csv", "purpose": "代发银行入账"})

    rows = list(csv.reader(io.StringIO(page.page.get_data().decode("gb18030"))))
    assert rows[0][1] == batch.number
    assert len(rows) == batch.count + 2
    assert page.page.headers["Cache-Control"] == "private, no-store"
    with paying.engine.read() as session:
        last = session.scalars(select(DisclosureRead)).all()[-1]
    assert (last.purpose, last.subject) == ("代发银行入账", f"payout:{batch.number}")


def test_it_comes_as_a_workbook_too(paying):
    batch = batch_of(paying)
    page = paying.as_("county_clerk", COUNTY).get(f"/payouts/{batch.id}")

    page.post(f"/payouts/{batch.id}/file", {"kind": "xlsx", "purpose": "核对报盘总数"})

    assert page.page.get_data()[:2] == b"PK"


def test_a_town_may_look_but_not_take_the_file(paying):
    batch = batch_of(paying)
    page = paying.as_("town_clerk", TOWN).get(f"/payouts/{batch.id}")

    assert "下载报盘文件" not in page.text
    page.post(f"/payouts/{batch.id}/file", {"kind": "csv", "purpose": "自己看看"}, status=403)


def test_the_file_is_nobodys_attachment(paying):
    batch = batch_of(paying)
    page = paying.as_("county_clerk", COUNTY).get("/tasks")

    for stored in (batch.csv_file, batch.xlsx_file):
        page.get(f"/attachments/{stored}", status=404)


def test_wrong_rows_are_named_one_by_one_and_nothing_is_booked(paying):
    batch = batch_of(paying)
    page = paying.as_("bank", COUNTY)

    send(page, batch, answers(paying, wrong=(2, 5)), status=422)

    assert "没有任何一户入账" in page.text
    assert "第 4 行" in page.text
    assert "第 7 行" in page.text
    assert batch_of(paying).status == "handed"
    with paying.engine.read() as session:
        assert not session.scalars(select(PayoutItem).where(PayoutItem.paid_fen > 0)).all()


def test_another_batchs_file_is_refused(paying):
    batch = batch_of(paying)
    page = paying.as_("bank", COUNTY)
    other = payout_file.render_return("别的批次", [])

    send(page, batch, other, status=422)
    assert "不是" in page.text
    send(page, batch, b"\xff\xfe\x00", status=422)
    page.get(f"/payouts/{batch.id}")
    page.post(f"/payouts/{batch.id}/return", {}, status=422)
    assert "请选择回盘文件" in page.text


def test_a_right_return_is_booked_once(paying):
    batch = batch_of(paying)
    page = paying.as_("bank", COUNTY)

    send(page, batch, answers(paying, fails=(3,)))

    assert "1 户发放失败，已转更正" in page.html
    assert "销户" in page.text
    assert batch_of(paying).status == "settled"
    page.get(f"/payouts/{batch.id}?status=failed")
    assert "发放成功 " in page.text
    assert page.text.count("销户") == 1
    again = {"file": (io.BytesIO(answers(paying)), "回盘.csv")}
    page.post(f"/payouts/{batch.id}/return", again, status=409)
    assert "不能导入回盘文件" in page.text


def test_a_batch_without_such_rows_says_so(paying):
    batch = batch_of(paying)
    page = paying.as_("county_finance", COUNTY).get(f"/payouts/{batch.id}?status=failed")

    assert "没有这样的户" in page.text
