"""What a move to another version does to an instance, in sentences for the office."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from engine.execution.programs import Deployed
from engine.kernel import effects as fx
from engine.kernel.migration import Fate, Line, Plan, What
from engine.kernel.program import SCOPES, EventType, Kind, Node, TaskSpec
from engine.kernel.state import FAILED, Phase, State
from engine.model.version_move import MoveOrder, Renew

_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})
_KEPT_WORDS = {
    Renew.FORM: ("沿用原表单", "改用新表单"),
    Renew.ROLE: ("岗位不变", "改由新版本的岗位办理"),
    Renew.UNIT: ("办理单位不变", "改由新版本的单位办理"),
    Renew.DEADLINE: ("时限和提醒按原规定", "按新规定重新计算时限和提醒"),
}
_AT_ONCE: Mapping[type, Callable[..., str]] = {
    fx.OpenTask: lambda effect: f"随即产生待办“{effect.name or effect.activity_id}”",
    fx.StartChild: lambda _: "随即启动下级流程",
    fx.CancelChild: lambda _: "随即终止下级流程",
    fx.Invoke: lambda effect: f"随即执行操作“{effect.operation}”",
    fx.CancelInvoke: lambda _: "随即撤销后台操作",
    fx.ThrowEvent: lambda effect: f"随即发出“{effect.name}”",
    fx.Finish: lambda _: "事项随即办结",
}


def sentences(
    state: State,
    plan: Plan,
    effects: Iterable[fx.Effect],
    versions: tuple[Deployed, Deployed],
    order: MoveOrder,
) -> tuple[str, ...]:
    """What happens, one sentence each; equal ones are counted. No person is named."""
    told: Counter[str] = Counter()
    for line in plan.lines:
        words = "" if line.fate is Fate.IMPOSSIBLE else _sentence(state, line, versions, order)
        if words:
            told[words] += 1
    for effect in effects:
        at_once = _AT_ONCE.get(type(effect))
        if isinstance(effect, fx.CloseTask):
            node = versions[1].program.by_id[effect.activity_id]
            told[f"随即撤销待办“{node.name or node.id}”"] += 1
        elif at_once is not None:
            told[at_once(effect)] += 1
    return tuple(words if count == 1 else f"{words}（{count} 件）" for words, count in told.items())


def reason(line: Line) -> str:
    """Why something is in the way."""
    return f"“{line.name}”：{line.reason}" if line.name else line.reason


def differences(
    old: Deployed, new: Deployed, old_id: str, new_id: str
) -> tuple[tuple[Renew, ...], bool]:
    """Which terms of an open task differ between the versions; whether its buttons do."""
    before, after = _task(old, old_id), _task(new, new_id)
    found = []
    if form_differs(old, new, before, after):
        found.append(Renew.FORM)
    if before.role != after.role:
        found.append(Renew.ROLE)
    if _text(before.unit) != _text(after.unit):
        found.append(Renew.UNIT)
    ladders = (old.ladder(before.ladder), new.ladder(after.ladder))
    if _text(before.deadline) != _text(after.deadline) or ladders[0] != ladders[1]:
        found.append(Renew.DEADLINE)
    buttons = (before.outcomes, before.actions) != (after.outcomes, after.actions)
    return tuple(found), buttons


def form_differs(old: Deployed, new: Deployed, before: TaskSpec, after: TaskSpec) -> bool:
    """Whether a person would see another form."""
    if before.form != after.form or dict(before.permissions) != dict(after.permissions):
        return True
    path = f"forms/{before.form}.json"
    return old.package.files.get(path) != new.package.files.get(path)


def _sentence(
    state: State, line: Line, versions: tuple[Deployed, Deployed], order: MoveOrder
) -> str:
    words = _WORDS[line.what](state, line, versions, order)
    return "，".join((words, *line.notes)) if words else ""


def _element(
    state: State, line: Line, versions: tuple[Deployed, Deployed], order: MoveOrder
) -> str:
    assert line.element is not None
    phase = state.elements[line.element].phase
    now = f"“{line.name}”"
    if line.fate is Fate.MAPPED:
        same = line.target_name == line.name
        now += "（只改了编号）" if same else f"对应“{line.target_name}”"
    if line.fate is Fate.DISSOLVED:
        return f"子流程{now}在新版本中没有，里面的环节照旧"
    moved = "，所在的子流程变了" if line.fate is Fate.MOVED else ""
    if phase in FAILED:
        return f"异常环节{now}保留，可以重试{moved}"
    if phase is Phase.LOOP:
        return f"逐份办理{now}继续{moved}"
    if phase is Phase.SCOPE or line.kind in SCOPES:
        return f"子流程{now}继续{moved}" if line.fate is not Fate.SAME else ""
    if line.kind in _PEOPLE:
        return f"待办{now}保留{moved}，{_terms(line, versions, order)}"
    if line.kind is Kind.CALL_ACTIVITY:
        return f"下级流程{now}继续办理，另行迁移{moved}"
    if line.kind in (Kind.CATCH, Kind.RECEIVE_TASK, Kind.EVENT_BASED):
        return f"继续等待{now}{moved}"
    return f"{now}继续{moved}"


def _terms(line: Line, versions: tuple[Deployed, Deployed], order: MoveOrder) -> str:
    differing, buttons = differences(*versions, line.node, line.target or line.node)
    wanted = order.renew.get(line.node, ())
    parts = [_KEPT_WORDS[each][each in wanted] for each in differing]
    if buttons:
        parts.append("办理结果和操作按新版本")
    return "，".join(["办理人、草稿和批注不变", *parts])


def _listener(_: State, line: Line, versions: tuple[Deployed, Deployed], __: MoveOrder) -> str:
    is_added = line.fate is Fate.ADDED
    node = versions[is_added].program.by_id.get(line.node)
    name = f"“{line.name}”"
    timed = _is_timer(node)
    if is_added:
        return f"新增{'定时' if timed else '监听'}{name}"
    if line.fate is Fate.CANCELLED:
        return f"{'定时' if timed else '监听'}{name}取消"
    if timed:
        return f"定时{name}保留" + ("" if line.notes else "，到期时间不变")
    return f"监听{name}保留" if line.notes else ""


def _token(_: State, line: Line, __: tuple[Deployed, Deployed], ___: MoveOrder) -> str:
    if line.fate is Fate.CANCELLED:
        return f"已到汇合“{line.name}”的一支放弃"
    if line.fate is Fate.MAPPED:
        return f"已到汇合“{line.name}”的一支转到通向“{line.target_name}”的连线"
    return f"已到汇合“{line.name}”的一支保留"


def _compensation(_: State, line: Line, __: tuple[Deployed, Deployed], ___: MoveOrder) -> str:
    if line.fate is Fate.CANCELLED:
        return f"已办完的“{line.name}”以后不能再撤销"
    return f"已办完的“{line.name}”可撤销，对应“{line.target_name}”" * (line.fate is Fate.MAPPED)


def _is_timer(node: Node | None) -> bool:
    return node is not None and any(event.type is EventType.TIMER for event in node.events)


def _task(deployed: Deployed, activity_id: str) -> TaskSpec:
    node = deployed.program.by_id.get(activity_id)
    return (node.task if node is not None else None) or TaskSpec()


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(getattr(value, "text", value))


_WORDS: Mapping[What, Callable[[State, Line, tuple[Deployed, Deployed], MoveOrder], str]] = {
    What.ELEMENT: _element,
    What.LISTENER: _listener,
    What.TOKEN: _token,
    What.COMPENSATION: _compensation,
}
