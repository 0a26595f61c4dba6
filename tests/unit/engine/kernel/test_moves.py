"""Return, withdraw, jump: no orphan token, no double one."""

from __future__ import annotations

import pytest

from engine.kernel.jump import MoveRefused

FORK = """
<startEvent id="s"/><userTask id="first"/><parallelGateway id="f"/><userTask id="a1"/><userTask id="a2"/>
<userTask id="b"/><parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> first -> f -> a1 -> a2 -> j -> z -> e
f -> b -> j
"""


def run(case) -> None:
    """Complete whatever waits until nothing does."""
    for _ in range(30):
        waiting = case.waiting_at()
        if not waiting:
            return
        case.complete(waiting[0])


def test_a_return_within_a_branch_leaves_the_other_branch_alone(bench):
    case = bench(FORK).start("p")
    case.complete("first")
    case.complete("a1")

    case.move("a2", "a1")

    assert case.waiting_at() == ["a1", "b"]
    run(case)
    assert case.trace.count(("complete", "z")) == 1


def test_a_return_before_the_fork_takes_every_branch_back(bench):
    case = bench(FORK).start("p")
    case.complete("first")
    case.complete("a1")

    case.move("a2", "first")

    assert case.waiting_at() == ["first"]
    run(case)
    assert (case.status, case.trace.count(("complete", "z"))) == ("completed", 1)


def test_a_join_forgets_the_token_of_a_branch_that_is_taken_back(bench):
    case = bench(FORK).start("p")
    case.complete("first")
    case.complete("b")

    case.move("a1", "first")
    case.complete("first")
    case.complete("a1")
    case.complete("a2")

    assert case.waiting_at() == ["b"]


def test_a_return_from_behind_the_join_runs_both_branches_again(bench):
    case = bench(FORK).start("p")
    for activity in ("first", "a1", "a2", "b"):
        case.complete(activity)

    case.move("z", "first")
    run(case)

    assert (case.status, case.trace.count(("complete", "z"))) == ("completed", 1)


SUB = """
<startEvent id="s"/><userTask id="first"/>
<subProcess id="sub"><startEvent id="s2"/><userTask id="in1"/><userTask id="in2"/><endEvent id="e2"/>
s2 -> in1 -> in2 -> e2
</subProcess>
<boundaryEvent id="b" attachedToRef="sub"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
<userTask id="late"/><userTask id="z"/><endEvent id="e"/>
s -> first -> sub -> z -> e
b -> late -> e
"""


def test_a_return_out_of_a_subprocess_cancels_the_whole_of_it(bench):
    board = bench(SUB)
    case = board.start("p")
    case.complete("first")
    case.complete("in1")

    case.move("in2", "first")
    board.travel("P3D")

    assert case.waiting_at() == ["first"]
    assert ("cancel", "sub") in case.trace


def test_a_move_into_a_subprocess_opens_it_with_its_boundary_events(bench):
    board = bench(SUB)
    case = board.start("p")

    case.move("first", "in2")
    assert case.waiting_at() == ["in2"]
    board.travel("P3D")

    assert case.waiting_at() == ["late"]


def test_a_move_inside_a_subprocess_keeps_it_open(bench):
    case = bench(SUB).start("p")
    case.complete("first")
    case.complete("in1")

    case.move("in2", "in1")
    case.complete("in1")
    case.complete("in2")

    assert case.waiting_at() == ["z"]


def test_it_refuses_a_move_into_one_of_many_instances(bench):
    case = bench("""
        <startEvent id="s"/><userTask id="first"/>
        <subProcess id="sub"><multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2</loopCardinality>
        </multiInstanceLoopCharacteristics><startEvent id="s2"/><userTask id="in1"/><endEvent id="e2"/>
        s2 -> in1 -> e2
        </subProcess><endEvent id="e"/>
        s -> first -> sub -> e
    """).start("p")

    with pytest.raises(MoveRefused, match="多个实例"):
        case.move("first", "in1")

    assert case.waiting_at() == ["first"]


def test_a_return_inside_a_loop_of_the_process_is_not_held_up_by_the_loop(bench):
    case = bench("""
        <startEvent id="s"/><exclusiveGateway id="m"/><parallelGateway id="f"/><userTask id="a1"/>
        <userTask id="a2"/><userTask id="b"/><parallelGateway id="j"/><exclusiveGateway id="g"/><endEvent id="e"/>
        s -> m -> f -> a1 -> a2 -> j -> g -[again]-> m
        f -> b -> j
        g -default-> e
    """).start("p", {"again": False})
    case.complete("a1")

    case.move("a2", "a1")

    assert case.waiting_at() == ["a1", "b"]


def test_it_refuses_a_target_that_only_an_event_can_start(bench):
    case = bench(SUB).start("p")

    with pytest.raises(MoveRefused):
        case.move("first", "b")


def test_it_refuses_to_carry_a_token_into_a_branch_that_has_its_own(bench):
    case = bench(FORK).start("p")
    case.complete("first")

    with pytest.raises(MoveRefused, match="重复|等不齐"):
        case.move("b", "a2")

    assert case.waiting_at() == ["a1", "b"]


def test_it_refuses_a_move_that_would_starve_a_join(bench):
    case = bench(FORK).start("p")
    case.complete("first")

    with pytest.raises(MoveRefused, match="等不齐"):
        case.move("a1", "z")

    assert case.waiting_at() == ["a1", "b"]


def test_a_side_path_that_ends_at_the_same_end_does_not_stand_in_the_way(bench):
    board = bench("""
        <startEvent id="s"/><userTask id="first"/><userTask id="a"/><userTask id="side"/><endEvent id="e"/>
        <boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
        s -> first -> a -> e
        b -> side -> e
    """)
    case = board.start("p")
    case.complete("first")
    board.travel("P2D")
    assert case.waiting_at() == ["a", "side"]

    case.move("a", "a")

    assert case.waiting_at() == ["a", "side"]


def test_it_refuses_to_starve_a_join_although_a_loop_leads_back_to_it(bench):
    """Only another join, which waits for this very one, would let a token come round again."""
    case = bench("""
        <startEvent id="s"/><exclusiveGateway id="m"/><userTask id="first"/><parallelGateway id="f"/>
        <userTask id="a"/><parallelGateway id="f2"/><userTask id="b"/><userTask id="c"/>
        <parallelGateway id="j2"/><parallelGateway id="j"/><exclusiveGateway id="g"/><endEvent id="e"/>
        s -> m -> first -> f -> a -> j -> g -default-> e
        f -> f2 -> b -> j2 -> j
        f2 -> c -> j2
        g -[again]-> m
    """).start("p")
    case.complete("first")

    with pytest.raises(MoveRefused, match="永远等不齐"):
        case.move("b", "a")


def test_a_return_over_a_link_takes_back_what_lies_behind_it(bench):
    """A throwing link goes on at its catching one: the branch is one branch."""
    case = bench("""
        <startEvent id="s"/><userTask id="first"/><parallelGateway id="f"/><userTask id="b"/>
        <intermediateThrowEvent id="out"><linkEventDefinition name="L"/></intermediateThrowEvent>
        <intermediateCatchEvent id="in"><linkEventDefinition name="L"/></intermediateCatchEvent>
        <userTask id="a"/><parallelGateway id="j"/><endEvent id="e"/>
        s -> first -> f -> out
        in -> a -> j -> e
        f -> b -> j
    """).start("p")
    case.complete("first")

    case.move("b", "first")

    assert case.waiting_at() == ["first"]
    run(case)
    assert case.status == "completed"


def test_an_ad_hoc_subprocess_in_turn_goes_on_behind_where_it_was_moved_to(bench):
    body = """
        <startEvent id="s"/><adHocSubProcess id="ah" ordering="Sequential"><userTask id="a"/>
        <userTask id="b"/><userTask id="c"/></adHocSubProcess><userTask id="z"/><endEvent id="e"/>
        s -> ah -> z -> e
    """
    case = bench(body).start("p")
    case.complete("a")
    case.move("b", "a")
    seen = []
    while case.waiting_at() != ["z"]:
        seen += case.waiting_at()
        case.complete(seen[-1])
    assert seen == ["a", "b", "c"]

    case.move("z", "b")
    case.complete("b")
    assert case.waiting_at() == ["c"]
