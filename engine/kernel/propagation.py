"""What is thrown inside and who handles it: the nearest scope outwards, else the caller."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kernel import scopes
from engine.kernel.effects import Move, Outcome, ThrowEscalation
from engine.kernel.program import EventType, Kind, Node
from engine.kernel.state import ROOT, Phase
from engine.kernel.work import Work

ERROR_FACTS = frozenset({"error_code", "error_message"})
"""What an error event may read in its `nl:output` about an error of an operation or a call."""


def at_boundary(
    work: Work, host: int, node: Node, payload: Mapping[str, object], *, interrupting: bool
) -> None:
    """A boundary event occurs: its host is cancelled or goes on, and a token leaves the event."""
    scope = work.elements[host].parent
    if interrupting:
        scopes.cancel(work, host)
    _occur(work, node, scope, payload)


def start_event_sub_process(
    work: Work, scope: int, start: Node, payload: Mapping[str, object]
) -> None:
    """An event subprocess begins; an interrupting one ends whatever runs in its scope."""
    if start.interrupting:
        scopes.empty(work, scope)
    owner = work.program.nodes[work.program.scopes[start.scope].node or 0]
    number = work.add(owner, scope)
    work.record(Move.ENTERED, number, owner)
    scopes.open_scope(work, number)
    _occur(work, start, number, payload)


def throw_error(work: Work, thrower: int, code: str, payload: Mapping[str, object]) -> bool:
    """Hand an error to the nearest handler; False (and nothing changed) when there is none.

    A handler of this very code goes before one for all codes at the same place (§10.5.6).
    """
    found = _handler(work, thrower, EventType.ERROR, code)
    if found is None:
        return False
    _handle(work, found, payload, interrupting=True)
    return True


def end_in_error(
    work: Work, number: int, node: Node, code: str, payload: Mapping[str, object]
) -> None:
    """An error end event: handled by an enclosing scope, else the whole instance ends in error."""
    found = _handler(work, number, EventType.ERROR, code)
    work.record(Move.COMPLETED, number, node, error=code)
    work.remove(number)
    if found is None:
        scopes.finish_process(work, Outcome.ERROR, code)
    else:
        _handle(work, found, payload, interrupting=True)


def escalate(work: Work, thrower: int, code: str, payload: Mapping[str, object]) -> None:
    """Hand an escalation outwards; unhandled, the caller gets to know and nothing else happens."""
    found = _handler(work, thrower, EventType.ESCALATION, code)
    if found is None:
        work.emit(ThrowEscalation(node_id=work.elements[thrower].node, code=code, payload=payload))
        return
    _handle(work, found, payload, interrupting=found[1].interrupting)


def _handle(
    work: Work, found: tuple[int, Node], payload: Mapping[str, object], *, interrupting: bool
) -> None:
    place, node = found
    if node.kind is Kind.BOUNDARY:
        at_boundary(work, place, node, payload, interrupting=interrupting)
    else:
        start_event_sub_process(work, place, node, payload)


def _handler(work: Work, thrower: int, kind: EventType, code: str) -> tuple[int, Node] | None:
    """(place, catching node): the host of a boundary event, or the scope of an event subprocess."""
    number = thrower
    while number != ROOT:
        element = work.elements[number]
        if not work.is_loop_instance(number):
            found = _catching(work, work.program.by_id[element.node].boundaries, kind, code)
            if found is not None:
                return number, found
        parent = element.parent
        if work.elements[parent].phase is Phase.SCOPE:
            starts = tuple(
                work.program.start_of(work.program.nodes[index]).index
                for index in scopes.scope_of(work, parent).event_sub_processes
                if work.program.nodes[index].id != element.node
            )
            found = _catching(work, starts, kind, code)
            if found is not None:
                return parent, found
        number = parent
    return None


def _catching(work: Work, nodes: tuple[int, ...], kind: EventType, code: str) -> Node | None:
    for_all: Node | None = None
    for index in nodes:
        node = work.program.nodes[index]
        for event in node.events:
            if event.type is kind and event.name == code:
                return node
            if event.type is kind and event.name is None and for_all is None:
                for_all = node
    return for_all


def _occur(work: Work, node: Node, scope: int, payload: Mapping[str, object]) -> None:
    """The event node itself: entered, its payload written, left."""
    number = work.add(node, scope)
    work.record(Move.ENTERED, number, node)
    if not node.outputs:
        # What the engine tells of an error is there to be mapped, not to be strewn about.
        payload = {name: payload[name] for name in payload if name not in ERROR_FACTS}
    work.output(number, payload)
