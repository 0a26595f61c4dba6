"""Who gets what from which route: one row for every route; a route without a row fails."""

from __future__ import annotations

import pytest

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
START = {"process": "sample", "region": VILLAGE, "data": {"name": "张三", "town": TOWN}}
WHY = {"reason": "测试"}

GET = {
    "openapi": ("/openapi.json", ANYBODY),
    "problems": ("/problems", ANYBODY),
    "notices": ("/notices", ANYBODY),
    "notice": ("/notices/none", (404,) * 8),
    "me": ("/me", EVERYBODY),
    "definitions": ("/definitions", EVERYBODY),
    "definition": ("/definitions/sample", KNOWN),
    "definition_diagram": ("/definitions/sample/diagram", KNOWN),
    "instances": ("/instances", EVERYBODY),
    "instance": ("/instances/{case}", CASE),
    "instance_history": ("/instances/{case}/history", CASE),
    "instance_diagram": ("/instances/{case}/diagram", CASE),
    "tasks": ("/tasks", EVERYBODY),
    "task": ("/tasks/{task}", CASE),
    "attachment": ("/attachments/{file}", CASE),
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
    return {"case": case, "task": task, "file": file.id}


@pytest.mark.parametrize("role", range(len(ROLES)), ids=[role or "nobody" for role in ROLES])
def test_it_lets_exactly_these_people_see(app, places, role):
    one = Program(app, ROLES[role])
    for path, row in GET.values():
        one.get(path.format(**places), status=row[role])


@pytest.mark.parametrize("name", POST)
def test_it_lets_exactly_these_people_act(app, places, name):
    path, body, row = POST[name]
    sent = {key: places["task"] if one == "{task}" else one for key, one in body.items()}
    for who, expected in zip(WHO, row, strict=True):
        Program(app, who).post(path.format(**places), sent, status=expected)
