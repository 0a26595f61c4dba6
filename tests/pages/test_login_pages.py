"""Logging in: lock-out, fixation, idle time, redirects that stay on this site."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from webforms.shell import accounts

PASSWORD = "Warm-winter-2026"


def test_it_opens_the_worklist_after_login(as_):
    page = as_("wang")

    assert "待办" in page.text
    assert "王经办" in page.html


def test_it_says_the_same_for_a_wrong_name_and_a_wrong_password(browser):
    texts = []
    for name in ("wang", "nobody"):
        page = browser().get("/login")
        page.post("/login", {"login": name, "password": "wrong"}, status=422)
        texts.append(re.sub(name, "", page.text))

    assert texts[0] == texts[1]
    assert "用户名或密码不正确" in texts[0]


def test_it_locks_a_name_after_five_failures_also_for_the_right_password(browser, wall):
    page = browser().get("/login")
    for _ in range(5):
        page.post("/login", {"login": "wang", "password": "wrong"}, status=422)

    page.post("/login", {"login": "wang", "password": PASSWORD}, status=429)
    assert "15 分钟" in page.text

    wall.advance(timedelta(minutes=16))
    page.post("/login", {"login": "wang", "password": PASSWORD})
    assert "待办" in page.text


def test_it_forgets_failures_after_a_quarter_of_an_hour(browser, wall):
    page = browser().get("/login")
    for _ in range(4):
        page.post("/login", {"login": "wang", "password": "wrong"}, status=422)
    wall.advance(timedelta(minutes=20))
    page.post("/login", {"login": "wang", "password": "wrong"}, status=422)

    page.post("/login", {"login": "wang", "password": PASSWORD})
    assert "待办" in page.text


def test_it_locks_an_address_that_tries_many_names(browser):
    page = browser().get("/login")
    for number in range(accounts.ADDRESS_FAILURES):
        page.post("/login", {"login": f"name{number}", "password": "wrong"}, status=422)

    page.post("/login", {"login": "wang", "password": PASSWORD}, status=429)


def test_it_gives_a_new_session_at_login(browser):
    page = browser().get("/login")
    before = page.client.get_cookie("nuanliu").value
    page.post("/login", {"login": "wang", "password": PASSWORD})

    assert page.client.get_cookie("nuanliu").value != before


def test_an_old_cookie_is_worth_nothing_after_logout(as_, browser):
    page = as_("wang")
    stolen = page.client.get_cookie("nuanliu").value
    page.post("/logout")

    thief = browser()
    thief.client.set_cookie("nuanliu", stolen)
    thief.get("/tasks")
    assert "登录暖流" in thief.text


def test_it_ends_an_idle_session(as_, wall):
    page = as_("wang")
    wall.advance(timedelta(minutes=29))
    page.get("/tasks")
    assert "登录暖流" not in page.text

    wall.advance(timedelta(minutes=31))
    page.get("/tasks")
    assert "登录暖流" in page.text


def test_moving_the_demo_clock_ends_no_session(as_):
    page = as_("wang")
    page.post("/demo/clock", {"advance": "day"})

    assert "登录暖流" not in page.text
    assert "时钟已到" in page.html


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:/x"],
)
def test_it_never_leads_to_another_site(browser, target):
    page = browser().get(f"/login?next={target}")
    answer = page.client.post(
        "/login",
        data={"csrf_token": page.token(), "login": "wang", "password": PASSWORD, "next": target},
    )

    assert answer.headers["Location"] == "/tasks"


def test_it_leads_back_to_the_page_that_was_asked_for(browser):
    page = browser().get("/instances?status=active")
    page.post(
        "/login",
        {"login": "wang", "password": PASSWORD, "next": page.hidden("next").replace("&amp;", "&")},
    )

    assert "办件" in page.text


def test_changing_the_password_ends_the_other_sessions(as_, browser):
    here, there = as_("wang"), as_("wang")
    here.get("/password").post(
        "/password", {"old": PASSWORD, "new": "Snow-and-rice-7", "again": "Snow-and-rice-7"}
    )
    assert "密码已修改" in here.text

    there.get("/tasks")
    assert "登录暖流" in there.text
    here.get("/tasks")
    assert "待办" in here.text


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        ("short", "10 到 200"),
        ("onlylowercase", "至少三类"),
        ("Wang-wang-2026", "不能包含用户名"),
        (PASSWORD, "不能与原密码相同"),
    ],
)
def test_it_refuses_a_weak_password(as_, new, fault):
    page = as_("wang").get("/password")
    page.post("/password", {"old": PASSWORD, "new": new, "again": new}, status=422)

    assert fault in page.text


def test_a_first_password_must_be_changed_before_anything_else(app, browser):
    with app.app_context():
        accounts.create("wang", "wang", PASSWORD, must_change=True)

    page = browser().login("wang")
    assert "初始密码" in page.text
    page.get("/tasks")
    assert "初始密码" in page.text


def test_a_closed_account_is_out_at_once(app, as_):
    page = as_("wang")
    with app.app_context():
        accounts.set_disabled("wang", disabled=True)

    page.get("/tasks")
    assert "登录暖流" in page.text


def test_it_keeps_passwords_only_as_argon2(app):
    with app.app_context():
        stored = accounts.of(["wang"])["wang"].password_hash

    assert stored.startswith("$argon2id$")


def test_it_remembers_the_elder_version(browser):
    page = browser().get("/login").post("/elder")

    assert "data-elder" in page.html
    assert "标准版" in page.html


def test_it_speaks_english_on_demand(browser):
    page = browser().get("/login").post("/language", {"lang": "en"})

    assert "Sign in" in page.text
