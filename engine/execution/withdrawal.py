"""Withdrawing a completed task: what its completion keeps for it, and taking it back.

Only activities that say `withdrawable` keep anything. Taken back means: the state is as if the
completion had not happened, what it opened is closed, and the task is there once more, as a row of
its own, for whoever completed it. The old row stays with his name: separation of duties counts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.execution import assignment, participation, settle
from engine.execution.snapshot import pack, unpack
from engine.execution.work import Work
from engine.kernel import codec, withdrawal
from engine.kernel.decide import RunningDecide
from engine.kernel.state import Phase, State
from engine.kernel.triggers import VariablesSet
from engine.kernel.withdrawal import Taken, WithdrawalRefused
from engine.model.clock import to_local
from engine.model.errors import InvalidState
from engine.model.facts import TITLES, Fact
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus
from engine.store import (
    attachments,
    history,
    human_tasks,
    notes,
    subscriptions,
    timers,
    withdrawals,
)

WITHDRAWN = "withdrawn"
_BATCH = 200
_timer: Any = timers.Timer.__table__
_subscription: Any = subscriptions.EventSubscription.__table__
_draft: Any = notes.TaskDraft.__table__
_attachment: Any = attachments.Attachment.__table__
_task: Any = human_tasks.HumanTask.__table__

_GONE_OUT = {
    Fact.OPERATION_PERFORMED: "已执行自动操作",
    Fact.OPERATION_FAILED: "自动操作已执行并失败",
    Fact.MESSAGE_THROWN: "已发出消息",
    Fact.SIGNAL_THROWN: "已发出信号",
    Fact.ESCALATION_THROWN: "已上报",
    Fact.CHILD_STARTED: "已启动子流程",
    Fact.INCIDENT_RAISED: "出现异常",
}
"""Facts of the completion itself that nothing can call back."""

_HARMLESS = frozenset(
    {
        Fact.TASK_OPENED,
        Fact.TASK_REMINDED,
        Fact.TASK_OVERDUE,
        Fact.TASK_URGED,
        Fact.TASK_SUPERVISED,
        Fact.TASK_CIRCULATED,
        Fact.TASK_DUE_CHANGED,
        Fact.TASK_BEGUN_LATE,
    }
)
"""What happens to a task without anybody having begun it."""

_EVENTS = (
    Fact.TIMER_FIRED,
    Fact.MESSAGE_RECEIVED,
    Fact.SIGNAL_RECEIVED,
    Fact.NODE_COMPLETED,
)


@dataclass(frozen=True, slots=True)
class Noted:
    """What has to be seen before the completion changes it."""

    state: State
    timers: list[dict[str, Any]]
    subscriptions: list[dict[str, Any]]


def before(work: Work, row: Any) -> Noted | None:
    """Called before a task is completed; None where it can never be withdrawn."""
    if not assignment.spec_of(work, row).withdrawable:
        return None
    return Noted(work.state, _rows(work, _timer), _rows(work, _subscription))


def keep(work: Work, row: Any, noted: Noted | None, data: dict[str, object]) -> None:
    """Called when the completion is settled: what it takes to take it back goes with the commit."""
    if noted is None or work.instance.ended_at is not None:
        return
    taken = Taken(before=noted.state, after=work.state)
    gone = taken.removed()
    refused = withdrawal.refusal(work.deployed.program, taken, row.element) or _gone_out(work, row)
    work.tx.write(
        withdrawals.INSERT,
        {
            "task_id": row.id,
            "instance_id": work.instance.id,
            "definition_id": work.instance.definition_id,
            "sequence": work.instance.fact_count + len(work.facts),
            "at": work.now,
            "refused": refused or "",
            "state_before": pack(noted.state),
            "state_after": pack(work.state),
            "kept": codec.encode(
                {
                    "data": data,
                    "timers": [
                        each
                        for each in noted.timers
                        if each["element"] in gone and each["kind"] == timers.EVENT
                    ],
                    "subscriptions": [
                        each for each in noted.subscriptions if each["element"] in gone
                    ],
                }
            ),
        },
    )


def take_back(work: Work, row: Any, reason: str) -> str:
    """Withdraw; the id of the task that is there again. Raises WithdrawalRefused."""
    kept, taken = checked(work, row)
    program = work.deployed.program
    decide = RunningDecide(work.now, decisions=work.deployed.decisions)
    state, ceasing = withdrawal.taken_back(program, taken, work.state, decide, work.now)
    opened = _opened(work, taken)
    work.instance.state = state
    settle.carry_out(work, ceasing)
    _tell_desks(work, opened, row)
    what = codec.decode(bytes(kept.kept))
    _rows_back(work, what)
    work.change_task(row, status=TaskStatus.EXITED, outcome=WITHDRAWN, completion_key=None)
    again = _open_again(work, row)
    work.record(
        Fact.TASK_WITHDRAWN,
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"reason": reason, "again": again, "outcome": row.outcome, "owner": row.owner},
    )
    work.tx.execute(
        _draft.insert().values(
            task_id=again,
            participant_id=work.actor.id,
            data=what["data"],
            saved_at=work.now,
        )
    )
    work.tx.write(withdrawals.FORGET, {"task_id": row.id})
    # Conditions that wait for data are asked again: they may read what is no longer there.
    settle.advance(work, VariablesSet(at=work.now, variables={}))
    return again


def checked(work: Work, row: Any) -> tuple[Any, Taken]:
    """What was kept, if the completion can be taken back now. Raises WithdrawalRefused."""
    if row.status != TaskStatus.COMPLETED:
        raise InvalidState("只有已办结的待办可以撤回")
    if work.instance.ended_at is not None:
        raise WithdrawalRefused("事项已经结束，不能撤回")
    if work.instance.status is InstanceStatus.SUSPENDED:
        raise WithdrawalRefused("事项已挂起，恢复后才能撤回")
    if not assignment.spec_of(work, row).withdrawable:
        raise WithdrawalRefused(f"“{row.name}”不允许撤回")
    kept = work.tx.first(withdrawals.OF_TASK, {"task_id": row.id})
    if kept is None:
        raise WithdrawalRefused(f"“{row.name}”办结时没有留存撤回所需的记录，不能撤回")
    if kept.refused:
        raise WithdrawalRefused(f"{kept.refused}，不能撤回")
    if kept.definition_id != work.instance.definition_id:
        raise WithdrawalRefused("事项已迁移到另一版本，不能撤回")
    taken = Taken(before=unpack(bytes(kept.state_before)), after=unpack(bytes(kept.state_after)))
    _require_unbegun(work, _opened(work, taken), kept.sequence)
    _require_quiet(work, row, taken, kept.sequence)
    decide = RunningDecide(work.now, decisions=work.deployed.decisions)
    withdrawal.taken_back(work.deployed.program, taken, work.state, decide, work.now)
    return kept, taken


def _rows(work: Work, table: Any) -> list[dict[str, Any]]:
    found = work.tx.execute(select(table).where(table.c.instance_id == work.instance.id)).all()
    return [dict(row._mapping) for row in found]  # noqa: SLF001  # the documented way to a mapping


def _gone_out(work: Work, row: Any) -> str | None:
    """What of this completion reached beyond the case."""
    mine = work.closed.get(row.element)
    since = work.facts.index(mine) + 1 if mine in work.facts else 0
    for fact in work.facts[since:]:
        said = _GONE_OUT.get(Fact(fact.kind)) if fact.kind in set(Fact) else None
        if said is not None:
            return f"{said}{_named(work, fact.activity_id)}"
    if work.jobs:
        return "已交后台办理后续事项"
    return None


def _named(work: Work, activity_id: str | None) -> str:
    node = work.deployed.program.by_id.get(activity_id or "-")
    return f"“{node.name or node.id}”" if node is not None and node.id else ""


def _opened(work: Work, taken: Taken) -> list[Any]:
    """Rows of the open tasks that the completion led to."""
    elements = taken.added()
    return [
        row
        for row in work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
        if row.element in elements
    ]


def _require_unbegun(work: Work, opened: list[Any], since: int) -> None:
    ids = [row.id for row in opened]
    names = {row.id: row.name for row in opened}
    if not ids:
        return
    touched = next(
        (
            fact
            for fact in _facts_since(work, since)
            if fact.task_id in names and fact.kind not in _HARMLESS
        ),
        None,
    )
    if touched is not None and touched.task_id is not None:
        when = to_local(touched.at).strftime("%m-%d %H:%M")
        what = TITLES.get(touched.kind, touched.kind)
        raise WithdrawalRefused(
            f"{touched.actor_name or '有人'}已于 {when} 对“{names[touched.task_id]}”"
            f"办理“{what}”，不能撤回"
        )
    for row in opened:
        # Whom the model named has it from the start; that alone is no beginning.
        named = row.status == TaskStatus.RESERVED and row.claimed_at == row.created_at
        if row.status != TaskStatus.READY and not named:
            raise WithdrawalRefused(f"“{row.name}”已有人开始办理，不能撤回")
    for table, what in ((_draft, "填写"), (_attachment, "上传附件")):
        found = work.tx.execute(
            select(table.c.task_id).where(table.c.task_id.in_(ids)).limit(1)
        ).scalar()
        if found is not None:
            raise WithdrawalRefused(f"“{names[found]}”已有人开始{what}，不能撤回")


def _require_quiet(work: Work, row: Any, taken: Taken, since: int) -> None:
    """Nothing the completion led to was triggered, and no join ahead went on without it."""
    program = work.deployed.program
    nodes = {each.node for each in taken.added().values() if each.phase is Phase.LISTENING}
    nodes |= withdrawal.late_joins_ahead(program, program.by_id[row.activity_id])
    if not nodes:
        return
    for fact in _facts_since(work, since):
        if fact.activity_id in nodes and fact.kind in _EVENTS:
            raise WithdrawalRefused(f"{_named(work, fact.activity_id)}之后已经触发，不能撤回")


def _facts_since(work: Work, since: int) -> Iterator[history.Told]:
    while True:
        rows = work.tx.rows(
            history.OF_INSTANCE, {"instance_id": work.instance.id, "after": since, "limit": _BATCH}
        )
        yield from history.facts(rows, after=since)
        if len(rows) < _BATCH:
            return
        since = rows[-1].sequence


def _tell_desks(work: Work, opened: list[Any], row: Any) -> None:
    """Owners are told by the closing itself; a desk from which a task vanishes is told here."""
    for each in opened:
        if each.owner is None and each.role is not None and each.unit is not None:
            work.notify(
                "task_cancelled",
                {"kind": "role", "role": each.role, "unit": each.unit},
                {"name": each.name, "subject": each.subject, "by": row.name},
                task_id=each.id,
            )


def _rows_back(work: Work, kept: dict[str, Any]) -> None:
    for row in kept["timers"]:
        work.arm(
            kind=row["kind"],
            element=row["element"],
            node_id=row["node_id"],
            at=row["planned_at"],
            length=row["length"],
            since=row["since"],
        )
    work.subscribed.extend({**row, "id": work.new_id()} for row in kept["subscriptions"])


def _open_again(work: Work, row: Any) -> str:
    """The task as it was, with its clock running on from when it was first opened."""
    again = {column.name: getattr(row, column.name) for column in _task.c}
    holds = row.role is None or row.unit is None or work.actor.holds(row.role, row.unit)
    again.update(
        id=work.new_id(),
        owner=work.actor.id if holds else None,
        status=TaskStatus.IN_PROGRESS if holds else TaskStatus.READY,
        claimed_at=(row.claimed_at or work.now) if holds else None,
        is_open=1,
        suspended_from=None,
        completed_at=None,
        completed_by=None,
        outcome=None,
        completion_key=None,
        counts_as=None,
        version=1,
    )
    work.tasks[row.element] = again
    if again["due_at"] is not None:
        participation.arm_ladder_again(work, again, again["due_at"])
    return str(again["id"])
