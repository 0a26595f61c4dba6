"""What may happen next to a waiting instance: every trigger, or enough of them.

The reduction: branches that cannot disturb each other need not be interleaved.  Of several live
branches of a scope only one acts, then the next; what can cancel them all stays possible
throughout.  Scopes in which one branch can end the others are not reduced.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import cast

from engine.kernel import triggers
from engine.kernel.abstraction import FIRED, descendants
from engine.kernel.free_choice import NEVER_THROWN_OUTSIDE, replaced
from engine.kernel.program import EventDefinition, EventType, Expression, Kind, Node, Program
from engine.kernel.state import ROOT, Phase
from engine.kernel.triggers import Trigger
from engine.kernel.work import Work

AT = datetime(2026, 1, 1, tzinfo=UTC)
ANY_CODE = "*"
"""Stands for an error or escalation whose code nobody names."""

_CAN_FAIL = frozenset(
    {Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK, Kind.CALL_ACTIVITY}
)
_SAYS_WHAT = frozenset(
    {Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK, Kind.RECEIVE_TASK}
)
_TAKES_TIME = frozenset({Kind.TASK, Kind.SCRIPT_TASK, Kind.MANUAL_TASK, Kind.SEND_TASK})
_WIDE = frozenset({EventType.ERROR, EventType.CANCEL})


@dataclasses.dataclass(frozen=True, slots=True)
class Choose:
    """A gateway whose choice was put off makes it now."""

    element: int


Event = Trigger | Choose


def prepared(program: Program) -> Program:
    """The program with what a proof has to see more of than one run shows.

    1. An error or escalation event that nothing in the model throws counts as possible at any
       time its host lives.  2. Where something can happen meanwhile, tasks take time, and so does
    the start: an event counts as possible as soon as its scope is open.
    """
    program = _complete(program)
    changed: dict[int, Node] = {}
    for node in program.nodes:
        if node.kind is Kind.BOUNDARY or _is_event_start(program, node):
            events = tuple(_opened(program, node, event) for event in node.events)
            if events != node.events:
                changed[node.index] = dataclasses.replace(node, events=events)
    slow = wild_scopes(program) | _listening_scopes(program)
    for node in program.nodes:
        waits = node.kind in _TAKES_TIME and node.task is None and node.operation is None
        begins = node.kind is Kind.START and program.scopes[node.scope].starts == (node.index,)
        begins = begins and not node.events and node.scope in slow
        if begins or (waits and (node.scope in slow or node.boundaries)):
            changed[node.index] = dataclasses.replace(node, kind=Kind.USER_TASK)
    return replaced(program, changed, {})


def _complete(program: Program) -> Program:
    """A drawing whose tasks do not say yet what they do: they do something, sooner or later."""
    changed: dict[int, Node] = {}
    for node in program.nodes:
        known = node
        says_nothing = not (node.operation or node.decision or node.message)
        if says_nothing and node.kind in _SAYS_WHAT:
            known = dataclasses.replace(node, kind=Kind.TASK)
        loop = node.loop
        if loop is not None and not (loop.standard or loop.collection or loop.cardinality):
            free = Expression(text="", evaluate=None, names=("",))
            known = dataclasses.replace(known, loop=dataclasses.replace(loop, cardinality=free))
        if known is not node:
            changed[node.index] = known
    return replaced(program, changed, {})


def wild_scopes(program: Program) -> frozenset[int]:
    """Scopes in which one branch can end or undo the others."""
    wild: set[int] = set()
    for node in program.nodes:
        if node.kind in (Kind.END, Kind.THROW):
            types = {event.type for event in node.events}
            if EventType.TERMINATE in types:
                wild.add(node.scope)
            if types & _WIDE or EventType.COMPENSATION in types:
                wild.update(_outwards(program, node.scope))
        if node.kind is Kind.AD_HOC and node.body is not None:
            wild.add(node.body)
    return frozenset(wild)


def _listening_scopes(program: Program) -> frozenset[int]:
    """Scopes with something that may happen to them while they are open, and all inside them."""
    open_to: set[int] = set()
    for scope in program.scopes:
        owner = program.nodes[scope.node] if scope.node is not None else None
        heard = scope.event_sub_processes or (owner is not None and owner.boundaries)
        if heard or scope.parent in open_to:
            open_to.add(scope.index)
    return frozenset(open_to)


class Possible:
    """The triggers of one program."""

    def __init__(self, program: Program, *, reduce: bool) -> None:
        self._program = program
        self._reduce = reduce
        self._wild = wild_scopes(program)
        self._choosing: frozenset[int] = frozenset()
        self._private: dict[str, frozenset[str] | None] = {}
        for node in program.nodes:
            if node.kind is Kind.BOUNDARY and not node.interrupting:
                self._private[node.id] = _private_region(program, node)

    def starts(self) -> list[Trigger]:
        """Every way an instance can begin."""
        plain = [
            node
            for node in self._program.nodes
            if node.kind is Kind.START and node.scope == 0 and not node.events
        ]
        found: list[Trigger] = []
        if len(plain) < 2 and self._program.scopes[0].starts:
            found.append(triggers.Started(at=AT))
        elif len(plain) > 1:
            found += [triggers.Started(at=AT, node=node.id) for node in plain]
        found += [
            triggers.Started(at=AT, node=self._program.nodes[index].id)
            for index in self._program.triggered_starts
        ]
        return found

    def next(self, work: Work) -> list[Event]:
        """What to try from here."""
        self._choosing = frozenset(cast("int", move[1]) for move in work.moves)
        return self._in_scope(work, ROOT) if self._reduce else self._all(work, ROOT)

    def echoing(self) -> frozenset[str]:
        """Ids of nodes that only tokens of a non-interrupting event reach."""
        found = {node for region in self._private.values() if region for node in region}
        for node in self._program.nodes:
            owner = self._program.scopes[node.scope].node
            if _is_event_start(self._program, node) and not node.interrupting:
                assert owner is not None
                found.add(self._program.nodes[owner].id)
        return frozenset(found)

    def is_counted(self, node_id: str) -> bool:
        """Whether firings of this boundary event have to be counted: its tokens meet others."""
        return self._private.get(node_id, frozenset()) is None

    def _all(self, work: Work, number: int) -> list[Event]:
        found = self._own(work, number)
        for child in descendants(work, number):
            found += self._own(work, child)
        return found

    def _in_scope(self, work: Work, number: int) -> list[Event]:
        """Of a scope or loop body, or of a single waiting element with its listeners."""
        element = work.elements[number]
        if element.phase not in (Phase.SCOPE, Phase.LOOP) or self._is_wild(work, number):
            return self._all(work, number)
        listening: list[int] = []
        branches: list[int] = []
        for child in work.below(number):
            is_listener = work.elements[child].phase is Phase.LISTENING
            (listening if is_listener else branches).append(child)
        active = [child for child in branches if self._all(work, child)]
        if not active:
            return self._of(work, listening)
        first = min(active, key=lambda child: (work.node(child).index, child))
        if len(active) == 1:
            return self._in_scope(work, first) + self._of(work, listening)
        ends_all = [child for child in listening if work.node(child).interrupting]
        return self._in_scope(work, first) + self._of(work, ends_all)

    def _is_wild(self, work: Work, number: int) -> bool:
        node = work.node(number)
        if work.elements[number].phase is Phase.LOOP:
            loop = node.loop
            return loop is not None and (loop.completion is not None or loop.event is not None)
        return node.body in self._wild

    def _of(self, work: Work, numbers: list[int]) -> list[Event]:
        return [trigger for number in numbers for trigger in self._own(work, number)]

    def _own(self, work: Work, number: int) -> list[Event]:
        element = work.elements[number]
        if number in self._choosing:
            return [Choose(number)]
        if number == ROOT or element.phase not in (Phase.WAITING, Phase.LISTENING):
            return []
        node = work.program.by_id[element.node]
        if element.phase is Phase.LISTENING:
            return self._listener(work, number, node)
        if node.kind in (Kind.USER_TASK, Kind.MANUAL_TASK):
            outcomes = node.task.outcomes if node.task is not None else ()
            outcome = outcomes[0].id if outcomes else None
            return [triggers.TaskCompleted(at=AT, element=number, outcome=outcome)]
        if node.kind in _CAN_FAIL:
            return self._outside_work(work, number, node)
        if node.kind in (Kind.CATCH, Kind.RECEIVE_TASK):
            events = node.events or (node.message,)
            return [] if len(events) > 1 else [_fired(number, events[0])]
        return []

    def _listener(self, work: Work, number: int, node: Node) -> list[Event]:
        repeats = node.kind in (Kind.BOUNDARY, Kind.START) and not node.interrupting
        if repeats and not self._may_fire_again(work, number, node):
            return []
        return [_fired(number, (node.events or (node.message,))[work.elements[number].place])]

    def _may_fire_again(self, work: Work, number: int, node: Node) -> bool:
        """A further copy of what is still there, or of what cannot meet others, shows nothing."""
        host = work.elements[number].parent
        if node.kind is Kind.START:
            owner = self._program.scopes[node.scope].node
            name = self._program.nodes[owner].id if owner is not None else ""
            return all(work.elements[child].node != name for child in work.below(host))
        region = self._private[node.id]
        if region is None:
            fired = work.locals.get(number, {}).get(FIRED, 0)
            return isinstance(fired, int) and fired < 2
        scope = work.elements[host].parent
        live = {work.elements[child].node for child in work.below(scope)}
        arrived = {
            self._program.nodes[self._program.flow_by_id[flow].target].id
            for holder, flow in work.arrived
            if holder == scope
        }
        return region.isdisjoint(live | arrived)

    def _outside_work(self, work: Work, number: int, node: Node) -> list[Event]:
        found: list[Event] = []
        errors = self._caught(work, number, EventType.ERROR)
        if node.kind is Kind.CALL_ACTIVITY:
            found.append(triggers.ChildEnded(at=AT, element=number))
            found += [triggers.ChildEnded(at=AT, element=number, error_code=e) for e in errors]
            found += [
                triggers.EscalationReached(at=AT, element=number, escalation_code=code)
                for code in self._caught(work, number, EventType.ESCALATION)
            ]
            return found
        found.append(triggers.OperationReturned(at=AT, element=number))
        found += [triggers.OperationFailed(at=AT, element=number, error_code=e) for e in errors]
        return found

    def _caught(self, work: Work, number: int, kind: EventType) -> list[str]:
        """Codes that some handler around the element catches."""
        codes: dict[str, None] = {}
        while True:
            element = work.elements[number]
            for index in work.node(number).boundaries if number != ROOT else ():
                codes.update(_codes(self._program.nodes[index], kind))
            if element.phase is Phase.SCOPE:
                body = work.node(number).body
                scope = self._program.scopes[body if body is not None else 0]
                for index in scope.event_sub_processes:
                    start = self._program.start_of(self._program.nodes[index])
                    codes.update(_codes(start, kind))
            if number == ROOT:
                return list(codes)
            number = element.parent


def _codes(node: Node, kind: EventType) -> dict[str, None]:
    return {event.name or ANY_CODE: None for event in node.events if event.type is kind}


def _fired(number: int, event: EventDefinition | None) -> Trigger:
    if event is not None and event.type is EventType.TIMER:
        return triggers.TimerFired(at=AT, element=number, due_at=AT)
    return triggers.EventArrived(at=AT, element=number)


def _is_event_start(program: Program, node: Node) -> bool:
    owner = program.scopes[node.scope].node
    return (
        node.kind is Kind.START
        and owner is not None
        and program.nodes[owner].kind is Kind.EVENT_SUB_PROCESS
    )


def _opened(program: Program, node: Node, event: EventDefinition) -> EventDefinition:
    """The event as one from outside, when nothing in the model can cause it."""
    if event.type not in NEVER_THROWN_OUTSIDE or _can_be_thrown(program, node, event):
        return event
    return EventDefinition(type=EventType.SIGNAL, name=f"{event.type.value} {event.name or ''}")


def _can_be_thrown(program: Program, node: Node, event: EventDefinition) -> bool:
    for thrower in _inside(program, node):
        if thrower.kind in _CAN_FAIL and (
            event.type is EventType.ERROR or thrower.kind is Kind.CALL_ACTIVITY
        ):
            return True
        if thrower.kind in (Kind.THROW, Kind.END) and any(
            thrown.type is event.type and event.name in (None, thrown.name)
            for thrown in thrower.events
        ):
            return True
        if thrower.loop is not None and thrower.loop.event is not None:
            return True
    return False


def _inside(program: Program, node: Node) -> list[Node]:
    """The host of a boundary event, or the scope of an event subprocess, with all below."""
    if node.kind is Kind.BOUNDARY:
        host = program.by_id.get(node.attached_to or "")
        if host is None:
            return []
        if host.body is None:
            return [host]
        top = host.body
        found = [host]
    else:
        owner = program.scopes[node.scope].node
        top = program.nodes[owner].scope if owner is not None else 0
        found = []
    below = {scope.index for scope in program.scopes if top in _outwards(program, scope.index)}
    return found + [each for each in program.nodes if each.scope in below]


def _outwards(program: Program, scope: int) -> list[int]:
    chain = [scope]
    parent = program.scopes[scope].parent
    while parent is not None:
        chain.append(parent)
        parent = program.scopes[parent].parent
    return chain


def region_of(program: Program, node: Node) -> set[int]:
    """Every node of its scope that a token which leaves this node can get to."""
    seen: set[int] = set()
    todo = [node.index]
    while todo:
        index = todo.pop()
        if index in seen:
            continue
        seen.add(index)
        current = program.nodes[index]
        todo += [program.flows[flow].target for flow in current.outgoing]
        todo += current.boundaries
        if current.kind is Kind.THROW:
            todo += _link_targets(program, current)
    return seen


def _link_targets(program: Program, node: Node) -> list[int]:
    names = {event.name for event in node.events if event.type is EventType.LINK}
    return [
        other.index
        for other in program.nodes
        if other.kind is Kind.CATCH
        and other.scope == node.scope
        and any(event.type is EventType.LINK and event.name in names for event in other.events)
    ]


def _private_region(program: Program, node: Node) -> frozenset[str] | None:
    """The region behind a boundary event if nothing else leads into it."""
    region = region_of(program, node)
    for index in region - {node.index}:
        inner = program.nodes[index]
        if inner.kind is Kind.END:
            continue
        if any(program.flows[flow].source not in region for flow in inner.incoming):
            return None
    return frozenset(program.nodes[index].id for index in region)
