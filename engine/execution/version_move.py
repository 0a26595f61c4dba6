"""Moving one instance to another version of its process, inside one command.

The kernel says what becomes of the state; here its rows follow.  A task keeps its row: owner,
draft, comments, due date and the rungs of its ladder.  What was there before is kept with the
batch, so that a move can be taken back row by row while nothing else has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, update

from engine.execution import reckoning, settle, version_move_rows, version_move_words
from engine.execution.deadlines import deadline_text
from engine.execution.participation import arm_ladder_again
from engine.execution.programs import Deployed
from engine.execution.snapshot import pack
from engine.execution.work import Work
from engine.kernel import codec, migration
from engine.kernel import effects as fx
from engine.kernel.decide import RunningDecide
from engine.kernel.migration import MigrationRefused, Plan
from engine.kernel.state import State
from engine.model import region
from engine.model.errors import InvalidState
from engine.model.facts import Fact
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus
from engine.model.version_move import MoveOrder, Renew
from engine.store import human_tasks, incidents, instances, jobs, subscriptions, timers
from engine.store.base import FAR_FUTURE
from engine.store.database import LostRace

_instance: Any = instances.ProcessInstance.__table__
_task: Any = human_tasks.HumanTask.__table__
_timer: Any = timers.Timer.__table__
_subscription: Any = subscriptions.EventSubscription.__table__
_incident: Any = incidents.IncidentRow.__table__
_job: Any = jobs.Job.__table__

#: a move that only did such things can be taken back row by row
_REVERSIBLE = (
    fx.ArmTimer, fx.CancelTimer, fx.Subscribe, fx.Unsubscribe, fx.Record, fx.OpenTask, fx.CloseTask,
)  # fmt: skip
_QUIET = (fx.ArmTimer, fx.CancelTimer, fx.Subscribe, fx.Unsubscribe, fx.Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A move worked out to its end, nothing written."""

    plan: Plan
    #: None where it is refused
    state: State | None
    effects: tuple[fx.Effect, ...]
    reasons: tuple[str, ...]
    lines: tuple[str, ...]
    refusals: tuple[migration.Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was done, and what it was before."""

    lines: tuple[str, ...]
    reversible: bool
    state_before: bytes
    rows_before: bytes


def foresee(
    state: State, versions: tuple[Deployed, Deployed], order: MoveOrder, at: datetime
) -> Foreseen:
    """What a move would do to this state, refusals included."""
    old, new = versions
    plan = migration.plan(old.program, new.program, state, order.mapping)
    refusals, after = plan.refusals, None
    effects: tuple[fx.Effect, ...] = ()
    if not refusals:
        decide = RunningDecide(at, decisions=new.decisions)
        try:
            after, effects = migration.migrate(
                old.program, new.program, state, order.mapping, decide, at
            )
        except MigrationRefused as refused:
            refusals = refused.lines
    return Foreseen(
        plan=plan,
        state=after,
        effects=effects,
        reasons=tuple(dict.fromkeys(version_move_words.reason(line) for line in refusals)),
        lines=version_move_words.sentences(state, plan, effects, versions, order),
        refusals=refusals,
    )


def move(work: Work, new: Deployed, order: MoveOrder, batch_id: str, why: str) -> Moved:
    """Carry out the move with all its rows and its fact. Raises `MigrationRefused` and others."""
    old = work.deployed
    if old.id != order.from_definition:
        raise InvalidState("事项已经不在要迁移的版本上")
    foreseen = foresee(work.state, (old, new), order, work.now)
    if foreseen.state is None:
        raise MigrationRefused(foreseen.refusals)
    if work.instance.status is InstanceStatus.SUSPENDED and not _only(foreseen.effects, _QUIET):
        raise InvalidState("事项已挂起，而迁移会使它继续，请先恢复")
    state_before = pack(work.state)
    tasks = work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
    rows_before = version_move_rows.remember(work, tasks, _renamed_nodes(order))
    before = work.state
    work.instance.state = foreseen.state
    switch(work, new)
    _rename_rows(work, before, foreseen.plan)
    _rename_closed(work, order)
    for row in tasks:
        _keep_task(work, row, (old, new), foreseen, order)
    settle.carry_out(work, foreseen.effects)
    work.record(
        Fact.INSTANCE_MIGRATED,
        detail={
            "batch": batch_id,
            "from": {"id": old.id, "version": old.version},
            "to": {"id": new.id, "version": new.version},
            "mapping": dict(order.mapping),
            "renew": {key: list(value) for key, value in order.renew.items()},
            "plan": list(foreseen.lines),
            "reason": why,
        },
    )
    return Moved(
        lines=foreseen.lines,
        reversible=_only(foreseen.effects, _REVERSIBLE),
        state_before=state_before,
        rows_before=rows_before,
    )


def switch(work: Work, version: Deployed) -> None:
    """From now on the instance runs this version; written under the guard of the revision."""
    work.tx.execute(
        update(_instance).where(_instance.c.id == work.instance.id).values(definition_id=version.id)
    )
    work.instance.definition_id = version.id
    work.deployed = version


def _only(effects: tuple[fx.Effect, ...], kinds: tuple[type, ...]) -> bool:
    return all(isinstance(effect, kinds) for effect in effects)


def _renamed_nodes(order: MoveOrder) -> dict[str, str]:
    return {old: new for old, new in order.mapping.items() if new is not None and new != old}


# --- rows that follow the state --------------------------------------------------------------


def _rename_rows(work: Work, before: State, plan: Plan) -> None:
    """Timers, subscriptions, incidents and jobs of renamed elements name the new ones."""
    nodes = {number: node.id for number, node in plan.kept.items()}
    nodes.update({number: node.id for number, (node, _) in plan.listeners.kept.items()})
    mine = work.instance.id
    for number, node_id in nodes.items():
        if before.elements[number].node == node_id:
            continue
        for table, column in ((_timer, "node_id"), (_subscription, "node_id")):
            work.tx.execute(
                update(table)
                .where(table.c.instance_id == mine, table.c.element == number)
                .values({column: node_id})
            )
        work.tx.execute(
            update(_incident)
            .where(
                _incident.c.instance_id == mine,
                _incident.c.element == number,
                _incident.c.resolved_at.is_(None),
            )
            .values(activity_id=node_id)
        )
        for job in version_move_rows.jobs_of(work, number):
            arguments = codec.decode(bytes(job.arguments))
            if "activity_id" in arguments:
                arguments["activity_id"] = node_id
                work.tx.execute(
                    update(_job)
                    .where(_job.c.id == job.id)
                    .values(arguments=codec.encode(arguments))
                )


def _rename_closed(work: Work, order: MoveOrder) -> None:
    """Finished tasks count as their counterparts, so that separation of duties goes on."""
    renamed = _renamed_nodes(order)
    if renamed:
        work.tx.execute(
            update(_task)
            .where(
                _task.c.instance_id == work.instance.id,
                _task.c.is_open == 0,
                human_tasks.ACTIVITY.in_(sorted(renamed)),
            )
            .values(counts_as=case(renamed, value=human_tasks.ACTIVITY))
        )


def _keep_task(
    work: Work, row: Any, versions: tuple[Deployed, Deployed], foreseen: Foreseen, order: MoveOrder
) -> None:
    node = foreseen.plan.kept.get(row.element)
    if node is None:
        return
    old, new = versions
    differing, buttons = version_move_words.differences(old, new, row.activity_id, node.id)
    wanted = frozenset(order.renew.get(row.activity_id, ())) & frozenset(differing)
    origin = f"{old.id}/{row.activity_id}"
    changes: dict[str, Any] = {
        "activity_id": node.id,
        "name": node.name or node.id,
        "definition_id": new.id,
        "form_of": _kept(row.form_of, origin, Renew.FORM, differing, wanted),
        "ladder_of": _kept(row.ladder_of, origin, Renew.DEADLINE, differing, wanted),
    }
    if wanted - {Renew.FORM}:
        changes.update(_renewed(work, row, foreseen, wanted))
    # Who has the page open may go on with it where it still says what it said.
    seen_otherwise = bool(wanted) or buttons or changes["name"] != row.name
    hit = work.tx.execute(
        update(_task)
        .where(_task.c.id == row.id, _task.c.version == row.version)
        .values(version=row.version + seen_otherwise, **changes)
    )
    if hit.rowcount != 1:
        raise LostRace
    if Renew.DEADLINE in wanted:
        _climb_anew(work, {**row._asdict(), **changes})


def _kept(
    before: str | None,
    origin: str,
    term: Renew,
    differing: tuple[Renew, ...],
    wanted: frozenset[Renew],
) -> str | None:
    """Where a task has its form or ladder from; None: from the version it is on now."""
    if term in wanted:
        return None
    if before is not None:
        return before
    return origin if term in differing else None


def _renewed(work: Work, row: Any, foreseen: Foreseen, wanted: frozenset[Renew]) -> dict[str, Any]:
    """The columns of a task that follow the new version because the order says so."""
    state = foreseen.state
    assert state is not None
    if row.element not in state.elements:
        return {}
    decide = RunningDecide(work.now, decisions=work.deployed.decisions)
    asked = migration.terms(work.deployed.program, state, row.element, decide, work.now)
    changes: dict[str, Any] = {}
    if Renew.ROLE in wanted or Renew.UNIT in wanted:
        changes.update(_other_office(work, row, asked, wanted))
    if Renew.DEADLINE in wanted:
        changes.update(_other_due(work, row, asked, changes.get("unit", row.unit)))
    return changes


def _other_office(
    work: Work, row: Any, asked: fx.OpenTask, wanted: frozenset[Renew]
) -> dict[str, Any]:
    role = asked.role if Renew.ROLE in wanted else row.role
    unit = (asked.unit or work.instance.region) if Renew.UNIT in wanted else row.unit
    holders = work.environment.seats.holders(work.tx, role, unit, work.now) if role else ()
    changes: dict[str, Any] = {
        "role": role,
        "unit": unit,
        "region": unit if region.is_code(unit) else work.instance.region,
    }
    if row.owner is not None and row.owner in holders:
        return changes
    changes.update(
        owner=None,
        claimed_at=None,
        no_holder=not holders,
        status=row.status if row.status == TaskStatus.SUSPENDED else TaskStatus.READY,
        suspended_from=TaskStatus.READY if row.status == TaskStatus.SUSPENDED else None,
    )
    work.notify(
        "task_opened",
        {"kind": "role", "role": role or "", "unit": unit},
        {"name": row.name, "subject": row.subject, "unit": unit, "due_at": row.due_at},
        task_id=row.id,
    )
    return changes


def _other_due(work: Work, row: Any, asked: fx.OpenTask, unit: str | None) -> dict[str, Any]:
    due = None
    if asked.deadline is not None:
        here = unit or work.instance.region
        held = reckoning.holding(reckoning.pauses_of(work), row.id)
        due = reckoning.reckon(
            work, unit=here, since=row.created_at, wanted=asked.deadline, held=held
        )
    at = due.due_at if due is not None else None
    if at != row.due_at:
        work.record(
            Fact.TASK_DUE_CHANGED,
            activity_id=asked.activity_id,
            task_id=row.id,
            detail={"from": row.due_at, "to": at, "reason": "迁移到新版本"},
        )
    return {
        "due_at": at,
        "due_sort": at or FAR_FUTURE,
        "due_note": due.note if due is not None else "",
        "deadline": deadline_text(asked.deadline),
        "urgency": None,
        **(due.columns() if due is not None else {"warn_at": None, "calendar_version": None}),
    }


def _climb_anew(work: Work, row: Mapping[str, Any]) -> None:
    work.disarm(timers.LADDER, row["element"])
    if row["due_at"] is not None:
        arm_ladder_again(work, dict(row), row["due_at"])
