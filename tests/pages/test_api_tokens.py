"""Who may speak for whom, until when; and that nothing but the token counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from engine import errors
from tests.pages.api_client import BASE, Program, token_of
from webforms.api import route
from webforms.cli import token as command
from webforms.database import db
from webforms.shell import accounts, limits, tokens


def asks(app, text: str) -> int:
    headers = {"Authorization": f"Bearer {text}"}
    return app.test_client().get(f"{BASE}/me", headers=headers).status_code


def test_it_acts_as_its_participant(app):
    me = Program(app, "wang").get("/me").json

    assert me["id"] == "wang"
    assert me["seats"][0]["role"] == "village_clerk"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer nlt_x", "Basic d2FuZzp4", "nlt_x", "Bearer " + "x" * 9000],
)
def test_it_lets_nobody_in_without_a_good_token(header, app):
    answer = app.test_client().get(f"{BASE}/me", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json["code"] == "UNAUTHENTICATED"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_login_in_the_browser_is_no_token(as_):
    one = as_("wang")

    assert one.client.get(f"{BASE}/me").status_code == 401
    assert one.client.post(f"{BASE}/signals", json={}).status_code == 401


def test_a_token_is_no_login_in_the_browser(app):
    headers = {"Authorization": f"Bearer {token_of(app, 'wang')}"}

    assert app.test_client().get("/tasks", headers=headers).status_code == 303


def test_it_ends_by_itself(app, wall):
    text = token_of(app, "wang", lifetime=timedelta(days=2))
    assert asks(app, text) == 200
    wall.advance(timedelta(days=2, seconds=1))
    assert asks(app, text) == 401


def test_it_ends_when_somebody_revokes_it(app, as_):
    text = token_of(app, "wang", name="接口程序")
    with app.app_context():
        made = tokens.of("wang")[0]
    guard = as_("guard").get("/admin/people/wang")
    assert "接口程序" in guard.html
    assert text not in guard.html
    with app.app_context(), pytest.raises(errors.NotFound):
        tokens.revoke("wu", made.id)

    guard.post(f"/admin/people/wang/tokens/{made.id}/revoke")

    assert asks(app, text) == 401
    assert "已吊销" in guard.get("/admin/people/wang").html


def test_it_ends_with_the_login_and_with_the_participant(app, bpm):
    text, other = token_of(app, "wang"), token_of(app, "wu")
    with app.app_context():
        accounts.set_disabled("wang", disabled=True)
    bpm.identity.change_participant("wu", active=False)

    assert (asks(app, text), asks(app, other)) == (401, 401)


def test_only_its_hash_is_kept_and_when_it_was_used(app, wall):
    text = token_of(app, "wang")
    asks(app, text)
    with app.app_context():
        row = db.session.scalars(select(tokens.ApiToken)).one()
        assert text not in str(vars(row))
        assert row.used_at == wall.now()


def test_no_token_outlives_two_years(app):
    with app.app_context(), pytest.raises(errors.InvalidInput):
        tokens.issue("wang", by="x", lifetime=timedelta(days=800))


def test_the_seats_of_today_count_not_those_of_the_day_it_was_made(app, bpm):
    program = Program(app, "sun")
    assert program.get("/tasks").json["items"] == []
    for seat in bpm.identity.participant("sun").seats:
        bpm.identity.end_seat(seat.id)

    assert program.get("/me").json["seats"] == []


@pytest.fixture
def run(app, settings, monkeypatch):
    monkeypatch.setenv("NUANLIU_DATA", str(settings.data))
    monkeypatch.setenv("NUANLIU_DATABASE", settings.database_url)
    monkeypatch.setenv("NUANLIU_SECRET", settings.secret_key)
    monkeypatch.setenv("NUANLIU_VAULT_KEY", settings.vault_key)
    return lambda *given: CliRunner().invoke(command.token, list(given))


def test_the_command_prints_it_once_and_nothing_else_to_its_output(app, run):
    made = run("wang", "--name", "报表")

    text = made.stdout.strip()
    assert text.startswith("nlt_")
    assert "只显示这一次" in made.stderr
    assert asks(app, text) == 200
    listed = run("wang", "--list").stdout
    assert "报表" in listed
    assert "有效" in listed
    assert text not in listed
    token_id = listed.split()[0]
    assert run("wang", "--revoke", token_id).stdout.strip() == "已吊销"
    assert "已吊销" in run("wang", "--list").stdout


def test_the_command_knows_nobody_else(run):
    assert isinstance(run("nobody").exception, errors.NotFound)
    assert isinstance(run("wang", "--revoke", "x").exception, errors.NotFound)
    assert run("wang", "--days", "9999").exit_code == 2


def test_a_program_that_runs_away_is_slowed_down(app, wall, monkeypatch):
    monkeypatch.setattr(route, "TOKEN", limits.Rate(burst=3, per_second=1))
    program = Program(app, "wang")
    for _ in range(3):
        program.get("/me")
    wrong = program.get("/me", status=429)
    assert wrong.json["code"] == "TOO_MANY_REQUESTS"
    assert wrong.headers["Retry-After"] == "1"
    # Each token has its own bucket, and it fills again.
    Program(app, "wu").get("/me")
    wall.advance(timedelta(seconds=2))
    program.get("/me")


def test_guessing_tokens_is_slowed_down_by_address(app, monkeypatch):
    monkeypatch.setattr(route, "ADDRESS", limits.Rate(burst=3, per_second=1))
    nobody = Program(app)
    got = [nobody.client.get(f"{BASE}/me").status_code for _ in range(5)]

    assert got == [401, 401, 401, 429, 429]
