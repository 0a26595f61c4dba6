"""What users of other systems report as broken when tokens are moved, and what must be true here."""

from __future__ import annotations

import pytest

from engine.kernel.jump import MoveRefused

MANY = (
    '<extensionElements><nl:loop collection="[1, 2, 3]" item="n"/></extensionElements>'
    '<multiInstanceLoopCharacteristics isSequential="{0}">{1}</multiInstanceLoopCharacteristics>'
)
REMINDER = (
    '<boundaryEvent id="{0}" attachedToRef="{1}" cancelActivity="false"><timerEventDefinition>'
    "<timeDuration>{2}</timeDuration></timerEventDefinition></boundaryEvent>"
)
WAYS = pytest.mark.parametrize("sequential", ["true", "false"])


def finish(case, orderly) -> None:
    """Complete the oldest of whatever waits until nothing does."""
    for _ in range(60):
        waiting = [node for _, node in case._case.state.waiting()]
        if not waiting:
            break
        case.complete(waiting[0])
        orderly(case)
    assert case.status == "completed"


@WAYS
def test_a_return_from_one_of_many_signers_opens_the_step_before_for_each_of_its_own(
    bench, orderly, sequential
):
    """yudao #668: after a return from a countersigned step the case had no task at all."""
    case = bench(f"""
        <startEvent id="s"/><userTask id="apply"/>
        <userTask id="one">{MANY.format(sequential, "")}</userTask>
        <userTask id="two">{MANY.format(sequential, "")}</userTask><endEvent id="e"/>
        s -> apply -> one -> two -> e
    """).start("p")
    for activity in ("apply", "one", "one", "one", "two"):
        case.complete(activity)

    case.move("two", "one")

    orderly(case)
    assert case.waiting_at() == (["one"] if sequential == "true" else ["one"] * 3)
    finish(case, orderly)
    assert case.trace.count(("complete", "one")) == 6
    assert case.trace.count(("complete", "two")) == 4


FORK = f"""
<startEvent id="s"/><userTask id="apply"/><parallelGateway id="f"/>
<userTask id="a1"/><userTask id="a2"/><userTask id="b1"/><userTask id="b2"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/><endEvent id="e2"/><task id="remind"/>
{REMINDER.format("t", "a1", "P1D")}
s -> apply -> f -> a1 -> a2 -> j -> z -> e
f -> b1 -> b2 -> j
t -> remind -> e2
"""


def test_a_branch_may_be_returned_within_itself(bench, orderly):
    """yudao #867: a task in a parallel branch could not be returned at all."""
    case = bench(FORK).start("p")
    for activity in ("apply", "a1", "b1", "b2"):
        case.complete(activity)

    case.move("a2", "a1")

    orderly(case)
    assert case.waiting_at() == ["a1"]
    finish(case, orderly)
    assert case.trace.count(("enter", "z")) == 1
    assert case.trace.count(("complete", "b2")) == 1


@pytest.mark.parametrize("done", [(), ("a1",), ("b1",), ("a1", "a2"), ("a1", "b1", "b2")])
def test_a_return_to_the_applicant_takes_all_branches_back_once(bench, orderly, done):
    """yudao #1128: a return to the applicant failed behind gateways; the other branch stayed."""
    case = bench(FORK).start("p", {"amount": 7})
    for activity in ("apply", *done):
        case.complete(activity)

    case.move(case.waiting_at()[0], "apply")

    orderly(case)
    assert (case.waiting_at(), case.variables["amount"]) == (["apply"], 7)
    finish(case, orderly)
    assert case.trace.count(("enter", "z")) == 1


def test_reminders_are_armed_again_each_time_a_step_is_entered_again(bench, orderly):
    """yudao #1018: after a return the reminder of the step was never armed again."""
    b = bench(FORK)
    case = b.start("p")
    case.complete("apply")
    for rounds in range(1, 4):
        b.travel("P1D")
        orderly(case)
        assert case.trace.count(("complete", "remind")) == rounds
        case.move("a1", "apply")
        orderly(case)
        case.complete("apply")
    case.complete("a1")

    b.travel("P2D")

    assert case.trace.count(("complete", "remind")) == 3


@WAYS
@pytest.mark.parametrize("origin", ["many", "plain"])
def test_branches_with_many_signers_go_back_to_one_task(bench, orderly, sequential, origin):
    """Flowable #4046: two branches, one with several instances, came back as several tasks."""
    case = bench(f"""
        <startEvent id="s"/><userTask id="apply"/><parallelGateway id="f"/>
        <userTask id="many">{MANY.format(sequential, "")}</userTask><userTask id="plain"/>
        <parallelGateway id="j"/><endEvent id="e"/>
        s -> apply -> f -> many -> j -> e
        f -> plain -> j
    """).start("p")
    case.complete("apply")
    case.complete("many")

    case.move(origin, "apply")

    orderly(case)
    assert case.waiting_at() == ["apply"]
    finish(case, orderly)
    assert case.trace.count(("complete", "many")) == 4


def test_a_completion_condition_counts_afresh_after_a_jump_out_of_its_rounds(bench, orderly):
    """Flowable #2669: the condition of a step entered again saw the counters of the first time."""
    condition = "<completionCondition>nrOfCompletedInstances = 1</completionCondition>"
    case = bench(f"""
        <startEvent id="s"/><userTask id="a"/><userTask id="b">{MANY.format("false", condition)}</userTask>
        <userTask id="c"/><endEvent id="e"/>
        s -> a -> b -> c -> e
    """).start("p")
    case.complete("a")
    for _ in range(3):
        case.move("b", "c")
        orderly(case)
        case.move("c", "a")
        orderly(case)
        case.complete("a")
        assert case.waiting_at() == ["b", "b", "b"]

    case.complete("b")

    orderly(case)
    assert case.waiting_at() == ["c"]


@WAYS
def test_a_step_with_many_signers_goes_back_whole_to_a_single_one(bench, orderly, sequential):
    """Flowable #3878: a roll-back of a step with several instances left some of them behind."""
    case = bench(f"""
        <startEvent id="s"/><userTask id="a"/>
        <userTask id="b">{MANY.format(sequential, "")}</userTask>
        {REMINDER.format("t", "b", "R/P1D").replace("Duration", "Cycle")}<task id="remind"/><endEvent id="e"/><endEvent id="e2"/>
        s -> a -> b -> e
        t -> remind -> e2
    """).start("p")
    case.complete("a")
    case.complete("b")

    case.move("b", "a")

    orderly(case)
    assert case.waiting_at() == ["a"]
    finish(case, orderly)


def test_it_refuses_a_return_into_one_branch_from_behind_the_join_and_says_why(bench, orderly):
    """Flowable #1641: the move was made, and the case then waited at the join for ever."""
    case = bench(FORK).start("p")
    for activity in ("apply", "a1", "a2", "b1", "b2"):
        case.complete(activity)
    before = case._case.state

    with pytest.raises(MoveRefused, match="永远等不齐"):
        case.move("z", "a2")

    assert case._case.state == before
    case.move("z", "apply")
    finish(case, orderly)
    assert case.trace.count(("complete", "z")) == 1


DEEP = f"""
<startEvent id="s"/><userTask id="first"/>
<subProcess id="l1"><startEvent id="s1"/><userTask id="p1"/>
 <subProcess id="l2"><startEvent id="s2"/><parallelGateway id="f"/><userTask id="side"/>
  <subProcess id="l3">{MANY.format("false", "")}<startEvent id="s3"/><userTask id="deep1"/><userTask id="deep2"/><endEvent id="e3"/>
  {REMINDER.format("t3", "deep2", "P1D")}<endEvent id="e3b"/>
  s3 -> deep1 -> deep2 -> e3
  t3 -> e3b
  <subProcess id="esp" triggeredByEvent="true"><startEvent id="es" isInterrupting="false"><signalEventDefinition signalRef="S"/></startEvent><userTask id="extra"/><endEvent id="ee"/>
  es -> extra -> ee
  </subProcess>
  </subProcess><parallelGateway id="j"/><endEvent id="e2"/>
  s2 -> f -> l3 -> j -> e2
  f -> side -> j
 </subProcess><userTask id="q1"/><endEvent id="e1"/>
 s1 -> p1 -> l2 -> q1 -> e1
</subProcess>
{REMINDER.format("t1", "l1", "P2D")}<endEvent id="e1b"/>
<userTask id="last"/><endEvent id="e"/>
s -> first -> l1 -> last -> e
t1 -> e1b
"""


@pytest.mark.parametrize("origin", ["deep1", "deep2", "side", "extra"])
@pytest.mark.parametrize(
    ("target", "waiting"),
    [
        ("first", ["first"]),
        ("p1", ["p1"]),
        ("l1", ["p1"]),
        ("l2", ["deep1", "deep1", "deep1", "side"]),
        ("q1", ["q1"]),
        ("last", ["last"]),
    ],
)
def test_a_move_from_three_levels_down_takes_everything_below_with_it(
    bench, orderly, origin, target, waiting
):
    """SpiffArena #1502, #530: going back out of nested subprocesses lost or kept too much."""
    b = bench(DEEP, '<signal id="S" name="alarm"/>')
    case = b.start("p")
    for activity in ("first", "p1", "deep1"):
        case.complete(activity)
    case.signal("alarm")
    orderly(case)

    case.move(origin, target)

    orderly(case)
    assert case.waiting_at() == waiting
    b.travel("P5D")
    orderly(case)
    finish(case, orderly)
    assert case.trace.count(("complete", "last")) == 1


@pytest.mark.parametrize("target", ["deep1", "deep2"])
def test_a_return_within_one_round_leaves_the_other_rounds_alone(bench, orderly, target):
    """SpiffArena #1502, #530, in depth: one round of a subprocess is a place of its own."""
    case = bench(DEEP, '<signal id="S" name="alarm"/>').start("p")
    for activity in ("first", "p1", "deep1"):
        case.complete(activity)

    case.move("deep2", target)

    orderly(case)
    assert sorted(case.waiting_at()) == sorted([target, "deep1", "deep1", "side"])
    finish(case, orderly)
    assert case.trace.count(("complete", "deep2")) == 3


def test_ending_a_case_from_three_levels_down_leaves_nothing(bench, orderly):
    b = bench(DEEP, '<signal id="S" name="alarm"/>')
    case = b.start("p")
    for activity in ("first", "p1", "deep1"):
        case.complete(activity)
    case.signal("alarm")

    case.cancel()

    orderly(case)
    assert (case.status, b.simulation.next_due()) == ("terminated", None)
    entered = [node for move, node in case.trace if move == "enter"]
    left = [node for move, node in case.trace if move != "enter"]
    assert sorted(entered) == sorted(left)
