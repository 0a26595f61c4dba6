"""Built-in functions: the examples of the standard and the edges of each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engine.decision import feel

D = Decimal

STRINGS = [
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", 3, 3)', "oba"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring("\\U01F40Eab", 2)', "ab"),
    ('substring("foobar", 0)', None),
    ('string length("\\U01F40E")', D(1)),
    ('upper case("aBc4")', "ABC4"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring before("foobar", "xyz")', ""),
    ('substring after("foobar", "ob")', "ar"),
    ('substring after("", "a")', ""),
    ('contains("foobar", "of")', False),
    ('starts with("foobar", "fo")', True),
    ('ends with("foobar", "r")', True),
    ('split("John Doe", "\\s")', ["John", "Doe"]),
    ('split("a;b;c;;", ";")', ["a", "b", "c", "", ""]),
    ('string join(["a", null, "c"], ", ")', "a, c"),
    ('string join(["a", "b"])', "ab"),
    ('string join(["a", "b"], "-", "<", ">")', "<a-b>"),
    ('string join(["a", "b"], "-", "<")', None),
    ('string([1, "a", {b: null}])', '[1, "a", {b: null}]'),
    ("string(1.10)", "1.1"),
    ("string(1e10)", "10000000000"),
    ('number("1 000,0", " ", ",")', D("1000.0")),
    ('number("1,000.0", ",", ".")', D("1000.0")),
    ('number("1", ",", ",")', None),
    ('number("abc")', None),
    ('lower case(["ABC"])', "abc"),
    ('trim("  a ")', "a"),
]
PATTERNS = [
    ('matches("foobar", "^fo*b")', True),
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
    ('replace("a.b", ".", "-", "q")', "a-b"),
    ('matches("ABC", "b", "i")', True),
    ('matches("x", "[A-Z-[OI]]", "i")', True),
    ('matches("o", "[A-Z-[OI]]", "i")', False),
    ('matches("aa", "(a)\\1")', True),
    ('matches("a", "(a)\\2")', None),
    ('matches("横", "\\p{IsCJKUnifiedIdeographs}")', True),
    ('matches("横", "\\p{Lo}")', True),
    ('matches("a", "(?=a)")', None),
    ('matches("a\\nb", "a.b")', False),
    ('matches("a\\nb", "a.b", "s")', True),
    ('matches("a", "[", "s")', None),
]
LISTS = [
    ("list contains([1, null], null)", True),
    ("count([])", D(0)),
    ("min([3, 1, 2])", D(1)),
    ("max(3, 1, 2)", D(3)),
    ("max([])", None),
    ('max(1, "a")', None),
    ("sum([1, 2, 3])", D(6)),
    ("sum([])", None),
    ("mean(1, 2, 3)", D(2)),
    ("all([false, null, true])", False),
    ("any([false, null, true])", True),
    ("sublist([4, 5, 6], 1, 2)", [D(4), D(5)]),
    ("sublist([4, 5, 6], -1)", [D(6)]),
    ("append([1], 2, 3)", [D(1), D(2), D(3)]),
    ("concatenate([1, 2], [3])", [D(1), D(2), D(3)]),
    ("insert before([1, 3], 1, 2)", [D(2), D(1), D(3)]),
    ("remove([1, 2, 3], 2)", [D(1), D(3)]),
    ("reverse([1, 2, 3])", [D(3), D(2), D(1)]),
    ("index of([1, 2, 3, 2], 2)", [D(2), D(4)]),
    ("union([1, 2], [2, 3])", [D(1), D(2), D(3)]),
    ("distinct values([1, 2, 3, 2, 1])", [D(1), D(2), D(3)]),
    ("flatten([[1, 2], [[3]], 4])", [D(1), D(2), D(3), D(4)]),
    ("product([2, 3, 4])", D(24)),
    ("median([8, 2, 5, 3, 4])", D(4)),
    ("median([6, 1, 2, 3])", D("2.5")),
    ("stddev([2, 4, 7, 5])", D("2.081665999466132735282297706979931")),
    ("mode([6, 1, 9, 6, 1])", [D(1), D(6)]),
    ("sort([3, 1, 2], function(a, b) a < b)", [D(1), D(2), D(3)]),
    ("list replace([2, 4, 7, 8], 3, 6)", [D(2), D(4), D(6), D(8)]),
    (
        "list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)",
        [D(5), D(5), D(7), D(8)],
    ),
]
NUMBERS = [
    ("decimal(1/3, 2)", D("0.33")),
    ("decimal(2.5, 0)", D(2)),
    ("floor(-1.56, 1)", D("-1.6")),
    ("ceiling(-1.56, 1)", D("-1.5")),
    ("round up(-5.5, 0)", D(-6)),
    ("round half up(-5.5, 0)", D(-6)),
    ("round half down(-5.5, 0)", D(-5)),
    ("abs(-10)", D(10)),
    ("modulo(-12, 5)", D(3)),
    ("modulo(12, -5)", D(-3)),
    ("modulo(1, 0)", None),
    ("sqrt(16)", D(4)),
    ("sqrt(-1)", None),
    ("log(1)", D(0)),
    ("exp(0)", D(1)),
    ("odd(5)", True),
    ("even(5)", False),
    ("abs(n: -1)", D(1)),
    ("abs(number: -1)", None),
    ("abs()", None),
    ("abs(1, 2)", None),
    (
        "decimal(123456789012345678901234567890.12345, 1)",
        D("123456789012345678901234567890.1"),
    ),
]
CONTEXTS = [
    ('get value({a: 1}, "a")', D(1)),
    ('get value({a: {b: 1}}, ["a", "b"])', D(1)),
    ("get entries({a: 1})", [{"key": "a", "value": D(1)}]),
    ('context([{key: "a", value: 1}])', {"a": D(1)}),
    ('context put({x: 1}, "y", 2)', {"x": D(1), "y": D(2)}),
    ('context put({x: 1, y: {a: 0}}, ["y", "a"], 2)', {"x": D(1), "y": {"a": D(2)}}),
    ('context put({x: 1, y: 0}, ["y", "a"], 2)', None),
    ("context merge([{a: 1}, {b: 2}, {a: 3}])", {"a": D(3), "b": D(2)}),
]
MOMENTS = [
    ("date(2012, 12, 25)", date(2012, 12, 25)),
    ("date(2012, 13, 25)", None),
    ("date(null)", None),
    ("day of year(date(2019, 9, 17))", D(260)),
    ("day of week(date(2019, 9, 17))", "Tuesday"),
    ("month of year(date(2019, 9, 17))", "September"),
    ("week of year(date(2005, 1, 1))", D(53)),
    ("last day of month(date(2024, 2, 1))", date(2024, 2, 29)),
    ('is(@"23:00:50Z", @"23:00:50")', False),
    ('is(@"23:00:50z", @"23:00:50+00:00")', True),
    ('duration("P1Y2M3D")', None),
    ('duration("PT")', None),
    ('time("24:00:00")', None),
]


@pytest.mark.parametrize(
    ("text", "expected"), STRINGS + PATTERNS + LISTS + NUMBERS + CONTEXTS + MOMENTS
)
def test_it_answers_as_the_standard_says(text: str, expected: object) -> None:
    assert feel.evaluate(text) == expected
