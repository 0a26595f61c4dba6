"""Two programs with the same task: who read it before the other changed it is told so."""

from __future__ import annotations

import pytest

from tests.pages.api_client import Program


@pytest.fixture
def wang(app):
    return Program(app, "wang")


def test_a_task_carries_its_version_as_an_entity_tag(wang, task):
    got = wang.get(f"/tasks/{task}")

    assert got.headers["ETag"] == f'"{got.json["version"]}"'


def test_an_old_version_in_the_body_is_a_conflict(wang, task):
    wang.post(f"/tasks/{task}/claim", {"version": 1})

    assert wang.post(f"/tasks/{task}/release", {"version": 1}, status=409).json["code"] == "STALE"


def test_an_old_entity_tag_is_a_failed_precondition(wang, task):
    claimed = wang.post(f"/tasks/{task}/claim", If_Match='"1"')

    wrong = wang.post(f"/tasks/{task}/release", status=412, If_Match='"1"').json
    assert wrong["code"] == "VERSION_MISMATCH"
    wang.post(f"/tasks/{task}/release", status=412, If_Match='W/"2"')
    wang.post(f"/tasks/{task}/release", If_Match=claimed.headers["ETag"])


def test_any_version_will_do_where_none_is_named(wang, task):
    wang.post(f"/tasks/{task}/claim", If_Match="*")
    wang.post(f"/tasks/{task}/release")
