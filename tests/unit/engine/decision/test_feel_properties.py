"""Properties that hold for all values: literals come back, the two matchers agree."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decision import feel
from engine.decision.errors import Fault, FeelLimitError
from engine.decision.regex_matcher import Matcher
from engine.decision.regex_parser import parse
from engine.decision.runtime import Place, Runtime
from engine.decision.values import Range, YearMonthDuration

numbers = st.one_of(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6
    ),
    st.builds(
        lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
        st.integers(0, 1),
        st.lists(st.integers(0, 9), min_size=1, max_size=34),
        st.integers(-6000, 6000),
    ),
)
zones = st.one_of(
    st.none(),
    st.timezones(),
    st.integers(-1080, 1080).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
months = st.integers(-(10**9), 10**9).map(YearMonthDuration)


def _ranges(ends: st.SearchStrategy[Any]) -> st.SearchStrategy[Range]:
    """Ranges with two ends, and with one."""
    return st.one_of(
        st.builds(
            lambda one, other, low, high: Range(min(one, other), max(one, other), low, high),
            ends,
            ends,
            st.booleans(),
            st.booleans(),
        ),
        st.builds(lambda low, closed: Range(low, None, closed, False), ends, st.booleans()),
        st.builds(lambda high, closed: Range(None, high, False, closed), ends, st.booleans()),
    )


scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    st.dates(),
    st.times(timezones=zones),
    st.datetimes(timezones=zones),
    st.timedeltas(),
    months,
    _ranges(numbers),
    _ranges(texts),
    _ranges(st.dates()),
    _ranges(st.datetimes()),
    _ranges(st.timedeltas()),
    _ranges(months),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=10,
)


@given(values)
@settings(max_examples=200, deadline=None)
def test_it_reads_its_own_literals_back(value: Any) -> None:
    assert feel.evaluate(feel.dumps(value)) == value


@given(numbers, numbers)
def test_it_orders_numbers_as_python_does(left: Decimal, right: Decimal) -> None:
    assert feel.compile("a < b")({"a": left, "b": right}) is (left < right)


pieces = st.sampled_from(
    ["a", "b", "[ab]", ".", "(a)", "(?:ab|a)", "a*", "b+?", "(a|b)?", "(ab)*", "a{1,2}"]
)


@given(st.lists(pieces, min_size=1, max_size=5).map("".join), st.text("abc", max_size=8))
@settings(max_examples=300, deadline=None)
def test_it_matches_like_pythons_engine(pattern: str, text: str) -> None:
    node, groups = parse(pattern, "")
    expected = re.search(node.python(), text)

    found = Matcher(node, groups, ignore_case=False).search(text, 0, Runtime(), Place(0, ""))

    assert (found and found[0]) == (expected and expected.span())


@given(st.text("(){}[]<>.,:;+-*/=!@\"'?&|0123456789abn \n", max_size=40))
@settings(max_examples=300, deadline=None)
def test_it_answers_any_text_with_a_value_or_a_feel_error(text: str) -> None:
    with contextlib.suppress(feel.FeelError):
        feel.evaluate(text)


@given(st.text("ab()|*+?{}[]^$\\d1,-", max_size=12), st.text("ab1", max_size=10))
@settings(max_examples=300, deadline=None)
def test_it_never_fails_on_a_pattern(pattern: str, text: str) -> None:
    code = feel.compile("matches(text, pattern)")

    assert code({"text": text, "pattern": pattern}) in (True, False, None)


@pytest.mark.parametrize("pattern", ["(", "a)", "[b", "*a", "a**", "\\", "a{2,1}", "[z-a]", "\\1"])
def test_it_refuses_patterns_xpath_would_refuse(pattern: str) -> None:
    with pytest.raises(Fault):
        parse(pattern, "")


def test_it_bounds_the_matcher() -> None:
    node, groups = parse("(a+)+b", "")

    with pytest.raises(FeelLimitError):
        Matcher(node, groups, ignore_case=False).search("a" * 60, 0, Runtime(), Place(0, ""))
