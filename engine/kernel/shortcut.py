"""The verdict on a process of plain parts, scope by scope, without the explorer.

A subprocess that is sound by itself is a task for what is around it: whatever happens inside, it
completes.  So every scope is played alone.  A fault inside counts only where nothing around could
put an end to it; where that is open, and for everything that is not plain, there is no verdict
here and the explorer looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.kernel.free_choice import Split, splits
from engine.kernel.plain_parts import NotPlain
from engine.kernel.program import Kind, Node, Program, Scope
from engine.kernel.token_game import Fault, FaultKind, Game, Played
from engine.kernel.token_net import MANY_WAYS, TokenNet, net_of
from engine.kernel.token_regions import collapse, shown

_AT_FIRST = 1_000
"""So many markings before regions are looked for: most processes need less."""

_MARKINGS_PER_STATE = 5
"""A marking is so much smaller than a state of the kernel."""


First = list[tuple[int, tuple[str, ...]]]
"""Markings a scope may begin with, and the nodes entered for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the token games found."""

    faults: tuple[Fault, ...]
    #: whether the kernel has to confirm a fault before it counts
    is_doubtful: bool
    visited: frozenset[str]
    markings: int
    splits: tuple[Split, ...]
    #: a way to each split that may have no way on
    missing: tuple[tuple[Split, tuple[str, ...]], ...]


def look(program: Program, *, maximum_states: int, is_late: Callable[[], bool]) -> Look | None:
    """The verdict on a program whose flows are free (`with_free_flows`); None: ask the explorer."""
    try:
        return _Looker(program, maximum_states * _MARKINGS_PER_STATE, is_late).look()
    except NotPlain:
        return None


class _Looker:
    def __init__(self, program: Program, maximum: int, is_late: Callable[[], bool]) -> None:
        self._program = program
        self._maximum = maximum
        self._is_late = is_late
        self._splits = splits(program)
        self._split_of = {split.node.id: split for split in self._splits}
        self._nets = [net_of(program, scope, self._split_of) for scope in program.scopes]
        self._visited: set[str] = set()
        self._faults: list[Fault] = []
        self._missing: list[tuple[Split, tuple[str, ...]]] = []
        self._markings = 0
        self._is_doubtful = False

    def look(self) -> Look | None:
        self._scope(self._program.scopes[0], tuple)
        return Look(
            faults=tuple(self._faults),
            is_doubtful=self._is_doubtful,
            visited=frozenset(self._visited),
            markings=self._markings,
            splits=self._splits,
            missing=tuple(self._missing),
        )

    def _scope(self, scope: Scope, way_in: Callable[[], tuple[str, ...]]) -> None:
        net = self._nets[scope.index]
        game, played, visited = self._play(net, self._first(scope))
        self._visited |= visited
        for fault in played.faults:
            if self._can_be_left(scope):
                if fault.kind is not FaultKind.DOUBLED:
                    raise NotPlain
                self._is_doubtful = True
            self._faults.append(Fault(fault.kind, fault.node_id, (*way_in(), *fault.path)))
        self._open_splits(game, visited, way_in)
        if played.faults:
            return
        if not played.is_complete or (net.errors and not game.ends_well()):
            raise NotPlain
        for boundary in net.aside:
            if boundary.attached_to in visited:
                self._aside(net, boundary)
        for node in self._program.nodes:
            if node.scope == scope.index and node.body is not None:
                self._inside(game, node, node.body, way_in)

    def _open_splits(
        self, game: Game, visited: set[str], way_in: Callable[[], tuple[str, ...]]
    ) -> None:
        for split in self._splits:
            if split.misses_default and split.node.id in visited:
                self._missing.append((split, (*way_in(), *game.path_to(split.node.id))))

    def _inside(
        self, game: Game, node: Node, body: int, way_in: Callable[[], tuple[str, ...]]
    ) -> None:
        """What is inside a node of a scope that is sound but for its inside."""
        if node.kind is Kind.EVENT_SUB_PROCESS:
            self._visited.add(node.id)
            self._scope(self._program.scopes[body], lambda: (*way_in(), node.id))
        elif node.id in self._visited:
            self._scope(self._program.scopes[body], lambda: (*way_in(), *game.path_to(node.id)))

    def _play(self, net: TokenNet, first: First) -> tuple[Game, Played, set[str]]:
        """Play the whole net; where that leaves doubt, with its sound regions replaced."""
        game, played = self._game(net, first, min(self._maximum, _AT_FIRST))
        if played.faults and not played.is_doubtful:
            return game, played, played.visited(net)
        if played.is_complete and not played.is_doubtful and not net.partial:
            return game, played, played.visited(net)
        return self._play_collapsed(net, first)

    def _play_collapsed(self, net: TokenNet, first: First) -> tuple[Game, Played, set[str]]:
        begins = [marking for marking, _ in first]
        small, collapsed, markings = collapse(
            self._program, net, begins, maximum=self._maximum, is_late=self._is_late
        )
        self._markings += markings
        game, played = self._game(small, first, self._maximum)
        if small.partial and not played.faults:
            if net.maximum_ways >= MANY_WAYS:
                raise NotPlain
            more = net_of(self._program, net.scope, self._split_of, MANY_WAYS)
            return self._play_collapsed(more, first)
        if played.is_doubtful:
            if small.terminates:
                raise NotPlain
            if not played.faults:
                game, played = self._in_full(small, first)
            self._is_doubtful = True
        return game, played, played.visited(net) | shown(collapsed, played)

    def _game(self, net: TokenNet, first: First, maximum: int) -> tuple[Game, Played]:
        game = Game(net, maximum=maximum, is_late=self._is_late)
        played = game.play(first)
        self._markings += played.markings
        if net.terminates and not played.is_doubtful and self._is_open(net, played):
            game, played = self._in_full(net, first)
        return game, played

    def _in_full(self, net: TokenNet, first: First) -> tuple[Game, Played]:
        game = Game(net, maximum=self._maximum, is_late=self._is_late, reduce=False)
        played = game.play(first)
        self._markings += played.markings
        return game, played

    def _is_open(self, net: TokenNet, played: Played) -> bool:
        """Whether an end that terminates all was put off too long to judge."""
        if any(fault.kind is FaultKind.CIRCLES for fault in played.faults):
            return True
        visited = played.visited(net)
        return not played.faults and any(node.id not in visited for node in net.node_at.values())

    def _aside(self, net: TokenNet, boundary: Node) -> None:
        """What a non-interrupting event begins runs to its end by itself."""
        first: First = [(net.place[boundary.index], (boundary.id,))]
        _, played, visited = self._play(net, first)
        self._visited |= visited
        if played.faults or not played.is_complete:
            raise NotPlain

    def _first(self, scope: Scope) -> First:
        """Every way the scope can begin."""
        nodes = self._program.nodes
        together = [scope.starts] if scope.starts else []
        if scope.node is None:
            plain = [
                node.index
                for node in nodes
                if node.scope == 0 and node.kind is Kind.START and not node.events
            ]
            if len(plain) > 1:
                together = [(index,) for index in plain]
            together += [(index,) for index in self._program.triggered_starts]
        found = []
        for starts in together:
            marking = self._nets[scope.index].starting_at(starts)
            if marking is None:
                raise NotPlain
            found.append((marking, tuple(nodes[index].id for index in starts)))
        if not found:
            raise NotPlain
        return found

    def _can_be_left(self, scope: Scope) -> bool:
        """Whether something may put an end to what is going on in the scope."""
        at: Scope | None = scope
        while at is not None:
            if at.event_sub_processes:
                return True
            owner = self._program.nodes[at.node] if at.node is not None else None
            if owner is not None and any(
                self._program.nodes[index].interrupting for index in owner.boundaries
            ):
                return True
            if owner is not None and (owner.loop is not None and owner.loop.completion):
                return True
            at = self._program.scopes[at.parent] if at.parent is not None else None
            if at is not None and self._nets[at.index].terminates:
                return True
        return False
