"""Every reachable state of pools that talk: the product of their states and the letters between.

Messages are asynchronous: a send puts one letter on its flow, a receive takes one, letters on one
flow are alike.  A pool that begins by a letter comes into being once for each.

The reduction is the one of single processes, a level up: a pool whose next moves no letter can
concern moves alone, and so does one that can only take a letter that lies ready for nobody else.
What another pool does commutes with such a move, so no end and no dead end is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.kernel.collaboration import Collaboration
from engine.kernel.explorer import Stopped
from engine.kernel.pool_moves import Offer, PoolExplorer, PoolMove
from engine.kernel.program import Program
from engine.kernel.reach import Reach

MAXIMUM_LETTERS = 8
"""So many unread letters on one flow come from a loop that nobody keeps up with."""

MAXIMUM_INSTANCES = 4
"""So many live instances of one pool come from letters that begin one without end."""

_CHECK_EVERY = 64
_AFTER_A_FAULT = 500
_AFTER_A_BOUND = 3_000
"""Once letters or instances pile up the pools cannot be proven sound, only found to be wrong."""

Instance = tuple[int, int]
"""(pool, state of the pool)"""

JointKey = tuple[tuple[int, ...], tuple[Instance, ...], tuple[int, ...]]


@dataclass(slots=True, eq=False)
class JointVertex:
    """One state of all pools together."""

    #: pools still to begin, live instances, letters on each flow
    key: JointKey
    parent: JointVertex | None
    #: ids of the nodes entered on the way from the parent
    trail: tuple[str, ...]
    index: int
    next: list[JointVertex] = field(default_factory=list)
    is_cut: bool = False
    is_expanded: bool = False

    @property
    def is_ended(self) -> bool:
        """Whether every pool that began has ended and no letter begins another."""
        return not (self.key[0] or self.key[1] or any(self.key[2]))

    def is_dead_end(self) -> bool:
        """Whether nothing can ever happen here although a pool has not ended."""
        return self.is_expanded and not (self.next or self.is_ended or self.is_cut)

    def path(self) -> tuple[str, ...]:
        """Ids of the nodes entered from the start to here, of all pools in their order."""
        found: list[tuple[str, ...]] = []
        vertex: JointVertex | None = self
        while vertex is not None:
            found.append(vertex.trail)
            vertex = vertex.parent
        return tuple(node for trail in reversed(found) for node in trail)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointExploration:
    """What was found."""

    pools: tuple[PoolExplorer, ...]
    vertices: tuple[JointVertex, ...]
    #: ("doubled" | "growing", node, where): faults inside one pool
    faults: tuple[tuple[str, str, JointVertex], ...]
    #: flows with a letter that nobody will read, and where that is certain
    unread: tuple[tuple[str, JointVertex], ...]
    #: flows whose letters pile up
    piling: tuple[tuple[str, JointVertex], ...]
    #: keys of pools of which there come to be ever more
    crowding: tuple[tuple[str, JointVertex], ...]
    #: whether every reachable state was seen
    complete: bool

    def stuck(self) -> tuple[JointVertex, ...]:
        """States from which not all pools can end, the nearest to the start first."""
        if not self.complete:
            return tuple(vertex for vertex in self.vertices if vertex.is_dead_end())
        before: dict[int, list[JointVertex]] = {}
        for vertex in self.vertices:
            for after in vertex.next:
                before.setdefault(after.index, []).append(vertex)
        good = {vertex.index for vertex in self.vertices if vertex.is_ended or vertex.is_cut}
        todo = list(good)
        while todo:
            for vertex in before.get(todo.pop(), ()):
                if vertex.index not in good:
                    good.add(vertex.index)
                    todo.append(vertex.index)
        return tuple(vertex for vertex in self.vertices if vertex.index not in good)


def explore_together(
    programs: tuple[Program, ...],
    collaboration: Collaboration,
    *,
    maximum_states: int = 20_000,
    is_late: Callable[[], bool] = lambda: False,
    reduce: bool = True,
) -> JointExploration:
    """Explore the pools together until every state is known or a bound is hit.

    `reduce=False` interleaves everything; both must find the same (a property of the tests).
    """
    return _JointExplorer(programs, collaboration, maximum_states, is_late, reduce=reduce).run()


class _JointExplorer:
    def __init__(
        self,
        programs: tuple[Program, ...],
        collaboration: Collaboration,
        maximum: int,
        is_late: Callable[[], bool],
        *,
        reduce: bool,
    ) -> None:
        self._pools = tuple(
            PoolExplorer(program, collaboration, maximum, is_late, reduce=reduce)
            for program in programs
        )
        self._reach = tuple(Reach(program) for program in programs)
        self._maximum = maximum
        self._is_late = is_late
        self._reduce = reduce
        self._flows = tuple(flow.id for flow in collaboration.flows)
        self._place = {flow: place for place, flow in enumerate(self._flows)}
        self._target = tuple(flow.target for flow in collaboration.flows)
        self._source = tuple(flow.source for flow in collaboration.flows)
        self._reader = tuple(self._reader_of(flow.id) for flow in collaboration.flows)
        self._sender = tuple(self._owner_of(flow.source, programs) for flow in collaboration.flows)
        self._births = frozenset(
            place
            for place, flow in enumerate(self._flows)
            if flow in self._pools[self._reader[place]].born_by
        )
        self._reached: dict[tuple[int, int, str], bool] = {}
        self._known: dict[JointKey, JointVertex] = {}
        self._vertices: list[JointVertex] = []
        self._faults: dict[tuple[str, str], JointVertex] = {}
        self._unread: dict[str, JointVertex] = {}
        self._piling: dict[str, JointVertex] = {}
        self._crowding: dict[str, JointVertex] = {}
        self._todo: deque[JointVertex] = deque()

    def run(self) -> JointExploration:
        complete = True
        unborn = tuple(place for place, pool in enumerate(self._pools) if self._begins_alone(pool))
        try:
            self._arrive((unborn, (), (0,) * len(self._flows)), None, ())
            while self._todo:
                vertex = self._todo.popleft()
                if vertex.is_cut:
                    continue
                self._expand(vertex)
                vertex.is_expanded = True
                if vertex.is_dead_end():
                    self._fault_is_certain()
        except Stopped:
            complete = False
        return JointExploration(
            pools=self._pools,
            vertices=tuple(self._vertices),
            faults=tuple((kind, node, at) for (kind, node), at in self._faults.items()),
            unread=tuple(self._unread.items()),
            piling=tuple(self._piling.items()),
            crowding=tuple(self._crowding.items()),
            complete=complete and not (self._piling or self._crowding),
        )

    def _begins_alone(self, pool: PoolExplorer) -> bool:
        return bool(pool.begins())

    @staticmethod
    def _owner_of(node: str, programs: tuple[Program, ...]) -> int:
        return next(place for place, program in enumerate(programs) if node in program.by_id)

    def _reader_of(self, flow: str) -> int:
        return next(place for place, pool in enumerate(self._pools) if flow in pool.inbox)

    # -- one step -------------------------------------------------------------------------------

    def _expand(self, vertex: JointVertex) -> None:
        unborn, live, letters = vertex.key
        if unborn:
            for move in self._pools[unborn[0]].begins():
                self._go(vertex, (unborn[1:], live, letters), unborn[0], None, move)
            if self._pools[unborn[0]].may_stay_away:
                self._arrive((unborn[1:], live, letters), vertex, ())
            return
        if self._is_born(vertex):
            return
        for instance, offer in self._who_moves(vertex):
            for move in offer.moves:
                self._go(vertex, vertex.key, instance[0], instance, move)

    def _is_born(self, vertex: JointVertex) -> bool:
        """A letter that begins a pool does so at once: nobody else can take it."""
        for place, count in enumerate(vertex.key[2]):
            pool = self._reader[place]
            flow = self._flows[place]
            if not count or flow not in self._pools[pool].born_by:
                continue
            if sum(1 for owner, _ in vertex.key[1] if owner == pool) >= MAXIMUM_INSTANCES:
                self._crowding.setdefault(self._pools[pool].key, vertex)
                self._look_no_further_than(_AFTER_A_BOUND)
                vertex.is_cut = True
                return True
            for move in self._pools[pool].is_born(flow):
                self._go(vertex, vertex.key, pool, None, move)
            return True
        return False

    def _who_moves(self, vertex: JointVertex) -> list[tuple[Instance, Offer]]:
        _, live, letters = vertex.key
        ready = frozenset(self._flows[place] for place, count in enumerate(letters) if count)
        offers = [
            (instance, self._pools[instance[0]].offer(instance[1], ready))
            for instance in dict.fromkeys(live)
        ]
        if not self._reduce:
            return offers
        may = [
            each for each in offers if each[1].is_quiet or self._is_alone(each[0], each[1], live)
        ]
        if may:
            return [min(may, key=self._order)]
        return self._smallest(offers, live)

    def _smallest(
        self, offers: list[tuple[Instance, Offer]], live: tuple[Instance, ...]
    ) -> list[tuple[Instance, Offer]]:
        """The fewest pools that can move while no other can send them what they listen for."""
        best = offers
        senders = {each: self._may_send_to(each, live) for each, _ in offers}
        for first, offer in offers:
            if not offer.moves:
                continue
            group = {first}
            todo = [first]
            while todo and len(group) < len(best):
                fresh = senders[todo.pop()] - group
                group |= fresh
                todo += fresh
            if len(group) < len(best):
                best = [each for each in offers if each[0] in group]
        return best

    def _may_send_to(self, instance: Instance, live: tuple[Instance, ...]) -> set[Instance]:
        """Who may still send a letter that this instance listens for now, or take it away."""
        pool, state = instance
        found = {each for each in live if each[0] == pool}
        for flow in self._pools[pool].listens_for(state):
            sender = self._sender[self._place[flow]]
            if self._pools[sender].born_by:
                return set(live)
            source = self._source[self._place[flow]]
            found |= {
                (owner, other)
                for owner, other in live
                if owner == sender and self._reaches(owner, other, source)
            }
        return found

    def _order(self, offered: tuple[Instance, Offer]) -> tuple[bool, bool]:
        """What letters brought into being goes first, then who takes one: neither piles up."""
        instance, offer = offered
        return (not self._pools[instance[0]].born_by, offer.is_quiet)

    def _is_alone(self, instance: Instance, offer: Offer, live: tuple[Instance, ...]) -> bool:
        """Whether its one next move takes a letter that no other instance could take."""
        return (
            len(offer.moves) == 1
            and offer.takes_only
            and sum(1 for owner, _ in live if owner == instance[0]) == 1
        )

    def _go(
        self, vertex: JointVertex, key: JointKey, pool: int, gone: Instance | None, move: PoolMove
    ) -> None:
        unborn, live, letters = key
        instances = list(live)
        if gone is not None:
            instances.remove(gone)
        if not move.to.is_ended:
            instances.append((pool, move.to.index))
        bag = list(letters)
        if move.takes is not None:
            bag[self._place[move.takes]] -= 1
        for flow in move.sends:
            bag[self._place[flow]] += 1
        found = (unborn, tuple(sorted(instances)), tuple(bag))
        self._arrive(self._without_dead_letters(vertex, found, move), vertex, move.trail)
        if move.to.is_cut:
            self._fault(pool, move, vertex.next[-1])

    def _without_dead_letters(self, vertex: JointVertex, key: JointKey, move: PoolMove) -> JointKey:
        """Letters that nobody can ever read any more are put aside and told."""
        unborn, live, letters = key
        if not any(letters):
            return key
        kept = list(letters)
        births = any(letters[place] for place in self._births)
        for place, count in enumerate(letters):
            if count and not self._may_be_read(place, unborn, live, births=births):
                kept[place] = 0
                told = JointVertex(key=key, parent=vertex, trail=move.trail, index=-1)
                self._unread.setdefault(self._flows[place], told)
        return (unborn, live, tuple(kept))

    def _may_be_read(
        self, place: int, unborn: tuple[int, ...], live: tuple[Instance, ...], *, births: bool
    ) -> bool:
        pool = self._reader[place]
        explorer = self._pools[pool]
        if place in self._births or pool in unborn:
            return True
        if explorer.born_by and (unborn or live or births):
            # Somebody may still send what brings another reader into being.
            return True
        return any(
            self._reaches(pool, state, self._target[place])
            for owner, state in live
            if owner == pool
        )

    def _reaches(self, pool: int, state: int, node: str) -> bool:
        known = self._reached.get((pool, state, node))
        if known is None:
            work = self._pools[pool].vertex(state).work
            known = self._reached[pool, state, node] = self._reach[pool].reaches(work, node)
        return known

    def _fault(self, pool: int, move: PoolMove, at: JointVertex) -> None:
        at.is_cut = True
        found = self._pools[pool].faults.get(move.to.index)
        if found is not None:
            self._faults.setdefault(found, at)
        self._fault_is_certain()

    def _fault_is_certain(self) -> None:
        """The verdict stands: look a little further for other faults, not for all of them."""
        self._look_no_further_than(_AFTER_A_FAULT)

    def _look_no_further_than(self, more: int) -> None:
        self._maximum = min(self._maximum, len(self._vertices) + more)

    def _arrive(
        self, key: JointKey, origin: JointVertex | None, trail: tuple[str, ...]
    ) -> JointVertex:
        known = self._known.get(key)
        if known is not None:
            if origin is not None:
                origin.next.append(known)
            return known
        found = JointVertex(key=key, parent=origin, trail=trail, index=len(self._vertices))
        self._known[key] = found
        self._vertices.append(found)
        if origin is not None:
            origin.next.append(found)
        if len(self._vertices) > self._maximum:
            raise Stopped
        if len(self._vertices) % _CHECK_EVERY == 0 and self._is_late():
            raise Stopped
        for place in self._too_many(key[2]):
            self._piling.setdefault(self._flows[place], found)
            self._look_no_further_than(_AFTER_A_BOUND)
            found.is_cut = True
        if not found.is_cut:
            self._todo.append(found)
        return found

    def _too_many(self, letters: tuple[int, ...]) -> Iterator[int]:
        return (place for place, count in enumerate(letters) if count > MAXIMUM_LETTERS)
