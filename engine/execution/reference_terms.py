"""What a package says of clocks: pauses, limits of tasks and cases, rungs that act."""

from __future__ import annotations

from collections.abc import Callable

from engine.execution import deadlines
from engine.kernel.program import Node, Program, TimerKind
from engine.model.due_text import RelativeDue, read_deadline
from engine.model.duration import Cycle, InvalidDuration
from engine.model.errors import ModelFault
from engine.model.package import Ladder, LadderAction, Package, Rung

Say = Callable[[str, str, Node | None], None]
_NEEDS_A_TASK = frozenset({LadderAction.REASSIGN, LadderAction.AUTO})


def check(package: Package, programs: tuple[Program, ...], say: Say) -> None:
    """Every mistake, told by `say(rule, message, node)`."""
    nodes = {node.id: node for program in programs for node in program.nodes}
    for ladder in package.ladders.values():
        for rung in ladder.rungs:
            fault = _rung_fault(rung)
            if fault:
                say("bad-rung", f"督办方案“{ladder.name}”：{fault}", None)
    for node in nodes.values():
        if node.task is not None:
            _task(package, node, nodes, say)
    _pauses(package, nodes, say)
    _start_limits(package, nodes, say)
    _case(package, say)


def _rung_fault(rung: Rung) -> str:
    try:
        deadlines.require_rung(rung)
        if rung.reply is not None:
            read_deadline(rung.reply)
    except (ModelFault, InvalidDuration) as wrong:
        return str(wrong)
    if rung.action is LadderAction.REASSIGN and not rung.audience:
        return "逾期转办没有写明转给谁"
    return ""


def _task(package: Package, node: Node, nodes: dict[str, Node], say: Say) -> None:
    task = node.task
    assert task is not None
    name = node.name or node.id
    if isinstance(task.deadline, str):
        relative = _relative(task.deadline)
        if relative is not None and relative.after not in nodes:
            say("unknown-activity", f"“{name}”的时限从环节“{relative.after}”起算，但没有它", node)
    ladder = package.ladders.get(task.ladder or "default")
    for rung in ladder.rungs if ladder is not None else ():
        if rung.action is not LadderAction.AUTO:
            continue
        if task.different_from or task.excluded_by or task.operation:
            say("automatic", f"“{name}”须由人把关或执行操作，不能到期自动办结", node)
        offered = {option.id for option in task.outcomes}
        if (rung.outcome in offered) is not bool(offered) or (rung.outcome and not offered):
            say("automatic", f"“{name}”没有自动办结的结论“{rung.outcome or ''}”", node)


def _pauses(package: Package, nodes: dict[str, Node], say: Say) -> None:
    for rule in package.pauses.values():
        where = f"暂停原因“{rule.title}”"
        if rule.limit is not None and _length_fault(rule.limit):
            say("bad-pause", f"{where}的上限：{_length_fault(rule.limit)}", None)
        if rule.times is not None and rule.times < 1:
            say("bad-pause", f"{where}的次数至少是 1", None)
        for activity in rule.during:
            if activity not in nodes:
                say("unknown-activity", f"{where}指的环节“{activity}”不存在", None)
        for event in rule.timers:
            fault = _timer_fault(nodes.get(event))
            if fault:
                say("bad-pause", f"{where}要停的定时“{event}”{fault}", nodes.get(event))
            elif event in rule.during:
                said = f"{where}因“{event}”而停，又停住它自己的定时，永远不会结束"
                say("bad-pause", said, nodes[event])
        if rule.automatic and not rule.timers and package.case_deadline is None:
            say("bad-pause", f"{where}只停全案的钟，但流程没有写全案时限 [case]", None)


def _timer_fault(node: Node | None) -> str:
    if node is None:
        return "不存在"
    if node.call is not None:
        return ""  # the timers of what it calls
    kinds = {event.timer.kind for event in node.events if event.timer is not None}
    return "" if kinds == {TimerKind.DURATION} else "不是按时长走的定时事件，也不是调用环节"


def _start_limits(package: Package, nodes: dict[str, Node], say: Say) -> None:
    for activity, length in package.start_by.items():
        node = nodes.get(activity)
        if node is None or node.task is None:
            say("unknown-activity", f"[start_by] 的环节“{activity}”不是人工环节", node)
        fault = _length_fault(length)
        if fault:
            say("bad-deadline", f"“{activity}”的签收时限：{fault}", node)


def _case(package: Package, say: Say) -> None:
    case = package.case_deadline
    if case is None:
        return
    fault = _length_fault(case.deadline)
    if fault:
        say("bad-deadline", f"全案时限：{fault}", None)
    ladder: Ladder | None = package.ladders.get(case.ladder)
    if ladder is None:
        say("unknown-ladder", f"全案时限的督办方案“{case.ladder}”没有声明", None)
        return
    for rung in ladder.rungs:
        if rung.action in _NEEDS_A_TASK:
            say("bad-rung", f"全案时限的督办方案“{case.ladder}”不能转办或自动办结", None)


def _length_fault(text: str) -> str:
    try:
        found = read_deadline(text)
    except InvalidDuration as wrong:
        return str(wrong)
    return "应写一段时长" if isinstance(found, RelativeDue | Cycle) else ""


def _relative(text: str) -> RelativeDue | None:
    try:
        found = read_deadline(text)
    except InvalidDuration:
        return None
    return found if isinstance(found, RelativeDue) else None
