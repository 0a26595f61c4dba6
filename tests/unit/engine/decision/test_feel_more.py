"""Functions beyond the standard, and what is refused of other engines in words."""

from __future__ import annotations

import pytest

from engine.decision import feel
from engine.decision.errors import FeelError

ROWS = [
    ("is defined(1)", "true"),
    ("is defined(null)", "false"),
    ("is defined(nothing)", "false"),
    ("is defined({a: 1}.b)", "false"),
    ("get or else(nothing.at all, 3)", "3"),
    ("get or else(0, 3)", "0"),
    ("assert(3, 3 > 2)", "3"),
    ("assert(3, null)", "null"),
    ("is empty([])", "true"),
    ("is empty([null])", "false"),
    ("is empty(null)", "null"),
    ('is blank(" \t")', "true"),
    ('is blank("a")', "false"),
    ("is blank(null)", "null"),
    ('trim("  a b ")', '"a b"'),
    ('extract("no. 12 and 345", "[0-9]+")', '["12", "345"]'),
    ('extract("none", "[0-9]+")', "[]"),
    ("duplicate values([1, 2, 1, null, null, [3], [3]])", "[1, null, [3]]"),
    ("partition([1, 2, 3], 2)", "[[1, 2], [3]]"),
    ("partition([], 2)", "[]"),
    ("partition([1], 0)", "null"),
    ('last day of month(@"2024-02-10")', '@"2024-02-29"'),
    ('to base64("民政")', '"5rCR5pS/"'),
    ('from json("{\\"a\\": [1, null, true]}")', "{a: [1, null, true]}"),
    ('from json("{")', "null"),
    ('to json({a: [1.50, "x", null]})', '"{\\"a\\":[1.5,\\"x\\",null]}"'),
    ("and([true, false])", "false"),
    ("and(true, null)", "null"),
    ("or(false, true)", "true"),
    ("true and (false)", "false"),
    ("false or(true)", "true"),
    ('put({a: 1}, "b", 2)', "{a: 1, b: 2}"),
    ("put all({a: 1}, {a: 2, b: 3})", "{a: 2, b: 3}"),
    ("put all([{a: 1}, {b: 3}])", "{a: 1, b: 3}"),
    ('get value({a: {b: 1}}, ["a", "b"])', "1"),
    ("get value({a: 1}, [])", "null"),
    ('fromAi(value: 7, type: "number")', "7"),
    ('date and time(@"2026-03-01T12:00:00@Asia/Shanghai", "Z")', '@"2026-03-01T04:00:00Z"'),
    ('date and time(@"2026-03-01T12:00:00Z", "+08:00")', '@"2026-03-01T20:00:00+08:00"'),
    ('date and time(@"2026-03-01T12:00:00Z", "+0800")', "null"),
    ('date and time(@"2026-03-01T12:00:00Z", "../etc")', "null"),
    ('@"P1D" instance of day-time-duration', "true"),
    ('@"P1Y" instance of year-month-duration', "true"),
    ("[< 3, > 5]", "[(< 3), (> 5)]"),
    ("4 in [< 3, > 5]", "false"),
    ("for i in 1..3 return partial", "[[], [[]], [[], [[]]]]"),
    ("{sum: 3, b: sum + 1}.b", "4"),
]


@pytest.mark.parametrize(("text", "literal"), ROWS)
def test_it_offers_what_other_engines_made_popular(text: str, literal: str) -> None:
    assert feel.dumps(feel.evaluate(text)) == literal


@pytest.mark.parametrize("text", ["uuid()", "random number()"])
def test_it_refuses_chance_in_words(text: str) -> None:
    assert feel.evaluate(text) is None
    with pytest.raises(FeelError, match="同样的输入"):
        feel.compile(text).evaluate_strict({})


def test_it_gives_way_to_a_variable_with_the_name_of_an_extension() -> None:
    assert feel.evaluate("trim", {"trim": "mine"}) == "mine"
    assert feel.evaluate("{put: function(x) x + 1, r: put(1)}.r") == 2


def test_it_refuses_to_write_what_would_not_come_back() -> None:
    deep: list[object] = []
    for _ in range(60):
        deep = [deep]

    with pytest.raises(FeelError, match="嵌套"):
        feel.dumps(deep)
    with pytest.raises(FeelError):
        feel.dumps(feel.evaluate("function(x) x"))
