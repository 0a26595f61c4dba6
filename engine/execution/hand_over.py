"""The pump: finds what is due and hands it to workers, in the transaction that notes it.

The rows stay where they are. Whoever fires a timer or runs a job deletes its row in the
instance's own transaction; so a batch that is delivered twice does nothing the second time, and
a batch that is lost is handed out again after a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from engine.execution.environment import Environment
from engine.execution.job_executor import JobExecutor
from engine.kernel import codec
from engine.queues.port import Batch, Carrier, Errand, Queue
from engine.store import jobs, timers
from engine.store.database import Transaction

#: measured: one hand-over for a timer costs three times what one for 25 does
TIMERS_IN_A_BATCH = 25
JOBS_IN_A_BATCH = 10
#: what was handed out so long ago and is still there was lost
LOST_AFTER = timedelta(minutes=15)
_LOOK_FOR_LOST_EVERY = timedelta(minutes=1)
_LOOK_AT_ALL_EVERY = timedelta(seconds=10)
#: clocks of two machines may differ by so much without a timer waiting for the next full look
_SKEW = timedelta(seconds=2)
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
#: somebody may be waiting for what a commit left to do; nobody is for a timer. What waits for the
#: outside comes last: the queue reads in this order, and those may become many
_JOBS_FIRST, _TIMERS_NEXT = 10, 5

_Item = TypeVar("_Item")


class HandOver:
    """One pump; any number of them work side by side."""

    def __init__(self, environment: Environment, executor: JobExecutor) -> None:
        self._environment = environment
        self._executor = executor
        #: no due timer that was handed out lies above it, and few that were not lie below
        self._floor = _BEGINNING
        self._looked_at_all: datetime | None = None
        self._looked_for_lost: datetime | None = None

    def run(self, carrier: Carrier, limit: int) -> int:
        """Hand over at most `limit` timers and as many jobs; how many rows."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            room = carrier.room(tx)
            if room <= 0:
                return 0
            limit = min(limit, room * TIMERS_IN_A_BATCH)
            due_jobs = tx.rows(jobs.CLAIM, {"now": now, "limit": limit})
            floor = self._floor_now(now)
            due_timers = tx.rows(timers.CLAIM, {"now": now, "limit": limit, "floor": floor})
            if self._is_time(self._looked_for_lost, now, _LOOK_FOR_LOST_EVERY):
                self._looked_for_lost = now
                lost = {"now": now, "limit": limit, "before": now - LOST_AFTER}
                due_jobs += tx.rows(jobs.CLAIM_LOST, lost)
                due_timers += tx.rows(timers.CLAIM_LOST, lost)
            self._carry(tx, carrier, due_timers, due_jobs)
        self._remember(due_timers)
        return len(due_timers) + len(due_jobs)

    def _carry(
        self, tx: Transaction, carrier: Carrier, due_timers: list[Any], due_jobs: list[Any]
    ) -> None:
        batches = [*self._batches_of_jobs(due_jobs), *_batches_of_timers(due_timers)]
        if batches:
            carrier.carry(tx, batches)

    def _batches_of_jobs(self, rows: list[Any]) -> Iterator[Batch]:
        outside: list[str] = []
        inside: list[str] = []
        for row in rows:
            arguments = codec.decode(bytes(row.arguments))
            (outside if self._executor.calls_outside(row, arguments) else inside).append(row.id)
        # One at a time: a receiver that does not answer must hold up nobody else's call.
        for job_id in outside:
            yield Batch(queue=Queue.OUT, errand=Errand.JOBS, what={"ids": [job_id]})
        for some in _batched(sorted(inside), JOBS_IN_A_BATCH):
            yield Batch(
                queue=Queue.ENGINE,
                errand=Errand.JOBS,
                what={"ids": list(some)},
                priority=_JOBS_FIRST,
            )

    def _floor_now(self, now: datetime) -> datetime:
        if self._is_time(self._looked_at_all, now, _LOOK_AT_ALL_EVERY):
            self._looked_at_all = now
            return _BEGINNING
        return self._floor

    def _remember(self, rows: Sequence[Any]) -> None:
        if rows:
            self._floor = max(row.due_at for row in rows) - _SKEW

    @staticmethod
    def _is_time(last: datetime | None, now: datetime, every: timedelta) -> bool:
        # A clock that was put back must not put this off for as long.
        return last is None or abs(now - last) >= every


def _batches_of_timers(rows: list[Any]) -> Iterator[Batch]:
    # Timers of one case together: two workers at one case would only wait for each other.
    rows = sorted(rows, key=lambda row: (row.instance_id, row.due_at))
    for some in _batched(rows, TIMERS_IN_A_BATCH):
        what = {
            "timers": [
                [row.id, row.instance_id, row.kind, row.element, row.due_at.isoformat()]
                for row in some
            ]
        }
        yield Batch(queue=Queue.ENGINE, errand=Errand.TIMERS, what=what, priority=_TIMERS_NEXT)


def _batched(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[at : at + size] for at in range(0, len(items), size))
