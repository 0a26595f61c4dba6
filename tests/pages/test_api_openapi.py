"""The description is right, whole, and of the routes that there are."""

from __future__ import annotations

import re
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from engine import states
from tests.pages.api_client import BASE, Program
from webforms.api import openapi, views

DOCUMENT = openapi.document(views.ROUTES)


def test_it_is_valid():
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_is_there_for_everybody(app):
    assert Program(app).get("/openapi.json").json == DOCUMENT


def test_it_tells_exactly_the_routes_of_the_application(app):
    there = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule).removeprefix(BASE))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    told = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}

    assert told == there


def test_every_verb_of_a_task_and_of_a_case_has_its_route():
    verbs = {verb.value for verb in states.Verb}
    cases = {"suspend", "resume", "terminate", "return", "pause", "continue"}

    assert {f"/tasks/{{task_id}}/{verb}" for verb in verbs} <= DOCUMENT["paths"].keys()
    assert {f"/instances/{{instance_id}}/{verb}" for verb in cases} <= DOCUMENT["paths"].keys()


def test_every_write_takes_an_idempotency_key_and_asks_for_a_token():
    for path, item in DOCUMENT["paths"].items():
        if "post" in item:
            names = {one["name"] for one in item["post"]["parameters"]}
            assert "Idempotency-Key" in names, path
            assert "security" not in item["post"], path


def test_the_manual_names_no_route_that_is_not_there():
    page = (Path(__file__).resolve().parents[2] / "docs/api.md").read_text()
    named = {
        re.sub(r"\$\w+", "{task_id}", path) for path in re.findall(r"/api/v1(/[\w/${}.]+)", page)
    }

    assert len(named) > 5
    assert named - DOCUMENT["paths"].keys() == set()


def test_names_are_unique():
    names = [op["operationId"] for item in DOCUMENT["paths"].values() for op in item.values()]

    assert len(names) == len(set(names))
