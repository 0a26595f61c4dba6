"""Timers of the model that a pause of the process holds back: they never fire while it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine import SYSTEM, CaseDeadline, MoveOrder, PauseRule, ProcessEngine, errors
from tests.contract.paused_cases import fired_at, pause, resume, timer_of

NOTICE = PauseRule(key="recheck", title="复核", timers=("notice_over",))
WHILE = PauseRule(key="objection", title="异议处理", during=("decide",), timers=("notice_over",))
SUPPLEMENT = PauseRule(key="supplement", title="补正", limit="3d", timers=("notice_over",))
RULES = {rule.key: rule for rule in (NOTICE, SUPPLEMENT)}


def deploy(office, length="7d", *, rules=RULES, kind="timeDuration", tag=None):
    """A case whose notice period runs beside (or after) the task that watches over it."""
    timer = f"<bpmn:timerEventDefinition><bpmn:{kind}>{length}</bpmn:{kind}></bpmn:timerEventDefinition>"
    if tag == "catch":
        steps = [
            office.step(tag="intermediateCatchEvent", id="notice_over", children=timer),
            office.user_task("decide"),
        ]
    else:
        beside = office.timer_beside("watch", "notice_over", length, interrupting=True)
        beside = beside.replace("timeDuration", kind)
        steps = [office.user_task("watch", beside=beside), office.user_task("decide")]
    model = office.package("case", office.straight("case", *steps))
    office.engine.repository.deploy(replace(model, pauses=rules), SYSTEM)


def begun(office, length="7d", **terms):
    deploy(office, length, **terms)
    return office.start()


@pytest.mark.parametrize("tag", [None, "catch"], ids=["boundary", "intermediate"])
def test_a_timer_does_not_fire_while_its_case_is_paused(office, tag):
    case = begun(office, tag=tag)  # Monday 5 January + 7 days: the end of Monday 12 January
    office.travel(days=2)

    pause(office, case)
    office.travel(days=40)

    assert "timer.fired" not in office.kinds(case)
    assert timer_of(office, case).due_at is None
    assert timer_of(office, case).paused_at is not None


@pytest.mark.parametrize("tag", [None, "catch"], ids=["boundary", "intermediate"])
@pytest.mark.parametrize(
    ("length", "fires"),
    [
        # 7 to 10 January are left out: 6, 11, 12, 13, 14, 15 and 16 count.
        ("7d", "2026-01-16T16:00"),
        # Wednesday 7 to Saturday 10: three working days.
        ("5wd", "2026-01-15T16:00"),
        # To the second: the three days of the pause are added.
        ("P7D", "2026-01-15T01:00"),
        ("PT168H", "2026-01-15T01:00"),
    ],
)
def test_the_days_of_the_pause_are_not_counted(office, tag, length, fires):
    case = begun(office, length, tag=tag)
    office.travel(days=2)
    pause(office, case)
    office.travel(days=3)
    resume(office, case)

    assert timer_of(office, case).due_at.isoformat()[:16] == fires
    office.travel(days=20)

    assert fired_at(office, case) == fires


def test_the_sum_names_the_days_of_the_pause(office):
    case = begun(office)
    office.travel(days=2)
    pause(office, case)
    office.travel(days=1)
    standing = timer_of(office, case)
    office.travel(days=2)
    resume(office, case)

    clock = timer_of(office, case)

    assert clock.name == "到时"
    assert standing.sum.line.startswith("起算日2026年1月5日 + 7天，除去复核2天 = 计时暂停中")
    assert clock.sum.line == "起算日2026年1月5日 + 7天，除去复核4天 = 2026年1月16日24:00"
    assert "1月7日至10日（复核）" in clock.sum.left_out


def test_history_says_why_the_timer_stood_still_and_when_it_is_due_now(office):
    case = begun(office)
    office.travel(days=2)
    pause(office, case)
    office.travel(days=3)
    resume(office, case)

    told = [fact for fact in office.facts(case) if fact.kind == "timer.due_changed"]

    assert [fact.activity_id for fact in told] == ["notice_over", "notice_over"]
    assert [fact.detail["reason"] for fact in told] == ["暂停计时：复核", "恢复计时：复核"]
    assert told[0].detail["to"] is None
    assert str(told[1].detail["to"])[:10] == "2026-01-16"
    assert told[1].detail["name"] == "到时"


def test_a_pause_that_does_not_name_the_timer_leaves_it_alone(office):
    other = PauseRule(key="recheck", title="核对")
    case = begun(office, rules={"recheck": other})
    pause(office, case)

    office.travel(days=10)

    assert fired_at(office, case) == "2026-01-12T16:00"
    assert "timer.due_changed" not in office.kinds(case)


def test_the_pause_of_one_task_holds_the_timers_it_names(office):
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=False)
    steps = [office.user_task("watch", deadline="10wd", beside=beside), office.user_task("decide")]
    model = office.package("case", office.straight("case", *steps))
    office.engine.repository.deploy(replace(model, pauses=RULES), SYSTEM)
    case = office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))

    office.engine.deadlines.pause(task.id, office.actor("wang"), reason="recheck", note="核")
    assert timer_of(office, case).due_at is None
    office.travel(days=10)
    assert "timer.fired" not in office.kinds(case)

    office.engine.deadlines.resume(task.id, office.actor("wang"))
    assert timer_of(office, case).due_at is not None


def test_a_pause_that_is_over_with_its_task_lets_timers_and_case_run(office):
    """The notice of the whole case goes on when the task that was paused is done."""
    start = (
        '<bpmn:boundaryEvent id="notice_over" name="到时" attachedToRef="body"'
        ' cancelActivity="false"><bpmn:outgoing>over_flow</bpmn:outgoing>'
        "<bpmn:timerEventDefinition><bpmn:timeDuration>7d</bpmn:timeDuration>"
        "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"
        '<bpmn:endEvent id="over_end" name="止"><bpmn:incoming>over_flow</bpmn:incoming>'
        '</bpmn:endEvent><bpmn:sequenceFlow id="over_flow" sourceRef="notice_over"'
        ' targetRef="over_end"/>'
    )
    inner = (
        '<bpmn:startEvent id="in_start" name="起"><bpmn:outgoing>in1</bpmn:outgoing>'
        '</bpmn:startEvent><bpmn:userTask id="watch" name="看"><bpmn:extensionElements>'
        '<nl:task role="clerk" deadline="10wd"/></bpmn:extensionElements>'
        "<bpmn:incoming>in1</bpmn:incoming><bpmn:outgoing>in2</bpmn:outgoing></bpmn:userTask>"
        '<bpmn:userTask id="then" name="再"><bpmn:extensionElements><nl:task role="clerk"/>'
        "</bpmn:extensionElements><bpmn:incoming>in2</bpmn:incoming>"
        "<bpmn:outgoing>in3</bpmn:outgoing></bpmn:userTask>"
        '<bpmn:endEvent id="in_end" name="止"><bpmn:incoming>in3</bpmn:incoming></bpmn:endEvent>'
        '<bpmn:sequenceFlow id="in1" sourceRef="in_start" targetRef="watch"/>'
        '<bpmn:sequenceFlow id="in2" sourceRef="watch" targetRef="then"/>'
        '<bpmn:sequenceFlow id="in3" sourceRef="then" targetRef="in_end"/>'
    )
    body = office.step(tag="subProcess", id="body", children=inner, beside=start)
    model = office.package("case", office.straight("case", body))
    model = replace(model, pauses=RULES, case_deadline=CaseDeadline(deadline="15wd"))
    office.engine.repository.deploy(model, SYSTEM)
    case = office.start()
    task = office.task("wang", "watch")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    office.travel(days=1)
    office.engine.deadlines.pause(task.id, office.actor("wang"), reason="recheck", note="核")
    office.travel(days=2)

    office.complete("wang", "watch")

    # 6, 7 and 8 January are left out; 9 to 15 count.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-15T16:00"
    clock = office.engine.deadlines.of_case(case, SYSTEM)
    assert clock.paused_at is None
    assert clock.due_at is not None


def test_an_automatic_pause_holds_the_timer_while_the_activity_is_open(office):
    parallel = (
        '<bpmn:boundaryEvent id="objected" name="异议" attachedToRef="watch"'
        ' cancelActivity="false"><bpmn:outgoing>objected_flow</bpmn:outgoing>'
        '<bpmn:messageEventDefinition messageRef="objection_message"/></bpmn:boundaryEvent>'
        '<bpmn:userTask id="hear" name="听"><bpmn:extensionElements><nl:task role="approver"/>'
        "</bpmn:extensionElements><bpmn:incoming>objected_flow</bpmn:incoming>"
        "<bpmn:outgoing>heard_flow</bpmn:outgoing></bpmn:userTask>"
        '<bpmn:endEvent id="heard_end" name="止"><bpmn:incoming>heard_flow</bpmn:incoming>'
        "</bpmn:endEvent>"
        '<bpmn:sequenceFlow id="objected_flow" sourceRef="objected" targetRef="hear"/>'
        '<bpmn:sequenceFlow id="heard_flow" sourceRef="hear" targetRef="heard_end"/>'
    )
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=False) + parallel
    rule = replace(WHILE, during=("hear",))
    model = office.package(
        "case",
        office.straight(
            "case",
            office.user_task("watch", beside=beside),
            root='<bpmn:message id="objection_message" name="objection"/>',
        ),
    )
    office.engine.repository.deploy(replace(model, pauses={rule.key: rule}), SYSTEM)
    case = office.start()
    office.travel(days=2)
    office.engine.runtime.correlate("objection", None)
    assert timer_of(office, case).due_at is None
    office.travel(days=9)
    assert "timer.fired" not in office.kinds(case)

    office.complete("li", "hear")

    # 7 to 16 January are left out; 6, 17, 18, 19, 20, 21 and 22 count.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-22T16:00"
    office.travel(days=8)
    assert fired_at(office, case) == "2026-01-22T16:00"


def test_a_timer_armed_while_the_case_is_paused_does_not_begin_to_run(office):
    beside = office.timer_beside("decide", "notice_over", "7d", interrupting=True)
    model = office.package(
        "case",
        office.straight(
            "case", office.user_task("watch"), office.user_task("decide", beside=beside)
        ),
    )
    office.engine.repository.deploy(replace(model, pauses=RULES), SYSTEM)
    case = office.start()
    pause(office, case)
    office.travel(days=1)

    office.complete("wang", "watch")  # Tuesday 6 January: the notice would begin
    assert timer_of(office, case).due_at is None
    office.travel(days=2)
    resume(office, case)

    # It begins on 6 January, which is not counted; 7 and 8 are paused; 9 to 15 count.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-15T16:00"


def test_the_limit_of_the_pause_lets_the_timer_go(office):
    case = begun(office)
    pause(office, case, "supplement")  # three days: until the end of Thursday 8 January

    office.travel(days=30)

    # 6, 7, 8 are left out: the 9th to the 15th count.
    assert fired_at(office, case) == "2026-01-15T16:00"


def test_a_pause_survives_a_restart(office, store_url, tmp_path):
    case = begun(office)
    office.travel(days=2)
    pause(office, case)

    office.engine.close()
    office.engine = ProcessEngine(store_url, clock=office.clock, files=tmp_path / "files")
    office.travel(days=20)
    assert "timer.fired" not in office.kinds(case)
    resume(office, case)
    office.travel(days=10)

    assert "timer.fired" in office.kinds(case)


def test_suspending_and_resuming_the_case_does_not_let_the_timer_go(office):
    case = begun(office)
    pause(office, case)
    office.engine.runtime.suspend(case, SYSTEM, "查账")
    office.engine.runtime.resume(case, SYSTEM)

    office.travel(days=20)
    assert "timer.fired" not in office.kinds(case)

    office.engine.runtime.suspend(case, SYSTEM, "查账")
    resume(office, case)
    office.travel(days=20)
    assert "timer.fired" not in office.kinds(case)
    office.engine.runtime.resume(case, SYSTEM)
    office.travel(days=20)
    assert "timer.fired" in office.kinds(case)


def test_what_was_due_before_the_pause_is_still_due(office):
    case = begun(office)
    office.clock.advance(timedelta(days=8))  # nobody's heartbeat ran

    pause(office, case)
    office.engine.management.run_due()

    assert "timer.fired" in office.kinds(case)


def test_two_pauses_at_once_hold_until_the_last_is_over(office):
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=False)
    model = office.package(
        "case", office.straight("case", office.user_task("watch", deadline="10wd", beside=beside))
    )
    office.engine.repository.deploy(replace(model, pauses=RULES), SYSTEM)
    case = office.start()
    task, wang = office.task("wang"), office.actor("wang")
    office.engine.tasks.claim(task.id, wang)
    office.travel(days=1)
    office.engine.deadlines.pause(task.id, wang, reason="recheck", note="核")
    office.travel(days=1)
    pause(office, case, "supplement")
    office.travel(days=1)
    office.engine.deadlines.resume(task.id, wang)
    assert timer_of(office, case).due_at is None
    resume(office, case)

    # 6 to 8 January are left out, each of them once: 9 to 15 count.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-15T16:00"


def test_a_new_calendar_does_not_let_a_held_timer_go(office):
    case = begun(office, "5wd")
    office.travel(days=1)
    pause(office, case)

    calendar = office.engine.calendar_for(office.county)
    office.engine.replace_calendar(calendar.with_local_days(office.village, [date(2026, 1, 14)]))
    assert office.engine.management.recount() == 0
    office.travel(days=2)
    assert timer_of(office, case).due_at is None
    resume(office, case)

    # 6 to 8 January are left out, the 14th is off now: 9, 12, 13, 15 and 16 count.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-16T16:00"
    assert office.engine.management.recount() == 0


@pytest.mark.parametrize(
    ("length", "kind", "named", "said"),
    [
        ("7d", "timeDuration", "nowhere", "不存在"),
        ("7d", "timeDuration", "decide", "不是按时长走"),
        ("R3/P7D", "timeCycle", "notice_over", "不是按时长走"),
        ("2026-02-01", "timeDate", "notice_over", "不是按时长走"),
    ],
)
def test_it_refuses_a_pause_of_what_is_no_length(office, length, kind, named, said):
    rule = PauseRule(key="recheck", title="复核", timers=(named,))

    with pytest.raises(errors.DeploymentRefused, match=said):
        deploy(office, length, rules={"recheck": rule}, kind=kind)


def moved(office, case, rules):
    """The case after its move to a version of the same steps with these pauses."""
    old = office.engine.runtime.instance(case, SYSTEM).definition_id
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=True)
    steps = [office.user_task("watch", beside=beside), office.user_task("decide2")]
    model = office.package("case", office.straight("case", *steps))
    new = office.engine.repository.deploy(replace(model, pauses=rules, version_tag="2"), SYSTEM).id
    order = MoveOrder(from_definition=old, to_definition=new, mapping={"decide": "decide2"})
    office.engine.moves.migrate(order, SYSTEM, reason="改版")
    office.travel()
    assert "instance.migrated" in office.kinds(case)


def test_a_held_timer_stays_held_in_another_version(office):
    case = begun(office)
    office.travel(days=2)
    pause(office, case)
    moved(office, case, RULES)

    office.travel(days=3)
    assert timer_of(office, case).due_at is None
    resume(office, case)

    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-16T16:00"


def test_a_version_that_does_not_name_the_timer_lets_it_go(office):
    case = begun(office)
    office.travel(days=2)
    pause(office, case)
    moved(office, case, {})

    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-12T16:00"
    office.travel(days=9)
    assert fired_at(office, case) == "2026-01-12T16:00"


def test_a_timer_of_a_version_that_named_no_pause_is_held_to_the_second(office):
    case = begun(office, rules={})
    office.travel(days=2)
    moved(office, case, RULES)
    pause(office, case)
    office.travel(days=3)
    assert timer_of(office, case).due_at is None
    resume(office, case)

    # When it was armed nobody noted how it was counted: what was left of it is left of it.
    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-15T16:00"


def test_a_timer_that_comes_back_with_a_withdrawn_task_is_counted_by_the_pauses_of_now(office):
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=True)
    steps = [
        office.user_task("watch", beside=beside, withdrawable="true"),
        office.user_task("decide"),
    ]
    model = office.package("case", office.straight("case", *steps))
    office.engine.repository.deploy(replace(model, pauses=RULES), SYSTEM)
    case = office.start()
    office.travel(days=2)
    pause(office, case)
    task = office.task("wang")
    office.complete("wang", "watch")
    office.travel(days=3)
    resume(office, case)

    office.engine.tasks.withdraw(task.id, office.actor("wang"), "看错了")

    assert timer_of(office, case).due_at.isoformat()[:16] == "2026-01-16T16:00"
