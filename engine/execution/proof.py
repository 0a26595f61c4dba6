"""Soundness before publishing: what the explorer found, in words (design: semantics to agree on).

1. Option to complete: from every reachable state the end can be reached.
2. Proper completion: no end is reached by a second token, nothing piles up.
3. No dead activity.
4. An exclusive gateway without default has conditions that leave nothing open.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from engine.kernel import abstraction
from engine.kernel.explorer import explore
from engine.kernel.program import EventType, Kind, Node, Program
from engine.kernel.state_graph import Exploration, Vertex
from engine.model.package import Finding

MAXIMUM_STATES = 20_000
MAXIMUM_SECONDS = 10.0
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The verdict on one process."""

    #: None: a bound was hit, nothing is known
    sound: bool | None
    states: int
    ms: float
    findings: tuple[Finding, ...] = ()


def prove(
    program: Program,
    *,
    maximum_states: int = MAXIMUM_STATES,
    maximum_seconds: float = MAXIMUM_SECONDS,
    reduce: bool = True,
) -> Proof:
    """Explore the program and judge it. Reductions never turn a verdict: doubt is looked into."""
    started = perf_counter()

    def is_late() -> bool:
        return perf_counter() - started > maximum_seconds

    found = explore(program, maximum_states=maximum_states, is_late=is_late, reduce=reduce)
    states = len(found.vertices)
    judge = _Judge(program, found)
    if reduce and found.complete and judge.is_doubtful():
        found = explore(program, maximum_states=maximum_states, is_late=is_late, reduce=False)
        states += len(found.vertices)
        judge = _Judge(program, found)
    findings = judge.findings()
    wrong = any(finding.is_error for finding in findings)
    return Proof(
        sound=False if wrong else (True if found.complete else None),
        states=states,
        ms=(perf_counter() - started) * 1000,
        findings=findings,
    )


class _Judge:
    def __init__(self, program: Program, found: Exploration) -> None:
        self._program = program
        self._found = found
        self._stuck = found.stuck()
        self._items: list[Finding] = []

    def is_doubtful(self) -> bool:
        """Whether what was found could come from a branch that was always put off."""
        if self._found.doubled or self._found.growing:
            return False
        loops = self._stuck and all(vertex.next for vertex in self._stuck)
        return bool(loops or (not self._stuck and self._dead()))

    def findings(self) -> tuple[Finding, ...]:
        """Errors first come from tokens, then from what nobody reaches."""
        for node_id, vertex in self._found.doubled[:_MOST_SHOWN]:
            self._add(
                "improper_completion",
                f"“{self._name(node_id)}”被不止一个令牌到达：分开的分支没有先汇合，结束时还有剩余",
                node_id,
                vertex,
            )
        for node_id, vertex in self._found.growing[:_MOST_SHOWN]:
            self._add(
                "unbounded", f"“{self._name(node_id)}”处的令牌会越积越多，没有上限", node_id, vertex
            )
        self._deadlocks()
        self._defaults()
        if not self._found.complete:
            if not any(item.is_error for item in self._items):
                self._bound()
        elif not self._items or all(item.rule.endswith("missing_default") for item in self._items):
            for node in self._dead()[:_MOST_SHOWN]:
                self._add("dead_activity", f"“{_name(node)}”永远不会执行", node.id, None)
        return tuple(self._items)

    def _deadlocks(self) -> None:
        told: set[str] = set()
        for vertex in sorted(self._stuck, key=lambda each: bool(each.next)):
            places = abstraction.stuck_at(self._program, vertex.work)
            place = places[0] if places else ""
            if place in told or (told and vertex.next) or len(told) >= _MOST_SHOWN:
                continue
            told.add(place)
            self._add("deadlock", self._reason(vertex, place), place or None, vertex)

    def _reason(self, vertex: Vertex, place: str) -> str:
        if vertex.incidents:
            return f"在“{self._name(place)}”出错而停住：{vertex.incidents[0].message}"
        if vertex.next:
            return f"到了“{self._name(place)}”就再也走不到结束，只会在循环里打转"
        if vertex.work.arrived:
            return f"“{self._name(place)}”会一直等一个不会来的令牌，流程卡住"
        return f"流程停在“{self._name(place)}”，再也走不到结束"

    def _defaults(self) -> None:
        for split in self._found.decide.splits:
            if not split.misses_default or split.node.id not in self._found.visited:
                continue
            is_error = split.node.kind is Kind.EXCLUSIVE
            self._add(
                "missing_default",
                f"“{_name(split.node)}”没有默认分支，各分支条件又不能保证总有一个成立",
                split.node.id,
                next(
                    (v for v in self._found.vertices if split.node.id in v.trail),
                    None,
                ),
                severity="error" if is_error else "warning",
            )

    def _bound(self) -> None:
        self._add(
            "bound_hit",
            f"状态太多，看了 {len(self._found.vertices)} 个还没有看完，是否可靠没有结论",
            None,
            None,
            severity="warning",
        )

    def _dead(self) -> list[Node]:
        return [
            node
            for node in self._program.nodes
            if node.id not in self._found.visited and not _is_no_place(self._program, node)
        ]

    def _add(
        self,
        rule: str,
        message: str,
        node_id: str | None,
        vertex: Vertex | None,
        *,
        severity: str = "error",
    ) -> None:
        node = self._program.by_id.get(node_id or "")
        self._items.append(
            Finding(
                rule=f"soundness.{rule}",
                severity=severity,
                message=message,
                element=node_id or None,
                line=node.line if node is not None else None,
                file=self._program.file or None,
                path=vertex.path() if vertex is not None else (),
            )
        )

    def _name(self, node_id: str) -> str:
        node = self._program.by_id.get(node_id)
        return _name(node) if node is not None else node_id


def _name(node: Node) -> str:
    return node.name or node.id


def _is_no_place(program: Program, node: Node) -> bool:
    """No token comes here by itself: handlers of compensation and what is inside them."""
    while True:
        if node.for_compensation:
            return True
        catches = node.kind in (Kind.BOUNDARY, Kind.START)
        if catches and any(event.type is EventType.COMPENSATION for event in node.events):
            return True
        owner = program.scopes[node.scope].node
        if node.kind is Kind.EVENT_SUB_PROCESS and node.body is not None:
            start = program.start_of(node)
            if any(event.type is EventType.COMPENSATION for event in start.events):
                return True
        if owner is None:
            return False
        node = program.nodes[owner]
