"""Runs programs without a store on a clock that jumps: dry runs, scenarios, the test bench.

Everything the shell would keep in rows is kept in memory: timers, subscriptions, called
processes.  After every step the state is encoded and decoded again, so that a dry run also shows
that a case survives a restart anywhere; campaigns of thousands of cases leave that out.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from engine.execution.deadlines import timer_instant
from engine.execution.simulated_case import Fact, SimulatedCase
from engine.execution.simulation_effects import SETTLE, StandIn
from engine.kernel import cycles, effects, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import Decisions, RunningDecide
from engine.kernel.events_waiting import key_text
from engine.kernel.program import EventDefinition, EventType, Kind, Node, Program
from engine.kernel.state import ROOT, State
from engine.model import duration
from engine.model.calendar import WorkingCalendar
from engine.model.clock import TravellingClock
from engine.model.errors import NotCorrelated, NotFound
from engine.model.process import InstanceStatus

_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})

Watcher = Callable[[SimulatedCase, effects.Effect], None]
"""Is told every effect after it was made true; may ask for things only `later`."""


class Simulation:
    """Several processes and their cases on one clock."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        *,
        clock: TravellingClock,
        calendar: WorkingCalendar,
        decisions: Mapping[str, Decisions] | None = None,
        stand_in: StandIn | None = None,
        watcher: Watcher | None = None,
        restarts: bool = True,
        keep_facts: bool = True,
    ) -> None:
        self.programs = dict(programs)
        self.clock = clock
        self.calendar = calendar
        self.cases: list[SimulatedCase] = []
        self.facts: list[Fact] = []
        #: messages thrown that nobody waited for
        self.undelivered: list[effects.ThrowEvent] = []
        self.decisions = dict(decisions or {})
        self.stand_in = stand_in
        self._watcher = watcher
        self._restarts = restarts
        self.keep_facts = keep_facts
        #: steps made so far, of all cases
        self.steps = 0
        self._timers: list[tuple[datetime, int, SimulatedCase, int]] = []
        self._armed: dict[tuple[int, int], int] = {}
        #: cycles of timer starts by case and node: what repeats, from when, how often still
        self._repeats: dict[tuple[int, int], tuple[duration.Cycle, datetime, int]] = {}
        self._sequence = 0
        self._in_flight: list[tuple[datetime | None, effects.ThrowEvent]] = []
        self._pending: deque[Callable[[], None]] = deque()

    # -- what a caller does -------------------------------------------------------------------

    def start(
        self, key: str, variables: Mapping[str, object] | None = None, *, node: str | None = None
    ) -> SimulatedCase:
        """Start a process; one that only an event can start waits for that event."""
        return self.begin(self.new_case(key), variables, node=node)

    def begin(
        self,
        case: SimulatedCase,
        variables: Mapping[str, object] | None = None,
        *,
        node: str | None = None,
    ) -> SimulatedCase:
        """Start a case made by `new_case`."""
        program = case.program
        if node is None and not program.scopes[0].starts and program.triggered_starts:
            case.awaited_starts = program.triggered_starts
            case.start_variables = dict(variables or {})
            self._await_starts(case)
        else:
            self.step(
                case, triggers.Started(at=self.now, variables=dict(variables or {}), node=node)
            )
        self._drain()
        return case

    def complete(
        self,
        case: SimulatedCase,
        element: int,
        data: Mapping[str, object] | None = None,
        *,
        outcome: str | None = None,
        by: str | None = None,
    ) -> None:
        """Do what the token at this element waits for: a task, an operation, a called process."""
        node = case.program.node(case.state.elements[element].node)
        data = dict(data or {})
        trigger: triggers.Trigger
        if node.kind in _PEOPLE:
            trigger = triggers.TaskCompleted(
                at=self.now, element=element, data=data, outcome=outcome, by=by
            )
        elif element in case.invocations:
            trigger = triggers.OperationReturned(at=self.now, element=element, outputs=data)
        elif node.kind is Kind.CALL_ACTIVITY:
            trigger = triggers.ChildEnded(at=self.now, element=element, outputs=data)
        else:
            trigger = triggers.EventArrived(at=self.now, element=element, payload=data)
        case.who = by
        self.step(case, trigger)
        case.who = None
        self._drain()

    def apply(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        """Hand any trigger to a case and let everything that follows happen."""
        self.step(case, trigger)
        self._drain()

    def message(
        self,
        name: str,
        payload: Mapping[str, object] | None = None,
        *,
        key: str | Sequence[object] | None = None,
        case: SimulatedCase | None = None,
    ) -> None:
        """Correlate a message to the one subscription that fits. Raises `NotCorrelated`.

        Without `key` an entry `key` of the payload is the key (contract: `{"key": …}`).
        """
        if key is None:
            told = (payload or {}).get("key")
            key = told if isinstance(told, str) else None if told is None else [told]
        text = None if key is None else key_text(key)
        if not self.deliver(name, text, dict(payload or {}), case):
            raise NotCorrelated
        self._drain()

    def signal(self, name: str, payload: Mapping[str, object] | None = None) -> None:
        """Broadcast a signal to every case that listens."""
        self.broadcast(name, dict(payload or {}), None)
        self._drain()

    def travel_to(self, target: datetime) -> None:
        """Move the clock, firing every timer on the way at its own instant."""
        while self._timers and self._timers[0][0] <= target:
            due, ticket, case, element = heapq.heappop(self._timers)
            if self._armed.get((case.number, element)) != ticket:
                continue
            del self._armed[case.number, element]
            if due > self.now:
                self.clock.set(due)
            self._fire(case, element, due)
            self._drain()
        if target > self.now:
            self.clock.set(target)

    def next_due(self) -> datetime | None:
        """When the next timer fires."""
        timers = self._timers
        while timers:
            due, ticket, case, element = timers[0]
            if self._armed.get((case.number, element)) == ticket:
                return due
            heapq.heappop(timers)
        return None

    # -- inside -------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The instant the clock shows."""
        return self.clock.now()

    def new_case(self, key: str, parent: tuple[SimulatedCase, int] | None = None) -> SimulatedCase:
        """A case that has not started yet."""
        program = self.programs.get(key)
        if program is None:
            raise NotFound(f"没有流程“{key}”")
        case = SimulatedCase(len(self.cases) + 1, program, State.initial(program), parent)
        self.cases.append(case)
        return case

    def step(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        """One step of one case, with everything its effects ask for."""
        decide = RunningDecide(self.now, decisions=self.decisions.get(case.program.key))
        state, made = kernel.step(case.program, case.state, trigger, decide)
        case.state = State.decode(state.encode()) if self._restarts else state
        self.steps += 1
        for effect in made:
            SETTLE[type(effect)](self, case, effect)
            if self._watcher is not None:
                self._watcher(case, effect)
        if case.incidents:
            case.incidents = {
                number: case.incidents.get(number, "") for number, _ in case.state.failed()
            } | {number: text for number, text in case.incidents.items() if number == 0}
        if not case.state.is_ended:
            case.status = InstanceStatus.INCIDENT if case.incidents else InstanceStatus.ACTIVE

    def later(self, action: Callable[[], None]) -> None:
        """Do something after this step, in order."""
        self._pending.append(action)

    def disarm(self, case: SimulatedCase, element: int) -> None:
        """Forget the timer of an element."""
        self._armed.pop((case.number, element), None)

    def _drain(self) -> None:
        while self._pending:
            self._pending.popleft()()

    def _fire(self, case: SimulatedCase, element: int, due: datetime) -> None:
        if element <= ROOT:
            self._begin_by_clock(case, -element, due)
        elif element in case.state.elements:
            self.step(case, triggers.TimerFired(at=self.now, element=element, due_at=due))

    def arm(self, case: SimulatedCase, element: int, when: object, since: datetime) -> None:
        """Arm the timer of an element."""
        self._sequence += 1
        due = timer_instant(self.calendar, since, when)
        heapq.heappush(self._timers, (due, self._sequence, case, element))
        self._armed[case.number, element] = self._sequence

    def _await_starts(self, case: SimulatedCase) -> None:
        for index in case.awaited_starts:
            node = case.program.nodes[index]
            for event in node.awaited:
                self._await_start(case, node, event)

    def _await_start(self, case: SimulatedCase, node: Node, event: EventDefinition) -> None:
        decide = RunningDecide(self.now)
        known = dict(case.start_variables)

        def lookup(name: str) -> tuple[bool, object]:
            return name in known, known.get(name)

        if event.timer is not None:
            value = event.timer.value
            text = value if isinstance(value, str) else str(decide.value(node, value, lookup))
            # Timers of start events are told apart from elements by their sign.
            firing = cycles.Firing(text, self.now, 0)
            cycle = duration.parse_due(text)
            if isinstance(cycle, duration.Cycle):
                firing = cycles.first(cycle, self.now)
                self._repeats[case.number, node.index] = (cycle, self.now, firing.left)
            self.arm(case, -node.index, firing.when, firing.since)
        elif event.condition is not None and decide.holds(node, event.condition, lookup):
            self.later(partial(self._start_awaited, case, node.index))

    def _begin_by_clock(self, case: SimulatedCase, index: int, due: datetime) -> None:
        """The case that waited begins; every further firing of a cycle begins one of its own."""
        repeat = self._repeats.pop((case.number, index), None)
        if repeat is not None:
            cycle, anchor, left = repeat
            firing = cycles.following(cycle, anchor, left, due)
            if firing is not None:
                self._repeats[case.number, index] = (cycle, anchor, firing.left)
                self.arm(case, -index, firing.when, firing.since)
        if case.awaited_starts:
            self._start_awaited(case, index)
        elif repeat is not None:
            self._start_by_event(case.program.key, index, case.start_variables)

    def _start_awaited(
        self, case: SimulatedCase, index: int, payload: Mapping[str, object] | None = None
    ) -> None:
        if not case.awaited_starts:
            return
        variables = {**case.start_variables, **(payload or {})}
        case.awaited_starts = ()
        node_id = case.program.nodes[index].id
        self.step(case, triggers.Started(at=self.now, variables=variables, node=node_id))

    def deliver(
        self, name: str, key: str | None, payload: Mapping[str, object], only: SimulatedCase | None
    ) -> bool:
        """Hand a message to the one subscription or start that fits; False when none does."""
        for case in self.cases if only is None else [only]:
            index = _start_for(case.program, case.awaited_starts, EventType.MESSAGE, name)
            if index is not None:
                self._start_awaited(case, index, payload)
                return True
            for element, wanted in list(case.subscriptions.items()):
                if _wants(wanted, effects.EventKind.MESSAGE, name) and _fits(wanted.key, key):
                    self.step(
                        case, triggers.EventArrived(at=self.now, element=element, payload=payload)
                    )
                    return True
        if only is None:
            for process_key, program in self.programs.items():
                index = _start_for(program, program.triggered_starts, EventType.MESSAGE, name)
                if index is not None:
                    self._start_by_event(process_key, index, payload)
                    return True
        return False

    def _start_by_event(self, key: str, index: int, payload: Mapping[str, object]) -> None:
        case = self.new_case(key)
        node_id = case.program.nodes[index].id
        self.step(case, triggers.Started(at=self.now, variables=payload, node=node_id))

    def deliver_late(self) -> None:
        """Messages that nobody waited for find who began to wait since.

        Those of this very instant, and those that a drawn message flow carries.
        """
        for thrown_at, message in list(self._in_flight):
            if thrown_at not in (None, self.now):
                self._in_flight.remove((thrown_at, message))
            elif self.deliver(message.name, message.key, message.payload, None):
                self._in_flight.remove((thrown_at, message))
                self.undelivered.remove(message)

    def miss(self, message: effects.ThrowEvent, *, kept: bool) -> None:
        """Nobody waits for a thrown message; `kept` until somebody does."""
        self.undelivered.append(message)
        self._in_flight.append((None if kept else self.now, message))

    def broadcast(
        self, name: str, payload: Mapping[str, object], thrower: SimulatedCase | None
    ) -> None:
        """Hand a signal to every subscription but the thrower's, and to starts."""
        started: set[str] = set()
        for case in list(self.cases):
            index = _start_for(case.program, case.awaited_starts, EventType.SIGNAL, name)
            if index is not None:
                self._start_awaited(case, index, payload)
                started.add(case.program.key)
            elif case is not thrower:
                self._signal_case(case, name, payload)
        for process_key, program in self.programs.items():
            index = _start_for(program, program.triggered_starts, EventType.SIGNAL, name)
            if index is not None and process_key not in started:
                self._start_by_event(process_key, index, payload)

    def _signal_case(self, case: SimulatedCase, name: str, payload: Mapping[str, object]) -> None:
        for element, wanted in list(case.subscriptions.items()):
            # The step for one listener may have ended another.
            still = element in case.subscriptions
            if still and _wants(wanted, effects.EventKind.SIGNAL, name):
                self.step(
                    case, triggers.EventArrived(at=self.now, element=element, payload=payload)
                )


def _start_for(program: Program, starts: tuple[int, ...], kind: EventType, name: str) -> int | None:
    for index in starts:
        for event in program.nodes[index].awaited:
            if event.type is kind and event.name == name:
                return index
    return None


def _wants(wanted: effects.Subscribe, kind: effects.EventKind, name: str) -> bool:
    return wanted.kind is kind and wanted.name == name


def _fits(wanted: str | None, given: str | None) -> bool:
    return wanted is None or given is None or wanted == given
