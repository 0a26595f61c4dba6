"""Every refusal is a problem with its code; no body of any shape gets further than its check."""

from __future__ import annotations

import pytest

from engine import errors
from tests.pages.api_client import BASE, Program
from tests.pages.conftest import VILLAGE
from webforms.api import problems


@pytest.fixture
def wang(app):
    return Program(app, "wang")


def raw(program, path: str, body: bytes, kind: str = "application/json"):
    return program.client.post(
        BASE + path, data=body, content_type=kind, headers=program.headers({})
    )


BODIES = {
    "not json": (b"hello", 400, "BAD_JSON"),
    "half an object": (b'{"name": ', 400, "BAD_JSON"),
    "not an object": (b"[1]", 400, "BAD_JSON"),
    "null": (b"null", 400, "BAD_JSON"),
    "not utf-8": (b'{"name": "\xff"}', 400, "BAD_JSON"),
    "a nul": (b'{"name": "a\\u0000b"}', 400, "BAD_JSON"),
    "half a pair": (b'{"name": "\\ud800"}', 400, "BAD_JSON"),
    "half a pair in a name": (b'{"\\ud800": 1}', 400, "BAD_JSON"),
    "a name twice": (b'{"name": "a", "name": "b"}', 400, "BAD_JSON"),
    "not a number": (b'{"name": NaN}', 400, "BAD_JSON"),
    "an endless number": (b'{"payload": {"a": 1e999999999}}', 400, "BAD_JSON"),
    "a long number": (b'{"payload": {"a": ' + b"9" * 5000 + b"}}", 400, "BAD_JSON"),
    "a tag of the store": (b'{"name": "x", "payload": {"$date": "x"}}', 400, "BAD_JSON"),
    "deep lists": (b'{"name": ' + b"[" * 200_000, 400, "BAD_JSON"),
    "deep objects": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "BAD_JSON"),
    "another type": (b"", 422, "INVALID_INPUT"),
    "an unknown field": (b'{"name": "x", "color": "red"}', 422, "INVALID_INPUT"),
    "a number for a text": (b'{"name": 5}', 422, "INVALID_INPUT"),
    "true for a text": (b'{"name": true}', 422, "INVALID_INPUT"),
    "blanks": (b'{"name": "   "}', 422, "INVALID_INPUT"),
    "a long text": (b'{"name": "' + b"x" * 201 + b'"}', 422, "INVALID_INPUT"),
    "a megabyte": (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413, "TOO_LARGE"),
}


@pytest.mark.parametrize("name", BODIES)
def test_it_refuses_bodies_in_words(name, wang):
    body, status, code = BODIES[name]

    answer = raw(wang, "/messages", body)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x"])
def test_it_takes_json_only(kind, wang):
    assert raw(wang, "/messages", b'{"name": "x"}', kind).status_code == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_told_which_there_are(method, wang):
    answer = wang.client.open(f"{BASE}/tasks", method=method, headers=wang.headers({}))

    assert (answer.status_code, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/none", "/tasks/x/y/z", "/tasks/none", "/instances/none", "/attachments/x"]
)
def test_what_is_not_there_is_not_found(path, wang):
    answer = wang.client.get(BASE + path, headers=wang.headers({}))

    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")


def test_every_code_is_told_with_its_status(app):
    told = {one["code"]: one["status"] for one in Program(app).get("/problems").json["items"]}

    expected = {
        "NOT_FOUND": 404, "NOT_ALLOWED": 403, "SEPARATION_OF_DUTIES": 403, "INVALID_STATE": 409,
        "STALE": 409, "ALREADY_EXISTS": 409, "INVALID_INPUT": 422, "NOT_CORRELATED": 409,
        "UNAUTHENTICATED": 401, "TOO_MANY_REQUESTS": 429, "VERSION_MISMATCH": 412,
        "IDEMPOTENCY_KEY_REUSED": 422, "IDEMPOTENCY_IN_PROGRESS": 409, "OUTCOME_UNKNOWN": 409,
        "BAD_JSON": 400, "TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415, "INTERNAL_ERROR": 500,
    }  # fmt: skip
    assert expected.items() <= told.items()


REFUSALS = [
    errors.NotFound, errors.NotAllowed, errors.SeparationOfDuties, errors.InvalidState,
    errors.Stale, errors.AlreadyExists, errors.InvalidInput, errors.NotCorrelated,
    errors.DeploymentRefused, problems.OutcomeUnknown,
]  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.code)
def test_each_refusal_of_the_engine_keeps_its_code_and_its_words(kind, wang, bpm, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise kind("就是不行")

    monkeypatch.setattr(bpm.runtime, "correlate", refuse)

    wrong = wang.post("/messages", {"name": "x"}, status=kind.http_status).json

    assert (wrong["code"], wrong["detail"]) == (kind.code, "就是不行")
    assert wrong["type"] == f"/api/v1/problems#{kind.code}"


@pytest.mark.parametrize("kind", [errors.Broken, errors.ModelFault, RuntimeError])
def test_a_fault_of_ours_says_nothing_of_itself(kind, wang, bpm, monkeypatch):
    def fail(*_args, **_kwargs):
        raise kind("table human_task is gone")

    monkeypatch.setattr(bpm.runtime, "correlate", fail)

    wrong = wang.post("/messages", {"name": "x"}, status=500).json

    assert wrong["code"] == "INTERNAL_ERROR"
    assert "human_task" not in str(wrong)


def test_a_request_keeps_the_id_that_its_sender_gave(wang):
    given = wang.get("/none", status=404, X_Request_Id="report-2026-01")
    assert given.json["request_id"] == given.headers["X-Request-Id"] == "report-2026-01"
    for bad in ("a b", "x", "y" * 65, "<script>"):
        assert wang.get("/me", X_Request_Id=bad).headers["X-Request-Id"] != bad


def test_a_message_finds_nobody_and_a_signal_tells_how_many(wang):
    assert wang.post("/messages", {"name": "none"}, status=409).json["code"] == "NOT_CORRELATED"
    assert wang.post("/signals", {"name": "none", "region": VILLAGE}).json == {"reached": 0}
    wang.post("/signals", {"name": "none", "region": "x"}, status=422)


def test_no_separation_of_duties_is_lost_on_the_way(app, bpm, task):
    """Who registered a case cannot review it, whatever seats he holds."""
    bpm.identity.assign_seat("wang", "town_clerk", "349898101000")
    wang = Program(app, "wang")
    data = {"name": "张三", "amount": 5, "kind": "fire", "members": []}
    wang.post(f"/tasks/{task}/complete", {"data": data})
    review = wang.get("/tasks?role=town_clerk").json["items"][0]["id"]

    wrong = wang.post(f"/tasks/{review}/claim", status=403).json

    assert wrong["code"] == "SEPARATION_OF_DUTIES"
