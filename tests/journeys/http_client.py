"""One person without a script engine: opens what is on the page, fills forms as they stand."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import lxml.html
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

#: what the server reads beside the fields it drew
ALWAYS = frozenset({"csrf_token"})


class Person:
    """A browser that goes only where the page leads and sends only what its forms have.

    Raises AssertionError for a field or a choice that is not on the form, a button that is not
    there, an answer with another status; posts answer 303 and are followed.
    """

    def __init__(self, app: Flask, login: str = "", password: str = "") -> None:
        self.client = app.test_client()
        self.page: TestResponse | None = None
        if login:
            self.get("/login")
            form = next(one for one in self.tree.forms if "password" in dict(one.fields))
            self.fill(form, {"login": login, "password": password})
            assert "/login" not in self.here, f"{login} is not let in"

    # --- looking -----------------------------------------------------------------------------

    def get(self, path: str, *, status: int = 200) -> Person:
        return self._seen(self.client.get(path, follow_redirects=True), status)

    @property
    def here(self) -> str:
        """The address in the bar."""
        assert self.page is not None
        return self.page.request.path

    @property
    def html(self) -> str:
        return self.page.get_data(as_text=True) if self.page else ""

    @property
    def tree(self) -> Any:
        return lxml.html.fromstring(self.html)

    @property
    def text(self) -> str:
        """The words of the main part."""
        main = self.html.partition("<main")[2].partition("</main>")[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))

    def link(self, words: str) -> str:
        found = [a for a in self.tree.iterfind(".//a") if words in a.text_content()]
        assert found, f"no link “{words}” in: {self.text[:600]}"
        return str(found[0].get("href"))

    def follow(self, words: str) -> Person:
        return self.get(self.link(words))

    def tasks(self, step: str, about: str = "") -> list[str]:
        """Addresses of my tasks at this step, as the worklist shows them, page after page."""
        found: list[str] = []
        self.get("/tasks")
        while True:
            for row in self.tree.iterfind(".//tbody/tr"):
                title, name = (cell.text_content().strip() for cell in row[:2])
                if name == step and about in title:
                    found.append(str(row.find(".//a").get("href")))
            older = [a for a in self.tree.iterfind(".//a") if a.get("rel") == "next"]
            if not older:
                return found
            self.get(str(older[0].get("href")))

    def open(self, step: str, about: str = "") -> Person:
        found = self.tasks(step, about)
        assert found, f"no task “{step}” {about} in: {self.text[:600]}"
        return self.get(found[0])

    def buttons(self) -> set[str]:
        """The words on the buttons that can be pressed."""
        return {one.text_content().strip() for one in self.tree.iterfind(".//button")}

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
        assert self.page is not None
        sent: MultiDict[str, Any] = MultiDict(form.form_values())
        for name, value in (data or {}).items():
            values = list(value) if isinstance(value, list) else [value]
            _check_offered(form, name, values)
            sent.setlist(name, values)
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
        """A post with the token of the page. For what no button offers: say why where it is used."""
        sent = MultiDict(data)
        sent.setdefault("csrf_token", self._token())
        answer = self.client.post(path, data=_with_files(sent), content_type="multipart/form-data")
        if answer.status_code in {301, 302, 307, 308}:
            raise AssertionError(f"a post must answer 303, not {answer.status_code}: {path}")
        if answer.status_code == 303:
            answer = self.client.get(answer.headers["Location"], follow_redirects=True)
        return self._seen(answer, status)

    def _button(self, form: Any, words: str) -> Any:
        own = form.get("id")
        root = form.getroottree().getroot()
        for button in root.iter("button"):
            owner = button.get("form")
            inside = owner == own if owner else form in list(button.iterancestors("form"))
            if inside and button.text_content().strip() == words:
                return button
        raise AssertionError(f"no button “{words}” in: {self.text[-600:]}")

    def _token(self) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.html)
        return found[1] if found else ""

    def _seen(self, answer: TestResponse, status: int) -> Person:
        self.page = answer
        assert answer.status_code == status, f"{answer.status_code}: {self.text[:900]}"
        return self


def _check_offered(form: Any, name: str, values: list[Any]) -> None:
    """A person can only fill what is there and choose what is offered."""
    fields = [
        one
        for one in form.iter("input", "select", "textarea")
        if one.get("name") == name and one.get("disabled") is None
    ]
    assert fields or name in ALWAYS, f"no field {name} among {sorted(set(form.fields.keys()))}"
    offered: set[str] = set()
    for one in fields:
        if one.tag == "select":
            offered |= {o.get("value", o.text_content().strip()) for o in one.iter("option")}
        elif one.get("type") in {"radio", "checkbox"}:
            offered.add(one.get("value", "on"))
        else:
            return
    for value in values:
        assert str(value) in offered, f"{name} offers {sorted(offered)}, not {value}"


def _with_files(sent: MultiDict[str, Any]) -> MultiDict[str, Any]:
    """Pairs of name and bytes become uploads, fresh for this request."""
    ready: MultiDict[str, Any] = MultiDict()
    for name, value in sent.items(multi=True):
        if isinstance(value, tuple):
            ready.add(name, (io.BytesIO(value[1]), value[0]))
        else:
            ready.add(name, value)
    return ready
