"""One case of a simulation, and what is noted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.kernel import effects
from engine.kernel.program import Program
from engine.kernel.state import State
from engine.model.process import InstanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of what happened, in all cases of a simulation."""

    at: datetime
    case: int
    process: str
    move: str
    element: str
    kind: str
    who: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class SimulatedCase:
    """One instance in a simulation."""

    number: int
    program: Program
    state: State
    parent: tuple[SimulatedCase, int] | None = None
    status: InstanceStatus = InstanceStatus.ACTIVE
    error_code: str | None = None
    tasks: dict[int, effects.OpenTask] = field(default_factory=dict)
    subscriptions: dict[int, effects.Subscribe] = field(default_factory=dict)
    children: dict[int, SimulatedCase] = field(default_factory=dict)
    calls: dict[int, effects.StartChild] = field(default_factory=dict)
    invocations: dict[int, effects.Invoke] = field(default_factory=dict)
    incidents: dict[int, str] = field(default_factory=dict)
    #: start events that may still start this case
    awaited_starts: tuple[int, ...] = ()
    start_variables: Mapping[str, object] = field(default_factory=dict)
    who: str | None = None

    def waiting_at(self) -> list[str]:
        """Ids of nodes where tokens wait, sorted, one entry a token."""
        if self.awaited_starts:
            return sorted(self.program.nodes[index].id for index in self.awaited_starts)
        return sorted(node_id for _, node_id in self.state.waiting())
