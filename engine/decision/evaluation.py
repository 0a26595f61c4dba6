"""What compiled code calls for names, paths, filters, loops and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from engine.decision.errors import Fault, RemarkKind
from engine.decision.kinds import FeelType, coerce
from engine.decision.properties import property_of
from engine.decision.runtime import MAX_LIST_LENGTH, Place, Runtime, limit
from engine.decision.temporal import date_from_epoch_days, epoch_days
from engine.decision.values import (
    NATIVE_SCALARS,
    Builtin,
    FeelFunction,
    Parameter,
    Range,
    kind_of,
)
from engine.decision.wide import WideDate

_Domain = tuple[Callable[..., Any], Callable[..., Any] | None]


def read_name(context: Mapping[str, Any], name: str, runtime: Runtime, place: Place) -> Any:
    """Read a variable of the caller; one that is not there is null and remarked."""
    try:
        value = context[name]
    except KeyError:
        return runtime.remark(RemarkKind.UNKNOWN_NAME, _unknown(name, context), place)
    if type(value) in NATIVE_SCALARS:
        return value
    return Decimal(value) if type(value) is int else runtime.adapt(value)


def _unknown(name: str, context: Mapping[str, Any]) -> str:
    near = get_close_matches(name, [str(key) for key in context], n=1)
    return f"没有名为“{name}”的变量" + (f"，是不是“{near[0]}”？" if near else "")


def read_name_or(
    context: Mapping[str, Any], name: str, builtin: Builtin, runtime: Runtime, place: Place
) -> Any:
    """Read a variable that has the name of a built-in function."""
    return read_name(context, name, runtime, place) if name in context else builtin


def has_entry(item: Any, name: str) -> bool:
    """Tell whether a filtered item is a context with this entry."""
    return type(item) is dict and name in item


def read_entry(context: dict[str, Any], name: str, runtime: Runtime, place: Place) -> Any:
    """Read an entry of the context being built."""
    if name in context:
        return context[name]
    return runtime.remark(RemarkKind.UNKNOWN_NAME, f"“{name}”还没有值", place)


def path(source: Any, name: str, runtime: Runtime, place: Place) -> Any:
    """Follow `.name`; over a list, through each of its items."""
    kind = type(source)
    if kind is dict:
        try:
            return source[name]
        except KeyError:
            return runtime.remark(RemarkKind.UNKNOWN_NAME, f"上下文里没有“{name}”", place)
    if kind is list:
        runtime.spend(len(source))
        return [_quiet_path(one, name, runtime, place) for one in source]
    if source is None:
        return None
    try:
        return property_of(source, name)
    except Fault as fault:
        return runtime.remark(RemarkKind.UNKNOWN_NAME, str(fault), place)


def _quiet_path(source: Any, name: str, runtime: Runtime, place: Place) -> Any:
    return source.get(name) if type(source) is dict else path(source, name, runtime, place)


def index(source: Any, position: Decimal) -> Any:
    """Pick the item at a position, from 1, or from -1 at the end."""
    if source is None:
        return None
    items = source if type(source) is list else [source]
    if position != position.to_integral_value():
        return None
    number = int(position) if abs(position) <= len(items) else 0
    if number == 0:
        return None
    return items[number - 1 if number > 0 else number]


def filtered(
    source: Any, condition: Callable[[Any], Any], cost: int, runtime: Runtime, place: Place
) -> Any:
    """Keep the items the condition is true for; a condition that is a number is a position."""
    if source is None:
        return None
    items = source if type(source) is list else [source]
    kept: list[Any] = []
    if not items:
        remarks = len(runtime.remarks)
        is_position = type(condition(None)) is Decimal
        runtime.forget_remarks(remarks)
        return None if is_position else kept
    for item in items:
        runtime.spend(cost, place)
        result = condition(item)
        if result is True:
            kept.append(item)
        elif type(result) is Decimal:
            return index(items, result)
    return kept


def items_of(domain: Any, last: Any, has_last: bool, runtime: Runtime, place: Place) -> Any:
    """List what a loop runs over, or null where it cannot."""
    if has_last:
        return _steps(domain, last, runtime, place)
    if type(domain) is list:
        return domain
    if type(domain) is Range:
        return _range_items(domain, runtime, place)
    return None if domain is None else [domain]


def _range_items(domain: Range, runtime: Runtime, place: Place) -> Any:
    steps = _steps(domain.low, domain.high, runtime, place)
    if steps is None:
        return None
    first = 0 if domain.low_closed else 1
    return steps[first : len(steps) if domain.high_closed else -1]


def _steps(first: Any, last: Any, runtime: Runtime, place: Place) -> Any:
    if first is None or last is None:
        return None
    days = all(isinstance(end, WideDate) or type(end) is date for end in (first, last))
    if days:
        start, end = epoch_days(first), epoch_days(last)
    elif _is_whole(first) and _is_whole(last):
        start, end = int(first), int(last)
    else:
        return runtime.remark(
            RemarkKind.WRONG_TYPE, f"不能从 {kind_of(first)} 数到 {kind_of(last)}", place
        )
    runtime.spend(abs(end - start), place)
    step = 1 if end >= start else -1
    numbers = range(start, end + step, step)
    if len(numbers) > MAX_LIST_LENGTH:
        raise limit("循环次数太多", place, "缩小循环的范围")
    return [date_from_epoch_days(one) if days else Decimal(one) for one in numbers]


def _is_whole(value: Any) -> bool:
    return type(value) is Decimal and value == value.to_integral_value() and value.adjusted() < 18


def loop(
    domains: Sequence[_Domain], result: Callable[..., Any], keeps: bool, cost: int,
    runtime: Runtime, place: Place,
) -> Any:  # fmt: skip
    """Run `for`: the results in order, nested from left to right; null over null.

    A result that may keep `partial` gets a copy: values never change once they are made.
    """
    results: list[Any] = []

    def visit(level: int, bound: tuple[Any, ...]) -> bool:
        if level == len(domains):
            runtime.spend(cost + (len(results) >> 3) if keeps else cost, place)
            results.append(result(results[:] if keeps else results, *bound))
            return True
        first, last = domains[level]
        items = items_of(
            first(*bound), last(*bound) if last else None, last is not None, runtime, place
        )
        if items is None:
            return False
        return all(visit(level + 1, (*bound, item)) for item in items)

    if not visit(0, ()):
        return None
    if len(results) > MAX_LIST_LENGTH:
        raise limit("列表太长", place)
    return results


def quantified(
    some: bool, domains: Sequence[_Domain], condition: Callable[..., Any], cost: int,
    runtime: Runtime, place: Place,
) -> bool | None:  # fmt: skip
    """Run `some` or `every` with three truth values."""
    unknown = False

    def visit(level: int, bound: tuple[Any, ...]) -> bool | None:
        nonlocal unknown
        if level == len(domains):
            runtime.spend(cost, place)
            answer = condition(*bound)
            unknown = unknown or type(answer) is not bool
            return answer is some
        first, last = domains[level]
        items = items_of(
            first(*bound), last(*bound) if last else None, last is not None, runtime, place
        )
        if items is None:
            unknown = True
            return False
        return any(visit(level + 1, (*bound, item)) for item in items)

    if visit(0, ()):
        return some
    return None if unknown else not some


def build_context(
    keys: Sequence[str], values: Sequence[Callable[[dict[str, Any]], Any]]
) -> dict[str, Any]:
    """Build a context entry by entry; each sees those before it."""
    built: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        built[key] = value(built)
    return built


def boxed_result(
    keys: Sequence[str],
    values: Sequence[Callable[[dict[str, Any]], Any]],
    result: Callable[[dict[str, Any]], Any],
) -> Any:
    """Build a context for the sake of its result cell."""
    return result(build_context(keys, values))


def make_function(
    parameters: tuple[Parameter, ...], body: Callable[..., Any], result: FeelType | None, name: str
) -> FeelFunction:
    """Make a function value out of compiled code."""
    return FeelFunction(parameters=parameters, body=body, result=result, name=name)


def coerced(value: Any, kind: FeelType, runtime: Runtime, place: Place) -> Any:
    """Coerce a value to its declared type, or null."""
    try:
        return coerce(value, kind, runtime)
    except Fault as fault:
        return runtime.remark(RemarkKind.NOT_CONFORMING, f"{place.where}{fault}", place)


def quietly(value: Callable[[], Any], runtime: Runtime) -> Any:
    """Evaluate without remarks."""
    kept = len(runtime.remarks)
    result = value()
    runtime.forget_remarks(kept)
    return result


def failing(message: str, runtime: Runtime, place: Place) -> None:
    """Be null for a reason known beforehand."""
    runtime.remark(RemarkKind.FUNCTION_FAILED, message, place)
