"""Which parts of a process the plain token game knows: those whose effect stays at their node."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.kernel.program import (
    ACTIVITIES,
    GATEWAYS,
    EventDefinition,
    EventType,
    Kind,
    Loop,
    Node,
    Program,
)

_WAITS_FOR = frozenset(
    {EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL, EventType.CONDITIONAL}
)
_TELLS = frozenset({EventType.MESSAGE, EventType.SIGNAL})
_MAY_FAIL = frozenset(
    {Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK, Kind.CALL_ACTIVITY}
)


class NotPlain(Exception):
    """The scope holds something the plain token game does not know."""


def is_terminate(node: Node) -> bool:
    """Whether it takes every other token of its scope with it."""
    ending = (EventType.TERMINATE, EventType.ERROR)
    return node.kind is Kind.END and any(event.type in ending for event in node.events)


def is_error(node: Node) -> bool:
    """Whether its scope ends in error."""
    return node.kind is Kind.END and any(e.type is EventType.ERROR for e in node.events)


def check(program: Program, node: Node) -> None:
    """Raises `NotPlain` for a node the game does not know."""
    _CHECKS.get(node.kind, _check_activity)(program, node)


def _only(events: Iterable[EventDefinition], allowed: frozenset[EventType]) -> None:
    if any(event.type not in allowed for event in events):
        raise NotPlain


def _check_activity(program: Program, node: Node) -> None:
    if node.start_quantity != 1 or node.completion_quantity != 1 or node.for_compensation:
        raise NotPlain
    if node.kind is Kind.AD_HOC or (node.loop is not None and not _is_free(node.loop)):
        raise NotPlain
    for index in node.boundaries:
        _check_boundary(program.nodes[index], node)


def _is_free(loop: Loop) -> bool:
    """Whether the number of rounds is open, and no round disturbs anything around the loop."""
    if loop.event is not None or (loop.standard and loop.condition is None):
        return False
    said = (loop.condition, loop.cardinality, loop.maximum)
    return all(each is None or each.names for each in said)


def _check_boundary(boundary: Node, host: Node) -> None:
    """What can happen at any time the host is there."""
    if boundary.parallel_multiple or not boundary.events:
        raise NotPlain
    may_fail = host.kind in _MAY_FAIL or host.body is not None
    fails = frozenset({EventType.ERROR}) if may_fail else frozenset()
    _only(boundary.events, _WAITS_FOR | fails)


def _check_event_sub_process(program: Program, node: Node) -> None:
    if node.body is None:
        raise NotPlain
    start = program.start_of(node)
    if start.parallel_multiple or not start.events:
        raise NotPlain
    _only(start.events, _WAITS_FOR)


def _check_complex(_program: Program, _node: Node) -> None:
    raise NotPlain


def _check_gateway(_program: Program, _node: Node) -> None:
    """Every other gateway is plain."""


def _check_catch(_program: Program, node: Node) -> None:
    _only(node.events, _WAITS_FOR | {EventType.LINK})


def _check_throw(_program: Program, node: Node) -> None:
    _only(node.events, _TELLS | {EventType.LINK})


def _check_end(program: Program, node: Node) -> None:
    """An error that the boundary of the scope catches, or nobody, ends its scope and no other."""
    if not is_error(node):
        _only(node.events, _TELLS | {EventType.TERMINATE})
        return
    _only(node.events, _TELLS | {EventType.ERROR})
    owner = program.scopes[node.scope].node
    if owner is None:
        return
    codes = {event.name for event in node.events if event.type is EventType.ERROR}
    caught = {
        event.name
        for index in program.nodes[owner].boundaries
        for event in program.nodes[index].events
        if event.type is EventType.ERROR
    }
    if not (None in caught or codes <= caught):
        raise NotPlain


_CHECKS: dict[Kind, Callable[[Program, Node], None]] = {
    **dict.fromkeys(ACTIVITIES, _check_activity),
    **dict.fromkeys(GATEWAYS, _check_gateway),
    Kind.COMPLEX: _check_complex,
    Kind.EVENT_SUB_PROCESS: _check_event_sub_process,
    Kind.START: _check_catch,
    Kind.CATCH: _check_catch,
    Kind.THROW: _check_throw,
    Kind.END: _check_end,
    Kind.BOUNDARY: _check_gateway,
}
