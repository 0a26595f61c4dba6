"""Kernel effects become rows: one function for each kind of effect, in the order of the effects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.execution import kept_messages, operations, policy_guard, settle_tasks
from engine.execution.deadlines import timer_instant
from engine.execution.snapshot import new_instance
from engine.execution.work import Work
from engine.kernel import effects as fx
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.triggers import OperationFailed, OperationReturned, Trigger, VariablesSet
from engine.model import region
from engine.model.errors import BusinessError, NotFound
from engine.model.facts import Fact
from engine.model.process import InstanceStatus
from engine.store import instances, jobs, subscriptions, timers

JOB_TRIGGER = "trigger"
JOB_START = "start"
JOB_OPERATION = "operation"
JOB_MESSAGE = "message"
JOB_SIGNAL = "signal"
JOB_CANCEL = "cancel"
JOB_CALL = "call"


def advance(work: Work, trigger: Trigger) -> None:
    """Step the instance and settle all that follows, operations of this transaction included.

    Afterwards the new state is in `work`, its rows are gathered. Raises what the kernel raises:
    a `Rejected` leaves the command without any change.
    """
    carry_out(work, _stepped(work, trigger))
    _clear_incident_mark(work)


def carry_out(work: Work, effects: Iterable[fx.Effect]) -> None:
    """Make effects true whose state is in `work` already, and what follows from operations."""
    queue: deque[fx.Effect] = deque(effects)
    while queue:
        effect = queue.popleft()
        if type(effect) is fx.Invoke and not effect.later:
            # Another branch may have cancelled it while its turn came.
            if any(element == effect.element for element, _ in work.state.waiting()):
                answer = invoked(work, effect)
                queue.extend(_noted_variables(work))
                queue.extend(_stepped(work, answer))
            continue
        _SETTLERS[type(effect)](work, effect)


def settle_variables(work: Work) -> None:
    """Let variables that an operation set enter the state, with all that follows."""
    if work.pending_variables:
        variables, work.pending_variables = work.pending_variables, {}
        advance(work, VariablesSet(at=work.now, variables=variables))


def _noted_variables(work: Work) -> tuple[fx.Effect, ...]:
    if not work.pending_variables:
        return ()
    variables, work.pending_variables = work.pending_variables, {}
    return _stepped(work, VariablesSet(at=work.now, variables=variables))


def _stepped(work: Work, trigger: Trigger) -> tuple[fx.Effect, ...]:
    decide = RunningDecide(trigger.at, decisions=work.deployed.decisions)
    state, effects = kernel.step(work.deployed.program, work.state, trigger, decide)
    work.instance.state = state
    return effects


def invoked(work: Work, effect: fx.Invoke) -> Trigger:
    """Run an operation in this transaction; what it tells the kernel."""
    try:
        outputs = operations.run(
            work, effect.operation, effect.inputs, activity_id=effect.activity_id
        )
    except BusinessError as error:
        return refused(work, effect, error)
    policy_guard.completed(work, effect.activity_id, None, outputs)
    return OperationReturned(at=work.now, element=effect.element, outputs=outputs)


def refused(work: Work, effect: fx.Invoke, error: BusinessError) -> Trigger:
    """A business error, recorded; what it tells the kernel."""
    work.record(
        Fact.OPERATION_FAILED,
        activity_id=effect.activity_id,
        detail={"operation": effect.operation, "error": error.error_code},
    )
    return OperationFailed(
        at=work.now,
        element=effect.element,
        error_code=error.error_code,
        message=error.message,
    )


def _clear_incident_mark(work: Work) -> None:
    healed = work.instance.status is InstanceStatus.INCIDENT and not work.state.failed()
    if healed and not work.incidents and not operations.open_incidents(work):
        work.instance.status = InstanceStatus.ACTIVE


# --- timers and subscriptions ----------------------------------------------------------------


def _arm_timer(work: Work, effect: fx.ArmTimer) -> None:
    policy_guard.armed(work, effect)
    calendar = work.environment.calendars.at(work.instance.region)
    at = timer_instant(calendar, effect.since, effect.when)
    # A caller may pause what it called some day.
    held = work.deployed.package.holds(effect.node_id) or work.instance.parent_id is not None
    counted = isinstance(effect.when, str) and (held or "wd" in effect.when)
    work.arm(
        kind=timers.EVENT,
        element=effect.element,
        node_id=effect.node_id,
        at=at,
        length=str(effect.when) if counted else None,
        since=effect.since if counted else None,
    )


def _cancel_timer(work: Work, effect: fx.CancelTimer) -> None:
    work.disarm(timers.EVENT, effect.element)


def _subscribe(work: Work, effect: fx.Subscribe) -> None:
    kept_messages.wake(work, effect)
    work.subscribed.append(
        {
            "id": work.new_id(),
            "shard": work.instance.shard,
            "instance_id": work.instance.id,
            "element": effect.element,
            "node_id": effect.node_id,
            "process_key": work.instance.process_key,
            "region": work.instance.region,
            "kind": effect.kind,
            "name": effect.name,
            "key": effect.key,
            "created_at": work.now,
        }
    )


def _unsubscribe(work: Work, effect: fx.Unsubscribe) -> None:
    for row in work.subscribed:
        if row["element"] == effect.element:
            work.subscribed.remove(row)
            return
    work.tx.write(
        subscriptions.CANCEL, {"instance_id": work.instance.id, "element": effect.element}
    )


# --- operations, children, events ------------------------------------------------------------


def _invoke_later(work: Work, effect: fx.Invoke) -> None:
    # Nobody who filed a form waits for a bank: the heartbeat calls the outside.
    outside = operations.find(work.environment, effect.operation).outside
    work.queue(
        JOB_OPERATION,
        {
            "operation": effect.operation,
            "inputs": effect.inputs,
            "activity_id": effect.activity_id,
        },
        instance_id=work.instance.id,
        element=effect.element,
        key=f"{work.instance.id}:{effect.element}",
        at_once=not outside,
    )


def _cancel_invoke(work: Work, effect: fx.CancelInvoke) -> None:
    for row in work.jobs:
        if row["kind"] == JOB_OPERATION and row["element"] == effect.element:
            work.jobs.remove(row)
            if row["id"] in work.follow_up:
                work.follow_up.remove(row["id"])
            return
    work.tx.write(
        jobs.CANCEL,
        {
            "instance_id": work.instance.id,
            "element": effect.element,
            "kind": JOB_OPERATION,
        },
    )


def _start_child(work: Work, effect: fx.StartChild) -> None:
    arguments: dict[str, Any] = {
        "element": effect.element,
        "activity_id": effect.activity_id,
        "process_key": effect.process_key,
        "binding": effect.binding,
        "variables": effect.variables,
        "region": effect.region,
        "business_key": effect.business_key,
        "title": effect.title,
    }
    try:
        call(work, arguments)
    except (NotFound, region.InvalidRegion):
        # The row waits for the missing process: tried again, then an incident to retry.
        work.queue(
            JOB_CALL,
            arguments,
            instance_id=work.instance.id,
            element=effect.element,
            at_once=False,
        )


def call(work: Work, arguments: Mapping[str, Any]) -> None:
    """Make the row of a called instance, and the job that starts it.

    Raises NotFound, InvalidRegion where the process or its region does not exist.
    """
    called = work.environment.programs.bound_to(
        work.tx, work.deployed, arguments["process_key"], arguments["binding"]
    )
    unit = arguments["region"] or work.instance.region
    shard = region.shard(unit)
    child_id = work.new_id()
    work.tx.write(
        instances.INSERT,
        new_instance(
            child_id,
            deployed=called,
            title=arguments["title"] or work.instance.title,
            unit=unit,
            business_key=arguments["business_key"],
            actor=work.actor,
            now=work.now,
            parent=work.instance,
            parent_element=arguments["element"],
        ),
    )
    work.queue(
        JOB_START,
        {"variables": arguments["variables"], "node": None},
        instance_id=child_id,
        shard=shard,
    )
    work.record(
        Fact.CHILD_STARTED,
        activity_id=arguments["activity_id"],
        detail={"instance": child_id, "process": called.key, "region": unit},
    )


def _cancel_child(work: Work, effect: fx.CancelChild) -> None:
    found = work.tx.rows(
        instances.CHILD_OF,
        {"parent_id": work.instance.id, "parent_element": effect.element},
    )
    for row in found:
        work.queue(JOB_CANCEL, {"reason": "上级流程已取消"}, instance_id=row.id)


def _throw_event(work: Work, effect: fx.ThrowEvent) -> None:
    is_message = effect.kind is fx.EventKind.MESSAGE
    work.queue(
        JOB_MESSAGE if is_message else JOB_SIGNAL,
        {
            "name": effect.name,
            "key": effect.key,
            "payload": effect.payload,
            "region": work.instance.region,
            "thrower": work.instance.id,
            "kept": effect.node_id in work.deployed.program.talks,
        },
    )
    work.record(
        Fact.MESSAGE_THROWN if is_message else Fact.SIGNAL_THROWN,
        activity_id=effect.node_id,
        detail={"name": effect.name, "key": effect.key},
    )


def _throw_escalation(work: Work, effect: fx.ThrowEscalation) -> None:
    work.record(Fact.ESCALATION_THROWN, activity_id=effect.node_id, detail={"code": effect.code})
    if work.instance.parent_id is not None:
        work.queue(
            JOB_TRIGGER,
            {
                "trigger": "escalation",
                "element": work.instance.parent_element,
                "code": effect.code,
                "payload": effect.payload,
            },
            instance_id=work.instance.parent_id,
        )


# --- history and the end ---------------------------------------------------------------------

_MOVES = {
    fx.Move.ENTERED: Fact.NODE_ENTERED,
    fx.Move.COMPLETED: Fact.NODE_COMPLETED,
    fx.Move.CANCELLED: Fact.NODE_CANCELLED,
}
_ENTERED, _COMPLETED = fx.Move.ENTERED, fx.Move.COMPLETED


def _record(work: Work, effect: fx.Record) -> None:
    """One fact of a node, unless another says the same.

    Completing a task says that its node was left, opening one that it was entered. A node that a
    token only passes is left in the instant it was entered: that it was left says both.
    """
    if effect.move is not _ENTERED:
        said = work.closed.get(effect.element)
        if said is not None:
            said.detail.update(effect.detail)
            return
        if effect.move is _COMPLETED and work.facts:
            last = work.facts[-1]
            if last.element == effect.element and last.kind == Fact.NODE_ENTERED:
                last.kind = Fact.NODE_COMPLETED
                last.detail.update(effect.detail)
                return
    elif effect.element in work.tasks:
        return
    work.record(
        _MOVES[effect.move],
        activity_id=effect.node_id,
        detail=effect.detail,
        element=effect.element,
    )


_ENDS = {
    fx.Outcome.COMPLETED: (InstanceStatus.COMPLETED, Fact.INSTANCE_COMPLETED),
    fx.Outcome.TERMINATED: (InstanceStatus.TERMINATED, Fact.INSTANCE_TERMINATED),
    fx.Outcome.ERROR: (InstanceStatus.FAILED, Fact.INSTANCE_FAILED),
    fx.Outcome.CANCELLED: (InstanceStatus.TERMINATED, Fact.INSTANCE_TERMINATED),
}


def _finish(work: Work, effect: fx.Finish) -> None:
    status, fact = _ENDS[effect.outcome]
    work.end(status, work.instance.end_reason)
    work.record(fact, detail=None if effect.error_code is None else {"error": effect.error_code})
    if work.instance.parent_id is None:
        return
    error_code = effect.error_code
    if status is InstanceStatus.TERMINATED:
        error_code = error_code or "terminated"
    work.queue(
        JOB_TRIGGER,
        {
            "trigger": "child_ended",
            "element": work.instance.parent_element,
            "child": work.instance.id,
            "outputs": effect.variables,
            "error_code": error_code,
        },
        instance_id=work.instance.parent_id,
    )


def _raise_incident(work: Work, effect: fx.RaiseIncident) -> None:
    work.raise_incident(
        kind="model",
        message=effect.message,
        element=effect.element,
        activity_id=effect.node_id,
    )


_SETTLERS: dict[type[Any], Callable[[Work, Any], None]] = {
    fx.OpenTask: settle_tasks.open_task,
    fx.CloseTask: settle_tasks.close_task,
    fx.ArmTimer: _arm_timer,
    fx.CancelTimer: _cancel_timer,
    fx.Subscribe: _subscribe,
    fx.Unsubscribe: _unsubscribe,
    fx.Invoke: _invoke_later,
    fx.CancelInvoke: _cancel_invoke,
    fx.StartChild: _start_child,
    fx.CancelChild: _cancel_child,
    fx.ThrowEvent: _throw_event,
    fx.ThrowEscalation: _throw_escalation,
    fx.Record: _record,
    fx.Finish: _finish,
    fx.RaiseIncident: _raise_incident,
}
