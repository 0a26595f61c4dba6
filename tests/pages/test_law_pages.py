"""What an administrator reads of the law and of empty desks, where a process is published."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine import SYSTEM, read_policy
from webforms.database import db
from workflows.domain import division

LONELY = "349898101209"
LAW = read_policy(
    {
        "id": "register-first",
        "law": "某法第1条",
        "always_before": {"first": "register", "then": "review"},
    }
)


@pytest.fixture
def ruled(bpm, app) -> None:
    """The sample process with a law, and a village in which nobody sits."""
    package = bpm.repository.package(bpm.repository.latest("sample").id)
    seats = {"village_clerk": "village"}
    bpm.repository.deploy(replace(package, policies=(LAW,), seats=seats), SYSTEM)
    with app.app_context(), db.session.begin():
        division.add(db.session(), LONELY, "无人村")


def send(page, action: str, xml: str):
    return page.client.post(
        f"/admin/definitions/sample/modeler/{action}",
        data=xml.encode(),
        headers={"X-CSRFToken": page.token(), "Content-Type": "application/xml"},
    )


def drawing(bpm) -> str:
    return bpm.repository.xml(bpm.repository.latest("sample").id).decode()


def test_it_shows_the_law_and_the_desks_that_nobody_holds(as_, ruled) -> None:
    page = as_("admin").get("/admin/definitions/sample")

    assert "某法第1条" in page.text
    assert "无人村" in page.text
    assert "村（社区）经办人" in page.text


def test_publishing_says_how_many_desks_are_empty_and_goes_on(as_, bpm, ruled) -> None:
    page = as_("admin").get("/admin/definitions/sample/modeler")

    answer = send(page, "publish", drawing(bpm))

    assert answer.status_code == 200
    assert "个岗位没有人" in answer.json["message"]


def test_a_drawing_against_the_law_is_refused_with_its_path(as_, bpm, ruled) -> None:
    page = as_("admin").get("/admin/definitions/sample/modeler")
    marks = re.compile(r"<bpmn:(incoming|outgoing)>[^<]*</bpmn:(incoming|outgoing)>")
    swapped = (
        marks.sub("", drawing(bpm))
        .replace('"begin" targetRef="register"', '"begin" targetRef="review"')
        .replace('"register" targetRef="review"', '"review" targetRef="register"')
        .replace('id="f3" sourceRef="review"', 'id="f3" sourceRef="register"')
    )  # fmt: skip

    answer = send(page, "publish", swapped)

    assert answer.status_code == 422
    (finding,) = [one for one in answer.json["findings"] if one["rule"] == "policy.always_before"]
    assert "某法第1条" in finding["message"]
    assert (finding["element"], finding["path"]) == ("review", ["begin", "review"])
    assert bpm.repository.latest("sample").version == 2
