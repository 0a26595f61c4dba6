"""Invoking functions: built-in ones, those of the model, and values that are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.decision.errors import Fault, RemarkKind
from engine.decision.kinds import coerce
from engine.decision.runtime import Place, Runtime
from engine.decision.values import Builtin, FeelFunction, kind_of


def invoke(function: Builtin, runtime: Runtime, place: Place, *arguments: Any) -> Any:
    """Call a built-in whose arguments are already in order; what it cannot answer is null."""
    for one in arguments:
        if type(one) is list:
            runtime.spend(len(one) >> 3, place)
        elif type(one) is str:
            runtime.spend(len(one) >> 8, place)
    try:
        if function.wants_runtime:
            result = function.run(runtime, place, *arguments)
        else:
            result = function.run(*arguments)
        if type(result) is list or type(result) is str:
            runtime.spend(1 + (len(result) >> (0 if type(result) is list else 6)), place)
    except Fault as fault:
        message = f"{function.name}：{fault}"
    except (ArithmeticError, OverflowError):
        message = f"{function.name}：结果超出范围"
    else:
        return result
    return runtime.remark(RemarkKind.FUNCTION_FAILED, message, place)


def arrange(function: Builtin, given: int, names: Sequence[str] | None) -> list[int | None]:
    """Say which of the given arguments goes to which position (None: left out).

    Raises Fault where number or names fit no signature.
    """
    if names is None:
        fits = (
            given >= function.required
            if function.variadic
            else any(len(s) >= given for s in function.signatures) and given >= function.required
        )
        if not fits:
            raise Fault(f"{function.name} 的参数个数不对，应为 {_usage(function)}")
        return list(range(given))
    for signature in function.signatures:
        if set(names) <= set(signature) and len(set(names)) == len(names):
            order = [names.index(name) if name in names else None for name in signature]
            while order and order[-1] is None:
                order.pop()
            required = order[: function.required]
            if len(required) == function.required and None not in required:
                return order
    raise Fault(f"{function.name} 没有这样的参数名，应为 {_usage(function)}")


def _usage(function: Builtin) -> str:
    return " 或 ".join(f"{function.name}({', '.join(s)})" for s in function.signatures)


def call(
    function: Any, runtime: Runtime, place: Place, arguments: Sequence[Any],
    names: Sequence[str] | None = None,
) -> Any:  # fmt: skip
    """Call a value that should be a function."""
    if isinstance(function, FeelFunction):
        return _call_function(function, runtime, place, arguments, names)
    if isinstance(function, Builtin):
        try:
            order = arrange(function, len(arguments), names)
        except Fault as fault:
            return runtime.remark(RemarkKind.FUNCTION_FAILED, str(fault), place)
        ordered = [None if i is None else arguments[i] for i in order]
        return invoke(function, runtime, place, *ordered)
    return runtime.remark(RemarkKind.NOT_A_FUNCTION, f"{kind_of(function)} 不是函数", place)


def _call_function(
    function: FeelFunction, runtime: Runtime, place: Place, arguments: Sequence[Any],
    names: Sequence[str] | None,
) -> Any:  # fmt: skip
    parameters = function.parameters
    if names is not None:
        given = dict(zip(names, arguments, strict=True))
        wanted = [parameter.name for parameter in parameters]
        if len(given) != len(wanted) or any(name not in given for name in wanted):
            return runtime.remark(
                RemarkKind.FUNCTION_FAILED,
                f"{function.name} 的参数名不对，应为 ({', '.join(wanted)})",
                place,
            )
        arguments = [given[name] for name in wanted]
    if len(arguments) != len(parameters):
        return runtime.remark(
            RemarkKind.FUNCTION_FAILED,
            f"{function.name} 要 {len(parameters)} 个参数，给了 {len(arguments)} 个",
            place,
        )
    try:
        ready = [coerce(one, p.type, runtime) for one, p in zip(arguments, parameters, strict=True)]
    except Fault as fault:
        return runtime.remark(RemarkKind.NOT_CONFORMING, f"{function.name} 的参数：{fault}", place)
    runtime.enter(place)
    try:
        value = function.body(*ready)
    finally:
        runtime.calls -= 1
    try:
        return coerce(value, function.result, runtime)
    except Fault as fault:
        return runtime.remark(RemarkKind.NOT_CONFORMING, f"{function.name} 的结果：{fault}", place)
