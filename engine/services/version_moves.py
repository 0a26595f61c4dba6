"""Moving running instances to another version: survey, preview, do, watch, take back.

Only a system administrator does so, for the instances of the subtree he is appointed to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, select, update

from engine.execution import version_move_jobs
from engine.execution.programs import Deployed
from engine.execution.snapshot import unpack
from engine.execution.version_move_survey import Tally
from engine.kernel import codec
from engine.kernel.state import Phase
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import InvalidInput, InvalidState
from engine.model.version_move import (
    MoveFilter,
    MoveOrder,
    MovePreview,
    MoveStatus,
    MoveSurvey,
    PreviewPage,
)
from engine.services.version_move_records import MoveRecords, below
from engine.store import instances, jobs, version_moves
from engine.store.database import Transaction

#: so many instances are worked out for the counts of a survey; the rest are told as not examined
SURVEYED = 5_000
#: so many are moved by the caller himself; the heartbeat does the rest
AT_ONCE = 50
_EVERYTHING = MoveFilter()
_instance: Any = instances.ProcessInstance.__table__
_batch: Any = version_moves.MoveBatch.__table__
_moved: Any = version_moves.MovedInstance.__table__
_HIDDEN = frozenset({Phase.LISTENING, Phase.RESET, Phase.SCOPE})


class VersionMoveService(MoveRecords):
    """`engine.moves`."""

    # --- before ------------------------------------------------------------------------------

    def survey(self, order: MoveOrder, actor: Actor, which: MoveFilter = _EVERYTHING) -> MoveSurvey:
        """How many could move, how many not and why, and what needs a mapping.

        Raises NotAllowed, NotFound, InvalidInput for versions of two processes.
        """
        with self._environment.database.read() as tx:
            versions = self._versions(tx, order)
            where = self._condition(order, actor, which)
            total = tx.execute(select(func.count()).select_from(_instance).where(where)).scalar()
            tally = Tally()
            for row in self._first(tx, where):
                state = unpack(bytes(row.state))
                tally.add(versions[0].program, state, *self._foreseen(state, versions, order))
        return tally.survey(int(total or 0), versions, order)

    def plan(
        self,
        order: MoveOrder,
        actor: Actor,
        which: MoveFilter = _EVERYTHING,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> PreviewPage:
        """What would happen to each instance, oldest first. Raises as `survey` does."""
        with self._environment.database.read() as tx:
            versions = self._versions(tx, order)
            where = self._condition(order, actor, which)
            if cursor is not None:
                where = and_(where, _instance.c.id > cursor)
            rows = tx.execute(
                select(_instance).where(where).order_by(_instance.c.id).limit(limit + 1)
            ).all()
        found = tuple(self._preview(row, versions, order) for row in rows[:limit])
        more = len(rows) > limit
        return PreviewPage(rows=found, next_cursor=found[-1].instance_id if more else None)

    # --- doing -------------------------------------------------------------------------------

    def migrate(
        self,
        order: MoveOrder,
        actor: Actor,
        *,
        reason: str,
        which: MoveFilter = _EVERYTHING,
    ) -> str:
        """Move them, each in a transaction of its own; the id of the batch.

        A small batch is done when this returns, a large one by the heartbeat. Raises as `survey`
        does, InvalidState when there is nothing to move.
        """
        if not reason.strip():
            raise InvalidInput("迁移必须说明原因", {"reason": "必填"})

        def act(tx: Transaction) -> tuple[str, list[str]]:
            old, _ = self._versions(tx, order)
            rows = tx.execute(
                select(_instance.c.id, _instance.c.shard, _instance.c.region, _instance.c.title)
                .where(self._condition(order, actor, which))
                .order_by(_instance.c.id)
            ).all()
            if not rows:
                raise InvalidState("没有可以迁移的在办件")
            batch_id = self._environment.ids.new()
            now = self._environment.clock.now()
            tx.write(
                version_moves.INSERT_BATCH,
                {
                    "id": batch_id,
                    "process_key": old.key,
                    "from_definition": order.from_definition,
                    "to_definition": order.to_definition,
                    "mapping": dict(order.mapping),
                    "renew": {key: [each.value for each in v] for key, v in order.renew.items()},
                    "reason": reason.strip()[:500],
                    "total": len(rows),
                    "created_at": now,
                    "created_by": actor.id,
                },
            )
            tx.write_all(version_moves.INSERT_MOVED, [_queued(batch_id, row) for row in rows])
            return batch_id, self._queue(tx, batch_id, rows, actor, undo=False)

        return self._commands.apart(act)

    def undo(self, batch_id: str, actor: Actor, instance_ids: tuple[str, ...] | None = None) -> int:
        """Take a batch back, or some of its instances; how many are queued for it.

        What nothing has happened to since becomes what it was; what went on follows the mapping
        turned round where it can, and stays with the reason where it cannot.
        """

        def act(tx: Transaction) -> tuple[int, list[str]]:
            self._batch(tx, batch_id, actor)
            where = [
                _moved.c.batch_id == batch_id,
                _moved.c.status.in_([MoveStatus.MOVED, MoveStatus.STAYS]),
                self._covered(actor, _moved.c.region),
            ]
            if instance_ids is not None:
                where.append(_moved.c.instance_id.in_(instance_ids))
            rows = tx.execute(
                select(_instance.c.id, _instance.c.shard)
                .join(_moved, _moved.c.instance_id == _instance.c.id)
                .where(*where)
                .order_by(_instance.c.id)
            ).all()
            if not rows:
                raise InvalidState("没有可以撤销的迁移")
            tx.execute(update(_moved).where(*where).values(status=MoveStatus.UNDOING, reason=""))
            return len(rows), self._queue(tx, batch_id, rows, actor, undo=True)

        return self._commands.apart(act)

    # --- private -----------------------------------------------------------------------------

    def _condition(self, order: MoveOrder, actor: Actor, which: MoveFilter) -> Any:
        parts = [
            _instance.c.definition_id == order.from_definition,
            _instance.c.ended_at.is_(None),
            self._covered(actor, _instance.c.region),
        ]
        if which.region is not None:
            parts.append(below(_instance.c.region, which.region))
        if which.instance_ids is not None:
            parts.append(_instance.c.id.in_(which.instance_ids))
        return and_(*parts)

    @staticmethod
    def _first(tx: Transaction, where: Any) -> Iterator[Any]:
        rows = tx.execute(
            select(_instance.c.id, _instance.c.state)
            .where(where)
            .order_by(_instance.c.id)
            .limit(SURVEYED)
        )
        yield from rows

    def _preview(
        self, row: Any, versions: tuple[Deployed, Deployed], order: MoveOrder
    ) -> MovePreview:
        foreseen, reasons = self._foreseen(unpack(bytes(row.state)), versions, order)
        return MovePreview(
            instance_id=row.id,
            title=row.title,
            region=row.region,
            is_possible=not reasons,
            lines=foreseen.lines if foreseen is not None else (),
            reasons=reasons,
        )

    def _queue(
        self, tx: Transaction, batch_id: str, rows: Any, actor: Actor, *, undo: bool
    ) -> list[str]:
        now = self._environment.clock.now()
        by = None if actor is SYSTEM else [actor.id, actor.name]
        arguments = codec.encode({"batch": batch_id, "undo": undo, "by": by})
        queued = [
            {
                "id": self._environment.ids.new(),
                "shard": row.shard,
                "kind": version_move_jobs.JOB_MOVE,
                "instance_id": row.id,
                "element": None,
                "key": f"{batch_id}:{row.id}",
                "arguments": arguments,
                "status": jobs.QUEUED,
                "run_at": now,
                "created_at": now,
                "attempts": 0,
                "error": None,
            }
            for row in rows
        ]
        tx.write_all(jobs.INSERT, queued)
        return [row["id"] for row in queued] if len(queued) <= AT_ONCE else []


def _queued(batch_id: str, row: Any) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "instance_id": row.id,
        "region": row.region,
        "title": row.title,
        "status": MoveStatus.QUEUED,
        "reason": "",
        "plan": [],
        "revision": None,
        "reversible": False,
        "state_before": None,
        "rows_before": None,
        "at": None,
    }
