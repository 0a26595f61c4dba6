"""What may happen next in one pool of a collaboration: messages of drawn flows come as letters.

A token that waits for a letter goes on only when one is there.  Everything else stays as
`possible` has it.
"""

from __future__ import annotations

import dataclasses

from engine.kernel.abstraction import FIRED, descendants
from engine.kernel.collaboration import Collaboration
from engine.kernel.possible import Choose, Event, Possible, wild_scopes
from engine.kernel.program import EventDefinition, EventType, Kind, Node, Program
from engine.kernel.state import ROOT, Phase
from engine.kernel.triggers import EventArrived
from engine.kernel.work import Work

_OFTEN = 2
_UNDOING = frozenset({EventType.ERROR, EventType.ESCALATION, EventType.CANCEL})


def waiting_for_letters(program: Program, collaboration: Collaboration) -> Program:
    """The program whose tasks at the end of a message flow wait for it, also in a mere drawing."""
    flows = {flow.target: flow for flow in collaboration.flows}
    nodes = tuple(
        _taking(node, flows[node.id].id) if node.id in flows else node for node in program.nodes
    )
    if nodes == program.nodes:
        return program
    return dataclasses.replace(
        program, nodes=nodes, by_id={"": program.by_id[""], **{node.id: node for node in nodes}}
    )


def _taking(node: Node, flow: str) -> Node:
    if node.kind not in (Kind.TASK, Kind.RECEIVE_TASK) or node.message is not None:
        return node
    letter = EventDefinition(type=EventType.MESSAGE, name=flow)
    return dataclasses.replace(node, kind=Kind.RECEIVE_TASK, message=letter)


def _can_undo(program: Program) -> bool:
    """Whether something in the process can end other branches than its own.

    Which letters those branches have sent or taken by then is seen by the other pools.
    """
    if wild_scopes(program):
        return True
    for node in program.nodes:
        if node.loop is not None and (node.loop.completion or node.loop.event):
            return True
        types = {event.type for event in node.events}
        catches = node.kind in (Kind.BOUNDARY, Kind.START) and types & _UNDOING
        host = program.by_id.get(node.attached_to or "")
        around = node.kind is Kind.BOUNDARY and host is not None and host.body is not None
        owner = program.scopes[node.scope].node
        inside = owner is not None and program.nodes[owner].kind is Kind.EVENT_SUB_PROCESS
        if catches or (node.interrupting and (around or (inside and node.kind is Kind.START))):
            return True
    return False


class LetterBoxes:
    """Which message flows each event definition of a program takes from."""

    def __init__(self, program: Program, collaboration: Collaboration) -> None:
        self._flows: dict[tuple[str, int], tuple[str, ...]] = {}
        for node in program.nodes:
            coming = [flow for flow in collaboration.flows if flow.target == node.id]
            events = node.events or ((node.message,) if node.message is not None else ())
            places = [i for i, each in enumerate(events) if each.type is EventType.MESSAGE]
            named = {events[place].name for place in places}
            for place in places:
                self._flows[node.id, place] = tuple(
                    flow.id
                    for flow in coming
                    if len(places) == 1
                    or flow.message not in named
                    or flow.message == events[place].name
                )
        #: ids of nodes that take letters
        self.nodes = frozenset(node for (node, _), flows in self._flows.items() if flows)

    def of(self, node_id: str, place: int) -> tuple[str, ...]:
        """Ids of the flows that this definition takes from; none: it is free."""
        return self._flows.get((node_id, place), ())


class PoolPossible(Possible):
    """The triggers of one pool, given the letters that lie ready for it."""

    def __init__(
        self, program: Program, boxes: LetterBoxes, talking: frozenset[str], *, reduce: bool
    ) -> None:
        super().__init__(program, reduce=reduce)
        self._boxes = boxes
        self._talking = talking
        self._ready: frozenset[str] = frozenset()
        self._undoes = _can_undo(program)
        self._talkative = self._events_that_talk()

    def with_letters(self, work: Work, ready: frozenset[str]) -> list[Event]:
        """What to try when letters lie ready on these flows."""
        self._ready = ready
        return self.next(work)

    def is_bounded(self, work: Work, event: Event) -> bool:
        """Whether the event occurs so often only as it is counted: nothing grows by it."""
        number = getattr(event, "element", ROOT)
        return not isinstance(event, Choose) and work.elements[number].node in self._talkative

    def taken_by(self, work: Work, event: Event) -> tuple[str, ...]:
        """The flows from which this event would take a letter; none: it needs no letter."""
        if not isinstance(event, EventArrived):
            return ()
        element = work.elements[event.element]
        return self._boxes.of(element.node, element.place)

    def listens_for(self, work: Work) -> frozenset[str]:
        """Every flow that some live element takes letters from."""
        return frozenset(
            flow
            for number, element in work.elements.items()
            if number != ROOT and self._hears(work, number)
            for flow in self._boxes.of(element.node, element.place)
        )

    def is_quiet(self, work: Work, event: Event) -> bool:
        """Whether no letter, here or still to come, can make a difference to this event."""
        number = event.element if isinstance(event, Choose) else getattr(event, "element", ROOT)
        return not self._hears(work, number) and self._is_undisturbed(work, number)

    def takes_only(self, work: Work, event: Event) -> bool:
        """Whether a plain token takes a letter, and no letter still to come could prevent it."""
        if not isinstance(event, EventArrived):
            return False
        waits = work.elements[event.element].phase is Phase.WAITING
        return waits and not self._undoes and self._is_undisturbed(work, event.element)

    def _is_undisturbed(self, work: Work, number: int) -> bool:
        if self._undoes and any(self._hears(work, each) for each in work.elements):
            return False
        while True:
            for child in work.below(number):
                if work.elements[child].phase is Phase.LISTENING and self._hears(work, child):
                    return False
            if number == ROOT:
                return True
            number = work.elements[number].parent
            if self._hears(work, number):
                return False

    def echoing(self) -> frozenset[str]:
        """As in one process, but what talks to another pool is never the same twice."""
        often = frozenset(
            inner for each in self._talkative for inner in self._private.get(each) or ()
        )
        return frozenset(each for each in super().echoing() - often if not self._talks_inside(each))

    def is_counted(self, node_id: str) -> bool:
        """Letters are counted where they lie, not where they arrive."""
        if node_id in self._boxes.nodes:
            return False
        return node_id in self._talkative or super().is_counted(node_id)

    def _events_that_talk(self) -> frozenset[str]:
        """Non-interrupting events that need no letter and behind which letters are sent or taken.

        They occur as often as they like; that they occur twice is enough to see.
        """
        found: set[str] = set()
        for node in self._program.nodes:
            if node.interrupting or node.id in self._boxes.nodes:
                continue
            owner = self._program.scopes[node.scope].node
            inside = node.kind is Kind.START and owner is not None
            if inside and self._talks_inside(self._program.nodes[owner or 0].id):
                found.add(node.id)
            region = self._private.get(node.id)
            if region is not None and any(self._talks_inside(each) for each in region):
                found.add(node.id)
        return frozenset(found)

    def _talks_inside(self, node_id: str) -> bool:
        """Whether a letter is sent or taken at this node or inside it."""
        body = self._program.by_id[node_id].body
        if node_id in self._talking or body is None:
            return node_id in self._talking
        return any(
            self._talks_inside(each.id) for each in self._program.nodes if each.scope == body
        )

    def _hears(self, work: Work, number: int) -> bool:
        element = work.elements[number]
        if element.phase not in (Phase.WAITING, Phase.LISTENING):
            return False
        return bool(self._boxes.of(element.node, element.place))

    def _own(self, work: Work, number: int) -> list[Event]:
        if self._hears(work, number):
            element = work.elements[number]
            if self._ready.isdisjoint(self._boxes.of(element.node, element.place)):
                return []
        return super()._own(work, number)

    def _may_fire_again(self, work: Work, number: int, node: Node) -> bool:
        if node.id in self._boxes.nodes:
            return True
        if node.id in self._talkative:
            fired = work.locals.get(number, {}).get(FIRED, 0)
            return isinstance(fired, int) and fired < _OFTEN
        return super()._may_fire_again(work, number, node)

    def _in_scope(self, work: Work, number: int) -> list[Event]:
        """A branch that no letter concerns goes first; the others are not put in an order."""
        element = work.elements[number]
        if element.phase not in (Phase.SCOPE, Phase.LOOP) or self._undoes:
            return self._all(work, number)
        children = work.below(number)
        listening = [each for each in children if work.elements[each].phase is Phase.LISTENING]
        active = [each for each in children if each not in listening and self._all(work, each)]
        if len(active) < 2:
            return super()._in_scope(work, number)
        quiet = [each for each in active if not self._awaits_letters(work, each)]
        if not quiet:
            return self._all(work, number)
        first = min(quiet, key=lambda child: (work.node(child).index, child))
        ends_all = [each for each in listening if work.node(each).interrupting]
        return self._in_scope(work, first) + self._of(work, ends_all)

    def _awaits_letters(self, work: Work, number: int) -> bool:
        return self._hears(work, number) or any(
            self._hears(work, each) for each in descendants(work, number)
        )
