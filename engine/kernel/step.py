"""`step(program, state, trigger, decide)`: the one loop that moves tokens.

1. The trigger is checked against the state; one that does not fit is refused, nothing changes.
2. Moves are made in order until none is left: tokens along flows, elements entered and left.
3. Then, one at a time: data conditions that changed, throws that waited for the other branches,
   scopes without a token, joins that may now go; each may bring new moves.
4. What is left is the new state: every token waits for something outside.

A fault of model or data stops one token where it is (an incident); the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.kernel import (
    activities,
    events,
    events_waiting,
    gateways,
    jump,
    propagation,
    scopes,
    triggers,
)
from engine.kernel.decide import Decide
from engine.kernel.effects import Effect, Move, Outcome
from engine.kernel.program import ACTIVITIES, GATEWAYS, Kind, Node, Program
from engine.kernel.state import FAILED, ROOT, Element, Life, Phase, State
from engine.kernel.work import Step, Work
from engine.model.errors import InvalidState, ModelFault, Stale

MAXIMUM_ROUNDS = 1_000
"""How often one step may enter the same node of the same scope instance."""

MAXIMUM_MOVES = 200_000

# Looking a member up in its enum costs more than the comparison it is for.
_TAKE, _ENTER, _BEGIN = Step.TAKE, Step.ENTER, Step.BEGIN
_ENDED = Life.ENDED
_ENTERED = Move.ENTERED


def step(
    program: Program, state: State, trigger: triggers.Trigger, decide: Decide
) -> tuple[State, tuple[Effect, ...]]:
    """The state after the trigger, and what the shell has to make true; `state` is unchanged.

    Raises `Stale` when the element is gone, `InvalidState` when it cannot be so triggered,
    `jump.MoveRefused` for a move that would lose or double a token.
    """
    work = begin(program, state, trigger, decide)
    _run(work)
    return work.state(), tuple(work.effects)


def begin(program: Program, state: State, trigger: triggers.Trigger, decide: Decide) -> Work:
    """The working copy after the trigger and before the first move. Raises as `step` does."""
    if state.life is Life.ENDED:
        raise InvalidState("流程已经结束")
    if (state.life is Life.NEW) != isinstance(trigger, triggers.Started):
        raise InvalidState("流程已经开始" if state.is_started else "流程还没有开始")
    work = Work(program, state, decide, trigger.at)
    _TRIGGERS[type(trigger)](work, trigger)
    return work


def advance(work: Work) -> bool:
    """Make one move, or settle what may go next; False when every token waits.

    `step` repeats this to the end; a proof stops between two moves where data will decide.
    """
    if work.life is _ENDED:
        return False
    if not work.moves:
        return _settle(work)
    if work.conditions_dirty:
        # A condition that is true already when it is first listened to comes first.
        _guarded(work, None, events.ask_conditions)
    move: tuple[Any, ...] = work.moves.popleft()
    kind = move[0]
    if kind is _TAKE:
        # A token on its way when its scope was cancelled is gone with it.
        if move[2] in work.elements:
            gateways.arrive(work, move[1], move[2])
    elif kind is _ENTER:
        _enter(work, move[1], move[2])
    elif move[1] in work.elements:
        _make(work, kind, move)
    return True


def stuck(program: Program, state: State) -> tuple[str, ...]:
    """Ids of joins that hold tokens although nothing in the instance can ever move again."""
    if state.is_ended or state.waiting() or not state.arrived:
        return ()
    if any(element.phase is Phase.LISTENING for element in state.elements.values()):
        return ()
    flows = (program.flow_by_id[flow] for _, flow in state.arrived)
    return tuple(dict.fromkeys(program.nodes[flow.target].id for flow in flows))


def _run(work: Work) -> None:
    moves = 0
    while advance(work):
        moves += 1
        if moves > MAXIMUM_MOVES:
            raise ModelFault("一步之内的移动太多，流程可能有不等待的循环")


def _settle(work: Work) -> bool:
    """Nothing moves by itself: ask, in this order, what may go next. False when nothing does."""
    if work.conditions_dirty or work.written:
        _guarded(work, None, events.ask_conditions)
        if work.moves:
            return True
    if work.late_moves:
        work.moves.append(work.late_moves.popleft())
        return True
    while work.touched_scopes and work.life is not _ENDED:
        number = next(iter(work.touched_scopes))
        del work.touched_scopes[number]
        _guarded(work, number, scopes.close_if_done, number)
        if work.moves:
            return True
    if work.touched_joins and work.life is not _ENDED:
        return _ask_joins(work) or bool(work.moves or work.touched_scopes)
    return bool(work.moves)


def _ask_joins(work: Work) -> bool:
    try:
        return gateways.ask_waiting_joins(work)
    except ModelFault as fault:
        work.emit_fault(ROOT, str(fault), fault.element)
        return False


def _guarded(work: Work, number: int | None, action: Callable[..., None], *args: Any) -> None:
    try:
        action(work, *args)
    except ModelFault as fault:
        if number is not None and number in work.elements:
            work.emit_fault(number, str(fault), fault.element)
        else:
            work.emit_fault(ROOT, str(fault), fault.element)


def _make(work: Work, kind: Step, move: tuple[Any, ...]) -> None:
    """A move of one live element; a fault stops only this element."""
    number: int = move[1]
    mark = len(work.effects)
    try:
        _MOVES[kind](work, *move[1:])
    except ModelFault as fault:
        if number in work.elements:
            if kind is Step.BEGIN:
                _undo_opening(work, number, mark)
            work.fail(number, _FAILED_IN.get(kind, Phase.FAILED_LEAVE), str(fault))
        else:
            work.emit_fault(ROOT, str(fault), fault.element)


def _undo_opening(work: Work, number: int, mark: int) -> None:
    """An activity that could not begin listens to nothing; a retry opens it again."""
    del work.effects[mark:]
    for child in work.below(number):
        work.remove(child)


def _enter(work: Work, node: Node, scope: int) -> None:
    if scope not in work.elements:
        return
    number = work.add(node, scope)
    if node.loop is None:
        work.record(_ENTERED, number, node)
    else:
        work.record(_ENTERED, number, node, instances=0)
    if work.count_entry(node, scope) > MAXIMUM_ROUNDS:
        work.fail(number, Phase.FAILED_ENTER, _cycle_text(work, scope))
        return
    work.moves.appendleft((_BEGIN, number))


def _cycle_text(work: Work, scope: int) -> str:
    names = [
        node_id
        for (node_id, where), count in work.entered.items()
        if where == scope and count >= MAXIMUM_ROUNDS - 1
    ]
    return "流程在不等待的循环里打转：" + " → ".join(names)


def _begin(work: Work, number: int) -> None:
    node = work.node(number)
    if node.kind in ACTIVITIES:
        activities.begin(work, number, node)
    elif node.kind in GATEWAYS:
        gateways.begin(work, number, node)
    else:
        events.begin(work, number, node)


def _output(work: Work, number: int, data: dict[str, object]) -> None:
    activities.apply_outputs(work, number, data)
    work.finish(number)


def _finish(work: Work, number: int) -> None:
    node = work.node(number)
    if node.kind in ACTIVITIES:
        activities.finish(work, number, node)
    else:
        events.finish(work, number, node)


_MOVES: dict[Step, Callable[..., None]] = {
    Step.BEGIN: _begin,
    Step.OUTPUT: _output,
    Step.FINISH: _finish,
    Step.FIRE: events.fire,
    Step.THROW: events.throw,
    Step.ROUND_EVENT: events.round_event,
    Step.COMPENSATED: events.compensated,
}
_FAILED_IN = {
    Step.BEGIN: Phase.FAILED_ENTER,
    Step.THROW: Phase.FAILED_ENTER,
    Step.OUTPUT: Phase.FAILED_OUTPUT,
}


# -- triggers ---------------------------------------------------------------------------------


def _started(work: Work, trigger: triggers.Started) -> None:
    program = work.program
    work.life = Life.LIVE
    work.elements[ROOT] = Element("", ROOT, Phase.SCOPE)
    work.locals[ROOT] = {}
    for name, value in trigger.variables.items():
        work.write(ROOT, name, value)
    scopes.open_scope(work, ROOT)
    work.touched_scopes[ROOT] = None
    if trigger.node is None:
        if not program.scopes[0].starts:
            raise InvalidState("这个流程只能由消息、信号、定时或条件启动")
        scopes.start_scope(work, ROOT)
        return
    node = program.by_id.get(trigger.node)
    begins = node is not None and node.scope == 0 and node.kind is Kind.START
    if node is None or not (begins or node.index in program.triggered_starts):
        raise InvalidState(f"流程没有开始事件“{trigger.node}”")
    gateway = program.begun_by(node)
    if gateway is not None:
        gateways.begin_process(work, gateway, node)
    number = work.add(node, ROOT)
    work.record(Move.ENTERED, number, node)
    work.output(number, dict(trigger.variables) if node.outputs else {})


def _expect(work: Work, number: int, *kinds: Kind) -> Node:
    """The node of a live element of these kinds that waits."""
    element = work.elements.get(number)
    if element is None or number == ROOT:
        raise Stale
    node = work.program.by_id[element.node]
    if element.phase is not Phase.WAITING or node.kind not in kinds:
        raise InvalidState(f"“{node.name or node.id}”现在不在等待这件事")
    return node


def _task_completed(work: Work, trigger: triggers.TaskCompleted) -> None:
    node = _expect(work, trigger.element, Kind.USER_TASK, Kind.MANUAL_TASK)
    known = [option.id for option in node.task.outcomes] if node.task else ()
    if trigger.outcome is not None and trigger.outcome not in known:
        raise InvalidState(f"“{node.name or node.id}”没有“{trigger.outcome}”这个办理结果")
    if known and trigger.outcome is None:
        raise InvalidState(f"“{node.name or node.id}”要选择一个办理结果")
    activities.complete_task(work, trigger.element, node, trigger)


def _timer_fired(work: Work, trigger: triggers.TimerFired) -> None:
    if trigger.element not in work.elements:
        raise Stale
    number = trigger.element
    if not events_waiting.awaits_timer(work, number):
        raise InvalidState("这里没有在等待定时")
    events.fire(work, number, {}, trigger.due_at)


def _event_arrived(work: Work, trigger: triggers.EventArrived) -> None:
    element = work.elements.get(trigger.element)
    if element is None:
        raise Stale
    node = work.program.by_id[element.node]
    if element.phase not in (Phase.LISTENING, Phase.WAITING) or node.kind not in _CATCHING:
        raise InvalidState(f"“{node.name or node.id}”现在不在等待事件")
    events.fire(work, trigger.element, trigger.payload, None)


def _operation_returned(work: Work, trigger: triggers.OperationReturned) -> None:
    _expect(work, trigger.element, Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK)
    work.output(trigger.element, trigger.outputs)


def _operation_failed(work: Work, trigger: triggers.OperationFailed) -> None:
    _expect(work, trigger.element, Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK)
    payload = {"error_code": trigger.error_code, "error_message": trigger.message}
    if not propagation.throw_error(work, trigger.element, trigger.error_code, payload):
        scopes.stop_listening(work, trigger.element)
        message = trigger.message or trigger.error_code
        work.fail(trigger.element, Phase.FAILED_ENTER, f"业务操作失败：{message}")


def _child_ended(work: Work, trigger: triggers.ChildEnded) -> None:
    node = _expect(work, trigger.element, Kind.CALL_ACTIVITY)
    if trigger.error_code is None:
        # Without a mapping the called process keeps its variables to itself.
        work.output(trigger.element, trigger.outputs if node.outputs else {})
        return
    work.change(trigger.element, phase=Phase.FAILED_ENTER)
    payload = {"error_code": trigger.error_code}
    if not propagation.throw_error(work, trigger.element, trigger.error_code, payload):
        scopes.stop_listening(work, trigger.element)
        work.fail(
            trigger.element, Phase.FAILED_ENTER, f"被调用的流程以错误“{trigger.error_code}”结束"
        )


def _escalation_reached(work: Work, trigger: triggers.EscalationReached) -> None:
    _expect(work, trigger.element, Kind.CALL_ACTIVITY)
    propagation.escalate(work, trigger.element, trigger.escalation_code, trigger.payload)


def _moved(work: Work, trigger: triggers.Moved) -> None:
    jump.move(work, trigger.cancel, trigger.node, trigger.variables)


def _retried(work: Work, trigger: triggers.Retried) -> None:
    element = work.elements.get(trigger.element)
    if element is None:
        raise Stale
    if element.phase not in FAILED:
        raise InvalidState("这里没有异常")
    for name, value in trigger.variables.items():
        work.write(ROOT, name, value)
    work.change(trigger.element, phase=Phase.WAITING)
    if element.phase is Phase.FAILED_OUTPUT:
        data = work.locals.get(trigger.element, {}).get(activities.DATA, {})
        work.moves.append((Step.OUTPUT, trigger.element, data))
    elif element.phase is Phase.FAILED_LEAVE:
        work.finish(trigger.element)
    else:
        work.moves.append((Step.BEGIN, trigger.element))


def _variables_set(work: Work, trigger: triggers.VariablesSet) -> None:
    for name, value in trigger.variables.items():
        work.write(ROOT, name, value)


def _cancelled(work: Work, _: triggers.Cancelled) -> None:
    scopes.finish_process(work, Outcome.TERMINATED)


_CATCHING = frozenset({Kind.CATCH, Kind.RECEIVE_TASK, Kind.BOUNDARY, Kind.START})
_TRIGGERS: dict[type, Callable[[Work, Any], None]] = {
    triggers.Started: _started,
    triggers.TaskCompleted: _task_completed,
    triggers.TimerFired: _timer_fired,
    triggers.EventArrived: _event_arrived,
    triggers.OperationReturned: _operation_returned,
    triggers.OperationFailed: _operation_failed,
    triggers.ChildEnded: _child_ended,
    triggers.EscalationReached: _escalation_reached,
    triggers.Moved: _moved,
    triggers.Retried: _retried,
    triggers.VariablesSet: _variables_set,
    triggers.Cancelled: _cancelled,
}
