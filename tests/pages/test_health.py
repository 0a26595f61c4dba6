"""What machines may ask: health, readiness, metrics; from where, and what the answers name."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from webforms.settings import WrongSetting, from_environment
from webforms.shell import logs

PATHS = ("/healthz", "/readyz", "/metrics")
OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}
TOKEN = "t" * 40


@pytest.fixture
def client(app):
    return app.test_client()


def with_settings(app, monkeypatch, **changed):
    held = app.extensions["nuanliu"]
    monkeypatch.setattr(held, "settings", held.settings.changed(**changed))


@pytest.mark.parametrize("path", PATHS)
def test_nobody_outside_learns_that_it_is_there(client, path):
    assert client.get(path).status_code == 200
    assert client.get(path, environ_overrides=OUTSIDE).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_a_network_of_the_settings_may_ask(app, client, monkeypatch, path):
    networks = from_environment({"NUANLIU_MONITOR_FROM": "203.0.113.0/24"}).monitors
    with_settings(app, monkeypatch, monitors=networks)

    assert client.get(path, environ_overrides=OUTSIDE).status_code == 200
    assert client.get(path, environ_overrides={"REMOTE_ADDR": "203.0.114.1"}).status_code == 404


def test_the_token_opens_and_a_wrong_one_does_not(app, client, monkeypatch):
    with_settings(app, monkeypatch, monitor_token=TOKEN)

    def ask(token):
        headers = {"Authorization": f"Bearer {token}"}
        return client.get("/metrics", headers=headers, environ_overrides=OUTSIDE).status_code

    assert (ask(TOKEN), ask("x" * 40), ask("")) == (200, 404, 404)


def test_an_empty_token_is_no_token(client):
    answer = client.get("/metrics", headers={"Authorization": "Bearer "}, environ_overrides=OUTSIDE)

    assert answer.status_code == 404


def test_it_is_not_ready_while_the_database_is_away_or_old(client, bpm, monkeypatch):
    assert client.get("/readyz").json["ready"] is True

    monkeypatch.setattr(bpm.upkeep, "schema", lambda: SimpleNamespace(is_served=False))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["schema"]) == (503, False)

    def away():
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(bpm.upkeep, "schema", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def families(client):
    text = client.get("/metrics").get_data(as_text=True)
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_the_metrics_name_what_an_operator_has_to_see(client):
    client.get("/login")

    found = families(client)

    for name in (
        "oldest_due_timer_seconds", "lost_timers", "dead_jobs", "oldest_message_seconds",
        "open_incidents", "queue_batches", "members", "http_requests", "http_request_seconds",
        "duties_given_up",
    ):  # fmt: skip
        assert f"nuanliu_{name}" in found
    counted = {
        (sample.labels["endpoint"], sample.labels["status"])
        for sample in found["nuanliu_http_requests"].samples
    }
    assert ("auth.login", "200") in counted


def test_an_address_that_is_not_there_makes_no_label_of_its_own(client):
    client.get("/no/such/page/4401")

    assert "4401" not in client.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUANLIU_MONITOR_FROM", "everywhere"),
        ("NUANLIU_MONITOR_TOKEN", "short"),
        ("NUANLIU_LOG", "xml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, name, value):
    with pytest.raises(WrongSetting, match=name):
        from_environment({name: value}, data=tmp_path)


# --- logs --------------------------------------------------------------------------------------


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line[:1] == "{"]


def test_a_line_of_a_request_names_request_actor_and_case(app, as_, case, monkeypatch, capsys):
    with_settings(app, monkeypatch, access_log=True)
    wang = as_("wang")
    capsys.readouterr()

    answer = wang.client.get(f"/instances/{case}?secret=1", headers={"X-Request-ID": "proxy-1234"})

    (line,) = lines(capsys.readouterr().out)
    assert answer.headers["X-Request-ID"] == line["request_id"] == "proxy-1234"
    assert (line["actor"], line["instance_id"]) == ("wang", case)
    assert (line["endpoint"], line["method"], line["status"]) == ("processes.instance", "GET", 200)
    assert "secret" not in json.dumps(line)


def test_a_number_that_could_break_a_line_is_replaced_by_one_of_ours(client):
    answer = client.get("/login", headers={"X-Request-ID": "a b<script>"})

    assert len(answer.headers["X-Request-ID"]) == 16


def test_the_next_request_of_a_thread_does_not_inherit_a_name(
    app, as_, client, monkeypatch, capsys
):
    with_settings(app, monkeypatch, access_log=True)
    as_("wang").client.get("/tasks")
    capsys.readouterr()

    client.get("/login")

    (line,) = lines(capsys.readouterr().out)
    assert "actor" not in line


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("身份证 11010519491231002X 有误", "身份证 ＊＊＊ 有误"),
        ("call 13812345678 now", "call ＊＊＊ now"),
        ("卡号6222021234567890123。", "卡号＊＊＊。"),
        ("Key (key)=(440524188001010014) already exists", "Key (key)=(＊＊＊) already exists"),
        ("region 349898101201", "region 349898101201"),
        ("case 0198c0de-1111-7222-8333-444455556666", "case 0198c0de-1111-7222-8333-444455556666"),
        ("2026-01-05T01:00:00.123456+00:00", "2026-01-05T01:00:00.123456+00:00"),
    ],
)
def test_numbers_of_people_are_blotted_out_and_others_stay(written, kept):
    assert logs.without_numbers(written) == kept


def test_lines_of_libraries_are_json_and_blotted_too(app, capsys):
    try:
        int("account 6222021234567890123")
    except ValueError:
        logging.getLogger("engine.jobs").exception("job %s failed", "j1")

    (line,) = lines(capsys.readouterr().err)
    assert (line["logger"], line["level"], line["event"]) == (
        "engine.jobs",
        "error",
        "job j1 failed",
    )
    assert "622202" not in line["exception"]
