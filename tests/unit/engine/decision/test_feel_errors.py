"""Errors name the place and what to write instead; strict evaluation is never silently null."""

from __future__ import annotations

import pytest

from engine.decision import feel
from engine.decision.errors import FeelError, FeelSyntaxError, RemarkKind

SYNTAX = [
    ("x == 1", 1, 3, "="),
    ("x && y", 1, 3, "and"),
    ("if x then 1", 1, 12, "else"),
    ('"abc', 1, 1, '"'),
    ("1 +\n  * 2", 2, 3, None),
    ("[1, 2", 1, 6, None),
    ("x，y", 1, 4, None),
    ("“a”", 1, 1, '"'),
    ("/* never closed", 1, 1, "*/"),
    ("for x [1] return x", 1, 5, None),
    ("1 instance of nothing", 1, 15, "number"),
    ("", 1, 1, None),
    ("f(a: 1, 2)", 1, 2, "名称"),
    ("2x", 1, 1, "名称"),
    ("null == x", 1, 6, "="),
    ("x || y", 1, 3, "or"),
    ("!x", 1, 1, "not(…)"),
    ("x and !y", 1, 7, "not(…)"),
    ("not x", 1, 5, "not(…)"),
    ("'x'", 1, 1, '"…"'),
    ("name = 'Bo'", 1, 8, '"…"'),
    ("${x}", 1, 1, "${…}"),
    ("#{x}", 1, 1, "#{…}"),
    ("x =< 3", 1, 4, "<="),
    ("x => 3", 1, 4, ">="),
    ("x <> 3", 1, 4, "!="),
    ("x % 2", 1, 3, "modulo"),
    ("x ^ 2", 1, 3, "**"),
    ("x := 3", 1, 3, "{名称: 值}"),
    ("x; y", 1, 2, "{a: …"),
    ("x ? 1 : 2", 1, 5, "if"),
    ("x.size()\n  == 2", 2, 3, "="),
    ("+1", 1, 1, "正号"),
    ("if x then 1 else", 1, 17, None),
    ("some x in y", 1, 12, "satisfies"),
    ("for x in y + 1", 1, 15, "return"),
    ("x between 1, 2", 1, 12, "between 1 and 10"),
    ("{a = 1}", 1, 2, "{a: 1"),
    ("[1; 2]", 1, 3, "[1, 2, 3]"),
    ("1 + ", 1, 5, None),
    ("function(a, b, a) b", 1, 17, "名字"),
]


@pytest.mark.parametrize(("text", "line", "column", "hint"), SYNTAX)
def test_it_names_the_place_and_what_to_write(
    text: str, line: int, column: int, hint: str | None
) -> None:
    if text == "x，y":  # a full-width comma is a letter to FEEL: one long, unknown name
        with pytest.raises(FeelError, match="x，y"):
            feel.compile(text).evaluate_strict({})
        return
    with pytest.raises(FeelSyntaxError) as caught:
        feel.compile(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert hint is None or hint in (caught.value.hint or "")
    assert f"第 {line} 行第 {column} 列" in str(caught.value)


STRICT = [
    ("amuont > 100", RemarkKind.UNKNOWN_NAME, "是不是“amount”"),
    ("applicant.agee > 60", RemarkKind.UNKNOWN_NAME, "agee"),
    ('amount > "100"', RemarkKind.WRONG_TYPE, "number > string"),
    ('date("2020-13-01") > today', RemarkKind.FUNCTION_FAILED, "date"),
    ("nothing(1)", RemarkKind.UNKNOWN_NAME, "nothing"),
    ("amount()", RemarkKind.NOT_A_FUNCTION, "不是函数"),
    ("amount / 0", RemarkKind.FUNCTION_FAILED, "零"),
]


@pytest.mark.parametrize(("text", "kind", "words"), STRICT)
def test_it_raises_strictly_where_feel_would_be_null(
    text: str, kind: RemarkKind, words: str
) -> None:
    code = feel.compile(text)
    context = {"amount": 5, "applicant": {"age": 70}}

    value, remarks = code.explain(context)
    with pytest.raises(FeelError, match=words) as caught:
        code.evaluate_strict(context)

    assert value is None
    assert remarks[0].kind is kind
    assert caught.value.position == remarks[0].position


def test_it_lets_a_given_null_pass_strictly() -> None:
    assert feel.compile("amount > 100").evaluate_strict({"amount": None}) is None
    assert feel.compile("amount = null").evaluate_strict({"amount": None}) is True


def test_it_lets_an_expression_ask_strictly_whether_there_is_a_value() -> None:
    assert feel.compile("is defined(a.b)").evaluate_strict({}) is False
    assert feel.compile("get or else(a, 1)").evaluate_strict({}) == 1
    assert feel.compile("is defined(a)").evaluate_strict({"a": 0}) is True


def test_it_lists_the_names_an_expression_reads() -> None:
    text = "for x in items return x.price + tax rate + max(floor_price, {y: 1}.y)"

    assert feel.parse_names(text) == {"items", "tax rate", "floor_price"}


def test_it_compiles_to_something_hashed_by_text() -> None:
    assert feel.compile("a + 1") == feel.compile("a + 1")
    assert len({feel.compile("a + 1"), feel.compile("a + 1"), feel.compile_unary("1")}) == 2


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("number + 1", {"number": 3}, 4),
        ("count + count(list)", {"count": 2, "list": [1]}, 3),
        ("max - min", {"max": 3, "min": 1}, 2),
        ("date.year", {"date": {"year": 2026}}, 2026),
        ("string length + 1", {"string length": 3}, 4),
        ("day of week + 1", {"day of week": 3}, 4),
        ("{a: number, b: a + 1}.b", {"number": 4}, 5),
        ("items[count > floor].count", {"items": [{"count": 2}], "floor": 1}, [2]),
        ("for n in list return n * number", {"list": [1, 2], "number": 2}, [2, 4]),
    ],
)
def test_a_variable_named_like_a_function_is_listed_and_wins(
    text: str, context: dict[str, object], expected: object
) -> None:
    code = feel.compile(text)
    listed = {name: context[name] for name in code.names if name in context}

    assert listed == context
    assert code.evaluate_strict(listed) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count([1, 2])", 2),
        ("(function(f) f([3, 4]))(max)", 4),
        ('number("7") + 1', 8),
        ("number from(1)", None),
        ('day of week(date("2026-01-05"))', "Monday"),
        ("for number in [1, 2] return number", [1, 2]),
    ],
)
def test_without_such_a_variable_the_name_is_the_function(text: str, expected: object) -> None:
    assert feel.evaluate(text) == expected


def test_a_function_that_is_called_is_no_variable() -> None:
    assert feel.parse_names("count(list) + sum(list)") == {"list"}


def test_two_variables_joined_by_and_are_not_the_function_of_that_name() -> None:
    assert feel.evaluate("date and time", {"date": True, "time": True}) is True
    assert feel.parse_names("date and time") == {"date", "time"}


def test_it_reads_names_with_signs_once_the_context_knows_them() -> None:
    code = feel.compile("a-b + 1")

    assert code({"a": 5, "b": 2}) == 4
    assert code({"a-b": 10}) == 11
    assert feel.compile("for sale", names=["for sale"])({"for sale": True}) is True
    assert feel.evaluate("days in week * 2", {"days in week": 7}) == 14
    assert feel.evaluate("`a-b` + 1", {"a-b": 1, "a": 5, "b": 2}) == 2
