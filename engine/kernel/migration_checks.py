"""When a live element cannot go on as its counterpart, and when all of them together cannot.

A check compares with the state as it was: what was short or doubled before the migration is not
the migration's fault; what it would make so is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.kernel import jump, loop_names
from engine.kernel.migration_match import (
    Match,
    definitions,
    name_of,
    other_kind,
    same_condition,
    same_source,
    same_time,
)
from engine.kernel.program import EventType, Kind, Loop, Node, Program
from engine.kernel.state import FAILED, ROOT, WITHOUT_TOKEN, Element, Phase, State

_WAITS_OUTSIDE = frozenset(
    {Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.BUSINESS_RULE_TASK, Kind.SCRIPT_TASK}
)


def element_fault(match: Match, state: State, number: int, before: Node, after: Node) -> str:
    """Why this live element cannot go on at the counterpart; empty when it can."""
    element = state.elements[number]
    if before.kind is not after.kind:
        return other_kind(before, after)
    loop = _loop_fault(state, number, element, before, after)
    if loop:
        return loop
    if element.phase in FAILED:
        return ""
    if element.phase is Phase.COMPENSATING:
        same = [each.type for each in before.events] == [each.type for each in after.events]
        return "" if same else "撤销正在进行，新版本撤销的内容不同"
    if element.phase is Phase.SCOPE and before.kind is Kind.AD_HOC:
        return _ad_hoc_fault(match, before, after)
    if element.phase is Phase.WAITING:
        check = _WAITING.get(before.kind)
        return check(before, after) if check is not None else ""
    return ""


def element_notes(state: State, number: int, before: Node, after: Node) -> tuple[str, ...]:
    """What differs and is told: nothing of it changes what is under way."""
    element = state.elements[number]
    notes: list[str] = []
    if element.phase is Phase.LOOP and before.loop is not None and not before.loop.standard:
        total = loop_names.counters_of(state.locals.get(number, {}))[loop_names.TOTAL]
        notes.append(f"名单以开始时的 {total} 份为准，已办结果保留")
    if element.phase is Phase.WAITING and len(before.events) == 1 and len(after.events) == 1:
        old, new = before.events[0], after.events[0]
        if old.type is EventType.TIMER and not same_time(old, new):
            notes.append("时限的写法变了，已定的到期时间不变")
        elif old.type in (EventType.MESSAGE, EventType.SIGNAL) and not same_source(old, new):
            notes.append("等待的消息变了，重新登记")
        elif old.type is EventType.CONDITIONAL and not same_condition(old, new):
            notes.append("条件变了，重新判断")
    return tuple(notes)


def _loop_fault(state: State, number: int, element: Element, before: Node, after: Node) -> str:
    parent = state.elements[element.parent]
    is_round = number != ROOT and parent.phase is Phase.LOOP and parent.node == element.node
    if element.phase is Phase.LOOP:
        if after.loop is None or before.loop is None:
            return "正在逐份办理，新版本不再是多实例"
        return _other_loop(state, number, before.loop, after.loop)
    if not is_round and before.loop is None and after.loop is not None:
        # Where it failed to begin, a retry opens the loop afresh.
        return "" if element.phase is Phase.FAILED_ENTER else "正在单份办理，新版本改成了多实例"
    return ""


def _other_loop(state: State, body: int, before: Loop, after: Loop) -> str:
    if before.standard is not after.standard:
        return "循环和多实例不能互换"
    if before.sequential is not after.sequential:
        return "依次办理和同时办理不能在办理中途互换"
    if (before.collection is None) is not (after.collection is None):
        return "多实例的名单来源变了，正在办理的份数对不上"
    done = loop_names.counters_of(state.locals.get(body, {}))[loop_names.COMPLETED]
    if done and before.output is None and after.output is not None:
        return "已办完的各份没有留下新版本要汇总的结果"
    return ""


def _event_fault(before: Node, after: Node) -> str:
    old, new = definitions(before), definitions(after)
    if (len(old) > 1) is not (len(new) > 1):
        return "等待的事件个数变了"
    if len(old) == 1 and old[0].type is not new[0].type:
        return "等待的事件种类变了"
    return ""


def _call_fault(before: Node, after: Node) -> str:
    if before.call and after.call and before.call.process_key != after.call.process_key:
        return "已调用的下级流程还没有结束，新版本调用的是另一个流程"
    return ""


def _operation_fault(before: Node, after: Node) -> str:
    if before.operation != after.operation:
        return "后台操作还没有结束，新版本换成了另一个操作"
    return ""


def _task_fault(before: Node, after: Node) -> str:
    if before.task is not None and after.task is None:
        return "新版本没有写明由谁办理"
    return ""


def _ad_hoc_fault(match: Match, before: Node, after: Node) -> str:
    assert before.body is not None
    assert after.body is not None
    starts = [match.old.nodes[index].id for index in match.old.scopes[before.body].starts]
    offered = [match.new.nodes[index].id for index in match.new.scopes[after.body].starts]
    targets = [match.node(each) for each in starts]
    # The place counts which activity comes next: it must mean the same one afterwards.
    in_order = [each.id if each is not None else "" for each in targets] == offered
    if before.sequential is after.sequential and (in_order or not before.sequential):
        return ""
    return "任意子流程的办理次序变了"


_WAITING: dict[Kind, Callable[[Node, Node], str]] = {
    Kind.CATCH: _event_fault,
    Kind.RECEIVE_TASK: _event_fault,
    Kind.CALL_ACTIVITY: _call_fault,
    Kind.USER_TASK: _task_fault,
    Kind.MANUAL_TASK: _task_fault,
    **dict.fromkeys(_WAITS_OUTSIDE, _operation_fault),
}


# -- all of them together ---------------------------------------------------------------------


def doubled(program: Program, state: State) -> set[frozenset[int]]:
    """Pairs of tokens of one scope instance of which one would run what the other one is at."""
    ways: dict[str, frozenset[str]] = {}
    found: set[frozenset[int]] = set()
    for members in _by_scope(state).values():
        for place, one in enumerate(members):
            for other in members[place + 1 :]:
                first = _way(program, ways, state.elements[one].node)
                second = _way(program, ways, state.elements[other].node)
                if not first.isdisjoint(second):
                    found.add(frozenset((one, other)))
    return found


def short_joins(
    program: Program, state: State, arrived: Iterable[tuple[int, str]]
) -> dict[str, frozenset[str]]:
    """Parallel joins a token is on its way to, with the flows on which none can ever come."""
    tokens = list(arrived)
    found: dict[str, set[str]] = {}
    for scope, members in _by_scope(state).items():
        if state.elements[scope].phase is not Phase.SCOPE:
            continue
        body = program.by_id[state.elements[scope].node].body
        here = [program.flow_by_id[flow] for holder, flow in tokens if holder == scope]
        places = {state.elements[number].node for number in members}
        places |= {program.nodes[flow.target].id for flow in here}
        for join in program.nodes:
            if join.kind is not Kind.PARALLEL or join.scope != body or len(join.incoming) < 2:
                continue
            covered = {flow.index for flow in here if flow.index in join.incoming}
            for place in places - {join.id}:
                covered |= join.reached_from.get(place, frozenset())
            if covered and len(covered) < len(join.incoming):
                missing = set(join.incoming) - covered
                found.setdefault(join.id, set()).update(program.flows[f].id for f in missing)
    return {join: frozenset(flows) for join, flows in found.items()}


def crowd_reason(program: Program, state: State, pair: frozenset[int]) -> str:
    """Why two tokens may not stand where they would stand."""
    names = [
        f"“{name_of(program.by_id.get(state.elements[number].node), '')}”"
        for number in sorted(pair)
    ]
    return f"{' 和 '.join(names)}同时在办，在新版本中先后相接，迁移会使后面的环节重复办理"


def join_reason(program: Program, join: str, flows: frozenset[str]) -> str:
    """Why a join would wait for ever."""
    sources = sorted(
        name_of(program.nodes[program.flow_by_id[flow].source], flow) for flow in flows
    )
    name = name_of(program.by_id.get(join), join)
    return f"迁移之后汇合“{name}”永远等不齐：不会再有人从“{'”“'.join(sources)}”过来"


def _by_scope(state: State) -> dict[int, list[int]]:
    """Tokens by the scope instance they live in; an open scope without any is there, too."""
    found: dict[int, list[int]] = {}
    for number, element in state.elements.items():
        if element.phase is Phase.SCOPE:
            found.setdefault(number, [])
        if number == ROOT or element.phase in WITHOUT_TOKEN:
            continue
        if state.elements[element.parent].phase is Phase.SCOPE:
            found.setdefault(element.parent, []).append(number)
    return found


def _way(program: Program, known: dict[str, frozenset[str]], node_id: str) -> frozenset[str]:
    if node_id not in known:
        again = jump.reached_again(program, program.by_id[node_id])
        known[node_id] = frozenset(
            each for each in again if program.by_id[each].kind is not Kind.END
        )
    return known[node_id]
