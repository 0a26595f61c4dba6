"""What is certain at each place of a program: the heart of the policy rules.

Two questions are asked of every path.  *Is a fact behind us?*  Its levels are VOID (done once,
undone since), OPEN, HALF (done, its outcome not looked at yet) and HELD.  *How many days have gone
by at least?*  Both are numbers that start best and sink to the worst path (a greatest fixpoint), so
that the answer is exact for what the drawing allows, and cheap: no state is enumerated.

A called process is followed where it is called, with what is certain at that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.execution.policy_places import Moment, Place, Places, is_certain
from engine.kernel.program import Node, Program

VOID, OPEN, HALF, HELD = range(4)

_Programs = Mapping[str, Program]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a rule marks in one program: node ids and flow ids."""

    #: completing these makes the fact certain
    done: frozenset[str] = frozenset()
    #: completing these makes it half certain: the outcome is still to be asked
    half: frozenset[str] = frozenset()
    #: beginning these voids it (or starts the count of days anew)
    void: frozenset[str] = frozenset()
    #: taking these flows makes it certain
    flows: frozenset[str] = frozenset()
    #: taking these flows makes it certain if it was half
    outcomes: frozenset[str] = frozenset()
    #: days that passing these nodes takes at least
    days: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about all paths of a program and of those it calls."""

    programs: _Programs
    #: marks by process key
    marks: Mapping[str, Marks]
    #: the best that can be certain
    top: int = HELD
    #: whether days are counted
    counts: bool = False


class Answer:
    """What is certain everywhere, when so much is certain at the start."""

    def __init__(self, question: Question, program: Program, start: int, cache: Cache) -> None:
        self._question = question
        #: the process that is asked about
        self.program = program
        self._start = start
        self._cache = cache
        self._marks = question.marks.get(program.key, Marks())
        self._places = cache.places(program)
        self._value: dict[Place, int] = dict.fromkeys(self._places.sources, question.top)
        self._solve()

    def at(self, moment: Moment, index: int) -> int:
        """What is certain at this place on the worst path."""
        return self._value[Place(moment, index)]

    def left(self) -> int:
        """What is certain when the process is over."""
        return self.at(Moment.LEFT, 0)

    def called(self, node: Node) -> Answer | None:
        """The answer for the process that a call activity calls, from where it is called."""
        program = self._question.programs.get(node.call.process_key) if node.call else None
        if program is None:
            return None
        return self._cache.answer(self._question, program, self.at(Moment.BEGUN, node.index))

    def path(self, to: int) -> tuple[str, ...]:
        """Ids of nodes on a worst path, from the start to this node."""
        first, steps = self._back(Place(Moment.ARRIVED, to), worst=True)
        if first.moment is not Moment.OPENED:
            _, before = self._back(first, worst=False)
            steps = [*before, *steps]
        ids = [
            self.program.nodes[place.index].id for place in steps if place.moment is Moment.ARRIVED
        ]
        return _without_echo(ids)

    def _solve(self) -> None:
        readers = self._places.readers
        todo = deque(self._places.sources)
        waiting = set(todo)
        while todo:
            place = todo.popleft()
            waiting.discard(place)
            value = self._worst(place)
            if value < self._value[place]:
                self._value[place] = value
                for reader in readers[place]:
                    if reader not in waiting:
                        waiting.add(reader)
                        todo.append(reader)

    def _worst(self, place: Place) -> int:
        values = [self._through(place, source) for source in self._places.sources[place]]
        if place == Place(Moment.OPENED, 0):
            return self._start
        if not values:
            return self._question.top
        if place not in self._places.joins:
            return min(values)
        if self._question.counts:
            # A branch that began to count anew does not know how long the other has waited.
            return max(values) if not self._marks.void else min(values)
        return VOID if VOID in values else max(values)

    def _through(self, place: Place, source: Place) -> int:
        """What of the certainty at `source` arrives at `place`, by this way."""
        value, marks = self._value[source], self._marks
        if place.moment is Moment.BEGUN:
            node = self.program.nodes[place.index]
            return VOID if node.id in marks.void else value
        if place.moment is Moment.DONE:
            return self._completed(self.program.nodes[place.index], source, value)
        if place.moment is Moment.TAKEN:
            flow = self.program.flows[place.index].id
            held = flow in marks.flows or (flow in marks.outcomes and value >= HALF)
            return self._question.top if held else value
        return value

    def _completed(self, node: Node, source: Place, value: int) -> int:
        marks, question = self._marks, self._question
        if question.counts and node.id in marks.void:
            return 0
        if node.call is not None and source.moment is Moment.BEGUN:
            called = self._called_with(node, value)
            value = called if is_certain(node) else min(value, called)
        if not is_certain(node):
            return value
        if node.id in marks.done:
            return question.top
        if node.id in marks.half:
            return max(value, HALF)
        return min(question.top, value + marks.days.get(node.id, 0))

    def _called_with(self, node: Node, value: int) -> int:
        program = self._question.programs.get(node.call.process_key) if node.call else None
        if program is None or not self._cache.family(self._question, program) & set(
            self._question.marks
        ):
            return value
        found = self._cache.answer(self._question, program, value)
        return value if found is None else found.left()

    def _back(self, target: Place, *, worst: bool) -> tuple[Place, list[Place]]:
        """A shortest way back: to what makes it uncertain, or simply to the start."""
        came: dict[Place, Place] = {}
        todo, seen = deque([target]), {target}
        last = target
        while todo:
            last = todo.popleft()
            if last == Place(Moment.OPENED, 0) or (worst and self._is_void(last)):
                break
            for source in self._places.sources[last]:
                blamed = not worst or self._blames(last, source)
                if blamed and source not in seen:
                    seen.add(source)
                    came[source] = last
                    todo.append(source)
        steps = [last]
        while steps[-1] != target:
            steps.append(came[steps[-1]])
        return last, steps

    def _is_void(self, place: Place) -> bool:
        if place.moment is not Moment.BEGUN:
            return False
        return self.program.nodes[place.index].id in self._marks.void

    def _blames(self, place: Place, source: Place) -> bool:
        return self._through(place, source) <= self._value[place]


class Cache:
    """Places and answers, each made once; a process that calls itself is not followed again."""

    def __init__(self) -> None:
        self._places: dict[str, Places] = {}
        self._answers: dict[tuple[int, str, int], Answer] = {}
        self._open: set[str] = set()
        self._families: dict[str, frozenset[str]] = {}

    def places(self, program: Program) -> Places:
        """The places of a program."""
        found = self._places.get(program.key)
        if found is None or found.program is not program:
            found = self._places[program.key] = Places.of(program)
        return found

    def family(self, question: Question, program: Program) -> frozenset[str]:
        """Keys of a process and of all it calls, whatever is known of them."""
        found = self._families.get(program.key)
        if found is None:
            seen: set[str] = set()
            todo = [program.key]
            while todo:
                key = todo.pop()
                if key not in seen:
                    seen.add(key)
                    at = question.programs.get(key)
                    nodes = at.nodes if at is not None else ()
                    todo += [node.call.process_key for node in nodes if node.call]
            found = self._families[program.key] = frozenset(seen)
        return found

    def answer(self, question: Question, program: Program, start: int) -> Answer | None:
        """What is certain in this program; None inside itself."""
        key = (id(question), program.key, start)
        if key not in self._answers:
            if program.key in self._open:
                return None
            self._open.add(program.key)
            try:
                self._answers[key] = Answer(question, program, start, self)
            finally:
                self._open.discard(program.key)
        return self._answers[key]


def _without_echo(ids: list[str]) -> tuple[str, ...]:
    return tuple(each for place, each in enumerate(ids) if place == 0 or ids[place - 1] != each)
