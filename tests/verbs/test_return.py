"""Back to an earlier activity: nothing is left behind, nothing happens twice."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def case(office):
    office.deploy(
        office.user_task("register"),
        office.user_task("approve", role="approver", returns="register", deadline="5wd"),
    )
    case = office.start()
    office.complete("wang")
    return case


def test_it_puts_the_token_back_and_closes_the_task(office, case):
    task = office.task("li", "approve")

    office.engine.runtime.return_to(task.id, "register", office.actor("li"), "缺照片", task.version)

    assert office.waiting_at(case) == ("register",)
    assert office.see(task.id, "li").status == "Exited"
    assert office.engine.management.next_due() is None


def test_it_tells_who_did_the_earlier_activity(office, case):
    office.messages()

    office.engine.runtime.return_to(
        office.task("li", "approve").id, "register", office.actor("li"), "缺照片"
    )

    assert ("task_returned", "wang") in office.messages()


def test_it_goes_through_again_and_ends(office, case):
    office.engine.runtime.return_to(
        office.task("li", "approve").id, "register", office.actor("li"), "缺照片"
    )

    office.complete("wang", "register")
    office.complete("li", "approve")

    assert office.status(case) == "completed"


def test_it_refuses_an_activity_the_task_does_not_list(office, case):
    with pytest.raises(errors.NotAllowed):
        office.engine.runtime.return_to(
            office.task("li", "approve").id, "approve", office.actor("li"), "缺照片"
        )


def test_it_asks_for_a_reason(office, case):
    with pytest.raises(errors.InvalidInput):
        office.engine.runtime.return_to(
            office.task("li", "approve").id, "register", office.actor("li"), " "
        )


def test_it_refuses_who_may_not_decide_the_task(office, case):
    with pytest.raises(errors.NotAllowed):
        office.engine.runtime.return_to(
            office.task("li", "approve").id, "register", office.actor("zhao"), "缺照片"
        )


def test_it_keeps_the_reason_in_history(office, case):
    office.engine.runtime.return_to(
        office.task("li", "approve").id, "register", office.actor("li"), "缺照片"
    )

    returned = next(fact for fact in office.facts(case) if fact.kind == "task.returned")
    assert (returned.detail["to"], returned.detail["reason"]) == ("register", "缺照片")
