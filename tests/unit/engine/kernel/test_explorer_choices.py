"""Which answers a split may get: constants, contradictions, gaps that need a default."""

from __future__ import annotations

from functools import partial

import pytest

from engine import bpmn
from engine.kernel.free_choice import FreeDecide, Split, splits
from engine.kernel.program import Program

_T, _F = True, False


def program(kind: str, *conditions: str, default: bool = False) -> Program:
    """A process with a gateway that has these conditions, each to an end of its own."""
    ways = "".join(
        f'<sequenceFlow id="f{n}" sourceRef="g" targetRef="e{n}"><conditionExpression>'
        f"{text.replace('&', '&amp;').replace('<', '&lt;')}</conditionExpression></sequenceFlow>"
        f'<endEvent id="e{n}"/>'
        for n, text in enumerate(conditions)
    )
    other = (
        '<sequenceFlow id="fd" sourceRef="g" targetRef="ed"/><endEvent id="ed"/>' if default else ""
    )
    text = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d">'
        '<process id="p" isExecutable="true"><startEvent id="s"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="g"/>'
        f'<{kind} id="g"{" default=" + chr(34) + "fd" + chr(34) if default else ""}/>{ways}{other}'
        "</process></definitions>"
    )
    return bpmn.read(text.encode(), file="split.bpmn").programs[0]


def split(kind: str, *conditions: str, default: bool = False) -> Split:
    """The split of that process."""
    return splits(program(kind, *conditions, default=default))[0]


exclusive = partial(split, "exclusiveGateway")
inclusive = partial(split, "inclusiveGateway")


@pytest.mark.parametrize(
    "conditions",
    [
        ("n > 5", "n <= 5"),
        ("n < 5", "n = 5", "n > 5"),
        ("n >= 10", "n >= 5 and n < 10", "n < 5"),
        ("done", "not(done)"),
        ("done = true", "done = false"),
        ('way = "cash"', 'way != "cash"'),
        ("f(a, b) > 2", "not(f(a, b) > 2)"),
        ("true", "a = b"),
    ],
)
def test_conditions_that_leave_nothing_open_need_no_default(conditions):
    assert not exclusive(*conditions).misses_default


@pytest.mark.parametrize(
    "conditions",
    [
        ("n > 5", "n < 5"),
        ("n > 5", "m <= 5"),
        ('way = "cash"', 'way = "card"'),
        ("n >= 10", "n >= 5 and n < 9", "n < 5"),
        ("a = 1", "a = 2", "a = 3"),
        ("f(a)", "g(a)"),
    ],
)
def test_conditions_with_a_gap_miss_their_default(conditions):
    assert exclusive(*conditions).misses_default
    assert not exclusive(*conditions, default=True).misses_default


def test_conditions_of_one_name_contradict_each_other():
    tiers = ('tier = "village" or tier = "both"', 'tier = "town" or tier = "both"')

    assert set(inclusive(*tiers, default=True).vectors) == {(_T, _T), (_T, _F), (_F, _T), (_F, _F)}
    assert set(inclusive("n > 5", "n <= 5").vectors) == {(_T, _F), (_F, _T)}
    assert set(exclusive("n > 5 and n < 3", default=True).vectors) == {(_F,)}


def test_conditions_of_several_names_are_free():
    assert set(inclusive("a", "b", default=True).vectors) == {
        (_T, _T),
        (_T, _F),
        (_F, _T),
        (_F, _F),
    }
    assert set(inclusive("a", "b").vectors) == {(_T, _T), (_T, _F), (_F, _T)}


def test_the_caller_learns_how_many_answers_there_were():
    decide = FreeDecide(program("inclusiveGateway", "n > 5", "n <= 5"))
    node, (above, below) = decide.splits[0].node, decide.splits[0].conditions

    decide.begin((1,))

    assert decide.holds(node, above, _nothing_known) is True
    assert decide.holds(node, below, _nothing_known) is False
    assert decide.asked == [2]


def _nothing_known(_: str) -> tuple[bool, object]:
    return False, None
