"""FEEL read clause by clause: what DMN 1.5 §10.3 says, one table a clause.

The values follow from the text of the standard; none is taken over from another engine.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.decision import feel

D = Decimal

# §10.3.1.2: grammar and names.
GRAMMAR: list[tuple[str, object]] = [
    ("1 + /* one */ 1 // two", D(2)),
    ("if true then if false then 1 else 2 else 3", D(2)),
    ("{if x: 1}.if x", D(1)),
    ("2 ** 3 ** 2", D(64)),
    ("-2 ** 2", D(4)),
    ("10 - 5 - 2", D(3)),
    ("true or false and false", True),
    ("1 + 1 = 2 and 2 * 2 = 4", True),
    ('"\\u6c11\\u653f" = "民政"', True),
    ('"a\\"b"', 'a"b'),
    ('"\\d"', "\\d"),
    ("for i in [1, 2] return for j in [i] return i * j", [[D(1)], [D(4)]]),
    ("[[1, 2], [3]][2][1]", D(3)),
    ("{a: {b c: 1}}.a.b c", D(1)),
]
# §10.3.2.3: numbers have 34 digits and round half to even; strings are code points.
NUMBERS: list[tuple[str, object]] = [
    ("1234567890123456789012345678901234 + 0.5", D("1234567890123456789012345678901234")),
    ("1234567890123456789012345678901235 + 0.5", D("1234567890123456789012345678901236")),
    ("2 / 3", D("0.6666666666666666666666666666666667")),
    ("1.10 = 1.1", True),
    ("9.99e6144 * 10", None),
    ('string length("𠮷野家")', D(3)),
]
# §10.3.2.4–5: ternary logic.
LOGIC: list[tuple[str, object]] = [
    (f"{a} {word} {b}", outcome)
    for word, table in (
        ("and", {"tt": True, "tf": False, "tn": None, "ff": False, "fn": False, "nn": None}),
        ("or", {"tt": True, "tf": True, "tn": True, "ff": False, "fn": None, "nn": None}),
    )
    for pair, outcome in table.items()
    for a, b in {
        tuple({"t": "true", "f": "false", "n": "null"}[one] for one in order)
        for order in (pair, pair[::-1])
    }
]
# §10.3.2.7, Table 55: ranges and `in`.
RANGES: list[tuple[str, object]] = [
    ("2.5 in (1..3)", True),
    ("1 in (1..3)", False),
    ("1 in ]1..3]", False),
    ("3 in [1..3[", False),
    ('"b" in ["a".."c"]', True),
    ('@"2020-06-01" in [@"2020-01-01"..@"2020-12-31"]', True),
    ("1 in (2, 3, < 2)", True),
    ('1 in ["a".."c"]', None),
    ("null in [1..3]", None),
    ("null in [1, null]", True),
]
# §10.3.2.9.2: properties; §10.3.2.5: lists of one and filters.
SELECTION: list[tuple[str, object]] = [
    ("[{a: 1, b: 2}, {a: 3}][a > 2]", [{"a": D(3)}]),
    ("[{item: 1}][item = 1]", [{"item": D(1)}]),
    ("100[1]", D(100)),
    ("100[2]", None),
    ("100[item > 5]", [D(100)]),
    ("null[1]", None),
    ("[1, 2, 3][-4]", None),
    ('duration("P1DT2H3M4S").minutes', D(3)),
    ('duration("-P1Y2M").months', D(-2)),
    ('date("2020-02-29").day', D(29)),
    ('"text".length', None),
]
# §10.3.2.9.4: conversions of arguments.
CONVERSIONS: list[tuple[str, object]] = [
    ('upper case(["a"])', "A"),
    ('upper case(["a", "b"])', None),
    ('(function(x: date and time) string(x))(@"2020-01-01")', "2020-01-01T00:00:00Z"),
    ("(function(x: list<number>) x)(1)", [D(1)]),
    ("(function(x: number) x)([1])", D(1)),
    ("count(5)", D(1)),
]
# §10.3.4.10: relations of points and ranges.
RELATIONS: list[tuple[str, object]] = [
    ("before([1..5), [5..10])", True),
    ("after([5..10], [1..5))", True),
    ("meets([1..5], [5..10])", True),
    ("meets([1..5), [5..10])", False),
    ("met by([5..10], [1..5])", True),
    ("overlaps([1..5], (5..8])", False),
    ("overlaps before([1..5], [3..8])", True),
    ("overlaps after([3..8], [1..5])", True),
    ("finishes(10, [1..10])", True),
    ("finished by([1..10], [5..10])", True),
    ("includes([1..10], [1..10))", True),
    ("during([4..6), [1..10])", True),
    ("starts(1, (1..10])", False),
    ("started by([1..10], 1)", True),
    ("coincides((1..5], [1..5])", False),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    GRAMMAR + NUMBERS + LOGIC + RANGES + SELECTION + CONVERSIONS + RELATIONS,
)
def test_it_follows_the_standard(text: str, expected: object) -> None:
    found = feel.evaluate(text)

    assert found == expected
    assert type(found) is type(expected)
