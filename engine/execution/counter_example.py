"""A counter-example of the proof, run again by the kernel: step by step, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine import bpmn
from engine.execution import joint_proof, proof
from engine.kernel.collaboration import Collaboration
from engine.kernel.program import Flow, Program
from engine.kernel.replay import Replay, replay
from engine.model.errors import InvalidInput

_NOT_WALKED = "这条路径走不出来；发布检查给出的路径可以"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One node that the run entered."""

    element: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRun:
    """The run along a path; `failed` None: there is no fault on it.

    Without a fault the run need not stop where the path does: then `steps` is empty.
    """

    process: str
    steps: tuple[PathStep, ...]
    #: ids of the nodes at which tokens stand when nothing can happen any more
    stuck: tuple[str, ...]
    failed: str | None

    @property
    def ok(self) -> bool:
        """Whether the path leads into no fault."""
        return self.failed is None


def walk(content: bytes, file: str, path: Sequence[str], process: str | None = None) -> PathRun:
    """The run along a path in a BPMN file; of pools that talk, through all of them.

    Raises `InvalidInput` for a file without processes and for ids it does not have.
    """
    result = bpmn.read(content, file=file)
    programs = [each for each in result.programs if process in (None, each.key)]
    if not programs:
        raise InvalidInput(f"{file} 里没有可以走的流程" + (f"“{process}”" if process else ""))
    ids = set(path)
    program = max(programs, key=lambda each: len(ids & each.by_id.keys()))
    group = next(
        each
        for each in joint_proof.groups(result.programs, result.collaboration)
        if program in each
    )
    if len(group) == 1:
        return run_path(program, path)
    return _run_together(group, result.collaboration, path)


def _run_together(
    group: tuple[Program, ...], collaboration: Collaboration, path: Sequence[str]
) -> PathRun:
    """What the joint proof tells of the path; it makes the kernel's moves pool by pool."""
    owner = {node.id: program for program in group for node in program.nodes}
    for node_id in path:
        if node_id not in owner:
            raise InvalidInput(f"这些流程里没有“{node_id}”")
    proofs = joint_proof.prove_together(group, collaboration)
    errors = [one for found in proofs.values() for one in found.findings if one.is_error]
    told = [one for one in errors if one.path == tuple(path)]
    failed: str | None = "；".join(dict.fromkeys(one.message for one in told)) or None
    if not told and errors:
        failed = _NOT_WALKED
    return PathRun(
        process="、".join(program.key for program in group),
        steps=tuple(_step(owner[node_id], node_id) for node_id in path) if told else (),
        stuck=tuple(dict.fromkeys(one.element for one in told if one.element is not None)),
        failed=failed,
    )


def run_path(program: Program, path: Sequence[str]) -> PathRun:
    """Make the moves of this path. Raises `InvalidInput` for an id the process does not have."""
    for node_id in path:
        if node_id not in program.by_id:
            raise InvalidInput(f"流程“{program.key}”里没有“{node_id}”")
    found = replay(program, tuple(path))
    if found is None:
        wrong = any(finding.is_error for finding in proof.prove(program).findings)
        failed = _NOT_WALKED if wrong else None
        return PathRun(process=program.key, steps=(), stuck=(), failed=failed)
    stuck = _stuck(program, found)
    return PathRun(
        process=program.key,
        steps=tuple(_step(program, node_id) for node_id in found.path),
        stuck=stuck,
        failed=_proven(program, path) if found.circles else _words(program, found, stuck),
    )


def _proven(program: Program, path: Sequence[str]) -> str | None:
    """What the proof says of a path on which no token is stuck: it may lead into a loop."""
    for finding in proof.prove(program).findings:
        if finding.is_error and finding.path == tuple(path):
            return finding.message
    return None


def _step(program: Program, node_id: str) -> PathStep:
    node = program.node(node_id)
    return PathStep(element=node_id, name=node.name, kind=node.kind.value)


def _stuck(program: Program, found: Replay) -> tuple[str, ...]:
    """Where tokens stand: activities that wait, joins that miss a token."""
    if not found.is_stuck:
        return ()
    at_joins = [_target(program, program.flow_by_id[flow]) for _, flow in found.state.arrived]
    waiting = [node_id for _, node_id in found.state.waiting()]
    return tuple(dict.fromkeys([*waiting, *at_joins]))


def _target(program: Program, flow: Flow) -> str:
    return program.nodes[flow.target].id


def _words(program: Program, found: Replay, stuck: tuple[str, ...]) -> str:
    last = _called(program, found.path[-1]) if found.path else program.key
    if found.is_stuck:
        where = "、".join(_called(program, node_id) for node_id in stuck) or last
        return f"停在{where}：再也不会有令牌到来，流程到不了结束"
    return f"{last}处的令牌不止一个：分开的分支没有先汇合"


def _called(program: Program, node_id: str) -> str:
    return f"“{program.node(node_id).name or node_id}”"
