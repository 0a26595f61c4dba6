"""→ Ready for another office."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(office.user_task("register"))
    office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    return task


def test_it_moves_the_task_to_the_other_office(office, task):
    office.engine.tasks.forward(task.id, office.actor("wang"), unit=office.town, reason="不属本村")

    forwarded = office.see(task.id)
    assert (forwarded.unit, forwarded.owner, forwarded.status) == (office.town, None, "Ready")
    assert ("task_opened", f"clerk@{office.town}") in office.messages()


def test_it_refuses_an_office_where_nobody_sits(office, task):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.forward(task.id, office.actor("wang"), unit="349898102000")


def test_it_refuses_a_role_the_process_does_not_know(office, task):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.forward(task.id, office.actor("wang"), role="cook")


def test_it_refuses_a_colleague(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.forward(task.id, office.actor("li"), unit=office.town)


def test_it_refuses_an_office_that_has_nothing_to_do_with_the_case(office, task):
    with pytest.raises(errors.InvalidInput) as refused:
        office.engine.tasks.forward(task.id, office.actor("wang"), unit=office.other_town)

    assert "unit" in refused.value.fields


def test_who_directs_both_offices_may_send_it_across(office, task):
    office.engine.tasks.forward(task.id, office.actor("chen"), unit=office.other_town)

    assert office.task("sun").id == task.id
