"""Moves as jobs: each instance in a transaction of its own, done once, with its result kept.

A job that comes twice finds its row of the batch settled and does nothing. What cannot be moved
is recorded with the reason; a lost race is tried again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.execution import version_move, version_move_rows
from engine.execution.command import Commands
from engine.execution.work import Work
from engine.model.actor import Actor
from engine.model.errors import Incident, InvalidState, NotFound, Rejected, Stale
from engine.model.facts import Fact
from engine.model.version_move import MoveOrder, MoveStatus, Renew
from engine.store import jobs, version_moves
from engine.store.database import LostRace, Transaction

JOB_MOVE = "move"

_batch: Any = version_moves.MoveBatch.__table__
_moved: Any = version_moves.MovedInstance.__table__


def run_job(commands: Commands, job: Any, arguments: Mapping[str, Any], actor: Actor) -> list[str]:
    """Move or take back one instance of a batch; what it leads to, to run after it."""
    batch_id, undo = arguments["batch"], arguments["undo"]

    def act(work: Work) -> None:
        if work.tx.write(jobs.TAKE, {"job_id": job.id}) != 1:
            raise _DoneAlready
        batch, mine = row_of(work.tx, batch_id, work.instance.id)
        wanted = MoveStatus.UNDOING if undo else MoveStatus.QUEUED
        if mine.status != wanted:
            raise _DoneAlready
        if work.instance.ended_at is not None:
            raise InvalidState("事项已经结束")
        (_take_back if undo else _move)(work, batch, mine)

    try:
        _, follow_up = commands.run_on_instance(job.instance_id, actor, act)
    except _DoneAlready:
        _drop(commands, job)
        return []
    except Stale:
        raise
    except (Rejected, Incident) as refused:
        _record_refusal(commands, job, batch_id, refused.message, undo=undo)
        return []
    return follow_up


class _DoneAlready(Exception):  # no error: the work is done
    """Somebody else has dealt with this instance of the batch."""


def row_of(tx: Transaction, batch_id: str, instance_id: str) -> tuple[Any, Any]:
    """Batch and row of one instance. Raises NotFound."""
    batch = tx.execute(select(_batch).where(_batch.c.id == batch_id)).first()
    mine = tx.execute(
        select(_moved).where(_moved.c.batch_id == batch_id, _moved.c.instance_id == instance_id)
    ).first()
    if batch is None or mine is None:
        raise NotFound("没有这次迁移")
    return batch, mine


def order_of(batch: Any) -> MoveOrder:
    """The order a batch was made for."""
    return MoveOrder(
        from_definition=batch.from_definition,
        to_definition=batch.to_definition,
        mapping=batch.mapping,
        renew={key: tuple(Renew(each) for each in found) for key, found in batch.renew.items()},
    )


def way_back(batch: Any) -> MoveOrder:
    """The order with its mapping turned round."""
    order = order_of(batch)
    return MoveOrder(
        from_definition=order.to_definition,
        to_definition=order.from_definition,
        mapping={new: old for old, new in order.mapping.items() if new is not None},
    )


def is_untouched(mine: Any, revision: int) -> bool:
    """Whether the move can be taken back row by row: nothing happened since, nothing left it."""
    return bool(mine.reversible) and mine.revision == revision and mine.state_before is not None


def _move(work: Work, batch: Any, mine: Any) -> None:
    new = work.environment.programs.by_id(work.tx, batch.to_definition)
    done = version_move.move(work, new, order_of(batch), batch.id, batch.reason)
    _settle(
        work,
        mine,
        status=MoveStatus.MOVED,
        plan=list(done.lines),
        revision=work.instance.loaded_revision + 1,
        reversible=done.reversible,
        state_before=done.state_before,
        rows_before=done.rows_before,
    )


def _take_back(work: Work, batch: Any, mine: Any) -> None:
    """Row by row where nothing happened since, else by the mapping turned round."""
    old = work.environment.programs.by_id(work.tx, batch.from_definition)
    new = work.deployed
    exact = is_untouched(mine, work.instance.loaded_revision)
    if exact:
        version_move.switch(work, old)
        version_move_rows.put_back(work, bytes(mine.state_before), bytes(mine.rows_before))
    else:
        version_move.move(work, old, way_back(batch), batch.id, "撤销迁移")
    work.record(
        Fact.INSTANCE_MIGRATION_UNDONE,
        detail={
            "batch": batch.id,
            "from": {"id": new.id, "version": new.version},
            "to": {"id": old.id, "version": old.version},
            "exact": exact,
        },
    )
    _settle(
        work,
        mine,
        status=MoveStatus.UNDONE,
        reason="恢复到迁移之前" if exact else "迁移之后又有办理，按反向对应退回",
        plan=mine.plan,
        revision=None,
        reversible=False,
        state_before=None,
        rows_before=None,
    )


def _settle(work: Work, mine: Any, **values: Any) -> None:
    hit = work.tx.write(
        version_moves.SETTLE,
        {
            "of_batch": mine.batch_id,
            "of_instance": mine.instance_id,
            "seen_status": mine.status,
            "at": work.now,
            "reason": "",
            **values,
        },
    )
    if hit != 1:
        raise LostRace


def _record_refusal(
    commands: Commands, job: Any, batch_id: str, reason: str, *, undo: bool
) -> None:
    with commands.environment.database.write() as tx:
        if tx.write(jobs.TAKE, {"job_id": job.id}) == 1:
            tx.write(
                version_moves.MARK,
                {
                    "of_batch": batch_id,
                    "of_instance": job.instance_id,
                    "seen_status": MoveStatus.UNDOING if undo else MoveStatus.QUEUED,
                    "status": MoveStatus.STAYS if undo else MoveStatus.REFUSED,
                    "reason": reason,
                    "at": commands.environment.clock.now(),
                },
            )


def _drop(commands: Commands, job: Any) -> None:
    with commands.environment.database.write() as tx:
        tx.write(jobs.TAKE, {"job_id": job.id})


def can_go_back(state: Any, versions: tuple[Any, Any], batch: Any, at: Any) -> tuple[bool, str]:
    """Whether an instance that has moved on can follow the mapping turned round; why not."""
    foreseen = version_move.foresee(state, versions, way_back(batch), at)
    return foreseen.state is not None, "；".join(foreseen.reasons)
