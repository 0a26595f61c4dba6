"""Supervision slips and the circular: a late office is asked, answers once, and is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine import SYSTEM, CaseDeadline, Ladder, LadderAction, Rung, errors
from tests.contract.clocked_tasks import deploy_with, due_of


def slip_of(office):
    task = due_of(office, "5wd")
    office.travel(days=8)
    return office.engine.supervision.issue(task.id, office.actor("zhao"), demand="请说明原因")


def answer(office, slip, who="wang", **more):
    said = {"cause": "下雪封路", "measures": "改为电话核实", "promised": date(2026, 1, 15)}
    office.engine.supervision.reply(slip, office.actor(who), **{**said, **more})


def test_a_slip_is_answered_once_by_the_late_office(office):
    slip = slip_of(office)
    wang = office.actor("wang")
    (mine,) = office.engine.supervision.mine(wang)
    assert (mine.id, mine.mine, mine.reply_by.isoformat()[:16]) == (slip, True, "2026-01-14T16:00")
    office.messages()

    answer(office, slip)

    seen = office.engine.supervision.slip(slip, office.actor("zhao"))
    assert (seen.cause, seen.promised, seen.replied_by_name) == (
        "下雪封路", date(2026, 1, 15), "王经办",
    )  # fmt: skip
    assert office.engine.supervision.mine(wang) == ()
    assert office.messages() == [("slip_answered", "zhao")]
    assert "slip.answered" in office.kinds(seen.instance_id)
    with pytest.raises(errors.InvalidState, match="已经回复"):
        answer(office, slip)


@pytest.mark.parametrize(
    ("more", "field"),
    [({"cause": " "}, "cause"), ({"promised": None}, "promised"),
     ({"promised": date(2026, 1, 1)}, "promised")],
)  # fmt: skip
def test_it_refuses_an_answer_that_says_too_little(office, more, field):
    slip = slip_of(office)

    with pytest.raises(errors.InvalidInput) as refused:
        answer(office, slip, **more)
    assert field in refused.value.fields


def test_a_stranger_neither_sees_nor_answers_a_slip(office):
    slip = slip_of(office)

    with pytest.raises(errors.NotFound):
        office.engine.supervision.slip(slip, office.actor("sun"))
    with pytest.raises(errors.NotAllowed):
        answer(office, slip, "sun")


def test_one_slip_at_a_time(office):
    slip_of(office)

    with pytest.raises(errors.InvalidState, match="还没有回复"):
        office.engine.supervision.issue(office.task("wang").id, office.actor("zhao"))


def test_the_ladder_issues_the_slip(office):
    deploy_with(
        office,
        Rung(at="due+1wd", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H"),
    )

    office.travel(days=9)

    (slip,) = office.engine.supervision.mine(office.actor("wang"))
    assert slip.issued_by_name == "系统"
    assert (slip.reply_by - slip.issued_at).total_seconds() == 4 * 3600
    office.messages()
    answer(office, slip.id)
    assert office.messages() == [("slip_answered", f"clerk@{office.town}")]


def late_case(office, *rungs):
    """A case of ten working days, on the ladder of these rungs, that nobody has finished."""
    case_ladder = Ladder(
        name="case",
        rungs=rungs or (Rung(at="due", action=LadderAction.OVERDUE, audience=("leader",)),),
    )
    model = office.package(
        "case", office.straight("case", office.user_task("register"), office.user_task("decide"))
    )
    model = replace(
        model,
        ladders={**model.ladders, "case": case_ladder},
        case_deadline=CaseDeadline(deadline="10wd", ladder="case"),
    )
    office.engine.repository.deploy(model, SYSTEM)
    case = office.start()
    office.travel(days=16)  # due at the end of Monday 19 January; Wednesday 21 January
    return case


def supervised_case(office):
    case = late_case(office)
    return case, office.engine.supervision.issue_case(
        case, office.actor("chen"), demand="请说明原因"
    )


def test_a_case_that_is_late_gets_a_slip_which_its_leader_answers(office):
    case, slip = supervised_case(office)
    assert office.engine.supervision.mine(office.actor("wang")) == ()
    (mine,) = office.engine.supervision.mine(office.actor("zhao"))
    assert (mine.id, mine.task_id, mine.instance_id, mine.name, mine.subject) == (
        slip, None, case, "流程case", "张家的事",
    )  # fmt: skip
    assert mine.due_at.isoformat()[:16] == "2026-01-19T16:00"
    assert ("slip_issued", f"head@{office.village}") in office.messages()

    answer(office, slip, "zhao", promised=date(2026, 1, 25))

    (seen,) = office.engine.supervision.of_case(case, office.actor("chen"))
    assert (seen.cause, seen.replied_by_name) == ("下雪封路", "赵主任")
    assert office.messages() == [("slip_answered", "chen")]
    assert [kind for kind in office.kinds(case) if kind.startswith("slip.")] == [
        "slip.issued", "slip.answered",
    ]  # fmt: skip
    with pytest.raises(errors.InvalidState, match="已经回复"):
        answer(office, slip, "zhao", promised=date(2026, 1, 25))


def test_the_ladder_of_a_case_issues_its_slip(office):
    rung = Rung(at="due+1wd", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H")
    case = late_case(office, rung)

    (slip,) = office.engine.supervision.mine(office.actor("zhao"))

    assert (slip.task_id, slip.instance_id, slip.issued_by_name) == (None, case, "系统")
    assert (slip.reply_by - slip.issued_at).total_seconds() == 4 * 3600
    told = office.messages()
    assert ("task_supervised", f"clerk@{office.town}") in told
    answer(office, slip.id, "zhao", promised=date(2026, 1, 25))
    assert office.messages() == [("slip_answered", f"clerk@{office.town}")]


def test_without_a_leader_in_office_the_slip_goes_to_whoever_has_the_case(office):
    case = late_case(office)
    (seat,) = office.engine.identity.participant("zhao").seats
    office.engine.identity.end_seat(seat.id)
    office.travel(days=1)

    office.engine.supervision.issue_case(case, office.actor("chen"))

    (slip,) = office.engine.supervision.mine(office.actor("wang"))
    assert (slip.role, slip.unit) == ("clerk", office.village)


def test_one_slip_of_a_case_at_a_time_beside_those_of_its_tasks(office):
    case, slip = supervised_case(office)

    with pytest.raises(errors.InvalidState, match="还没有回复"):
        office.engine.supervision.issue_case(case, office.actor("chen"))
    answer(office, slip, "zhao", promised=date(2026, 1, 25))
    assert office.engine.supervision.issue_case(case, office.actor("chen")) != slip


@pytest.mark.parametrize(
    ("who", "wrong"),
    [("wang", errors.NotAllowed), ("zhao", errors.NotAllowed), ("sun", errors.NotFound)],
)
def test_only_the_superior_supervises_a_case(office, who, wrong):
    case = late_case(office)

    with pytest.raises(wrong):
        office.engine.supervision.issue_case(case, office.actor(who))
    assert office.engine.supervision.may_supervise(case, office.actor("chen"))
    if who != "sun":
        assert not office.engine.supervision.may_supervise(case, office.actor(who))


def test_a_case_in_time_or_without_a_clock_is_not_supervised(office):
    task = due_of(office, "5wd")
    with pytest.raises(errors.InvalidState, match="没有时限"):
        office.engine.supervision.issue_case(task.instance_id, office.actor("chen"))
    case = late_case(office)
    office.clock.set(office.clock.now() - timedelta(days=10))
    with pytest.raises(errors.InvalidState, match="还没有超期"):
        office.engine.supervision.issue_case(case, office.actor("chen"))


def test_a_stranger_neither_sees_nor_answers_the_slip_of_a_case(office):
    case, slip = supervised_case(office)

    with pytest.raises(errors.NotFound):
        office.engine.supervision.slip(slip, office.actor("sun"))
    with pytest.raises(errors.NotFound):
        office.engine.supervision.of_case(case, office.actor("sun"))
    with pytest.raises(errors.NotAllowed):
        answer(office, slip, "sun", promised=date(2026, 1, 25))


def test_who_is_to_be_named_in_the_circular(office):
    task = due_of(office, "5wd")
    deploy_with(office, Rung(at="due+1wd", action=LadderAction.CIRCULATE, audience=("superior",)))
    office.travel(days=9)

    named = office.engine.supervision.to_be_named(
        office.actor("chen"), since=office.clock.now().replace(day=1), until=office.clock.now()
    )

    assert len(named) == 1
    assert named[0].id != task.id


def named_cases(office, who="chen"):
    first = office.clock.now().replace(day=1)
    return office.engine.supervision.cases_to_be_named(
        office.actor(who), since=first, until=office.clock.now()
    )


def test_a_whole_case_is_named_in_the_circular_when_its_ladder_says_so(office):
    order = Rung(at="due", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H")
    case = late_case(office, order)
    assert named_cases(office) == ()
    late = late_case(
        office, order, Rung(at="due+1wd", action=LadderAction.CIRCULATE, audience=("superior",))
    )
    office.engine.runtime.terminate(case, SYSTEM, "重复")

    (named,) = named_cases(office)

    assert (named.instance_id, named.title, named.process_title) == (late, "张家的事", "流程case")
    assert (named.region, named.due_at.isoformat()[:10]) == (office.village, "2026-02-04")
    (slip,) = office.engine.supervision.of_case(late, office.actor("chen"))
    assert (named.slip_id, named.answered, named.ended_at) == (slip.id, False, None)
    answer(office, slip.id, "zhao", promised=date(2026, 3, 25))
    office.engine.runtime.terminate(late, SYSTEM, "重复")

    (named,) = named_cases(office)
    assert named.answered
    assert named.ended_at == office.clock.now()
    assert named_cases(office, "sun") == ()
