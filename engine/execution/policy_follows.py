"""What surely happens after a node of a program, on every path to its end."""

from __future__ import annotations

from collections.abc import Callable

from engine.execution.policy_places import Moment, Place, Places, is_certain
from engine.kernel.program import GATEWAYS, Kind, Node, Program


class Follows:
    """Where a token surely comes to one of the nodes of `is_done`.

    A greatest fixpoint: whichever branch it takes, whichever interrupting event cuts it short.
    """

    def __init__(self, program: Program, is_done: Callable[[Node], bool], places: Places) -> None:
        self._program = program
        self._is_done = is_done
        self._after: dict[int, bool] = {node.index: True for node in program.nodes}
        self._places = places
        self._solve()

    def after(self, node: Node) -> bool:
        """Whether it surely happens after this node is completed."""
        return self._after[node.index]

    def _solve(self) -> None:
        changed = True
        while changed:
            changed = False
            for node in reversed(self._program.nodes):
                if self._after[node.index] and not self._check(node):
                    self._after[node.index] = False
                    changed = True

    def _check(self, node: Node) -> bool:
        return all(self.met_at(node) for node in self._cut(node)) and self._goes_on(node)

    def _goes_on(self, node: Node) -> bool:
        program = self._program
        targets = [program.nodes[program.flows[flow].target] for flow in node.outgoing]
        if targets:
            met = [self.met_at(target) for target in targets]
            forks = node.kind is Kind.PARALLEL or (len(met) > 1 and self._is_plain_fork(node))
            return any(met) if forks else all(met)
        links = [
            other
            for other in program.nodes
            if Place(Moment.DONE, node.index)
            in self._places.sources[Place(Moment.ARRIVED, other.index)]
            and other.kind is Kind.CATCH
        ]
        if links:
            return all(self.met_at(other) for other in links)
        owner = program.scopes[node.scope].node
        if owner is None:
            return False
        return self._is_done(program.nodes[owner]) or self._after[owner]

    def _is_plain_fork(self, node: Node) -> bool:
        conditional = any(self._program.flows[flow].condition for flow in node.outgoing)
        return not conditional and node.kind not in GATEWAYS

    def met_at(self, node: Node) -> bool:
        """Whether a token that comes to this node surely meets what is asked."""
        program = self._program
        cut = [program.nodes[each] for each in node.boundaries if program.nodes[each].interrupting]
        if not all(self._after[each.index] or self._is_done(each) for each in cut):
            return False
        if self._is_done(node) and is_certain(node):
            return True
        if node.body is not None and is_certain(node):
            starts = [program.nodes[each] for each in program.scopes[node.body].starts]
            if any(self.met_at(each) for each in starts):
                return True
        return self._after[node.index]

    def _cut(self, node: Node) -> list[Node]:
        """Where a token may find itself instead, as long as the scopes around it can be cut."""
        found: list[Node] = []
        scope = self._program.scopes[node.scope]
        while True:
            for index in scope.event_sub_processes:
                event = self._program.nodes[index]
                if self._program.start_of(event).interrupting and node.scope != event.body:
                    found.append(event)
            if scope.node is None or scope.parent is None:
                return found
            owner = self._program.nodes[scope.node]
            found += [
                self._program.nodes[each]
                for each in owner.boundaries
                if self._program.nodes[each].interrupting
            ]
            scope = self._program.scopes[scope.parent]
