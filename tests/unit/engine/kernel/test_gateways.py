"""Gateways: when the tokens that arrived are enough, and where they go."""

from __future__ import annotations

import pytest

FORK = """
<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> f -> a -> j -> z -> e
f -> b -> j
"""
CHOICE = """
<startEvent id="s"/><exclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>
<userTask id="c"/><endEvent id="e"/>
s -> g -[x > 10]-> a -> e
g -[x > 5]-> b -> e
g -default-> c -> e
"""
OR = """
<startEvent id="s"/><inclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>
<userTask id="c"/><inclusiveGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> g -[x > 10]-> a -> j -> z -> e
g -[x > 5]-> b -> j
g -default-> c -> j
"""


@pytest.mark.parametrize(("x", "taken"), [(11, "a"), (6, "b"), (5, "c")])
def test_an_exclusive_gateway_takes_the_first_flow_that_holds(bench, x, taken):
    assert bench(CHOICE).start("p", {"x": x}).waiting_at() == [taken]


@pytest.mark.parametrize(("x", "taken"), [(11, ["a", "b"]), (6, ["b"]), (5, ["c"])])
def test_an_inclusive_gateway_takes_every_flow_that_holds(bench, x, taken):
    assert bench(OR).start("p", {"x": x}).waiting_at() == taken


def test_an_inclusive_join_waits_for_exactly_the_tokens_that_can_come(bench):
    case = bench(OR).start("p", {"x": 11})

    case.complete("a")
    assert case.waiting_at() == ["b"]
    case.complete("b")
    assert case.waiting_at() == ["z"]


def test_an_inclusive_join_does_not_wait_for_a_branch_that_left_by_another_way(bench):
    case = bench("""
        <startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
        <exclusiveGateway id="x"/><inclusiveGateway id="j"/><userTask id="z"/>
        <endEvent id="e"/><endEvent id="away"/>
        s -> f -> a -> j -> z -> e
        f -> b -> x -[back]-> j
        x -default-> away
    """).start("p", {"back": False})

    case.complete("a")
    assert case.waiting_at() == ["b"]
    case.complete("b")
    assert case.waiting_at() == ["z"]


def test_an_inclusive_join_waits_for_a_boundary_path_that_may_still_lead_to_it(bench):
    case = bench("""
        <startEvent id="s"/><inclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>
        <userTask id="late"/><inclusiveGateway id="j"/><userTask id="z"/><endEvent id="e"/>
        <boundaryEvent id="t" attachedToRef="b"><timerEventDefinition>
          <timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
        <endEvent id="e2"/>
        s -> g -[true]-> a -> j -> z -> e
        g -[true]-> b -> e2
        t -> late -> j
    """).start("p")

    case.complete("a")
    assert case.waiting_at() == ["b"]
    case.complete("b")
    assert case.waiting_at() == ["z"]


def test_a_parallel_join_waits_for_one_token_from_each_flow(bench):
    case = bench(FORK).start("p")

    case.complete("a")
    assert case.waiting_at() == ["b"]
    case.complete("b")
    assert case.waiting_at() == ["z"]


def test_a_second_token_on_a_flow_waits_for_the_next_round_of_the_join(bench):
    bench_ = bench(
        """
        <startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
        <exclusiveGateway id="m"/><parallelGateway id="j"/><userTask id="z"/>
        <parallelGateway id="f2"/><userTask id="c"/><userTask id="d"/>
        s -> f -> a -> m -> j -> z
        f -> b -> m
        f -> f2 -> c -> j
    """.replace('<parallelGateway id="f2"/>', '<task id="f2"/>').replace('<userTask id="d"/>', "")
    )
    case = bench_.start("p")

    case.complete("a")
    case.complete("b")
    assert case.waiting_at() == ["c"]
    case.complete("c")
    assert case.waiting_at() == ["z"]
    assert ("j_stuck", case.status) == ("j_stuck", "active")


def test_an_exclusive_gateway_without_a_way_out_is_an_incident_that_can_be_mended(bench):
    case = bench("""
        <startEvent id="s"/><exclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>
        s -> g -[x = 1]-> a
        g -[x = 2]-> b
    """).start("p", {"x": 3})

    assert case.status == "incident"
    assert "条件都不成立" in case.incidents["g"]
    case.retry("g", {"x": 2})
    assert (case.status, case.waiting_at()) == ("active", ["b"])


def test_a_condition_that_is_neither_true_nor_false_is_an_incident(bench):
    case = bench(CHOICE).start("p", {"x": None})

    assert case.status == "incident"
    assert "g" in case.incidents


def test_an_activity_takes_its_default_only_when_no_condition_holds(bench):
    body = """
        <startEvent id="s"/><task id="t"/><userTask id="a"/><userTask id="b"/><userTask id="c"/>
        s -> t -[x = 1]-> a
        t -> b
        t -default-> c
    """
    assert bench(body).start("p", {"x": 1}).waiting_at() == ["a", "b"]
    assert bench(body).start("p", {"x": 2}).waiting_at() == ["b", "c"]


def test_the_first_event_after_an_event_gateway_ends_the_others(bench):
    board = bench(
        """
        <startEvent id="s"/><eventBasedGateway id="g"/><userTask id="a"/><userTask id="b"/>
        <intermediateCatchEvent id="m"><messageEventDefinition messageRef="M"/></intermediateCatchEvent>
        <intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>P3D</timeDuration>
        </timerEventDefinition></intermediateCatchEvent>
        s -> g -> m -> a
        g -> t -> b
        """,
        '<message id="M" name="reply"/>',
    )
    answered, late = board.start("p"), board.start("p")
    assert answered.waiting_at() == ["g"]

    answered.message("reply", {"text": "yes"})
    board.travel("P4D")

    assert (answered.waiting_at(), late.waiting_at()) == (["a"], ["b"])
    assert answered.variables["text"] == "yes"


def test_a_complex_gateway_goes_once_and_swallows_the_rest_of_the_round(bench):
    case = bench("""
        <startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
        <userTask id="c"/>
        <complexGateway id="j"><activationCondition xsi:type="tFormalExpression">activationCount &gt;= 2</activationCondition></complexGateway>
        <userTask id="z"/><endEvent id="e"/>
        s -> f -> a -> j -> z -> e
        f -> b -> j
        f -> c -> j
    """).start("p")

    case.complete("b")
    assert case.waiting_at() == ["a", "c"]
    case.complete("a")
    assert case.waiting_at() == ["c", "z"]
    case.complete("c")
    assert case.waiting_at() == ["z"]
    case.complete("z")
    assert case.status == "completed"
