"""What a simulation makes of each kind of effect: one function each, as `settle` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from engine.execution.simulated_case import Fact, SimulatedCase
from engine.kernel import effects, triggers
from engine.kernel.program import Kind, Program
from engine.model.errors import BusinessError
from engine.model.process import InstanceStatus

StandIn = Callable[[SimulatedCase, effects.Invoke], Mapping[str, object] | None]
"""Answers an operation in place of the real one; None leaves it waiting, an error fails it."""


class Simulation(Protocol):
    """What the effects may use of the simulation they happen in."""

    programs: dict[str, Program]
    facts: list[Fact]
    keep_facts: bool
    stand_in: StandIn | None

    @property
    def now(self) -> datetime:
        """The instant the clock shows."""
        ...

    def new_case(self, key: str, parent: tuple[SimulatedCase, int] | None = None) -> SimulatedCase:
        """A case that has not started yet."""
        ...

    def step(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        """One step of one case, with everything its effects ask for."""
        ...

    def arm(self, case: SimulatedCase, element: int, when: object, since: datetime) -> None:
        """Arm the timer of an element."""
        ...

    def disarm(self, case: SimulatedCase, element: int) -> None:
        """Forget the timer of an element."""
        ...

    def later(self, action: Callable[[], None]) -> None:
        """Do something after this step, in order."""
        ...

    def deliver(
        self, name: str, key: str | None, payload: Mapping[str, object], only: SimulatedCase | None
    ) -> bool:
        """Hand a message to the one subscription or start that fits."""
        ...

    def deliver_late(self) -> None:
        """Messages that nobody waited for find who began to wait since."""
        ...

    def miss(self, message: effects.ThrowEvent, *, kept: bool) -> None:
        """Nobody waits for a thrown message; `kept` until somebody does."""
        ...

    def broadcast(
        self, name: str, payload: Mapping[str, object], thrower: SimulatedCase | None
    ) -> None:
        """Hand a signal to every subscription but the thrower's, and to starts."""
        ...


_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})
_OUTCOMES = {
    effects.Outcome.COMPLETED: InstanceStatus.COMPLETED,
    effects.Outcome.TERMINATED: InstanceStatus.TERMINATED,
    effects.Outcome.CANCELLED: InstanceStatus.TERMINATED,
    effects.Outcome.ERROR: InstanceStatus.FAILED,
}


def _open_task(_: Simulation, case: SimulatedCase, effect: effects.OpenTask) -> None:
    case.tasks[effect.element] = effect


def _close_task(_: Simulation, case: SimulatedCase, effect: effects.CloseTask) -> None:
    case.tasks.pop(effect.element, None)


def _arm_timer(simulation: Simulation, case: SimulatedCase, effect: effects.ArmTimer) -> None:
    simulation.arm(case, effect.element, effect.when, effect.since)


def _cancel_timer(simulation: Simulation, case: SimulatedCase, effect: effects.CancelTimer) -> None:
    simulation.disarm(case, effect.element)


def _subscribe(simulation: Simulation, case: SimulatedCase, effect: effects.Subscribe) -> None:
    case.subscriptions[effect.element] = effect
    if effect.kind is effects.EventKind.MESSAGE:
        simulation.later(simulation.deliver_late)


def _unsubscribe(_: Simulation, case: SimulatedCase, effect: effects.Unsubscribe) -> None:
    case.subscriptions.pop(effect.element, None)


def _invoke(simulation: Simulation, case: SimulatedCase, effect: effects.Invoke) -> None:
    case.invocations[effect.element] = effect
    if simulation.stand_in is not None:
        simulation.later(lambda: _run_operation(simulation, case, effect))


def _run_operation(simulation: Simulation, case: SimulatedCase, effect: effects.Invoke) -> None:
    if effect.element not in case.state.elements or simulation.stand_in is None:
        return
    trigger: triggers.Trigger
    try:
        outputs = simulation.stand_in(case, effect)
    except BusinessError as error:
        trigger = triggers.OperationFailed(
            at=simulation.now,
            element=effect.element,
            error_code=error.error_code,
            message=error.message,
        )
    else:
        if outputs is None:
            return
        trigger = triggers.OperationReturned(
            at=simulation.now, element=effect.element, outputs=outputs
        )
    simulation.step(case, trigger)


def _cancel_invoke(_: Simulation, case: SimulatedCase, effect: effects.CancelInvoke) -> None:
    case.invocations.pop(effect.element, None)


def _start_child(simulation: Simulation, case: SimulatedCase, effect: effects.StartChild) -> None:
    case.calls[effect.element] = effect
    if effect.process_key not in simulation.programs:
        return
    child = simulation.new_case(effect.process_key, (case, effect.element))
    case.children[effect.element] = child
    simulation.later(lambda: _run_child(simulation, child, effect))


def _run_child(simulation: Simulation, child: SimulatedCase, effect: effects.StartChild) -> None:
    if not child.state.is_started and child.status is InstanceStatus.ACTIVE:
        simulation.step(child, triggers.Started(at=simulation.now, variables=effect.variables))


def _cancel_child(simulation: Simulation, case: SimulatedCase, effect: effects.CancelChild) -> None:
    child = case.children.pop(effect.element, None)
    if child is not None and child.status in (InstanceStatus.ACTIVE, InstanceStatus.INCIDENT):
        simulation.later(lambda: _cancel(simulation, child))


def _cancel(simulation: Simulation, child: SimulatedCase) -> None:
    child.parent = None
    if child.state.is_started and not child.state.is_ended:
        simulation.step(child, triggers.Cancelled(at=simulation.now))
    child.status = InstanceStatus.TERMINATED


def _throw_event(simulation: Simulation, case: SimulatedCase, effect: effects.ThrowEvent) -> None:
    simulation.later(lambda: _carry(simulation, case, effect))


def _carry(simulation: Simulation, case: SimulatedCase, effect: effects.ThrowEvent) -> None:
    if effect.kind is effects.EventKind.SIGNAL:
        simulation.broadcast(effect.name, effect.payload, case)
    elif not simulation.deliver(effect.name, effect.key, effect.payload, None):
        simulation.miss(effect, kept=effect.node_id in case.program.talks)


def _throw_escalation(
    simulation: Simulation, case: SimulatedCase, effect: effects.ThrowEscalation
) -> None:
    if case.parent is None:
        return
    caller, element = case.parent
    simulation.later(
        lambda: _to_caller(
            simulation,
            caller,
            element,
            triggers.EscalationReached(
                at=simulation.now,
                element=element,
                escalation_code=effect.code,
                payload=effect.payload,
            ),
        )
    )


def _to_caller(
    simulation: Simulation, caller: SimulatedCase, element: int, trigger: triggers.Trigger
) -> None:
    if element in caller.state.elements:
        simulation.step(caller, trigger)


def _record(simulation: Simulation, case: SimulatedCase, effect: effects.Record) -> None:
    if not simulation.keep_facts:
        return
    node = case.program.node(effect.node_id)
    simulation.facts.append(
        Fact(
            at=simulation.now,
            case=case.number,
            process=case.program.key,
            move=effect.move.value,
            element=effect.node_id,
            kind=node.kind.value,
            who=case.who if node.kind in _PEOPLE else None,
            detail=effect.detail,
        )
    )


def _finish(simulation: Simulation, case: SimulatedCase, effect: effects.Finish) -> None:
    case.status = _OUTCOMES[effect.outcome]
    case.error_code = effect.error_code
    case.tasks.clear()
    if case.parent is None or effect.outcome is effects.Outcome.TERMINATED:
        return
    caller, element = case.parent
    ended = triggers.ChildEnded(
        at=simulation.now,
        element=element,
        outputs=effect.variables,
        error_code=effect.error_code if effect.outcome is effects.Outcome.ERROR else None,
    )
    simulation.later(lambda: _to_caller(simulation, caller, element, ended))


def _incident(_: Simulation, case: SimulatedCase, effect: effects.RaiseIncident) -> None:
    case.incidents[effect.element] = effect.message


SETTLE: dict[type, Callable[..., None]] = {
    effects.OpenTask: _open_task,
    effects.CloseTask: _close_task,
    effects.ArmTimer: _arm_timer,
    effects.CancelTimer: _cancel_timer,
    effects.Subscribe: _subscribe,
    effects.Unsubscribe: _unsubscribe,
    effects.Invoke: _invoke,
    effects.CancelInvoke: _cancel_invoke,
    effects.StartChild: _start_child,
    effects.CancelChild: _cancel_child,
    effects.ThrowEvent: _throw_event,
    effects.ThrowEscalation: _throw_escalation,
    effects.Record: _record,
    effects.Finish: _finish,
    effects.RaiseIncident: _incident,
}
