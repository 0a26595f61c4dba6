"""Which nodes the tokens of a state may still get to, by the drawing alone."""

from __future__ import annotations

from typing import cast

from engine.kernel.program import EventType, Flow, Kind, Node, Program
from engine.kernel.state import ROOT, Life
from engine.kernel.work import Step, Work


class Reach:
    """What can follow what in one program, whatever data say."""

    def __init__(self, program: Program) -> None:
        self._after = _closure(_one_step(program))
        self._known: dict[tuple[frozenset[str], str], bool] = {}

    def reaches(self, work: Work, node_id: str) -> bool:
        """Whether a token may come to this node, or waits or listens there."""
        if work.life is Life.ENDED:
            return False
        places = {each.node for number, each in work.elements.items() if number != ROOT}
        program = work.program
        places |= {program.nodes[program.flow_by_id[flow].target].id for _, flow in work.arrived}
        for move in (*work.moves, *work.late_moves):
            if move[0] is Step.TAKE:
                places.add(program.nodes[cast("Flow", move[1]).target].id)
            elif move[0] is Step.ENTER:
                places.add(cast("Node", move[1]).id)
        same = (frozenset(places), node_id)
        if same not in self._known:
            self._known[same] = any(
                node_id == place or node_id in self._after.get(place, ()) for place in places
            )
        return self._known[same]


def _one_step(program: Program) -> dict[str, set[str]]:
    after: dict[str, set[str]] = {node.id: set() for node in program.nodes}
    links: dict[str | None, list[str]] = {}
    for node in program.nodes:
        if node.kind is Kind.CATCH:
            for event in node.events:
                if event.type is EventType.LINK:
                    links.setdefault(event.name, []).append(node.id)
    for node in program.nodes:
        found = after[node.id]
        found.update(program.nodes[program.flows[index].target].id for index in node.outgoing)
        found.update(program.nodes[index].id for index in node.boundaries)
        found.update(each.id for each in program.nodes if each.for_compensation)
        if node.body is not None:
            found.update(each.id for each in program.nodes if each.scope == node.body)
        for event in node.events:
            if event.type is EventType.LINK and node.kind is Kind.THROW:
                found.update(links.get(event.name, ()))
        owner = program.scopes[node.scope].node
        if owner is not None:
            found.add(program.nodes[owner].id)
        found.update(_beside(program, node.scope))
    return after


def _beside(program: Program, scope: int) -> list[str]:
    """Event subprocesses listen as long as any token of their scope lives."""
    return [program.nodes[index].id for index in program.scopes[scope].event_sub_processes]


def _closure(after: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for start, first in after.items():
        seen: set[str] = set()
        todo = list(first)
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += after[node]
        found[start] = frozenset(seen)
    return found
