"""→ Reserved for a colleague who could have claimed it himself."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(
        office.user_task("register"), office.user_task("review", differentFrom="register")
    )
    office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    return task


def test_it_hands_the_task_to_the_colleague(office, task):
    office.engine.tasks.delegate(task.id, office.actor("wang"), "li", reason="出差")

    assert office.see(task.id).owner == "li"
    assert ("task_opened", "li") in office.messages()


def test_it_refuses_a_receiver_without_the_role(office, task):
    with pytest.raises(errors.InvalidInput) as refused:
        office.engine.tasks.delegate(task.id, office.actor("wang"), "sun")

    assert "to" in refused.value.fields


def test_it_refuses_an_unknown_receiver(office, task):
    with pytest.raises(errors.NotFound):
        office.engine.tasks.delegate(task.id, office.actor("wang"), "nobody")


def test_it_refuses_who_does_not_have_the_task(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.delegate(task.id, office.actor("li"), "li")


def test_it_refuses_a_receiver_who_did_the_step_that_must_differ(office, task):
    office.engine.tasks.complete(task.id, office.actor("wang"), {})
    review = office.task("li", "review")
    office.engine.tasks.claim(review.id, office.actor("li"))

    with pytest.raises(errors.SeparationOfDuties):
        office.engine.tasks.delegate(review.id, office.actor("li"), "wang")


def test_a_task_without_an_office_stays_with_people_who_see_the_case(office):
    office.deploy(
        office.step(tag="userTask", id="sign", extensions='<nl:task owner="=&quot;wang&quot;"/>'),
        key="owned",
    )
    office.start("owned")
    task = office.task("wang", "sign")

    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.delegate(task.id, office.actor("wang"), "sun")
    office.engine.tasks.delegate(task.id, office.actor("wang"), "li")

    assert office.see(task.id).owner == "li"
