"""→ Obsolete: the process goes on without the task."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def case(office):
    office.deploy(office.user_task("register"), office.user_task("approve", role="approver"))
    return office.start()


def test_it_lets_the_process_go_on(office, case):
    task = office.task("wang")

    office.engine.tasks.skip(task.id, office.actor("zhao"), reason="本村无此事项")

    assert office.see(task.id).status == "Obsolete"
    assert office.waiting_at(case) == ("approve",)


def test_it_asks_for_a_reason(office, case):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.skip(office.task("wang").id, office.actor("zhao"), reason=" ")


def test_it_refuses_the_clerk(office, case):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.skip(office.task("wang").id, office.actor("wang"), reason="不想办")


def test_it_keeps_the_reason_in_history(office, case):
    office.engine.tasks.skip(office.task("wang").id, office.actor("zhao"), reason="本村无此事项")

    (skipped,) = [fact for fact in office.facts(case) if fact.kind == "task.skipped"]
    assert (skipped.actor_name, skipped.detail["reason"]) == ("赵主任", "本村无此事项")


def test_it_refuses_to_skip_a_check(office):
    office.deploy(
        office.user_task("register"),
        office.user_task("check", role="approver", differentFrom="register"),
        key="checked",
    )
    office.start("checked")
    office.complete("wang", "register")

    with pytest.raises(errors.NotAllowed, match="不能跳过"):
        office.engine.tasks.skip(
            office.task("li", "check").id, office.actor("zhao"), reason="来不及"
        )
