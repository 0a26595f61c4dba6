"""Branches side by side must not write the same variable: the later would win by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import combinations

from engine.bpmn.parse import Document, Findings
from engine.kernel.jump import reached_again
from engine.kernel.program import ACTIVITIES, Expression, Kind, Node, Program

_NOTHING: Mapping[str, frozenset[str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two nodes that may be live together and write one variable of the same scope."""

    fork: Node
    first: str
    second: str
    name: str
    #: the rounds of one parallel multi-instance write it, not two branches
    by_rounds: bool = False

    @property
    def message(self) -> str:
        """What is wrong, and what to write instead."""
        if self.by_rounds:
            return (
                f"“{self.first}”的各个实例都会写变量“{self.name}”，后写的会盖掉先写的；"
                "用 nl:loop 的 output 和 outputs 收集各实例的结果"
            )
        return (
            f"“{self.first}”和“{self.second}”可能同时办理，都会写变量“{self.name}”，"
            "后写的会盖掉先写的；用 nl:output 写到不同的名称"
        )


def check(program: Program, document: Document, findings: Findings) -> None:
    """An error for every name that two branches of one fork write, or all rounds of a loop.

    What rounds write and nothing in the model reads is thrown away, and nothing is lost by it.
    """
    read = _read_anywhere(program)
    for clash in clashes(program):
        if not clash.by_rounds or clash.name in read:
            findings.error("parallel-write", clash.message, document.by_id.get(clash.fork.id))


def clashes(program: Program, also: Mapping[str, frozenset[str]] = _NOTHING) -> Iterator[Clash]:
    """Every name that two branches of one fork write, once for each fork.

    `also` are names that nodes write besides what the model says, such as the fields of forms.
    """
    writers = _writers(program, also)
    for fork in program.nodes:
        if len(fork.outgoing) < 2 or not _forks(fork):
            continue
        branches = [reached_again(program, target) for target in program.targets(fork)]
        shared = frozenset.intersection(*branches)
        told: set[str] = set()
        for one, other in combinations(branches, 2):
            for name, first, second in _clashes(one - shared, other - shared, writers):
                if first != second and name not in told:
                    told.add(name)
                    yield Clash(fork=fork, first=first, second=second, name=name)
    yield from _of_rounds(program, also)


def _of_rounds(program: Program, also: Mapping[str, frozenset[str]]) -> Iterator[Clash]:
    """Names that every round of a parallel multi-instance gives a value of its own.

    A round that builds on the value it finds (`append(list, item)`) loses nothing: reading and
    writing are one step.
    """
    writers = _writers(program, also, overwriting=True)
    for node in program.nodes:
        loop = node.loop
        if loop is None or loop.sequential or loop.standard:
            continue
        own = {loop.outputs, *(each.name for each in node.inputs)}
        if loop.output is not None and node.body is None:
            own |= also.get(node.id, frozenset())  # collected, field by field
        for name in sorted(writers[node.id] - own):
            yield Clash(fork=node, first=node.id, second=node.id, name=name, by_rounds=True)


def _read_anywhere(program: Program) -> frozenset[str]:
    """Every name that an expression of the process reads."""
    found: set[str] = set()
    todo: list[object] = [*program.nodes, *program.flows]
    while todo:
        value = todo.pop()
        if isinstance(value, Expression):
            found.update(value.names)
        elif isinstance(value, tuple | list):
            todo.extend(value)
        elif is_dataclass(value):
            todo.extend(getattr(value, each.name) for each in fields(value))
    return frozenset(found)


def _writers(
    program: Program, also: Mapping[str, frozenset[str]], *, overwriting: bool = False
) -> dict[str, frozenset[str]]:
    """By node: the names it writes outside itself, what happens within it included."""
    found: dict[str, set[str]] = {
        node.id: {*_written(node, overwriting=overwriting), *also.get(node.id, ())}
        for node in program.nodes
    }
    # Inner scopes stand behind the ones around them.
    for scope in reversed(program.scopes):
        if scope.node is None:
            continue
        owner = program.nodes[scope.node]
        own = {*scope.declares, *(each.name for each in owner.inputs)}
        if owner.loop is not None and owner.loop.item is not None:
            own.add(owner.loop.item)
        for node in program.nodes:
            if node.scope == scope.index:
                found[owner.id] |= found[node.id] - own
    return {node_id: frozenset(names) for node_id, names in found.items()}


def _forks(node: Node) -> bool:
    """Whether more than one of its flows can be taken at once."""
    if node.kind in (Kind.PARALLEL, Kind.INCLUSIVE, Kind.COMPLEX):
        return True
    free = [index for index in node.outgoing if index != node.default]
    return node.kind in ACTIVITIES and len(free) > 1


def _clashes(
    one: frozenset[str], other: frozenset[str], writers: dict[str, frozenset[str]]
) -> Iterator[tuple[str, str, str]]:
    for first in sorted(one):
        for second in sorted(other):
            for name in sorted(writers[first] & writers[second]):
                yield name, first, second


def _written(node: Node, *, overwriting: bool) -> Iterator[str]:
    for assignment in (*node.outputs, *node.assignments):
        if not (overwriting and assignment.name in assignment.value.names):
            yield assignment.name
    if node.decision is not None and node.decision.result is not None and not node.outputs:
        yield node.decision.result
    if node.loop is not None and node.loop.outputs is not None:
        yield node.loop.outputs
