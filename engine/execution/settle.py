"""Kernel effects become rows: one function for each kind of effect, in the order of the effects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from engine.execution import operations
from engine.execution.deadlines import (
    DueInstant,
    deadline_text,
    due_instant,
    next_rung,
    timer_instant,
)
from engine.execution.work import PendingFact, Work, new_instance
from engine.kernel import effects as fx
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.triggers import OperationFailed, OperationReturned, Trigger, VariablesSet
from engine.model import region
from engine.model.errors import BusinessError, NotFound
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus
from engine.store import human_tasks, instances, jobs, subscriptions, timers
from engine.store.base import FAR_FUTURE

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
    queue: deque[fx.Effect] = deque(_stepped(work, trigger))
    while queue:
        effect = queue.popleft()
        if isinstance(effect, fx.Invoke) and not effect.later:
            # Another branch may have cancelled it while its turn came.
            if any(element == effect.element for element, _ in work.state.waiting()):
                answer = _invoked(work, effect)
                queue.extend(_noted_variables(work))
                queue.extend(_stepped(work, answer))
            continue
        _SETTLERS[type(effect)](work, effect)
    _clear_incident_mark(work)


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


def _invoked(work: Work, effect: fx.Invoke) -> Trigger:
    try:
        outputs = operations.run(
            work, effect.operation, effect.inputs, activity_id=effect.activity_id
        )
    except BusinessError as error:
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
    return OperationReturned(at=work.now, element=effect.element, outputs=outputs)


def _clear_incident_mark(work: Work) -> None:
    healed = work.instance.status is InstanceStatus.INCIDENT and not work.state.failed()
    if healed and not work.incidents and not operations.open_incidents(work):
        work.instance.status = InstanceStatus.ACTIVE


# --- human tasks -----------------------------------------------------------------------------


def _open_task(work: Work, effect: fx.OpenTask) -> None:
    instance = work.instance
    task_id = work.new_id()
    unit = effect.unit or instance.region
    due = _due_of(work, effect, unit)
    owned = effect.owner is not None
    row: dict[str, Any] = {
        "id": task_id,
        "shard": instance.shard,
        "instance_id": instance.id,
        "root_id": instance.root_id,
        "definition_id": instance.definition_id,
        "process_key": instance.process_key,
        "element": effect.element,
        "activity_id": effect.activity_id,
        "name": effect.name,
        "subject": (effect.subject or instance.title)[:500],
        "item": effect.item,
        "role": effect.role,
        "unit": unit,
        "region": unit if region.is_code(unit) else instance.region,
        "owner": effect.owner,
        "status": TaskStatus.RESERVED if owned else TaskStatus.READY,
        "suspended_from": None,
        "is_open": 1,
        "no_holder": not owned and not _holders(work, effect.role, unit),
        "priority": effect.priority,
        "created_at": work.now,
        "claimed_at": work.now if owned else None,
        "due_at": due.at if due else None,
        "due_sort": due.at if due else FAR_FUTURE,
        "due_note": due.note if due else "",
        "deadline": deadline_text(effect.deadline),
        "urgency": None,
        "completed_at": None,
        "completed_by": None,
        "outcome": None,
        "completion_key": None,
        "version": 1,
    }
    work.tasks[effect.element] = row
    _absorb(
        work,
        effect.element,
        work.record(
            Fact.TASK_OPENED,
            activity_id=effect.activity_id,
            task_id=task_id,
            element=effect.element,
            detail={
                "role": effect.role,
                "unit": unit,
                "owner": effect.owner,
                "due": due.at if due else None,
                "item": effect.item,
            },
        ),
    )
    audience = (
        {"kind": "participant", "id": effect.owner}
        if owned
        else {"kind": "role", "role": effect.role or "", "unit": unit}
    )
    work.notify("task_opened", audience, _message_data(row), task_id=task_id)
    if due is not None:
        _arm_ladder(work, row, due)


def _due_of(work: Work, effect: fx.OpenTask, unit: str) -> DueInstant | None:
    if effect.deadline is None:
        return None
    calendar = work.environment.calendars.at(unit)
    return due_instant(calendar, work.now, effect.deadline)


def _holders(work: Work, role: str | None, unit: str) -> tuple[str, ...]:
    if role is None:
        return ()
    return work.environment.seats.holders(work.tx, role, unit, work.now)


def _arm_ladder(work: Work, row: dict[str, Any], due: DueInstant) -> None:
    spec = work.deployed.program.node(row["activity_id"]).task
    ladder = work.deployed.ladder(spec.ladder if spec else None)
    if ladder is None:
        return
    calendar = work.environment.calendars.at(row["unit"])
    rung = next_rung(ladder, -1, calendar, work.now, due.at)
    if rung is not None:
        work.arm(
            kind=timers.LADDER,
            element=row["element"],
            node_id=row["activity_id"],
            at=rung[1],
            task_id=row["id"],
            rung=rung[0],
        )


def _message_data(row: dict[str, Any]) -> dict[str, object]:
    return {
        "name": row["name"],
        "subject": row["subject"],
        "unit": row["unit"],
        "due_at": row["due_at"],
    }


def _close_task(work: Work, effect: fx.CloseTask) -> None:
    if effect.element in work.closed:
        # The verb that completed it has written the row and its fact.
        work.disarm(timers.LADDER, effect.element)
        return
    work.disarm(timers.LADDER, effect.element)
    gathered = work.tasks.pop(effect.element, None)
    if gathered is not None:
        # Opened and cancelled by the same command: nobody ever saw it, history still says so.
        gathered.update(is_open=0, status=TaskStatus.EXITED, completed_at=work.now, version=2)
        work.tx.write_all(human_tasks.INSERT, [gathered])
        task_id = gathered["id"]
    else:
        row = work.tx.first(
            human_tasks.OPEN_OF_ELEMENT,
            {"instance_id": work.instance.id, "element": effect.element},
        )
        if row is None:
            return
        task_id = row.id
        work.change_task(
            row, status=TaskStatus.EXITED, is_open=0, completed_at=work.now
        )
        if row.owner is not None:
            work.notify(
                "task_cancelled",
                {"kind": "participant", "id": row.owner},
                {"name": row.name, "subject": row.subject},
                task_id=row.id,
            )
    work.closed[effect.element] = work.record(
        Fact.TASK_EXITED,
        activity_id=effect.activity_id,
        task_id=task_id,
        element=effect.element,
    )


# --- timers and subscriptions ----------------------------------------------------------------


def _arm_timer(work: Work, effect: fx.ArmTimer) -> None:
    calendar = work.environment.calendars.at(work.instance.region)
    at = timer_instant(calendar, effect.since, effect.when)
    counted = isinstance(effect.when, str) and "wd" in effect.when
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
    )


def _cancel_invoke(work: Work, effect: fx.CancelInvoke) -> None:
    for row in work.jobs:
        if row["kind"] == JOB_OPERATION and row["element"] == effect.element:
            work.jobs.remove(row)
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
        },
    )
    work.record(
        Fact.MESSAGE_THROWN if is_message else Fact.SIGNAL_THROWN,
        activity_id=effect.node_id,
        detail={"name": effect.name, "key": effect.key},
    )


def _throw_escalation(work: Work, effect: fx.ThrowEscalation) -> None:
    work.record(
        Fact.ESCALATION_THROWN, activity_id=effect.node_id, detail={"code": effect.code}
    )
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


def _record(work: Work, effect: fx.Record) -> None:
    if effect.move is not fx.Move.ENTERED:
        said = work.closed.get(effect.element)
        if said is not None:
            said.detail.update(effect.detail)
            return
    elif effect.element in work.tasks:
        return
    work.record(
        _MOVES[effect.move],
        activity_id=effect.node_id,
        detail=effect.detail,
        element=effect.element,
    )


def _absorb(work: Work, element: int, fact: PendingFact) -> None:
    """A task's opening says that its node was entered; one fact is enough for both."""
    for other in reversed(work.facts):
        if other.element == element and other.kind == Fact.NODE_ENTERED:
            fact.detail.update(other.detail)
            work.facts.remove(other)
            return


_ENDS = {
    fx.Outcome.COMPLETED: (InstanceStatus.COMPLETED, Fact.INSTANCE_COMPLETED),
    fx.Outcome.TERMINATED: (InstanceStatus.TERMINATED, Fact.INSTANCE_TERMINATED),
    fx.Outcome.ERROR: (InstanceStatus.FAILED, Fact.INSTANCE_FAILED),
    fx.Outcome.CANCELLED: (InstanceStatus.TERMINATED, Fact.INSTANCE_TERMINATED),
}


def _finish(work: Work, effect: fx.Finish) -> None:
    status, fact = _ENDS[effect.outcome]
    work.end(status, work.instance.end_reason)
    work.record(fact, detail={"outcome": effect.outcome, "error": effect.error_code})
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
    fx.OpenTask: _open_task,
    fx.CloseTask: _close_task,
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
