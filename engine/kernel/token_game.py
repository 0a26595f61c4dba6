"""Every reachable marking of a token net, or enough of them.

What a token does at a node other than an inclusive join, no other token can prevent: such a node
may act at once, alone, before everything else that is possible.  So tokens that have one way only
run on, and of several that have a choice one chooses while the others stand.  Every marking in
which nothing can happen is still found, every node that can be reached is still reached, and from
a marking that is looked at an end can be reached exactly when it could without the reduction
(persistent sets; each shown by the tests against the plain game and the explorer).

Two cases are not that simple and are given up (`is_doubtful`) or played in full: a token that
could still overtake at an inclusive join, and an end that terminates the others.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.kernel.program import ACTIVITIES, Kind
from engine.kernel.token_net import InclusiveJoin, TokenNet, Way

ENDED = -1
"""The marking after a terminate end."""

_AFTER_A_FAULT = 200
_CHECK_EVERY = 256


class FaultKind(enum.Enum):
    """What can be wrong with a marking."""

    #: nothing can happen any more, and tokens wait
    STUCK = "stuck"
    #: something can happen for ever, and the end is out of reach
    CIRCLES = "circles"
    #: a second token reaches a place where one is
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with the nodes that were entered on the way from the start of the scope."""

    kind: FaultKind
    node_id: str
    path: tuple[str, ...]


@dataclass(slots=True)
class Played:
    """What a game found."""

    markings: int = 0
    faults: list[Fault] = field(default_factory=list)
    #: places that were filled at some time, and nodes of joins that went
    filled: int = 0
    joined: set[str] = field(default_factory=set)
    is_complete: bool = True
    is_doubtful: bool = False

    def visited(self, net: TokenNet) -> set[str]:
        """Ids of the nodes that some token entered."""
        waiting = {node.index for _, _, node in net.joins}
        waiting |= {join.node.index for join, _ in net.inclusive}
        entered = {
            node.id
            for bit, node in net.node_at.items()
            if bit & self.filled and node.index not in waiting
        }
        return entered | self.joined


class _Move(NamedTuple):
    #: bits that are emptied
    taken: int
    way: Way
    #: the join that is entered by it, else None: the token was there already
    joined: str | None


class _Origin(NamedTuple):
    """How a marking was found: from which one, what was entered, and where it then ran on from."""

    before: int | None
    entered: tuple[str, ...]
    at_first: int


class _Doubled(Exception):
    """A second token reached this place."""

    def __init__(self, marking: int, bit: int) -> None:
        self.marking = marking
        self.bit = bit & -bit


class Game:
    """One game from one or several first markings."""

    def __init__(
        self, net: TokenNet, *, maximum: int, is_late: Callable[[], bool], reduce: bool = True
    ) -> None:
        self._net = net
        self._maximum = maximum
        self._is_late = is_late
        self._reduce = reduce
        alone = {bit: ways[0] for bit, ways in net.ways.items() if len(ways) == 1}
        self._simple = {bit: _Move(bit, way, None) for bit, way in alone.items()}
        self._simple_mask = sum(alone)
        self._choice_mask = sum(net.ways) & ~self._simple_mask
        self._joins = [(mask, _Move(mask, way, node.id)) for mask, way, node in net.joins]
        self._joins_mask = 0
        for mask, _ in self._joins:
            self._joins_mask |= mask
        self._inclusive_mask = sum(join.mask for join, _ in net.inclusive)
        self._runs_at_most = 4 * len(net.node_at) + 16
        self._origins: dict[int, _Origin] = {}
        self._next: dict[int, list[int]] = {}
        self._dead: list[int] = []
        self._todo: deque[int] = deque()
        self._told: set[str] = set()
        self.played = Played()

    def play(self, first: list[tuple[int, tuple[str, ...]]]) -> Played:
        """Play from markings and the nodes entered for them, until all is known or a bound hit."""
        for marking, entered in first:
            self._reach(marking, None, entered)
        played = self.played
        while self._todo and played.is_complete:
            self._expand(self._todo.popleft())
            found = len(self._origins)
            if found > self._maximum or (found % _CHECK_EVERY == 0 and self._is_late()):
                played.is_complete = False
        played.markings = len(self._origins)
        if played.is_complete and not played.faults and not played.is_doubtful:
            self._circles()
        return played

    # -- what can happen ----------------------------------------------------------------------

    def _expand(self, marking: int) -> None:
        moves = self._some(marking) if self._reduce else self._all(marking)
        if not moves:
            self._dead.append(marking)
            if marking != ENDED and marking & ~self._net.ends:
                self._fault(FaultKind.STUCK, self._waits_at(marking), self._path(marking))
            return
        for move in moves:
            entered = _entered(move)
            try:
                after = self._make(marking, move)
            except _Doubled as double:
                self._double(double.bit, double.marking, (*self._path(marking), *entered))
                continue
            self._reach(after, marking, entered)

    def _some(self, marking: int) -> list[_Move]:
        """Enough of the moves: those of one node, of several inclusive joins, or of the ends."""
        if marking == ENDED:
            return []
        move = self._simple_move(marking)
        if move is not None:
            return [move]
        if marking & self._inclusive_mask:
            self._ask_overtaking(marking)
        choice = marking & self._choice_mask
        if choice:
            bit = choice & -choice
            return [_Move(bit, way, None) for way in self._net.ways[bit]]
        found = self._inclusive(marking)
        if found:
            return [move for move in found if move.joined == found[0].joined]
        return self._terminating(marking)

    def _all(self, marking: int) -> list[_Move]:
        if marking == ENDED:
            return []
        found = []
        rest = marking & (self._simple_mask | self._choice_mask)
        while rest:
            bit = rest & -rest
            rest ^= bit
            found += [_Move(bit, way, None) for way in self._net.ways[bit]]
        found += [move for mask, move in self._joins if marking & mask == mask]
        return found + self._inclusive(marking) + self._terminating(marking)

    def _simple_move(self, marking: int) -> _Move | None:
        if marking == ENDED:
            return None
        simple = marking & self._simple_mask
        if simple:
            return self._simple[simple & -simple]
        if marking & self._joins_mask:
            for mask, move in self._joins:
                if marking & mask == mask:
                    return move
        return None

    def _inclusive(self, marking: int) -> list[_Move]:
        if marking == ENDED or not marking & self._inclusive_mask:
            return []
        found = []
        for join, ways in self._net.inclusive:
            filled = marking & join.mask
            if filled and not _may_still_come(join, marking):
                found += [_Move(filled, way, join.node.id) for way in ways]
        return found

    def _terminating(self, marking: int) -> list[_Move]:
        if marking == ENDED or not marking & self._net.terminates:
            return []
        return [_Move(marking & self._net.terminates, Way(0, ()), None)]

    def _ask_overtaking(self, marking: int) -> None:
        """Whether a token that holds no inclusive join back could yet bring it one more."""
        for join, _ in self._net.inclusive:
            if marking & join.mask:
                _, filled = _reaching(join, marking)
                empty = 0
                for (bit, _), near in zip(join.incoming, join.near, strict=True):
                    if not marking & bit:
                        empty |= near
                if marking & ~join.mask & empty & filled:
                    self.played.is_doubtful = True

    # -- making moves -------------------------------------------------------------------------

    def _make(self, marking: int, move: _Move) -> int:
        if move.taken & self._net.terminates:
            return ENDED
        rest = marking & ~move.taken
        way = move.way
        if way.twice or rest & way.mask:
            raise _Doubled(marking, way.twice or rest & way.mask)
        if move.joined is not None:
            self.played.joined.add(move.joined)
        return rest | way.mask

    def _reach(self, marking: int, before: int | None, entered: tuple[str, ...]) -> None:
        trail: list[str] = []
        try:
            settled = self._run_on(marking, None)
        except _Doubled as double:
            try:
                self._run_on(marking, trail)
            except _Doubled:
                path = self._path(before) if before is not None else ()
                self._double(double.bit, double.marking, (*path, *entered, *trail))
            return
        if before is not None:
            self._next.setdefault(before, []).append(settled)
        if settled not in self._origins:
            self._origins[settled] = _Origin(before, entered, marking)
            self._todo.append(settled)

    def _run_on(self, marking: int, trail: list[str] | None) -> int:
        """Make the moves that are nobody's choice; what was entered goes into the trail."""
        if marking == ENDED:
            return marking
        filled = marking
        for _ in range(self._runs_at_most if self._reduce else 0):
            move = self._simple_move(marking)
            if move is None:
                break
            if trail is not None:
                trail += _entered(move)
            marking = self._make(marking, move)
            filled |= marking
        self.played.filled |= filled
        return marking

    # -- faults -------------------------------------------------------------------------------

    def _path(self, marking: int) -> tuple[str, ...]:
        parts: list[tuple[str, ...]] = []
        at: int | None = marking
        while at is not None:
            origin = self._origins[at]
            trail: list[str] = []
            self._run_on(origin.at_first, trail)
            parts.append((*origin.entered, *trail))
            at = origin.before
        return tuple(node_id for part in reversed(parts) for node_id in part)

    def _waits_at(self, marking: int) -> str:
        waiting = marking & ~self._net.ends
        return self._net.node_at[waiting & -waiting].id

    def _double(self, bit: int, marking: int, path: tuple[str, ...]) -> None:
        """Where an end may terminate all first, only two tokens that both rest are a fault."""
        node = self._net.node_at[bit]
        rests = node.kind in ACTIVITIES or node.kind is Kind.CATCH
        if self._net.terminates and not (rests and not marking & self._net.terminates):
            self.played.is_doubtful = True
            return
        self._fault(FaultKind.DOUBLED, node.id, path)

    def _fault(self, kind: FaultKind, node_id: str, path: tuple[str, ...]) -> None:
        self._maximum = min(self._maximum, len(self._origins) + _AFTER_A_FAULT)
        if node_id not in self._told:
            self._told.add(node_id)
            self.played.faults.append(Fault(kind, node_id, path))

    def path_to(self, node_id: str) -> tuple[str, ...]:
        """Nodes entered on a way to this one, it included; empty when nothing leads there."""
        for marking in self._origins:
            path = self._path(marking)
            if node_id in path:
                return path[: path.index(node_id) + 1]
        return ()

    def ends_well(self) -> bool:
        """Whether it can end by its tokens reaching ends, none of which stops the others."""
        return any(marking != ENDED for marking in self._dead)

    def way_out(self, end: int) -> tuple[str, ...]:
        """Nodes entered on a way to the marking in which only this end is filled."""
        return self._path(end)

    def _circles(self) -> None:
        """The first marking from which nothing leads to an end, if there is one."""
        before: dict[int, list[int]] = {}
        for marking, after in self._next.items():
            for each in after:
                before.setdefault(each, []).append(marking)
        good = set(self._dead)
        todo = list(good)
        while todo:
            for marking in before.get(todo.pop(), ()):
                if marking not in good:
                    good.add(marking)
                    todo.append(marking)
        for marking in self._origins:
            if marking not in good:
                where = self._waits_at(marking)
                self._fault(FaultKind.CIRCLES, where, _up_to_the_last_new(self._path(marking)))
                return


def _up_to_the_last_new(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path without its last rounds of the same nodes."""
    first = {node_id: place for place, node_id in reversed(list(enumerate(path)))}
    return path[: max(first.values(), default=-1) + 1]


def _entered(move: _Move) -> tuple[str, ...]:
    return move.way.targets if move.joined is None else (move.joined, *move.way.targets)


def _reaching(join: InclusiveJoin, marking: int) -> tuple[int, int]:
    """From where a token can reach an empty flow of the join; and a flow where one waits."""
    empty = filled = 0
    for bit, reach in join.incoming:
        if marking & bit:
            filled |= reach
        else:
            empty |= reach
    return empty, filled


def _may_still_come(join: InclusiveJoin, marking: int) -> bool:
    empty, filled = _reaching(join, marking)
    return bool(marking & ~join.mask & empty & ~filled)
