"""A large table comes in behind the page: checked, written, told row by row, never twice."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
import xlsxwriter
from sqlalchemy import func, select

from engine import SYSTEM, errors
from tests.pages.test_rosters_pages import registering
from webforms.bench import load_h
from webforms.rosters import uploads
from webforms.rosters.importing import STEP, Imports
from workflows.demo.relief_people import COUNTY, VILLAGES
from workflows.domain import roster_import, roster_import_run
from workflows.domain.roster_import import COLUMNS
from workflows.domain.roster_import_run import RosterImport
from workflows.domain.roster_tables import RosterLine

ROWS = 40


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 10)


def table(rows=ROWS, wrong=()):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, COLUMNS)
    for index in range(rows):
        cells = {
            "户主姓名": load_h.name_of(index), "身份证号码": load_h.identity(700_000 + index, 0),
            "家庭人口": 1, "家庭类型": "低保户", "户口类型": "农村", "需口粮": 30,
            "发放方式": "银行发放", "开户银行": "农商行", "帐号": load_h.account(7_000_000 + index),
        } | ({"身份证号码": "349898199001011234", "家庭类型": "富户"} if index in wrong else {})  # fmt: skip
        page.write_row(index + 1, 0, [cells.get(name, "") for name in COLUMNS])
    book.close()
    return out.getvalue()


def sent(winter, content):
    """The page of the import after the upload, and its address."""
    page, task = registering(winter)
    page.get(f"/rosters{task}/import")
    page.post(f"/rosters{task}/import", {"file": (io.BytesIO(content), "河湾村.xlsx")})
    return page, page.page.request.path, task


def count(winter):
    with winter.engine.read() as session:
        return session.scalar(select(func.count()).select_from(RosterLine))


def test_a_large_table_is_stored_then_checked_then_written(winter):
    before = count(winter)
    page, address, task = sent(winter, table())

    assert address.startswith("/rosters/imports/")
    assert "排队等待" in page.text
    assert f"0 / {ROWS}" in page.text
    assert page.page.headers["Refresh"]
    assert count(winter) == before

    assert Imports(winter.engine).run_waiting() == 1

    page.get(address)
    assert f"{ROWS} 户已全部写入花名册" in page.text
    assert "Refresh" not in page.page.headers
    assert count(winter) == before + ROWS
    assert "河湾村.xlsx" in page.get(f"/rosters{task}/import").text
    assert "河湾村.xlsx" not in page.get(task).text, "its numbers are no attachment of the case"


def test_a_reader_who_is_disturbed_by_it_stops_the_refreshing(winter):
    page, address, _ = sent(winter, table())

    page.get(f"{address}?still=1")

    assert "Refresh" not in page.page.headers
    assert "恢复自动刷新" in page.text


def test_every_wrong_row_is_told_and_nothing_is_written(winter):
    before = count(winter)
    page, address, _ = sent(winter, table(rows=400, wrong=range(100, 400)))

    Imports(winter.engine).run_waiting()

    page.get(address)
    assert "共 300 行有误" in page.text
    assert count(winter) == before
    assert page.text.count("第 102 行·身份证号码") == 1
    assert "第 400 行" not in page.text
    places = set()
    while True:
        places |= set(re.findall(r"第 (\d+) 行", page.text))
        older = re.search(r'rel="next" href="([^"]+)"', page.html)
        if not older:
            break
        page.get(older[1])
    assert places == {str(number) for number in range(102, 402)}
    assert "349898199001011234" not in page.html

    page.get(f"{address}/faults.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(page.page.get_data())).active
    assert [cell.value for cell in sheet[1]] == ["行号", "列", "问题"]
    assert sheet.max_row == 601


def test_a_table_that_is_wrong_throughout_is_not_read_to_its_end(winter, monkeypatch):
    monkeypatch.setattr(roster_import_run, "MOST_FAULTS", 20)
    page, address, _ = sent(winter, table(wrong=range(ROWS)))

    Imports(winter.engine).run_waiting()

    page.get(address)
    assert "前 10 行里有 10 行有误，后面的没有再检查" in page.text
    assert re.search(r"已检查\s*10", page.text)


def test_only_the_uploader_and_his_office_look(winter):
    page, address, _ = sent(winter, table())
    page.get(address)

    with winter.engine.read() as session:
        village = session.scalars(select(RosterImport.unit)).one()
    other = next(one for one in VILLAGES if one != village)
    for path in (address, f"{address}/faults.xlsx"):
        winter.as_("village_clerk", other).get(path, status=404)
        winter.as_("county_clerk", COUNTY).get(path, status=403)


def test_the_same_file_sent_twice_is_imported_once(winter):
    content = table()
    page, address, task = sent(winter, content)

    page.get(f"/rosters{task}/import")
    page.post(f"/rosters{task}/import", {"file": (io.BytesIO(content), "again.xlsx")})
    assert page.page.request.path == address

    page.get(f"/rosters{task}/import")
    other = {"file": (io.BytesIO(table(rows=20)), "other.xlsx")}
    page.post(f"/rosters{task}/import", other, status=409)
    assert "还有一张表正在导入" in page.text
    assert Imports(winter.engine).run_waiting() == 1


def test_a_process_that_died_is_stepped_in_for_and_nothing_comes_twice(winter):
    before = count(winter)
    page, address, _ = sent(winter, table())
    dead = winter.engine.runtime.perform(STEP, SYSTEM, {"step": "take"})
    assert "正在逐行检查" in page.get(address).text
    assert not winter.engine.runtime.perform(STEP, SYSTEM, {"step": "take"}), "somebody has it"

    assert Imports(winter.engine).run_waiting() == 1

    assert count(winter) == before + ROWS
    late = {"step": "refuse", **dead, "message": "nobody asked", "faults": []}
    with pytest.raises(errors.Stale):
        winter.engine.runtime.perform(STEP, SYSTEM, late)
    assert "已全部写入" in page.get(address).text


def test_a_silent_worker_is_stepped_in_for_after_a_minute(winter):
    sent(winter, table())
    winter.engine.runtime.perform(STEP, SYSTEM, {"step": "take"})

    winter.clock.advance(roster_import_run.LEASE * 1.1)

    again = winter.engine.runtime.perform(STEP, SYSTEM, {"step": "take"})
    assert again["attempt"] == 2


def test_the_lines_of_a_slower_attempt_are_rolled_back(winter, monkeypatch):
    before = count(winter)
    sent(winter, table())
    real = roster_import_run.done

    def overtaken(context, taken, lines, warnings):
        real(context, (taken[0], taken[1] + 1), lines, warnings)

    monkeypatch.setattr(roster_import_run, "done", overtaken)
    Imports(winter.engine).run_waiting()
    assert count(winter) == before

    monkeypatch.undo()
    Imports(winter.engine).run_waiting()
    assert count(winter) == before + ROWS


def test_a_fault_of_ours_is_tried_again_and_given_up_in_words(winter, monkeypatch):
    before = count(winter)
    page, address, _ = sent(winter, table())

    def broken(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(roster_import, "read_households", broken)
    imports = Imports(winter.engine)
    for _ in range(roster_import_run.MOST_ATTEMPTS + 1):
        assert imports.run_waiting() == 0

    assert "多次尝试仍未完成" in page.get(address).text
    assert "disk" not in page.html
    assert count(winter) == before


def test_a_task_that_ended_meanwhile_takes_no_rows(winter):
    before = count(winter)
    page, address, task = sent(winter, table())
    case = winter.engine.worklist.task(task.rpartition("/")[2], SYSTEM).instance_id
    winter.engine.runtime.terminate(case, SYSTEM, "登记有误，重新发起")

    Imports(winter.engine).run_waiting()

    assert count(winter) == before
    assert "一行也没有导入" in page.get(address).text
    assert "重新上传" not in page.text


def test_a_month_later_only_the_lines_are_left(winter):
    sent(winter, table())
    imports = Imports(winter.engine)
    imports.run_waiting()
    lines = count(winter)

    winter.clock.advance(roster_import_run.KEPT * 1.1)
    imports.forget()

    assert count(winter) == lines
    with winter.engine.read() as session:
        assert session.scalar(select(func.count()).select_from(RosterImport)) == 0
