"""The `Decide` of a proof: every answer that data might give, one after the other.

A condition is free unless it is a FEEL constant or the conditions of one split contradict each
other by themselves: comparisons of one name with constants are tried on every value that could
make a difference.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from engine.decision import feel
from engine.kernel.decide import Lookup
from engine.kernel.program import (
    ACTIVITIES,
    EventType,
    Expression,
    Flow,
    Kind,
    Loop,
    Node,
    Program,
    TimerKind,
)

MANY_ROUNDS = Decimal(1_000_000)
_LEAVES_BY_CONDITIONS = ACTIVITIES | {Kind.EXCLUSIVE, Kind.INCLUSIVE, Kind.COMPLEX}
_MAXIMUM_TABLE = 8
"""Splits with more conditional flows than this are answered flow by flow."""

_NUMBER = re.compile(r"(?<![\w.\"])-?\d+(?:\.\d+)?")
_TEXT = re.compile(r'"([^"\\]*)"')
_SIMPLE = re.compile(
    r'(?:"[^"\\]*"|-?\d+(?:\.\d+)?|[<>]=?|!?=|\(|\)|\[|\]|,|\.\.|\s+|[^\W\d][\w]*)+'
)
_OUTCOME = re.compile(r'([^\W\d][\w]*)\.outcome\s*=\s*"([^"\\]*)"')
_WORDS = frozenset({"and", "or", "not", "in", "true", "false"})
Vector = tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The conditional flows of one node, and which truths they can have together."""

    node: Node
    conditions: tuple[Expression, ...]
    #: None: anything goes
    vectors: tuple[Vector, ...] | None
    #: whether no condition may hold although there is no default for it
    misses_default: bool


class FreeDecide:
    """Answers from a script, and where the script ends, with the first possible answer.

    `asked` tells afterwards how many answers each question had; the caller then tries the others.
    """

    def __init__(self, program: Program) -> None:
        self.splits = splits(program)
        self._place = {
            condition: (split, index)
            for split in self.splits
            for index, condition in enumerate(split.conditions)
        }
        self._values = _values(program)
        self._script: Sequence[int] = ()
        self.asked: list[int] = []
        self._truths: list[bool] = []

    def begin(self, script: Sequence[int]) -> None:
        """Answer the next questions like this."""
        self._script = script
        self.asked = []
        self._truths = []

    def holds(self, node: Node, expression: Expression, lookup: Lookup, /) -> bool:
        """Either truth, unless the conditions asked before leave only one."""
        known = self._place.get(expression)
        if known is not None:
            return self._flow(*known)
        if node.events and node.loop is None:
            return False  # a data condition occurs when the explorer says so
        constant = _constant(expression)
        if constant is not None:
            return constant
        if node.kind is Kind.COMPLEX:
            return self._activation(node, expression, lookup)
        return bool(self._answer(2))

    def value(self, _node: Node, expression: Expression, _lookup: Lookup, /) -> object:
        """A value that is good enough for what the expression is there for."""
        options = self._values.get(expression)
        if options is None:
            return None
        return options[self._answer(len(options))]

    def decision(self, _node: Node, _ref: str, _inputs: Mapping[str, object], /) -> object:
        """Nothing: what a decision gives is data."""
        return None

    def _flow(self, split: Split, index: int) -> bool:
        if index == 0:
            self._truths = []
        if split.vectors is None:
            last = index == len(split.conditions) - 1
            none_so_far = not any(self._truths) and split.node.default is None
            options = [True] if last and none_so_far else [False, True]
        else:
            so_far = tuple(self._truths)
            options = sorted(
                {vector[index] for vector in split.vectors if vector[:index] == so_far}
            )
        found = options[self._answer(len(options))]
        self._truths.append(found)
        return found

    def _activation(self, node: Node, expression: Expression, lookup: Lookup) -> bool:
        _, count = lookup("activationCount")
        arrived = int(cast("int", count))
        if set(expression.names) <= {"activationCount"}:
            try:
                return expression.evaluate({"activationCount": arrived}) is True
            except feel.FeelError:
                return False
        return arrived >= len(node.incoming) or bool(self._answer(2))

    def _answer(self, options: int) -> int:
        if options == 1:
            return 0
        place = len(self.asked)
        self.asked.append(options)
        return self._script[place] if place < len(self._script) else 0


def with_free_flows(program: Program) -> Program:
    """The program whose splits ask about every flow that has no condition yet.

    Only a drawing that may not be published has such flows; its shape can be judged all the same.
    """
    flows: dict[int, Flow] = {}
    nodes: dict[int, Node] = {}
    for node in program.nodes:
        if node.kind not in (Kind.EXCLUSIVE, Kind.INCLUSIVE) or len(node.outgoing) < 2:
            continue
        bare = [
            index
            for index in node.outgoing
            if program.flows[index].condition is None and index != node.default
        ]
        if node.kind is Kind.EXCLUSIVE and bare == [node.outgoing[-1]] and node.default is None:
            nodes[node.index] = dataclasses.replace(node, default=bare[0])
            continue
        if len(bare) == 1 and len(node.outgoing) > 1 and node.kind is Kind.INCLUSIVE:
            continue
        for index in bare:
            free = Expression(text="", evaluate=None, names=("",))
            flows[index] = dataclasses.replace(program.flows[index], condition=free)
    return replaced(program, nodes, flows)


def replaced(program: Program, nodes: Mapping[int, Node], flows: Mapping[int, Flow]) -> Program:
    """The program with some nodes and flows exchanged for others of the same index."""
    if not nodes and not flows:
        return program
    all_nodes = tuple(nodes.get(node.index, node) for node in program.nodes)
    all_flows = tuple(flows.get(flow.index, flow) for flow in program.flows)
    return dataclasses.replace(
        program,
        nodes=all_nodes,
        flows=all_flows,
        by_id={"": program.by_id[""], **{node.id: node for node in all_nodes}},
        flow_by_id={flow.id: flow for flow in all_flows},
    )


def splits(program: Program) -> tuple[Split, ...]:
    """Every node that leaves by conditions."""
    found = []
    for node in program.nodes:
        if node.kind not in _LEAVES_BY_CONDITIONS:
            continue
        flows = [program.flows[index] for index in node.outgoing if index != node.default]
        conditions = tuple(flow.condition for flow in flows if flow.condition is not None)
        if conditions:
            unconditional = len(conditions) < len(flows)
            split = _split(node, conditions, unconditional=unconditional)
            if split.misses_default and _names_every_outcome(program, node, conditions):
                split = dataclasses.replace(split, misses_default=False)
            found.append(split)
    return tuple(found)


def _split(node: Node, conditions: tuple[Expression, ...], *, unconditional: bool) -> Split:
    vectors = _feasible(conditions)
    drawn_free = any(condition.evaluate is None for condition in conditions)
    may_miss = node.default is None and not unconditional and not drawn_free
    if vectors is None:
        if node.kind is Kind.EXCLUSIVE:
            vectors = _one_of(len(conditions), none=node.default is not None)
        elif len(conditions) <= _MAXIMUM_TABLE:
            every = itertools.product((False, True), repeat=len(conditions))
            vectors = tuple(each for each in every if any(each) or not _needs_one(node))
        misses = may_miss and not _negated(conditions)
    else:
        misses = may_miss and any(not any(vector) for vector in vectors)
        if node.default is None and not unconditional:
            vectors = tuple(vector for vector in vectors if any(vector)) or _one_of(
                len(conditions), none=False
            )
    if unconditional and vectors is not None and node.kind in ACTIVITIES:
        vectors = tuple(dict.fromkeys([*vectors, (False,) * len(conditions)]))
    return Split(node=node, conditions=conditions, vectors=vectors, misses_default=misses)


def _names_every_outcome(program: Program, node: Node, conditions: tuple[Expression, ...]) -> bool:
    """Whether the split follows a task and has a way for each outcome the task may have."""
    before = [program.nodes[program.flows[index].source] for index in node.incoming]
    named = {
        (match.group(1), match.group(2))
        for condition in conditions
        if (match := _OUTCOME.fullmatch(condition.text.lstrip("= ").strip()))
    }
    return bool(before) and all(
        task.loop is None
        and task.task is not None
        and bool(task.task.outcomes)
        and {(task.id, option.id) for option in task.task.outcomes} <= named
        for task in before
    )


def _needs_one(node: Node) -> bool:
    return node.default is None


def _one_of(count: int, *, none: bool) -> tuple[Vector, ...]:
    found = [tuple(index == chosen for index in range(count)) for chosen in range(count)]
    return (*found, (False,) * count) if none else tuple(found)


def _feasible(conditions: tuple[Expression, ...]) -> tuple[Vector, ...] | None:
    """Truths the conditions can have together, where that can be found by trying; else None."""
    names = {name for condition in conditions for name in condition.names}
    if len(names) > 1 or any(not _is_simple(condition, names) for condition in conditions):
        return _with_constants(conditions)
    name = next(iter(names), None)
    found: dict[Vector, None] = {}
    for value in _samples(conditions) if name is not None else (None,):
        truths = _truths(conditions, {name: value} if name is not None else {})
        if truths is not None:
            found[truths] = None
    return tuple(found) or None


def _with_constants(conditions: tuple[Expression, ...]) -> tuple[Vector, ...] | None:
    """Only the constant ones are decided; None when there is none."""
    known = [_constant(condition) for condition in conditions]
    if all(truth is None for truth in known) or len(conditions) > _MAXIMUM_TABLE:
        return None
    options = [(False, True) if truth is None else (truth,) for truth in known]
    return tuple(itertools.product(*options))


def _is_simple(condition: Expression, names: set[str]) -> bool:
    """Only comparisons of the one name with constants, joined by and, or, not."""
    text = condition.text.lstrip("= ")
    if condition.evaluate is None or not _SIMPLE.fullmatch(text):
        return False
    words = set(re.findall(r"[^\W\d]\w*", _TEXT.sub("", text)))
    return words <= names | _WORDS


def _samples(conditions: tuple[Expression, ...]) -> tuple[object, ...]:
    """Values of one name, at least one of each kind that the conditions can tell apart."""
    texts = [condition.text.lstrip("= ") for condition in conditions]
    strings = {found for text in texts for found in _TEXT.findall(text)}
    if strings:
        fresh = "".join(sorted(strings)) + "*"
        return (*sorted(strings), fresh)
    numbers = sorted({Decimal(found) for text in texts for found in _NUMBER.findall(text)})
    if not numbers:
        return (True, False)
    between = [(low + high) / 2 for low, high in itertools.pairwise(numbers)]
    return (*numbers, *between, numbers[0] - 1, numbers[-1] + 1)


def _truths(conditions: tuple[Expression, ...], context: Mapping[str, object]) -> Vector | None:
    found = []
    for condition in conditions:
        try:
            truth = condition.evaluate(context)
        except feel.FeelError:
            return None
        if truth is not True and truth is not False:
            return None
        found.append(truth)
    return tuple(found)


def _constant(expression: Expression) -> bool | None:
    if expression.names or expression.evaluate is None:
        return None
    truths = _truths((expression,), {})
    return truths[0] if truths is not None else None


def _negated(conditions: tuple[Expression, ...]) -> bool:
    """Whether one condition is word for word the negation of another."""
    texts = {"".join(condition.text.split()).lstrip("=") for condition in conditions}
    return any(f"not({text})" in texts for text in texts)


def _values(program: Program) -> dict[Expression, tuple[object, ...]]:
    """What to answer for expressions whose value has to be of a certain type."""
    found: dict[Expression, tuple[object, ...]] = {}
    for node in program.nodes:
        for event in (*node.events, *((node.message,) if node.message else ())):
            if event.key is not None:
                found[event.key] = ("key",)
            if event.timer is not None and isinstance(event.timer.value, Expression):
                is_cycle = event.timer.kind is TimerKind.CYCLE
                found[event.timer.value] = ("R/P1D" if is_cycle else "P1D",)
        if node.script is not None:
            found[node.script] = ({},)
        if node.loop is not None:
            found.update(_loop_values(node.loop))
    return found


def _loop_values(loop: Loop) -> dict[Expression, tuple[object, ...]]:
    """None, one or two rounds stand for any number of them."""
    found: dict[Expression, tuple[object, ...]] = {}
    if loop.collection is not None:
        found[loop.collection] = ([None], [None, None], [])
    if loop.cardinality is not None:
        fixed = None if loop.cardinality.names else _number_of(loop.cardinality)
        found[loop.cardinality] = (
            (Decimal(1), Decimal(2), Decimal(0)) if fixed is None else (min(fixed, Decimal(2)),)
        )
    if loop.maximum is not None:
        found[loop.maximum] = (MANY_ROUNDS, Decimal(0))
    return found


def _number_of(expression: Expression) -> Decimal | None:
    try:
        found = expression.evaluate({})
    except feel.FeelError:
        return None
    is_number = isinstance(found, int | Decimal) and not isinstance(found, bool)
    return Decimal(found) if is_number else None


NEVER_THROWN_OUTSIDE = frozenset({EventType.ERROR, EventType.ESCALATION})
"""Events that only something inside their host can cause."""
