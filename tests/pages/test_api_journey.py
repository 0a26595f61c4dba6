"""A case from its start to its end, by programs alone; and what they may not see on the way."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.pages.api_client import Program
from tests.pages.conftest import TOWN, VILLAGE

ID_NO = "11010519491231002X"
FILLED = {
    "name": "张三",
    "id_no": ID_NO,
    "phone": "13800005678",
    "amount": 300.50,
    "since": "2026-01-02",
    "kind": "fire",
    "needs": ["food", "heat"],
    "members": [{"who": "李四", "age": 40}, {"who": "王五"}],
    "house": {"rooms": 3, "damaged": True},
}
START = {"process": "sample", "region": VILLAGE, "data": {"name": "张三", "town": TOWN}}


@pytest.fixture
def wang(app):
    return Program(app, "wang")


@pytest.fixture
def li(app):
    return Program(app, "li")


def registered(wang) -> tuple[str, str]:
    """A new case and its first task."""
    made = wang.post("/instances", START, status=201)
    case = made.json["id"]
    assert made.headers["Location"] == f"/api/v1/instances/{case}"
    return case, wang.get(f"/instances/{case}").json["tasks"][0]["id"]


def test_it_brings_a_case_from_start_to_end(wang, li):
    case, task = registered(wang)
    wang.post(f"/tasks/{task}/claim")
    wang.post(f"/tasks/{task}/start")
    done = wang.post(f"/tasks/{task}/complete", {"data": FILLED, "outcome": "submit"})
    assert done.json["instance_id"] == case

    review = li.get("/tasks").json["items"][0]["id"]
    page = li.get(f"/tasks/{review}").json
    assert page["form"]["values"]["amount"] == "300.5"
    assert [one["id"] for one in page["outcomes"]] == ["agree", "refuse"]
    li.post(f"/tasks/{review}/complete", {"data": {"approved": "250.00"}, "outcome": "agree"})

    confirm = wang.get("/tasks").json["items"][0]["id"]
    wang.post(f"/tasks/{confirm}/complete")

    ended = wang.get(f"/instances/{case}").json
    assert ended["status"] == "completed"
    assert ended["tasks"] == []
    told = [one["kind"] for one in wang.get(f"/instances/{case}/history").json["items"]]
    assert told.count("task.completed") == 3


def test_it_sends_a_case_back_with_a_reason_and_on_again(wang, li):
    case, task = registered(wang)
    wang.post(f"/tasks/{task}/complete", {"data": FILLED})
    review = li.get("/tasks").json["items"][0]["id"]
    assert li.get(f"/tasks/{review}").json["returns"][0]["activity"] == "register"

    li.post(f"/tasks/{review}/return", {"activity": "register", "reason": "金额有误"})

    again = wang.get(f"/instances/{case}").json["tasks"][0]
    assert again["activity_id"] == "register"
    notes = [one["notes"] for one in wang.get(f"/instances/{case}/history").json["items"]]
    assert [{"title": "原因", "text": "金额有误"}] in [
        [note for note in one if note["title"] == "原因"] for one in notes
    ]
    other = li.get("/tasks").json["items"]
    assert other == []
    # A field that is not sent keeps what the case has, the masked number among them.
    wang.post(f"/tasks/{again['id']}/complete", {"data": {"amount": "280"}})
    review = li.get("/tasks").json["items"][0]["id"]
    assert li.get(f"/tasks/{review}").json["form"]["values"]["amount"] == "280"


def test_it_shows_numbers_of_people_masked_and_hides_what_the_page_hides(wang, bpm):
    case, task = registered(wang)
    wang.post(f"/tasks/{task}/save_draft", {"data": FILLED})

    page = wang.get(f"/tasks/{task}")

    draft = page.json["draft"]["values"]
    assert draft["id_no"] == "1101************2X"
    assert draft["phone"] == "138****5678"
    assert draft["amount"] == "300.5"
    assert draft["members"][1]["who"] == "王五"
    assert ID_NO not in page.text
    assert "secret" not in page.text
    assert ID_NO not in str(bpm.tasks.draft(task, bpm.identity.actor("wang")).data)
    wang.post(f"/tasks/{task}/complete", {"data": FILLED})
    for path in (f"/tasks/{task}", f"/instances/{case}", f"/instances/{case}/history"):
        assert ID_NO not in wang.get(path).text, path


def test_it_says_which_field_is_wrong(wang):
    _, task = registered(wang)
    sent = {**FILLED, "id_no": "110105194912310021", "amount": -1, "members": [{"age": 4}, {}]}

    wrong = wang.post(f"/tasks/{task}/complete", {"data": sent}, status=422).json

    assert wrong["code"] == "INVALID_INPUT"
    assert {one["path"] for one in wrong["errors"]} == {
        "id_no", "amount", "members.0.who", "members.1.who",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"secret": "x"}, "secret"),
        ({"nothing": 1}, "nothing"),
        ({"members_n": 3}, "members_n"),
        ({"name": ["a", "b"]}, "name"),
        ({"name": {"a": 1}}, "name"),
        ({"members": "x"}, "members"),
        ({"members": [1]}, "members"),
        ({"members": [{"who": "a", "zip": 1}]}, "members.0.zip"),
        ({"members": [{}] * 300}, "members"),
        ({"house": 3}, "house"),
        ({"house": {"damaged": "maybe"}}, "house.damaged"),
        ({"kind": "earthquake"}, "kind"),
    ],
)
def test_it_refuses_what_the_form_does_not_ask(sent, path, wang):
    _, task = registered(wang)

    wrong = wang.post(f"/tasks/{task}/complete", {"data": {**FILLED, **sent}}, status=422).json

    assert path in {one["path"] for one in wrong["errors"]}


def test_it_asks_for_the_reason_of_an_outcome_and_takes_it_beside_the_form(wang, li):
    _, task = registered(wang)
    wang.post(f"/tasks/{task}/complete", {"data": FILLED})
    review = li.get("/tasks").json["items"][0]["id"]

    wrong = li.post(f"/tasks/{review}/complete", {"outcome": "refuse"}, status=422).json
    assert [one["path"] for one in wrong["errors"]] == ["reason"]
    li.post(f"/tasks/{review}/complete", {"outcome": "none"}, status=422)
    li.post(f"/tasks/{review}/complete", {"outcome": "refuse", "reason": "不符合条件"})


def test_it_holds_resumes_and_ends_a_case(app, wang):
    case, task = registered(wang)
    wang.post(f"/instances/{case}/suspend", {}, status=422)
    assert wang.post(f"/instances/{case}/suspend", {"reason": "核对"}).json["status"] == "suspended"
    wang.post(f"/tasks/{task}/complete", {"data": FILLED}, status=409)
    assert wang.get(f"/instances/{case}").json["verbs"] == ["resume", "terminate"]
    wang.post(f"/instances/{case}/resume")
    ended = wang.post(f"/instances/{case}/terminate", {"reason": "撤回申请"}).json
    assert ended["status"] == "terminated"
    wang.post(f"/instances/{case}/resume", status=409)


def test_it_hands_a_task_over_and_takes_remarks_and_files(app, wang):
    _, task = registered(wang)
    wang.post(f"/tasks/{task}/claim")
    wang.post(f"/tasks/{task}/comment", {"text": "已入户"}, status=201)
    made = wang.post(
        f"/tasks/{task}/attach",
        {"name": "说明.txt", "content": b64encode("照片说明".encode()).decode()},
        status=201,
    ).json
    got = wang.get(f"/attachments/{made['id']}")
    assert got.data.decode() == "照片说明"
    wang.post(f"/tasks/{task}/attach", {"name": "a.txt", "content": "*"}, status=422)
    wang.post(f"/tasks/{task}/delegate", {"to": "wu", "reason": "外出"})
    assert wang.get(f"/tasks/{task}").json["owner"] == "wu"
    wu = Program(app, "wu")
    wu.post(f"/tasks/{task}/fail", {"reason": "找不到人"})
    wu.post(f"/tasks/{task}/suspend", {"reason": "等证明"}, status=403)
    head = Program(app, "head")
    head.post(f"/tasks/{task}/nominate", {"to": "wu"})
    wu.post(f"/tasks/{task}/suspend", {"reason": "等证明"})
    wu.post(f"/tasks/{task}/resume")
    wu.post(f"/tasks/{task}/release")
    head.post(f"/tasks/{task}/skip", {"reason": "补录", "outcome": "submit"})


def test_its_lists_go_on_page_by_page(wang):
    cases = [registered(wang)[0] for _ in range(5)]
    for path, ids in (("/tasks", None), ("/instances", cases[::-1])):
        found, cursor = [], ""
        for _ in range(3):
            page = wang.get(f"{path}?limit=2{cursor}").json
            found += [one["id"] for one in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert page["next_cursor"] is None
        assert len(set(found)) == 5
        assert ids is None or found == ids
    wang.get("/tasks?limit=0", status=422)
    wang.get("/tasks?limit=201", status=422)
    for cursor in ("x", "!!", "AA", "8J+YgA", "a" * 1999):
        wang.get(f"/tasks?cursor={cursor}", status=422)


def test_it_filters_the_worklist_as_the_page_does(wang):
    registered(wang)
    assert len(wang.get("/tasks?holding=claimable&process=sample&q=张三").json["items"]) == 1
    assert wang.get("/tasks?holding=mine").json["items"] == []
    assert wang.get("/tasks?due=overdue").json["items"] == []
    wang.get("/tasks?due=never", status=422)
    wang.get("/tasks?color=red", status=422)
    wang.get("/tasks?due=any&due=today", status=422)
