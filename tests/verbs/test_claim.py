"""Ready → Reserved: one of the potential owners takes the task."""

from __future__ import annotations

import pytest

from engine import errors


@pytest.fixture
def office(office):
    office.deploy(office.user_task("register"), office.user_task("approve", role="approver"))
    office.start()
    return office


def test_it_reserves_the_task_for_the_clerk(office):
    task = office.task("wang")

    office.engine.tasks.claim(task.id, office.actor("wang"), version=task.version)

    claimed = office.see(task.id)
    assert (claimed.status, claimed.owner, claimed.owner_name) == ("Reserved", "wang", "王经办")
    assert claimed.claimed_at == office.clock.now()


def test_it_takes_the_task_off_the_colleagues_worklist(office):
    task = office.task("wang")

    office.engine.tasks.claim(task.id, office.actor("wang"))

    assert office.engine.worklist.page(office.actor("li")).rows == ()
    assert [row.id for row in office.engine.worklist.page(office.actor("wang")).rows] == [task.id]


def test_it_refuses_a_second_claim(office):
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))

    with pytest.raises(errors.Rejected) as refused:
        office.engine.tasks.claim(task.id, office.actor("li"))

    assert refused.value.http_status in (403, 409)
    assert office.see(task.id).owner == "wang"


def test_it_does_not_even_show_the_task_to_a_stranger(office):
    task = office.task("wang")

    with pytest.raises(errors.NotFound):
        office.engine.tasks.claim(task.id, office.actor("sun"))


def test_it_refuses_who_sees_the_case_without_the_role(office):
    task = office.task("wang")

    with pytest.raises(errors.NotAllowed, match="签收"):
        office.engine.tasks.claim(task.id, office.actor("zhao"))


def test_it_refuses_a_page_that_is_out_of_date(office):
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"), version=task.version)
    office.engine.tasks.release(task.id, office.actor("wang"))

    with pytest.raises(errors.Stale):
        office.engine.tasks.claim(task.id, office.actor("li"), version=task.version)


def test_it_says_that_there_is_no_such_task(office):
    with pytest.raises(errors.NotFound):
        office.engine.tasks.claim("no-such-task", office.actor("wang"))


def test_it_lets_a_substitute_claim_during_the_days_named(office):
    office.hire("zhou", "周代办")
    today = office.clock.now().date()
    office.engine.identity.substitute("wang", "zhou", today, today, by=office.actor("zhao"))
    task = office.task("zhou")

    office.engine.tasks.claim(task.id, office.actor("zhou"))

    assert office.see(task.id, "zhou").owner == "zhou"


def test_it_refuses_the_substitute_when_the_days_are_over(office):
    office.hire("zhou", "周代办")
    today = office.clock.now().date()
    office.engine.identity.substitute("wang", "zhou", today, today, by=office.actor("zhao"))
    task = office.task("zhou")
    office.travel(days=1)

    with pytest.raises(errors.NotFound):
        office.engine.tasks.claim(task.id, office.actor("zhou"))


def test_it_records_who_claimed(office):
    task = office.task("wang")

    office.engine.tasks.claim(task.id, office.actor("wang"))

    last = office.facts(task.instance_id)[-1]
    assert (last.kind, last.actor_name, last.activity_id) == ("task.claimed", "王经办", "register")
