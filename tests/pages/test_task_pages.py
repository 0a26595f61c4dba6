"""The task form: drafts, faults beside their fields, outcomes, returns, handing over, files."""

from __future__ import annotations

import io

import pytest

from engine import SYSTEM, tables
from workflows.domain import vault

GOOD = {
    "f-name": "张三",
    "f-amount": "1,200.50",
    "f-kind": "illness",
    "f-members-0-who": "张三",
    "f-members-0-age": "70",
    "f-house-rooms": "３",
    "f-house-damaged": "true",
    "f-about": "重病",
}


def open_task(page, task):
    page.get(f"/tasks/{task}")
    return {"version": page.hidden("version"), "key": page.hidden("key")}


def send(page, task, data=None, *, outcome="submit", status=200):
    sent = {**open_task(page, task), **GOOD, "outcome": outcome, **(data or {})}
    return page.post(f"/tasks/{task}/complete", sent, status=status)


def variables(bpm, case):
    return bpm.runtime.instance(case, SYSTEM).variables


def test_it_completes_with_typed_values(as_, bpm, case, task):
    page = send(as_("wang"), task)

    assert "已办结" in page.html
    found = variables(bpm, case)
    assert str(found["amount"]) == "1200.50"
    assert found["house"] == {"rooms": 3, "damaged": True}
    assert found["members"] == [{"who": "张三", "age": 70}]
    assert found["members_n"] == 1
    assert found["other"] is None


def test_it_links_every_fault_to_its_field_and_keeps_what_was_typed(as_, task):
    page = send(
        as_("wang"),
        task,
        {"f-name": "", "f-amount": "很多", "f-id_no": "349898199001011234", "f-about": "留着"},
        status=422,
    )

    for field, words in {
        "f-name": "此项必填",
        "f-amount": "请填写数字",
        "f-id_no": "身份证号",
    }.items():
        assert f'href="#{field}"' in page.html
        assert words in page.text
    assert "留着" in page.html
    assert 'value="很多"' in page.html


def test_it_asks_for_a_field_only_while_it_is_shown(as_, task):
    page = send(as_("wang"), task, {"f-kind": "other"}, status=422)
    assert 'href="#f-other"' in page.html

    send(page, task, {"f-kind": "fire"})
    assert "已办结" in page.html


def test_it_takes_nothing_for_a_field_the_step_may_not_write(as_, bpm, case, task):
    send(as_("wang"), task, {"f-secret": "偷写"})

    assert "secret" not in variables(bpm, case)


def test_it_asks_again_with_one_more_row(as_, task):
    page = as_("wang")
    open_task(page, task)
    page.post(f"/tasks/{task}/form", {**GOOD, "add_row": "members"})

    assert 'name="f-members-1-who"' in page.html
    assert 'value="1,200.50"' in page.html

    page.post(f"/tasks/{task}/form", {**GOOD, "f-members-1-who": "李四", "remove_row": "members:0"})
    assert 'value="李四"' in page.html
    assert 'name="f-members-0-who"' not in page.html


def test_it_keeps_a_draft_also_when_it_is_wrong(as_, task):
    page = as_("wang")
    open_task(page, task)
    page.post(f"/tasks/{task}/draft", {"f-name": "", "f-amount": "还不知道", "f-kind": "fire"})

    page.get(f"/tasks/{task}")
    assert "暂存的内容" in page.text
    assert 'value="还不知道"' in page.html

    other = as_("wu").get(f"/tasks/{task}")
    assert "还不知道" not in other.html


def test_a_number_in_a_draft_is_kept_under_lock(as_, bpm, task):
    vault.configure(b"a key for tests, nothing else")
    page = as_("wang")
    open_task(page, task)
    numbers = {"f-id_no": "349898199001011234", "f-phone": "19900001234"}
    page.post(f"/tasks/{task}/draft", {"f-name": "张三", **numbers})

    with bpm.read() as session:
        stored = repr(session.query(tables.TaskDraft.data).all())
    assert "张三" in stored
    assert not any(number in stored for number in numbers.values())
    page.get(f"/tasks/{task}")
    for number in numbers.values():
        assert f'value="{number}"' in page.html


def test_a_page_sent_twice_counts_once(as_, task):
    page = as_("wang")
    sent = {**open_task(page, task), **GOOD, "outcome": "submit"}
    page.post(f"/tasks/{task}/complete", sent)

    again = as_("wang")
    again.get(f"/tasks/{task}")
    answer = again.client.post(
        f"/tasks/{task}/complete", data={**sent, "csrf_token": again.token()}
    )
    assert answer.status_code == 303


def test_it_says_when_somebody_was_faster(as_, task):
    slow = as_("wang")
    old = open_task(slow, task)
    quick = as_("wu")
    open_task(quick, task)
    quick.post(f"/tasks/{task}/claim", {"version": quick.hidden("version")})

    slow.post(f"/tasks/{task}/complete", {**old, **GOOD, "outcome": "submit"}, status=409)
    assert "这件事已经被别人更新" in slow.text


@pytest.fixture
def review(as_, bpm, task):
    send(as_("wang"), task)
    return bpm.worklist.page(bpm.identity.actor("li")).rows[0].id


def test_a_reader_field_is_text_and_cannot_be_posted(as_, bpm, case, review):
    page = as_("li").get(f"/tasks/{review}")
    assert 'name="f-name"' not in page.html

    page.post(
        f"/tasks/{review}/complete",
        {
            "version": page.hidden("version"),
            "key": page.hidden("key"),
            "outcome": "agree",
            "f-approved": "800",
            "f-name": "别人",
        },
    )
    assert variables(bpm, case)["name"] == "张三"
    assert variables(bpm, case)["approved"] == 800


def test_a_refusal_needs_its_reason_and_not_the_whole_form(as_, bpm, case, review):
    page = as_("li").get(f"/tasks/{review}")
    sent = {"version": page.hidden("version"), "key": page.hidden("key"), "outcome": "refuse"}
    page.post(f"/tasks/{review}/complete", sent, status=422)
    assert 'href="#reason"' in page.html

    page.post(f"/tasks/{review}/complete", {**sent, "reason": "材料不全"})
    assert variables(bpm, case)["review"]["outcome"] == "refuse"
    story = as_("wang").get(f"/instances/{case}")
    assert "材料不全" in story.text
    assert "不同意" in story.text


def test_it_returns_to_an_earlier_step_with_a_reason(as_, bpm, review):
    page = as_("li").get(f"/tasks/{review}")
    version = page.hidden("version")
    page.post(f"/tasks/{review}/return", {"version": version, "activity": "register"}, status=422)
    assert 'href="#return-reason"' in page.html

    page.post(
        f"/tasks/{review}/return",
        {"version": version, "activity": "register", "reason": "金额有误"},
    )
    again = bpm.worklist.page(bpm.identity.actor("wang")).rows
    assert [row.activity_id for row in again] == ["register"]


def test_it_goes_on_to_my_next_task_of_the_same_case(as_, bpm, review):
    page = as_("li").get(f"/tasks/{review}")
    page.post(
        f"/tasks/{review}/complete",
        {
            "version": page.hidden("version"),
            "key": page.hidden("key"),
            "outcome": "agree",
            "f-approved": "800",
        },
    )
    last = bpm.worklist.page(bpm.identity.actor("wang")).rows[0]
    done = as_("wang").get(f"/tasks/{last.id}")
    done.post(
        f"/tasks/{last.id}/complete",
        {"version": done.hidden("version"), "key": done.hidden("key"), "outcome": ""},
    )

    assert "待办都办完了" in done.text


def test_it_hands_the_task_to_a_colleague_of_the_same_seat(as_, bpm, task):
    page = as_("wang").get(f"/tasks/{task}")
    page.post(f"/tasks/{task}/claim", {"version": page.hidden("version")})
    page.get(f"/tasks/{task}")
    assert "吴经办" in page.text

    page.post(
        f"/tasks/{task}/hand-over",
        {"version": page.hidden("version"), "to": "wu", "verb": "delegate", "reason": "出差"},
    )
    assert bpm.worklist.task(task, bpm.identity.actor("wu")).owner == "wu"


def test_it_shows_remarks_escaped(as_, task):
    page = as_("wang").get(f"/tasks/{task}")
    page.post(f"/tasks/{task}/comments", {"text": "<script>alert(1)</script>请核实"})

    assert "<script>alert" not in page.html
    assert "请核实" in page.text


def test_it_keeps_uploaded_files_when_the_form_comes_back(as_, bpm, case, task):
    photo = (io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 100), "入户.png")
    page = send(as_("wang"), task, {"f-name": "", "f-photos": photo}, status=422)
    assert "入户.png" in page.html
    kept = page.html.partition('name="f-photos" value="')[2].partition('"')[0]

    send(page, task, {"f-photos": kept})
    assert variables(bpm, case)["photos"] == [kept]

    answer = page.client.get(f"/attachments/{kept}")
    assert answer.mimetype == "image/png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_it_takes_no_file_of_another_case(as_, bpm, case, task):
    sun = bpm.identity.actor("sun")
    foreign = bpm.runtime.start(
        "sample", sun, variables={"name": "外"}, region="349797101201", title="外"
    )
    file = bpm.tasks.attach(sun, name="a.txt", content=b"x", instance_id=foreign)

    send(as_("wang"), task, {"f-photos": file.id})
    assert variables(bpm, case)["photos"] == []


def test_it_refuses_a_program_named_as_a_picture(as_, task):
    bad = (io.BytesIO(b"MZ\x90\x00program"), "photo.png")
    page = send(as_("wang"), task, {"f-photos": bad}, status=422)

    assert "不支持这种文件" in page.text


def test_it_shows_a_finished_task_read_only(as_, task):
    page = send(as_("wang"), task)
    page.get(f"/tasks/{task}")

    assert "提交审核" not in page.html.partition('class="actions"')[2]
    assert 'name="f-name"' not in page.html
    assert "1200.50" in page.text
