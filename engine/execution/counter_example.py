"""A counter-example of the proof, run again by the kernel: step by step, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.execution import proof
from engine.kernel.program import Flow, Program
from engine.kernel.replay import Replay, replay
from engine.model.errors import InvalidInput


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


def run_path(program: Program, path: Sequence[str]) -> PathRun:
    """Make the moves of this path. Raises `InvalidInput` for an id the process does not have."""
    for node_id in path:
        if node_id not in program.by_id:
            raise InvalidInput(f"流程“{program.key}”里没有“{node_id}”")
    found = replay(program, tuple(path))
    if found is None:
        wrong = any(finding.is_error for finding in proof.prove(program).findings)
        failed = "这条路径走不出来；发布检查给出的路径可以" if wrong else None
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
