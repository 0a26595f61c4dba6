"""Boundary events, event subprocesses and alternatives: which stay armed, which come and go.

A listener is kept when its counterpart waits for the same kind of event at the counterpart of
its host; its timer keeps the due date.  What listened in the old version and is gone has
occurred already and is not armed a second time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from engine.kernel.effects import CancelTimer, Effect, Unsubscribe
from engine.kernel.events_waiting import SILENT
from engine.kernel.migration_match import (
    Fate,
    Line,
    Match,
    What,
    definitions,
    name_of,
    same_condition,
    same_source,
    same_time,
)
from engine.kernel.program import ACTIVITIES, EventDefinition, EventType, Kind, Node, Program
from engine.kernel.state import Element, Phase, State

_HOSTING = frozenset(
    {Phase.WAITING, Phase.SCOPE, Phase.LOOP, Phase.COMPENSATING}
    | {Phase.FAILED_OUTPUT, Phase.FAILED_LEAVE}
)
_HEARD = frozenset({EventType.MESSAGE, EventType.SIGNAL})


@dataclass(slots=True)
class Listeners:
    """What the reconciliation found, for the plan and for the migration itself."""

    #: listener → (node, place) of the new version
    kept: dict[int, tuple[Node, int]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    #: (host, node, place) to arm
    added: list[tuple[int, Node, int]] = field(default_factory=list)
    #: kept, but subscribed to something else now
    resubscribed: list[int] = field(default_factory=list)
    #: kept, but the condition is another one: asked as if it were new
    asked_again: list[int] = field(default_factory=list)
    #: what the outside has to forget
    effects: list[Effect] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def reconcile(match: Match, state: State, hosts: dict[int, Node]) -> Listeners:
    """Compare every listener of these hosts (element → its node in the new version)."""
    found = Listeners()
    below: dict[int, list[int]] = {}
    for number, element in state.elements.items():
        if element.phase is Phase.LISTENING:
            below.setdefault(element.parent, []).append(number)
    for host, node in hosts.items():
        before, after = _expected(match, state, host, node)
        for number in below.pop(host, []):
            _existing(match, found, number, state.elements[number], after)
        _missing(match, found, host, before, after)
    for numbers in below.values():
        # Their host is dissolved, or impossible: then nothing of this is carried out.
        for number in numbers:
            _cancel(match.old, found, number, state.elements[number])
    return found


def _expected(
    match: Match, state: State, host: int, node: Node
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Nodes that may listen at this host: in the old version and in the new one."""
    element = state.elements[host]
    before_node = match.old.by_id[element.node]
    before: list[Node] = []
    after: list[Node] = []
    is_round = _is_round(state, element)
    if node.kind in ACTIVITIES and element.phase in _HOSTING and not is_round:
        before += [match.old.nodes[index] for index in before_node.boundaries]
        after += [match.new.nodes[index] for index in node.boundaries]
    if element.phase is Phase.SCOPE:
        before += _event_starts(match.old, before_node)
        if not _is_interrupted(match.old, state, host):
            after += _event_starts(match.new, node)
    if element.phase is Phase.WAITING:
        if node.kind is Kind.EVENT_BASED:
            before += match.old.targets(before_node)
            after += match.new.targets(node)
        elif node.kind is Kind.CATCH and len(node.events) > 1:
            before.append(before_node)
            after.append(node)
    return tuple(before), tuple(after)


def _existing(
    match: Match, found: Listeners, number: int, element: Element, after: tuple[Node, ...]
) -> None:
    node = match.old.by_id[element.node]
    definition = definitions(node)[element.place]
    target = match.node(node.id)
    place = _place(definition, element.place, target) if target in after else None
    if target is None or place is None:
        _cancel(match.old, found, number, element)
        return
    found.kept[number] = (target, place)
    renewed = definitions(target)[place]
    notes = _differences(definition, renewed)
    if definition.type in _HEARD and not same_source(definition, renewed):
        found.resubscribed.append(number)
    if definition.type is EventType.CONDITIONAL and not same_condition(definition, renewed):
        found.asked_again.append(number)
    found.lines.append(
        Line(
            what=What.LISTENER,
            fate=match.fate(node.id, target),
            element=number,
            node=node.id,
            name=name_of(node, node.id),
            kind=node.kind,
            target=target.id,
            target_name=name_of(target, target.id),
            notes=notes,
        )
    )


def _place(definition: EventDefinition, place: int, target: Node | None) -> int | None:
    """Where the counterpart waits for the same kind of event; the same place first."""
    if target is None:
        return None
    offered = definitions(target)
    if place < len(offered) and offered[place].type is definition.type:
        return place
    same = [index for index, each in enumerate(offered) if each.type is definition.type]
    return same[0] if len(same) == 1 else None


def _differences(before: EventDefinition, after: EventDefinition) -> tuple[str, ...]:
    if before.type is EventType.TIMER:
        return () if same_time(before, after) else ("时限的写法变了，已定的到期时间不变",)
    if before.type in _HEARD:
        return () if same_source(before, after) else ("等待的消息变了，重新登记",)
    if before.type is EventType.CONDITIONAL and not same_condition(before, after):
        return ("条件变了，重新判断",)
    return ()


def _cancel(old: Program, found: Listeners, number: int, element: Element) -> None:
    node = old.by_id[element.node]
    kind = definitions(node)[element.place].type
    found.cancelled.append(number)
    if kind is EventType.TIMER:
        found.effects.append(CancelTimer(element=number))
    elif kind in _HEARD:
        found.effects.append(Unsubscribe(element=number))
    found.lines.append(
        Line(
            what=What.LISTENER,
            fate=Fate.CANCELLED,
            element=number,
            node=node.id,
            name=name_of(node, node.id),
            kind=node.kind,
        )
    )


def _missing(
    match: Match,
    found: Listeners,
    host: int,
    before: tuple[Node, ...],
    after: tuple[Node, ...],
) -> None:
    """Arm what only the new version has; what had its counterpart before has occurred already."""
    occurred: Counter[tuple[str, EventType]] = Counter()
    for node in before:
        target = match.node(node.id)
        if target is not None:
            occurred.update((target.id, each.type) for each in definitions(node))
    for node in after:
        for place, definition in enumerate(definitions(node)):
            if definition.type in SILENT:
                continue
            if occurred[node.id, definition.type] > 0:
                occurred[node.id, definition.type] -= 1
                continue
            found.added.append((host, node, place))
            found.lines.append(
                Line(
                    what=What.LISTENER,
                    fate=Fate.ADDED,
                    element=None,
                    node=node.id,
                    name=name_of(node, node.id),
                    kind=node.kind,
                    target=node.id,
                    target_name=name_of(node, node.id),
                    notes=("从迁移之时起算",) if definition.type is EventType.TIMER else (),
                )
            )


def _event_starts(program: Program, node: Node) -> list[Node]:
    if node.body is None:
        return []
    return [
        program.start_of(program.nodes[index])
        for index in program.scopes[node.body].event_sub_processes
    ]


def _is_interrupted(old: Program, state: State, scope: int) -> bool:
    """Whether an interrupting event subprocess has taken this scope over."""
    for element in state.elements.values():
        if element.parent == scope and element.node and element.phase is not Phase.LISTENING:
            node = old.by_id[element.node]
            if node.kind is Kind.EVENT_SUB_PROCESS and old.start_of(node).interrupting:
                return True
    return False


def _is_round(state: State, element: Element) -> bool:
    parent = state.elements[element.parent]
    return parent.phase is Phase.LOOP and parent.node == element.node
