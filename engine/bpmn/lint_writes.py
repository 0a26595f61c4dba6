"""Branches side by side must not write the same variable: the later would win by chance."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.parse import Document, Findings
from engine.kernel.jump import reached_again
from engine.kernel.program import ACTIVITIES, Kind, Node, Program


def check(program: Program, document: Document, findings: Findings) -> None:
    """A warning for every name that two branches of one fork write."""
    writers = {node.id: frozenset(_written(node)) for node in program.nodes}
    for fork in program.nodes:
        if len(fork.outgoing) < 2 or not _forks(fork):
            continue
        branches = [reached_again(program, target) for target in program.targets(fork)]
        shared = frozenset.intersection(*branches)
        told: set[str] = set()
        for index, branch in enumerate(branches):
            for other in branches[index + 1 :]:
                for name, first, second in _clashes(branch - shared, other - shared, writers):
                    if first != second and name not in told:
                        told.add(name)
                        findings.warning(
                            "parallel-write",
                            f"“{first}”和“{second}”可能同时办理，都会写变量“{name}”",
                            document.by_id.get(fork.id),
                        )


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


def _written(node: Node) -> Iterator[str]:
    for assignment in (*node.outputs, *node.assignments):
        yield assignment.name
    if node.decision is not None and node.decision.result is not None and not node.outputs:
        yield node.decision.result
    if node.loop is not None and node.loop.outputs is not None:
        yield node.loop.outputs
