"""Numbers for whoever watches the installation, asked of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, text

from engine.execution.hand_over import LOST_AFTER
from engine.store import incidents, jobs, outbox, timers
from engine.store.base import FAR_FUTURE
from engine.store.database import Transaction

_timer: Any = timers.Timer.__table__
_job: Any = jobs.Job.__table__
_outbox: Any = outbox.OutboxMessage.__table__
_incident: Any = incidents.IncidentRow.__table__
#: counting more would cost more than it tells
COUNTED_AT_MOST = 10_000

_CARRIED = text(
    "SELECT queue_name, status::text AS status, count(*) AS number FROM procrastinate_jobs"
    " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2"
)
_DEAD_TIMERS = text("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'timer'")
_LONGEST_TRANSACTION = text(
    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float"
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """How it stands now; ages in seconds, 0 where there is nothing. Counts stop at 10,000."""

    #: age of the oldest due timer that no worker has been given
    oldest_due_timer: float
    due_timers: int
    #: handed out a quarter of an hour ago and still not fired
    lost_timers: int
    oldest_due_job: float
    due_jobs: int
    dead_jobs: int
    waiting_messages: int
    oldest_message: float
    failed_messages: int
    open_incidents: int
    #: (queue, status) → batches, where a cluster has queues
    queues: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: PostgreSQL only: rows that wait for vacuum, and what may keep them from it
    dead_timer_rows: int | None = None
    longest_transaction: float | None = None


def read(tx: Transaction, now: datetime) -> Gauges:
    """All of them in one snapshot."""
    due = _timer.c.due_at <= now
    unclaimed = due & _timer.c.claimed_at.is_(None)
    due_job = (_job.c.status == jobs.QUEUED) & (_job.c.run_at <= now)
    waiting = _outbox.c.status == outbox.QUEUED
    on_postgres = tx.dialect.name == "postgresql"
    return Gauges(
        oldest_due_timer=_age(tx, now, select(func.min(_timer.c.due_at)).where(unclaimed)),
        due_timers=_count(tx, select(_timer.c.id).where(due)),
        lost_timers=_count(
            tx, select(_timer.c.id).where(due, _timer.c.claimed_at < now - LOST_AFTER)
        ),
        oldest_due_job=_age(tx, now, select(func.min(_job.c.run_at)).where(due_job)),
        due_jobs=_count(tx, select(_job.c.id).where(due_job)),
        dead_jobs=_count(tx, select(_job.c.id).where(_job.c.status == jobs.DEAD)),
        waiting_messages=_count(tx, select(_outbox.c.id).where(waiting)),
        oldest_message=_age(tx, now, select(func.min(_outbox.c.created_at)).where(waiting)),
        failed_messages=_count(tx, select(_outbox.c.id).where(_outbox.c.status == outbox.FAILED)),
        open_incidents=_count(tx, select(_incident.c.id).where(_incident.c.resolved_at.is_(None))),
        queues=carried(tx) if on_postgres else {},
        dead_timer_rows=int(tx.execute(_DEAD_TIMERS).scalar() or 0) if on_postgres else None,
        longest_transaction=(
            float(tx.execute(_LONGEST_TRANSACTION).scalar_one()) if on_postgres else None
        ),
    )


def carried(tx: Transaction) -> dict[tuple[str, str], int]:
    """Batches that wait, are worked on, or were given up, by queue; none where none was made."""
    if tx.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
        return {}
    return {(row.queue_name, row.status): row.number for row in tx.execute(_CARRIED)}


def _age(tx: Transaction, now: datetime, query: Select[Any]) -> float:
    found: datetime | None = tx.execute(query).scalar()
    if found is None or found == FAR_FUTURE:
        return 0.0
    return max((now - found) / timedelta(seconds=1), 0.0)


def _count(tx: Transaction, rows: Select[Any]) -> int:
    some = rows.limit(COUNTED_AT_MOST).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())
