"""Every reachable state of a program, by the kernel's own moves.

A vertex is a state in which all tokens wait, or a moment between two moves at which data will
decide.  The answers come from `free_choice`, what happens from outside from `possible`; the moves
in between are those of `step.advance`, so that what is proven is what runs.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from typing import cast

from engine.kernel import abstraction, step
from engine.kernel.abstraction import ENDED, FIRED, Key
from engine.kernel.effects import Move, RaiseIncident, Record
from engine.kernel.exploring import asking, counted_ends, joined_by_events, may_be_left
from engine.kernel.free_choice import FreeDecide, with_free_flows
from engine.kernel.possible import AT, Choose, Possible, prepared, wild_scopes
from engine.kernel.program import Kind, Node, Program
from engine.kernel.state import Life, State
from engine.kernel.state_graph import Exploration, Vertex
from engine.kernel.triggers import EventArrived, TimerFired, Trigger
from engine.kernel.work import Step, Work
from engine.model.errors import ModelFault, Rejected

_CHOOSING = frozenset({Kind.EXCLUSIVE, Kind.INCLUSIVE})
_ASKS = frozenset({Step.BEGIN, Step.FINISH})
_CHECK_EVERY = 64
_AFTER_A_FAULT = 500
_FLOOD = 16
"""So many tokens at one place after a stretch without a wait or a decision come from a loop."""


class Stopped(Exception):
    """The bound on states or time was hit."""


def explore(
    program: Program,
    *,
    maximum_states: int = 20_000,
    is_late: Callable[[], bool] = lambda: False,
    reduce: bool = True,
) -> Exploration:
    """Explore until every reachable state is known or a bound is hit.

    `reduce=False` interleaves everything; both must find the same (a property of the tests).
    """
    return Explorer(
        prepared(with_free_flows(program)), maximum_states, is_late, reduce=reduce
    ).run()


class Explorer:
    """One exploration: `run` looks at everything, `follow` at what resembles a known path first."""

    def __init__(
        self, program: Program, maximum: int, is_late: Callable[[], bool], *, reduce: bool
    ) -> None:
        self._program = program
        self._maximum = maximum
        self._is_late = is_late
        self._reduce = reduce = reduce and not joined_by_events(program)
        self._decide = FreeDecide(program)
        self._possible = Possible(program, reduce=reduce)
        self._echoing = self._possible.echoing()
        self._puts_off = reduce and not (wild_scopes(program) or may_be_left(program))
        self._asking = asking(program)
        self._settling_asks = any(
            node.condition is not None and node.kind in (Kind.AD_HOC, Kind.COMPLEX)
            for node in program.nodes
        )
        self._ends = counted_ends(program)
        self._known: dict[Key, Vertex] = {}
        self._vertices: list[Vertex] = []
        self._visited: set[str] = set()
        self._doubled: dict[str, Vertex] = {}
        self._growing: dict[str, Vertex] = {}
        self._todo: deque[Vertex] = deque()

    def run(self) -> Exploration:
        """Explore in the order of finding."""
        complete = True
        try:
            self._begin()
            while self._todo:
                self._look_at(self._todo.popleft())
        except Stopped:
            complete = False
        return Exploration(
            vertices=tuple(self._vertices),
            visited=frozenset(self._visited),
            doubled=tuple(self._doubled.items()),
            growing=tuple(self._growing.items()),
            complete=complete,
            decide=self._decide,
        )

    def follow(self, distance: Callable[[Vertex], tuple[int, int]]) -> Vertex | None:
        """Explore the nearest first, up to the first fault: the vertex where it shows."""
        queue: list[tuple[tuple[int, int], int, Vertex]] = []
        try:
            self._begin()
            while not (self._doubled or self._growing):
                for found in self._todo:
                    heapq.heappush(queue, (distance(found), found.index, found))
                self._todo.clear()
                if not queue:
                    return None
                vertex = heapq.heappop(queue)[2]
                self._look_at(vertex)
                if vertex.is_dead_end():
                    return vertex
        except Stopped:
            return None
        return [*self._doubled.values(), *self._growing.values()][0]

    def _begin(self) -> None:
        start = Vertex(
            work=Work(self._program, State.initial(self._program), self._decide, AT),
            parent=None,
            trail=(),
        )
        self._vertices.append(start)
        for trigger in self._possible.starts():
            self._trigger(start, trigger)

    def _look_at(self, vertex: Vertex) -> None:
        self._expand(vertex)
        vertex.is_expanded = True
        if vertex.is_dead_end():
            self._fault_is_certain()

    def _expand(self, vertex: Vertex) -> None:
        if vertex.is_choice:
            self._decide_there(vertex, vertex.work)
            return
        for event in self._possible.next(vertex.work):
            if isinstance(event, Choose):
                self._decide_there(vertex, _with_first(vertex.work, event.element))
            else:
                self._trigger(vertex, event)

    def _decide_there(self, vertex: Vertex, origin: Work) -> None:
        for work, doubled in self._answers(origin):
            self._go_on(vertex, work, doubled)

    def _answers(self, origin: Work) -> Iterator[tuple[Work, str | None]]:
        """The next move with every combination of answers to what it asks."""
        scripts: list[tuple[int, ...]] = [()]
        while scripts:
            script = scripts.pop()
            work = _copy(origin, self._decide)
            self._decide.begin(script)
            _, doubled = self._one_move(work)
            asked = self._decide.asked
            answered = (*script, *(0 for _ in asked[len(script) :]))
            scripts += [
                (*answered[:place], other)
                for place in range(len(asked) - 1, len(script) - 1, -1)
                for other in range(asked[place] - 1, 0, -1)
            ]
            yield work, doubled

    def _trigger(self, vertex: Vertex, trigger: Trigger) -> None:
        self._decide.begin(())
        try:
            work = step.begin(self._program, vertex.work.state(), trigger, self._decide)
        except (Rejected, ModelFault):
            return
        if isinstance(trigger, EventArrived | TimerFired):
            self._count_firing(work, trigger.element)
        for move in vertex.work.moves:
            if move[1] in work.elements:
                work.moves.append(move)
        self._go_on(vertex, work, None)

    def _count_firing(self, work: Work, number: int) -> None:
        element = work.elements.get(number)
        if element is not None and self._possible.is_counted(element.node):
            values = work.locals.setdefault(number, {})
            values[FIRED] = cast("int", values.get(FIRED, 0)) + 1

    def _go_on(self, vertex: Vertex, work: Work, doubled: str | None) -> None:
        """Make moves up to the next decision, or until every token waits."""
        is_choice, moved, moves = False, True, 0
        put_off: list[tuple[object, ...]] = []
        while moved and doubled is None:
            if self._asks_next(work):
                if self._may_put_off(work):
                    put_off.append(work.moves.popleft())
                    continue
                is_choice = True
                break
            moves += 1
            if moves % _CHECK_EVERY == 0:
                if self._is_late():
                    raise Stopped
                if self._floods(vertex, work):
                    return
            self._decide.begin(())
            moved, doubled = self._one_move(work)
        work.moves.extend(move for move in put_off if move[1] in work.elements)
        self._arrive(vertex, work, doubled, is_choice=is_choice)

    def _may_put_off(self, work: Work) -> bool:
        """Whether the next move, a gateway's choice, can wait until its branch's turn comes."""
        if not self._puts_off or not work.moves or work.moves[0][0] is not Step.BEGIN:
            return False
        return work.node(cast("int", work.moves[0][1])).kind in _CHOOSING

    def _one_move(self, work: Work) -> tuple[bool, str | None]:
        """Whether the kernel moved; the id of an end that this move reaches a second time."""
        doubled = self._reached_end(work)
        last = work.moves[-1] if len(work.moves) > 1 else None
        moved = step.advance(work)
        if self._reduce and last is not None:
            _bring_forward(work, last)
        return moved, doubled

    def _reached_end(self, work: Work) -> str | None:
        if not work.moves or work.moves[0][0] is not Step.ENTER:
            return None
        node, scope = cast("tuple[Node, int]", work.moves[0][1:])
        if node.index not in self._ends or scope not in work.elements:
            return None
        values = work.locals.setdefault(scope, {})
        reached = cast("tuple[str, ...]", values.get(ENDED, ()))
        if node.id in reached:
            return node.id
        values[ENDED] = tuple(sorted((*reached, node.id)))
        return None

    def _asks_next(self, work: Work) -> bool:
        if work.life is Life.ENDED:
            return False
        if not work.moves:
            return self._settling_asks and bool(work.touched_scopes or work.touched_joins)
        move = work.moves[0]
        if move[0] not in _ASKS:
            return False
        number = cast("int", move[1])
        element = work.elements.get(number)
        return element is not None and element.node in self._asking

    def _arrive(self, origin: Vertex, work: Work, doubled: str | None, *, is_choice: bool) -> None:
        trail, incidents = _told(work)
        self._visited.update(trail)
        abstraction.forget_data(work)
        abstraction.merge_echoes(work, self._echoing)
        found = Vertex(work=work, parent=origin, trail=trail, is_choice=is_choice)
        found.incidents = incidents
        if doubled is None:
            same = abstraction.key(work, in_order=is_choice)
            known = self._known.get(same)
            if known is not None:
                origin.next.append(known)
                return
            self._known[same] = found
        found.is_ended = work.life is Life.ENDED
        found.index = len(self._vertices)
        self._vertices.append(found)
        origin.next.append(found)
        if doubled is not None:
            found.is_cut = True
            self._doubled.setdefault(doubled, found)
            self._fault_is_certain()
            return
        if len(self._vertices) > self._maximum:
            raise Stopped
        if len(self._vertices) % _CHECK_EVERY == 0 and self._is_late():
            raise Stopped
        where = self._grows(found)
        if where is not None:
            found.is_cut = True
            self._growing.setdefault(where, found)
            self._fault_is_certain()
        elif not found.is_ended:
            self._todo.append(found)

    def _fault_is_certain(self) -> None:
        """The verdict stands: look a little further for other faults, not for all of them."""
        self._maximum = min(self._maximum, len(self._vertices) + _AFTER_A_FAULT)

    def _floods(self, origin: Vertex, work: Work) -> bool:
        """Whether tokens pile up in a loop that neither waits nor decides."""
        place, count = abstraction.tokens(work).most_common(1)[0]
        if count <= _FLOOD:
            return False
        trail, _ = _told(work)
        found = Vertex(work=work, parent=origin, trail=trail, is_cut=True)
        found.index = len(self._vertices)
        self._vertices.append(found)
        origin.next.append(found)
        self._growing.setdefault(_node_of(self._program, str(place[-1]), place), found)
        return True

    def _grows(self, vertex: Vertex) -> str | None:
        """Whether this state is an earlier one on its path with more tokens in the same places."""
        if not abstraction.has_duplicate(vertex.work):
            return None
        mine = vertex.tokens()
        earlier = vertex.parent
        while earlier is not None:
            if earlier.is_choice == vertex.is_choice and earlier.work.life is Life.LIVE:
                other = earlier.tokens()
                if other.keys() == mine.keys() and mine != other and mine > other:
                    more = next(place for place in mine if mine[place] > other[place])
                    return _node_of(self._program, str(more[-1]), more)
            earlier = earlier.parent
        return None


def _bring_forward(work: Work, last: object) -> None:
    """One branch after the other: what a move brought comes before what waited already."""
    for fresh, move in enumerate(reversed(work.moves)):
        if move is last:
            work.moves.rotate(fresh)
            return


def _node_of(program: Program, last: str, place: tuple[object, ...]) -> str:
    flow = program.flow_by_id.get(last)
    if flow is not None:
        return program.nodes[flow.target].id
    names = [str(part) for part in place if part in program.by_id]
    return names[-1] if names else ""


def _with_first(work: Work, number: int) -> Work:
    """The same moment with this choice to be made next."""
    chosen = [move for move in work.moves if move[1] == number]
    others = [move for move in work.moves if move[1] != number]
    work.moves.clear()
    work.moves.extend([*chosen, *others])
    return work


def _copy(work: Work, decide: FreeDecide) -> Work:
    fresh = Work(work.program, work.state(), decide, AT)
    fresh.moves.extend(work.moves)
    fresh.late_moves.extend(work.late_moves)
    fresh.conditions_dirty = work.conditions_dirty
    fresh.touched_scopes.update(work.touched_scopes)
    fresh.touched_joins = work.touched_joins
    return fresh


def _told(work: Work) -> tuple[tuple[str, ...], tuple[RaiseIncident, ...]]:
    trail: list[str] = []
    incidents: list[RaiseIncident] = []
    for effect in work.effects:
        if isinstance(effect, Record) and effect.move is Move.ENTERED:
            trail.append(effect.node_id)
        elif isinstance(effect, RaiseIncident):
            incidents.append(effect)
    work.effects.clear()
    return tuple(trail), tuple(incidents)
