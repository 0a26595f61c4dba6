"""A task put aside, and taken up again in the state it had."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(office.user_task("register"))
    office.start()
    task = office.task("wang")
    office.engine.tasks.start(task.id, office.actor("wang"))
    return task


def test_it_cannot_be_done_while_it_is_put_aside(office, task):
    office.engine.tasks.suspend(task.id, office.actor("wang"), reason="等材料")

    with pytest.raises(errors.InvalidState):
        office.engine.tasks.complete(task.id, office.actor("wang"), {})


def test_it_comes_back_in_the_state_it_had(office, task):
    office.engine.tasks.suspend(task.id, office.actor("wang"), reason="等材料")

    office.engine.tasks.resume(task.id, office.actor("wang"))

    resumed = office.see(task.id)
    assert (resumed.status, resumed.owner) == ("InProgress", "wang")


def test_it_refuses_a_colleague(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.suspend(task.id, office.actor("li"), reason="等材料")


def test_it_refuses_to_resume_what_is_not_put_aside(office, task):
    with pytest.raises(errors.InvalidState):
        office.engine.tasks.resume(task.id, office.actor("wang"))
