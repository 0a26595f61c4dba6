"""One pool of a collaboration: its states, found as they are needed, and what leads where.

Each state is expanded by the explorer of single processes, so by the kernel's own moves.  What is
new is the label of a move: the letter it takes and the letters it sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.kernel.collaboration import Collaboration
from engine.kernel.effects import Move, Record
from engine.kernel.explorer import Explorer, _with_first
from engine.kernel.free_choice import Split, with_free_flows
from engine.kernel.letters import LetterBoxes, PoolPossible, waiting_for_letters
from engine.kernel.possible import AT, Choose, Event, prepared
from engine.kernel.program import Program
from engine.kernel.state import State
from engine.kernel.state_graph import Vertex
from engine.kernel.triggers import Started
from engine.kernel.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMove:
    """One way on from a state of a pool."""

    #: id of the flow whose letter it takes
    takes: str | None
    #: ids of the flows it puts a letter on, one for each letter
    sends: tuple[str, ...]
    #: ids of the nodes entered
    trail: tuple[str, ...]
    to: Vertex


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a pool can do now."""

    moves: tuple[PoolMove, ...]
    #: nothing another pool does, now or later, disturbs these moves
    is_quiet: bool
    #: its only move takes a letter, and nothing else could happen there instead
    takes_only: bool = False


class PoolExplorer(Explorer):
    """The states of one pool."""

    def __init__(
        self,
        program: Program,
        collaboration: Collaboration,
        maximum: int,
        is_late: Callable[[], bool],
        *,
        reduce: bool,
    ) -> None:
        drawn = waiting_for_letters(program, collaboration)
        super().__init__(prepared(with_free_flows(drawn)), maximum, is_late, reduce=reduce)
        self.key = program.key
        boxes = LetterBoxes(self._program, collaboration)
        self._sending = _by_source(program, collaboration)
        talking = boxes.nodes | frozenset(self._sending)
        self._letters = PoolPossible(self._program, boxes, talking, reduce=reduce)
        self._possible = self._letters
        self._echoing = self._letters.echoing()
        #: flows that this pool takes letters from
        self.inbox = frozenset(
            flow.id for flow in collaboration.flows if flow.target in self._program.by_id
        )
        #: start events that a letter triggers, by flow
        self.born_by = {
            flow.id: flow.target
            for flow in collaboration.flows
            if flow.target in {self._program.nodes[i].id for i in program.triggered_starts}
        }
        self._start = Vertex(
            work=Work(self._program, State.initial(self._program), self._decide, AT),
            parent=None,
            trail=(),
        )
        self._vertices.append(self._start)
        self._offers: dict[tuple[int, frozenset[str]], Offer] = {}
        self._done: dict[tuple[int, str], tuple[PoolMove, ...]] = {}
        self._made: list[PoolMove] = []
        self._takes: str | None = None
        #: (kind of fault, node) by the index of the state in which it shows
        self.faults: dict[int, tuple[str, str]] = {}
        self._listening: dict[int, frozenset[str]] = {}
        self._is_bounded = False
        self._grown: str | None = None
        self._births: dict[str | None, tuple[PoolMove, ...]] = {}

    # -- what the collaboration asks ----------------------------------------------------------

    @property
    def visited(self) -> frozenset[str]:
        """Ids of nodes some token entered."""
        return frozenset(self._visited)

    @property
    def states(self) -> int:
        """How many states of this pool were looked at."""
        return len(self._vertices)

    @property
    def splits(self) -> tuple[Split, ...]:
        """Every split the exploration asked about."""
        return self._decide.splits

    def vertex(self, index: int) -> Vertex:
        """The state of this number."""
        return self._vertices[index]

    def begins(self) -> tuple[PoolMove, ...]:
        """Every way the pool begins without a letter; none when it waits for one."""
        if None not in self._births:
            born = set(self.born_by.values())
            starts = [
                trigger
                for trigger in self._possible.starts()
                if not (isinstance(trigger, Started) and trigger.node in born)
            ]
            self._births[None] = tuple(
                move for trigger in starts for move in self._made_by(self._start, trigger)
            )
        return self._births[None]

    @property
    def may_stay_away(self) -> bool:
        """Whether it begins by an event only, be it one from outside or a letter."""
        return bool(self.born_by) and not self._program.scopes[0].starts

    def is_born(self, flow: str) -> tuple[PoolMove, ...]:
        """How a letter on this flow brings a new instance into being."""
        if flow not in self._births:
            self._takes = flow
            trigger = Started(at=AT, node=self.born_by[flow])
            self._births[flow] = self._made_by(self._start, trigger)
            self._takes = None
        return self._births[flow]

    def offer(self, index: int, ready: frozenset[str]) -> Offer:
        """What an instance in this state can do when letters lie ready on these flows."""
        ready = ready & self.inbox
        known = self._offers.get((index, ready))
        if known is None:
            known = self._offers[index, ready] = self._offered(self._vertices[index], ready)
        return known

    def listens_for(self, index: int) -> frozenset[str]:
        """Flows whose next letter a token or listener of this state waits for."""
        known = self._listening.get(index)
        if known is None:
            work = self._vertices[index].work
            known = self._listening[index] = self._letters.listens_for(work)
        return known

    # -- inside -------------------------------------------------------------------------------

    def _offered(self, vertex: Vertex, ready: frozenset[str]) -> Offer:
        if vertex.is_choice:
            return Offer(moves=self._expanded(vertex), is_quiet=True)
        moves: list[PoolMove] = []
        is_quiet = True
        events = self._letters.with_letters(vertex.work, ready)
        for event in events:
            takes = self._letters.taken_by(vertex.work, event)
            taken: list[str | None] = [flow for flow in takes if flow in ready]
            is_quiet = is_quiet and self._letters.is_quiet(vertex.work, event)
            for flow in taken or [None]:
                moves += self._once(vertex, event, flow)
        return Offer(
            moves=tuple(moves),
            is_quiet=is_quiet and bool(moves),
            takes_only=len(events) == 1 and self._letters.takes_only(vertex.work, events[0]),
        )

    def _expanded(self, vertex: Vertex) -> tuple[PoolMove, ...]:
        self._made = []
        self._is_bounded = False
        self._decide_there(vertex, vertex.work)
        return tuple(self._made)

    def _once(self, vertex: Vertex, event: Event, flow: str | None) -> tuple[PoolMove, ...]:
        same = (vertex.index, f"{flow} {event!r}")
        known = self._done.get(same)
        if known is None:
            self._takes = flow
            known = self._done[same] = self._made_by(vertex, event)
            self._takes = None
        return known

    def _made_by(self, vertex: Vertex, event: Event) -> tuple[PoolMove, ...]:
        self._made = []
        self._is_bounded = vertex is not self._start and self._letters.is_bounded(
            vertex.work, event
        )
        if isinstance(event, Choose):
            self._decide_there(vertex, _with_first(vertex.work, event.element))
        else:
            self._trigger(vertex, event)
        self._todo.clear()
        return tuple(self._made)

    def _arrive(self, origin: Vertex, work: Work, doubled: str | None, *, is_choice: bool) -> None:
        sends, trail = self._letters_of(work)
        self._grown = None
        super()._arrive(origin, work, doubled, is_choice=is_choice)
        to = origin.next[-1]
        if doubled is not None:
            self.faults[to.index] = ("doubled", doubled)
        elif self._grown is not None:
            self.faults[to.index] = ("growing", self._grown)
        self._note(sends, trail, to)

    def _floods(self, origin: Vertex, work: Work) -> bool:
        floods = super()._floods(origin, work)
        if floods:
            to = origin.next[-1]
            places = [node for node, found in self._growing.items() if found is to]
            self.faults[to.index] = ("growing", (places or list(self._growing))[0])
            self._note((), to.trail, to)
        return floods

    def _note(self, sends: tuple[str, ...], trail: tuple[str, ...], to: Vertex) -> None:
        self._made.append(PoolMove(takes=self._takes, sends=sends, trail=trail, to=to))

    def _grows(self, vertex: Vertex) -> str | None:
        if self._takes is not None or self._is_bounded:
            # What letters bring is bounded by the letters, which are counted where they lie.
            vertex.parent = None
        else:
            self._grown = super()._grows(vertex)
        return self._grown

    def _fault_is_certain(self) -> None:
        """The collaboration decides how far to look on."""

    def _letters_of(self, work: Work) -> tuple[tuple[str, ...], tuple[str, ...]]:
        sends: list[str] = []
        trail: list[str] = []
        for effect in work.effects:
            if not isinstance(effect, Record):
                continue
            if effect.move is Move.ENTERED:
                trail.append(effect.node_id)
            elif effect.move is Move.COMPLETED and "instances" not in effect.detail:
                sends += self._sending.get(effect.node_id, ())
        return tuple(sends), tuple(trail)


def _by_source(program: Program, collaboration: Collaboration) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for flow in collaboration.flows:
        if flow.source in program.by_id:
            found[flow.source] = (*found.get(flow.source, ()), flow.id)
    return found
