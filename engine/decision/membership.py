"""`in`, unary tests and ranges (DMN 1.5 §10.3.2.7, Table 55)."""

from __future__ import annotations

from typing import Any

from engine.decision.errors import RemarkKind
from engine.decision.operators import both, compare, either, equal_values
from engine.decision.runtime import Meter, Place, Runtime
from engine.decision.values import Range, kind_of


def in_range(
    value: Any, low: Any, high: Any, low_closed: bool, high_closed: bool,
    runtime: Runtime, place: Place,
) -> bool | None:  # fmt: skip
    """Tell whether a value lies in a range given by its parts; both ends must be comparable."""
    below, above = compare(low, value), compare(value, high)
    if below is None or above is None:
        if value is not None and low is not None and high is not None:
            runtime.remark(
                RemarkKind.WRONG_TYPE,
                f"{kind_of(value)} 不能与 {kind_of(low)}..{kind_of(high)} 的区间比较",
                place,
            )
        return None
    return (below < 0 or (low_closed and below == 0)) and (
        above < 0 or (high_closed and above == 0)
    )


def lies_in(value: Any, space: Range) -> bool | None:
    """Tell whether a value lies in a range value, whose ends may be open to infinity."""
    low: bool | None = True
    high: bool | None = True
    if space.low is not None:
        order = compare(space.low, value)
        low = None if order is None else order < 0 or (space.low_closed and order == 0)
    if space.high is not None:
        order = compare(value, space.high)
        high = None if order is None else order < 0 or (space.high_closed and order == 0)
    return both(low, high)


def is_in(value: Any, test: Any, meter: Meter) -> bool | None:
    """Answer `value in test` for a test that is a value: a list, a range or a plain value."""
    if type(test) is Range:
        if type(value) is Range:
            return equal_values(value, test)
        return None if value is None else lies_in(value, test)
    if type(test) is list:
        meter.spend(len(test) >> 3)
        if type(value) is list and equal_values(value, test, meter) is True:
            return True
        return any(
            (lies_in(value, one) if type(one) is Range and type(value) is not Range
             else equal_values(value, one, meter)) is True
            for one in test
        )  # fmt: skip
    return equal_values(value, test, meter)


def passes(value: Any, test: Any, meter: Meter) -> bool | None:
    """Apply a unary test that is a value: as `in`, and a truth value by itself is the answer.

    A list as input passes when one of its items does (DMN 1.5 §7.3.3).
    """
    if type(test) is bool and type(value) not in (bool, list):
        return test
    if test is True and type(value) is not bool:
        return True
    if type(value) is not list:
        return is_in(value, test, meter)
    if type(test) is list and is_in(value, test, meter) is True:
        return True
    return any(is_in(one, test, meter) is True for one in value)


def any_test(*results: bool | None) -> bool | None:
    """Join the results of several tests."""
    joined: bool | None = False
    for result in results:
        joined = either(joined, result if type(result) is bool else None)
    return joined


def make_range(
    low: Any, high: Any, low_closed: bool, high_closed: bool, runtime: Runtime, place: Place
) -> Range | None:
    """Make a range value; null where the ends have no order or the wrong one."""
    order = compare(low, high)
    if order is None or order > 0:
        runtime.remark(
            RemarkKind.WRONG_TYPE,
            "区间的起点大于终点" if order else f"{kind_of(low)}..{kind_of(high)} 不是区间",
            place,
        )
        return None
    return Range(low, high, low_closed, high_closed)


def open_range(operator: str, end: Any, runtime: Runtime, place: Place) -> Range | None:
    """Make the range of a comparison without left side, `(< 5)`."""
    if compare(end, end) is None:
        if end is not None:
            runtime.remark(RemarkKind.WRONG_TYPE, f"{kind_of(end)} 没有大小之分", place)
        return None
    if operator == "=":
        return Range(end, end)
    if operator in ("<", "<="):
        return Range(None, end, low_closed=False, high_closed=operator == "<=")
    if operator in (">", ">="):
        return Range(end, None, low_closed=operator == ">=", high_closed=False)
    runtime.remark(RemarkKind.WRONG_TYPE, "!= 不是区间", place)
    return None


def compared(value: Any, operator: str, end: Any) -> bool | None:
    """Apply a comparison without left side to a value."""
    if operator in ("=", "!="):
        same = equal_values(value, end)
        return same if operator == "=" or same is None else not same
    order = compare(value, end)
    if order is None:
        return None
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]
