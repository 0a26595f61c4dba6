"""Opening, closing and cancelling: processes, subprocesses and whatever lives inside them."""

from __future__ import annotations

from engine.kernel import events_waiting
from engine.kernel.effects import (
    CancelChild,
    CancelInvoke,
    CloseTask,
    Finish,
    Move,
    Outcome,
    TaskEnd,
)
from engine.kernel.loop_names import COUNTERS, TERMINATED, counters_of
from engine.kernel.program import Kind, Node, Scope
from engine.kernel.state import ROOT, WITHOUT_TOKEN, Phase
from engine.kernel.work import Work


def scope_of(work: Work, number: int) -> Scope:
    """The compiled scope that this open element is an instance of."""
    body = work.node(number).body
    assert body is not None
    return work.program.scopes[body]


def open_scope(work: Work, number: int) -> None:
    """The element is an open scope: its data exist, its event subprocesses listen."""
    work.change(number, phase=Phase.SCOPE)
    scope = scope_of(work, number)
    if number != ROOT:
        for name in scope.declares:
            if name not in work.locals.get(number, {}):
                work.declare(number, name, None)
    for index in scope.event_sub_processes:
        start = work.program.start_of(work.program.nodes[index])
        events_waiting.listen(work, number, start)


def start_scope(work: Work, number: int) -> None:
    """Put the first tokens into an open scope."""
    node = work.node(number)
    starts = scope_of(work, number).starts
    work.touched_scopes[number] = None
    if node.kind is Kind.AD_HOC and node.sequential:
        work.change(number, place=1)
        starts = starts[:1]
    for index in starts:
        work.enter(work.program.nodes[index], number)


def cancel(work: Work, number: int) -> None:
    """Cancel an element and everything below it.

    1. Its children, newest first.  2. What it waits for outside.  3. Tokens waiting at joins
    inside it and what could be compensated.  4. Itself.  Each leaves a record.  Every interrupting
    event, terminate end, error, completed loop and move of a token uses this function.
    """
    for child in reversed(work.below(number)):
        cancel(work, child)
    element = work.elements[number]
    node = work.program.by_id[element.node]
    _release(work, number, node)
    _forget(work, number)
    if element.phase not in WITHOUT_TOKEN:
        if element.phase is Phase.LOOP:
            work.record(Move.CANCELLED, number, node, instances=0)
        else:
            work.record(Move.CANCELLED, number, node)
    parent = work.elements.get(element.parent)
    if parent is not None and parent.phase is Phase.LOOP and parent.node == element.node:
        counters = counters_of(work.locals[element.parent])
        counters[TERMINATED] += 1
        work.locals[element.parent][COUNTERS] = counters
    work.remove(number)


def empty(work: Work, number: int, spare: int | None = None) -> None:
    """Cancel everything inside a scope; it stays open, its boundary events go on listening."""
    for child in reversed(work.below(number)):
        if child != spare and work.node(child).kind is not Kind.BOUNDARY:
            cancel(work, child)
    _forget_tokens(work, number)
    work.drop_tokens_on_the_way(number)
    work.touched_scopes[number] = None


def stop_listening(work: Work, number: int) -> None:
    """The element is done: boundary events and event subprocesses on it are no longer possible."""
    for child in reversed(work.below(number)):
        cancel(work, child)


def close_if_done(work: Work, number: int) -> None:
    """A scope without a token is complete (BPMN 2.0.2 §13.3.4)."""
    element = work.elements.get(number)
    if element is None or element.phase is not Phase.SCOPE:
        return
    node = work.program.by_id[element.node]
    if node.kind is Kind.AD_HOC and _ad_hoc_goes_on(work, number, node):
        return
    if work.tokens_below(number) or any(scope == number for scope, _ in work.arrived):
        return
    if number == ROOT:
        finish_process(work, Outcome.COMPLETED)
    else:
        work.output(number, {})


def finish_process(work: Work, outcome: Outcome, error_code: str | None = None) -> None:
    """The instance is over; nothing of it waits any more."""
    for child in reversed(work.below(ROOT)):
        cancel(work, child)
    variables = dict(work.locals.get(ROOT, {}))
    work.end()
    work.emit(Finish(outcome=outcome, variables=variables, error_code=error_code))


def _ad_hoc_goes_on(work: Work, number: int, node: Node) -> bool:
    """Whether an ad-hoc subprocess still has something to do (BPMN 2.0.2 §13.3.5)."""
    element = work.elements[number]
    starts = scope_of(work, number).starts
    if node.condition is not None and work.holds(number, node.condition):
        work.change(number, place=len(starts))
        if node.cancel_remaining:
            empty(work, number)
        return work.tokens_below(number)
    if node.sequential and element.place < len(starts) and not work.tokens_below(number):
        work.change(number, place=element.place + 1)
        work.enter(work.program.nodes[starts[element.place]], number)
        return True
    return False


def _release(work: Work, number: int, node: Node) -> None:
    """Take back what the element asked of the world outside."""
    phase = work.elements[number].phase
    if phase is Phase.LISTENING:
        events_waiting.unsubscribe(work, number)
    elif phase is Phase.WAITING:
        if node.kind is Kind.USER_TASK or node.kind is Kind.MANUAL_TASK:
            work.emit(CloseTask(element=number, activity_id=node.id, how=TaskEnd.EXITED))
        elif node.kind is Kind.CALL_ACTIVITY:
            work.emit(CancelChild(element=number))
        elif node.operation is not None and node.operation.later:
            work.emit(CancelInvoke(element=number))
        elif node.kind in (Kind.CATCH, Kind.RECEIVE_TASK):
            events_waiting.unsubscribe(work, number)


def _forget(work: Work, number: int) -> None:
    _forget_tokens(work, number)
    work.forget_compensations(number)


def _forget_tokens(work: Work, number: int) -> None:
    for key in [key for key in work.arrived if key[0] == number]:
        del work.arrived[key]
