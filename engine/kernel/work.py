"""The working copy of one step: the state being changed, the moves still to make, the effects.

Families of elements change it only through these methods; they never import each other.  A move
is a plain tuple `(Step, …)` that `step.py` hands to its family.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import cast

from engine.kernel import codec, loop_names
from engine.kernel.decide import Decide, Lookup
from engine.kernel.effects import Effect, Move, RaiseIncident, Record
from engine.kernel.program import Expression, Flow, Node, Program, Value
from engine.kernel.state import (
    ROOT,
    WITHOUT_TOKEN,
    Compensation,
    Element,
    Life,
    Phase,
    State,
)


class Step(enum.Enum):
    """The kinds of moves."""

    # Members are equal only to themselves; the hash of the name costs six times as much.
    __hash__ = object.__hash__

    TAKE = "take"
    ENTER = "enter"
    BEGIN = "begin"
    OUTPUT = "output"
    FINISH = "finish"
    FIRE = "fire"
    THROW = "throw"
    ROUND_EVENT = "round event"
    COMPENSATED = "compensated"


# Looking a member up in its enum costs more than the comparison it is for.
_TAKE, _OUTPUT, _FINISH = Step.TAKE, Step.OUTPUT, Step.FINISH
_LOOP = Phase.LOOP


class Work:
    """One step's working copy; thrown away when the step is refused."""

    __slots__ = (
        "_copied",
        "arrived",
        "at",
        "children",
        "compensations",
        "conditions_dirty",
        "decide",
        "effects",
        "elements",
        "entered",
        "late_moves",
        "life",
        "locals",
        "moves",
        "next_id",
        "program",
        "touched_joins",
        "touched_scopes",
        "written",
    )

    def __init__(self, program: Program, state: State, decide: Decide, at: datetime) -> None:
        self.program = program
        self.decide = decide
        self.at = at
        self.life = state.life
        self.next_id = state.next_id
        self.elements: dict[int, Element] = {**state.elements}
        self.arrived: dict[tuple[int, str], int] = dict(state.arrived)
        self.locals: dict[int, dict[str, object]] = {
            number: dict(values) for number, values in state.locals.items()
        }
        self.compensations: list[Compensation] = list(state.compensations)
        self.children: dict[int, dict[int, None]] = {}
        for number, element in self.elements.items():
            if number != ROOT:
                self.children.setdefault(element.parent, {})[number] = None
        self.moves: deque[tuple[object, ...]] = deque()
        #: throws wait until every other branch of this instant has moved as far as it can
        self.late_moves: deque[tuple[object, ...]] = deque()
        self.effects: list[Effect] = []
        #: how often a node was entered in a scope instance during this step
        self.entered: dict[tuple[str, int], int] = {}
        #: names written since data conditions were last asked
        self.written: set[str] = set()
        self.conditions_dirty = False
        self._copied: set[int] = set()
        self.touched_scopes: dict[int, None] = {}
        self.touched_joins = bool(self.arrived)

    def state(self) -> State:
        """The state as it now stands."""
        return State(
            life=self.life,
            next_id=self.next_id,
            elements=self.elements,
            arrived=self.arrived,
            locals=self.locals,
            compensations=tuple(self.compensations),
        )

    # -- elements ---------------------------------------------------------------------------

    def add(
        self, node: Node, parent: int, phase: Phase = Phase.WAITING, place: int = 0, left: int = 0
    ) -> int:
        """A new live element; its number is never used again in this instance."""
        number = self.next_id
        self.next_id += 1
        self.elements[number] = Element(node.id, parent, phase, place, left)
        self.children.setdefault(parent, {})[number] = None
        return number

    def change(self, number: int, **fields: object) -> Element:
        """Replace fields of a live element."""
        element = self.elements[number]._replace(**fields)  # type: ignore[arg-type]  # names and types are the callers' contract
        self.elements[number] = element
        return element

    def remove(self, number: int) -> None:
        """The element is over; its scope is asked afterwards whether it is complete."""
        element = self.elements.pop(number)
        self.locals.pop(number, None)
        self.children.pop(number, None)
        siblings = self.children.get(element.parent)
        if siblings is not None:
            siblings.pop(number, None)
        self.touched_scopes[element.parent] = None
        self.touched_joins = True

    def node(self, number: int) -> Node:
        """The node of a live element."""
        return self.program.by_id[self.elements[number].node]

    def below(self, number: int) -> tuple[int, ...]:
        """Children of a live element, oldest first."""
        return tuple(self.children.get(number, ()))

    def tokens_below(self, number: int) -> bool:
        """Whether a token lives directly in this scope instance."""
        return any(
            self.elements[child].phase not in WITHOUT_TOKEN
            for child in self.children.get(number, ())
        )

    def is_loop_instance(self, number: int) -> bool:
        """Whether the element is one round of a multi-instance or standard loop."""
        element = self.elements[number]
        parent = self.elements.get(element.parent)
        return parent is not None and parent.phase is _LOOP and parent.node == element.node

    def count_entry(self, node: Node, scope: int) -> int:
        """How often the node was entered in this scope instance during this step."""
        key = (node.id, scope)
        count = self.entered[key] = self.entered.get(key, 0) + 1
        return count

    def forget_compensations(self, holder: int) -> None:
        """What this element holds will not be undone any more, nor what was inside of that."""
        gone = {holder}
        while self.compensations:
            left = [entry for entry in self.compensations if entry.holder not in gone]
            if len(left) == len(self.compensations):
                return
            gone.update(e.element for e in self.compensations if e.holder in gone)
            self.compensations = left

    # -- moves ------------------------------------------------------------------------------

    def take(self, flow: Flow, scope: int) -> None:
        """Send a token along a flow of a scope instance."""
        self.moves.append((_TAKE, flow, scope))

    def enter(self, node: Node, scope: int) -> None:
        """Put a token on a node without a flow."""
        self.moves.append((Step.ENTER, node, scope))

    def output(self, number: int, data: Mapping[str, object]) -> None:
        """Write what an element brought, then finish it."""
        self.moves.append((_OUTPUT, number, data))

    def finish(self, number: int) -> None:
        """The element has done its part; its token goes on."""
        self.moves.append((_FINISH, number))

    def drop_tokens_on_the_way(self, scope: int) -> None:
        """Tokens of this scope instance that are between two nodes are gone, too."""
        self.moves = deque(
            move
            for move in self.moves
            if not (move[0] in (Step.TAKE, Step.ENTER) and move[2] == scope)
        )

    def collected(self, body: int) -> dict[str, object]:
        """The outputs of a loop's rounds, to be added to; copied once in a step."""
        values = self.locals[body]
        if body not in self._copied:
            self._copied.add(body)
            values[loop_names.OUTPUTS] = loop_names.outputs_of(values)
        return cast("dict[str, object]", values[loop_names.OUTPUTS])

    # -- variables --------------------------------------------------------------------------

    def lookup(self, number: int, name: str) -> tuple[bool, object]:
        """The nearest value of a name, seen from a live element."""
        while True:
            values = self.locals.get(number)
            if values is not None and name in values:
                return True, values[name]
            if number == ROOT:
                return False, None
            element = self.elements[number]
            if element.phase is _LOOP:
                loop = self.program.by_id[element.node].loop
                known, value = loop_names.read(values, loop.outputs if loop else None, name)
                if known:
                    return True, value
            number = element.parent

    def visible(self, number: int) -> dict[str, object]:
        """Every variable seen from a live element, the nearest of each name."""
        return self.state().visible(number)

    def declare(self, number: int, name: str, value: object) -> None:
        """Give an element a variable of its own."""
        self.locals.setdefault(number, {})[name] = codec.plain(value)
        self.written.add(name)

    def declare_at_item(self, number: int, name: str, value: object) -> None:
        """Write to the loop round around the element, else as `write` does."""
        inner = number
        while inner != ROOT:
            if self.is_loop_instance(inner):
                self.declare(inner, name, value)
                return
            inner = self.elements[inner].parent
        self.write(self.elements[number].parent, name, value)

    def write(self, number: int, name: str, value: object) -> None:
        """Write to the nearest scope that declares the name, else to the root."""
        value = codec.plain(value)
        while number != ROOT:
            values = self.locals.get(number)
            if values is not None and name in values:
                break
            number = self.elements[number].parent
        self.locals.setdefault(number, {})[name] = value
        self.written.add(name)

    def evaluate(
        self, number: int, expression: Expression, extra: Mapping[str, object] | None = None
    ) -> object:
        """The value of an expression seen from a live element; `extra` names come first."""
        return self.decide.value(self.node(number), expression, self._seen_from(number, extra))

    def holds(
        self, number: int, expression: Expression, extra: Mapping[str, object] | None = None
    ) -> bool:
        """Whether a condition is true, seen from a live element."""
        return self.decide.holds(self.node(number), expression, self._seen_from(number, extra))

    def holds_for(
        self, node: Node, scope: int, expression: Expression, extra: Mapping[str, object]
    ) -> bool:
        """Whether a condition of a node is true, seen from the scope the node stands in."""
        return self.decide.holds(node, expression, self._seen_from(scope, extra))

    def text(self, number: int, value: Value | None) -> object:
        """A literal as it stands, an expression evaluated, None as None."""
        return self.evaluate(number, value) if isinstance(value, Expression) else value

    def _seen_from(self, number: int, extra: Mapping[str, object] | None) -> Lookup:
        if not extra:
            return partial(self.lookup, number)
        return lambda name: (True, extra[name]) if name in extra else self.lookup(number, name)

    # -- effects ----------------------------------------------------------------------------

    def record(self, move: Move, number: int, node: Node, **detail: object) -> None:
        """One line of history."""
        self.effects.append(Record(move=move, element=number, node_id=node.id, detail=detail))

    def emit(self, effect: Effect) -> None:
        """Something the shell has to make true."""
        self.effects.append(effect)

    def fail(self, number: int, phase: Phase, message: str) -> None:
        """The element keeps its place until somebody mends model or data."""
        element = self.change(number, phase=phase)
        self.effects.append(RaiseIncident(element=number, node_id=element.node, message=message))

    def emit_fault(self, number: int, message: str, node_id: str | None) -> None:
        """An incident that no element can hold: told, not kept."""
        self.effects.append(RaiseIncident(element=number, node_id=node_id or "", message=message))

    def end(self) -> None:
        """No token will ever move again; the root variables stay readable."""
        self.life = Life.ENDED
        root = self.locals.get(ROOT, {})
        self.elements.clear()
        self.children.clear()
        self.arrived.clear()
        self.compensations.clear()
        self.moves.clear()
        self.late_moves.clear()
        self.touched_scopes.clear()
        self.locals = {ROOT: root}
