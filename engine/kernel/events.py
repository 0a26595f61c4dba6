"""Events: what happens when one is reached, when one occurs, and who catches what is thrown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.kernel import compensation, events_waiting, flows, gateways, propagation, scopes
from engine.kernel.effects import CancelTimer, EventKind, Move, ThrowEvent, Unsubscribe
from engine.kernel.program import EventDefinition, EventType, Kind, Node
from engine.kernel.state import ROOT, Phase
from engine.kernel.work import Step, Work
from engine.model.errors import ModelFault

_AWAITING = frozenset({Phase.WAITING, Phase.LISTENING})


def begin(work: Work, number: int, node: Node) -> None:
    """A token reached an event."""
    if node.kind is Kind.CATCH:
        _begin_catch(work, number, node)
    elif node.kind is Kind.START:
        # A token on a start event means that it has happened already.
        work.finish(number)
    elif any(event.type is EventType.SIGNAL for event in node.events):
        # A signal is heard by every branch that listens in this instant (§10.5.5), also by one
        # that gets to its catching event in the same step.
        work.late_moves.append((Step.THROW, number))
    else:
        throw(work, number)


def throw(work: Work, number: int) -> None:
    """Throw what an event has not thrown yet; a compensation makes it wait."""
    node = work.node(number)
    for index in range(work.elements[number].place, len(node.events)):
        definition = node.events[index]
        if definition.type is EventType.COMPENSATION:
            work.change(number, place=index + 1)
            compensation.begin(work, number, work.elements[number].parent, definition.activity)
            return
        _THROW[definition.type](work, number, node, definition)
        if number not in work.elements:
            return
        work.change(number, place=index + 1)
    work.finish(number)


def finish(work: Work, number: int, node: Node) -> None:
    """The event is over; an end event's token ends here."""
    leaving = [] if node.kind is Kind.END else flows.chosen(work, number, node)
    scopes.stop_listening(work, number)
    flows.depart(work, number, node, leaving)


def fire(work: Work, number: int, payload: Mapping[str, object], due_at: datetime | None) -> None:
    """What this element waits for has happened."""
    element = work.elements.get(number)
    if element is None or element.phase not in (Phase.WAITING, Phase.LISTENING):
        return
    node = work.program.by_id[element.node]
    if node.kind is Kind.BOUNDARY or node.kind is Kind.START:
        _fire_at_host(work, number, node, payload, due_at)
    elif element.phase is Phase.WAITING:
        _unsubscribe_fired(work, number, due_at)
        work.output(number, payload)
    elif work.node(element.parent).kind is Kind.EVENT_BASED:
        if not _still_missing(work, number, node, element.parent, due_at):
            _alternative(work, node, element.parent, payload)
    elif not _still_missing(work, number, node, element.parent, due_at):
        work.output(element.parent, payload)


def round_event(work: Work, body: int, definition: EventDefinition) -> None:
    """A loop tells of a completed round: its boundary events hear it and do not interrupt."""
    node = work.node(body)
    for index in node.boundaries:
        boundary = work.program.nodes[index]
        if any(
            event.type is definition.type and event.name == definition.name
            for event in boundary.events
        ):
            propagation.at_boundary(work, body, boundary, {}, interrupting=False)
    if definition.type is EventType.SIGNAL:
        work.emit(ThrowEvent(node_id=node.id, kind=EventKind.SIGNAL, name=definition.name or ""))


def ask_conditions(work: Work) -> None:
    """Ask the data conditions that read a name written since they were asked last.

    A condition occurs when it becomes true, also by being true when it is first listened to.
    """
    written, work.written = work.written, set()
    fresh, work.conditions_dirty = work.conditions_dirty, False
    for number, element in list(work.elements.items()):
        if element.phase not in _AWAITING or number == ROOT:
            continue
        node = work.program.by_id[element.node]
        if not node.events or element.place >= len(node.events):
            continue
        condition = node.events[element.place].condition
        if condition is None or (len(node.events) > 1 and element.phase is Phase.WAITING):
            continue
        if fresh or not written.isdisjoint(condition.names):
            _ask(work, number, element.left)


def _ask(work: Work, number: int, was_true: int) -> None:
    definition = events_waiting.definition_of(work, number)
    assert definition.condition is not None
    try:
        holds = work.holds(number, definition.condition)
    except ModelFault:
        # What it reads is not there yet: that is not true, and no fault before it ought to be.
        holds = False
    if holds and not was_true:
        work.change(number, left=1)
        # Before anything else: an interrupting condition that is true at once lets nothing begin.
        work.moves.appendleft((Step.FIRE, number, {}, None))
    elif was_true and not holds:
        work.change(number, left=0)


def _begin_catch(work: Work, number: int, node: Node) -> None:
    if not node.events or node.events[0].type is EventType.LINK:
        work.finish(number)
    elif len(node.events) == 1:
        events_waiting.subscribe(work, number, node.events[0])
    else:
        events_waiting.listen(work, number, node)


def _fire_at_host(
    work: Work, number: int, node: Node, payload: Mapping[str, object], due_at: datetime | None
) -> None:
    host = work.elements[number].parent
    if events_waiting.comes_too_late(work, number, due_at):
        work.remove(number)
        return
    if node.parallel_multiple:
        if _still_missing(work, number, node, host, due_at):
            return
        if not node.interrupting:
            events_waiting.listen(work, host, node)
    elif node.interrupting:
        _unsubscribe_fired(work, number, due_at)
        work.remove(number)
    elif _is_timer(work, number) and not events_waiting.rearm(work, number, due_at):
        work.remove(number)
    if node.kind is Kind.BOUNDARY:
        propagation.at_boundary(work, host, node, payload, interrupting=node.interrupting)
    else:
        propagation.start_event_sub_process(work, host, node, payload)


def _is_timer(work: Work, number: int) -> bool:
    return events_waiting.definition_of(work, number).type is EventType.TIMER


def _still_missing(work: Work, number: int, node: Node, host: int, due_at: datetime | None) -> bool:
    """One definition occurred; whether a parallel multiple event still waits for others."""
    _unsubscribe_fired(work, number, due_at)
    work.remove(number)
    return node.parallel_multiple and any(
        work.elements[child].node == node.id for child in work.below(host)
    )


def _unsubscribe_fired(work: Work, number: int, due_at: datetime | None) -> None:
    """A fired timer is gone already; a message or signal subscription has to be ended.

    So has a timer that somebody did not wait for: what it stands for has been done by hand.
    """
    kind = events_waiting.definition_of(work, number).type
    if kind is EventType.TIMER and due_at is None:
        work.emit(CancelTimer(element=number))
    if kind in (EventType.MESSAGE, EventType.SIGNAL):
        work.emit(Unsubscribe(element=number))


def _alternative(work: Work, node: Node, gateway: int, payload: Mapping[str, object]) -> None:
    scope = gateways.event_chosen(work, gateway)
    number = work.add(node, scope)
    work.record(Move.ENTERED, number, node)
    work.output(number, payload)


def _throw_signal(work: Work, number: int, node: Node, definition: EventDefinition) -> None:
    payload = _payload(work, number, node)
    name = definition.name or ""
    for listener in _listening_to(work, name):
        work.moves.append((Step.FIRE, listener, payload, None))
    work.emit(ThrowEvent(node_id=node.id, kind=EventKind.SIGNAL, name=name, payload=payload))


def _listening_to(work: Work, name: str) -> list[int]:
    found = []
    for number, element in work.elements.items():
        if element.phase not in _AWAITING or number == ROOT:
            continue
        node = work.program.by_id[element.node]
        if element.phase is Phase.WAITING and len(node.events) > 1:
            continue
        if element.place < len(node.events) and node.kind not in (Kind.THROW, Kind.END):
            event = node.events[element.place]
            if event.type is EventType.SIGNAL and event.name == name:
                found.append(number)
    return found


def _throw_message(work: Work, number: int, node: Node, definition: EventDefinition) -> None:
    payload = _payload(work, number, node)
    work.emit(
        ThrowEvent(
            node_id=node.id,
            kind=EventKind.MESSAGE,
            name=definition.name or "",
            key=events_waiting.correlation_key(work, number, definition, payload),
            payload=payload,
        )
    )


def _throw_escalation(work: Work, number: int, node: Node, definition: EventDefinition) -> None:
    propagation.escalate(work, number, definition.name or "", _payload(work, number, node))


def _throw_error(work: Work, number: int, node: Node, definition: EventDefinition) -> None:
    propagation.end_in_error(
        work, number, node, definition.name or "", _payload(work, number, node)
    )


def _throw_link(work: Work, number: int, node: Node, _: EventDefinition) -> None:
    """The token goes on at the catching link of that name in the same scope (§10.5.5)."""
    scope = work.elements[number].parent
    for target in flows.link_targets(work.program, node)[:1]:
        flows.depart(work, number, node, [])
        work.enter(target, scope)


def _throw_terminate(work: Work, number: int, node: Node, _: EventDefinition) -> None:
    """Everything else in this scope ends without compensation; the scope is complete (§13.5.6)."""
    scope = work.elements[number].parent
    flows.depart(work, number, node, [])
    scopes.empty(work, scope)


def _throw_cancel(work: Work, number: int, node: Node, _: EventDefinition) -> None:
    """The transaction is undone: running parts cancelled, completed ones compensated (§13.3.4)."""
    transaction = work.elements[number].parent
    while work.node(transaction).kind is not Kind.TRANSACTION:
        transaction = work.elements[transaction].parent
    flows.depart(work, number, node, [])
    scopes.empty(work, transaction)
    compensation.begin(work, transaction, transaction, None)


def compensated(work: Work, number: int) -> None:
    """All handlers are done: a throwing event goes on, a cancelled transaction is left."""
    element = work.elements[number]
    node = work.program.by_id[element.node]
    if node.kind is not Kind.TRANSACTION:
        work.change(number, phase=Phase.WAITING)
        throw(work, number)
        return
    for index in node.boundaries:
        boundary = work.program.nodes[index]
        if any(event.type is EventType.CANCEL for event in boundary.events):
            host = element.parent if work.is_loop_instance(number) else number
            propagation.at_boundary(work, host, boundary, {}, interrupting=True)
            return
    work.change(number, phase=Phase.SCOPE)
    work.touched_scopes[number] = None


def _payload(work: Work, number: int, node: Node) -> dict[str, object]:
    return {each.name: work.evaluate(number, each.value) for each in node.inputs}


_THROW = {
    EventType.SIGNAL: _throw_signal,
    EventType.MESSAGE: _throw_message,
    EventType.ESCALATION: _throw_escalation,
    EventType.ERROR: _throw_error,
    EventType.LINK: _throw_link,
    EventType.TERMINATE: _throw_terminate,
    EventType.CANCEL: _throw_cancel,
}
