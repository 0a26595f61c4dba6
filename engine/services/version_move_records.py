"""Batches of moves and what came of them; who may look and act."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select

from engine.execution import version_move, version_move_jobs
from engine.execution.command import Commands
from engine.execution.programs import Deployed
from engine.execution.snapshot import unpack
from engine.execution.version_move import Foreseen
from engine.kernel.state import State
from engine.model import region as regions
from engine.model.actor import ADMINISTRATOR, SYSTEM, Actor
from engine.model.errors import InvalidInput, ModelFault, NotAllowed, NotFound
from engine.model.version_move import (
    BatchView,
    MoveOrder,
    MoveResult,
    MoveStatus,
    ResultPage,
    UndoPreview,
)
from engine.store import instances, version_moves
from engine.store.database import Transaction

_instance: Any = instances.ProcessInstance.__table__
_batch: Any = version_moves.MoveBatch.__table__
_moved: Any = version_moves.MovedInstance.__table__


class MoveRecords:
    """The part of `VersionMoveService` that changes nothing."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment

    # --- after -------------------------------------------------------------------------------

    def batches(self, process_key: str, actor: Actor, *, limit: int = 20) -> tuple[BatchView, ...]:
        """Batches of a process he may look into, newest first."""
        with self._environment.database.read() as tx:
            mine = select(_moved.c.batch_id).where(self._covered(actor, _moved.c.region))
            rows = tx.execute(
                select(_batch)
                .where(_batch.c.process_key == process_key, _batch.c.id.in_(mine))
                .order_by(_batch.c.id.desc())
                .limit(limit)
            ).all()
            return tuple(self._view(tx, row, actor) for row in rows)

    def batch(self, batch_id: str, actor: Actor) -> BatchView:
        """One batch and how far it is. Raises NotFound."""
        with self._environment.database.read() as tx:
            return self._view(tx, self._batch(tx, batch_id, actor), actor)

    def results(
        self,
        batch_id: str,
        actor: Actor,
        *,
        status: MoveStatus | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ResultPage:
        """What came of each instance of a batch."""
        with self._environment.database.read() as tx:
            self._batch(tx, batch_id, actor)
            query = (
                select(_moved)
                .where(_moved.c.batch_id == batch_id, self._covered(actor, _moved.c.region))
                .order_by(_moved.c.instance_id)
                .limit(limit + 1)
            )
            if status is not None:
                query = query.where(_moved.c.status == status)
            if cursor is not None:
                query = query.where(_moved.c.instance_id > cursor)
            rows = tx.execute(query).all()
        found = tuple(_result(row) for row in rows[:limit])
        more = len(rows) > limit
        return ResultPage(rows=found, next_cursor=found[-1].instance_id if more else None)

    def plan_undo(
        self, batch_id: str, actor: Actor, *, cursor: str | None = None, limit: int = 50
    ) -> tuple[UndoPreview, ...]:
        """For each moved instance of a batch: can it go back, and how."""
        with self._environment.database.read() as tx:
            batch = self._batch(tx, batch_id, actor)
            order = version_move_jobs.way_back(batch)
            versions = self._versions(tx, order)
            rows = tx.execute(
                select(
                    _moved,
                    _instance.c.state,
                    _instance.c.revision.label("now_at"),
                    _instance.c.ended_at,
                    _instance.c.definition_id,
                )
                .join(_instance, _instance.c.id == _moved.c.instance_id)
                .where(
                    _moved.c.batch_id == batch_id,
                    _moved.c.status.in_([MoveStatus.MOVED, MoveStatus.STAYS]),
                    _moved.c.instance_id > (cursor or ""),
                    self._covered(actor, _moved.c.region),
                )
                .order_by(_moved.c.instance_id)
                .limit(limit)
            ).all()
        return tuple(self._undo_preview(row, versions, batch) for row in rows)

    # --- private -----------------------------------------------------------------------------

    def _versions(self, tx: Transaction, order: MoveOrder) -> tuple[Deployed, Deployed]:
        programs = self._environment.programs
        old, new = (
            programs.by_id(tx, order.from_definition),
            programs.by_id(tx, order.to_definition),
        )
        if old.key != new.key or old.id == new.id:
            raise InvalidInput("只能迁移到同一流程的另一个版本")
        return old, new

    @staticmethod
    def _covered(actor: Actor, column: Any) -> Any:
        """Regions he administers. Raises NotAllowed for whoever administers none."""
        if actor is SYSTEM:
            return column.is_not(None)
        units = sorted({seat.unit for seat in actor.seats if seat.role == ADMINISTRATOR})
        if not units:
            raise NotAllowed("只有系统管理员可以迁移在办件")
        return or_(*(below(column, unit) for unit in units))

    def _foreseen(
        self, state: State, versions: tuple[Deployed, Deployed], order: MoveOrder
    ) -> tuple[Foreseen | None, tuple[str, ...]]:
        try:
            found = version_move.foresee(state, versions, order, self._environment.clock.now())
        except ModelFault as fault:
            return None, (fault.message,)
        return found, found.reasons

    def _undo_preview(
        self, row: Any, versions: tuple[Deployed, Deployed], batch: Any
    ) -> UndoPreview:
        exact = version_move_jobs.is_untouched(row, row.now_at)
        possible, sentence = True, "迁移之后没有办理过，恢复到迁移之前"
        if row.ended_at is not None:
            possible, sentence = False, "事项已经结束"
        elif row.definition_id != batch.to_definition:
            possible, sentence = False, "事项已经又迁移到别的版本"
        elif not exact:
            possible, why = version_move_jobs.can_go_back(
                unpack(bytes(row.state)), versions, batch, self._environment.clock.now()
            )
            sentence = "迁移之后又有办理，按反向对应退回" if possible else why
        return UndoPreview(
            instance_id=row.instance_id,
            title=row.title,
            is_possible=possible,
            is_exact=exact and possible,
            sentence=sentence,
        )

    def _batch(self, tx: Transaction, batch_id: str, actor: Actor) -> Any:
        row = tx.execute(select(_batch).where(_batch.c.id == batch_id)).first()
        covered = self._covered(actor, _moved.c.region)
        if (
            row is None
            or not tx.execute(
                select(func.count()).where(_moved.c.batch_id == batch_id, covered)
            ).scalar()
        ):
            raise NotFound("没有这次迁移")
        return row

    def _view(self, tx: Transaction, row: Any, actor: Actor) -> BatchView:
        counted = tx.execute(
            select(_moved.c.status, func.count())
            .where(_moved.c.batch_id == row.id, self._covered(actor, _moved.c.region))
            .group_by(_moved.c.status)
        ).all()
        counts = {MoveStatus(status): int(count) for status, count in counted}
        return BatchView(
            id=row.id,
            process_key=row.process_key,
            from_definition=row.from_definition,
            to_definition=row.to_definition,
            mapping=row.mapping,
            reason=row.reason,
            created_at=row.created_at,
            created_by=row.created_by,
            total=sum(counts.values()),
            counts=counts,
        )


def _result(row: Any) -> MoveResult:
    return MoveResult(
        batch_id=row.batch_id,
        instance_id=row.instance_id,
        title=row.title,
        region=row.region,
        status=MoveStatus(row.status),
        reason=row.reason,
        lines=tuple(row.plan or ()),
        at=row.at,
    )


def below(column: Any, unit: str) -> Any:
    """SQL: the column names a unit of this subtree."""
    prefix = regions.prefix(unit)
    return column.startswith(prefix, autoescape=True) if prefix else column.is_not(None)
