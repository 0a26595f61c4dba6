"""→ InProgress: somebody works on it."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(office.user_task("register"))
    office.start()
    return office.task("wang")


def test_it_claims_a_free_task_on_the_way(office, task):
    office.engine.tasks.start(task.id, office.actor("wang"), version=task.version)

    started = office.see(task.id)
    assert (started.status, started.owner) == ("InProgress", "wang")


def test_it_starts_a_task_he_has(office, task):
    office.engine.tasks.claim(task.id, office.actor("wang"))

    office.engine.tasks.start(task.id, office.actor("wang"))

    assert office.see(task.id).status == "InProgress"


def test_it_refuses_a_task_somebody_else_has(office, task):
    office.engine.tasks.start(task.id, office.actor("wang"))

    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.start(task.id, office.actor("li"))


def test_it_refuses_to_start_twice(office, task):
    office.engine.tasks.start(task.id, office.actor("wang"))

    with pytest.raises(errors.InvalidState):
        office.engine.tasks.start(task.id, office.actor("wang"))
