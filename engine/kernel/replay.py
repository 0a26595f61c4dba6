"""From a counter-example back to a run: the kernel makes the moves that a path of ids tells.

The path says which nodes were entered, in some order that the branches of a process allow; the
kernel has an order of its own.  So the run that is looked for enters the nodes of the path, each as
often as it stands there, as far as possible nothing else, and ends where the kernel itself stops:
stuck, or with a token too many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from engine.kernel.explorer import Explorer
from engine.kernel.free_choice import with_free_flows
from engine.kernel.possible import prepared
from engine.kernel.program import Program
from engine.kernel.state import State
from engine.kernel.state_graph import Vertex

MAXIMUM_STATES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A run of the kernel that ends at a fault."""

    #: ids of the nodes that the kernel entered, from the start to the fault
    path: tuple[str, ...]
    #: the state at the fault, without data
    state: State
    #: whether nothing can ever happen from there; else a token is where one was already
    is_stuck: bool
    #: no token is stuck or too many: the path leads into a loop without a way out
    circles: bool = False


def replay(
    program: Program,
    path: tuple[str, ...],
    *,
    maximum_states: int = MAXIMUM_STATES,
    is_late: Callable[[], bool] = lambda: False,
) -> Replay | None:
    """The run along the path; None when the kernel finds no fault near it."""
    free = prepared(with_free_flows(program))
    for reduce in (True, False):
        explorer = Explorer(free, maximum_states, is_late, reduce=reduce)
        distance = _Distance(path)
        found = explorer.follow(distance)
        if found is not None:
            return Replay(path=found.path(), state=found.work.state(), is_stuck=found.is_dead_end())
        if distance.reached is not None:
            found = distance.reached
            return Replay(path=found.path(), state=found.work.state(), is_stuck=False, circles=True)
    return None


class _Distance:
    """How many nodes a run entered that the path does not tell, then how many are still to come."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self._told = Counter(path)
        self._left: dict[int, tuple[Counter[str], int]] = {}
        #: where every node of the path was entered and no other
        self.reached: Vertex | None = None

    def __call__(self, vertex: Vertex) -> tuple[int, int]:
        origin = vertex.parent.index if vertex.parent is not None else 0
        left, strange = self._left.get(origin, (self._told, 0))
        left = left.copy()
        for node_id in vertex.trail:
            if left[node_id] > 0:
                left[node_id] -= 1
            else:
                strange += 1
        self._left[vertex.index] = left, strange
        if not strange and all(left[node_id] < often for node_id, often in self._told.items()):
            self.reached = self.reached or vertex
        return strange, left.total()
