"""Hit policies: which rules count and what becomes of their outputs (DMN 1.5 §8.2.8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from engine.decision.errors import RemarkKind
from engine.decision.operators import add, compare, equal_values
from engine.decision.runtime import Place, Runtime
from engine.decision.values import kind_of

_Row = Callable[[], tuple[Any, ...]]


class HitPolicy(StrEnum):
    """How many rules may match and which of them give the result."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    ANY = "ANY"
    COLLECT = "COLLECT"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"


class Aggregation(StrEnum):
    """What COLLECT makes of the collected outputs."""

    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePolicy:
    """All of a table that is not an expression."""

    name: str
    hit_policy: HitPolicy = HitPolicy.UNIQUE
    aggregation: Aggregation | None = None
    output_names: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    annotations: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHit:
    """A table that was asked, for the audit: what went in and which rules answered."""

    table: str
    inputs: tuple[tuple[str, Any], ...]
    matched: tuple[str, ...]
    numbers: tuple[int, ...]
    annotations: tuple[tuple[str, ...], ...]
    result: Any


_SUMMABLE = frozenset({"number", "days and time duration", "years and months duration"})
_LISTS = frozenset({HitPolicy.COLLECT, HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER})


def decide(  # noqa: PLR0913, PLR0917 — called by compiled code only, in one place
    policy: TablePolicy,
    values: tuple[Any, ...],
    checks: Sequence[Callable[[Any], Any] | None],
    tests: Sequence[Callable[..., bool]],
    rows: Sequence[_Row],
    defaults: _Row | None,
    orders: Sequence[Any],
    runtime: Runtime,
    place: Place,
) -> Any:
    """Evaluate a decision table whose inputs are already evaluated."""
    for value, check, name in zip(values, checks, policy.input_names, strict=True):
        if check is not None and value is not None and check(value) is not True:
            message = f"决策表“{policy.name}”的输入“{name}”不在允许的值之内"
            return runtime.remark(RemarkKind.NOT_CONFORMING, message, place)
    runtime.steps -= len(tests)
    if policy.hit_policy is HitPolicy.FIRST:
        matched = next(([i] for i, test in enumerate(tests) if test(*values)), [])
    else:
        matched = [i for i, test in enumerate(tests) if test(*values)]
    if matched:
        result, matched = _result(policy, matched, rows, orders, runtime, place)
    else:
        result = _no_match(policy, defaults, runtime, place)
    if runtime.on_rules is not None:
        runtime.on_rules(_hit(policy, values, matched, result))
    return result


def _hit(policy: TablePolicy, values: tuple[Any, ...], matched: list[int], result: Any) -> RuleHit:
    return RuleHit(
        table=policy.name,
        inputs=tuple(zip(policy.input_names, values, strict=True)),
        matched=tuple(policy.rule_ids[i] for i in matched),
        numbers=tuple(i + 1 for i in matched),
        annotations=tuple(policy.annotations[i] for i in matched) if policy.annotations else (),
        result=result,
    )


def _no_match(policy: TablePolicy, defaults: _Row | None, runtime: Runtime, place: Place) -> Any:
    if defaults is not None:
        value = _output(policy, defaults())
        return [value] if policy.hit_policy in _LISTS and policy.aggregation is None else value
    if policy.hit_policy is HitPolicy.COLLECT:
        if policy.aggregation is Aggregation.COUNT:
            return Decimal(0)
        if policy.aggregation is None:
            return []
    message = f"决策表“{policy.name}”没有一条规则符合"
    return runtime.remark(RemarkKind.NO_RULE, message, place)


def _output(policy: TablePolicy, cells: tuple[Any, ...]) -> Any:
    if len(cells) == 1:
        return cells[0]
    return dict(zip(policy.output_names, cells, strict=True))


def _result(
    policy: TablePolicy, matched: list[int], rows: Sequence[_Row], orders: Sequence[Any],
    runtime: Runtime, place: Place,
) -> tuple[Any, list[int]]:  # fmt: skip
    """Apply the policy; also tell the rules that count."""
    hit_policy = policy.hit_policy
    if hit_policy is HitPolicy.UNIQUE and len(matched) > 1:
        message = f"决策表“{policy.name}”只许一条规则符合，却有第 {_listed(matched)} 条"
        return runtime.remark(RemarkKind.RULE_CONFLICT, message, place), matched
    outputs = [(i, rows[i]()) for i in matched]
    if hit_policy is HitPolicy.ANY:
        first = list(outputs[0][1])
        if any(equal_values(first, list(cells)) is not True for _, cells in outputs):
            message = f"决策表“{policy.name}”第 {_listed(matched)} 条规则都符合，结果却不同"
            return runtime.remark(RemarkKind.RULE_CONFLICT, message, place), matched
    if hit_policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER):
        outputs.sort(key=lambda output: _rank(output[1], orders))
    if hit_policy not in _LISTS:
        return _output(policy, outputs[0][1]), [outputs[0][0]]
    order = [i for i, _ in outputs]
    if policy.aggregation is None:
        return [_output(policy, cells) for _, cells in outputs], order
    columns = [
        _aggregate(policy.aggregation, list(column), runtime, place)
        for column in zip(*(cells for _, cells in outputs), strict=True)
    ]
    return _output(policy, tuple(columns)), order


def _listed(matched: list[int]) -> str:
    return "、".join(str(i + 1) for i in matched)


def _rank(cells: tuple[Any, ...], orders: Sequence[Any]) -> tuple[int, ...]:
    """Rank outputs by their places in the lists of output values, column by column."""
    ranks: list[int] = []
    for cell, order in zip(cells, orders, strict=True):
        if order is not None:
            places = (i for i, value in enumerate(order) if equal_values(cell, value) is True)
            ranks.append(next(places, len(order)))
    return tuple(ranks)


def _aggregate(aggregation: Aggregation, column: list[Any], runtime: Runtime, place: Place) -> Any:
    if aggregation is Aggregation.COUNT:
        return Decimal(len(column))
    if aggregation is Aggregation.SUM and any(kind_of(one) not in _SUMMABLE for one in column):
        return runtime.remark(RemarkKind.WRONG_TYPE, "只能对数字或时长求和", place)
    best = column[0]
    for value in column[1:]:
        if aggregation is Aggregation.SUM:
            best = add(best, value, runtime, place)
            continue
        order = compare(value, best)
        if order is None:
            return runtime.remark(RemarkKind.WRONG_TYPE, "输出不能比较大小", place)
        if (order < 0) == (aggregation is Aggregation.MIN) and order:
            best = value
    return best
