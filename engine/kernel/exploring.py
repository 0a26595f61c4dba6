"""What an exploration has to know of a program before it starts."""

from __future__ import annotations

from engine.kernel.possible import Possible, region_of
from engine.kernel.program import ACTIVITIES, EventType, Kind, Program


def asking(program: Program) -> frozenset[str]:
    """Ids of nodes that may ask for a decision when they begin or finish."""
    found: set[str] = set()
    for node in program.nodes:
        conditional = any(program.flows[index].condition is not None for index in node.outgoing)
        if conditional or node.loop is not None:
            found.add(node.id)
    return frozenset(found)


def counted_ends(program: Program) -> frozenset[int]:
    """Ends that one run of their scope may reach once only.

    Behind a non-interrupting event they may be reached as often as the event occurs.
    """
    often: set[int] = set()
    for node in program.nodes:
        if node.kind is Kind.BOUNDARY and not node.interrupting:
            often |= region_of(program, node)
    return frozenset(
        node.index
        for node in program.nodes
        if not node.outgoing
        and node.index not in often
        and not node.for_compensation
        and (node.kind is Kind.END or node.kind in ACTIVITIES - {Kind.EVENT_SUB_PROCESS})
        and not any(event.type is EventType.LINK for event in node.events)
        and program.nodes[program.scopes[node.scope].node or 0].kind is not Kind.AD_HOC
    )


def joined_by_events(program: Program) -> bool:
    """Whether an event that may occur again leads to where other tokens come, too.

    Tokens that run on one after the other would never show there that they pile up.
    """
    possible = Possible(program, reduce=True)
    return any(
        node.kind is Kind.BOUNDARY and not node.interrupting and possible.is_counted(node.id)
        for node in program.nodes
    )


def may_be_left(program: Program) -> bool:
    """Whether an event can end a scope: then a choice put off must not pass for a wait."""
    return any(
        scope.event_sub_processes
        or (scope.node is not None and program.nodes[scope.node].boundaries)
        for scope in program.scopes
    )
