"""→ Completed: the data enters the case and the process moves on, all or nothing."""

from __future__ import annotations

import pytest

from engine import BusinessError, errors, operation

_OUTCOMES = (
    '<nl:outcome id="pass" name="通过"/>'
    '<nl:outcome id="return" name="退回补正" requires="reason" tone="danger"/>'
)


@operation("lines.apply")
def apply_lines(context, data):
    if data.get("wrong"):
        raise errors.InvalidInput("第 3 行有误", {"wrong": "有误"})
    if data.get("closed"):
        raise BusinessError("CLOSED", "名册已经封存")
    context.record("lines.applied", {"outcome": context.task.outcome})
    context.set_variables({"touched": True})
    return {"exceptions": 2}


@pytest.fixture
def office(open_office):
    office = open_office(operations=(apply_lines,))
    office.deploy(
        office.user_task("register", operation="lines.apply"),
        office.user_task("approve", role="approver", differentFrom="register", outcomes=_OUTCOMES),
    )
    return office


def test_it_moves_the_case_to_the_next_activity(office):
    case = office.start()

    office.complete("wang", amount=300)

    view = office.engine.runtime.instance(case, office.actor("wang"))
    assert view.waiting_at == ("approve",)
    assert view.variables["amount"] == 300


def test_it_claims_on_the_way(office):
    office.start()
    task = office.task("wang")

    office.engine.tasks.complete(task.id, office.actor("wang"), {})

    done = office.see(task.id)
    assert (done.status, done.owner, done.completed_by) == ("Completed", "wang", "wang")


def test_it_runs_the_tasks_operation_and_keeps_what_it_returns(office):
    case = office.start()

    office.complete("wang")

    variables = office.engine.runtime.instance(case, office.actor("wang")).variables
    assert (variables["exceptions"], variables["touched"]) == (2, True)
    assert "lines.applied" in office.kinds(case)


def test_it_changes_nothing_when_the_operation_finds_a_mistake(office):
    case = office.start()
    task = office.task("wang")
    before = office.kinds(case)

    with pytest.raises(errors.InvalidInput) as refused:
        office.engine.tasks.complete(task.id, office.actor("wang"), {"wrong": True})

    assert refused.value.fields == {"wrong": "有误"}
    assert office.see(task.id).status == "Ready"
    assert office.kinds(case) == before


def test_it_shows_a_business_error_of_the_operation_as_a_conflict(office):
    office.start()
    task = office.task("wang")

    with pytest.raises(errors.InvalidState, match="已经封存"):
        office.engine.tasks.complete(task.id, office.actor("wang"), {"closed": True})


def test_it_answers_a_second_delivery_with_the_same_key_and_does_nothing(office):
    case = office.start()
    task = office.task("wang")
    first = office.engine.tasks.complete(task.id, office.actor("wang"), {}, key="form-1")
    before = office.kinds(case)

    second = office.engine.tasks.complete(
        task.id, office.actor("wang"), {}, key="form-1", version=task.version
    )

    assert (second.task_id, second.instance_id) == (first.task_id, first.instance_id)
    assert office.kinds(case) == before


def test_it_refuses_to_complete_twice(office):
    office.start()
    task = office.task("wang")
    office.engine.tasks.complete(task.id, office.actor("wang"), {}, key="form-1")

    with pytest.raises(errors.InvalidState, match="已办结"):
        office.engine.tasks.complete(task.id, office.actor("wang"), {}, key="form-2")


def test_it_refuses_a_colleague_when_somebody_has_the_task(office):
    office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))

    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.complete(task.id, office.actor("li"), {})


def test_it_keeps_the_maker_from_checking(office):
    case = office.start()
    office.complete("li", "register")
    task = office.task("li", "approve")

    with pytest.raises(errors.SeparationOfDuties, match="须由另一人办理"):
        office.engine.tasks.complete(task.id, office.actor("li"), {}, outcome="pass")

    assert "complete" not in task.verbs
    assert office.waiting_at(case) == ("approve",)


def test_it_asks_for_one_of_the_outcomes(office):
    office.start()
    office.complete("wang")
    task = office.task("li")

    with pytest.raises(errors.InvalidInput) as refused:
        office.engine.tasks.complete(task.id, office.actor("li"), {}, outcome="maybe")

    assert "outcome" in refused.value.fields


def test_it_asks_for_the_reason_that_an_outcome_requires(office):
    office.start()
    office.complete("wang")
    task = office.task("li")

    with pytest.raises(errors.InvalidInput) as refused:
        office.engine.tasks.complete(
            task.id, office.actor("li"), {"reason": "  "}, outcome="return"
        )

    assert "reason" in refused.value.fields


def test_it_keeps_the_outcome_with_the_case(office):
    case = office.start()
    office.complete("wang")

    office.complete("li", outcome="return", reason="缺照片")

    view = office.engine.runtime.instance(case, office.actor("wang"))
    assert view.status == "completed"
    assert view.variables["approve"]["outcome"] == "return"
    assert view.variables["approve"]["by"] == "li"


def test_it_names_the_next_tasks_that_he_may_do_himself(office):
    office.deploy(office.user_task("one"), office.user_task("two"), key="chain")
    office.start("chain")
    task = office.task("wang")

    done = office.engine.tasks.complete(task.id, office.actor("wang"), {})

    assert [office.see(each).activity_id for each in done.next_tasks] == ["two"]


def test_it_ends_the_case_after_the_last_task(office):
    case = office.start()
    office.complete("wang")

    office.complete("li", outcome="pass")

    view = office.engine.runtime.instance(case, office.actor("wang"))
    assert (view.status, view.ended_at) == ("completed", office.clock.now())
    assert office.engine.worklist.page(office.actor("li")).rows == ()


def test_it_refuses_while_the_case_is_suspended(office):
    case = office.start()
    task = office.task("wang")
    office.engine.runtime.suspend(case, office.actor("zhao"), "核查中")

    with pytest.raises(errors.InvalidState, match="挂起"):
        office.engine.tasks.complete(task.id, office.actor("wang"), {})


def test_it_tells_the_heartbeat(office):
    office.start()
    before = len(office.nudges)

    office.complete("wang")

    assert len(office.nudges) == before + 1
