"""Soundness before publishing: what the explorer found, in words (design: semantics to agree on).

1. Option to complete: from every reachable state the end can be reached.
2. Proper completion: no end is reached by a second token, nothing piles up.
3. No dead activity.
4. An exclusive gateway without default has conditions that leave nothing open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from engine.execution.proof_words import MOST_SHOWN, Findings, never_reached
from engine.kernel import abstraction, shortcut
from engine.kernel.explorer import explore
from engine.kernel.free_choice import with_free_flows
from engine.kernel.program import Node, Program
from engine.kernel.replay import replay
from engine.kernel.shortcut import Look
from engine.kernel.state_graph import Exploration, Vertex
from engine.kernel.token_game import FaultKind
from engine.model.package import Finding

MAXIMUM_STATES = 20_000
MAXIMUM_SECONDS = 10.0
_TO_CONFIRM = 1_000


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

    findings = Findings(program)
    seen: Look | None = None
    if reduce:
        free = with_free_flows(program)
        seen = shortcut.look(free, maximum_states=maximum_states, is_late=is_late)
        seen = _confirmed(program, seen, is_late)
    if seen is not None:
        complete, states = True, seen.markings
        _judge_look(program, seen, findings)
    else:
        complete, states = _explored(program, maximum_states, is_late, findings, reduce=reduce)
    return Proof(
        sound=False if findings.has_error() else (True if complete else None),
        states=states,
        ms=(perf_counter() - started) * 1000,
        findings=tuple(findings.items),
    )


def _confirmed(program: Program, seen: Look | None, is_late: Callable[[], bool]) -> Look | None:
    """What was seen, its first doubtful fault as the kernel runs into it; None: not so."""
    if seen is None or not seen.is_doubtful or not seen.faults:
        return seen
    for fault in seen.faults[:MOST_SHOWN]:
        if fault.kind is FaultKind.CIRCLES:
            continue
        found = replay(program, fault.path, maximum_states=_TO_CONFIRM, is_late=is_late)
        if found is not None and not found.circles:
            return replace(seen, faults=(replace(fault, path=found.path),))
    return None


def _judge_look(program: Program, seen: Look, findings: Findings) -> None:
    """The words for what the token games found."""
    for fault in seen.faults[:MOST_SHOWN]:
        if fault.kind is FaultKind.DOUBLED:
            findings.doubled(fault.node_id, fault.path)
        elif fault.kind is FaultKind.STUCK:
            why = findings.waits_for_ever(fault.node_id)
            findings.deadlock(fault.node_id, why, fault.path)
        else:
            findings.deadlock(fault.node_id, findings.circles(fault.node_id), fault.path)
    for split, path in seen.missing:
        findings.missing_default(split, path)
    if not seen.faults:
        findings.dead(never_reached(program, seen.visited))


def _explored(
    program: Program,
    maximum_states: int,
    is_late: Callable[[], bool],
    findings: Findings,
    *,
    reduce: bool,
) -> tuple[bool, int]:
    """Let the explorer look. Whether it saw everything, and how many states."""
    found = explore(program, maximum_states=maximum_states, is_late=is_late, reduce=reduce)
    states = len(found.vertices)
    judge = _Judge(program, found, findings)
    if reduce and found.complete and judge.is_doubtful():
        found = explore(program, maximum_states=maximum_states, is_late=is_late, reduce=False)
        states += len(found.vertices)
        judge = _Judge(program, found, findings)
    judge.tell()
    return found.complete, states


class _Judge:
    """The words for what the explorer found."""

    def __init__(self, program: Program, found: Exploration, findings: Findings) -> None:
        self._program = program
        self._found = found
        self._stuck = found.stuck()
        self._findings = findings

    def is_doubtful(self) -> bool:
        """Whether what was found could come from a branch that was always put off."""
        if self._found.doubled or self._found.growing:
            return False
        loops = self._stuck and all(vertex.next for vertex in self._stuck)
        return bool(loops or (not self._stuck and self._dead()))

    def tell(self) -> None:
        """Errors first come from tokens, then from what nobody reaches."""
        for node_id, vertex in self._found.doubled[:MOST_SHOWN]:
            self._findings.doubled(node_id, vertex.path())
        for node_id, vertex in self._found.growing[:MOST_SHOWN]:
            self._findings.growing(node_id, vertex.path())
        self._deadlocks()
        self._defaults()
        if not self._found.complete:
            if not self._findings.has_error():
                self._findings.bound(len(self._found.vertices))
        elif self._findings.says_only_defaults():
            self._findings.dead(self._dead())

    def _deadlocks(self) -> None:
        told: set[str] = set()
        for vertex in sorted(self._stuck, key=lambda each: bool(each.next)):
            places = abstraction.stuck_at(self._program, vertex.work)
            place = places[0] if places else ""
            if place in told or (told and vertex.next) or len(told) >= MOST_SHOWN:
                continue
            told.add(place)
            self._findings.deadlock(place, self._reason(vertex, place), vertex.path())

    def _reason(self, vertex: Vertex, place: str) -> str:
        name = self._findings.name(place)
        if vertex.incidents:
            return f"在“{name}”出错而停住：{vertex.incidents[0].message}"
        if vertex.next:
            return self._findings.circles(place)
        if vertex.work.arrived:
            return self._findings.waits_for_ever(place)
        return f"流程停在“{name}”，再也走不到结束"

    def _defaults(self) -> None:
        for split in self._found.decide.splits:
            if split.misses_default and split.node.id in self._found.visited:
                vertices = (v for v in self._found.vertices if split.node.id in v.trail)
                first = next(vertices, None)
                self._findings.missing_default(split, first.path() if first is not None else ())

    def _dead(self) -> list[Node]:
        return never_reached(self._program, self._found.visited)
