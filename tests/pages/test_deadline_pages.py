"""Due dates as sums, pauses, cards, supervision slips, calendars and ladders, as people meet them."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest

from engine import (
    SYSTEM,
    CaseDeadline,
    Ladder,
    LadderAction,
    Package,
    PauseRule,
    Rung,
)
from tests.conftest import straight, timer_beside, user_task


def claimed(as_, task):
    page = as_("wang").get(f"/tasks/{task}")
    return page.post(f"/tasks/{task}/claim", {"version": page.hidden("version")})


def paused(as_, task, **more):
    page = claimed(as_, task)
    sent = {"version": page.hidden("version"), "reason": "supplement", "note": "缺户口簿", **more}
    return page.post(f"/tasks/{task}/pause", sent)


@pytest.fixture
def late(bpm, task, travelling):
    """The task three working days too late."""
    for _ in range(10):
        travelling.set(travelling.now() + timedelta(days=1))
        while bpm.management.run_due():
            pass
    return task


def test_the_due_date_is_shown_as_a_sum(as_, task):
    page = as_("wang").get(f"/tasks/{task}")

    assert "收件日2026年1月5日 + 5个工作日 = 2026年1月12日24:00" in page.text
    assert "1月10日至11日（周末）" in page.text
    assert "工作日历 cn-2026" in page.text


def test_it_pauses_and_goes_on(as_, task, travelling):
    page = paused(as_, task)

    assert "已暂停计时" in page.text
    assert "计时暂停中（如现在恢复，为2026年1月12日24:00）" in page.text
    assert "缺户口簿" in page.text
    assert "最迟 2026-01-19 24:00 自动恢复" in page.text

    travelling.set(travelling.now() + timedelta(days=2))
    page.get(f"/tasks/{task}")
    page.post(f"/tasks/{task}/continue", {"version": page.hidden("version"), "note": "已补齐"})

    # Monday itself is not counted anyway; Tuesday and Wednesday stood still.
    assert "除去补正2天 = 2026年1月14日24:00" in page.text


def test_a_paused_task_is_marked_in_the_list_and_in_the_case(as_, task, case):
    page = paused(as_, task)

    assert "计时暂停" in page.get("/tasks").text
    assert "计时暂停" in page.get(f"/instances/{case}").text


def test_a_pause_without_its_proof_comes_back_with_what_was_typed(as_, task):
    page = claimed(as_, task)
    sent = {"version": page.hidden("version"), "reason": "check", "note": "等核对报告"}
    page.post(f"/tasks/{task}/pause", sent, status=422)

    assert "请上传依据材料" in page.text
    assert "等核对报告" in page.html

    sent["evidence"] = (io.BytesIO(b"letter"), "函.txt")
    page.post(f"/tasks/{task}/pause", sent)
    assert "依据材料" in page.text


def test_a_case_is_paused_by_who_may(as_, case):
    page = as_("wang").get(f"/instances/{case}")
    assert "全案时限" in page.text
    # The bar of the demonstration's clock is another clock.
    assert "ClockView" not in page.html
    page.post(f"/instances/{case}/pause", {"reason": "supplement", "note": "等材料"})
    assert "计时暂停中" in page.text

    page.post(f"/instances/{case}/continue", {"note": ""})
    assert "已恢复全案计时" in page.text


def test_a_case_tells_which_timers_it_waits_for_and_which_stand_still(as_, bpm):
    bpm.repository.deploy(
        Package(
            key="posting",
            title="公示",
            version_tag="1",
            bpmn="posting.bpmn",
            files={
                "posting.bpmn": straight(
                    "posting",
                    user_task(
                        "watch",
                        role="village_clerk",
                        beside=timer_beside("watch", "over", "7d", interrupting=True),
                    ),
                )
            },
            roles={"village_clerk": "村经办"},
            starters=("village_clerk",),
            pauses={"recheck": PauseRule(key="recheck", title="复核", timers=("over",))},
        ),
        SYSTEM,
    )
    wang = bpm.identity.actor("wang")
    case = bpm.runtime.start("posting", wang, region="349898101201", title="公示一批")

    page = as_("wang").get(f"/instances/{case}")
    assert "到时 起算日2026年1月5日 + 7天 = 2026年1月12日24:00" in page.text
    page.post(f"/instances/{case}/pause", {"reason": "recheck", "note": "有人反映"})

    assert "到时 起算日2026年1月5日 + 7天 = 计时暂停中" in page.text
    assert "调整定时" in page.text


def test_cards_are_named_and_not_only_coloured(as_, task, late):
    assert "红牌" in as_("wang").get("/tasks").text
    assert "红牌" in as_("wang").get(f"/tasks/{task}").text
    assert "红牌" in as_("leader").get("/monitor/overdue").text


def test_yellow_cards_have_a_tab_and_a_board(as_, bpm, task, travelling):
    travelling.set(travelling.now() + timedelta(days=6.5))

    assert "黄牌" in as_("wang").get("/tasks?tab=yellow").text
    assert "张三" in as_("wang").get("/tasks?tab=yellow").text
    assert "张三" in as_("leader").get("/monitor/overdue?card=yellow").text
    assert "张三" not in as_("leader").get("/monitor/overdue").text


def test_a_slip_is_issued_and_answered(as_, bpm, late):
    leader = as_("li").get(f"/tasks/{late}")
    leader.post(
        f"/tasks/{late}/supervise", {"version": leader.hidden("version"), "demand": "请说明原因"}
    )
    assert "等待承办单位书面回复" in leader.text

    wang = as_("wang").get(f"/tasks/{late}")
    assert "这件待办已被督办" in wang.text
    (slip,) = bpm.supervision.mine(bpm.identity.actor("wang"))
    wang.get("/supervision")
    assert "待回复" in wang.text
    wang.get(f"/supervision/{slip.id}")
    wang.post(f"/supervision/{slip.id}/reply", {"cause": "封路"}, status=422)
    assert "封路" in wang.html
    assert "预计办结日期" in wang.text
    wang.post(
        f"/supervision/{slip.id}/reply",
        {"cause": "封路", "measures": "电话核实", "promised": "2026-01-20"},
    )

    assert "已回复督办单" in wang.text
    assert "电话核实" in leader.get(f"/supervision/{slip.id}").text
    as_("sun").get(f"/supervision/{slip.id}", status=404)


def test_a_slip_about_a_whole_case_is_issued_and_answered(as_, bpm, case, travelling):
    for _ in range(29):
        travelling.set(travelling.now() + timedelta(days=1))
        while bpm.management.run_due():
            pass
    above = as_("leader").get(f"/instances/{case}")
    assert "督办要求" in above.text
    assert "督办要求" not in as_("wang").get(f"/instances/{case}").text

    above.post(f"/instances/{case}/supervise", {"demand": "请说明全案为何超期"})
    assert "等待承办单位书面回复" in above.text
    (slip,) = bpm.supervision.of_case(case, SYSTEM)
    head = as_("head").get("/supervision")
    assert "待回复" in head.text
    head.get(f"/supervision/{slip.id}")
    assert "查看这件事项" in head.text
    head.post(
        f"/supervision/{slip.id}/reply",
        {"cause": "封路", "measures": "电话核实", "promised": "2026-02-20"},
    )

    assert "电话核实" in above.get(f"/supervision/{slip.id}").text
    assert "已回复" in above.get(f"/instances/{case}").text
    as_("sun").get(f"/supervision/{slip.id}", status=404)


def test_the_circular_names_the_month(as_, late):
    page = as_("leader").get("/monitor/circular")
    assert "2026年1月通报名单" in page.text

    page.get("/monitor/circular?month=rubbish")


def test_the_circular_names_whole_cases_with_their_slips(as_, bpm):
    order = Rung(at="due", action=LadderAction.SUPERVISE, audience=("superior",), reply="1wd")
    named = Rung(at="due", action=LadderAction.CIRCULATE, audience=("superior",))
    model = Package(
        key="late",
        title="限期办理",
        version_tag="1",
        bpmn="late.bpmn",
        files={"late.bpmn": straight("late", user_task("watch", role="village_clerk"))},
        roles={"village_clerk": "村经办", "town_leader": "乡镇领导"},
        desks={"town": "town_leader"},
        starters=("village_clerk",),
        ladders={
            "default": Ladder(name="default", rungs=()),
            "case": Ladder(name="case", rungs=(order, named)),
        },
        case_deadline=CaseDeadline(deadline="1d", ladder="case"),
    )
    bpm.repository.deploy(model, SYSTEM)
    wang = bpm.identity.actor("wang")
    bpm.runtime.start("late", wang, region="349898101201", title="拖了很久的一批")
    bpm.clock.set(bpm.clock.now() + timedelta(days=3))
    while bpm.management.run_due():
        pass

    page = as_("leader").get("/monitor/circular")
    assert "全案超期" in page.text
    assert "拖了很久的一批" in page.text
    assert "待回复" in page.text


NOTICE = (
    b'{"year": 2027, "days": [{"name": "\xe5\x85\x83\xe6\x97\xa6", "date": "2027-01-01",'
    b' "isOffDay": true}, {"name": "x", "date": "2027-01-04", "isOffDay": true}]}'
)


def sheet(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


@pytest.mark.parametrize("kind", ["json", "xlsx"])
def test_the_yearly_notice_lists_every_due_date_it_moved(as_, bpm, travelling, kind):
    travelling.set(travelling.now() + timedelta(days=357))  # 28 December 2026
    bpm.runtime.start(
        "sample",
        bpm.identity.actor("wang"),
        variables={"name": "张三", "town": "349898101000"},
        region="349898101201",
        title="张三的临时救助",
    )
    upload = {
        "json": (io.BytesIO(NOTICE), "2027.json"),
        "xlsx": (
            sheet(("日期", "安排", "节日"), ("2027-01-01", "放假", "元旦"),
                  ("2027-01-04", "放假", "元旦")),
            "2027.xlsx",
        ),
    }[kind]  # fmt: skip

    page = as_("admin").get("/admin/calendar")
    page.post("/admin/calendar", {"file": upload, "source": "国办发明电〔2026〕7号"})
    assert "正在重新计算未完成的时限" in page.html
    assert "0 / 0" in page.text
    assert page.page.headers["Refresh"] == "3"  # by itself, without a script
    assert "Refresh" not in page.get("/admin/calendar/versions/1?still=1").page.headers

    while bpm.management.run_due():
        pass
    page.get("/admin/calendar/versions/1")
    assert "Refresh" not in page.page.headers
    assert "登记：张三" in page.text
    assert "2027-01-05 24:00" in page.text
    assert "2027-01-06 24:00" in page.text
    assert "变动 2 个时限" in page.text  # the task and the case
    assert "国办发明电" in page.get("/admin/calendar").text


@pytest.mark.parametrize(
    "upload",
    [
        (io.BytesIO(b"nonsense"), "2027.xlsx"),
        (io.BytesIO(b"{"), "2027.json"),
        (io.BytesIO(b"PK\x03\x04broken"), "2027.xlsx"),
    ],
)
def test_a_broken_file_changes_nothing(as_, bpm, upload):
    as_("admin").get("/admin/calendar").post("/admin/calendar", {"file": upload}, status=422)

    assert bpm.calendars.versions() == ()


def test_a_county_has_days_and_hours_of_its_own(as_, bpm):
    page = as_("admin").get("/admin/calendar")
    page.post(
        "/admin/calendar/local",
        {
            "unit": "349898000000",
            "hours": "08:30-12:00,14:30-18:00",
            "local": "2026-03-06 放假 本地节日\n2026-03-05 半天 本地节日",
        },
    )

    assert "暖河县" in page.text
    calendar = bpm.calendar_for("349898101201")
    assert calendar.hours[0] == (8 * 3600 + 1800, 12 * 3600)
    page.post("/admin/calendar/local", {"unit": "349898000000", "local": "胡写"}, status=422)
    assert "胡写" in page.html


def test_a_county_sets_its_own_ladder_and_takes_it_back(as_, bpm):
    page = as_("admin").get("/admin/ladders")
    assert "到期+1个工作日" in page.text
    sent = {"ladder": "sample/default", "region": "349898000000", "reason": "县规〔2026〕1号"}
    page.post("/admin/ladders", {**sent, "rungs": "明天 催办 上级"}, status=422)
    assert "明天 催办 上级" in page.html

    page.post("/admin/ladders", {**sent, "rungs": "50% 提醒 办理人\n到期 催办 上级、负责人"})
    assert "县规〔2026〕1号" in page.text

    page.post("/admin/ladders/take-back", {"ladder": "sample/default", "region": "349898000000"})
    assert "县规〔2026〕1号" not in page.text
