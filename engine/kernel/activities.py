"""Activities: what each kind does when a token enters, and when its work is done."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kernel import compensation, events_waiting, flows, multi_instance, scopes
from engine.kernel.effects import (
    CloseTask,
    EventKind,
    Invoke,
    OpenTask,
    StartChild,
    TaskEnd,
    ThrowEvent,
)
from engine.kernel.events_waiting import as_text
from engine.kernel.program import Kind, Node
from engine.kernel.state import ROOT, Phase
from engine.kernel.triggers import TaskCompleted
from engine.kernel.work import Work
from engine.model.clock import LOCAL_ZONE
from engine.model.errors import ModelFault

DATA = "#data"
"""Where an element keeps what it brought while its output mapping is at fault."""


def begin(work: Work, number: int, node: Node) -> None:
    """A token entered: a loop opens its rounds, anything else starts at once."""
    if node.loop is not None and not work.is_loop_instance(number):
        multi_instance.begin(work, number, node)
        return
    for assignment in node.inputs:
        work.declare(number, assignment.name, work.evaluate(number, assignment.value))
    if not work.is_loop_instance(number):
        events_waiting.listen_at_boundary(work, number, node)
    _BEGIN[node.kind](work, number, node)


def apply_outputs(work: Work, number: int, data: Mapping[str, object]) -> None:
    """Write what an element brought: mapped by `nl:output`, else under its own names.

    A name goes to the nearest enclosing scope that declares it, else to the root.
    """
    node = work.node(number)
    outside = work.elements[number].parent
    work.locals.setdefault(number, {})[DATA] = dict(data)
    if work.is_loop_instance(number):
        multi_instance.collect(work, number, node, data)
        # The item's own names (town, loopCounter) hide nothing: they are read, never written to.
    mapped = [(each.name, work.evaluate(number, each.value, data)) for each in node.outputs]
    for name, value in mapped if node.outputs else data.items():
        work.write(outside, name, value)
    del work.locals[number][DATA]


def finish(work: Work, number: int, node: Node) -> None:
    """The activity is complete: record it, remember how to undo it, send its token on."""
    if work.is_loop_instance(number):
        multi_instance.round_finished(work, number, node)
        return
    holder = work.elements[number].parent
    if work.elements[holder].phase is Phase.COMPENSATING:
        scopes.stop_listening(work, number)
        flows.depart(work, number, node, [])
        compensation.handled(work, number)
        compensation.proceed(work, holder)
        return
    leaving = flows.chosen(work, number, node)
    scopes.stop_listening(work, number)
    is_loop = work.elements[number].phase is Phase.LOOP
    if not is_loop:
        compensation.remember(work, number, node, holder)
    detail = {"instances": multi_instance.total(work, number)} if is_loop else {}
    flows.depart(work, number, node, leaving, **detail)


def complete_task(work: Work, number: int, node: Node, said: TaskCompleted) -> None:
    """A person completed the task; its outcome becomes the variable {outcome, by, at}."""
    work.emit(CloseTask(element=number, activity_id=node.id, how=TaskEnd.COMPLETED))
    if node.task is not None and node.task.outcomes:
        at = said.at.astimezone(LOCAL_ZONE)
        decision = {"outcome": said.outcome, "by": said.by, "at": at}
        work.declare_at_item(number, node.id, decision)
    work.output(number, said.data)


def asked(work: Work, number: int, node: Node) -> OpenTask:
    """What the model asks of the people who do this task, seen from its element as it stands."""
    task = node.task
    if task is None:
        return OpenTask(
            element=number, activity_id=node.id, name=node.name, item=_item(work, number)
        )
    return OpenTask(
        element=number,
        activity_id=node.id,
        name=node.name,
        role=task.role,
        unit=_label(work.text(number, task.unit)),
        owner=_label(work.text(number, task.owner)),
        subject=_label(work.text(number, task.subject)),
        deadline=_deadline(work, number, node),
        priority=task.priority,
        item=_item(work, number),
    )


def _user_task(work: Work, number: int, node: Node) -> None:
    work.emit(asked(work, number, node))


def _manual_task(work: Work, number: int, node: Node) -> None:
    """Done outside any system (BPMN 2.0.2 §10.3.3): only a task of ours when `nl:task` says so."""
    if node.task is not None:
        _user_task(work, number, node)
    else:
        work.output(number, {})


def _pass_through(work: Work, number: int, _: Node) -> None:
    work.output(number, {})


def _operation(work: Work, number: int, node: Node) -> None:
    if node.operation is None:
        _send(work, number, node)
        return
    work.emit(
        Invoke(
            element=number,
            activity_id=node.id,
            operation=node.operation.name,
            inputs=_inputs(work, number, node),
            later=node.operation.later,
        )
    )


def _send(work: Work, number: int, node: Node) -> None:
    if node.message is None:
        raise ModelFault(f"“{node.name or node.id}”没有写明要做什么", element=node.id)
    work.emit(
        ThrowEvent(
            node_id=node.id,
            kind=EventKind.MESSAGE,
            name=node.message.name or "",
            key=events_waiting.correlation_key(work, number, node.message),
            payload=_inputs(work, number, node),
        )
    )
    work.output(number, {})


def _receive(work: Work, number: int, node: Node) -> None:
    assert node.message is not None
    events_waiting.subscribe(work, number, node.message)


def _business_rule(work: Work, number: int, node: Node) -> None:
    if node.decision is None:
        _operation(work, number, node)
        return
    inputs = _inputs(work, number, node) if node.inputs else work.visible(number)
    result = work.decide.decision(node, node.decision.ref, inputs)
    if node.decision.result is not None:
        work.output(number, {node.decision.result: result})
    else:
        work.output(number, result if isinstance(result, Mapping) else {node.id: result})


def _script(work: Work, number: int, node: Node) -> None:
    """Assign in order; a later assignment sees the earlier ones, as in a FEEL context."""
    if node.script is not None:
        found = work.evaluate(number, node.script)
        if not isinstance(found, Mapping):
            raise ModelFault(f"“{node.name or node.id}”的脚本没有得出一组赋值", element=node.id)
        work.output(number, found)
        return
    done: dict[str, object] = {}
    for assignment in node.assignments:
        done[assignment.name] = work.evaluate(number, assignment.value, done)
    work.output(number, done)


def _call(work: Work, number: int, node: Node) -> None:
    call = node.call
    assert call is not None
    work.emit(
        StartChild(
            element=number,
            activity_id=node.id,
            process_key=call.process_key,
            binding=call.binding,
            variables=_inputs(work, number, node),
            region=_label(work.text(number, call.region)),
            business_key=_label(work.text(number, call.business_key)),
            title=_label(work.text(number, call.title)),
        )
    )


def _sub_process(work: Work, number: int, _: Node) -> None:
    scopes.open_scope(work, number)
    scopes.start_scope(work, number)


def _inputs(work: Work, number: int, node: Node) -> dict[str, object]:
    own = work.locals.get(number, {})
    return {each.name: own[each.name] for each in node.inputs}


def _deadline(work: Work, number: int, node: Node) -> object:
    assert node.task is not None
    value = work.text(number, node.task.deadline)
    return None if value is None else events_waiting.when(value, node)


def _item(work: Work, number: int) -> str | None:
    """The label of the loop item this task is about, from the nearest round around it."""
    while number != ROOT:
        if work.is_loop_instance(number):
            loop = work.node(number).loop
            value = work.locals.get(number, {}).get(loop.item) if loop and loop.item else None
            if isinstance(value, Mapping):
                value = value.get("name", value.get("label", value.get("id")))
            return _label(value) or str(work.elements[number].place + 1)
        number = work.elements[number].parent
    return None


def _label(value: object) -> str | None:
    return None if value is None else as_text(value)


_BEGIN = {
    Kind.TASK: _pass_through,
    Kind.USER_TASK: _user_task,
    Kind.MANUAL_TASK: _manual_task,
    Kind.SERVICE_TASK: _operation,
    Kind.SEND_TASK: _operation,
    Kind.RECEIVE_TASK: _receive,
    Kind.BUSINESS_RULE_TASK: _business_rule,
    Kind.SCRIPT_TASK: _script,
    Kind.CALL_ACTIVITY: _call,
    Kind.SUB_PROCESS: _sub_process,
    Kind.TRANSACTION: _sub_process,
    Kind.AD_HOC: _sub_process,
    Kind.EVENT_SUB_PROCESS: _sub_process,
}
