"""Gateways: when the tokens that arrived are enough, and where they go."""

from __future__ import annotations

from typing import cast

from engine.kernel import events_waiting, flows, scopes
from engine.kernel.effects import Move
from engine.kernel.program import Flow, Kind, Node
from engine.kernel.state import ROOT, Phase
from engine.kernel.work import Step, Work


def arrive(work: Work, flow: Flow, scope: int) -> None:
    """A token reached the end of a flow: it enters its target, or waits there for others."""
    node = work.program.nodes[flow.target]
    if node.kind in _JOINS and len(node.incoming) > 1:
        _wait(work, flow, scope)
        if node.kind is Kind.PARALLEL:
            parallel_gateway(work, node, scope)
    elif node.start_quantity > 1:
        _wait(work, flow, scope)
        _gather(work, node, scope)
    else:
        work.moves.append((Step.ENTER, node, scope))


def parallel_gateway(work: Work, node: Node, scope: int) -> None:
    """One token from each incoming flow; further ones wait for the next round (§13.4.1)."""
    keys = [(scope, work.program.flows[index].id) for index in node.incoming]
    if all(key in work.arrived for key in keys):
        for key in keys:
            _consume(work, key)
        work.enter(node, scope)


def ask_waiting_joins(work: Work) -> bool:
    """Nothing else can move: see which inclusive or complex gateway may go. True if one did."""
    work.touched_joins = False
    if not work.arrived:
        return _late_resets(work)
    seen: set[tuple[int, str]] = set()
    for scope, flow_id in list(work.arrived):
        node = work.program.nodes[work.program.flow_by_id[flow_id].target]
        if (scope, node.id) in seen or node.kind not in _ASKED:
            continue
        seen.add((scope, node.id))
        if node.kind is Kind.INCLUSIVE:
            went = inclusive_gateway(work, node, scope)
        else:
            went = complex_gateway(work, node, scope)
        if went:
            return True
    return _late_resets(work)


def inclusive_gateway(work: Work, node: Node, scope: int) -> bool:
    """Go when no token elsewhere can still bring one to an empty incoming flow (§13.4.3).

    A token that can also reach a flow where one already waits does not hold the gateway back.
    """
    filled, empty = _incoming(work, node, scope)
    if empty and _may_still_come(work, node, scope, filled, empty):
        return False
    for index in filled:
        _consume(work, (scope, work.program.flows[index].id))
    work.enter(node, scope)
    return True


def complex_gateway(work: Work, node: Node, scope: int) -> bool:
    """Go when the activation condition holds; then swallow the rest of the round (§13.4.5)."""
    filled, empty = _incoming(work, node, scope)
    if _reset_of(work, node, scope) is not None:
        return False
    flow_ids = [work.program.flows[index].id for index in node.incoming]
    count = sum(work.arrived.get((scope, flow_id), 0) for flow_id in flow_ids)
    if node.condition is None:
        ready = not empty
    else:
        ready = work.holds_for(node, scope, node.condition, {"activationCount": count})
    if not ready:
        return False
    for index in filled:
        _consume(work, (scope, work.program.flows[index].id))
    if empty:
        marker = work.add(node, scope, Phase.RESET)
        work.locals[marker] = {"#open": list(empty)}
    work.enter(node, scope)
    return True


def begin(work: Work, number: int, node: Node) -> None:
    """A gateway with its tokens: leave by the chosen flows, or wait for the first event."""
    if node.kind is Kind.EVENT_BASED:
        event_based_gateway(work, number, node)
    else:
        flows.depart(work, number, node, flows.chosen(work, number, node))


def event_based_gateway(work: Work, number: int, node: Node) -> None:
    """Listen for every alternative; the first that happens wins (§13.4.4)."""
    for target in work.program.targets(node):
        events_waiting.listen(work, number, target)


def event_chosen(work: Work, gateway: int) -> int:
    """An alternative happened: the others are off. The scope the winner's token lives in."""
    scope = work.elements[gateway].parent
    scopes.stop_listening(work, gateway)
    flows.depart(work, gateway, work.node(gateway), [])
    return scope


def begin_process(work: Work, gateway: Node, happened: Node) -> None:
    """The first event made the instance; a parallel gateway awaits the rest in it (§10.6.6)."""
    number = work.add(gateway, ROOT)
    work.record(Move.ENTERED, number, gateway)
    flows.depart(work, number, gateway, [])
    for other in work.program.targets(gateway) if gateway.parallel_multiple else ():
        if other is not happened:
            work.enter(other, ROOT)


def _incoming(work: Work, node: Node, scope: int) -> tuple[list[int], frozenset[int]]:
    filled = [
        index for index in node.incoming if (scope, work.program.flows[index].id) in work.arrived
    ]
    return filled, frozenset(node.incoming) - frozenset(filled)


def _may_still_come(
    work: Work, node: Node, scope: int, filled: list[int], empty: frozenset[int]
) -> bool:
    already = frozenset(filled)
    for place in _places(work, node, scope):
        reached = node.reached_from.get(place, frozenset())
        if reached & empty and not reached & already:
            return True
    return False


def _places(work: Work, node: Node, scope: int) -> list[str]:
    """Ids of nodes of this scope instance at which tokens are, other than this gateway."""
    places = [
        element.node
        for element in (work.elements[child] for child in work.below(scope))
        if element.phase not in (Phase.LISTENING, Phase.RESET)
    ]
    for holder, flow_id in work.arrived:
        target = work.program.nodes[work.program.flow_by_id[flow_id].target]
        if holder == scope and target.id != node.id:
            places.append(target.id)
    return places


def _reset_of(work: Work, node: Node, scope: int) -> int | None:
    for child in work.below(scope):
        element = work.elements[child]
        if element.phase is Phase.RESET and element.node == node.id:
            return child
    return None


def _late_resets(work: Work) -> bool:
    """Swallow late tokens of complex gateways; the round ends when none can come any more."""
    for number, element in list(work.elements.items()):
        if element.phase is not _RESET or number not in work.elements:
            continue
        node = work.program.by_id[element.node]
        missing = set(cast("list[int]", work.locals[number]["#open"]))
        for index in sorted(missing):
            key = (element.parent, work.program.flows[index].id)
            if key in work.arrived:
                _consume(work, key)
                missing.discard(index)
                work.locals[number]["#open"] = sorted(missing)
        coming = any(
            node.reached_from.get(place, frozenset()) & missing
            for place in _places(work, node, element.parent)
        )
        if not missing or not coming:
            work.remove(number)
            return True
    return False


def _wait(work: Work, flow: Flow, scope: int) -> None:
    key = (scope, flow.id)
    work.arrived[key] = work.arrived.get(key, 0) + 1
    work.touched_joins = True


def _gather(work: Work, node: Node, scope: int) -> None:
    """`startQuantity` tokens, from whatever flow, start the activity once (§13.3.2)."""
    keys = [(scope, work.program.flows[index].id) for index in node.incoming]
    if sum(work.arrived.get(key, 0) for key in keys) < node.start_quantity:
        return
    needed = node.start_quantity
    for key in keys:
        while needed and key in work.arrived:
            _consume(work, key)
            needed -= 1
    work.enter(node, scope)


def _consume(work: Work, key: tuple[int, str]) -> None:
    work.arrived[key] -= 1
    if not work.arrived[key]:
        del work.arrived[key]


_RESET = Phase.RESET
_JOINS = frozenset({Kind.PARALLEL, Kind.INCLUSIVE, Kind.COMPLEX})
_ASKED = frozenset({Kind.INCLUSIVE, Kind.COMPLEX})
