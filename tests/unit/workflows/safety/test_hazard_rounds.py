"""Rounds reach every institution; the ledger shows, pages and exports what the register holds."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from engine import Actor, errors
from workflows.domain import hazard as register
from workflows.domain import (
    hazard_checklist,
    hazard_export,
    hazard_grading,
    hazard_institution,
    hazard_ledger,
    hazard_round,
    hazard_rules,
    hazard_selfcheck,
)
from workflows.domain.hazard_tables import HazardRow, InstitutionRow

CITY, STATION, HOME = "349800000000", "349898000000.1", "349898000000.2"
WANG, LI, ZHAO, QIAN, LEADER = (
    Actor(id=name, name=name) for name in ("wang", "li", "zhao", "qian", "zhou")
)
DATES = {
    "title": "冬季安全检查", "notice_on": "2026-01-04", "ledger_due": "2026-01-11",
    "inspect_due": "2026-01-29", "report_on": "2026-01-30",
}  # fmt: skip
FIVE = {
    "grade": "general", "owner_name": "王安", "measure": "更换", "fund": "0",
    "due_on": "2026-01-20", "plan": "断电", "interim": "停用",
}  # fmt: skip
RECORD = {
    "inspected_on": "2026-01-04", "opinion": "总体良好",
    **dict.fromkeys(hazard_selfcheck.INSPECTED_SUBJECTS, "ok"),
}  # fmt: skip


@pytest.fixture
def opened(city_desk: Any) -> Any:
    city_desk.by(ZHAO)
    city_desk.round = hazard_round.open_round(city_desk, DATES)
    return city_desk


def part(desk: Any, institution: str = STATION) -> Any:
    return hazard_round.part(desk.session, desk.round.id, institution)


def answer_all(desk: Any, institution: str = STATION, bad: tuple[str, ...] = ()) -> None:
    for item in hazard_checklist.load(desk.session, "winter-2026").items:
        wrong = item.code in bad
        hazard_selfcheck.answer(
            desk.by(WANG),
            part(desk, institution),
            {
                "item": item.code,
                "result": "bad" if wrong else "ok",
                "note": "有问题" if wrong else "",
                "photos": [desk.upload(f"photo {item.code}")] if wrong else [],
            },
        )


def inspected(desk: Any, institution: str) -> None:
    record = RECORD | {"photos": [desk.upload("site")]}
    hazard_selfcheck.inspect(desk.by(ZHAO), part(desk, institution), record)
    hazard_selfcheck.cosign_inspection(desk.by(QIAN), part(desk, institution))


def test_it_ships_a_checklist_whose_groups_cover_the_seeds() -> None:
    (checklist,) = hazard_checklist.shipped()

    groups = {name for name, _ in checklist.groups()}
    assert {"消防安全", "水电气", "食品安全", "医疗卫生", "建筑与施工", "入站安检与监控"} <= groups
    assert checklist.criterion_ids() == {"Z01", "Z02", "Z03", "Z04", "Z05"}


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"item": []},
        {"item": [{"code": "A", "group": "g", "category": "magic", "text": "t"}]},
        {"item": [{"code": "A", "group": "g", "category": "fire"}]},
        {"item": [{"code": "A", "group": "g", "category": "fire", "text": "t", "clause": "Z9"}]},
        {"item": [{"code": "A", "group": "g", "category": "fire", "text": "t"}] * 2},
    ],
)
def test_it_refuses_a_checklist_that_is_wrong(change: dict[str, Any]) -> None:
    item = {"code": "A", "group": "g", "category": "fire", "text": "t"}
    good = {"id": "x", "title": "清单", "item": [item]}
    assert hazard_checklist.read(good).id == "x"

    with pytest.raises(errors.InvalidInput):
        hazard_checklist.read(good | change)


def test_it_never_changes_a_published_checklist(desk: Any) -> None:
    (checklist,) = hazard_checklist.shipped()

    with pytest.raises(errors.AlreadyExists):
        hazard_checklist.publish(desk.session, checklist, on=date(2026, 1, 1), by="zhao")
    changed = replace(checklist, id="winter-2027", items=checklist.items[:1])
    hazard_checklist.publish(desk.session, changed, on=date(2026, 1, 1), by="zhao")

    assert hazard_checklist.newest(desk.session) == "winter-2027"
    assert len(hazard_checklist.load(desk.session, "winter-2026").items) == len(checklist.items)


def test_it_sends_a_round_to_every_open_institution_of_the_city(city_desk: Any) -> None:
    for code, opened, closed in (
        ("349898000000.3", date(2020, 1, 1), date(2025, 12, 31)),
        ("349898000000.4", date(2026, 6, 1), None),
        ("359800000000.1", date(2020, 1, 1), None),
        ("349800000000.1", date(2020, 1, 1), None),
    ):
        row = InstitutionRow(
            code=code, name=code, kind="", opened_on=opened, closed_on=closed, hazard_count=0
        )
        hazard_institution.register(city_desk.session, row)

    found = hazard_round.open_round(city_desk.by(ZHAO), DATES)

    units = [one.institution for one in hazard_round.parts(city_desk.session, found.id)]
    assert units == ["349800000000.1", STATION, HOME]
    assert [message for message, _ in city_desk.told] == ["round_opened"] * 3


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"ledger_due": "2026-01-03"}, "ledger_due"),
        ({"inspect_due": "2026-01-10"}, "inspect_due"),
        ({"report_on": "2026-01-28"}, "report_on"),
        ({"title": ""}, "title"),
        ({"notice_on": ""}, "notice_on"),
    ],
)
def test_it_refuses_dates_out_of_order(city_desk: Any, given: dict[str, str], field: str) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        hazard_round.open_round(city_desk.by(ZHAO), DATES | given)

    assert field in refused.value.fields


def test_it_opens_no_round_below_the_city(desk: Any) -> None:
    with pytest.raises(errors.InvalidState, match="市级"):
        hazard_round.open_round(desk.by(ZHAO), DATES)


def test_it_wants_every_item_answered(opened: Any) -> None:
    with pytest.raises(hazard_selfcheck.NotAllAnswered, match="21 项"):
        hazard_selfcheck.finish_answers(opened.by(WANG), part(opened))
    answer_all(opened, bad=("A01", "B03"))

    assert hazard_selfcheck.finish_answers(opened.by(WANG), part(opened)) == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"result": "bad"}, "photos"),
        ({"result": "bad"}, "note"),
        ({"result": "na"}, "note"),
        ({"result": "maybe"}, "result"),
        ({"item": "X99", "result": "ok"}, "item"),
    ],
)
def test_it_wants_evidence_for_what_is_not_right(
    opened: Any, given: dict[str, str], field: str
) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        hazard_selfcheck.answer(opened.by(WANG), part(opened), {"item": "A01"} | given)

    assert field in refused.value.fields


def test_it_withdraws_the_hazard_when_the_answer_turns_good(opened: Any) -> None:
    answer_all(opened, bad=("A01",))
    given = {"item": "A01", "result": "bad", "note": "更清楚的描述", "photos": [opened.upload("x")]}
    hazard_selfcheck.answer(opened.by(WANG), part(opened), given)
    (hazard,) = hazard_selfcheck.live(opened.session, part(opened))
    assert hazard.description == "更清楚的描述"
    assert [one["sha256"] for one in hazard.before] == ["x"]

    hazard_selfcheck.answer(opened.by(WANG), part(opened), {"item": "A01", "result": "ok"})

    assert hazard.state == "withdrawn"
    assert hazard_selfcheck.live(opened.session, part(opened)) == []
    assert len(register.of_round(opened.session, opened.round.id, STATION)) == 1


def test_it_reports_only_a_graded_and_complete_ledger(opened: Any) -> None:
    answer_all(opened, bad=("A01",))
    (hazard,) = hazard_selfcheck.live(opened.session, part(opened))
    with pytest.raises(hazard_grading.NotAllGraded, match=hazard.number):
        hazard_selfcheck.finish_grading(opened.by(LI), part(opened))
    with pytest.raises(hazard_selfcheck.LedgerIncomplete, match=hazard.number):
        hazard_selfcheck.sign_ledger(opened.by(LI), part(opened), "李站长")
    hazard_grading.grade(opened.by(LI), hazard, FIVE)
    assert hazard_selfcheck.finish_grading(opened.by(LI), part(opened)) == []
    with pytest.raises(errors.InvalidInput):
        hazard_selfcheck.sign_ledger(opened.by(LI), part(opened), " ")

    hazard_selfcheck.sign_ledger(opened.by(LI), part(opened), "李站长")

    assert (hazard.state, hazard.issuers) == ("rectifying", [])


def test_it_takes_a_ledger_of_nothing_found(opened: Any) -> None:
    answer_all(opened)

    assert hazard_selfcheck.sign_ledger(opened.by(LI), part(opened), "李站长") == []


def test_it_wants_two_inspectors(opened: Any) -> None:
    with pytest.raises(errors.SeparationOfDuties):
        hazard_selfcheck.cosign_inspection(opened.by(QIAN), part(opened))
    record = RECORD | {"photos": [opened.upload("site")]}
    hazard_selfcheck.inspect(opened.by(ZHAO), part(opened), record)

    with pytest.raises(errors.SeparationOfDuties):
        hazard_selfcheck.cosign_inspection(opened.by(ZHAO), part(opened))


def test_it_makes_both_inspectors_issuers_and_numbers_their_notice(opened: Any) -> None:
    found = {"place": "厨房", "category": "gas", "description": "软管老化", **FIVE}
    photos = {"photos": [opened.upload("kitchen")]}
    hazard = hazard_selfcheck.add_inspected(opened.by(ZHAO), part(opened), found | photos)
    inspected(opened, STATION)
    with pytest.raises(errors.InvalidState):
        hazard_selfcheck.receive_notice(opened.by(LI), part(opened))

    hazard_selfcheck.serve_notice(opened.by(QIAN), part(opened))

    assert hazard.issuers == ["qian", "zhao"]
    assert hazard.state == "rectifying"
    assert part(opened).notice_number == "安检改〔2026〕349898-1-01号"
    with pytest.raises(hazard_rules.SamePersonAgain):
        hazard_rules.check_rectifier("qian", hazard.issuers)


def test_it_lets_no_inspection_pass_with_an_unsigned_downgrade(opened: Any) -> None:
    answer_all(opened, bad=("B03",))
    (hazard,) = hazard_selfcheck.live(opened.session, part(opened))
    hazard_grading.grade(opened.by(LI), hazard, FIVE | {"grade": "major", "criterion": "Z02"})
    proof = {"reason": "已更换", "evidence": [opened.upload("proof")]}
    hazard_grading.propose_downgrade(opened.by(ZHAO), hazard, proof)

    with pytest.raises(errors.InvalidState, match=hazard.number):
        inspected(opened, STATION)
    hazard_grading.confirm_downgrade(opened.by(QIAN), hazard)
    hazard_selfcheck.cosign_inspection(opened.by(QIAN), part(opened))


def test_it_closes_no_round_before_every_institution_was_inspected(opened: Any) -> None:
    inspected(opened, STATION)
    now = hazard_round.figures(opened.session, opened.round, date(2026, 1, 5))
    assert now.coverage == 500
    with pytest.raises(hazard_round.NotCovered, match="敬老院"):
        hazard_round.report(opened.by(LEADER), opened.round, "通报", final=True)
    hazard_round.report(opened.by(ZHAO), opened.round, "阶段通报", final=False)
    assert opened.round.closed_at is None

    inspected(opened, HOME)
    hazard_round.report(opened.by(LEADER), opened.round, "通报", final=True)

    assert opened.round.figures["coverage"] == 1000
    assert opened.round.closed_by == "zhou"


@pytest.mark.parametrize(("days", "late"), [(7, False), (8, True)])
def test_it_takes_the_due_day_itself_as_in_time(opened: Any, days: int, late: bool) -> None:
    answer_all(opened)
    opened.later(days)

    hazard_selfcheck.sign_ledger(opened.by(LI), part(opened), "李站长")

    unit = hazard_round.figures(opened.session, opened.round, date(2026, 2, 1)).units[0]
    assert (unit.name, unit.reported, unit.late) == ("暖河县救助管理站", True, late)


def filled(desk: Any) -> None:
    """Seven hazards: four of the station, three of the home; one closed, one withdrawn."""
    for index in range(7):
        institution = HOME if index % 2 else STATION
        data = {
            "place": f"{index} 号房", "category": "fire" if index < 3 else "gas",
            "description": f"=第 {index} 条", "photos": [desk.upload(f"p{index}")], **FIVE,
        }  # fmt: skip
        hazard_selfcheck.add_inspected(desk.by(ZHAO), part(desk, institution), data)
    rows = desk.session.query(HazardRow).order_by(HazardRow.id).all()
    rows[0].state, rows[1].state = "closed", "withdrawn"
    rows[2].current_due = date(2026, 1, 3)
    desk.session.flush()


TODAY = date(2026, 1, 4)


def places(page: Any) -> list[str]:
    return [line.place[0] for line in page.lines]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "6543210"),
        ({"view": hazard_ledger.View.OPEN}, "65432"),
        ({"view": hazard_ledger.View.OVERDUE}, "2"),
        ({"view": hazard_ledger.View.CLOSED}, "0"),
        ({"category": "fire"}, "210"),
        ({"grade": "major"}, ""),
        ({"institution": HOME}, "531"),
        ({"units": (STATION,)}, "6420"),
        ({"units": (STATION, HOME)}, "6543210"),
        ({"units": ("349899000000",)}, ""),
        ({"units": ()}, ""),
        ({"search": "4 号"}, "4"),
        ({"search": "%"}, ""),
        ({"round_id": "no such round"}, ""),
    ],
)
def test_it_shows_what_the_filter_and_the_readers_units_allow(
    opened: Any, given: dict[str, Any], expected: str
) -> None:
    filled(opened)
    wanted = hazard_ledger.LedgerFilter(**{"units": (CITY,)} | given)

    assert places(hazard_ledger.page(opened.session, wanted, today=TODAY)) == list(expected)


def test_it_pages_without_losing_or_repeating_a_line(opened: Any) -> None:
    filled(opened)
    wanted = hazard_ledger.LedgerFilter(units=(CITY,))
    seen: list[str] = []
    cursor = None
    while True:
        page = hazard_ledger.page(opened.session, wanted, today=TODAY, cursor=cursor, limit=3)
        seen += places(page)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == list("6543210")
    every = hazard_ledger.everything(opened.session, wanted, today=TODAY, batch=2)
    assert [line.place[0] for line in every] == list("0246135")


def test_it_shows_a_hazard_only_inside_the_readers_units(opened: Any) -> None:
    filled(opened)
    found = opened.session.query(HazardRow).filter_by(institution=HOME).first()

    assert hazard_ledger.visible(opened.session, found.id, (CITY,)) is found
    assert hazard_ledger.visible(opened.session, found.id, (STATION,)) is None
    assert hazard_ledger.visible(opened.session, "nothing", (CITY,)) is None


def test_it_exports_the_ledger_in_the_fixed_layout(opened: Any) -> None:
    filled(opened)
    wanted = hazard_ledger.LedgerFilter(units=(CITY,))
    lines = hazard_ledger.everything(opened.session, wanted, today=TODAY)

    content = hazard_export.workbook(lines, title="安全隐患治理台账", unit="安岭市", today=TODAY)

    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    assert sheet["A1"].value == "安全隐患治理台账"
    assert rows[0] == ("序号", *(name for name, _ in hazard_ledger.COLUMNS))
    assert len(rows) == 8
    assert rows[1][:3] == (1, "暖河县救助管理站", "349898-1-2026-001")
    heads = dict(zip(rows[0], rows[1], strict=True))
    assert heads["隐患描述"] == "=第 0 条"
    assert heads["资金(元)"] == 0
    assert heads["计划完成日"] == "2026-01-20"
    assert heads["等级"] == "一般"


def test_it_has_a_cell_for_every_column_and_money_as_decimal(opened: Any) -> None:
    filled(opened)
    wanted = hazard_ledger.LedgerFilter(units=(CITY,))

    for line in hazard_ledger.page(opened.session, wanted, today=TODAY).lines:
        assert len(line.cells) == len(hazard_ledger.COLUMNS)
        assert Decimal(0) in line.cells
