"""Jumps: a token put elsewhere by an administrator, foreseen before it is done.

The preview is the kernel's own step, thrown away; the law is asked by `policy_jump`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.execution import policy_jump, settle
from engine.execution.work import Work
from engine.kernel import effects as fx
from engine.kernel import jump
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.program import Kind, Node
from engine.kernel.state import State
from engine.kernel.triggers import Moved
from engine.model.errors import Rejected
from engine.model.facts import Fact
from engine.model.jump import JumpPlace
from engine.model.package import Finding
from engine.store import human_tasks, incidents

_NEVER = frozenset({Kind.BOUNDARY, Kind.EVENT_SUB_PROCESS, Kind.START})


class JumpForbidden(Rejected):
    """流程规则不允许这样跳转"""

    code = "JUMP_FORBIDDEN"
    http_status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What the jump would do; `refused` is empty where it may be done."""

    cancel: tuple[int, ...] = ()
    cancels: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def tokens(work: Work) -> tuple[JumpPlace, ...]:
    """Every token that waits, with whose turn it is."""
    rows = {row.element: row for row in _open_tasks(work)}
    found = []
    for number, node_id in work.state.waiting():
        row = rows.get(number)
        note = "" if row is None else _whose(work, row)
        found.append(
            JumpPlace(element=number, node_id=node_id, name=name_of(work, node_id), note=note)
        )
    return tuple(found)


def targets(work: Work) -> tuple[JumpPlace, ...]:
    """Every node a token may be put at, in the order of the file."""
    return tuple(
        JumpPlace(element=0, node_id=node.id, name=node.name or node.id, note=node.kind.value)
        for node in work.deployed.program.nodes
        if node.id and node.kind not in _NEVER and not node.for_compensation
    )


def foresee(work: Work, element: int, target_id: str) -> Foreseen:
    """What putting the token of `element` at the target would do. Nothing changes."""
    program = work.deployed.program
    try:
        _require_offered(work, target_id)
        cancel = jump.elements_to_cancel(program, work.state, element, target_id)
        decide = RunningDecide(work.now, decisions=work.deployed.decisions)
        trigger = Moved(at=work.now, cancel=cancel, node=target_id)
        state, effects = kernel.step(program, work.state, trigger, decide)
    except Rejected as refused:
        return Foreseen(refused=(refused.message,))
    findings = policy_jump.refusals(work, program.by_id[target_id])
    gone = [n for n in work.state.elements if n not in state.elements]
    return Foreseen(
        cancel=cancel,
        cancels=_ends(work, state, effects),
        opens=_begins(work, effects),
        left=tuple(dict.fromkeys(work.state.elements[n].node for n in gone)),
        refused=tuple(_said(each) for each in findings),
    )


def carry_out(work: Work, element: int, target_id: str, reason: str) -> None:
    """Do it. Raises JumpForbidden with every rule against it, and what the kernel raises."""
    program = work.deployed.program
    _require_offered(work, target_id)
    cancel = jump.elements_to_cancel(program, work.state, element, target_id)
    findings = policy_jump.refusals(work, program.by_id[target_id])
    if findings:
        raise JumpForbidden("；".join(_said(each) for each in findings))
    desks = [row for row in _open_tasks(work) if row.owner is None]
    work.record(
        Fact.INSTANCE_JUMPED,
        activity_id=target_id,
        detail={
            "from": work.state.elements[element].node,
            "from_name": name_of(work, work.state.elements[element].node),
            "to": target_id,
            "name": name_of(work, target_id),
            "reason": reason,
        },
    )
    _close_incidents(work, cancel)
    settle.advance(work, Moved(at=work.now, cancel=cancel, node=target_id))
    for row in desks:
        if row.element not in work.state.elements and row.role and row.unit:
            work.notify(
                "task_cancelled",
                {"kind": "role", "role": row.role, "unit": row.unit},
                {"name": row.name, "subject": row.subject},
                task_id=row.id,
            )


def _require_offered(work: Work, target_id: str) -> None:
    if all(each.node_id != target_id for each in targets(work)):
        raise jump.MoveRefused(f"“{name_of(work, target_id) or '空'}”不能作为跳转的目标")


def _said(finding: Finding) -> str:
    return finding.message


def _close_incidents(work: Work, cancel: tuple[int, ...]) -> None:
    """The incidents of what is left behind are over."""
    gone = {n for n in work.state.elements if set(work.state.scope_chain(n)) & set(cancel)}
    for row in work.tx.rows(incidents.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
        if row.element in gone:
            work.tx.write(
                incidents.RESOLVE,
                {
                    "incident_id": row.id,
                    "resolved_at": work.now,
                    "resolved_by": work.actor.id,
                },
            )
            work.record(Fact.INCIDENT_RESOLVED, activity_id=row.activity_id)


def _ends(work: Work, state: State, effects: tuple[fx.Effect, ...]) -> tuple[str, ...]:
    rows = {row.element: row for row in _open_tasks(work)}
    found = []
    for each in effects:
        match each:
            case fx.CloseTask():
                row = rows.get(each.element)
                if row is not None:
                    found.append(f"撤销待办“{row.name}”（{_whose(work, row)}）")
            case fx.CancelChild():
                found.append(f"终止子流程“{_standing(work, each.element)}”及其全部待办")
            case fx.CancelTimer():
                found.append(f"取消定时“{_standing(work, each.element)}”")
            case fx.Unsubscribe():
                found.append(f"不再等待“{_standing(work, each.element)}”")
            case fx.CancelInvoke():
                found.append(f"取消后台操作“{_standing(work, each.element)}”")
            case fx.Finish():
                found.append("整个事项随之结束")
    lost = sum(work.state.arrived.values()) - sum(state.arrived.values())
    if lost > 0:
        found.append(f"作废已到达汇合、等待其他分支的 {lost} 条进度")
    return tuple(dict.fromkeys(found))


def _begins(work: Work, effects: tuple[fx.Effect, ...]) -> tuple[str, ...]:
    found = []
    for each in effects:
        match each:
            case fx.OpenTask():
                role = work.deployed.package.roles.get(each.role or "", each.role or "指定的人")
                found.append(f"产生待办“{each.name}”（{role}）")
            case fx.Invoke():
                found.append(f"执行操作“{name_of(work, each.activity_id)}”，之后按流程继续")
            case fx.StartChild():
                found.append(f"启动子流程“{name_of(work, each.activity_id)}”")
            case fx.ArmTimer():
                found.append(f"开始计时“{name_of(work, each.node_id)}”")
            case fx.Subscribe():
                found.append(f"开始等待“{name_of(work, each.node_id)}”")
            case fx.ThrowEvent():
                found.append(f"发出“{each.name}”")
            case fx.RaiseIncident():
                found.append(f"“{name_of(work, each.node_id)}”会出现异常：{each.message}")
    return tuple(dict.fromkeys(found))


def _open_tasks(work: Work) -> list[Any]:
    return work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})


def _whose(work: Work, row: Any) -> str:
    role = work.deployed.package.roles.get(row.role or "", row.role or "")
    taken = "已有人办理" if row.owner is not None else "尚未签收"
    return "，".join(part for part in (role, row.item, taken) if part)


def name_of(work: Work, node_id: str) -> str:
    """What people call a node."""
    node: Node | None = work.deployed.program.by_id.get(node_id)
    return (node.name or node.id) if node is not None else node_id


def _standing(work: Work, element: int) -> str:
    return name_of(work, work.state.elements[element].node)
