"""The running instance as a value: live elements, arrived tokens, variables. Nothing else.

No history, no predicted future, no copy of the program.  Elements name their node by id, so a
state outlives a recompilation of its process.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from engine.kernel import codec

if TYPE_CHECKING:
    from engine.kernel.program import Program

ROOT = 0
"""The element of the process itself; its node id is empty."""


class Phase(enum.IntEnum):
    """What a live element is doing."""

    #: a token waits here for what its kind waits for
    WAITING = 1
    #: an open process or subprocess
    SCOPE = 2
    #: the body of a multi-instance or standard loop
    LOOP = 3
    #: no token: a boundary event, event subprocess or alternative that may still be triggered
    LISTENING = 4
    #: no token: a complex gateway that swallows the late tokens of its last round
    RESET = 5
    #: a throwing event that waits for compensation handlers
    COMPENSATING = 6
    #: incidents, by the point from which a retry goes on
    FAILED_ENTER = 7
    FAILED_OUTPUT = 8
    FAILED_LEAVE = 9


FAILED = frozenset({Phase.FAILED_ENTER, Phase.FAILED_OUTPUT, Phase.FAILED_LEAVE})
_WAITS = frozenset({Phase.WAITING}) | FAILED
WITHOUT_TOKEN = frozenset({Phase.LISTENING, Phase.RESET})


class Element(NamedTuple):
    """One live flow node instance."""

    node: str
    #: scope instance, loop body, or the host of a listener
    parent: int
    phase: Phase
    #: loop item, event definition of a listener, or next activity of an ad-hoc subprocess
    place: int = 0
    #: firings a cycle timer has left (-1: without end); truth of a condition when last asked
    left: int = 0


class Compensation(NamedTuple):
    """A completed activity that can be undone, or (nested) a completed subprocess with such."""

    #: scope instance, completed subprocess or throwing event that holds it
    holder: int
    node: str
    #: element id it had; nested entries have it as their holder
    element: int
    #: variables of its own when it was completed; its handler sees them
    data: Mapping[str, object] | None = None


class Life(enum.IntEnum):
    """Whether the instance runs."""

    NEW = 0
    LIVE = 1
    ENDED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything an instance knows. Treat the mappings as frozen: `step` never changes them."""

    life: Life = Life.NEW
    next_id: int = 1
    elements: Mapping[int, Element] = field(default_factory=dict)
    #: tokens waiting at a join: (scope element, flow id) → how many
    arrived: Mapping[tuple[int, str], int] = field(default_factory=dict)
    locals: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    compensations: tuple[Compensation, ...] = ()

    @classmethod
    def initial(cls, _: Program) -> State:
        """Before the start: no token anywhere."""
        return cls()

    @property
    def variables(self) -> Mapping[str, object]:
        """Root variables; they outlive the end of the instance."""
        return MappingProxyType(self.locals.get(ROOT, {}))

    @property
    def is_started(self) -> bool:
        """Whether the start happened, even if it is over by now."""
        return self.life is not Life.NEW

    @property
    def is_ended(self) -> bool:
        """Whether nothing will ever move again."""
        return self.life is Life.ENDED

    def waiting(self) -> tuple[tuple[int, str], ...]:
        """(element, node id) of every token that waits, in the order they came."""
        return tuple(
            (number, element.node)
            for number, element in self.elements.items()
            if element.phase in _WAITS
        )

    def failed(self) -> tuple[tuple[int, str], ...]:
        """(element, node id) of every incident."""
        return tuple(
            (number, element.node)
            for number, element in self.elements.items()
            if element.phase in FAILED
        )

    def scope_chain(self, element: int) -> tuple[int, ...]:
        """The element, its parent and so on up to the root."""
        chain = [element]
        while chain[-1] != ROOT:
            chain.append(self.elements[chain[-1]].parent)
        return tuple(chain)

    def visible(self, element: int) -> dict[str, object]:
        """Every variable the element sees, the nearest of each name."""
        seen: dict[str, object] = {}
        for number in reversed(self.scope_chain(element)):
            own = self.locals.get(number, {})
            seen.update({name: own[name] for name in own if not name.startswith("#")})
        return seen

    def encode(self) -> bytes:
        """A compact text whose first byte is the codec version."""
        return codec.encode(
            [
                int(self.life),
                self.next_id,
                [(number, *element) for number, element in self.elements.items()],
                [(scope, flow, count) for (scope, flow), count in self.arrived.items()],
                list(self.locals.items()),
                [tuple(entry if entry.data else entry[:3]) for entry in self.compensations],
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> State:
        """The state that was encoded. Raises `codec.CodecError` for anything else."""
        life, next_id, elements, arrived, variables, compensations = codec.decode(data)
        return cls(
            life=_LIVES[life],
            next_id=next_id,
            elements={
                number: Element(node, parent, _PHASES[phase], place, left)
                for number, node, parent, phase, place, left in elements
            },
            arrived={(scope, flow): count for scope, flow, count in arrived},
            locals=dict(map(tuple, variables)),
            compensations=tuple(Compensation(*entry) for entry in compensations),
        )


_PHASES = {int(phase): phase for phase in Phase}
_LIVES = {int(life): life for life in Life}
