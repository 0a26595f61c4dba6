"""The owner cannot do it: the managers hear why, the task waits for somebody else."""

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


def test_it_raises_an_incident_with_the_reason(office, task):
    office.engine.tasks.fail(task.id, office.actor("wang"), reason="道路中断")

    (incident,) = office.engine.management.incidents(office.actor("zhao"))
    assert "道路中断" in incident.message
    assert office.see(task.id).owner is None


def test_it_lets_a_colleague_do_it_all_the_same(office, task):
    office.engine.tasks.fail(task.id, office.actor("wang"), reason="道路中断")

    case = office.complete("li")

    assert office.status(case) == "completed"


def test_it_asks_for_a_reason(office, task):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.fail(task.id, office.actor("wang"), reason="")


def test_it_refuses_who_does_not_have_the_task(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.fail(task.id, office.actor("li"), reason="道路中断")
