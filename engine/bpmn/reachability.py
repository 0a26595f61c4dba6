"""Tables for gateways that wait: which of their incoming flows can a token elsewhere reach?"""

from __future__ import annotations

from collections.abc import Sequence

from engine.kernel.program import EventType, Flow, Kind, Node

#: a parallel gateway does not ask the table itself; moving tokens by hand does
WAITING_GATEWAYS = frozenset({Kind.INCLUSIVE, Kind.COMPLEX, Kind.PARALLEL})


def reached_from(
    gateway: Node, nodes: Sequence[Node], flows: Sequence[Flow]
) -> dict[str, frozenset[int]]:
    """For every node of the scope: incoming flows of the gateway that a token there can reach.

    The path may not pass the gateway itself (BPMN 2.0.2 §13.4.3).  A boundary event is a way on
    from its activity, a catching link from its throwing one: a token can really get there.
    """
    before = _predecessors(nodes, flows)
    table: dict[str, set[int]] = {}
    for incoming in gateway.incoming:
        seen: set[int] = set()
        todo = [flows[incoming].source]
        while todo:
            index = todo.pop()
            if index in seen or index == gateway.index:
                continue
            seen.add(index)
            todo.extend(before.get(index, ()))
        for index in seen:
            table.setdefault(nodes[index].id, set()).add(incoming)
    return {node_id: frozenset(found) for node_id, found in table.items()}


def _predecessors(nodes: Sequence[Node], flows: Sequence[Flow]) -> dict[int, list[int]]:
    before: dict[int, list[int]] = {}
    by_id = {node.id: node for node in nodes}
    for flow in flows:
        before.setdefault(flow.target, []).append(flow.source)
    for node in nodes:
        if node.kind is Kind.BOUNDARY and node.attached_to in by_id:
            before.setdefault(node.index, []).append(by_id[node.attached_to].index)
        link = _link(node) if node.kind is Kind.CATCH else None
        for thrower in nodes if link is not None else ():
            same_scope = thrower.kind is Kind.THROW and thrower.scope == node.scope
            if same_scope and _link(thrower) == link:
                before.setdefault(node.index, []).append(thrower.index)
    return before


def _link(node: Node) -> str | None:
    if node.events and node.events[0].type is EventType.LINK:
        return node.events[0].name or ""
    return None
