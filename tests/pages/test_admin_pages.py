"""Administration: versions, the model editor's answers, people, calendar, incidents."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import SYSTEM, WorkingCalendar, errors
from webforms.database import db
from webforms.shell import assets, calendars


def model(bpm) -> str:
    return bpm.repository.xml(bpm.repository.latest("sample").id).decode()


def in_script(text: str) -> str:
    """As the page hands it to the editor."""
    return ascii(text)[1:-1]


def send(page, action, xml):
    return page.client.post(
        f"/admin/definitions/sample/modeler/{action}",
        data=xml.encode(),
        headers={"X-CSRFToken": page.token(), "Content-Type": "application/xml"},
    )


def test_it_lists_every_process_with_its_version(as_):
    page = as_("admin").get("/admin/definitions")

    assert "临时救助申请" in page.text
    assert "第 1 版" in page.text


def test_it_offers_the_editor_what_may_be_chosen(as_):
    page = as_("admin").get("/admin/definitions/sample/modeler")

    assert '"register"' in page.html
    assert in_script("村（社区）经办人") in page.html
    assert "village_clerk" in page.html
    assert "style-src-attr 'unsafe-inline'" in page.page.headers["Content-Security-Policy"]


def test_only_the_editor_may_carry_style_attributes(as_):
    page = as_("admin").get("/admin/definitions")

    assert "unsafe-inline" not in page.page.headers["Content-Security-Policy"]


def test_it_says_which_element_is_wrong_and_why(as_, bpm):
    page = as_("admin").get("/admin/definitions/sample/modeler")
    broken = model(bpm).replace('targetRef="review"', 'targetRef="nowhere"')

    answer = send(page, "validate", broken)

    assert answer.status_code == 200
    findings = answer.json["findings"]
    assert any(one["severity"] == "error" and one["message"] for one in findings)
    assert "改正后才能发布" in answer.json["message"]


def test_it_refuses_to_publish_what_the_gate_refuses(as_, bpm):
    page = as_("admin").get("/admin/definitions/sample/modeler")
    broken = model(bpm).replace('targetRef="review"', 'targetRef="nowhere"')

    answer = send(page, "publish", broken)

    assert answer.status_code == 422
    assert answer.json["findings"]
    assert bpm.repository.latest("sample").version == 1


def test_it_publishes_a_new_version_and_running_cases_stay_on_theirs(as_, bpm, case):
    page = as_("admin").get("/admin/definitions/sample/modeler")
    changed = model(bpm).replace('name="乡镇审核"', 'name="乡镇复核"')

    answer = send(page, "publish", changed)

    assert answer.status_code == 200, answer.json
    assert bpm.repository.latest("sample").version == 2
    assert bpm.runtime.instance(case, SYSTEM).version == 1
    page.get(answer.json["redirect"])
    assert "第 2 版" in page.text
    page.get(f"/instances/{case}")
    assert "乡镇审核" in page.html
    assert "乡镇复核" not in page.html


def test_it_keeps_a_draft_and_opens_it_again(as_, bpm):
    page = as_("admin").get("/admin/definitions/sample/modeler")
    answer = send(page, "draft", model(bpm).replace("登记申请", "登记受理"))
    assert answer.json["findings"] == []

    page.get("/admin/definitions/sample/modeler")
    assert in_script("登记受理") in page.html
    page.get("/admin/definitions/sample")
    assert "未发布的草稿" in page.text

    page.post("/admin/definitions/sample/modeler/discard")
    assert "未发布的草稿" not in page.text


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions>&e;</definitions>',
        "not xml",
        "<definitions/>",
    ],
)
def test_it_answers_every_nonsense_with_findings(as_, xml):
    page = as_("admin").get("/admin/definitions/sample/modeler")

    answer = send(page, "validate", xml)

    assert answer.status_code == 200
    assert any(one["severity"] == "error" for one in answer.json["findings"])
    assert "root:" not in answer.get_data(as_text=True)


def test_a_retired_process_cannot_be_started(as_, bpm):
    page = as_("admin").get("/admin/definitions/sample")
    page.post(f"/admin/definitions/{bpm.repository.latest('sample').id}/retire")
    assert "已停用" in page.text

    clerk = as_("wang").get("/processes")
    assert "没有可以由您发起的事项" in clerk.text


def test_it_enters_a_person_who_must_change_his_first_password(as_, browser, bpm):
    page = as_("guard").get("/admin/people")
    page.post("/admin/people", {"name": "新人", "login": "xinren", "phone": "13800000000"})
    password = page.html.partition("初始密码：")[2].partition("（")[0]
    assert "138" in page.text
    assert "13800000000" not in page.text

    someone = bpm.identity.by_login("xinren")
    page.post(
        f"/admin/people/{someone.id}/seats", {"role": "village_clerk", "unit": "349898101201"}
    )
    assert "河湾村" in page.text

    new = browser().login("xinren", password)
    assert "初始密码" in new.text


def test_ending_a_seat_ends_what_it_allowed(as_, bpm, task):
    person = bpm.identity.participant("wang")
    page = as_("guard").get("/admin/people/wang")
    page.post(f"/admin/people/wang/seats/{person.seats[0].id}/end")

    as_("wang").get(f"/tasks/{task}", status=200 if _took_part(bpm, task) else 404)


def _took_part(bpm, task) -> bool:
    # Who started the case keeps seeing it, also without the seat.
    try:
        bpm.worklist.task(task, bpm.identity.actor("wang"))
    except errors.NotFound:
        return False
    return True


def test_it_imports_a_year_and_counts_with_it(as_, bpm):
    page = as_("admin").get("/admin/calendar?year=2027")
    days = "2027-01-01 放假 元旦\n2027-03-08 放假 测试节\n2027-03-13 补班 测试节"
    page.post("/admin/calendar", {"year": "2027", "days": days})

    assert "测试节" in page.get("/admin/calendar?year=2027").text
    calendar = bpm.calendar_for("349898000000")
    assert not calendar.is_working_day(date(2027, 3, 8))
    assert calendar.is_working_day(date(2027, 3, 13))


def test_an_imported_year_counts_again_after_a_restart(as_, bpm, app):
    as_("admin").get("/admin/calendar?year=2027").post(
        "/admin/calendar", {"year": "2027", "days": "2027-01-01 放假 元旦\n2027-03-08 放假 测试节"}
    )
    bpm.replace_calendar(WorkingCalendar.default())

    with app.app_context():
        calendars.apply(bpm, db.session())

    assert not bpm.calendar_for("349898000000").is_working_day(date(2027, 3, 8))


def test_it_names_the_line_of_a_calendar_that_is_wrong(as_):
    page = as_("admin").get("/admin/calendar")
    page.post("/admin/calendar", {"year": "2027", "days": "2027-01-01 放假 元旦\n胡写"}, status=422)

    assert "第 2 行" in page.text
    assert "胡写" in page.html


def test_it_shows_no_incident_where_there_is_none(as_):
    page = as_("admin").get("/admin/incidents")

    assert "没有异常" in page.text
    assert "一切正常" in page.text


def test_the_overdue_board_shows_a_leader_his_own_subtree(as_, bpm, travelling, task):
    travelling.advance(timedelta(days=30))
    while bpm.management.run_due():
        pass

    page = as_("leader").get("/monitor/overdue")
    assert "登记：张三" in page.text
    assert "超期" in page.text
    page.get("/monitor/overdue?unit=349898101201")
    assert "登记：张三" in page.text
    page.get("/monitor/overdue?unit=349797101201", status=404)


def test_it_says_when_the_editor_is_not_installed(as_, monkeypatch):
    monkeypatch.setattr(assets, "_manifest", dict)
    page = as_("admin").get("/admin/definitions/sample/modeler")

    assert "图形编辑器没有安装" in page.text
