"""Reading the arguments of built-in functions.

A list of one stands for its element and an element for a list of one (DMN 1.5 §10.3.2.9.4).
All of these raise Fault when the argument is not what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.decision.errors import Fault
from engine.decision.runtime import MAX_TEXT_LENGTH, limit
from engine.decision.values import Builtin, kind_of
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

DATES = (date, WideDate)
TIMES = (time, WideTime)
DATE_TIMES = (datetime, WideDateTime)
DURATIONS = (timedelta, WideDuration)

BUILTINS: dict[str, Builtin] = {}


def builtin(
    name: str,
    *signatures: str,
    required: int | None = None,
    variadic: bool = False,
    wants_runtime: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function under its FEEL name; each signature lists parameter names."""
    named = tuple(tuple(s.strip() for s in one.split(",") if s.strip()) for one in signatures)

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        BUILTINS[name] = Builtin(
            name=name,
            run=run,
            signatures=named or ((),),
            required=min(len(s) for s in named) if required is None and named else required or 0,
            variadic=variadic,
            wants_runtime=wants_runtime,
        )
        return run

    return register


def single(value: Any) -> Any:
    """Unwrap a list of one."""
    return value[0] if type(value) is list and len(value) == 1 else value


def _expect(value: Any, classes: tuple[type, ...], wanted: str) -> Any:
    if type(value) in classes:
        return value
    unwrapped = single(value)
    if type(unwrapped) in classes:
        return unwrapped
    raise Fault(f"要 {wanted}，却是 {kind_of(value)}")


def number(value: Any) -> Decimal:
    """Read a number."""
    found: Decimal = _expect(value, (Decimal,), "number")
    return found


def integer(value: Any) -> int:
    """Read a whole number; a fraction is cut off."""
    found = number(value)
    if found.adjusted() > 18:
        raise Fault("数字太大")
    return int(found)


def whole(value: Any) -> int:
    """Read a number that must be whole."""
    found = number(value)
    if found != found.to_integral_value():
        raise Fault("要整数")
    return integer(found)


def text(value: Any) -> str:
    """Read a string."""
    found: str = _expect(value, (str,), "string")
    return found


def truth(value: Any) -> bool:
    """Read a boolean."""
    found: bool = _expect(value, (bool,), "boolean")
    return found


def listed(value: Any) -> list[Any]:
    """Read a list; anything else but null is a list of itself."""
    if value is None:
        raise Fault("要 list，却是 Null")
    return value if type(value) is list else [value]


def context(value: Any) -> dict[str, Any]:
    """Read a context."""
    found: dict[str, Any] = _expect(value, (dict,), "context")
    return found


def day(value: Any) -> Any:
    """Read a date or a date and time."""
    return _expect(value, DATES + DATE_TIMES, "date")


def day_time_duration(value: Any) -> Any:
    """Read a days-and-time duration."""
    return _expect(value, DURATIONS, "days and time duration")


def comparable_point(value: Any) -> Any:
    """Read a range, or a value that can be its end."""
    if value is None:
        raise Fault("要值或区间，却是 Null")
    return single(value)


def spread(arguments: tuple[Any, ...]) -> list[Any]:
    """Read either one list or the items of a list as arguments."""
    if not arguments:
        raise Fault("没有参数")
    if len(arguments) == 1:
        return listed(arguments[0])
    return list(arguments)


def bounded(value: str) -> str:
    """Let a string through unless it is too long. Raises FeelLimitError."""
    if len(value) > MAX_TEXT_LENGTH:
        raise limit("字符串太长", None)
    return value
