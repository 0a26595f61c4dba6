"""Reserved → Ready: back to the colleagues."""

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


def test_it_gives_the_task_back(office, task):
    office.engine.tasks.release(task.id, office.actor("wang"))

    released = office.see(task.id)
    assert (released.status, released.owner, released.claimed_at) == ("Ready", None, None)
    assert [row.id for row in office.engine.worklist.page(office.actor("li")).rows] == [task.id]


def test_it_lets_the_head_of_the_office_take_it_away(office, task):
    office.engine.tasks.release(task.id, office.actor("zhao"))

    assert office.see(task.id).owner is None


def test_it_refuses_a_colleague(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.release(task.id, office.actor("li"))


def test_it_refuses_a_task_that_nobody_has(office, task):
    office.engine.tasks.release(task.id, office.actor("wang"))

    with pytest.raises(errors.InvalidState):
        office.engine.tasks.release(task.id, office.actor("zhao"))


def test_it_refuses_a_task_meant_for_one_person(office):
    office.deploy(
        office.step(
            tag="userTask", id="own", extensions='<nl:task owner="wang" subject="亲自办"/>'
        ),
        key="personal",
    )
    office.start("personal")
    mine = next(
        row
        for row in office.engine.worklist.page(office.actor("wang")).rows
        if row.activity_id == "own"
    )

    with pytest.raises(errors.InvalidState, match="只指定了一个人"):
        office.engine.tasks.release(mine.id, office.actor("wang"))
