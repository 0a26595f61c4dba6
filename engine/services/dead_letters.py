"""What nobody tries again by himself: shown, and repaired by trying it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text, update

from engine.execution.environment import Environment
from engine.model.actor import SYSTEM
from engine.model.errors import NotFound
from engine.queues.port import Errand
from engine.services.cluster import ClusterService
from engine.store import incidents, jobs, timers
from engine.store.database import Transaction

SHOWN = 200
_job: Any = jobs.Job.__table__
_timer: Any = timers.Timer.__table__

_BATCHES = text(
    "SELECT j.id, j.task_name, j.queue_name, j.attempts, max(e.at) AS since"
    " FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id"
    " WHERE j.status = 'failed' GROUP BY j.id ORDER BY j.id DESC LIMIT :limit"
)
_TAKE_BATCH = text(
    "DELETE FROM procrastinate_jobs WHERE id = :id AND status = 'failed' RETURNING task_name, args"
)


class DeadKind(StrEnum):
    """What was given up."""

    JOB = "job"
    BATCH = "batch"
    DUTY = "duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Something given up after its last attempt."""

    kind: DeadKind
    id: str
    #: kind of the job, errand of the batch, name of the duty
    what: str
    instance_id: str | None
    attempts: int
    error: str
    since: datetime | None


class DeadLetterService:
    """For the administrator of the installation; who may come in, the shell decides."""

    def __init__(self, environment: Environment, cluster: ClusterService) -> None:
        self._environment = environment
        self._cluster = cluster

    def all(self) -> tuple[DeadLetter, ...]:
        """Jobs, batches and duties that stand still, the newest of each first."""
        with self._environment.database.read() as tx:
            found = [*_jobs(tx), *_batches(tx)]
        return (*found, *self._duties())

    def retry(self, kind: DeadKind, letter_id: str) -> None:
        """Try it again, with all its attempts before it. Raises NotFound."""
        if kind is DeadKind.DUTY:
            self._cluster.retry_duty(letter_id)
            return
        with self._environment.database.write() as tx:
            if kind is DeadKind.JOB:
                now = self._environment.clock.now()
                hit = tx.write(jobs.REVIVE, {"job_id": letter_id, "run_at": now}) == 1
                for row in tx.rows(incidents.OPEN_OF_JOB, {"job_id": letter_id}):
                    resolved = {"resolved_at": now, "resolved_by": SYSTEM.id}
                    tx.write(incidents.RESOLVE, {"incident_id": row.id, **resolved})
            else:
                hit = letter_id.isdecimal() and _release_batch(tx, int(letter_id))
        if not hit:
            raise NotFound("它已经不在停止之列")
        self._environment.wake()

    def _duties(self) -> list[DeadLetter]:
        return [
            DeadLetter(
                kind=DeadKind.DUTY,
                id=duty.name,
                what=duty.name,
                instance_id=None,
                attempts=duty.attempts,
                error=duty.error,
                since=duty.taken_for,
            )
            for duty in self._cluster.duties()
            if duty.given_up
        ]


def _jobs(tx: Transaction) -> list[DeadLetter]:
    rows = tx.execute(
        select(_job).where(_job.c.status == jobs.DEAD).order_by(_job.c.id.desc()).limit(SHOWN)
    )
    return [
        DeadLetter(
            kind=DeadKind.JOB,
            id=row.id,
            what=row.kind,
            instance_id=row.instance_id,
            attempts=row.attempts,
            error=row.error or "",
            since=row.run_at,
        )
        for row in rows
    ]


def _batches(tx: Transaction) -> list[DeadLetter]:
    if not _has_batches(tx):
        return []
    return [
        DeadLetter(
            kind=DeadKind.BATCH,
            id=str(row.id),
            what=row.task_name,
            instance_id=None,
            attempts=row.attempts,
            error="",
            since=row.since,
        )
        for row in tx.execute(_BATCHES, {"limit": SHOWN})
    ]


def _release_batch(tx: Transaction, batch_id: int) -> bool:
    """The batch goes; what it held is found due again by the next pump, at once."""
    if not _has_batches(tx):
        return False
    row = tx.execute(_TAKE_BATCH, {"id": batch_id}).first()
    if row is None:
        return False
    if row.task_name == Errand.TIMERS:
        for timer_id, instance_id, *_ in row.args["timers"]:
            tx.execute(
                update(_timer)
                .where(_timer.c.instance_id == instance_id, _timer.c.id == timer_id)
                .values(claimed_at=None)
            )
    elif row.task_name == Errand.JOBS:
        tx.execute(update(_job).where(_job.c.id.in_(row.args["ids"])).values(claimed_at=None))
    # The occurrence of a duty is taken up again when its lease ends, or by its own name here.
    return True


def _has_batches(tx: Transaction) -> bool:
    if tx.dialect.name != "postgresql":
        return False
    return tx.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is not None
