"""Slips, objections and moves by program: listed, read and acted upon as on the pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import SYSTEM
from tests.pages.api_client import Program
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES, holder
from workflows.domain.notice_tables import Notice, Objection

# --- slips ---------------------------------------------------------------------------------------


@pytest.fixture
def slip(bpm, case, task, travelling):
    """The ladder has let the superior desk ask why Wang is late."""
    for _ in range(29):
        travelling.set(travelling.now() + timedelta(days=1))
        while bpm.management.run_due():
            pass
    (found,) = bpm.supervision.of_task(task, SYSTEM)
    return found.id


def test_a_slip_is_listed_read_and_answered_once(app, slip, travelling):
    wang, leader = Program(app, "wang"), Program(app, "leader")
    (mine,) = wang.get("/slips").json["items"]
    assert (mine["id"], mine["mine"]) == (slip, True)
    soon = str(travelling.now().date() + timedelta(days=3))
    answer = {"cause": "封路", "measures": "电话核实", "promised": soon}

    wang.post(f"/slips/{slip}/reply", {**answer, "promised": "2025-01-01"}, status=422)
    wang.post(f"/slips/{slip}/reply", {**answer, "promised": "明天"}, status=422)
    told = wang.post(f"/slips/{slip}/reply", answer).json

    assert told["promised"] == soon
    assert wang.get("/slips").json["items"] == []
    wang.post(f"/slips/{slip}/reply", answer, status=409)
    assert [one["cause"] for one in leader.get("/slips?of=cases").json["items"]] == ["封路"]
    Program(app, "sun").get(f"/slips/{slip}", status=404)
    leader.post(f"/slips/{slip}/reply", answer, status=403)


def test_slips_come_in_pages(app, bpm, case, slip):
    bpm.supervision.issue_case(case, bpm.identity.actor("leader"), demand="请说明全案为何超期")
    leader = Program(app, "leader")

    first = leader.get("/slips?of=cases&limit=1").json
    rest = leader.get(f"/slips?of=cases&limit=1&cursor={first['next_cursor']}").json

    assert len({first["items"][0]["id"], rest["items"][0]["id"]}) == 2
    assert rest["next_cursor"] is None


# --- objections ----------------------------------------------------------------------------------


def posted(office):
    """A notice that hangs now, with its village."""
    with office.engine.read() as session:
        return session.execute(
            select(Notice.id, Notice.village)
            .where(Notice.status == "posted", Notice.village.is_not(None))
            .limit(1)
        ).one()


def test_an_objection_is_filed_and_read_by_the_office_alone(winter):
    notice, village = posted(winter)
    line = Program(winter.app).get(f"/notices/{notice}").json["lines"][0]["ref"]
    citizen = Program(winter.app, holder("bank", COUNTY, 0).id)
    sent = {"kind": "金额", "text": "金额与通知不符", "line": line, "objector": "李四 13800000000"}
    citizen.post(f"/notices/{notice}/objections", {**sent, "text": "短"}, status=422)

    receipt = citizen.post(f"/notices/{notice}/objections", sent, status=201).json["receipt"]

    desk = Program(winter.app, holder("village_clerk", village, 0).id)
    listed = desk.get(f"/notices/{notice}/objections").json["items"]
    assert receipt in {one["id"] for one in listed}
    one = desk.get(f"/objections/{receipt}")
    assert (one.json["kind"], one.json["verdict"], one.json["resolved_at"]) == ("金额", "", None)
    assert "李四" not in one.text
    assert "138" not in one.text
    nobody = Program(winter.app).get(f"/objections/{receipt}/status").json
    assert nobody == {"status": "核查中", "verdict": "", "reply": ""}
    far = next(unit for unit in TOWNS if unit[:9] != village[:9])
    Program(winter.app, holder("town_clerk", far, 0).id).get(f"/objections/{receipt}", status=404)
    citizen.get(f"/objections/{receipt}", status=403)
    with winter.engine.read() as session:
        assert session.get(Objection, receipt).filed_by == holder("bank", COUNTY, 0).id


def test_a_notice_that_is_over_takes_no_objection(winter):
    notice, _ = posted(winter)
    winter.travel(40)
    sent = {"kind": "其他", "text": "来晚了一步"}

    clerk = Program(winter.app, holder("village_clerk", VILLAGES[0], 0).id)
    assert clerk.post(f"/notices/{notice}/objections", sent, status=409).json["code"]


# --- moves ---------------------------------------------------------------------------------------


@pytest.fixture
def versions(bpm, case):
    old = bpm.repository.latest("sample")
    renewed = replace(bpm.repository.package(old.id), version_tag="1.1")
    return old.id, bpm.repository.deploy(renewed, SYSTEM).id


def test_cases_are_surveyed_moved_and_taken_back(app, bpm, case, versions):
    admin = Program(app, "admin")
    listed = admin.get("/definitions/sample/versions").json["items"]
    assert [(one["id"], one["running"]) for one in listed] == [(versions[1], 0), (versions[0], 1)]
    order = {"from_definition": versions[0], "to_definition": versions[1]}

    survey = admin.post("/moves/survey", order).json
    assert (survey["total"], survey["possible"], survey["impossible"]) == (1, 1, 0)
    batch = admin.post("/moves", {**order, "reason": "改版"}, status=201)
    assert batch.headers["Location"].endswith(batch.json["id"])
    assert batch.json["counts"]["moved"] == 1
    assert bpm.runtime.instance(case, SYSTEM).version == 2

    moves = f"/moves/{batch.json['id']}"
    assert admin.get("/moves?process=sample").json["items"] == [admin.get(moves).json]
    (result,) = admin.get(f"{moves}/results?status=moved").json["items"]
    assert (result["instance_id"], result["status"]) == (case, "moved")
    admin.post(f"{moves}/undo", {"instances": [case]})
    assert bpm.runtime.instance(case, SYSTEM).version == 1
    admin.post(f"{moves}/undo", status=409)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mapping": {"register": 5}},
        {"renew": {"register": "form"}},
        {"renew": {"register": ["everything"]}},
        {"renew": {"register": [["form"]]}},
        {"from_definition": ""},
    ],
)
def test_a_wrong_order_is_refused_in_words(app, versions, wrong):
    order = {"from_definition": versions[0], "to_definition": versions[1], **wrong}

    assert Program(app, "admin").post("/moves/survey", order, status=422).json["errors"]


def test_a_batch_needs_a_process_and_an_unknown_one_is_not_found(app, versions):
    admin = Program(app, "admin")

    admin.get("/moves", status=422)
    admin.get("/moves/none", status=404)
    order = {"from_definition": "none", "to_definition": versions[1]}
    admin.post("/moves/survey", order, status=404)
