"""Functions beyond the standard that other engines have made popular.

None of them has the name of a function of DMN 1.5, so a model that keeps to the standard never
meets them. Those whose result would differ from one run to the next are refused in words: a
decision must give the same answer when it is asked again.
"""

from __future__ import annotations

from typing import Any

from engine.decision.arguments import builtin, context, day, integer, listed, text
from engine.decision.builtins_contexts import context_put
from engine.decision.builtins_lists import contains_value, every, some
from engine.decision.errors import Fault
from engine.decision.regex import compile_pattern
from engine.decision.runtime import Place, Runtime
from engine.decision.temporal import days_in_month, make_date


@builtin("is defined", "value")
def is_defined(value: Any) -> bool:
    """Tell whether there is a value."""
    return value is not None


@builtin("get or else", "value, default")
def get_or_else(value: Any, default: Any) -> Any:
    """Give the value, or the default where it is null."""
    return default if value is None else value


@builtin("assert", "value, condition, cause", required=2)
def asserted(value: Any, condition: Any, cause: Any = None) -> Any:
    """Give the value where the condition holds; fail with the cause where it does not."""
    if condition is not True:
        raise Fault("条件不成立" if cause is None else text(cause))
    return value


@builtin("is empty", "list")
def is_empty(items: Any) -> bool:
    """Tell whether a list has no items."""
    return not listed(items)


@builtin("trim", "string")
def trim(value: Any) -> str:
    """Drop white space at both ends."""
    return text(value).strip()


@builtin("is blank", "string")
def is_blank(value: Any) -> bool:
    """Tell whether there is nothing but white space."""
    return not text(value).strip()


@builtin("extract", "string, pattern", wants_runtime=True)
def extract(runtime: Runtime, place: Place, value: Any, pattern: Any) -> list[str]:
    """List what the pattern matches."""
    whole = text(value)
    compiled = compile_pattern(text(pattern), "")
    return [whole[m.start : m.end] for m in compiled.occurrences(whole, runtime, place)]


@builtin("duplicate values", "list", wants_runtime=True)
def duplicate_values(runtime: Runtime, place: Place, items: Any) -> list[Any]:
    """List the values that occur more than once."""
    seen: list[Any] = []
    repeated: list[Any] = []
    for item in listed(items):
        (repeated if contains_value(seen, item, runtime) else seen).append(item)
    runtime.spend(len(seen), place)
    return [item for item in seen if contains_value(repeated, item, runtime)]


@builtin("partition", "list, size")
def partition(items: Any, size: Any) -> list[list[Any]]:
    """Cut a list into lists of a size; the last may be shorter."""
    whole_list, length = listed(items), integer(size)
    if length < 1:
        raise Fault("大小要大于零")
    return [whole_list[i : i + length] for i in range(0, len(whole_list), length)]


@builtin("last day of month", "date")
def last_day_of_month(value: Any) -> Any:
    """Find the last day of the month."""
    found = day(value)
    return make_date(found.year, found.month, days_in_month(found.year, found.month))


# The names DMN 1.1 had for `all` and `any`.
builtin("and", "list", variadic=True, required=1)(every)
builtin("or", "list", variadic=True, required=1)(some)
# The name `context put` had before the standard took it up.
builtin("put", "context, key, value")(context_put)


@builtin("put all", "contexts", variadic=True, required=1)
def put_all(*contexts: Any) -> dict[str, Any]:
    """Join contexts given one by one or as a list; of entries with one key the last counts."""
    merged: dict[str, Any] = {}
    for one in listed(contexts[0]) if len(contexts) == 1 else contexts:
        merged.update(context(one))
    return merged


@builtin("fromAi", "value, description, type, schema, options", required=1)
def from_ai(value: Any, *_: Any) -> Any:
    """Give the value; other engines mark with it what a language model is to fill in."""
    return value


@builtin("uuid", "")
def uuid() -> None:
    """Refuse."""
    raise Fault("不提供随机值：同样的输入要有同样的结果，编号请由流程给出")


@builtin("random number", "")
def random_number() -> None:
    """Refuse."""
    raise Fault("不提供随机值：同样的输入要有同样的结果，数字请由流程给出")
