"""FEEL expressions and what they are worth, table by table."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

import pytest

from engine.decision import feel
from engine.decision.values import YearMonthDuration

D = Decimal

ARITHMETIC = [
    ("1 + 2 * 3", D(7)),
    ("(1 + 2) * 3", D(9)),
    ("-5 ** 2", D(25)),
    ("2 ** 3 ** 2", D(64)),
    ("1 / 3", D("0.3333333333333333333333333333333333")),
    ("0.1 + 0.2", D("0.3")),
    ("10 / 0", None),
    ("10 + null", None),
    ('"a" + "b"', "ab"),
    ('"a" + 1', None),
    ("1.5e3", D(1500)),
    (".5", D("0.5")),
    ("- - 3", D(3)),
]
LOGIC = [
    ("true and null", None),
    ("false and null", False),
    ("true or null", True),
    ("false or null", None),
    ("not(null)", None),
    ("true and 1", None),
    ("1 = 1.0", True),
    ('1 = "1"', None),
    ("null = null", True),
    ("1 = null", False),
    ("null != null", False),
    ("[1, [2]] = [1, [2]]", True),
    ("{a: 1, b: 2} = {b: 2, a: 1}", True),
    ("1 between 1 and 2", True),
    ("1 between null and 2", None),
    ("if null then 1 else 2", D(2)),
    ('if 1 = 2 then "a" else if 2 = 2 then "b" else "c"', "b"),
]
LISTS = [
    ("[1, 2, 3][1]", D(1)),
    ("[1, 2, 3][-1]", D(3)),
    ("[1, 2, 3][0]", None),
    ("[1, 2, 3][item > 1]", [D(2), D(3)]),
    ("[{x: 1, y: 2}, {x: 2, y: 3}][x = 1].y", [D(2)]),
    ("[{x: 1}, {y: 2}].x", [D(1), None]),
    ("for i in 1..3 return i * i", [D(1), D(4), D(9)]),
    ("for i in 3..1 return i", [D(3), D(2), D(1)]),
    ("for i in ]1..4[ return i", [D(2), D(3)]),
    ("for i in [1, 2], j in [i, 10] return i + j", [D(2), D(11), D(4), D(12)]),
    ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", [D(1), D(1), D(2), D(6), D(24)]),
    ("for i in null return i", None),
    ("some x in [1, 2] satisfies x > 1", True),
    ("every x in [1, 2] satisfies x > 1", False),
    ("some x in [1, null] satisfies x > 1", None),
    ("every x in [] satisfies x > 1", True),
]
CONTEXTS = [
    ("{a: 1, b: a + 1}.b", D(2)),
    ("{a b: 1, c: a b + 1}.c", D(2)),
    ('{"a-b": 1, c: a-b}.c', D(1)),
    ("{a: 1, a: 2}", None),
    ("{a: {b: {c: 3}}}.a.b.c", D(3)),
    ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(5)}.r", D(120)),
    ("(function(a: number) a + 1)(2)", D(3)),
    ('(function(a: number) a + 1)("x")', None),
    ("(function(a, b) a - b)(b: 1, a: 5)", D(4)),
    ('{f: function(x) external {java: {class: "java.lang.Math"}}, r: f(1)}.r', None),
]
RANGES = [
    ("5 in [1..5]", True),
    ("5 in [1..5)", False),
    ("5 in [1..5[", False),
    ("5 in (> 3)", True),
    ("5 in (> 8, < 6)", True),
    ("5 in [1, 5]", True),
    ("5 in [[1..3], [4..6]]", True),
    ("[5..1]", None),
    ("(< 5).end", D(5)),
    ("[1..5].start included", True),
    ('range("[1..5]") = [1..5]', True),
    ('range("[1..)") = (>= 1)', True),
    ('range("[1..]")', None),
    ("before(1, [2..3])", True),
    ("meets([1..5], [5..9])", True),
    ("overlaps([1..5], [5..9])", True),
    ("includes([1..9], 5)", True),
    ("starts([1..3], [1..5])", True),
    ("coincides([1..3], [1..3])", True),
    ("[1..3] instance of range<number>", True),
]
MOMENTS = [
    ('date("2020-02-29") + duration("P1Y")', date(2021, 2, 28)),
    ('@"2020-01-31" + @"P1M"', date(2020, 2, 29)),
    ('@"2021-01-12" - @"2021-01-13"', timedelta(days=-1)),
    ('date and time("2012-12-24T23:59:00") + @"PT1M"', datetime(2012, 12, 25)),
    ('time("23:59:00z") + duration("PT2M") = time("00:01:00@Etc/UTC")', True),
    ('@"10:00:00" - @"09:00:00"', timedelta(hours=1)),
    ('@"10:00:00" - @"09:00:00Z"', None),
    ('@"P1Y" / 5', YearMonthDuration(2)),
    ('@"P1D" / @"PT1H"', D(24)),
    ('@"P1D" * 1.5', timedelta(hours=36)),
    ('years and months duration(@"2011-12-22", @"2013-08-24")', YearMonthDuration(20)),
    ('@"2019-13-01"', None),
    ('date("2020-01-01").weekday', D(3)),
    ('date and time("2020-01-01T08:00:00@Asia/Shanghai").time offset', timedelta(hours=8)),
    ('date and time("2020-01-01T08:00:00@Asia/Shanghai").timezone', "Asia/Shanghai"),
    ('string(date("-0044-03-15"))', "-0044-03-15"),
    ('string(time("11:22:33.123456789"))', "11:22:33.123456789"),
    ('string(@"999999999-12-31" - @"-999999999-01-01")', "P730484999633D"),
    ("time(8, 30, 1.5)", time(8, 30, 1, 500_000)),
    ('@"2020-01-01T00:00:00Z" = @"2020-01-01T08:00:00+08:00"', True),
    ('@"2020-01-01T00:00:00Z" = @"2020-01-01T00:00:00"', False),
    ('@"2020-01-01T00:00:00Z" < @"2020-01-01T00:00:00"', None),
    # A region's clock moves along the time line: 02:30 does not exist on this day.
    ('string(@"2020-03-29T01:30:00@Europe/Paris" + @"PT1H")', "2020-03-29T03:30:00@Europe/Paris"),
]
TYPES = [
    ("1 instance of number", True),
    ("null instance of number", False),
    ("null instance of Null", True),
    ("[1, null] instance of list<number>", True),
    ('["a"] instance of list<number>', False),
    ("{a: 1, b: 2} instance of context<a: number>", True),
    ("abs instance of function<number> -> number", True),
    ('@"P1D" instance of days and time duration', True),
    ('@"P1M" instance of years and months duration and true', True),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    ARITHMETIC + LOGIC + LISTS + CONTEXTS + RANGES + MOMENTS + TYPES,
)
def test_it_evaluates(text: str, expected: object) -> None:
    found = feel.evaluate(text)

    assert found == expected
    assert type(found) is type(expected)


CHINESE = [
    ("申请人.年龄 >= 60", {"申请人": {"年龄": 65}}, True),
    ("金额（元） * 2", {"金额（元）": D("1.5")}, D(3)),
    ("[家庭 人口] = [3]", {"家庭 人口": 3}, True),
]


@pytest.mark.parametrize(("text", "context", "expected"), CHINESE)
def test_it_reads_chinese_names(text: str, context: dict[str, object], expected: object) -> None:
    assert feel.evaluate(text, context) == expected


def test_it_takes_the_moment_from_the_caller() -> None:
    at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    assert feel.evaluate("now()", at=at) == at
    assert feel.evaluate("today()", at=at) == date(2026, 11, 22)
    assert feel.compile("now()")({}, at=None) is None


def test_it_takes_the_moment_from_an_injected_provider() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    feel.use_instant(lambda: at)
    try:
        assert feel.evaluate("today()") == date(2026, 1, 2)
    finally:
        feel.use_instant(None)


def test_it_accepts_numbers_of_all_python_kinds() -> None:
    context = {"whole": 3, "part": 0.1, "list": (1, 2.5), "not a number": float("nan")}

    assert feel.evaluate("whole + part", context) == D("3.1")
    assert feel.evaluate("sum(list)", context) == D("3.5")
    assert feel.evaluate("not a number", context) is None


def test_it_refuses_numbers_that_are_none() -> None:
    with pytest.raises(feel.FeelError, match="NaN"):
        feel.evaluate("x < 1", {"x": D("NaN")})


def test_it_keeps_the_offset_of_foreign_zones() -> None:
    class Foreign(tzinfo):
        def utcoffset(self, _: datetime | None) -> timedelta:
            return timedelta(hours=8)

    moment = datetime(2026, 1, 1, 8, tzinfo=Foreign())

    assert feel.evaluate("string(x)", {"x": moment}) == "2026-01-01T08:00:00+08:00"
    assert feel.evaluate('x = @"2026-01-01T00:00:00Z"', {"x": moment}) is True


def test_it_leaves_the_context_of_the_caller_alone() -> None:
    context = {"items": [1, 2, {"a": 3}]}

    feel.evaluate("append(items, 4)", context)

    assert context == {"items": [1, 2, {"a": 3}]}


UNARY = [
    ("-", None, True),
    ("[1..5]", 3, True),
    ("[1..5]", 7, False),
    ('"a", "b"', "b", True),
    ('not("a", "b")', "b", False),
    ("> 5, < 2", 1, True),
    ("? > limit", 8, True),
    ('contains(?, "x")', "axb", True),
    ("null", None, True),
    ("> 5", None, False),
    ("[1, 2, 3]", 2, True),
    ("limit", 5, True),
    ("not(? = 3)", 3, False),
    ("= 3", 3, True),
    ("!= 3", 3, False),
]


@pytest.mark.parametrize(("text", "value", "passes"), UNARY)
def test_it_applies_unary_tests(text: str, value: object, passes: bool) -> None:
    assert feel.unary_test(text, value, {"limit": 5}) is passes


@pytest.mark.parametrize("word", ["true", "false", "null"])
def test_an_entry_called_like_a_constant_leaves_the_constant_alone(word) -> None:
    value = feel.evaluate(f'{{"{word}": 7, "other": {word}}}')

    assert value["other"] is {"true": True, "false": False, "null": None}[word]
