"""→ Reserved: a manager names the owner."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(office.user_task("register"))
    office.start()
    return office.task("wang")


def test_the_head_of_the_office_names_the_owner(office, task):
    office.engine.tasks.nominate(task.id, office.actor("zhao"), "li", version=task.version)

    assert office.see(task.id).owner == "li"


def test_the_desk_above_names_the_owner(office, task):
    office.engine.tasks.nominate(task.id, office.actor("chen"), "wang")

    nominated = office.see(task.id)
    assert (nominated.owner, nominated.status) == ("wang", "Reserved")


def test_it_takes_the_task_from_who_has_it(office, task):
    office.engine.tasks.claim(task.id, office.actor("wang"))

    office.engine.tasks.nominate(task.id, office.actor("zhao"), "li")

    assert office.see(task.id).owner == "li"


@pytest.mark.parametrize("who", ["wang", "li"])
def test_it_refuses_the_clerks_themselves(office, task, who):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.nominate(task.id, office.actor(who), "li")


def test_it_refuses_an_owner_without_the_role(office, task):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.nominate(task.id, office.actor("zhao"), "chen")


def test_it_refuses_a_higher_office_that_does_not_direct_the_process(office, task):
    office.hire("ma", "马财务", ("approver", office.county))

    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.nominate(task.id, office.actor("ma"), "wang")
