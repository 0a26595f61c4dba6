"""Withdrawn: the task is back on the desk of whoever completed it, unless somebody went on."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine import errors, operation

OUTCOMES = '<nl:outcome id="pass" name="通过"/>'


@operation("note.check", reversible=True)
def check(context, data):
    return {"counted": 1}


@operation("note.book")
def book(context, data):
    return {"booked": True}


@pytest.fixture
def case(office):
    office.deploy(
        office.user_task("register", withdrawable="true", deadline="5wd", ladder="default"),
        office.user_task(
            "approve", role="approver", differentFrom="register", outcomes=OUTCOMES, deadline="5wd"
        ),
        office.user_task("file", role="clerk"),
    )
    case = office.start()
    office.complete("wang", amount=300, reason="困难")
    return case


def done(office, case, activity="register", who="wang"):
    """Id of the newest completed task of an activity."""
    rows = office.engine.worklist.of_instance(case, office.actor(who))
    found = [row.id for row in rows if row.activity_id == activity and row.status == "Completed"]
    return max(found)


def withdraw(office, case, who="wang", **more):
    return office.engine.tasks.withdraw(
        done(office, case), office.actor(who), more.pop("reason", "金额写错"), **more
    )


def test_the_task_is_open_again_for_its_completer_with_his_answers(office, case):
    again = withdraw(office, case)

    task = office.task("wang", "register")
    assert (task.id, task.owner) == (again, "wang")
    assert office.engine.tasks.draft(again, office.actor("wang")).data == {
        "amount": 300,
        "reason": "困难",
    }
    assert office.waiting_at(case) == ("register",)


def test_what_he_wrote_is_no_longer_said_by_the_case(office, case):
    withdraw(office, case)

    assert "amount" not in office.engine.runtime.instance(case, office.actor("wang")).variables


def test_the_deadline_runs_on_from_when_the_task_was_first_opened(office, case):
    first = office.see(done(office, case))
    office.travel(days=1)

    again = office.see(withdraw(office, case))

    assert again.due_at is not None
    assert again.created_at == first.created_at
    assert office.engine.management.next_due() is not None


def test_the_task_that_followed_is_closed_and_its_desk_is_told(office, case):
    office.messages()
    vanished = office.task("li", "approve")

    withdraw(office, case)

    assert office.see(vanished.id, "li").status == "Exited"
    assert ("task_cancelled", f"approver@{office.village}") in office.messages()


def test_it_can_be_completed_again_and_the_case_ends(office, case):
    withdraw(office, case)
    office.complete("wang", "register", amount=250)
    office.complete("li", "approve", outcome="pass")
    office.complete("wang", "file")

    assert office.status(case) == "completed"
    assert office.engine.runtime.instance(case, office.actor("wang")).variables["amount"] == 250
    assert office.engine.history.verify(case) == []


def test_it_can_be_withdrawn_and_completed_many_times(office, case):
    for amount in range(5):
        withdraw(office, case)
        office.complete("wang", "register", amount=amount)

    assert office.waiting_at(case) == ("approve",)
    assert len(office.engine.worklist.page(office.actor("li")).rows) == 1


def test_history_says_who_withdrew_and_why(office, case):
    withdraw(office, case)

    fact = next(fact for fact in office.facts(case) if fact.kind == "task.withdrawn")
    assert (fact.actor_id, fact.detail["reason"]) == ("wang", "金额写错")


def test_a_withdrawn_completion_still_counts_for_separation_of_duties(office, case):
    office.hire("wu", "吴经办", ("clerk", office.village))
    office.engine.identity.assign_seat("wang", "approver", office.village)
    again = withdraw(office, case)
    office.engine.tasks.delegate(again, office.actor("wang"), "wu", reason="请假")
    office.complete("wu", "register")

    with pytest.raises(errors.SeparationOfDuties):
        office.engine.tasks.claim(office.task("li", "approve").id, office.actor("wang"))


@pytest.mark.parametrize("begin", ["claim", "start", "save_draft", "attach"])
def test_it_is_refused_once_somebody_has_begun_what_follows(office, case, begin):
    task, li = office.task("li", "approve"), office.actor("li")
    if begin == "save_draft":
        office.engine.tasks.save_draft(task.id, li, {"opinion": "同意"})
    elif begin == "attach":
        office.engine.tasks.attach(li, name="a.txt", content=b"1", task_id=task.id)
    else:
        getattr(office.engine.tasks, begin)(task.id, li)

    with pytest.raises(errors.InvalidState, match="环节approve"):
        withdraw(office, case)
    assert office.waiting_at(case) == ("approve",)


def test_the_refusal_names_who_did_what(office, case):
    office.engine.tasks.claim(office.task("li", "approve").id, office.actor("li"))

    assert "李审批" in office.engine.tasks.why_not_withdraw(
        done(office, case), office.actor("wang")
    )
    assert office.engine.tasks.withdrawable(case, office.actor("wang")) == ()


def test_reminders_do_not_keep_him_from_it(office, case):
    office.travel(days=20)

    withdraw(office, case)

    assert office.waiting_at(case) == ("register",)


def test_it_is_refused_to_everybody_but_who_completed_it(office, case):
    office.hire("wu", "吴经办", ("clerk", office.village))
    task = done(office, case)
    for who, refused in (
        ("wu", errors.NotAllowed),
        ("zhao", errors.NotAllowed),
        ("sun", errors.NotFound),
    ):
        with pytest.raises(refused):
            office.engine.tasks.withdraw(task, office.actor(who), "试试")


def test_it_is_refused_to_who_has_lost_his_seat(office, case):
    task = done(office, case)
    for seat in office.engine.identity.participant("wang").seats:
        office.engine.identity.end_seat(seat.id)

    with pytest.raises((errors.NotAllowed, errors.NotFound)):
        office.engine.tasks.withdraw(task, office.actor("wang"), "试试")


def test_it_asks_for_a_reason(office, case):
    with pytest.raises(errors.InvalidInput):
        withdraw(office, case, reason=" ")


def test_a_page_that_is_out_of_date_is_told_so(office, case):
    with pytest.raises(errors.Stale):
        withdraw(office, case, version=1)


def test_it_is_refused_where_the_activity_does_not_allow_it(office, case):
    office.complete("li", "approve", outcome="pass")
    task = done(office, case, "approve", "li")

    with pytest.raises(errors.InvalidState, match="不允许撤回"):
        office.engine.tasks.withdraw(task, office.actor("li"), "想改")


def test_it_is_refused_while_the_case_stands_still(office, case):
    task = done(office, case)
    office.engine.runtime.suspend(case, office.actor("zhao"), "核查")

    with pytest.raises(errors.InvalidState, match="挂起"):
        office.engine.tasks.withdraw(task, office.actor("wang"), "想改")


def test_it_is_refused_twice(office, case):
    task = done(office, case)
    office.engine.tasks.withdraw(task, office.actor("wang"), "想改")

    with pytest.raises(errors.InvalidState):
        office.engine.tasks.withdraw(task, office.actor("wang"), "想改")


def test_it_is_refused_when_the_case_is_over(office):
    office.deploy(office.user_task("register", withdrawable="true"))
    case = office.start()
    office.complete("wang")

    with pytest.raises(errors.InvalidState, match="已经结束"):
        withdraw(office, case)


def test_it_is_refused_when_an_operation_ran_behind_the_task(open_office):
    office = open_office(operations=(book,))
    office.deploy(
        office.user_task("register", withdrawable="true"),
        office.step(tag="serviceTask", id="booking", extensions='<nl:operation name="note.book"/>'),
        office.user_task("approve", role="approver"),
    )
    case = office.start()
    office.complete("wang")

    with pytest.raises(errors.InvalidState, match="已执行自动操作“环节booking”"):
        withdraw(office, case)


def test_a_task_whose_operation_only_checks_can_be_withdrawn(open_office):
    office = open_office(operations=(check,))
    office.deploy(
        office.user_task("register", withdrawable="true", operation="note.check"),
        office.user_task("approve", role="approver"),
    )
    case = office.start()
    office.complete("wang")

    withdraw(office, case)

    assert office.waiting_at(case) == ("register",)
    assert "counted" not in office.engine.runtime.instance(case, office.actor("wang")).variables


def test_it_is_refused_once_whom_the_model_named_has_used_an_action(open_office):
    office = open_office(operations=(check,))
    office.deploy(
        office.user_task("register", withdrawable="true"),
        office.user_task("approve", role="approver", owner="li", actions="note.check"),
    )
    case, untouched = office.start(), office.start()
    for one in (case, untouched):
        row = next(r for r in office.engine.worklist.of_instance(one, office.actor("wang")))
        office.engine.tasks.complete(row.id, office.actor("wang"))
    task = next(
        row
        for row in office.engine.worklist.of_instance(case, office.actor("li"))
        if row.activity_id == "approve"
    )
    office.engine.tasks.perform(task.id, office.actor("li"), "note.check")

    with pytest.raises(errors.InvalidState, match="已有人开始办理"):
        withdraw(office, case)
    withdraw(office, untouched)


def test_the_gate_refuses_withdrawal_over_an_operation_that_cannot_be_taken_back(open_office):
    office = open_office(operations=(book,))

    with pytest.raises(errors.Rejected) as refused:
        office.deploy(office.user_task("register", withdrawable="true", operation="note.book"))

    assert "irreversible" in {finding.rule for finding in refused.value.findings}


def test_what_was_kept_is_gone_when_the_case_is_over(office, case):
    office.complete("li", "approve", outcome="pass")
    office.complete("wang", "file")

    office.travel(days=2)

    with office.engine.read() as session:
        assert session.execute(text("SELECT count(*) FROM taken_step")).scalar() == 0
