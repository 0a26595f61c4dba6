"""Numeric and boolean functions (DMN 1.5 §10.3.4.2, §10.3.4.5)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Any

from engine.decision.arguments import builtin, number, single, whole
from engine.decision.errors import Fault
from engine.decision.temporal import duration_nanos, make_duration
from engine.decision.values import NUMBERS, YearMonthDuration, kind_of

_MIN_SCALE, _MAX_SCALE = -6111, 6176


def _rounded(value: Any, scale: Any, rounding: str) -> Decimal:
    given, places = number(value), whole(scale)
    if not _MIN_SCALE <= places <= _MAX_SCALE:
        raise Fault(f"小数位数要在 {_MIN_SCALE} 与 {_MAX_SCALE} 之间")
    exponent = given.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return given
    return given.quantize(Decimal((0, (1,), -places)), rounding=rounding, context=NUMBERS)


@builtin("decimal", "n, scale")
def decimal(n: Any, scale: Any) -> Decimal:
    """Round half to even."""
    return _rounded(n, scale, ROUND_HALF_EVEN)


@builtin("floor", "n, scale", required=1)
def floor(n: Any, scale: Any = Decimal(0)) -> Decimal:
    """Round towards minus infinity."""
    return _rounded(n, scale, ROUND_FLOOR)


@builtin("ceiling", "n, scale", required=1)
def ceiling(n: Any, scale: Any = Decimal(0)) -> Decimal:
    """Round towards plus infinity."""
    return _rounded(n, scale, ROUND_CEILING)


@builtin("round up", "n, scale")
def round_up(n: Any, scale: Any) -> Decimal:
    """Round away from zero."""
    return _rounded(n, scale, ROUND_UP)


@builtin("round down", "n, scale")
def round_down(n: Any, scale: Any) -> Decimal:
    """Round towards zero."""
    return _rounded(n, scale, ROUND_DOWN)


@builtin("round half up", "n, scale")
def round_half_up(n: Any, scale: Any) -> Decimal:
    """Round to the nearest, halves away from zero."""
    return _rounded(n, scale, ROUND_HALF_UP)


@builtin("round half down", "n, scale")
def round_half_down(n: Any, scale: Any) -> Decimal:
    """Round to the nearest, halves towards zero."""
    return _rounded(n, scale, ROUND_HALF_DOWN)


@builtin("abs", "n")
def absolute(n: Any) -> Any:
    """Drop the sign of a number or a duration."""
    value = single(n)
    kind = kind_of(value)
    if kind == "days and time duration":
        return make_duration(abs(duration_nanos(value)))
    if kind == "years and months duration":
        return YearMonthDuration(abs(value.total_months))
    return NUMBERS.abs(number(value))


@builtin("modulo", "dividend, divisor")
def modulo(dividend: Any, divisor: Any) -> Decimal:
    """Remainder with the sign of the divisor: dividend - divisor * floor(dividend / divisor)."""
    first, second = number(dividend), number(divisor)
    if not second:
        raise Fault("除数是零")
    quotient = NUMBERS.divide(first, second).to_integral_value(ROUND_FLOOR)
    return NUMBERS.subtract(first, NUMBERS.multiply(second, quotient))


@builtin("sqrt", "number")
def square_root(value: Any) -> Decimal:
    """Square root; none of a negative number."""
    return NUMBERS.sqrt(number(value))


@builtin("log", "number")
def logarithm(value: Any) -> Decimal:
    """Natural logarithm of a positive number."""
    given = number(value)
    if given <= 0:
        raise Fault("对数的参数要大于零")
    return NUMBERS.ln(given)


@builtin("exp", "number")
def exponential(value: Any) -> Decimal:
    """Power of Euler's number."""
    return NUMBERS.exp(number(value))


@builtin("odd", "number")
def odd(value: Any) -> bool:
    """Tell whether a whole number is odd."""
    return NUMBERS.remainder(number(value), Decimal(2)) in (1, -1)


@builtin("even", "number")
def even(value: Any) -> bool:
    """Tell whether a whole number is even."""
    return NUMBERS.remainder(number(value), Decimal(2)) == 0


@builtin("not", "negand")
def negation(negand: Any) -> bool | None:
    """Negate a truth value; null stays null."""
    value = single(negand)
    if value is None:
        return None
    if type(value) is not bool:
        raise Fault(f"要 boolean，却是 {kind_of(value)}")
    return not value
