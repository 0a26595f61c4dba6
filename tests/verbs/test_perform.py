"""An operation run from an open task: its changes are kept at once, the task goes on."""

from __future__ import annotations

import pytest

from engine import BusinessError, errors, operation


@operation("lines.save")
def save_line(context, data):
    if data.get("sealed"):
        raise BusinessError("SEALED", "名册已经封存")
    context.set_variables({"lines": data["lines"]})
    return {"saved": data["lines"]}


@operation("lines.secret")
def secret(context, data):
    return {}


@pytest.fixture
def office(open_office):
    office = open_office(operations=(save_line, secret))
    office.deploy(office.user_task("register", actions="lines.save"))
    return office


def test_it_runs_the_operation_and_answers_what_it_returns(office):
    case = office.start()
    task = office.task("wang")

    answer = office.engine.tasks.perform(task.id, office.actor("wang"), "lines.save", {"lines": 3})

    assert answer == {"saved": 3}
    assert office.engine.runtime.instance(case, office.actor("wang")).variables["lines"] == 3
    assert office.waiting_at(case) == ("register",)


def test_it_makes_the_task_his_so_that_nobody_works_on_the_same_lines(office):
    office.start()
    task = office.task("wang")
    office.engine.tasks.perform(task.id, office.actor("wang"), "lines.save", {"lines": 3})

    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.perform(task.id, office.actor("li"), "lines.save", {"lines": 4})


def test_it_records_the_operation(office):
    case = office.start()
    office.engine.tasks.perform(
        office.task("wang").id, office.actor("wang"), "lines.save", {"lines": 3}
    )

    last = office.facts(case)[-1]
    assert (last.kind, last.detail["operation"]) == ("operation.performed", "lines.save")


def test_it_refuses_an_operation_the_task_does_not_list(office):
    office.start()

    with pytest.raises(errors.NotAllowed, match="lines.secret"):
        office.engine.tasks.perform(
            office.task("wang").id, office.actor("wang"), "lines.secret", {}
        )


def test_it_keeps_nothing_when_the_operation_refuses(office):
    office.start()
    task = office.task("wang")

    with pytest.raises(errors.InvalidState, match="封存"):
        office.engine.tasks.perform(task.id, office.actor("wang"), "lines.save", {"sealed": True})

    assert office.see(task.id).status == "Ready"


def test_it_refuses_a_stranger(office):
    office.start()
    task = office.task("wang")

    with pytest.raises(errors.NotFound):
        office.engine.tasks.perform(task.id, office.actor("sun"), "lines.save", {"lines": 3})
