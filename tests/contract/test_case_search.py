"""Finding cases: by a part of the title through a stretch at a time, by their number at once."""

from __future__ import annotations

from functools import partial

import pytest

from engine import SYSTEM, InstanceStatus
from engine.services import case_search
from tests.contract import whole_lists


@pytest.fixture
def office(office):
    office.deploy(office.user_task("register"))
    return office


def begun(office, number, title="户"):
    return [
        office.engine.runtime.start(
            "case", SYSTEM, region=office.village, title=f"{title}{index}",
            business_key=f"{title}-{index}",
        )
        for index in range(number)
    ]  # fmt: skip


def walked(office, actor, search):
    """Titles of all pages, and how long each page was."""
    ask = partial(office.engine.runtime.instances, actor, search=search)
    rows, lengths = whole_lists.walked(ask, limit=4)
    return [row.title for row in rows], lengths


@pytest.mark.parametrize("who", ["wang", "chen", "system"])
def test_a_search_goes_on_page_by_page_until_all_was_looked_through(office, monkeypatch, who):
    monkeypatch.setattr(case_search, "LOOKED_THROUGH", 5)
    begun(office, 2, "张家")
    begun(office, 23)
    begun(office, 1, "张家")
    actor = SYSTEM if who == "system" else office.actor(who)

    seen, lengths = walked(office, actor, "张")

    assert seen == ["张家0", "张家1", "张家0"]
    assert 0 in lengths


def test_a_full_page_is_followed_by_the_rest_each_once(office):
    begun(office, 11)

    seen, lengths = walked(office, office.actor("chen"), "户")

    assert seen == [f"户{number}" for number in reversed(range(11))]
    assert lengths == [4, 4, 3]


def test_who_knows_the_number_finds_an_old_case_at_once(office, monkeypatch):
    monkeypatch.setattr(case_search, "LOOKED_THROUGH", 5)
    begun(office, 30)

    page = office.engine.runtime.instances(office.actor("chen"), search="户-3", limit=4)

    assert [row.title for row in page.rows] == ["户3"]


def test_a_stranger_finds_nothing_by_title_or_number(office):
    begun(office, 3)
    office.hire("he", "何安检", ("safety_inspector", office.county))

    for search in ("户", "户-1"):
        assert walked(office, office.actor("he"), search)[0] == []


def test_the_signs_of_a_pattern_are_letters_like_others(office):
    begun(office, 3)

    assert walked(office, SYSTEM, "%")[0] == []
    assert walked(office, SYSTEM, "_")[0] == []


OTHER_COUNTIES = ("349798101201", "349698101201")


@pytest.mark.parametrize("search", [None, "户"])
def test_cases_that_are_over_are_listed_from_all_counties_each_once(office, monkeypatch, search):
    monkeypatch.setattr(case_search, "LOOKED_THROUGH", 3)
    monkeypatch.setattr(case_search, "LEAST_LOOKED_THROUGH", 2)
    over = []
    for number in range(12):
        unit = (office.village, *OTHER_COUNTIES)[number % 3]
        case = office.engine.runtime.start("case", SYSTEM, region=unit, title=f"户{number}")
        office.engine.runtime.start("case", SYSTEM, region=unit, title=f"户{number}，在办")
        if number % 4:
            office.engine.runtime.terminate(case, SYSTEM, "重复")
            over.append(case)

    ask = partial(office.engine.runtime.instances, SYSTEM, status=InstanceStatus.TERMINATED)
    seen, _ = whole_lists.walked(ask, search=search, limit=4)

    assert [row.id for row in seen] == over[::-1]
    none = office.engine.runtime.instances(SYSTEM, status=InstanceStatus.FAILED, search=search)
    assert none.rows == ()
    chen = office.engine.runtime.instances(
        office.actor("chen"), status=InstanceStatus.TERMINATED, search=search
    )
    assert {row.region for row in chen.rows} == {office.village}
    assert len(chen.rows) == 3
