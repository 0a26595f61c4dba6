"""Moves between versions where branches run side by side: tokens at joins, on flows, in complex gateways."""

from __future__ import annotations

import pytest

from engine.kernel.migration import Fate, MigrationRefused, What
from engine.kernel.state import Phase
from tests.unit.engine.kernel.migrating import Outside

FORK = """
<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> f -> a -> j -> z -> e
f -> b -> j
"""
THIRD = FORK.replace('<userTask id="b"/>', '<userTask id="b"/><userTask id="c"/>') + "f -> c -> j\n"


def test_a_token_at_a_join_is_kept_and_the_join_still_counts(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="b2"/>').replace(
        "f -> b -> j", "f -> b -> b2 -> j"
    )

    plan = case.plan(version(longer))
    case.move_to(version(longer))

    assert (What.TOKEN, Fate.SAME) in [(line.what, line.fate) for line in plan.lines]
    assert case.run() == ["b", "b2", "z"]


def test_it_refuses_a_join_that_would_wait_for_ever(version):
    case = Outside(version(FORK))

    with pytest.raises(MigrationRefused, match="汇合“j”永远等不齐：不会再有人从“c”过来"):
        case.move_to(version(THIRD))


def test_a_join_goes_at_once_when_the_missing_branch_is_gone(version):
    case = Outside(version(THIRD))
    for branch in ("a", "b"):
        case.do(branch)
    case.do("c")
    assert case.waiting() == ["z"]
    case = Outside(version(THIRD))
    case.do("a")
    case.do("b")

    with pytest.raises(MigrationRefused):  # c is still at work and has no counterpart
        case.move_to(version(FORK))


def test_a_token_on_a_flow_that_is_gone_is_mapped_or_dropped_explicitly(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="a2"/>').replace(
        "s -> f -> a -> j -> z -> e", "s -> f -> a -> a2 -> j -> z -> e"
    )
    new = version(longer)

    with pytest.raises(MigrationRefused, match="没有这条连线，请指定对应的连线或放弃"):
        case.move_to(new)
    with pytest.raises(MigrationRefused, match="永远等不齐"):
        case.move_to(new, {"a_to_j": None})
    case.move_to(new, {"a_to_j": "a2_to_j"})

    assert case.run() == ["b", "z"]


def test_a_token_at_a_join_may_be_sent_on_to_a_step_that_was_put_before_it(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="a2"/>').replace(
        "s -> f -> a -> j -> z -> e", "s -> f -> a -> a2 -> j -> z -> e"
    )

    case.move_to(version(longer), {"a_to_j": "a_to_a2"})

    assert case.waiting() == ["a2", "b"]
    assert case.run() == ["a2", "b", "z"]


def test_a_join_that_has_become_a_simple_way_lets_its_token_go(version):
    case = Outside(version(FORK))
    case.do("a")
    apart = FORK.replace("f -> b -> j", "f -> b -> e2").replace(
        '<endEvent id="e"/>', '<endEvent id="e"/><endEvent id="e2"/>'
    )

    case.move_to(version(apart))

    assert case.waiting() == ["b", "z"]


STUCK = """
<startEvent id="s"/><exclusiveGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> f -[true]-> a -> j -> z -> e
f -default-> b -> j
"""


def test_a_dropped_token_must_not_be_the_last_one(version):
    case = Outside(version(STUCK))
    case.do("a")
    assert case.waiting() == []

    with pytest.raises(MigrationRefused, match="不再有任何环节在办"):
        case.move_to(version(STUCK), {"a_to_j": None})


def test_a_version_without_the_mistake_frees_a_stuck_join(version):
    case = Outside(version(STUCK))
    case.do("a")

    case.move_to(version(STUCK.replace("parallelGateway", "exclusiveGateway")))

    assert case.run() == ["z"]


def test_a_token_must_not_be_sent_where_another_one_is_on_its_way(version):
    case = Outside(version(FORK))
    case.do("a")

    with pytest.raises(MigrationRefused, match="先后相接|永远等不齐"):
        case.move_to(version(FORK), {"a_to_j": "f_to_b"})


def test_it_refuses_two_tokens_one_behind_the_other(version):
    case = Outside(version(FORK))
    chain = """
    <startEvent id="s"/><userTask id="a"/><userTask id="b"/><userTask id="z"/><endEvent id="e"/>
    s -> a -> b -> z -> e
    """

    with pytest.raises(MigrationRefused, match="先后相接"):
        case.move_to(version(chain))


def test_an_inclusive_join_goes_by_the_new_ways(version):
    body = FORK.replace("parallelGateway", "inclusiveGateway")
    case = Outside(version(body))
    case.do("a")
    apart = body.replace("f -> b -> j", "f -> b -> e2").replace(
        '<endEvent id="e"/>', '<endEvent id="e"/><endEvent id="e2"/>'
    )

    case.move_to(version(apart))

    assert case.waiting() == ["b", "z"]


def test_a_complex_gateway_goes_on_swallowing_its_late_tokens(version):
    body = THIRD.replace(
        '<parallelGateway id="j"/>',
        '<complexGateway id="j"><activationCondition>activationCount &gt;= 2</activationCondition></complexGateway>',
    )
    case = Outside(version(body))
    case.do("a")
    case.do("b")
    assert case.waiting() == ["c", "z"]
    longer = body.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="early"/>').replace(
        "s -> f", "s -> early -> f"
    )

    case.move_to(version(longer))

    assert Phase.RESET in [element.phase for element in case.state.elements.values()]
    assert case.run() == ["c", "z"]
