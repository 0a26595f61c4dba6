"""The textbook's token game on sequence flows: a marking is a bag of flows that hold tokens."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Mapping

from engine.kernel.program import Kind, Node


def fire(
    node: Node, marking: Counter[Hashable], pool: int | None = None
) -> Iterator[Counter[Hashable]]:
    """Every marking that is left when the node fires once; a flow is known by its pool, if any."""

    def bag(flows):
        return list(flows) if pool is None else [(pool, flow) for flow in flows]

    filled = [flow for flow in bag(node.incoming) if marking[flow]]
    if not filled or (node.kind is Kind.PARALLEL and len(filled) < len(node.incoming)):
        return
    one = node.kind is Kind.EXCLUSIVE
    for used in [filled] if node.kind is Kind.PARALLEL else [[flow] for flow in filled]:
        for way in [[flow] for flow in bag(node.outgoing)] if one else [bag(node.outgoing)]:
            after = Counter(marking)
            after.subtract(used)
            after.update(way)
            yield +after


def all_can_end(known: set[tuple], before: Mapping[object, set[object]]) -> bool:
    """Whether from every known state one without tokens can be reached; `before`: what led there."""
    good = {state for state in known if not state[0]}
    back = deque(good)
    while back:
        for state in before.get(back.popleft(), ()):
            if state not in good:
                good.add(state)
                back.append(state)
    return good == known
