"""A small county on a real application, and people who only click: HTTP, forms, buttons."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import lxml.html
import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from webforms.app import create_app, create_engine
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts
from workflows import catalog
from workflows.demo.relief_people import COUNTY, PROFILES, TOWNS, UNITS, people
from workflows.demo.relief_story import picture

PASSWORD = "Warm-winter-2026"
NEAR, FAR = "349898101201", "349898101202"
HILL = "349898103201"
PLACES = ("349800000000", COUNTY, TOWNS[0], TOWNS[2], NEAR, FAR, HILL)


class Person:
    """One person's browser: opens what is on the page, fills forms as they stand, presses buttons."""

    def __init__(self, app: Flask, login: str = "") -> None:
        self.client = app.test_client()
        self.page: TestResponse | None = None
        if login:
            self.get("/login")
            self.send("/login", {"login": login, "password": PASSWORD})

    # --- looking -----------------------------------------------------------------------------

    def get(self, path: str, *, status: int = 200) -> Person:
        return self._seen(self.client.get(path, follow_redirects=True), status)

    @property
    def html(self) -> str:
        return self.page.get_data(as_text=True) if self.page else ""

    @property
    def tree(self) -> Any:
        return lxml.html.fromstring(self.html)

    @property
    def text(self) -> str:
        main = self.html.partition("<main")[2].partition("</main>")[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))

    def link(self, words: str) -> str:
        found = [a for a in self.tree.iterfind(".//a") if words in a.text_content()]
        assert found, f"no link “{words}” in: {self.text[:600]}"
        return str(found[0].get("href"))

    def follow(self, words: str) -> Person:
        return self.get(self.link(words))

    def tasks(self, step: str, about: str = "") -> list[str]:
        """Addresses of my tasks at this step, as the worklist shows them."""
        self.get("/tasks")
        rows = [row for row in self.tree.iterfind(".//tbody/tr") if len(row) > 1]
        return [
            str(row.find(".//a").get("href"))
            for row in rows
            if row[1].text_content().strip() == step and about in row[0].text_content()
        ]

    def open(self, step: str, about: str = "") -> Person:
        found = self.tasks(step, about)
        assert found, f"no task “{step}” {about} in: {self.text[:600]}"
        return self.get(found[0])

    # --- doing -------------------------------------------------------------------------------

    def form(self, action: str, **hidden: str) -> Any:
        """The form that posts to an address ending so and carries these values."""
        for form in self.tree.forms:
            values = dict(form.form_values())
            target = form.get("action") or ""
            if target.endswith(action) and hidden.items() <= values.items():
                return form
        raise AssertionError(f"no form {action} {hidden} in: {self.text[:900]}")

    def fill(
        self,
        form: Any,
        data: Mapping[str, object] | None = None,
        *,
        button: str = "",
        status: int = 200,
    ) -> Person:
        """Send a form as it stands with some fields changed; `button` is the words on it."""
        sent: MultiDict[str, Any] = MultiDict(form.form_values())
        for name, value in (data or {}).items():
            sent.setlist(name, list(value) if isinstance(value, list) else [value])
        target = form.get("action") or self.page.request.path
        if button:
            pressed = self._button(form, button)
            if pressed.get("name"):
                sent[pressed.get("name")] = pressed.get("value", "")
            target = pressed.get("formaction") or target
        return self.send(target, sent, status=status)

    def do(
        self, operation: str, data: Mapping[str, object], *, status: int = 200, **hidden: str
    ) -> Person:
        """One of the small forms of a panel."""
        return self.fill(self.form(f"/actions/{operation}", **hidden), data, status=status)

    def complete(
        self, button: str = "办结", data: Mapping[str, object] | None = None, *, status: int = 200
    ) -> Person:
        """Send the task's form with one of its buttons."""
        filled = {name if name == "reason" else f"f-{name}": v for name, v in (data or {}).items()}
        return self.fill(self.form("/complete"), filled, button=button, status=status)

    def send(self, path: str, data: Mapping[str, object], *, status: int = 200) -> Person:
        sent = MultiDict(data)
        sent.setdefault("csrf_token", self._token())
        answer = self.client.post(
            path, data=_with_files(sent), follow_redirects=True, content_type="multipart/form-data"
        )
        return self._seen(answer, status)

    def _button(self, form: Any, words: str) -> Any:
        own = form.get("id")
        for button in self.tree.iterfind(".//button"):
            inside = button.get("form") == own if button.get("form") else form in _above(button)
            if inside and button.text_content().strip() == words:
                return button
        # The same form was parsed twice: compare by address where identity is lost.
        for button in form.iterfind(".//button"):
            if button.text_content().strip() == words:
                return button
        raise AssertionError(f"no button “{words}” in: {self.text[-600:]}")

    def _token(self) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.html)
        return found[1] if found else ""

    def _seen(self, answer: TestResponse, status: int) -> Person:
        self.page = answer
        assert answer.status_code == status, f"{answer.status_code}: {self.text[:900]}"
        return self


def _above(element: Any) -> list[Any]:
    return list(element.iterancestors("form"))


def _with_files(sent: MultiDict[str, Any]) -> MultiDict[str, Any]:
    """Pairs of name and bytes become uploads, fresh for this request."""
    ready: MultiDict[str, Any] = MultiDict()
    for name, value in sent.items(multi=True):
        if isinstance(value, tuple):
            ready.add(name, (io.BytesIO(value[1]), value[0]))
        else:
            ready.add(name, value)
    return ready


def photo(name: str = "照片") -> tuple[str, bytes]:
    """An upload that is a picture."""
    return f"{name}.png", picture(name)


class County:
    """The application, its clock, and everybody's browser."""

    def __init__(self, app: Flask, engine: ProcessEngine, travelling: TravellingClock) -> None:
        self.app, self.engine, self.clock = app, engine, travelling
        self._known: dict[str, Person] = {}

    def person(self, role: str, unit: str, order: int = 0) -> Person:
        login = [p.id for p in people() if (p.role, p.unit) == (role, unit)][order]
        if login not in self._known:
            self._known[login] = Person(self.app, login)
        return self._known[login]

    def anybody(self) -> Person:
        return Person(self.app)

    def travel(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))
        self.settle()

    def settle(self) -> None:
        while self.engine.management.run_due():
            pass


@pytest.fixture
def county(tmp_path) -> Iterator[County]:
    travelling = TravellingClock(datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE))
    settings = Settings(
        data=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'journey.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )
    engine = create_engine(settings, travelling)
    app = create_app(settings, engine=engine, clock=travelling)
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    for code in PLACES:
        named = {"code": code, "name": UNITS[code], "profile": PROFILES.get(code)}
        engine.runtime.perform("division.save", SYSTEM, named)
    with app.app_context():
        for one in people():
            if one.unit in PLACES:
                engine.identity.create_participant(one.id, name=one.name, login=one.id)
                engine.identity.assign_seat(one.id, one.role, one.unit)
                accounts.create(one.id, one.id, PASSWORD)
    yield County(app, engine, travelling)
    with app.app_context():
        db.session.remove()
        for used in db.engines.values():
            used.dispose()
    engine.close()


@pytest.fixture
def snap() -> Callable[..., tuple[str, bytes]]:
    """Makes an upload that is a picture."""
    return photo
