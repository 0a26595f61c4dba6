"""A request sent twice happens once, whatever became of the first answer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.pages.api_client import BASE, Program
from tests.pages.conftest import TOWN, VILLAGE
from webforms.api import idempotency
from webforms.api.idempotency import ApiRequest
from webforms.database import db
from workflows.domain import vault

START = {"process": "sample", "region": VILLAGE, "data": {"name": "张三", "town": TOWN}}


@pytest.fixture
def wang(app):
    return Program(app, "wang")


def cases(bpm) -> int:
    return len(bpm.runtime.instances(bpm.identity.actor("wang"), limit=200).rows)


def kept(app) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(ApiRequest.state)))


def test_the_same_request_answers_the_same_and_does_nothing(app, wang, bpm):
    first = wang.post("/instances", START, status=201, Idempotency_Key="a-1")
    second = wang.post("/instances", START, status=201, Idempotency_Key="a-1")

    assert second.json == first.json
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert cases(bpm) == 1


def test_the_quotes_of_a_structured_header_do_not_count(wang, bpm):
    wang.post("/instances", START, status=201, Idempotency_Key='"a-1"')
    wang.post("/instances", START, status=201, Idempotency_Key="a-1")

    assert cases(bpm) == 1


def test_another_body_under_the_same_key_is_refused(wang, bpm):
    wang.post("/instances", START, status=201, Idempotency_Key="a-1")
    other = {**START, "title": "另一件"}

    wrong = wang.post("/instances", other, status=422, Idempotency_Key="a-1").json

    assert wrong["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert cases(bpm) == 1


def test_another_address_under_the_same_key_is_refused(wang, task):
    wang.post(f"/tasks/{task}/claim", Idempotency_Key="a-1")
    wang.post(f"/tasks/{task}/release", status=422, Idempotency_Key="a-1")


def test_another_participant_has_keys_of_his_own(app, wang, bpm):
    wang.post("/instances", START, status=201, Idempotency_Key="a-1")
    Program(app, "wu").post("/instances", START, status=201, Idempotency_Key="a-1")

    assert cases(bpm) == 2


def test_a_refused_request_frees_its_key(app, wang, bpm):
    wang.post("/instances", {**START, "data": {}}, status=422, Idempotency_Key="a-1")
    assert kept(app) == []

    wang.post("/instances", START, status=201, Idempotency_Key="a-1")
    assert cases(bpm) == 1


def test_many_at_once_have_one_effect(app, bpm):
    sent = [Program(app, "wang") for _ in range(6)]
    gate, got = threading.Barrier(6), []

    def send(one: Program) -> None:
        headers = one.headers({"Idempotency-Key": "a-1"})
        gate.wait()
        got.append(one.client.post(f"{BASE}/instances", json=START, headers=headers).status_code)

    threads = [threading.Thread(target=send, args=(one,)) for one in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert cases(bpm) == 1
    assert 201 in got
    assert set(got) <= {201, 409}


def test_a_running_request_is_waited_for(app, wang, wall):
    half_way(app, wang, f"{BASE}/instances?", b"{}")

    waits = wang.post("/instances", START, status=422, Idempotency_Key="h-1")
    assert waits.json["code"] == "IDEMPOTENCY_KEY_REUSED"
    wrong = again(wang, "/instances", b"{}")
    assert wrong.status_code == 422  # its body never was right: refused before the key is asked


def half_way(app, program, path: str, body: bytes) -> None:
    """A process died with this request in its hands."""
    with app.app_context():
        wanted = idempotency.digest("POST ", path, body)
        idempotency.begin("wang", "h-1", wanted, repeatable=True)
        db.session.remove()


def again(program, path: str, body: bytes):
    return program.client.post(
        BASE + path,
        data=body,
        content_type="application/json",
        headers=program.headers({"Idempotency-Key": "h-1"}),
    )


def test_what_the_engine_refuses_to_do_twice_is_tried_again_after_a_minute(app, wang, task, wall):
    half_way(app, wang, f"{BASE}/tasks/{task}/claim?", b"{}")
    early = again(wang, f"/tasks/{task}/claim", b"{}")
    assert (early.status_code, early.json["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert early.headers["Retry-After"] == "1"

    wall.advance(timedelta(seconds=61))

    assert again(wang, f"/tasks/{task}/claim", b"{}").status_code == 200
    assert kept(app) == ["done"]


def test_what_could_happen_twice_is_told_to_be_unknown(app, wang, task, wall, bpm):
    body = '{"text": "已入户"}'.encode()
    half_way(app, wang, f"{BASE}/tasks/{task}/comment?", body)
    wall.advance(timedelta(seconds=61))

    wrong = again(wang, f"/tasks/{task}/comment", body)

    assert (wrong.status_code, wrong.json["code"]) == (409, "OUTCOME_UNKNOWN")
    assert bpm.tasks.comments(bpm.identity.actor("wang"), task_id=task) == ()


def broken(*_args, **_kwargs):
    raise RuntimeError("the disk is full")


def test_a_fault_of_ours_leaves_an_effect_unknown_and_is_not_repeated(
    app, wang, task, bpm, monkeypatch
):
    said = {"text": "已入户"}
    with monkeypatch.context() as patched:
        patched.setattr(bpm.tasks, "comment", broken)
        wang.post(f"/tasks/{task}/comment", said, status=500, Idempotency_Key="a-1")

    wrong = wang.post(f"/tasks/{task}/comment", said, status=409, Idempotency_Key="a-1").json
    assert wrong["code"] == "OUTCOME_UNKNOWN"
    assert "disk" not in str(wrong)


def test_a_start_that_was_done_but_not_answered_is_answered(app, wang, bpm):
    first = wang.post("/instances", START, status=201, Idempotency_Key="a-1").json
    with app.app_context():
        # The process died between the commit of the engine and the answer.
        db.session.execute(
            update(ApiRequest).values(
                state="running", at=db.session.scalar(select(ApiRequest.at)) - timedelta(hours=1)
            )
        )
        db.session.commit()

    again = wang.post("/instances", START, status=201, Idempotency_Key="a-1").json

    assert again["id"] == first["id"]
    assert cases(bpm) == 1


def test_a_completion_that_was_done_but_not_answered_is_answered(app, wang, task, bpm):
    vault.configure(b"v" * 40)
    data = {"data": {"name": "张三", "amount": 5, "kind": "fire", "members": []}}
    first = wang.post(f"/tasks/{task}/complete", data, Idempotency_Key="a-1")
    with app.app_context():
        # The process died between the commit of the engine and the answer.
        db.session.execute(update(ApiRequest).values(state="running", at=ApiRequest.at))
        db.session.execute(
            update(ApiRequest).values(
                at=db.session.scalar(select(ApiRequest.at)) - timedelta(hours=1)
            )
        )
        db.session.commit()

    second = wang.post(f"/tasks/{task}/complete", data, Idempotency_Key="a-1")

    assert second.json["task_id"] == first.json["task_id"]
    actor = bpm.identity.actor("wang")
    facts = bpm.history.timeline(first.json["instance_id"], actor).rows
    assert [fact.kind for fact in facts].count("task.completed") == 1


def test_a_key_lives_a_day(app, wang, task, wall):
    wang.post(f"/tasks/{task}/claim", Idempotency_Key="a-1")
    wall.advance(timedelta(hours=25))

    wang.post(f"/tasks/{task}/release", Idempotency_Key="a-1")


@pytest.mark.parametrize("key", ["", " ", "x" * 101, "ключ", "a b", "a\tb"])
def test_a_key_is_a_short_word(key, wang, task):
    answer = wang.client.post(
        f"{BASE}/tasks/{task}/claim", json={}, headers=wang.headers({"Idempotency-Key": key})
    )
    assert answer.status_code == 422


def test_the_digest_cannot_be_guessed_without_our_secret(app):
    with app.app_context():
        told = idempotency.digest("POST", "/x", b"11010519491231002X")
    assert told != idempotency.hashlib.sha256(b"POST\n/x\n11010519491231002X").hexdigest()
