"""A pause reaches what the case called: timers it names, tasks and clocks of everything below."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine import SYSTEM, CaseDeadline, MoveOrder, PauseRule, errors
from tests.contract.paused_cases import fired_at, pause, resume, timer_of

RECHECK = PauseRule(key="recheck", title="复核", timers=("call",))
SUPPLEMENT = PauseRule(key="supplement", title="补正", limit="3d", timers=("call",))
CHECK = PauseRule(key="check", title="核对")
RULES = {rule.key: rule for rule in (RECHECK, SUPPLEMENT, CHECK)}


def called(office, length="7d", *, deadline=None, rules=None, **terms):
    """What is called: a notice period that runs beside a task."""
    beside = office.timer_beside("watch", "notice_over", length, interrupting=True)
    more = {} if deadline is None else {"deadline": deadline}
    steps = [office.user_task("watch", beside=beside, **more), office.user_task("decide", **more)]
    model = office.package("notice", office.straight("notice", *steps))
    office.engine.repository.deploy(replace(model, pauses=rules or {}, **terms), SYSTEM)


def calling(office, key, of, *first, rules=RULES, **terms):
    call = office.call(of)
    model = office.package(key, office.straight(key, *first, call, office.user_task("after")))
    return office.engine.repository.deploy(replace(model, pauses=rules, **terms), SYSTEM).id


def begun(office, length="7d", *, rules=RULES, **terms):
    """A case that has called another: the two."""
    called(office, length, **terms)
    calling(office, "case", "notice", rules=rules)
    case = office.start()
    return case, child_of(office, case)


def begun_two_levels_up(office):
    """A case whose callee has called another: the first and the last of them."""
    called(office)
    calling(office, "middle", "notice", rules={})
    calling(office, "case", "middle")
    case = office.start()
    return case, child_of(office, child_of(office, case))


def child_of(office, case):
    (child,) = office.engine.runtime.instances(SYSTEM, parent_id=case).rows
    return child.id


def due_of(office, case):
    at = timer_of(office, case).due_at
    return None if at is None else at.isoformat()[:16]


@pytest.mark.parametrize(
    ("length", "fires"),
    [
        # As in a case that is paused itself: 7 to 10 January are left out.
        ("7d", "2026-01-16T16:00"),
        ("5wd", "2026-01-15T16:00"),
        ("P7D", "2026-01-15T01:00"),
    ],
)
def test_a_timer_of_a_called_case_stands_still_with_its_caller(office, length, fires):
    case, child = begun(office, length)
    office.travel(days=2)
    pause(office, case)
    assert due_of(office, child) is None
    office.travel(days=3)
    assert "timer.fired" not in office.kinds(child)
    resume(office, case)

    assert due_of(office, child) == fires
    office.travel(days=20)
    assert fired_at(office, child) == fires


def test_the_called_case_says_why_its_timer_stood_still(office):
    case, child = begun(office)
    office.travel(days=2)
    pause(office, case)
    office.travel(days=3)
    resume(office, case)

    told = [fact for fact in office.facts(child) if fact.kind == "timer.due_changed"]
    assert [fact.detail["reason"] for fact in told] == ["暂停计时：复核", "恢复计时：复核"]
    line = timer_of(office, child).sum.line
    assert line == "起算日2026年1月5日 + 7天，除去复核4天 = 2026年1月16日24:00"
    (shown,) = office.engine.deadlines.pauses_of_case(child, SYSTEM)
    assert (shown.title, shown.above, shown.note) == ("复核", True, "")
    assert office.engine.history.verify(child) == []


def test_a_pause_that_does_not_name_the_call_leaves_its_timers_alone(office):
    case, child = begun(office)
    pause(office, case, "check")

    office.travel(days=10)

    assert fired_at(office, child) == "2026-01-12T16:00"


def test_the_case_that_calls_the_caller_is_heard_two_levels_down(office):
    case, below = begun_two_levels_up(office)
    office.travel(days=2)

    pause(office, case)
    office.travel(days=3)
    assert due_of(office, below) is None
    resume(office, case)

    assert due_of(office, below) == "2026-01-16T16:00"


def test_pauses_of_several_levels_hold_until_the_last_is_over_and_count_a_day_once(office):
    called(office, rules={"own": PauseRule(key="own", title="自查", timers=("notice_over",))})
    calling(office, "middle", "notice")
    calling(office, "case", "middle")
    case = office.start()
    middle = child_of(office, case)
    below = child_of(office, middle)
    office.travel(days=1)
    pause(office, middle)  # 6 January
    office.travel(days=1)
    pause(office, case)  # 7 January
    pause(office, below, "own")
    office.travel(days=1)
    resume(office, middle)  # 8 January
    assert due_of(office, below) is None
    resume(office, below)
    assert due_of(office, below) is None
    resume(office, case)

    # 6 to 8 January are left out, each of them once: 9 to 15 count.
    assert due_of(office, below) == "2026-01-15T16:00"
    office.travel(days=10)
    assert fired_at(office, below) == "2026-01-15T16:00"


def test_a_case_called_while_the_pause_lasts_does_not_begin_to_run(office):
    called(office)
    calling(office, "case", "notice", office.user_task("first"))
    case = office.start()
    pause(office, case)
    office.travel(days=1)

    office.complete("wang", "first")  # Tuesday 6 January
    child = child_of(office, case)
    assert due_of(office, child) is None
    office.travel(days=2)
    resume(office, case)

    # It begins on 6 January, which is not counted; 7 and 8 are paused; 9 to 15 count.
    assert due_of(office, child) == "2026-01-15T16:00"


def test_the_limit_of_the_pause_lets_the_called_timer_go(office):
    case, child = begun(office)
    pause(office, case, "supplement")  # until the end of Thursday 8 January

    office.travel(days=30)

    assert fired_at(office, child) == "2026-01-15T16:00"


def test_whoever_dies_after_the_pause_leaves_nothing_that_fires(office, monkeypatch):
    """The jobs for what was called are rows; the timers look at the pause themselves."""
    case, below = begun_two_levels_up(office)
    office.travel(days=2)
    monkeypatch.setattr(office.engine.deadlines._commands, "drain", lambda _jobs: None)
    pause(office, case)
    monkeypatch.undo()
    assert due_of(office, below) is not None  # nobody has told it yet

    office.travel(days=10)  # the heartbeat fires what is due before it runs jobs
    assert "timer.fired" not in office.kinds(below)
    assert due_of(office, below) is None
    resume(office, case)

    told = [fact for fact in office.facts(below) if fact.kind == "timer.due_changed"]
    assert len(told) == 2
    office.travel(days=20)
    assert office.kinds(below).count("timer.fired") == 1


def test_a_reminder_that_was_due_during_an_untold_pause_is_not_sent(office, monkeypatch):
    case, child = begun(office, "90d", deadline="5wd")
    monkeypatch.setattr(office.engine.deadlines._commands, "drain", lambda _jobs: None)
    pause(office, case, "check")
    monkeypatch.undo()
    office.messages()

    office.travel(days=12)

    assert "task.overdue" not in office.kinds(child)
    assert [name for name, _ in office.messages() if name.startswith("task_")] == []


def test_a_called_case_that_was_suspended_meanwhile_stays_held(office):
    case, child = begun(office)
    office.engine.runtime.suspend(child, SYSTEM, "查账")
    pause(office, case)
    office.travel(days=20)
    office.engine.runtime.resume(child, SYSTEM)
    office.travel(days=1)

    assert "timer.fired" not in office.kinds(child)
    resume(office, case)
    assert due_of(office, child) is not None


def test_tasks_of_a_called_case_stand_still_with_everything_in_the_case(office):
    case, child = begun(office, "90d", deadline="5wd")
    task = office.task("wang", "watch")
    office.travel(days=1)
    pause(office, case, "check")

    paused = office.see(task.id)
    assert paused.due_at is None
    assert paused.paused_at == office.clock.now()
    office.messages()
    office.travel(days=3)
    assert office.messages() == []
    resume(office, case)

    # Tuesday 6 to Friday 9 are left out, as for a task of the paused case itself.
    assert office.see(task.id).due_at.isoformat()[:16] == "2026-01-16T16:00"
    kinds = office.kinds(child)
    assert (kinds.count("clock.paused"), kinds.count("clock.resumed")) == (1, 1)
    clock = office.engine.deadlines.of_task(task.id, office.actor("wang"))
    assert clock.sum.line == "收件日2026年1月5日 + 5个工作日，除去核对4天 = 2026年1月16日24:00"


def test_a_task_opened_below_a_paused_case_does_not_begin_to_run(office):
    case, _ = begun(office, "90d", deadline="5wd")
    pause(office, case, "check")
    office.travel(days=1)
    office.complete("wang", "watch")

    task = office.task("wang", "decide")
    assert task.due_at is None
    assert task.paused_at is not None
    office.travel(days=10)
    resume(office, case)
    assert office.see(task.id).due_at is not None


def test_the_clock_of_a_called_case_stands_still_too(office):
    case, child = begun(office, "90d", case_deadline=CaseDeadline(deadline="10wd"))
    office.travel(days=1)
    pause(office, case, "check")
    clock = office.engine.deadlines.of_case(child, SYSTEM)
    assert (clock.due_at, clock.paused_at) == (None, office.clock.now())
    office.travel(days=3)
    resume(office, case)

    clock = office.engine.deadlines.of_case(child, SYSTEM)
    assert clock.due_at.isoformat()[:16] == "2026-01-23T16:00"
    assert clock.paused_at is None


def test_a_pause_of_the_clock_of_the_caller_leaves_what_it_calls_running(office):
    rule = PauseRule(key="notice", title="公示期", during=("call",))
    called(office, deadline="5wd")
    calling(
        office, "case", "notice", rules={"notice": rule}, case_deadline=CaseDeadline(deadline="9wd")
    )
    case = office.start()

    assert office.engine.deadlines.of_case(case, SYSTEM).due_at is None
    assert due_of(office, child_of(office, case)) == "2026-01-12T16:00"
    assert office.task("wang", "watch").due_at is not None


def test_a_new_calendar_does_not_let_a_timer_go_that_a_caller_holds(office):
    case, child = begun(office, "5wd")
    office.travel(days=1)
    pause(office, case)

    calendar = office.engine.calendar_for(office.county)
    office.engine.replace_calendar(calendar.with_local_days(office.village, [date(2026, 1, 14)]))
    assert office.engine.management.recount() == 0
    assert due_of(office, child) is None
    office.travel(days=2)
    resume(office, case)

    assert due_of(office, child) == "2026-01-16T16:00"
    assert office.engine.management.recount() == 0


def test_a_version_of_the_caller_that_does_not_name_the_call_lets_its_timers_go(office):
    case, child = begun(office)
    old = office.engine.runtime.instance(case, SYSTEM).definition_id
    pause(office, case)
    new = calling(office, "case", "notice", rules={"recheck": replace(RECHECK, timers=())})
    order = MoveOrder(from_definition=old, to_definition=new, mapping={})
    office.engine.moves.migrate(order, SYSTEM, reason="改版")
    office.travel()

    assert due_of(office, child) == "2026-01-12T16:00"


def test_it_refuses_a_pause_that_waits_for_a_call_whose_timers_it_holds(office):
    rule = PauseRule(key="notice", title="公示期", during=("call",), timers=("call",))
    called(office)

    with pytest.raises(errors.DeploymentRefused, match="永远不会结束"):
        calling(office, "case", "notice", rules={"notice": rule})
