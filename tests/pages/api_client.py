"""A program with somebody's token: sends JSON, and holds every answer against the description."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from webforms.api import openapi, views
from webforms.shell import tokens
from workflows.domain import vault

BASE = "/api/v1"
_ROUTES = {(route.method, route.name): route for route in views.ROUTES}
_PROBLEM = openapi.document(views.ROUTES)["components"]["schemas"]["Problem"]


def token_of(app: Flask, participant_id: str, **given: Any) -> str:
    """A fresh token of a participant."""
    with app.app_context():
        return tokens.issue(participant_id, by="test", **given)[0]


class Program:
    """One participant's program; no token: anybody's."""

    def __init__(self, app: Flask, participant_id: str = "") -> None:
        vault.configure(b"v" * 40)
        self.app = app
        self.client = app.test_client()
        self.token = token_of(app, participant_id) if participant_id else ""

    def get(self, path: str, *, status: int = 200, **headers: str) -> TestResponse:
        return self._sent("GET", path, None, status, headers)

    def post(
        self, path: str, body: Any = None, *, status: int = 200, **headers: str
    ) -> TestResponse:
        return self._sent("POST", path, body if body is not None else {}, status, headers)

    def headers(self, given: dict[str, str]) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**own, **{name.replace("_", "-"): value for name, value in given.items()}}

    def _sent(
        self, method: str, path: str, body: Any, status: int, headers: dict[str, str]
    ) -> TestResponse:
        answer = self.client.open(
            BASE + path, method=method, json=body, headers=self.headers(headers)
        )
        assert answer.status_code == status, f"{method} {path}: {answer.text[:600]}"
        check(self.app, method, path, answer)
        return answer


def check(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """The answer is what the description promises."""
    assert answer.headers["X-Request-Id"]
    assert "Set-Cookie" not in answer.headers
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == answer.status_code
        OAS31Validator(_PROBLEM).validate(answer.json)
        return
    endpoint = app.url_map.bind("localhost").match((BASE + path).partition("?")[0], method=method)
    route = _ROUTES[method, endpoint[0].partition(".")[2]]
    assert answer.mimetype == route.media
    assert answer.status_code == route.status
    if route.answer is not None:
        OAS31Validator(dict(route.answer)).validate(answer.json)


DAY = timedelta(days=1)
