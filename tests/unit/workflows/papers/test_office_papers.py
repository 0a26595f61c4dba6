"""花名册, 审批表, 评议记录, 整改通知书, 复查意见书, 督办单: what stands on each, and when there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from engine import errors
from workflows.domain.roster_tables import Roster
from workflows.papers import (
    appraisal_minutes,
    approval_sheet,
    hazard_papers,
    pay_roster,
    supervision_order,
    wording,
)
from workflows.papers.render import Template

ACCOUNT = "6217000012345678901"
ID_NUMBER = "349898196001011234"
NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
PHONE = "13800138000"
STATION = "349898000000.1"
TOWN = "349898101000"
VILLAGE = "349898101201"


def test_the_roster_carries_full_numbers_sums_and_its_warning(line, village, session, read) -> None:
    village(line(1), line(2, approved_fen=45000))

    data = pay_roster.roster(session, "c1", VILLAGE, reader="王小满", purpose="归档", now=NOW)
    text, pages = read(Template.ROSTER, data)

    for words in (ID_NUMBER, ACCOUNT, PHONE, "750.00", "271.0", "600.00", "柒佰伍拾元整",
                  "不得张贴", "打印人：王小满", "用途：归档"):  # fmt: skip
        assert words in text
    assert len(pages) == 1


def test_a_long_roster_repeats_its_head_and_keeps_its_signatures_with_rows(
    line, village, session, read
) -> None:
    village(*(line(n) for n in range(1, 91)))

    data = pay_roster.roster(session, "c1", TOWN, reader="王小满", purpose="归档", now=NOW)
    _, pages = read(Template.ROSTER, data)

    assert len(pages) > 1
    assert all("一卡通账号" in page for page in pages)
    assert "单位负责人" in pages[-1]
    assert "王德" in pages[-1]


def test_households_nobody_voted_on_or_that_died_are_on_no_roster(line, village, session) -> None:
    village(line(1), line(2, state="applied"), line(3, state="withdrawn"))

    assert [one.seq for one in pay_roster.lines_of(session, "c1", VILLAGE)] == [1]


def test_an_empty_roster_is_refused_in_words(village, session) -> None:
    village()

    with pytest.raises(errors.NotFound, match="评议通过"):
        pay_roster.roster(session, "c1", VILLAGE, reader="x", purpose="x", now=NOW)


def test_a_county_is_no_unit_of_a_roster(session) -> None:
    with pytest.raises(errors.InvalidInput):
        pay_roster.lines_of(session, "c1", "349898000000")


def test_the_approval_sheet_has_three_places_for_seals_and_no_numbers(
    line, village, session, read
) -> None:
    village(line(1), line(2, level="重点", main_type="房屋", planned_fen=80000))

    text, pages = read(Template.APPROVAL, approval_sheet.sheet(session, "c1", VILLAGE, now=NOW))

    assert len(pages) == 1
    assert text.count("（盖章）") == 3
    for words in ("柳河镇东沟村", "安民发〔2025〕12号", "壹仟壹佰元整", "重点", "房屋", "800.00"):
        assert words in text
    assert ID_NUMBER not in text


def test_a_town_approves_by_village(line, village, session) -> None:
    village(line(1), line(2))

    sheet = approval_sheet.sheet(session, "c1", TOWN, now=NOW)

    assert sheet["by"] == "村（社区）"
    assert [(row["cause"], row["households"]) for row in sheet["rows"]] == [("东沟村", 2)]


def test_the_minutes_tell_every_vote_who_left_it_and_why_one_was_refused(
    line, village, session, read
) -> None:
    village(line(1), line(2), line(4))

    text, _ = read(
        Template.APPRAISAL, appraisal_minutes.minutes(session, session.get_one(Roster, "r1"))
    )

    for words in ("2026年1月4日", "村部会议室", "占应到80.0%", "三分之二", "李建国", "不符合",
                  "说明：家庭有稳定收入", "评议3户，符合2户，不符合1户", "拟救助4人、600.00元",
                  "王小满"):  # fmt: skip
        assert words in text


def test_there_are_no_minutes_of_a_meeting_nobody_held(line, village, session) -> None:
    village(line(1))
    roster = session.get_one(Roster, "r1")
    roster.meeting = None

    with pytest.raises(errors.InvalidState):
        appraisal_minutes.minutes(session, roster)


def test_the_notice_lists_every_hazard_of_the_inspection(hazards, session, read) -> None:
    text, pages = read(Template.RECTIFICATION, hazard_papers.rectification(session, hazards[0]))

    assert len(pages) == 1
    for words in ("安岭市民政局", "暖河县救助管理站：", "安检改〔2026〕349898-1-01号", "349898-1-2026-001",
                  "349898-1-2026-002", "重大", "防范措施：切断该回路", "2026-01-20", "赵敏、钱卫东",
                  "发现安全隐患2条"):  # fmt: skip
        assert words in text


def test_a_hazard_found_by_the_institution_itself_has_no_such_notice(hazards, session) -> None:
    hazards[0].source = "self"

    with pytest.raises(errors.InvalidState, match="没有下达过"):
        hazard_papers.rectification(session, hazards[0])


def test_a_recheck_that_passed_lets_the_hazard_be_closed(hazards, recheck, session, read) -> None:
    recheck()

    text, _ = read(Template.RECHECK, hazard_papers.recheck(session, hazards[0]))

    for words in ("整改合格，符合销号条件", "赵敏、钱卫东", "线路已更换（2026年1月18日完成）"):
        assert words in text


def test_a_recheck_that_failed_names_the_new_day(hazards, recheck, session) -> None:
    recheck(passed=False, new_due=datetime(2026, 2, 3, tzinfo=UTC).date())

    assert "2026年2月3日前重新整改" in hazard_papers.recheck(session, hazards[0])["verdict"]


@pytest.mark.parametrize("missing", [{"second_by": None}, {"void": True}])
def test_one_signature_makes_no_opinion(hazards, recheck, session, missing) -> None:
    recheck(**missing)

    with pytest.raises(errors.InvalidState, match="两人签字"):
        hazard_papers.recheck(session, hazards[0])


def test_a_supervision_order_exists_only_once_it_was_given(hazards, session, read) -> None:
    with pytest.raises(errors.InvalidState):
        hazard_papers.supervision(session, hazards[0])
    hazards[0].supervised_at, hazards[0].supervision = NOW, "三日内停用该回路"
    hazards[0].failures = 2

    text, pages = read(Template.SUPERVISION, hazard_papers.supervision(session, hazards[0]))

    assert len(pages) == 1
    assert "三日内停用该回路" in text
    assert "复查不合格2次" in text


def overdue(**values: object) -> SimpleNamespace:
    given = {
        "completed_at": None, "due_at": datetime(2026, 1, 2, 16, 0, tzinfo=UTC), "unit": VILLAGE,
        "region": VILLAGE, "instance_title": "东沟村冬春救助", "subject": "", "name": "村级评议",
    }  # fmt: skip
    return SimpleNamespace(**{**given, **values})


def test_an_overdue_task_is_supervised_by_the_unit_above(session, calendar, read) -> None:
    data = supervision_order.order(session, overdue(), now=NOW, calendar=calendar)
    text, _ = read(Template.SUPERVISION, data)

    assert (data["issuer"], data["addressee"]) == ("柳河镇人民政府", "东沟村村民委员会")
    assert data["due"] == "2026年1月2日"  # due at its 24:00
    assert (
        data["late"]
        == f"超期{calendar.count_working_days(NOW.date().replace(day=2), NOW.date())}个工作日"
    )
    assert "村级评议" in text


@pytest.mark.parametrize(
    "task",
    [
        overdue(completed_at=NOW),
        overdue(due_at=None),
        overdue(due_at=datetime(2026, 1, 6, tzinfo=UTC)),
    ],
)
def test_what_is_in_time_or_done_is_not_supervised(session, calendar, task) -> None:
    with pytest.raises(errors.InvalidState):
        supervision_order.order(session, task, now=NOW, calendar=calendar)


@pytest.mark.parametrize(
    ("unit", "body"),
    [(VILLAGE, "东沟村村民委员会"), (TOWN, "柳河镇人民政府"), ("349800000000", "安岭市民政局")],
)
def test_every_level_signs_as_the_body_it_is(session, unit, body) -> None:
    assert wording.body(session, unit) == body


def test_an_institution_signs_by_its_name(session, hazards) -> None:
    assert wording.body(session, STATION) == "暖河县救助管理站"
