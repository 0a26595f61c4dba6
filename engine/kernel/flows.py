"""Which outgoing flows a token takes, and the end of an element."""

from __future__ import annotations

from engine.kernel.effects import Move
from engine.kernel.program import ACTIVITIES, GATEWAYS, EventType, Flow, Kind, Node, Program
from engine.kernel.work import Work
from engine.model.errors import ModelFault


def chosen(work: Work, number: int, node: Node) -> list[Flow]:
    """The flows the element leaves by, in document order. Raises `ModelFault` for none.

    Exclusive: the first whose condition holds (BPMN 2.0.2 §13.4.2).  Parallel: all.  Everything
    else, activities included: all without condition and all whose condition holds (§13.4.3).
    The default is for the case that no condition held: next to it an activity also leaves by its
    flows without condition (§10.4.1), a gateway does not.
    """
    flows = [work.program.flows[index] for index in node.outgoing]
    kind = node.kind
    if len(flows) == 1 and flows[0].condition is None:
        return flows
    if kind is Kind.PARALLEL or (len(flows) < 2 and not _conditional(flows, node)):
        return flows
    first_only = kind is Kind.EXCLUSIVE
    taken: list[Flow] = []
    held = False
    for flow in flows:
        if flow.index == node.default:
            continue
        if flow.condition is None or work.holds(number, flow.condition):
            taken.append(flow)
            held = held or flow.condition is not None or kind in GATEWAYS
            if first_only:
                break
    if not held and node.default is not None:
        taken.append(work.program.flows[node.default])
        taken.sort(key=lambda flow: flow.index)
    if not taken:
        raise ModelFault(
            f"“{node.name or node.id}”的所有分支条件都不成立，又没有默认分支", element=node.id
        )
    return taken


def _conditional(flows: list[Flow], node: Node) -> bool:
    return any(flow.condition is not None and flow.index != node.default for flow in flows)


def link_targets(program: Program, node: Node) -> tuple[Node, ...]:
    """The catching link of the same scope that a throwing link goes on at (§10.5.5)."""
    if node.kind is not Kind.THROW:
        return ()
    names = {event.name for event in node.events if event.type is EventType.LINK}
    return tuple(
        target
        for target in (program.nodes if names else ())
        if target.kind is Kind.CATCH
        and target.scope == node.scope
        and any(event.type is EventType.LINK and event.name in names for event in target.events)
    )


def depart(work: Work, number: int, node: Node, flows: list[Flow], **detail: object) -> None:
    """The element is completed and gone; one token (or more) leaves on each flow."""
    if len(node.outgoing) > 1:
        detail["flows"] = [flow.id for flow in flows]
    work.record(Move.COMPLETED, number, node, **detail)
    scope = work.elements[number].parent
    work.remove(number)
    copies = node.completion_quantity if node.kind in ACTIVITIES else 1
    for flow in flows:
        for _ in range(copies):
            work.take(flow, scope)
