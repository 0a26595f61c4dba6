"""The roster's pages: who sees which households, full numbers on record, what was typed comes back."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from sqlalchemy import select

from workflows.demo.relief_households import households, of_village
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain import roster_export
from workflows.domain.roster_tables import RosterLine
from workflows.domain.vault import DisclosureRead


def numbers():
    """Every number of every household of the demonstration."""
    for one in households():
        yield one.data["id_no"]
        yield one.data["account_no"]
        yield one.data["phone"]
        yield from (member["id_no"] for member in one.data["members"])


def line_of(office, village, seq=1):
    with office.engine.read() as session:
        return session.scalars(
            select(RosterLine.id).where(RosterLine.village == village, RosterLine.seq == seq)
        ).one()


def roster_of(office, village):
    with office.engine.read() as session:
        return session.scalars(
            select(RosterLine.roster_id).where(RosterLine.village == village).limit(1)
        ).one()


def reads(office):
    with office.engine.read() as session:
        return [(r.actor_id, r.purpose) for r in session.scalars(select(DisclosureRead))]


def registering(office):
    """The village clerk in his open registration."""
    page = office.as_("village_clerk", VILLAGES[9]).get("/tasks")
    task = re.search(r'href="(/tasks/[0-9a-f-]{36})"', page.html)[1]
    return page, task


def test_a_village_sees_its_own_roster_and_a_county_all(winter):
    own = winter.as_("village_clerk", VILLAGES[0]).get("/rosters")
    county = winter.as_("county_clerk", COUNTY).get("/rosters")

    assert "河湾村" in own.text
    assert "柳树营村" not in own.text
    assert all(name in county.text for name in ("河湾村", "石桥村", "青崖村"))


def test_a_stranger_finds_neither_roster_nor_household(winter):
    stranger = winter.as_("town_clerk", TOWNS[1])

    stranger.get(f"/rosters/{roster_of(winter, VILLAGES[0])}", status=404)
    stranger.get(f"/rosters/lines/{line_of(winter, VILLAGES[0])}", status=404)
    stranger.post(f"/rosters/lines/{line_of(winter, VILLAGES[0])}/numbers", {"purpose": "随便看看"},
                  status=404)  # fmt: skip


def test_no_list_and_no_household_shows_a_full_number(winter):
    page = winter.as_("county_clerk", COUNTY)
    shown = [page.get("/rosters").html, page.get("/rosters?q=王").html]
    shown.append(page.get(f"/rosters/{roster_of(winter, VILLAGES[0])}").html)
    shown.append(page.get(f"/rosters/lines/{line_of(winter, VILLAGES[0])}").html)

    assert not [number for number in numbers() for html in shown if number in html]


def test_a_name_that_nobody_has_is_answered_with_a_way_on(winter):
    page = winter.as_("county_clerk", COUNTY).get("/rosters?q=无此人")

    assert "没有找到" in page.text
    assert "看全部名册" in page.text


def test_states_are_tabs_with_their_counts(winter):
    page = winter.as_("county_clerk", COUNTY)
    page.get(f"/rosters/{roster_of(winter, VILLAGES[0])}?state=pay")

    assert "没有符合条件的户" in page.text


def test_full_numbers_need_a_purpose_and_leave_a_trace(winter):
    line = line_of(winter, VILLAGES[0])
    identity = of_village(VILLAGES[0])[0].data["id_no"]
    page = winter.as_("town_clerk", TOWNS[0])
    page.get(f"/rosters/lines/{line}")
    before = len(reads(winter))

    page.post(f"/rosters/lines/{line}/numbers", {"purpose": "看", "_form": "numbers"}, status=422)
    assert 'value="看"' in page.html
    assert "请写明查看完整号码的用途" in page.text
    assert identity not in page.html
    assert len(reads(winter)) == before

    page.post(f"/rosters/lines/{line}/numbers", {"purpose": "核对证件", "_form": "numbers"})
    assert identity in page.html
    assert page.page.headers["Cache-Control"] == "private, no-store"
    assert reads(winter)[-1][1] == "核对证件"


@pytest.mark.parametrize("role", ["village_panel", "bank"])
def test_the_panel_and_the_bank_read_no_numbers(winter, role):
    unit = VILLAGES[0] if role == "village_panel" else COUNTY
    page = winter.as_(role, unit)

    page.post(f"/rosters/lines/{line_of(winter, VILLAGES[0])}/numbers", {"purpose": "核对证件"},
              status=403)  # fmt: skip


def test_the_register_leaves_with_a_purpose_and_on_record(winter):
    page = winter.as_("town_clerk", TOWNS[0]).get("/rosters")
    sent = {"campaign": page.hidden("campaign"), "town": TOWNS[0], "_form": f"export-{TOWNS[0]}"}

    page.post("/rosters/export", {**sent, "purpose": "看"}, status=422)
    assert "请写明导出花名册的用途" in page.text
    page.post("/rosters/export", {**sent, "purpose": "报县审核"})

    sheet = openpyxl.load_workbook(io.BytesIO(page.page.get_data())).active
    assert tuple(cell.value for cell in sheet[1]) == roster_export.REGISTER_COLUMNS
    assert sheet.max_row == 51
    assert reads(winter)[-1][1] == "报县审核"
    page.get("/rosters")
    page.post("/rosters/export", {**sent, "town": TOWNS[1], "purpose": "报县审核"}, status=404)


def test_what_was_typed_comes_back_with_every_fault_beside_its_field(winter):
    page, task = registering(winter)
    page.get(f"/rosters{task}/lines/new")
    typed = {"head_name": "李", "id_no": "349898199001011234", "address": "青崖村9号",
             "member_name": "李小明", "member_relation": "配偶", "member_id": "1",
             "member_known": "", "member_needy": "no", "reason": "留着的话"}  # fmt: skip

    page.post(f"/rosters{task}/lines/new", typed, status=422)

    for kept in ("青崖村9号", "李小明", "留着的话", 'value="349898199001011234"'):
        assert kept in page.html
    for told in ("2 至 20 个汉字", "至少选择一种受灾类型"):
        assert told in page.text
    assert 'href="#head_name"' in page.html


def test_more_rows_keep_what_is_typed(winter):
    page, task = registering(winter)
    page.get(f"/rosters{task}/lines/new")
    before = page.html.count('name="member_name"')

    page.post(
        f"/rosters{task}/lines/new",
        {"head_name": "半个名字", "more_rows": "1", "member_name": [""] * before},
    )

    assert page.html.count('name="member_name"') == before + 3
    assert "半个名字" in page.html


def test_a_table_with_one_wrong_cell_brings_nothing(winter):
    page, task = registering(winter)
    page.get(f"/rosters{task}/import")
    book = openpyxl.load_workbook(io.BytesIO(roster_export.template()))
    book.active.append(["李大明", "349898199001011234", "1", "低保户", "农村"])
    out = io.BytesIO()
    book.save(out)

    page.post(
        f"/rosters{task}/import", {"file": (io.BytesIO(out.getvalue()), "表.xlsx")}, status=422
    )

    assert "第 2 行·身份证号码" in page.text
    assert "李大明" not in page.get(task).text
    assert "表.xlsx" not in page.html, "the table with its numbers is no attachment of the case"


def test_a_file_that_is_no_table_is_refused_in_words(winter):
    page, task = registering(winter)
    page.get(f"/rosters{task}/import")

    page.post(f"/rosters{task}/import", {"file": (io.BytesIO(b"words"), "a.txt")}, status=422)
    assert "只接受 xlsx 文件" in page.text
    page.post(f"/rosters{task}/import", {}, status=422)
    assert "请选择文件" in page.text


def test_only_the_clerk_of_the_task_enters_households(winter):
    _, task = registering(winter)

    winter.as_("village_clerk", VILLAGES[0]).get(f"/rosters{task}/lines/new", status=404)
    winter.as_("county_clerk", COUNTY).get(f"/rosters{task}/lines/new", status=403)


def test_a_refused_vote_keeps_the_counts_and_says_what_is_wrong(winter):
    page = winter.as_("village_panel", VILLAGES[6], 1).get("/tasks")
    task = re.search(r'href="(/tasks/[0-9a-f-]{36})"', page.html)[1]
    page.get(task)
    meeting = {"held_on": "2026-01-04", "place": "村委会", "host": "某人", "due_n": "9"}
    page.post(f"{task}/actions/roster.set_meeting",
              {**meeting, "present_n": "5", "_form": "roster.set_meeting"}, status=409)  # fmt: skip
    assert 'value="村委会"' in page.html
    page.post(f"{task}/actions/roster.set_meeting", {**meeting, "present_n": "7"})

    line = line_of(winter, VILLAGES[6], 2)
    vote = {"line": line, "recused": "", "agree": "5", "against": "1", "abstain": "0", "level": "一般",
            "reason": "留着", "_form": f"roster.record_appraisal {line} "}  # fmt: skip
    page.post(f"{task}/actions/roster.record_appraisal", vote, status=422)

    assert "合计应为 7" in page.text
    assert 'value="5"' in page.html
    assert 'value="留着"' in page.html


def test_a_household_leaves_the_roster_with_a_reason(winter):
    line = line_of(winter, VILLAGES[0], 5)
    page = winter.as_("village_clerk", VILLAGES[0]).get(f"/rosters/lines/{line}")

    page.post(f"/rosters/lines/{line}/cancel", {"reason": "", "_form": "cancel"}, status=422)
    page.post(f"/rosters/lines/{line}/cancel", {"reason": "已迁出本村", "_form": "cancel"})

    assert "已迁出本村" in page.text
    assert "注销这一户" not in page.text
