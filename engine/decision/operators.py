"""Arithmetic, comparison and logic with three truth values (DMN 1.5 §10.3.2.9–10.3.2.15).

Every operator takes the runtime and its place last, so that a null can be explained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any

from engine.decision.errors import Fault, RemarkKind
from engine.decision.runtime import MAX_TEXT_LENGTH, Meter, Place, Runtime, limit
from engine.decision.temporal import (
    MAX_MONTHS,
    NANOS_PER_DAY,
    AnyDateTime,
    AnyTime,
    as_date_time,
    comparable,
    duration_nanos,
    epoch_days,
    instant,
    make_duration,
    shift,
    shift_months,
)
from engine.decision.values import NUMBERS, Range, YearMonthDuration, kind_of

_add = NUMBERS.add
_subtract = NUMBERS.subtract
_multiply = NUMBERS.multiply
_divide = NUMBERS.divide

_MAX_DIGITS = 40
_ONE = Decimal(1)
_NUMBER = "number"
_DATE = "date"
_TIME = "time"
_DATE_TIME = "date and time"
_DAY_TIME = "days and time duration"
_YEAR_MONTH = "years and months duration"
_SCALAR_ORDER = frozenset({_NUMBER, "string", _DATE, _TIME, _DATE_TIME, _DAY_TIME, _YEAR_MONTH})


def _mismatch(sign: str, left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    if left is None or right is None:
        return None
    message = f"{kind_of(left)} {sign} {kind_of(right)} 没有意义"
    return runtime.remark(RemarkKind.WRONG_TYPE, message, place)


def _failed(message: str, runtime: Runtime, place: Place) -> Any:
    return runtime.remark(RemarkKind.FUNCTION_FAILED, message, place)


def _slow(
    sign: str, table: dict[tuple[str, str], Callable[[Any, Any], Any]], left: Any, right: Any,
    runtime: Runtime, place: Place,
) -> Any:  # fmt: skip
    operation = table.get((kind_of(left), kind_of(right)))
    if operation is None:
        return _mismatch(sign, left, right, runtime, place)
    try:
        return operation(left, right)
    except Fault as fault:
        return _failed(str(fault), runtime, place)
    except ArithmeticError:
        return _failed("结果超出范围", runtime, place)


def add(left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    """Add numbers, join strings, move moments by durations."""
    if type(left) is Decimal and type(right) is Decimal:
        try:
            return _add(left, right)
        except DecimalException:
            return _failed("结果超出范围", runtime, place)
    if type(left) is str and type(right) is str:
        length = len(left) + len(right)
        if length > MAX_TEXT_LENGTH:
            raise limit("字符串太长", place)
        runtime.spend(length >> 6)
        return left + right
    return _slow("+", _ADD, left, right, runtime, place)


def subtract(left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    """Subtract numbers, durations and moments."""
    if type(left) is Decimal and type(right) is Decimal:
        try:
            return _subtract(left, right)
        except DecimalException:
            return _failed("结果超出范围", runtime, place)
    return _slow("-", _SUBTRACT, left, right, runtime, place)


def multiply(left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    """Multiply numbers, or a duration by a number."""
    if type(left) is Decimal and type(right) is Decimal:
        try:
            return _multiply(left, right)
        except DecimalException:
            return _failed("结果超出范围", runtime, place)
    return _slow("*", _MULTIPLY, left, right, runtime, place)


def divide(left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    """Divide numbers, a duration by a number, or a duration by one of its kind."""
    if type(left) is Decimal and type(right) is Decimal:
        if not right:
            return _failed("除数是零", runtime, place)
        try:
            return _divide(left, right)
        except DecimalException:
            return _failed("结果超出范围", runtime, place)
    return _slow("/", _DIVIDE, left, right, runtime, place)


def power(left: Any, right: Any, runtime: Runtime, place: Place) -> Any:
    """Raise a number to a power."""
    if type(left) is Decimal and type(right) is Decimal:
        if not right:
            return _ONE  # also of zero, as IEEE 754 has it
        try:
            return NUMBERS.power(left, right)
        except DecimalException:
            return _failed("乘方没有实数结果或超出范围", runtime, place)
    return _mismatch("**", left, right, runtime, place)


def negate(operand: Any, runtime: Runtime, place: Place) -> Any:
    """Negate a number or a duration."""
    if type(operand) is Decimal:
        return NUMBERS.minus(operand)
    kind = kind_of(operand)
    if kind == _DAY_TIME:
        return make_duration(-duration_nanos(operand))
    if kind == _YEAR_MONTH:
        return YearMonthDuration(-operand.total_months)
    if operand is not None:
        runtime.remark(RemarkKind.WRONG_TYPE, f"{kind} 不能取负", place)
    return None


def _scaled(nanos: int, factor: Decimal) -> Any:
    return make_duration(_whole(_multiply(Decimal(nanos), factor)))


def _whole(nanos: Decimal) -> int:
    if nanos.adjusted() > _MAX_DIGITS:
        raise Fault("时长超出范围")
    return int(nanos)


def _divided(nanos: int, divisor: Decimal) -> Any:
    if not divisor:
        raise Fault("除数是零")
    return make_duration(_whole(_divide(Decimal(nanos), divisor)))


def _months(months: Decimal) -> YearMonthDuration:
    if abs(months) > MAX_MONTHS:
        raise Fault("时长超出范围")
    return YearMonthDuration(int(months))


def _nonzero(number: Any) -> Decimal:
    if not number:
        raise Fault("除数是零")
    return Decimal(number)


def _between_moments(left: AnyDateTime | AnyTime, right: AnyDateTime | AnyTime) -> Any:
    if not comparable(left, right):
        raise Fault("一个有时区一个没有，不能相减")
    return make_duration(instant(left) - instant(right))


_ADD: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    (_DATE, _DAY_TIME): lambda a, b: shift(a, duration_nanos(b)),
    (_TIME, _DAY_TIME): lambda a, b: shift(a, duration_nanos(b)),
    (_DATE_TIME, _DAY_TIME): lambda a, b: shift(a, duration_nanos(b)),
    (_DATE, _YEAR_MONTH): lambda a, b: shift_months(a, b.total_months),
    (_DATE_TIME, _YEAR_MONTH): lambda a, b: shift_months(a, b.total_months),
    (_DAY_TIME, _DAY_TIME): lambda a, b: make_duration(duration_nanos(a) + duration_nanos(b)),
    (_YEAR_MONTH, _YEAR_MONTH): lambda a, b: _months(Decimal(a.total_months + b.total_months)),
}


def _swapped(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: operation(right, left)


_ADD |= {
    (second, first): _swapped(operation)
    for (first, second), operation in tuple(_ADD.items())
    if first != second
}
_SUBTRACT: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    (_DATE, _DATE): lambda a, b: make_duration((epoch_days(a) - epoch_days(b)) * NANOS_PER_DAY),
    (_DATE_TIME, _DATE_TIME): _between_moments,
    (_TIME, _TIME): _between_moments,
    (_DATE, _DATE_TIME): lambda a, b: _between_moments(as_date_time(a), b),
    (_DATE_TIME, _DATE): lambda a, b: _between_moments(a, as_date_time(b)),
    (_DATE, _DAY_TIME): lambda a, b: shift(a, -duration_nanos(b)),
    (_TIME, _DAY_TIME): lambda a, b: shift(a, -duration_nanos(b)),
    (_DATE_TIME, _DAY_TIME): lambda a, b: shift(a, -duration_nanos(b)),
    (_DATE, _YEAR_MONTH): lambda a, b: shift_months(a, -b.total_months),
    (_DATE_TIME, _YEAR_MONTH): lambda a, b: shift_months(a, -b.total_months),
    (_DAY_TIME, _DAY_TIME): lambda a, b: make_duration(duration_nanos(a) - duration_nanos(b)),
    (_YEAR_MONTH, _YEAR_MONTH): lambda a, b: _months(Decimal(a.total_months - b.total_months)),
}
_MULTIPLY: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    (_DAY_TIME, _NUMBER): lambda a, b: _scaled(duration_nanos(a), b),
    (_NUMBER, _DAY_TIME): lambda a, b: _scaled(duration_nanos(b), a),
    (_YEAR_MONTH, _NUMBER): lambda a, b: _months(_multiply(Decimal(a.total_months), b)),
    (_NUMBER, _YEAR_MONTH): lambda a, b: _months(_multiply(Decimal(b.total_months), a)),
}
_DIVIDE: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    (_DAY_TIME, _NUMBER): lambda a, b: _divided(duration_nanos(a), b),
    (_DAY_TIME, _DAY_TIME): lambda a, b: _divide(
        Decimal(duration_nanos(a)), _nonzero(duration_nanos(b))
    ),
    (_YEAR_MONTH, _NUMBER): lambda a, b: _months(_divide(Decimal(a.total_months), _nonzero(b))),
    (_YEAR_MONTH, _YEAR_MONTH): lambda a, b: _divide(
        Decimal(a.total_months), _nonzero(b.total_months)
    ),
}


def equal_values(left: Any, right: Any, meter: Meter | None = None) -> bool | None:
    """Compare two values: true, false, or null where their types differ (Table 42).

    The meter bounds the work: parts shared within lists make small values of huge extent.
    """
    if type(left) is type(right) and type(left) in (Decimal, str, bool, date):
        return bool(left == right)
    if left is None or right is None:
        return left is right
    kind = kind_of(left)
    if kind != kind_of(right):
        return None
    if kind in ("list", "context"):
        return _equal_parts(left, right, Meter() if meter is None else meter)
    if kind in (_TIME, _DATE_TIME):
        return comparable(left, right) and instant(left) == instant(right)
    if kind == "range":
        return _equal_ranges(left, right)
    return bool(left == right)


def _equal_parts(left: Any, right: Any, meter: Meter) -> bool:
    """Compare lists item by item, contexts entry by entry."""
    meter.spend(1)
    if left is right:
        return True
    if len(left) != len(right):
        return False
    meter.spend(len(left))
    if type(left) is dict:
        return left.keys() == right.keys() and all(
            equal_values(value, right[key], meter) is True for key, value in left.items()
        )
    pairs = zip(left, right, strict=True)
    return all(equal_values(one, other, meter) is True for one, other in pairs)


def _equal_ranges(left: Range, right: Range) -> bool:
    return (
        left.low_closed == right.low_closed
        and left.high_closed == right.high_closed
        and equal_values(left.low, right.low) is True
        and equal_values(left.high, right.high) is True
    )


def equal(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`=`."""
    result = equal_values(left, right, runtime)
    if result is None:
        _mismatch("=", left, right, runtime, place)
    return result


def unequal(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`!=`."""
    result = equal_values(left, right, runtime)
    if result is None:
        _mismatch("!=", left, right, runtime, place)
        return None
    return not result


def order_key(value: Any) -> Any:
    """Give a key that orders values of one kind."""
    kind = kind_of(value)
    if kind == _DATE:
        return epoch_days(value)
    if kind in (_TIME, _DATE_TIME):
        return instant(value)
    if kind == _DAY_TIME:
        return duration_nanos(value)
    return value.total_months if kind == _YEAR_MONTH else value


def compare(left: Any, right: Any) -> int | None:
    """Order two values: negative, zero, positive, or None where they have no order."""
    if type(left) is Decimal and type(right) is Decimal:
        return (left > right) - (left < right)
    kind = kind_of(left)
    if kind != kind_of(right) or kind not in _SCALAR_ORDER:
        return None
    if kind in (_TIME, _DATE_TIME) and not comparable(left, right):
        return None
    first, second = order_key(left), order_key(right)
    return int(first > second) - int(first < second)


def less(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`<`."""
    if type(left) is Decimal and type(right) is Decimal:
        return left < right
    order = compare(left, right)
    return _mismatch("<", left, right, runtime, place) if order is None else order < 0


def less_equal(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`<=`."""
    if type(left) is Decimal and type(right) is Decimal:
        return left <= right
    order = compare(left, right)
    return _mismatch("<=", left, right, runtime, place) if order is None else order <= 0


def greater(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`>`."""
    if type(left) is Decimal and type(right) is Decimal:
        return left > right
    order = compare(left, right)
    return _mismatch(">", left, right, runtime, place) if order is None else order > 0


def greater_equal(left: Any, right: Any, runtime: Runtime, place: Place) -> bool | None:
    """`>=`."""
    if type(left) is Decimal and type(right) is Decimal:
        return left >= right
    order = compare(left, right)
    return _mismatch(">=", left, right, runtime, place) if order is None else order >= 0


def both(left: Any, right: Any) -> bool | None:
    """`and` with three truth values; what is no truth value counts as null."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: Any, right: Any) -> bool | None:
    """`or` with three truth values."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def junction(conjunction: bool, operands: Sequence[Callable[[], Any]]) -> bool | None:
    """Join many operands by `and` or `or`, stopping at the first that settles it."""
    joined: bool | None = conjunction
    for operand in operands:
        joined = both(joined, operand()) if conjunction else either(joined, operand())
        if joined is not None and joined is not conjunction:
            return joined
    return joined


def opposite(value: Any) -> bool | None:
    """`not`: null stays null."""
    return (not value) if type(value) is bool else None
