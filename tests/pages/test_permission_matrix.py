"""Who may enter which page: one row for every route; a route without a row fails.

Rows say what each of the cast gets: the status of the answer.  303 means "on to the login".
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SYSTEM as SYSTEM_ACTOR
from engine import MoveOrder
from webforms.shell.permissions import permission_of

ROLES = ("", "wang", "sun", "li", "leader", "admin", "guard", "auditor")
#: nobody logged in → login; then clerk, stranger, approver, leader, system, security, audit
EVERYBODY = (303, 200, 200, 200, 200, 200, 200, 200)
PUBLIC = (200, 303, 303, 303, 303, 303, 303, 303)
LEADERS = (303, 403, 403, 403, 200, 403, 403, 403)
SYSTEM = (303, 403, 403, 403, 403, 200, 403, 403)
SECURITY = (303, 403, 403, 403, 403, 403, 200, 403)
#: pages about one case of Wang's village: the engine decides by region and by the roles the
#: process knows; who mends and who audits see it, the stranger of another county and the
#: county's security administrator get "not found"
CASE = (303, 200, 404, 200, 200, 200, 404, 200)
TASK = (303, 200, 404, 200, 200, 200, 404, 200)
NOBODY = (303, 404, 404, 404, 404, 404, 404, 404)
STARTER = (303, 200, 200, 403, 403, 403, 403, 403)

GET = {
    "auth.login": ("/login", PUBLIC),
    "auth.me": ("/me", EVERYBODY),
    "auth.password": ("/password", EVERYBODY),
    "worklist.home": ("/", (303,) * 8),
    "worklist.inbox": ("/tasks", EVERYBODY),
    "worklist.task": ("/tasks/{task}", TASK),
    "worklist.messages": ("/messages", EVERYBODY),
    "worklist.message": ("/messages/none", (303, 404, 404, 404, 404, 404, 404, 404)),
    "worklist.undelivered": ("/messages/undelivered", SYSTEM),
    "processes.catalogue": ("/processes", EVERYBODY),
    "processes.start": ("/processes/sample/start", STARTER),
    "processes.instances": ("/instances", EVERYBODY),
    "processes.instance": ("/instances/{case}", CASE),
    "processes.attachment": ("/attachments/{file}", CASE),
    "monitor.overdue": ("/monitor/overdue", LEADERS),
    "monitor.circular": ("/monitor/circular", LEADERS),
    "worklist.slips": ("/supervision", EVERYBODY),
    "worklist.slip": ("/supervision/none", NOBODY),
    # from this machine; from elsewhere nobody (test_health)
    "monitor.healthz": ("/healthz", (200,) * 8),
    "monitor.readyz": ("/readyz", (200,) * 8),
    "monitor.metrics_text": ("/metrics", (200,) * 8),
    "admin.definitions": ("/admin/definitions", SYSTEM),
    "admin.definition": ("/admin/definitions/sample", SYSTEM),
    "admin.move": ("/admin/definitions/sample/move", SYSTEM),
    "admin.move_batch": ("/admin/moves/{batch}", SYSTEM),
    "admin.jump": ("/admin/instances/{case}/jump", SYSTEM),
    "admin.definition_xml": ("/admin/definitions/sample/xml", SYSTEM),
    "admin.confirmations": ("/admin/confirmations", SYSTEM),
    "admin.confirmation": ("/admin/confirmations/{order}", SYSTEM),
    "admin.modeler": ("/admin/definitions/sample/modeler", SYSTEM),
    "admin.incidents": ("/admin/incidents", SYSTEM),
    "admin.calendar": ("/admin/calendar", SYSTEM),
    "admin.calendar_version": (
        "/admin/calendar/versions/99",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "admin.ladders": ("/admin/ladders", SYSTEM),
    "admin.people": ("/admin/people", SECURITY),
    "admin.person": ("/admin/people/wang", SECURITY),
}

#: POSTs without anything in them: what matters is who is let in (not 303-to-login, not 403).
#: "in" = the view ran (it may answer 303, 409, 422 …); other values are the status itself.
IN_ALL = (303, "in", "in", "in", "in", "in", "in", "in")
IN_SYSTEM = (303, 403, 403, 403, 403, "in", 403, 403)
IN_SECURITY = (303, 403, 403, 403, 403, 403, "in", 403)
ON_TASK = (303, "in", 404, "in", "in", "in", 404, "in")
POST = {
    "auth.login_submit": ("/login", ("in",) * 8),
    "auth.logout": ("/logout", IN_ALL),
    "auth.password_submit": ("/password", IN_ALL),
    "auth.elder": ("/elder", ("in",) * 8),
    "auth.language": ("/language", ("in",) * 8),
    "demo.move": ("/demo/clock", IN_ALL),
    "worklist.messages_read": ("/messages/read", IN_ALL),
    "worklist.resend": (
        "/messages/undelivered/resend",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "worklist.form": ("/tasks/{task}/form", ON_TASK),
    "worklist.complete": ("/tasks/{task}/complete", ON_TASK),
    "worklist.draft": ("/tasks/{task}/draft", (303, "in", 404, 403, 403, 403, 404, 403)),
    "worklist.pause": ("/tasks/{task}/pause", (303, 403, 404, "in", "in", 403, 404, 403)),
    "worklist.go_on": ("/tasks/{task}/continue", None),
    "worklist.supervise": ("/tasks/{task}/supervise", None),
    "worklist.slip_reply": ("/supervision/none/reply", NOBODY),
    "processes.instance_pause": (
        "/instances/{case}/pause",
        (303, "in", 404, "in", "in", 403, 404, 403),
    ),
    "processes.instance_continue": (
        "/instances/{case}/continue",
        (303, "in", 404, "in", "in", 403, 404, 403),
    ),
    "processes.instance_supervise": (
        "/instances/{case}/supervise",
        (303, 403, 404, "in", "in", 403, 404, 403),
    ),
    "admin.calendar_local": ("/admin/calendar/local", IN_SYSTEM),
    "admin.ladder_replace": ("/admin/ladders", IN_SYSTEM),
    "admin.ladder_take_back": (
        "/admin/ladders/take-back",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "processes.withdraw": ("/tasks/{task}/withdraw", (303, 403, 404, 403, 403, 403, 404, 403)),
    "admin.jump_submit": ("/admin/instances/{case}/jump", IN_SYSTEM),
    "worklist.claim": ("/tasks/{task}/claim", None),
    "worklist.release": ("/tasks/{task}/release", None),
    "worklist.return_to": ("/tasks/{task}/return", ON_TASK),
    "worklist.hand_over": ("/tasks/{task}/hand-over", ON_TASK),
    "worklist.forward": ("/tasks/{task}/forward", None),
    "worklist.comment": ("/tasks/{task}/comments", None),
    "worklist.attach": ("/tasks/{task}/attachments", None),
    "worklist.act": (
        "/tasks/{task}/actions/sample.nothing",
        (303, 403, 404, 403, 403, 403, 404, 403),
    ),
    "processes.start_submit": (
        "/processes/sample/start",
        (303, "in", "in", 403, 403, 403, 403, 403),
    ),
    "processes.instance_verb": ("/instances/{case}/resume", None),
    "admin.definition_verb": (
        "/admin/definitions/none/retire",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "admin.move_submit": ("/admin/definitions/sample/move", IN_SYSTEM),
    "admin.move_undo": ("/admin/moves/{batch}/undo", IN_SYSTEM),
    "admin.modeler_validate": ("/admin/definitions/sample/modeler/validate", IN_SYSTEM),
    "admin.modeler_draft": ("/admin/definitions/sample/modeler/draft", IN_SYSTEM),
    "admin.modeler_discard": ("/admin/definitions/sample/modeler/discard", IN_SYSTEM),
    "admin.modeler_publish": ("/admin/definitions/sample/modeler/publish", IN_SYSTEM),
    "admin.confirmation_verb": ("/admin/confirmations/{order}/refuse", IN_SYSTEM),
    "admin.calendar_import": ("/admin/calendar", IN_SYSTEM),
    "admin.incident_retry": (
        "/admin/incidents/none/retry",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "admin.stopped_retry": (
        "/admin/stopped/job/none/retry",
        (303, 403, 403, 403, 403, 404, 403, 403),
    ),
    "admin.person_create": ("/admin/people", IN_SECURITY),
    "admin.seat_assign": ("/admin/people/wang/seats", IN_SECURITY),
    "admin.seat_end": (
        "/admin/people/wang/seats/none/end",
        (303, 403, 403, 403, 403, 403, 404, 403),
    ),
    "admin.person_password": ("/admin/people/wang/password", IN_SECURITY),
    "admin.person_switch": ("/admin/people/wang/disable", IN_SECURITY),
    "admin.token_revoke": (
        "/admin/people/wang/tokens/none/revoke",
        (303, 403, 403, 403, 403, 403, 404, 403),
    ),
}
#: areas of the domain, and the API, keep their own matrix beside their own fixtures
ELSEWHERE = frozenset({"hazards", "rosters", "notices", "payouts", "papers", "api", "static"})


def test_it_has_a_row_for_every_route(app):
    known = set(GET) | set(POST)
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    own = {name for name in routes if name.partition(".")[0] not in ELSEWHERE}

    assert own == known


def test_it_declares_who_may_enter_on_every_view(app):
    silent = [
        name
        for name, view in app.view_functions.items()
        if name != "static" and permission_of(view) is None
    ]

    assert silent == []


@pytest.fixture
def places(bpm, case, task):
    file = bpm.tasks.attach(
        bpm.identity.actor("wang"), name="a.txt", content=b"words", task_id=task
    )
    old = bpm.repository.latest("sample")
    renewed = replace(bpm.repository.package(old.id), version_tag="1.1")
    new = bpm.repository.deploy(renewed, SYSTEM_ACTOR)
    order = MoveOrder(from_definition=old.id, to_definition=new.id)
    batch = bpm.moves.migrate(order, SYSTEM_ACTOR, reason="改版")
    token = bpm.runtime.jump_desk(case, SYSTEM_ACTOR).tokens[0].element
    order = bpm.confirmations.ask_jump(case, token, "review", SYSTEM_ACTOR, "卡住")
    return {"case": case, "task": task, "file": file.id, "batch": batch, "order": order}


@pytest.mark.parametrize("role", range(len(ROLES)), ids=[role or "nobody" for role in ROLES])
def test_it_lets_exactly_these_people_see(as_, browser, places, role):
    one = as_(ROLES[role]) if ROLES[role] else browser()

    got = {
        name: one.client.get(path.format(**places)).status_code for name, (path, _) in GET.items()
    }

    assert got == {name: row[role] for name, (_, row) in GET.items()}


@pytest.mark.parametrize("endpoint", [name for name in POST if POST[name][1]])
def test_it_lets_exactly_these_people_act(as_, browser, places, endpoint):
    path, row = POST[endpoint]
    for role, expected in enumerate(row):
        one = as_(ROLES[role]) if ROLES[role] else browser().get("/login")

        answer = one.client.post(path.format(**places), data={"csrf_token": one.token()})

        where = f"{ROLES[role] or 'nobody'} at {path}"
        if expected == "in":
            assert answer.status_code not in {400, 403, 404, 405, 500}, where
            to_login = "/login" in answer.headers.get("Location", "")
            assert not to_login or endpoint.startswith("auth."), where
        else:
            assert answer.status_code == expected, where


VERBS = {
    "worklist.claim": ("/tasks/{task}/claim", {"wang": 303, "sun": 404, "li": 403}),
    "worklist.release": ("/tasks/{task}/release", {"wang": 403, "sun": 404, "li": 409}),
    "worklist.forward": ("/tasks/{task}/forward", {"sun": 404, "auditor": 403}),
    "worklist.go_on": ("/tasks/{task}/continue", {"wang": 403, "sun": 404, "li": 409}),
    "worklist.supervise": ("/tasks/{task}/supervise", {"wang": 403, "sun": 404, "li": 409}),
    "worklist.comment": ("/tasks/{task}/comments", {"wang": 303, "li": 303, "sun": 404}),
    "worklist.attach": ("/tasks/{task}/attachments", {"wang": 303, "sun": 404}),
    "processes.instance_verb": (
        "/instances/{case}/suspend",
        {"wang": 303, "sun": 404, "auditor": 403},
    ),
}


@pytest.mark.parametrize("endpoint", sorted(VERBS))
def test_it_asks_the_engine_who_may_do_a_verb(as_, bpm, case, places, endpoint):
    path, row = VERBS[endpoint]
    for name, expected in sorted(row.items(), key=lambda pair: -pair[1]):
        one = as_(name)
        version = bpm.worklist.task(places["task"], bpm.identity.actor("wang")).version
        sent = {
            "csrf_token": one.token(),
            "version": str(version),
            "reason": "测试",
            "text": "看过了",
            "unit": "349898102201",
        }

        answer = one.client.post(path.format(**places), data=sent)

        assert answer.status_code == expected, f"{name} at {path}"


def test_it_refuses_every_post_without_the_token(as_, places):
    one = as_("wang")

    got = {
        name: one.client.post(path.format(**places)).status_code for name, (path, _) in POST.items()
    }

    assert set(got.values()) == {400}, got
