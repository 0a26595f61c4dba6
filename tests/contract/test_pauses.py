"""Clocks stand still for a reason, with proof, within limits, and go on as the law counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine import SYSTEM, CaseDeadline, Ladder, LadderAction, PauseRule, Rung, errors

SUPPLEMENT = PauseRule(
    key="supplement", title="补正", limit="10wd", times=2, until=("papers_came",)
)
CHECK = PauseRule(key="check", title="核对", evidence=True)
RULES = {rule.key: rule for rule in (SUPPLEMENT, CHECK)}


PAPERS_CAME = (
    '<bpmn:boundaryEvent id="papers" name="材料到" attachedToRef="register" cancelActivity="false">'
    "<bpmn:outgoing>papers_flow</bpmn:outgoing>"
    '<bpmn:messageEventDefinition messageRef="papers_message"/></bpmn:boundaryEvent>'
    '<bpmn:endEvent id="papers_end" name="止"><bpmn:incoming>papers_flow</bpmn:incoming>'
    "</bpmn:endEvent>"
    '<bpmn:sequenceFlow id="papers_flow" sourceRef="papers" targetRef="papers_end"/>'
)


def deploy(office, *steps, **terms):
    ladders = terms.pop("ladders", None)
    model = office.package("case", office.straight("case", *steps, root=terms.pop("root", "")))
    model = replace(model, pauses=terms.pop("pauses", RULES), **terms)
    if ladders is not None:
        model = replace(model, ladders=ladders)
    office.engine.repository.deploy(model, SYSTEM)


def opened(office, deadline="5wd", **terms):
    deploy(office, office.user_task("register", deadline=deadline), **terms)
    office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    return office.task("wang")


def pause(office, task, reason="supplement", **more):
    return office.engine.deadlines.pause(
        task.id, office.actor("wang"), reason=reason, note="缺户口簿", **more
    )


def resume(office, task):
    office.engine.deadlines.resume(task.id, office.actor("wang"), note="已补齐")


def test_the_days_of_a_pause_are_not_counted(office):
    task = opened(office)  # Monday 5 January + 5 working days: Monday 12 January

    office.travel(days=1)
    pause(office, task)
    office.travel(days=3)
    resume(office, task)

    again = office.see(task.id)
    # Tuesday 6 to Friday 9 are left out: Monday 12 is the first day that counts.
    assert again.due_at.isoformat()[:16] == "2026-01-16T16:00"
    assert again.paused_at is None


def test_nothing_advances_while_the_clock_stands_still(office):
    task = opened(office)
    pause(office, task, "supplement")

    paused = office.see(task.id)
    assert paused.due_at is None
    assert paused.paused_at == office.clock.now()
    office.messages()
    office.travel(days=8)

    assert office.messages() == []
    assert "task.overdue" not in office.kinds(task.instance_id)


def test_a_pause_ends_by_itself_at_its_limit(office):
    task = opened(office)
    pause(office, task)

    office.travel(days=15)  # ten working days from 5 January end on 19 January

    again = office.see(task.id)
    assert again.paused_at is None
    assert "clock.resumed" in office.kinds(task.instance_id)
    (held,) = office.engine.deadlines.pauses_of_case(task.instance_id, office.actor("wang"))
    assert held.ended_how == "limit"
    assert held.ended_at.isoformat()[:16] == "2026-01-19T16:00"
    # 20 January is no longer paused: 20, 21, 22, 23 and 26 are the five days.
    assert again.due_at.isoformat()[:16] == "2026-01-26T16:00"


def test_the_ladder_moves_along(office):
    task = opened(office)
    office.travel(days=1)
    pause(office, task)
    office.travel(days=3)
    resume(office, task)
    office.messages()

    office.travel(days=12)

    late = [fact for fact in office.facts(task.instance_id) if fact.kind.startswith("task.")]
    assert [fact.kind for fact in late][-3:] == ["task.reminded", "task.overdue", "task.urged"]
    overdue = next(fact for fact in late if fact.kind == "task.overdue")
    assert overdue.at.isoformat()[:16] == "2026-01-16T16:00"
    reminded = next(fact for fact in late if fact.kind == "task.reminded")
    # 80 % of the time the clock ran: the three days of the pause are no part of it.
    assert reminded.at.isoformat()[:10] == "2026-01-14"


def test_the_sum_names_what_was_left_out(office):
    task = opened(office, "10wd")
    office.travel(days=1)
    pause(office, task)
    office.travel(days=3)
    resume(office, task)

    clock = office.engine.deadlines.of_task(task.id, office.actor("wang"))

    assert clock.sum.line == "收件日2026年1月5日 + 10个工作日，除去补正4天 = 2026年1月23日24:00"
    assert "1月6日至9日（补正）" in clock.sum.left_out
    assert "1月10日至11日（周末）" in clock.sum.left_out


def test_the_sum_of_a_standing_clock_says_what_it_would_be(office):
    task = opened(office)
    pause(office, task)
    office.travel(days=2)

    clock = office.engine.deadlines.of_task(task.id, office.actor("wang"))

    assert clock.sum.line.startswith("收件日2026年1月5日 + 5个工作日，除去补正2天 = 计时暂停中")
    assert "2026年1月14日24:00" in clock.sum.line


def test_a_reason_is_used_up(office):
    task = opened(office)
    for _ in range(2):
        pause(office, task)
        resume(office, task)

    with pytest.raises(errors.NotAllowed, match="最多2次"):
        pause(office, task)
    assert [
        rule.key for rule in office.engine.deadlines.of_task(task.id, office.actor("wang")).reasons
    ] == ["check"]


def test_it_refuses_a_reason_without_its_proof(office):
    task = opened(office)
    with pytest.raises(errors.InvalidInput, match="依据"):
        pause(office, task, "check")

    wang = office.actor("wang")
    paper = office.engine.tasks.attach(
        wang, name="核对函.txt", content="核对函".encode(), task_id=task.id
    )
    pause(office, task, "check", evidence=[paper.id])

    (held,) = office.engine.deadlines.pauses_of_case(task.instance_id, wang)
    assert held.evidence == (paper.id,)


def test_it_refuses_the_proof_of_another_case(office):
    task = opened(office)
    office.start()
    other = next(
        row
        for row in office.engine.worklist.page(office.actor("wang")).rows
        if row.instance_id != task.instance_id
    )
    paper = office.engine.tasks.attach(
        office.actor("wang"), name="函.txt", content="函".encode(), task_id=other.id
    )

    with pytest.raises(errors.InvalidInput, match="不属于"):
        pause(office, task, "check", evidence=[paper.id])


@pytest.mark.parametrize(("who", "wrong"), [("li", errors.NotAllowed), ("sun", errors.NotFound)])
def test_it_refuses_who_does_not_have_the_task(office, who, wrong):
    task = opened(office)

    with pytest.raises(wrong):
        office.engine.deadlines.pause(task.id, office.actor(who), reason="supplement", note="试")


def test_the_leader_may_pause_and_let_go(office):
    task = opened(office)
    office.engine.deadlines.pause(task.id, office.actor("zhao"), reason="supplement", note="等材料")
    office.engine.deadlines.resume(task.id, office.actor("zhao"))

    assert office.see(task.id).paused_at is None


@pytest.mark.parametrize(
    "deadline", ["=date(&quot;2026-01-20&quot;)", "2026-01-20"], ids=["feel", "literal"]
)
def test_a_fixed_date_does_not_move(office, deadline):
    task = opened(office, deadline)

    with pytest.raises(errors.InvalidState, match="固定日期"):
        pause(office, task)
    assert "pause" not in task.verbs


def test_it_refuses_to_pause_what_is_late(office):
    task = opened(office)
    office.travel(days=9)

    with pytest.raises(errors.InvalidState, match="超期"):
        pause(office, office.see(task.id))


def test_a_message_lets_the_clock_go(office):
    deploy(
        office,
        office.user_task(
            "register",
            deadline="5wd",
            beside=PAPERS_CAME,
        ),
        root='<bpmn:message id="papers_message" name="papers_came"/>',
    )
    case = office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    pause(office, task)
    office.travel(days=2)

    office.engine.runtime.correlate("papers_came", None)

    (held,) = office.engine.deadlines.pauses_of_case(case, SYSTEM)
    assert held.ended_how == "event"
    assert office.see(task.id).due_at is not None


def test_the_pause_is_over_with_its_task(office):
    task = opened(office)
    pause(office, task)

    case = office.complete("wang", "register")

    assert office.status(case) == "completed"
    (held,) = office.engine.deadlines.pauses_of_case(case, SYSTEM)
    assert held.ended_how == "done"
    assert office.engine.management.next_due() is None


# --- whole cases ---------------------------------------------------------------------------------

CASE_LADDER = {
    "default": Ladder(
        name="default",
        rungs=(
            Rung(at="80%", action=LadderAction.REMIND),
            Rung(at="due", action=LadderAction.OVERDUE, audience=("leader",)),
        ),
    )
}


def case_of(office, **terms):
    deploy(
        office,
        office.user_task("register", deadline="20wd"),
        office.user_task("publish", deadline="20wd"),
        office.user_task("decide", deadline="20wd"),
        case_deadline=CaseDeadline(deadline="10wd"),
        ladders=CASE_LADDER,
        **terms,
    )
    return office.start()


def test_a_case_has_a_clock_of_its_own(office):
    case = case_of(office)

    clock = office.engine.deadlines.of_case(case, SYSTEM)

    assert clock.due_at.isoformat()[:16] == "2026-01-19T16:00"
    assert clock.sum.line == "收件日2026年1月5日 + 10个工作日 = 2026年1月19日24:00"


def test_a_case_climbs_its_ladder(office):
    case = case_of(office)
    office.messages()

    office.travel(days=16)

    told = [fact for fact in office.facts(case) if fact.kind == "case.escalated"]
    assert [fact.detail["name"] for fact in told] == ["临期提醒", "超期"]
    assert ("task_overdue", f"head@{office.village}") in office.messages()


def test_the_clock_of_a_case_stands_still_while_a_notice_runs(office):
    notice = PauseRule(key="notice", title="公示期", during=("publish",))
    case = case_of(office, pauses={"notice": notice})
    office.travel(days=1)

    office.complete("wang", "register")  # Tuesday 6 January: the notice begins
    standing = office.engine.deadlines.of_case(case, SYSTEM)
    office.travel(days=7)
    office.complete("wang", "publish")  # Tuesday 13 January: it is over

    assert standing.due_at is None
    assert standing.paused_at is not None
    clock = office.engine.deadlines.of_case(case, SYSTEM)
    # 6 to 13 January touch six working days: 19 January + 6 = 27 January.
    assert clock.sum.line == "收件日2026年1月5日 + 10个工作日，除去公示期8天 = 2026年1月27日24:00"
    assert clock.due_at.isoformat()[:16] == "2026-01-27T16:00"


def test_a_paused_case_holds_every_clock_also_of_tasks_to_come(office):
    case = case_of(office)
    task = office.task("wang")
    office.engine.deadlines.pause_case(case, office.actor("chen"), reason="supplement", note="等")
    assert office.see(task.id).due_at is None

    office.complete("wang", "register")
    assert office.task("wang", "publish").due_at is None
    office.travel(days=1)
    office.engine.deadlines.resume_case(case, office.actor("chen"))

    # Monday and Tuesday are left out for the case; the task came on Monday.
    assert office.task("wang", "publish").due_at.isoformat()[:16] == "2026-02-03T16:00"
    clock = office.engine.deadlines.of_case(case, SYSTEM)
    assert clock.due_at.isoformat()[:16] == "2026-01-20T16:00"


def test_a_clerk_may_not_pause_a_case(office):
    case = case_of(office)
    office.hire("yu", "于评议", ("approver", office.village))

    with pytest.raises(errors.NotFound):
        office.engine.deadlines.pause_case(
            case, office.actor("sun"), reason="supplement", note="试"
        )
    with pytest.raises(errors.NotAllowed):
        office.engine.deadlines.pause_case(case, office.actor("yu"), reason="supplement", note="试")


def test_the_clock_of_a_case_ends_with_it(office):
    case = case_of(office)

    office.engine.runtime.terminate(case, SYSTEM, "撤回")

    assert office.engine.management.next_due() is None
    office.travel(days=30)
    assert "case.escalated" not in office.kinds(case)


def test_a_pause_survives_a_new_calendar(office):
    task = opened(office)
    office.travel(days=1)
    pause(office, task)
    office.travel(days=3)
    resume(office, task)

    calendar = office.engine.calendar_for(office.county)
    office.engine.replace_calendar(calendar.with_local_days("349898000000", [date(2026, 1, 14)]))
    assert office.engine.management.recount() == 1

    assert office.see(task.id).due_at.isoformat()[:16] == "2026-01-19T16:00"


def test_a_stranger_reads_no_clock(office):
    task = opened(office)
    sun, deadlines = office.actor("sun"), office.engine.deadlines

    for look in (deadlines.of_case, deadlines.pauses_of_case, deadlines.timers_of_case,
                 deadlines.reasons_of_case):  # fmt: skip
        with pytest.raises(errors.NotFound):
            look(task.instance_id, sun)
    with pytest.raises(errors.NotFound):
        deadlines.of_task(task.id, sun)
