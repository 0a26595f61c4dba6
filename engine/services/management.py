"""For the heartbeat and the operators: due work, the outbox, incidents, health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, text, update

from engine.execution import assignment, renewed_inputs, settle, version_move_rows
from engine.execution.command import Commands
from engine.execution.job_executor import JobExecutor
from engine.execution.work import Work
from engine.kernel import codec
from engine.kernel.triggers import Retried, VariablesSet
from engine.model import region
from engine.model.actor import SYSTEM, Actor, is_administrator
from engine.model.errors import InvalidState, NotAllowed, NotFound
from engine.model.facts import Fact
from engine.model.process import IncidentView
from engine.services.attendance import Attendance
from engine.services.calendars import CalendarService
from engine.services.calendars_recounts import JOB_RECOUNT
from engine.services.outbox import OutboxDesk
from engine.store import (
    human_tasks,
    incidents,
    instances,
    jobs,
    notes,
    outbox,
    timers,
    withdrawals,
)
from engine.store.base import FAR_FUTURE
from engine.store.database import Transaction

_EMPTY: Mapping[str, object] = {}
_COUNTED_AT_MOST = 100_000
_incident: Any = incidents.IncidentRow.__table__
_instance: Any = instances.ProcessInstance.__table__
_outbox: Any = outbox.OutboxMessage.__table__
_timer: Any = timers.Timer.__table__
_job: Any = jobs.Job.__table__
_task: Any = human_tasks.HumanTask.__table__
_draft = notes.TaskDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Gauges; `problems` are sentences for the operator, none when all is well."""

    oldest_due_timer: datetime | None
    oldest_due_job: datetime | None
    oldest_message: datetime | None
    dead_jobs: int
    failed_messages: int
    open_incidents: int
    unattended_tasks: int
    problems: tuple[str, ...]


class ManagementService(OutboxDesk):
    """What keeps the engine going, and what shows that it does."""

    def __init__(
        self, commands: Commands, executor: JobExecutor, calendars: CalendarService
    ) -> None:
        super().__init__(commands)
        self._calendars = calendars
        self._executor = executor
        executor.services[JOB_RECOUNT] = calendars.recounts.run
        self._attendance = Attendance(commands.environment)

    def run_due(self, now: datetime | None = None, limit: int = 200) -> int:
        """Run timers and jobs due by now, a batch of each; how many. Call again while > 0."""
        self._calendars.keep_up()
        if self._attendance.is_due():
            self.tidy()
        return self._executor.run_due(now, limit)

    def tidy(self) -> None:
        """Drop drafts and undo data nobody needs, say which tasks nobody can take; each minute."""
        self._forget_drafts()
        self._forget_moves()
        self._attendance.refresh()

    def next_due(self) -> datetime | None:
        """When something will be due next; None when nothing is armed."""
        return self._executor.next_due()

    def recount(self, reason: str = "工作日历更新") -> int:
        """Count open deadlines and timers again after the calendar changed; how many moved.

        Dates that an expression or an operation set stay; working and calendar days move, with
        a fact each.
        """
        return self._calendars.recount(reason)

    # --- incidents ---------------------------------------------------------------------------

    def incidents(
        self,
        actor: Actor,
        *,
        instance_id: str | None = None,
        resolved: bool = False,
        limit: int = 200,
    ) -> tuple[IncidentView, ...]:
        """Incidents of the cases he may look into, newest first."""
        query = (
            select(_incident, _instance.c.title.label("instance_title"))
            .join(_instance, _instance.c.id == _incident.c.instance_id, isouter=True)
            .order_by(_incident.c.id.desc())
            .limit(limit)
        )
        if not resolved:
            query = query.where(_incident.c.resolved_at.is_(None))
        if instance_id is not None:
            query = query.where(_incident.c.instance_id == instance_id)
        with self._environment.database.read() as tx:
            if actor is not SYSTEM:
                seen = self._environment.visibility.condition(
                    tx, actor, _instance.c.process_key, _instance.c.region
                )
                if is_administrator(actor):
                    seen = or_(seen, _incident.c.instance_id.is_(None))
                query = query.where(seen)
            return tuple(_view(row) for row in tx.execute(query).all())

    def retry(
        self, incident_id: str, actor: Actor, variables: Mapping[str, object] = _EMPTY
    ) -> None:
        """Try again what failed, with these root variables set first; the incident is resolved.

        Raises NotFound, NotAllowed, InvalidState when it is resolved already.
        """
        with self._environment.database.read() as tx:
            row = tx.first(incidents.BY_ID, {"incident_id": incident_id})
        if row is None:
            raise NotFound("没有这个异常")
        if row.instance_id is None:
            self._retry_alone(row, actor)
            return

        def act(work: Work) -> None:
            if actor is not SYSTEM and not assignment.sees(work, actor):
                raise NotFound("没有这个异常")
            self._require_operator(work, actor)
            resolved = work.tx.write(
                incidents.RESOLVE,
                {"incident_id": incident_id, "resolved_at": work.now, "resolved_by": actor.id},
            )
            if resolved != 1:
                raise InvalidState("异常已经处理过")
            work.record(
                Fact.INCIDENT_RESOLVED,
                activity_id=row.activity_id,
                detail={"variables": sorted(variables)},
            )
            _try_again(work, row, variables)

        self._commands.on_instance(row.instance_id, actor, act)

    def _retry_alone(self, row: Any, actor: Actor) -> None:
        """The same for a job that belongs to no case; the next heartbeat runs it."""
        if not is_administrator(actor):
            raise NotAllowed
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            resolved = {"incident_id": row.id, "resolved_at": now, "resolved_by": actor.id}
            if tx.write(incidents.RESOLVE, resolved) != 1:
                raise InvalidState("异常已经处理过")
            tx.write(jobs.REVIVE, {"job_id": row.job_id, "run_at": now})
        self._environment.wake()

    # --- health ------------------------------------------------------------------------------

    def health(self) -> Health:
        """What is late or stuck, asked of the database."""
        now = self._environment.clock.now()
        with self._environment.database.read() as tx:
            timer = _scalar(tx, select(func.min(_timer.c.due_at)).where(_timer.c.due_at <= now))
            job = _scalar(
                tx,
                select(func.min(_job.c.run_at)).where(
                    _job.c.status == jobs.QUEUED, _job.c.run_at <= now
                ),
            )
            message = _scalar(
                tx,
                select(func.min(_outbox.c.created_at)).where(_outbox.c.status == outbox.QUEUED),
            )
            dead = _count(tx, _job, _job.c.status == jobs.DEAD)
            failed = _count(tx, _outbox, _outbox.c.status == outbox.FAILED)
            faults = _count(tx, _incident, _incident.c.resolved_at.is_(None))
            alone = _alone(tx)
        problems = []
        late = now - timedelta(minutes=1)
        if (timer is not None and timer < late) or (job is not None and job < late):
            problems.append("有到期的定时或作业超过一分钟没有执行，请检查后台进程")
        if message is not None and message < now - timedelta(minutes=15):
            problems.append("有消息超过十五分钟没有送出")
        if dead:
            problems.append(f"{dead} 个作业多次失败后停止，请在异常列表中处理")
        if failed:
            problems.append(f"{failed} 条消息没有收件人或文字模板，没有送出")
        if alone:
            problems.append(f"{alone} 件待办无人任职可以签收")
        return Health(
            oldest_due_timer=timer,
            oldest_due_job=job,
            oldest_message=message,
            dead_jobs=dead,
            failed_messages=failed,
            open_incidents=faults,
            unattended_tasks=alone,
            problems=tuple(problems),
        )

    def ping(self) -> None:
        """Raises when the database does not answer."""
        with self._environment.database.read() as tx:
            tx.execute(text("SELECT 1"))

    # --- private -----------------------------------------------------------------------------

    @staticmethod
    def _require_operator(work: Work, actor: Actor) -> None:
        if is_administrator(actor):
            return
        roles = work.deployed.package.roles
        if not any(
            seat.role in roles and region.covers(seat.unit, work.instance.region)
            for seat in actor.seats
        ):
            raise NotAllowed

    def _forget_drafts(self) -> None:
        """Forms that can never be sent any more hold personal data for nothing."""
        # Asked of the few drafts: nobody reads a list of every closed task each minute.
        closed = exists().where(_task.c.id == _draft.task_id, _task.c.is_open == 0)
        with self._environment.database.read() as tx:
            stale = tx.execute(select(_draft.task_id).where(closed).limit(500)).scalars().all()
        if stale:
            with self._environment.database.write() as tx:
                tx.execute(delete(_draft).where(_draft.task_id.in_(sorted(set(stale)))))

    def _forget_moves(self) -> None:
        """So does what was kept to take back a move, once the case has gone on."""
        with self._environment.database.write() as tx:
            version_move_rows.forget_stale(tx)
            tx.execute(withdrawals.OF_ENDED)


def _try_again(work: Work, row: Any, variables: Mapping[str, object]) -> None:
    plain = codec.plain(variables)
    assert isinstance(plain, dict)
    failed = dict(work.state.failed())
    if row.element in failed:
        settle.advance(work, Retried(at=work.now, element=row.element, variables=plain))
        return
    if plain:
        settle.advance(work, VariablesSet(at=work.now, variables=plain))
    if row.job_id is not None:
        renewed_inputs.renew(work, row.job_id)
        work.tx.write(jobs.REVIVE, {"job_id": row.job_id, "run_at": work.now})
        work.follow_up.append(row.job_id)
    if row.timer_id is not None:
        work.tx.execute(
            update(_timer)
            .where(
                _timer.c.instance_id == work.instance.id,
                _timer.c.id == row.timer_id,
                # A timer that a pause holds goes on being held.
                _timer.c.planned_at < FAR_FUTURE,
            )
            .values(due_at=work.now)
        )


def _view(row: Any) -> IncidentView:
    return IncidentView(
        id=row.id,
        instance_id=row.instance_id,
        instance_title=row.instance_title or "",
        activity_id=row.activity_id,
        kind=row.kind,
        message=row.message,
        at=row.at,
        resolved_at=row.resolved_at,
        attempts=row.attempts,
    )


def _scalar(tx: Transaction, query: Any) -> datetime | None:
    found: datetime | None = tx.execute(query).scalar()
    return None if found == FAR_FUTURE else found


def _count(tx: Transaction, table: Any, *where: Any) -> int:
    return int(tx.execute(select(func.count()).select_from(table).where(*where)).scalar() or 0)


def _alone(tx: Transaction) -> int:
    # In the order of their own small index, so that not the one of every open task is read.
    found = (
        select(_task.c.id)
        .where(text("is_open = 1 AND no_holder"))
        .order_by(_task.c.due_sort, _task.c.id)
        .limit(_COUNTED_AT_MOST)
        .subquery()
    )
    return int(tx.execute(select(func.count()).select_from(found)).scalar_one())
