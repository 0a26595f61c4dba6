"""Relations between points and ranges (DMN 1.5 §10.3.4.10), `range` and `is`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.decision.arguments import builtin, comparable_point, single
from engine.decision.errors import Fault
from engine.decision.membership import lies_in
from engine.decision.operators import compare, equal_values
from engine.decision.temporal import offset_of
from engine.decision.values import Range, kind_of


def _ordered(left: Any, right: Any) -> int:
    order = compare(left, right)
    if order is None:
        raise Fault(f"{kind_of(left)} 与 {kind_of(right)} 没有先后")
    return order


def _starts_before(one: Range, other: Range) -> int:
    """Order the starts: negative when the first range begins earlier."""
    if one.low is None or other.low is None:
        return (other.low is None) - (one.low is None)
    order = _ordered(one.low, other.low)
    return order or int(other.low_closed) - int(one.low_closed)


def _ends_before(one: Range, other: Range) -> int:
    """Order the ends: negative when the first range ends earlier."""
    if one.high is None or other.high is None:
        return (one.high is None) - (other.high is None)
    order = _ordered(one.high, other.high)
    return order or int(one.high_closed) - int(other.high_closed)


def _wholly_before(one: Range, other: Range) -> bool:
    """Tell whether no point of the first range reaches the second."""
    if one.high is None or other.low is None:
        return False
    order = _ordered(one.high, other.low)
    return order < 0 or (order == 0 and not (one.high_closed and other.low_closed))


def _contains(space: Range, point: Any) -> bool:
    found = lies_in(point, space)
    if found is None:
        raise Fault(f"{kind_of(point)} 不能与区间比较")
    return found


def _is_end(end: Any, closed: bool, point: Any) -> bool:
    return end is not None and closed and _ordered(end, point) == 0


def _before(one: Any, other: Any) -> bool:
    """`before`, for each mix of points and ranges."""
    first = one if type(one) is Range else Range(one, one)
    second = other if type(other) is Range else Range(other, other)
    return _wholly_before(first, second)


@builtin("before", "point1, point2", "point, range", "range, point", "range1, range2")
def before(one: Any, other: Any) -> bool:
    """Tell whether the first lies wholly before the second."""
    return _before(comparable_point(one), comparable_point(other))


@builtin("after", "point1, point2", "point, range", "range, point", "range1, range2")
def after(one: Any, other: Any) -> bool:
    """Tell whether the first lies wholly after the second."""
    return _before(comparable_point(other), comparable_point(one))


def _ranges(one: Any, other: Any) -> tuple[Range, Range]:
    first, second = single(one), single(other)
    if type(first) is not Range or type(second) is not Range:
        raise Fault("两个参数都要是区间")
    return first, second


def _relation(name: str, holds: Callable[[Range, Range], bool], *signatures: str) -> None:
    @builtin(name, *(signatures or ("range1, range2",)))
    def relation(one: Any, other: Any) -> bool:
        return holds(*_ranges(one, other))


def _meets(one: Range, other: Range) -> bool:
    if one.high is None or other.low is None:
        return False
    return one.high_closed and other.low_closed and _ordered(one.high, other.low) == 0


def _overlaps(one: Range, other: Range) -> bool:
    return not _wholly_before(one, other) and not _wholly_before(other, one)


def _overlaps_before(one: Range, other: Range) -> bool:
    return (
        _starts_before(one, other) < 0
        and not _wholly_before(one, other)
        and _ends_before(one, other) <= 0
    )


def _coincide(one: Range, other: Range) -> bool:
    return equal_values(one, other) is True


_relation("meets", _meets)
_relation("met by", lambda one, other: _meets(other, one))
_relation("overlaps", _overlaps)
_relation("overlaps before", _overlaps_before)
_relation("overlaps after", lambda one, other: _overlaps_before(other, one))


def _includes(space: Range, other: Any) -> bool:
    if type(other) is Range:
        return _starts_before(space, other) <= 0 and _ends_before(space, other) >= 0
    return _contains(space, other)


def _finishes(one: Any, space: Range) -> bool:
    if type(one) is Range:
        return _ends_before(one, space) == 0 and _starts_before(one, space) >= 0
    return _is_end(space.high, space.high_closed, one)


def _starts(one: Any, space: Range) -> bool:
    if type(one) is Range:
        return _starts_before(one, space) == 0 and _ends_before(one, space) <= 0
    return _is_end(space.low, space.low_closed, one)


def _space(value: Any) -> Range:
    found = single(value)
    if type(found) is not Range:
        raise Fault(f"要区间，却是 {kind_of(value)}")
    return found


@builtin("finishes", "point, range", "range1, range2")
def finishes(one: Any, space: Any) -> bool:
    """Tell whether the first ends together with the range."""
    return _finishes(comparable_point(one), _space(space))


@builtin("finished by", "range, point", "range1, range2")
def finished_by(space: Any, one: Any) -> bool:
    """Tell whether the range ends together with the second."""
    return _finishes(comparable_point(one), _space(space))


@builtin("includes", "range, point", "range1, range2")
def includes(space: Any, other: Any) -> bool:
    """Tell whether the range holds the second."""
    return _includes(_space(space), comparable_point(other))


@builtin("during", "point, range", "range1, range2")
def during(one: Any, space: Any) -> bool:
    """Tell whether the range holds the first."""
    return _includes(_space(space), comparable_point(one))


@builtin("starts", "point, range", "range1, range2")
def starts(one: Any, space: Any) -> bool:
    """Tell whether the first begins together with the range."""
    return _starts(comparable_point(one), _space(space))


@builtin("started by", "range, point", "range1, range2")
def started_by(space: Any, one: Any) -> bool:
    """Tell whether the range begins together with the second."""
    return _starts(comparable_point(one), _space(space))


@builtin("coincides", "point1, point2", "range1, range2")
def coincides(one: Any, other: Any) -> bool:
    """Tell whether both are the same point or the same range."""
    first, second = comparable_point(one), comparable_point(other)
    if type(first) is Range or type(second) is Range:
        return _coincide(*_ranges(first, second))
    return _ordered(first, second) == 0


@builtin("is", "value1, value2")
def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, also in kind and in offset."""
    if kind_of(one) != kind_of(other):
        return False
    if kind_of(one) in ("time", "date and time"):
        return equal_values(one, other) is True and offset_of(one) == offset_of(other)
    return equal_values(one, other) is True
