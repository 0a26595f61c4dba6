"""Pages in two languages from one template, addresses and signs: quick, and the same as before."""

from __future__ import annotations

import pytest
from flask import Flask, session, url_for
from jinja2 import DictLoader

from webforms.shell import links, templating, words
from webforms.shell.assets import drawn

PAGES = {
    "page.html": "{{ _('取消') }}|{{ _('时限 %(at)s', at=at) }}|{{ '短' if short else _('取消') }}",
    "bare.html": "{{ _(text) }}",
}


@pytest.fixture
def app() -> Flask:
    app = Flask("nothing")
    app.secret_key = "s"
    app.jinja_loader = DictLoader(PAGES)
    templating.install(app)
    links.install(app)
    app.add_url_rule("/tasks/<task_id>", "task")
    app.add_url_rule("/years/<int:number>/<verb>", "year")
    app.add_url_rule("/at/<any(on, off):verb>", "switch")
    app.add_url_rule("/first", "paged", defaults={"page": "one"})
    app.add_url_rule("/pages/<page>", "paged")
    return app


def said(app: Flask, name: str, language: str, **context: object) -> str:
    with app.test_request_context(headers={"Cookie": f"lang={language}"}):
        return templating.render(name, **context)


def test_each_reader_hears_his_language_from_the_same_template(app):
    for _ in range(2):
        assert said(app, "page.html", "zh", at="<早>") == "取消|时限 &lt;早&gt;|取消"
        assert said(app, "page.html", "en", at="<早>") == "Cancel|Due &lt;早&gt;|Cancel"
        assert said(app, "page.html", "fr", at="1").startswith("取消|")


def test_a_text_known_only_at_run_time_is_translated_too(app):
    assert said(app, "bare.html", "en", text="取消") == "Cancel"
    assert said(app, "bare.html", "zh", text="取消") == "取消"


def test_a_text_made_before_anybody_reads_is_said_in_the_language_of_its_reader(app):
    text = words.lazy_gettext("取消")

    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert str(text) == "Cancel"
    assert f"{text}" == "取消"


CASES = [
    ("task", {"task_id": "01a20350-0188"}),
    ("task", {"task_id": "张三/李四 ?&%"}),
    ("task", {"task_id": "a", "tab": "all", "q": "b_c"}),
    ("task", {"task_id": "a", "q": "空 格", "none": None}),
    ("task", {"task_id": "a", "_anchor": "files"}),
    ("task", {"q": "b", "task_id": "a"}),
    ("year", {"number": 7, "verb": "on"}),
    ("year", {"number": "7", "verb": "on"}),
    ("year", {"verb": "on", "number": 7}),
    ("switch", {"verb": "on"}),
    ("paged", {"page": "one"}),
    ("paged", {"page": "two"}),
]


@pytest.mark.parametrize(("endpoint", "values"), CASES)
@pytest.mark.parametrize("below", ["", "/office"])
def test_an_address_is_what_flask_says(app, endpoint, values, below):
    for _ in range(2):
        with app.test_request_context("/", base_url=f"http://localhost{below}/"):
            assert links.to(endpoint, **values) == url_for(endpoint, **values)


def test_addresses_of_strangers_fill_no_memory(app, monkeypatch):
    monkeypatch.setattr(links, "MOST_KEPT", 3)
    with app.test_request_context("/"):
        for number in range(9):
            name = f"q{number}"
            assert links.to("task", task_id="a", **{name: "b"}) == f"/tasks/a?{name}=b"
    assert len(app.extensions[links.EXTENSION]) == 3


def test_an_address_nobody_knows_is_refused_as_before(app):
    with app.test_request_context("/"), pytest.raises(LookupError):
        links.to("task")


def test_a_sign_escapes_what_it_is_called():
    assert 'aria-label="&lt;a&gt; &amp; b"' in drawn("/s.svg", "find", "<a> & b")
    assert drawn("/s.svg", "find").count("aria-hidden") == 1


def test_the_session_is_the_readers_own(app):
    with app.test_request_context("/"):
        session["who"] = "wang"
        app.jinja_loader.mapping["who.html"] = "{{ session.who }}"
        assert templating.render("who.html") == "wang"
    with app.test_request_context("/"):
        assert templating.render("who.html") == ""
