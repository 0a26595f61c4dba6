"""Soundness of pools that talk, in words: they are proven together, because they run together.

As in one process, and besides: pools that wait for each other are a deadlock of both; a message
that may stay unread when all have ended is told, but not held against the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from engine.execution.proof import MAXIMUM_SECONDS, MAXIMUM_STATES, Proof
from engine.execution.proof_words import MOST_SHOWN, Findings, never_reached
from engine.kernel import abstraction
from engine.kernel.collaboration import Collaboration, MessageFlow
from engine.kernel.joint_explorer import JointExploration, JointVertex, explore_together
from engine.kernel.pool_moves import PoolExplorer
from engine.kernel.program import Kind, Program
from engine.model.package import Finding


def groups(programs: Sequence[Program], collaboration: Collaboration) -> list[tuple[Program, ...]]:
    """Processes that talk with each other, directly or by others, each group in file order."""
    owner = {node.id: program.key for program in programs for node in program.nodes}
    group = {program.key: {program.key} for program in programs}
    for flow in collaboration.flows:
        joined = group[owner[flow.source]] | group[owner[flow.target]]
        for key in joined:
            group[key] = joined
    found: dict[int, tuple[Program, ...]] = {}
    for program in programs:
        keys = group[program.key]
        found.setdefault(id(keys), tuple(each for each in programs if each.key in keys))
    return list(found.values())


def prove_together(
    programs: tuple[Program, ...],
    collaboration: Collaboration,
    *,
    maximum_states: int = MAXIMUM_STATES,
    maximum_seconds: float = MAXIMUM_SECONDS,
    reduce: bool = True,
) -> dict[str, Proof]:
    """The verdict on each of these processes when they run together, by key.

    A fault is held against the process of its element; a deadlock against every process that
    waits in it.  `ms` is that of the whole proof, `states` of the joint ones counts once, at the
    first process.
    """
    started = perf_counter()

    def is_late() -> bool:
        return perf_counter() - started > maximum_seconds

    found = explore_together(
        programs, collaboration, maximum_states=maximum_states, is_late=is_late, reduce=reduce
    )
    states = len(found.vertices)
    judge = _JointJudge(programs, collaboration, found)
    if reduce and found.complete and judge.is_doubtful():
        found = explore_together(
            programs, collaboration, maximum_states=maximum_states, is_late=is_late, reduce=False
        )
        states += len(found.vertices)
        judge = _JointJudge(programs, collaboration, found)
    judge.judge()
    spent = (perf_counter() - started) * 1000
    proofs: dict[str, Proof] = {}
    for place, program in enumerate(programs):
        wrong = program.key in judge.guilty
        proofs[program.key] = Proof(
            sound=False if wrong else (True if found.complete else None),
            states=found.pools[place].states + (states if place == 0 else 0),
            ms=spent,
            findings=tuple(judge.findings[program.key].items),
        )
    return proofs


@dataclass(frozen=True, slots=True)
class _Wait:
    """One instance that goes on no more."""

    program: Program
    place: str
    #: flows it could take a letter from
    flows: tuple[str, ...]


class _JointJudge:
    """The words for what was found."""

    def __init__(
        self,
        programs: tuple[Program, ...],
        collaboration: Collaboration,
        found: JointExploration,
    ) -> None:
        self._programs = programs
        self._collaboration = collaboration
        self._found = found
        self._stuck = found.stuck()
        self._owner = {node.id: program for program in programs for node in program.nodes}
        self._visited = frozenset(node for pool in found.pools for node in pool.visited)
        self._waited: set[str] = set()
        self.findings = {program.key: Findings(program) for program in programs}

    @property
    def guilty(self) -> set[str]:
        """Keys of processes that are not sound."""
        wrong = {key for key, findings in self.findings.items() if findings.has_error()}
        return wrong | self._waited

    def is_doubtful(self) -> bool:
        """Whether what was found could come from a branch that was always put off."""
        if self._found.faults:
            return False
        loops = self._stuck and all(vertex.next for vertex in self._stuck)
        dead = any(never_reached(program, self._visited) for program in self._programs)
        return bool(loops or (not self._stuck and dead))

    def judge(self) -> None:
        """Errors of tokens first, then what nobody reaches, then what is only told."""
        for kind, node_id, vertex in self._found.faults[:MOST_SHOWN]:
            of = self.findings[self._owner[node_id].key]
            tell = of.doubled if kind == "doubled" else of.growing
            tell(node_id, vertex.path())
        self._deadlocks()
        for pool in self._found.pools:
            self._defaults(pool)
        if not self._found.complete:
            self._bounds()
        elif all(each.says_only_defaults() for each in self.findings.values()):
            for program in self._programs:
                self.findings[program.key].dead(never_reached(program, self._visited))
        if not self.guilty:
            for flow_id, vertex in self._found.unread:
                self._tell_of_flow(
                    "unread_message",
                    flow_id,
                    "的消息可能没有人读：它到达时，“{target}”已不再等待",
                    vertex,
                )

    def _deadlocks(self) -> None:
        told: set[tuple[str, ...]] = set()
        for vertex in sorted(self._stuck, key=lambda each: bool(each.next)):
            waits = self._waiting(vertex)
            places = tuple(wait.place for wait in waits)
            if places in told or (told and vertex.next) or len(told) >= MOST_SHOWN:
                continue
            told.add(places)
            self._waited.update(wait.program.key for wait in waits)
            first = waits[0].program if waits else self._programs[0]
            place = places[0] if places else ""
            self.findings[first.key].deadlock(place, self._reason(vertex, waits), vertex.path())

    def _waiting(self, vertex: JointVertex) -> list[_Wait]:
        """What every instance that still lives waits for."""
        waits: dict[tuple[str, str], _Wait] = {}
        for pool, state in vertex.key[1]:
            program = self._programs[pool]
            places = abstraction.stuck_at(program, self._found.pools[pool].vertex(state).work)
            place = places[0] if places else ""
            catches = {*places, *_alternatives(program, places)}
            flows = [each.id for each in self._collaboration.flows if each.target in catches]
            waits.setdefault((program.key, place), _Wait(program, place, tuple(flows)))
        return list(waits.values())

    def _reason(self, vertex: JointVertex, waits: list[_Wait]) -> str:
        for pool, state in vertex.key[1]:
            incidents = self._found.pools[pool].vertex(state).incidents
            if incidents:
                where = self._name(incidents[0].node_id)
                return f"在“{where}”出错而停住：{incidents[0].message}"
        names = [f"{self._pool(wait.program)}的“{self._name(wait.place)}”" for wait in waits]
        if vertex.next or not waits:
            return f"到了{'、'.join(names) or '这里'}就再也走不到结束，只会在循环里打转"
        if len({wait.program.key for wait in waits if wait.flows}) > 1:
            return f"{'和'.join(names)}互相等待对方的消息，谁也等不到，流程卡住"
        for wait, name in zip(waits, names, strict=True):
            if wait.flows:
                senders = dict.fromkeys(self._sender(flow) for flow in wait.flows)
                return f"{name}会一直等{'、'.join(senders)}的消息，那边不会再发，流程卡住"
        return f"{'和'.join(names)}会一直等一个不会来的令牌，流程卡住"

    def _defaults(self, pool: PoolExplorer) -> None:
        for split in pool.splits:
            if split.misses_default and split.node.id in self._visited:
                where = next((v for v in self._found.vertices if split.node.id in v.trail), None)
                path = where.path() if where is not None else ()
                self.findings[pool.key].missing_default(split, path)

    def _bounds(self) -> None:
        if self.guilty:
            return
        for flow_id, vertex in self._found.piling:
            self._tell_of_flow(
                "unbounded_messages",
                flow_id,
                "的消息会越积越多，“{target}”读不过来，是否可靠没有结论",
                vertex,
            )
        for key, vertex in self._found.crowding:
            program = next(each for each in self._programs if each.key == key)
            self.findings[key].add(
                "unbounded_instances",
                f"消息会不断启动新的{self._pool(program)}，先启动的却还没有结束，"
                "件数没有上限，是否可靠没有结论",
                None,
                vertex.path(),
                severity="warning",
            )
        if not (self._found.piling or self._found.crowding):
            self.findings[self._programs[0].key].bound(len(self._found.vertices))

    def _tell_of_flow(self, rule: str, flow_id: str, text: str, vertex: JointVertex) -> None:
        flow = self._flow(flow_id)
        program = self._owner[flow.target]
        what = text.format(target=self._name(flow.target))
        self.findings[program.key].items.append(
            Finding(
                rule=f"soundness.{rule}",
                severity="warning",
                message=f"{self._sender(flow_id)}发出的消息流“{flow_id}”{what}",
                element=flow_id,
                line=flow.line,
                file=program.file or None,
                path=vertex.path(),
            )
        )

    def _name(self, node_id: str) -> str:
        program = self._owner.get(node_id, self._programs[0])
        return self.findings[program.key].name(node_id)

    def _pool(self, program: Program) -> str:
        return f"“{self._collaboration.pools.get(program.key) or program.name}”"

    def _sender(self, flow_id: str) -> str:
        return self._pool(self._owner[self._flow(flow_id).source])

    def _flow(self, flow_id: str) -> MessageFlow:
        return next(flow for flow in self._collaboration.flows if flow.id == flow_id)


def _alternatives(program: Program, places: tuple[str, ...]) -> tuple[str, ...]:
    """The events that event gateways among these places wait for."""
    gateways = [program.by_id[place] for place in places if place in program.by_id]
    return tuple(
        target.id
        for gateway in gateways
        if gateway.kind is Kind.EVENT_BASED
        for target in program.targets(gateway)
    )
