"""List functions (DMN 1.5 §10.3.4.4)."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.decision.arguments import builtin, integer, listed, number, spread, truth
from engine.decision.calls import call
from engine.decision.errors import Fault
from engine.decision.operators import add, compare, equal_values
from engine.decision.runtime import MAX_LIST_LENGTH, Meter, Place, Runtime, limit
from engine.decision.values import NUMBERS, Builtin, FeelFunction, kind_of

_SUMMABLE = frozenset({"number", "days and time duration", "years and months duration"})


def contains_value(items: list[Any], element: Any, meter: Meter) -> bool:
    """Tell whether an item equals the element, which may be null."""
    meter.spend(len(items) >> 3)
    return any(equal_values(item, element, meter) is True for item in items)


def _position(items: list[Any], position: Any, *, after_end: bool = False) -> int:
    """Turn FEEL's position (from 1, or from -1 at the end) into an index. Raises Fault."""
    place = integer(position)
    length = len(items) + (1 if after_end else 0)
    if place == 0 or not -len(items) <= place <= length:
        raise Fault(f"列表有 {len(items)} 项，没有第 {place} 项")
    return place - 1 if place > 0 else len(items) + place


@builtin("list contains", "list, element", wants_runtime=True)
def list_contains(runtime: Runtime, _: Place, items: Any, element: Any) -> bool:
    """Tell whether an item equals the element, which may be null."""
    return contains_value(listed(items), element, runtime)


@builtin("count", "list")
def count(items: Any) -> Decimal:
    """Count the items."""
    return Decimal(len(listed(items)))


def _extreme(arguments: tuple[Any, ...], wanted: int) -> Any:
    items = spread(arguments)
    if not items:
        return None
    best = items[0]
    for item in items:
        order = compare(item, best)
        if order is None:
            raise Fault("列表里的值不能比较大小")
        if order * wanted > 0:
            best = item
    return best


@builtin("min", "list", variadic=True, required=1)
def minimum(*arguments: Any) -> Any:
    """Find the smallest item; null of an empty list."""
    return _extreme(arguments, -1)


@builtin("max", "list", variadic=True, required=1)
def maximum(*arguments: Any) -> Any:
    """Find the largest item; null of an empty list."""
    return _extreme(arguments, 1)


@builtin("sum", "list", variadic=True, required=1, wants_runtime=True)
def total(runtime: Runtime, place: Place, *arguments: Any) -> Any:
    """Add up numbers (or durations); null of an empty list."""
    items = spread(arguments)
    if not items:
        return None
    result = items[0]
    if kind_of(result) not in _SUMMABLE:
        raise Fault("只能对数字或时长求和")
    for item in items[1:]:
        result = add(result, item, runtime, place)
        if result is None:
            raise Fault("只能对数字或时长求和")
    return result


def _numbers(arguments: tuple[Any, ...]) -> list[Decimal]:
    return [number(item) for item in spread(arguments)]


def _sum(numbers: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for one in numbers:
        result = NUMBERS.add(result, one)
    return result


def _mean(numbers: list[Decimal]) -> Decimal:
    return NUMBERS.divide(_sum(numbers), Decimal(len(numbers)))


@builtin("mean", "list", variadic=True, required=1)
def mean(*arguments: Any) -> Decimal | None:
    """Average; null of an empty list."""
    numbers = _numbers(arguments)
    if not numbers:
        raise Fault("空列表没有平均值")
    return _mean(numbers)


@builtin("product", "list", variadic=True, required=1)
def product(*arguments: Any) -> Decimal | None:
    """Multiply numbers; null of an empty list."""
    numbers = _numbers(arguments)
    if not numbers:
        raise Fault("空列表没有乘积")
    result = Decimal(1)
    for one in numbers:
        result = NUMBERS.multiply(result, one)
    return result


@builtin("median", "list", variadic=True, required=1)
def median(*arguments: Any) -> Decimal | None:
    """Middle of the sorted numbers; null of an empty list."""
    numbers = sorted(_numbers(arguments))
    if not numbers:
        return None
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else _mean(numbers[middle - 1 : middle + 1])


@builtin("stddev", "list", variadic=True, required=1)
def standard_deviation(*arguments: Any) -> Decimal:
    """Sample standard deviation of two or more numbers."""
    numbers = _numbers(arguments)
    if len(numbers) < 2:
        raise Fault("标准差至少要两个数")
    centre = _mean(numbers)
    squares = [NUMBERS.power(NUMBERS.subtract(one, centre), 2) for one in numbers]
    return NUMBERS.sqrt(NUMBERS.divide(_sum(squares), Decimal(len(numbers) - 1)))


@builtin("mode", "list", variadic=True, required=1)
def mode(*arguments: Any) -> list[Decimal]:
    """Numbers that occur most often, ascending."""
    occurrences: dict[Decimal, int] = {}
    for one in _numbers(arguments):
        occurrences[one] = occurrences.get(one, 0) + 1
    most = max(occurrences.values(), default=0)
    return sorted(one for one, times in occurrences.items() if times == most)


def _truths(arguments: tuple[Any, ...]) -> list[bool | None]:
    return [None if item is None else truth(item) for item in spread(arguments)]


@builtin("all", "list", variadic=True, required=1)
def every(*arguments: Any) -> bool | None:
    """Join by `and`."""
    items = _truths(arguments)
    if False in items:
        return False
    return None if None in items else True


@builtin("any", "list", variadic=True, required=1)
def some(*arguments: Any) -> bool | None:
    """Join by `or`."""
    items = _truths(arguments)
    if True in items:
        return True
    return None if None in items else False


@builtin("sublist", "list, start position, length", required=2)
def sublist(items: Any, start: Any, length: Any = None) -> list[Any]:
    """Cut items out, from a position (negative: from the end) and, if given, so many."""
    whole_list = listed(items)
    first = _position(whole_list, start)
    if length is None:
        return whole_list[first:]
    wanted = integer(length)
    if wanted < 0 or first + wanted > len(whole_list):
        raise Fault("长度超出列表")
    return whole_list[first : first + wanted]


@builtin("append", "list, item", variadic=True, required=1)
def append(items: Any, *more: Any) -> list[Any]:
    """Add items at the end."""
    return [*listed(items), *more]


@builtin("concatenate", "list", variadic=True, required=1)
def concatenate(*lists: Any) -> list[Any]:
    """Join lists."""
    return _bounded([item for one in lists for item in listed(one)])


@builtin("insert before", "list, position, newItem")
def insert_before(items: Any, position: Any, item: Any) -> list[Any]:
    """Insert an item before a position."""
    whole_list = listed(items)
    index = _position(whole_list, position)
    return [*whole_list[:index], item, *whole_list[index:]]


@builtin("remove", "list, position")
def remove(items: Any, position: Any) -> list[Any]:
    """Leave out the item at a position."""
    whole_list = listed(items)
    index = _position(whole_list, position)
    return [*whole_list[:index], *whole_list[index + 1 :]]


@builtin("list replace", "list, position, newItem", "list, match, newItem", wants_runtime=True)
def list_replace(runtime: Runtime, place: Place, items: Any, where: Any, item: Any) -> list[Any]:
    """Replace the item at a position, or each item a function of (item, new) is true for."""
    whole_list = listed(items)
    if not isinstance(where, (FeelFunction, Builtin)):
        index = _position(whole_list, where)
        return [*whole_list[:index], item, *whole_list[index + 1 :]]
    replaced: list[Any] = []
    for one in whole_list:
        answer = call(where, runtime, place, (one, item))
        if type(answer) is not bool:
            raise Fault("match 函数要返回 boolean")
        replaced.append(item if answer else one)
    return replaced


@builtin("reverse", "list")
def reverse(items: Any) -> list[Any]:
    """Turn the order round."""
    return listed(items)[::-1]


@builtin("index of", "list, match", wants_runtime=True)
def index_of(runtime: Runtime, _: Place, items: Any, match: Any) -> list[Decimal]:
    """List the positions of the items that equal the match."""
    return [
        Decimal(position)
        for position, item in enumerate(listed(items), 1)
        if equal_values(item, match, runtime) is True
    ]


def _distinct(items: list[Any], runtime: Runtime, place: Place) -> list[Any]:
    kept: list[Any] = []
    simple: set[Any] = set()
    for item in items:
        if type(item) in (Decimal, str):
            if item not in simple:
                simple.add(item)
                kept.append(item)
            continue
        runtime.spend(1, place)
        if not contains_value(kept, item, runtime):
            kept.append(item)
    return kept


@builtin("union", "list", variadic=True, required=1, wants_runtime=True)
def union(runtime: Runtime, place: Place, *lists: Any) -> list[Any]:
    """Join lists without repeating items."""
    return _distinct(concatenate(*lists), runtime, place)


@builtin("distinct values", "list", wants_runtime=True)
def distinct_values(runtime: Runtime, place: Place, items: Any) -> list[Any]:
    """Drop repetitions."""
    return _distinct(listed(items), runtime, place)


@builtin("flatten", "list", wants_runtime=True)
def flatten(runtime: Runtime, place: Place, items: Any) -> list[Any]:
    """Take lists within lists apart, however deep."""
    flat: list[Any] = []
    queue = listed(items)[::-1]
    while queue:
        runtime.spend(1, place)
        item = queue.pop()
        if type(item) is list:
            queue.extend(item[::-1])
        else:
            flat.append(item)
    return flat


@builtin("sort", "list, precedes", required=1, wants_runtime=True)
def sort(runtime: Runtime, place: Place, items: Any, precedes: Any = None) -> list[Any]:
    """Sort by a function that tells whether its first argument comes before the second."""
    whole_list = listed(items)

    def order(one: Any, other: Any) -> int:
        runtime.spend(1, place)
        if precedes is None:
            found = compare(one, other)
            if found is None:
                raise Fault("列表里的值不能比较大小")
            return found
        if call(precedes, runtime, place, (one, other)) is True:
            return -1
        return 1 if call(precedes, runtime, place, (other, one)) is True else 0

    if precedes is not None and not isinstance(precedes, (FeelFunction, Builtin)):
        raise Fault("第二个参数要是函数")
    return sorted(whole_list, key=cmp_to_key(order))


def _bounded(items: list[Any]) -> list[Any]:
    if len(items) > MAX_LIST_LENGTH:
        raise limit("列表太长", None)
    return items
