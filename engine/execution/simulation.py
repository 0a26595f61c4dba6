"""Runs programs without a store on a clock that jumps: dry runs, scenarios, the test bench.

Everything the shell would keep in rows is kept in memory: timers, subscriptions, called
processes.  After every step the state is encoded and decoded again, so that a dry run also shows
that a case survives a restart anywhere.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.execution.deadlines import timer_instant
from engine.kernel import effects, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import Decisions, RunningDecide
from engine.kernel.program import EventType, Kind, Program
from engine.kernel.state import State
from engine.model.calendar import WorkingCalendar
from engine.model.clock import TravellingClock
from engine.model.errors import BusinessError, NotCorrelated, NotFound
from engine.model.process import InstanceStatus

StandIn = Callable[["SimulatedCase", effects.Invoke], Mapping[str, object] | None]
"""Answers an operation in place of the real one; None leaves it waiting, `BusinessError` fails it."""

_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})
_OUTCOMES = {
    effects.Outcome.COMPLETED: InstanceStatus.COMPLETED,
    effects.Outcome.TERMINATED: InstanceStatus.TERMINATED,
    effects.Outcome.CANCELLED: InstanceStatus.TERMINATED,
    effects.Outcome.ERROR: InstanceStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of what happened, in all cases of a simulation."""

    at: datetime
    case: int
    process: str
    move: str
    element: str
    kind: str
    who: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class SimulatedCase:
    """One instance in a simulation."""

    number: int
    program: Program
    state: State
    parent: tuple[SimulatedCase, int] | None = None
    status: InstanceStatus = InstanceStatus.ACTIVE
    error_code: str | None = None
    tasks: dict[int, effects.OpenTask] = field(default_factory=dict)
    subscriptions: dict[int, effects.Subscribe] = field(default_factory=dict)
    children: dict[int, SimulatedCase] = field(default_factory=dict)
    calls: dict[int, effects.StartChild] = field(default_factory=dict)
    invocations: dict[int, effects.Invoke] = field(default_factory=dict)
    incidents: dict[int, str] = field(default_factory=dict)
    #: start events that may still start this case
    awaited_starts: tuple[int, ...] = ()
    start_variables: Mapping[str, object] = field(default_factory=dict)
    who: str | None = None

    def waiting_at(self) -> list[str]:
        """Ids of nodes where tokens wait, sorted, one entry a token."""
        if self.awaited_starts:
            return sorted(self.program.nodes[index].id for index in self.awaited_starts)
        return sorted(node_id for _, node_id in self.state.waiting())

    def element_at(self, node_id: str) -> int | None:
        """The oldest token that waits at this node."""
        return next((number for number, at in self.state.waiting() if at == node_id), None)


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
    ) -> None:
        self.programs = dict(programs)
        self.clock = clock
        self.calendar = calendar
        self.cases: list[SimulatedCase] = []
        self.facts: list[Fact] = []
        #: messages thrown that nobody waited for
        self.undelivered: list[effects.ThrowEvent] = []
        self._decisions = dict(decisions or {})
        self._stand_in = stand_in
        self._timers: list[tuple[datetime, int, SimulatedCase, int]] = []
        self._armed: dict[tuple[int, int], int] = {}
        self._sequence = 0
        self._pending: deque[Callable[[], None]] = deque()

    # -- what a caller does -------------------------------------------------------------------

    def start(
        self, key: str, variables: Mapping[str, object] | None = None, *, node: str | None = None
    ) -> SimulatedCase:
        """Start a process; one that only an event can start waits for that event."""
        case = self._new_case(key)
        program = case.program
        if node is None and not program.scopes[0].starts and program.triggered_starts:
            case.awaited_starts = program.triggered_starts
            case.start_variables = dict(variables or {})
            self._await_starts(case)
        else:
            self._step(case, triggers.Started(at=self._now, variables=dict(variables or {}), node=node))
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
                at=self._now, element=element, data=data, outcome=outcome, by=by
            )
        elif element in case.invocations:
            trigger = triggers.OperationReturned(at=self._now, element=element, outputs=data)
        elif node.kind is Kind.CALL_ACTIVITY:
            trigger = triggers.ChildEnded(at=self._now, element=element, outputs=data)
        else:
            trigger = triggers.EventArrived(at=self._now, element=element, payload=data)
        case.who = by
        self._step(case, trigger)
        case.who = None
        self._drain()

    def apply(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        """Hand any trigger to a case and let everything that follows happen."""
        self._step(case, trigger)
        self._drain()

    def message(
        self,
        name: str,
        payload: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        case: SimulatedCase | None = None,
    ) -> None:
        """Correlate a message to the one subscription that fits. Raises `NotCorrelated`."""
        if not self._deliver(name, key, dict(payload or {}), case):
            raise NotCorrelated
        self._drain()

    def signal(self, name: str, payload: Mapping[str, object] | None = None) -> None:
        """Broadcast a signal to every case that listens."""
        self._broadcast(name, dict(payload or {}), None)
        self._drain()

    def travel_to(self, target: datetime) -> None:
        """Move the clock, firing every timer on the way at its own instant."""
        while self._timers and self._timers[0][0] <= target:
            due, ticket, case, element = heapq.heappop(self._timers)
            if self._armed.get((case.number, element)) != ticket:
                continue
            del self._armed[case.number, element]
            if due > self._now:
                self.clock.set(due)
            self._fire(case, element, due)
            self._drain()
        if target > self._now:
            self.clock.set(target)

    def next_due(self) -> datetime | None:
        """When the next timer fires."""
        live = [
            due
            for due, ticket, case, element in self._timers
            if self._armed.get((case.number, element)) == ticket
        ]
        return min(live, default=None)

    # -- inside -------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return self.clock.now()

    def _new_case(self, key: str, parent: tuple[SimulatedCase, int] | None = None) -> SimulatedCase:
        program = self.programs.get(key)
        if program is None:
            raise NotFound(f"没有流程“{key}”")
        case = SimulatedCase(len(self.cases) + 1, program, State.initial(program), parent)
        self.cases.append(case)
        return case

    def _step(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        decide = RunningDecide(self._now, decisions=self._decisions.get(case.program.key))
        state, made = kernel.step(case.program, case.state, trigger, decide)
        case.state = State.decode(state.encode())
        for effect in made:
            _SETTLE[type(effect)](self, case, effect)
        case.incidents = {
            number: case.incidents.get(number, "") for number, _ in case.state.failed()
        } | {number: text for number, text in case.incidents.items() if number == 0}
        if not case.state.is_ended:
            case.status = InstanceStatus.INCIDENT if case.incidents else InstanceStatus.ACTIVE

    def _later(self, action: Callable[[], None]) -> None:
        self._pending.append(action)

    def _drain(self) -> None:
        while self._pending:
            self._pending.popleft()()

    def _fire(self, case: SimulatedCase, element: int, due: datetime) -> None:
        if case.awaited_starts:
            self._start_awaited(case, -element)
        elif element in case.state.elements:
            self._step(case, triggers.TimerFired(at=self._now, element=element, due_at=due))

    def _arm(self, case: SimulatedCase, element: int, when: object, since: datetime) -> None:
        self._sequence += 1
        due = timer_instant(self.calendar, since, when)
        heapq.heappush(self._timers, (due, self._sequence, case, element))
        self._armed[case.number, element] = self._sequence

    def _await_starts(self, case: SimulatedCase) -> None:
        decide = RunningDecide(self._now)
        for index in case.awaited_starts:
            node = case.program.nodes[index]
            for event in node.events:
                if event.type is EventType.TIMER and event.timer is not None:
                    value = event.timer.value
                    if not isinstance(value, str):
                        value = str(decide.value(node, value, lambda name: (False, None)))
                    # Timers of start events are told apart from elements by their sign.
                    self._arm(case, -index, _first_firing(value), self._now)
                elif event.condition is not None:
                    known = case.start_variables
                    if decide.holds(node, event.condition, lambda n: (n in known, known.get(n))):
                        self._later(lambda index=index: self._start_awaited(case, index))  # type: ignore[misc]

    def _start_awaited(
        self, case: SimulatedCase, index: int, payload: Mapping[str, object] | None = None
    ) -> None:
        if not case.awaited_starts:
            return
        variables = {**case.start_variables, **(payload or {})}
        case.awaited_starts = ()
        node_id = case.program.nodes[index].id
        self._step(case, triggers.Started(at=self._now, variables=variables, node=node_id))

    def _deliver(
        self, name: str, key: str | None, payload: Mapping[str, object], only: SimulatedCase | None
    ) -> bool:
        for case in self.cases if only is None else [only]:
            index = _start_for(case.program, case.awaited_starts, EventType.MESSAGE, name)
            if index is not None:
                self._start_awaited(case, index, payload)
                return True
            for element, wanted in list(case.subscriptions.items()):
                if wanted.kind is effects.EventKind.MESSAGE and wanted.name == name:
                    if _keys_fit(wanted.key, key):
                        self._step(
                            case,
                            triggers.EventArrived(at=self._now, element=element, payload=payload),
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
        case = self._new_case(key)
        node_id = case.program.nodes[index].id
        self._step(case, triggers.Started(at=self._now, variables=payload, node=node_id))

    def _broadcast(
        self, name: str, payload: Mapping[str, object], thrower: SimulatedCase | None
    ) -> None:
        for case in list(self.cases):
            index = _start_for(case.program, case.awaited_starts, EventType.SIGNAL, name)
            if index is not None:
                self._start_awaited(case, index, payload)
            if case is thrower:
                continue
            for element, wanted in list(case.subscriptions.items()):
                if wanted.kind is effects.EventKind.SIGNAL and wanted.name == name:
                    if element in case.subscriptions:
                        self._step(
                            case,
                            triggers.EventArrived(at=self._now, element=element, payload=payload),
                        )
        for process_key, program in self.programs.items():
            index = _start_for(program, program.triggered_starts, EventType.SIGNAL, name)
            waiting = any(case.program is program and case.awaited_starts for case in self.cases)
            started = any(case.program is program for case in self.cases)
            if index is not None and not waiting and not started:
                self._start_by_event(process_key, index, payload)

    # -- one function for each effect ---------------------------------------------------------

    def _open_task(self, case: SimulatedCase, effect: effects.OpenTask) -> None:
        case.tasks[effect.element] = effect

    def _close_task(self, case: SimulatedCase, effect: effects.CloseTask) -> None:
        case.tasks.pop(effect.element, None)

    def _arm_timer(self, case: SimulatedCase, effect: effects.ArmTimer) -> None:
        self._arm(case, effect.element, effect.when, effect.since)

    def _cancel_timer(self, case: SimulatedCase, effect: effects.CancelTimer) -> None:
        self._armed.pop((case.number, effect.element), None)

    def _subscribe(self, case: SimulatedCase, effect: effects.Subscribe) -> None:
        case.subscriptions[effect.element] = effect

    def _unsubscribe(self, case: SimulatedCase, effect: effects.Unsubscribe) -> None:
        case.subscriptions.pop(effect.element, None)

    def _invoke(self, case: SimulatedCase, effect: effects.Invoke) -> None:
        case.invocations[effect.element] = effect
        if self._stand_in is not None:
            self._later(lambda: self._run_operation(case, effect))

    def _run_operation(self, case: SimulatedCase, effect: effects.Invoke) -> None:
        if effect.element not in case.state.elements or self._stand_in is None:
            return
        trigger: triggers.Trigger
        try:
            outputs = self._stand_in(case, effect)
        except BusinessError as error:
            trigger = triggers.OperationFailed(
                at=self._now,
                element=effect.element,
                error_code=error.error_code,
                message=error.message,
            )
        else:
            if outputs is None:
                return
            trigger = triggers.OperationReturned(
                at=self._now, element=effect.element, outputs=outputs
            )
        self._step(case, trigger)

    def _cancel_invoke(self, case: SimulatedCase, effect: effects.CancelInvoke) -> None:
        case.invocations.pop(effect.element, None)

    def _start_child(self, case: SimulatedCase, effect: effects.StartChild) -> None:
        case.calls[effect.element] = effect
        if effect.process_key not in self.programs:
            return
        child = self._new_case(effect.process_key, (case, effect.element))
        case.children[effect.element] = child
        self._later(lambda: self._run_child(child, effect))

    def _run_child(self, child: SimulatedCase, effect: effects.StartChild) -> None:
        if not child.state.is_started and child.status is InstanceStatus.ACTIVE:
            self._step(child, triggers.Started(at=self._now, variables=effect.variables))

    def _cancel_child(self, case: SimulatedCase, effect: effects.CancelChild) -> None:
        child = case.children.pop(effect.element, None)
        if child is not None and child.status in (InstanceStatus.ACTIVE, InstanceStatus.INCIDENT):
            self._later(lambda: self._cancel(child))

    def _cancel(self, child: SimulatedCase) -> None:
        child.parent = None
        if child.state.is_started and not child.state.is_ended:
            self._step(child, triggers.Cancelled(at=self._now))
        child.status = InstanceStatus.TERMINATED

    def _throw_event(self, case: SimulatedCase, effect: effects.ThrowEvent) -> None:
        self._later(lambda: self._carry(case, effect))

    def _carry(self, case: SimulatedCase, effect: effects.ThrowEvent) -> None:
        if effect.kind is effects.EventKind.SIGNAL:
            self._broadcast(effect.name, effect.payload, case)
        elif not self._deliver(effect.name, effect.key, effect.payload, None):
            self.undelivered.append(effect)

    def _throw_escalation(self, case: SimulatedCase, effect: effects.ThrowEscalation) -> None:
        if case.parent is None:
            return
        caller, element = case.parent
        self._later(
            lambda: self._to_caller(
                caller,
                element,
                triggers.EscalationReached(
                    at=self._now,
                    element=element,
                    escalation_code=effect.code,
                    payload=effect.payload,
                ),
            )
        )

    def _to_caller(self, caller: SimulatedCase, element: int, trigger: triggers.Trigger) -> None:
        if element in caller.state.elements:
            self._step(caller, trigger)

    def _record(self, case: SimulatedCase, effect: effects.Record) -> None:
        node = case.program.node(effect.node_id)
        self.facts.append(
            Fact(
                at=self._now,
                case=case.number,
                process=case.program.key,
                move=effect.move.value,
                element=effect.node_id,
                kind=node.kind.value,
                who=case.who if node.kind in _PEOPLE else None,
                detail=effect.detail,
            )
        )

    def _finish(self, case: SimulatedCase, effect: effects.Finish) -> None:
        case.status = _OUTCOMES[effect.outcome]
        case.error_code = effect.error_code
        case.tasks.clear()
        if case.parent is None or effect.outcome is effects.Outcome.TERMINATED:
            return
        caller, element = case.parent
        ended = triggers.ChildEnded(
            at=self._now,
            element=element,
            outputs=effect.variables,
            error_code=effect.error_code if effect.outcome is effects.Outcome.ERROR else None,
        )
        self._later(lambda: self._to_caller(caller, element, ended))

    def _incident(self, case: SimulatedCase, effect: effects.RaiseIncident) -> None:
        case.incidents[effect.element] = effect.message


_SETTLE: dict[type, Callable[..., None]] = {
    effects.OpenTask: Simulation._open_task,
    effects.CloseTask: Simulation._close_task,
    effects.ArmTimer: Simulation._arm_timer,
    effects.CancelTimer: Simulation._cancel_timer,
    effects.Subscribe: Simulation._subscribe,
    effects.Unsubscribe: Simulation._unsubscribe,
    effects.Invoke: Simulation._invoke,
    effects.CancelInvoke: Simulation._cancel_invoke,
    effects.StartChild: Simulation._start_child,
    effects.CancelChild: Simulation._cancel_child,
    effects.ThrowEvent: Simulation._throw_event,
    effects.ThrowEscalation: Simulation._throw_escalation,
    effects.Record: Simulation._record,
    effects.Finish: Simulation._finish,
    effects.RaiseIncident: Simulation._incident,
}


def _start_for(
    program: Program, starts: tuple[int, ...], kind: EventType, name: str
) -> int | None:
    for index in starts:
        for event in program.nodes[index].events:
            if event.type is kind and event.name == name:
                return index
    return None


def _keys_fit(wanted: str | None, given: str | None) -> bool:
    return wanted is None or given is None or wanted == given


def _first_firing(text: str) -> str:
    """The first interval of a cycle; anything else as it is."""
    return text.split("/", 1)[1] if text[:1] in "Rr" and "/" in text else text


