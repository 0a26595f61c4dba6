"""What holds for every page: its weight, its language, its headers, words for every error."""

from __future__ import annotations

import re

import pytest

from engine import SystemClock
from webforms.app import create_app

SUMMARY = "登记、审核、发放三步的小流程，供页面测试。"
COLD_CACHE_LIMIT = 60_000
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def transferred(client, path: str) -> bytes:
    answer = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert answer.status_code == 200, path
    heads = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    body = answer.get_data()
    answer.close()
    return b"0" * (len(body) + heads)


def test_the_first_worklist_page_is_light_on_a_cold_cache(as_, bpm, app):
    wang = bpm.identity.actor("wang")
    for number in range(30):
        bpm.runtime.start(
            "sample",
            wang,
            variables={"name": f"第{number}户人家", "town": "349898101000"},
            region="349898101201",
            title=f"第{number}户人家的临时救助申请",
        )
    page = as_("wang").get("/tasks")
    assert page.html.count("登记：") == 30

    static = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.html))
    assert any(name.partition("?")[0].endswith(".css") for name in static)
    assert any(name.partition("?")[0].endswith(".js") for name in static)
    total = sum(len(transferred(page.client, path)) for path in ("/tasks", *static))

    assert total <= COLD_CACHE_LIMIT, f"{total} bytes for {sorted(static)}"


@pytest.mark.parametrize("path", ["/login", "/tasks", "/instances", "/processes", "/password"])
def test_a_page_in_english_has_no_untranslated_words_of_ours(as_, browser, path):
    page = browser().get("/login") if path == "/login" else as_("sun").get(path)
    page.post("/language", {"lang": "en"})
    page.get(path)

    words = page.text.replace("中文", "").replace("临时救助申请", "").replace(SUMMARY, "")
    assert not CHINESE.search(words), CHINESE.findall(words)
    assert '<html lang="en"' in page.html


def test_every_answer_carries_the_security_headers(browser):
    answer = browser().get("/login").page

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


def test_the_nonce_is_new_in_every_answer(browser):
    page = browser()
    first = page.get("/login").page.headers["Content-Security-Policy"]
    second = page.get("/login").page.headers["Content-Security-Policy"]

    assert first != second


def test_the_cookie_is_closed_to_scripts_and_other_sites(browser):
    cookie = browser().get("/login").page.headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "没有找到"),
        ("/admin/people", 403, "没有权限"),
        ("/logout", 405, "打开方式不对"),
    ],
)
def test_it_says_in_words_what_is_wrong(as_, path, status, words):
    page = as_("wang").get(path, status=status)

    assert words in page.text
    assert "Traceback" not in page.html


def test_it_shows_nothing_internal_when_something_breaks(as_, app, monkeypatch, bpm):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    page = as_("sun")
    monkeypatch.setattr(bpm.worklist, "counts", broken)
    answer = page.client.get("/tasks")

    assert answer.status_code == 500
    assert "secret detail" not in answer.get_data(as_text=True)
    assert "系统出错了" in answer.get_data(as_text=True)


def test_a_view_without_a_permission_is_closed(app, as_):
    app.view_functions["worklist.home"] = lambda: "open"

    answer = as_("wang").client.get("/")
    assert answer.status_code == 403


def test_the_clock_route_is_not_there_when_time_is_real(settings, bpm):
    real = create_app(settings, engine=bpm, clock=SystemClock())

    assert "demo.move" not in real.view_functions


def test_moving_the_clock_does_what_became_due_on_the_way(as_, bpm, task):
    page = as_("wang")
    for _ in range(12):
        page.post("/demo/clock", {"advance": "day"})
    page.get("/tasks?tab=overdue")

    assert "登记：张三" in page.text
    assert "超期" in page.text
    page.get(f"/tasks/{task}")
    assert "超期 · 登记申请" in page.text


def test_it_answers_only_to_the_hosts_it_was_given(app):
    app.config["TRUSTED_HOSTS"] = ["cunwu.example.cn"]
    client = app.test_client()

    assert client.get("/login", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/login", headers={"Host": "cunwu.example.cn"}).status_code == 200
