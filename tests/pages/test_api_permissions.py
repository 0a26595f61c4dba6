"""Who gets what from which route: one row for every route; a route without a row fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SYSTEM, MoveOrder
from tests.pages.api_client import Program
from tests.pages.conftest import TOWN, VILLAGE
from webforms.api import views
from webforms.shell.permissions import permission_of

ROLES = ("", "wang", "sun", "li", "leader", "admin", "guard", "auditor")
ANYBODY = (200,) * 8
EVERYBODY = (401, *(200,) * 7)
#: of Wang's village: who mends and who audits see it; strangers are told that there is nothing
CASE = (401, 200, 404, 200, 200, 200, 404, 200)
#: the process knows their role
KNOWN = (401, 200, 200, 200, 200, 200, 404, 200)
NOTHING = (401, *(404,) * 7)
ADMINISTRATOR = (401, 403, 403, 403, 403, 200, 403, 403)
START = {"process": "sample", "region": VILLAGE, "data": {"name": "张三", "town": TOWN}}
WHY = {"reason": "测试"}
#: from the version with the case to the one without; see `places`
MOVE = {"from_definition": "{new}", "to_definition": "{old}"}

GET = {
    "openapi": ("/openapi.json", ANYBODY),
    "problems": ("/problems", ANYBODY),
    "notices": ("/notices", ANYBODY),
    "notice": ("/notices/none", (404,) * 8),
    "me": ("/me", EVERYBODY),
    "definitions": ("/definitions", EVERYBODY),
    "definition": ("/definitions/sample", KNOWN),
    "definition_diagram": ("/definitions/sample/diagram", KNOWN),
    "definition_versions": ("/definitions/sample/versions", KNOWN),
    "instances": ("/instances", EVERYBODY),
    "instance": ("/instances/{case}", CASE),
    "instance_history": ("/instances/{case}/history", CASE),
    "instance_diagram": ("/instances/{case}/diagram", CASE),
    "tasks": ("/tasks", EVERYBODY),
    "task": ("/tasks/{task}", CASE),
    "attachment": ("/attachments/{file}", CASE),
    "slips": ("/slips?of=cases", (401, 403, 403, 403, 200, 403, 403, 403)),
    "slip": ("/slips/none", NOTHING),
    "moves": ("/moves?process=sample", ADMINISTRATOR),
    "move_batch": ("/moves/{batch}", ADMINISTRATOR),
    "move_results": ("/moves/{batch}/results", ADMINISTRATOR),
    "confirmations": ("/confirmations", ADMINISTRATOR),
    "objections": ("/notices/none/objections", (401, 404, 404, 404, 404, 403, 403, 403)),
    "objection": ("/objections/none", (401, 404, 404, 404, 404, 403, 403, 403)),
    "objection_status": ("/objections/none/status", (404,) * 8),
}
#: nobody, the stranger, who mends, who sees to security and who audits: what each is told;
#: the clerk himself comes last, so that the task is still as it was
POST = {
    "instance_start": ("/instances", START, (401, 403, 403, 403, 403, 201)),
    "instance_suspend": ("/instances/{case}/suspend", WHY, (401, 404, 403, 404, 403, 200)),
    "instance_resume": ("/instances/{case}/resume", {}, (401, 404, 403, 404, 403, 409)),
    "instance_terminate": ("/instances/{case}/terminate", WHY, (401, 404, 403, 404, 403, 200)),
    "instance_return": (
        "/instances/{case}/return",
        {**WHY, "task_id": "{task}", "activity": "register"},
        (401, 404, 403, 404, 403, 403),
    ),
    "task_claim": ("/tasks/{task}/claim", {}, (401, 404, 403, 404, 403, 200)),
    "task_release": ("/tasks/{task}/release", {}, (401, 404, 403, 404, 403, 403)),
    "task_start": ("/tasks/{task}/start", {}, (401, 404, 403, 404, 403, 200)),
    "task_save_draft": ("/tasks/{task}/save_draft", {}, (401, 404, 403, 404, 403, 200)),
    "task_perform": (
        "/tasks/{task}/perform",
        {"operation": "sample.nothing"},
        (401, 404, 403, 404, 403, 403),
    ),
    "task_complete": (
        "/tasks/{task}/complete",
        {"data": {"amount": 5, "kind": "fire", "members": []}},
        (401, 404, 403, 404, 403, 200),
    ),
    "task_delegate": ("/tasks/{task}/delegate", {"to": "wu"}, (401, 404, 403, 404, 403, 403)),
    "task_nominate": ("/tasks/{task}/nominate", {"to": "wu"}, (401, 404, 403, 404, 403, 403)),
    "task_forward": ("/tasks/{task}/forward", {}, (401, 404, 403, 404, 403, 403)),
    "task_skip": ("/tasks/{task}/skip", WHY, (401, 404, 403, 404, 403, 403)),
    "task_fail": ("/tasks/{task}/fail", WHY, (401, 404, 403, 404, 403, 403)),
    "task_suspend": ("/tasks/{task}/suspend", WHY, (401, 404, 403, 404, 403, 403)),
    "task_resume": ("/tasks/{task}/resume", {}, (401, 404, 403, 404, 403, 403)),
    "task_return": (
        "/tasks/{task}/return",
        {**WHY, "activity": "register"},
        (401, 404, 403, 404, 403, 403),
    ),
    "task_withdraw": ("/tasks/{task}/withdraw", WHY, (401, 404, 403, 404, 403, 403)),
    "task_pause": ("/tasks/{task}/pause", {"reason": "x"}, (401, 404, 403, 404, 403, 403)),
    "task_continue": ("/tasks/{task}/continue", {}, (401, 404, 403, 404, 403, 403)),
    "task_supervise": (
        "/tasks/{task}/supervise",
        {"demand": "尽快"},
        (401, 404, 403, 404, 403, 403),
    ),
    "instance_pause": (
        "/instances/{case}/pause",
        {"reason": "x"},
        (401, 404, 403, 404, 403, 422),
    ),
    "instance_continue": ("/instances/{case}/continue", {}, (401, 404, 403, 404, 403, 409)),
    "instance_supervise": (
        "/instances/{case}/supervise",
        {"demand": "尽快"},
        (401, 404, 403, 404, 403, 403),
    ),
    "slip_reply": (
        "/slips/none/reply",
        {"cause": "封路", "measures": "电话核实", "promised": "2026-02-01"},
        (401, 404, 404, 404, 404, 404),
    ),
    "move_survey": ("/moves/survey", MOVE, (401, 403, 200, 403, 403, 403)),
    "move": ("/moves", {**MOVE, **WHY}, (401, 403, 201, 403, 403, 403)),
    "move_undo": ("/moves/{batch}/undo", {}, (401, 403, 200, 403, 403, 403)),
    "objection_file": (
        "/notices/none/objections",
        {"kind": "金额", "text": "金额与通知不符"},
        (401, 404, 404, 404, 404, 404),
    ),
    "task_comment": ("/tasks/{task}/comment", {"text": "看过"}, (401, 404, 201, 404, 201, 201)),
    "task_attach": (
        "/tasks/{task}/attach",
        {"name": "a.txt", "content": "YWJj"},
        (401, 404, 403, 404, 403, 201),
    ),
    "message": ("/messages", {"name": "nothing"}, (401, 409, 409, 409, 409, 409)),
    "signal": (
        "/signals",
        {"name": "nothing", "region": VILLAGE},
        (401, 403, 200, 200, 200, 200),
    ),
}
WHO = ("", "sun", "admin", "guard", "auditor", "wang")


def test_it_has_a_row_for_every_route():
    assert {route.name for route in views.ROUTES} == set(GET) | set(POST)


def test_no_route_of_it_knows_a_login(app):
    own = [view for name, view in app.view_functions.items() if name.startswith("api.")]

    assert own
    assert all(permission_of(view).bearer for view in own)


@pytest.fixture
def places(bpm, case, task):
    file = bpm.tasks.attach(
        bpm.identity.actor("wang"), name="a.txt", content=b"words", task_id=task
    )
    old = bpm.repository.latest("sample")
    renewed = replace(bpm.repository.package(old.id), version_tag="1.1")
    new = bpm.repository.deploy(renewed, SYSTEM)
    order = MoveOrder(from_definition=old.id, to_definition=new.id)
    batch = bpm.moves.migrate(order, SYSTEM, reason="改版")
    return {
        "case": case, "task": task, "file": file.id, "batch": batch, "old": old.id, "new": new.id,
    }  # fmt: skip


@pytest.mark.parametrize("role", range(len(ROLES)), ids=[role or "nobody" for role in ROLES])
def test_it_lets_exactly_these_people_see(app, places, role):
    one = Program(app, ROLES[role])
    for path, row in GET.values():
        one.get(path.format(**places), status=row[role])


@pytest.mark.parametrize("name", POST)
def test_it_lets_exactly_these_people_act(app, places, name):
    path, body, row = POST[name]
    named = {f"{{{key}}}": one for key, one in places.items()}
    sent = {key: named.get(one, one) if isinstance(one, str) else one for key, one in body.items()}
    for who, expected in zip(WHO, row, strict=True):
        Program(app, who).post(path.format(**places), sent, status=expected)
