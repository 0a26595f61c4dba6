"""Runs what is due: timers and jobs, each in its own transaction, each once.

A row that fails is pushed ahead, shouted about and, when it keeps failing, made an incident;
the loop lives on.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.execution import (
    called_clocks,
    case_jobs,
    clock_starts,
    correlation,
    job_incidents,
    ladder,
    operations,
    outside,
    settle,
    together,
    version_move_jobs,
)
from engine.execution.breaker import Breaker
from engine.execution.command import Commands
from engine.execution.work import Work
from engine.kernel import codec
from engine.kernel.triggers import TimerFired
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import Stale
from engine.model.facts import Fact
from engine.model.operation import Operation
from engine.queues.port import DueTimer
from engine.store import incidents, jobs, timers
from engine.store.base import FAR_FUTURE

_log = logging.getLogger("engine.jobs")

#: more would keep a caller waiting; the heartbeat does the rest
DRAIN_AT_ONCE = 300
#: fired in one transaction of SQLite: a commit costs ten times what a firing does, and whoever
#: waits for the writer waits for all of them
TIMERS_TOGETHER = 10
ATTEMPTS = 8
_FIRST_BACK_OFF = timedelta(seconds=30)
_LONGEST_BACK_OFF = timedelta(hours=1)


class JobExecutor:
    """Drives timers and jobs of one engine; any number of them may run side by side."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        commands.drain = self.drain
        #: receivers outside that do not answer, by the operation that calls them
        self.breaker = Breaker()
        #: jobs of no one case that a service does, by kind
        self.services: dict[str, Callable[[Any, Mapping[str, Any]], list[str]]] = {}

    def run_due(self, now: datetime | None = None, limit: int = 200) -> int:
        """Run what is due by now, at most `limit` timers and as many jobs; how many ran."""
        at = now or self._environment.clock.now()
        with self._environment.database.read() as tx:
            due_timers = tx.rows(timers.DUE, {"now": at, "limit": limit})
            due_jobs = tx.rows(jobs.DUE, {"now": at, "limit": limit})
        in_order = sorted(due_timers, key=lambda row: (row.due_at, row.id))
        at_once = TIMERS_TOGETHER if self._environment.database.is_sqlite else 1
        for first in range(0, len(in_order), at_once):
            self._fire_together(in_order[first : first + at_once])
        self.drain([row.id for row in due_jobs], at_most=None)
        return len(due_timers) + len(due_jobs)

    def next_due(self) -> datetime | None:
        """When something is due next; None when nothing is armed."""
        with self._environment.database.read() as tx:
            found = [tx.first(timers.NEXT), tx.first(jobs.NEXT)]
        instants = [row.at for row in found if row is not None and row.at is not None]
        due = min(instants, default=None)
        return None if due == FAR_FUTURE else due

    def drain(self, job_ids: Sequence[str], *, at_most: int | None = DRAIN_AT_ONCE) -> None:
        """Run these jobs and those they lead to, in order; never raises for a failing job.

        A database that goes away meanwhile is no failure of the caller's: his commit stands, and
        the rows are found again.
        """
        try:
            self._run_all(job_ids, at_most)
        except Exception as error:
            if not self._environment.database.is_gone(error):
                raise
            _log.warning("the database went away while jobs were running", exc_info=error)

    def run_jobs(self, job_ids: Sequence[str]) -> None:
        """The same for a worker, who hears of a database that goes away: he runs them again."""
        self._run_all(job_ids, None)

    def _run_all(self, job_ids: Sequence[str], at_most: int | None) -> None:
        queue = deque(job_ids)
        done = 0
        while queue and (at_most is None or done < at_most):
            queue.extend(self._run(queue.popleft()))
            done += 1

    def fire(self, rows: Iterable[DueTimer]) -> None:
        """Fire these timers, each in its own transaction; those that are gone do nothing.

        One that fails is pushed ahead and holds up none of the others. Raises what the driver
        raises when the database goes away: then all of them may be fired again.
        """
        for row in rows:
            self._fire(row)

    # --- timers ------------------------------------------------------------------------------

    def _fire_together(self, rows: Sequence[Any]) -> None:
        """Fire these in one transaction; where one fails, each by itself."""
        if len(rows) > 1:
            acts = [(row.instance_id, self._firing(row)) for row in rows]
            try:
                follow_up = together.run(self._environment, acts)
            except Exception as error:  # a poisoned row must not stop the loop
                if self._environment.database.is_gone(error):
                    raise
                _log.warning("%s timers did not fire together, now one by one", len(rows))
            else:
                self.drain(follow_up)
                return
        for row in rows:
            self._fire(row)

    def _firing(self, row: Any) -> Callable[[Work], None]:
        def act(work: Work) -> None:
            timer = work.tx.first(timers.THIS, timers.key_of(row))
            # The guard against a second firing, wherever it runs: the row must go by our hand.
            # Suspended or counted anew since it was found due: it is not due any more.
            if timer is None:
                return
            if timer.due_at != row.due_at:
                if timer.claimed_at is not None:
                    work.tx.write(timers.RELEASE, timers.key_of(row))
                return
            if called_clocks.overtaken(work, timer):
                return
            if work.tx.write(timers.TAKE, timers.key_of(row)) != 1:
                return
            gone = timer.element >= 0 and timer.element not in work.state.elements
            if work.instance.ended_at is not None or gone:
                return
            self._fire_taken(work, timer)

        return act

    def _fire(self, row: Any) -> None:
        try:
            _, follow_up = self._commands.run_on_instance(
                row.instance_id, SYSTEM, self._firing(row)
            )
        except Exception as error:  # a poisoned row must not stop the loop
            if self._environment.database.is_gone(error):
                raise
            self._timer_failed(row, error)
        else:
            self.drain(follow_up)

    @staticmethod
    def _fire_taken(work: Work, timer: Any) -> None:
        if timer.kind != timers.EVENT:
            ladder.fire(work, timer)
            return
        work.record(Fact.TIMER_FIRED, activity_id=timer.node_id, detail={"due": timer.planned_at})
        settle.advance(
            work, TimerFired(at=work.now, element=timer.element, due_at=timer.planned_at)
        )

    def _timer_failed(self, row: Any, error: Exception) -> None:
        _log.exception("timer %s of instance %s failed", row.id, row.instance_id)
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            timer = tx.first(timers.THIS, timers.key_of(row))
            if timer is None:
                return
            tx.write(
                timers.PUSH_AHEAD,
                {**timers.key_of(row), "due_at": now + _back_off(timer.attempts)},
            )
            known = tx.first(incidents.OPEN_OF_TIMER, {"timer_id": row.id})
        if timer.attempts + 1 >= ATTEMPTS and known is None:
            job_incidents.store(
                self._commands,
                row.instance_id,
                kind="timer",
                message=_said(error),
                activity_id=timer.node_id,
                element=timer.element,
                timer_id=row.id,
                attempts=timer.attempts + 1,
            )

    # --- jobs --------------------------------------------------------------------------------

    def _run(self, job_id: str) -> list[str]:
        with self._environment.database.read() as tx:
            job = tx.first(jobs.BY_ID, {"job_id": job_id})
        if job is None or job.status != jobs.QUEUED:
            return []
        try:
            return self._dispatch(job, codec.decode(bytes(job.arguments)))
        except Exception as error:  # a poisoned row must not stop the loop
            if self._environment.database.is_gone(error):
                raise
            return self._job_failed(job, error)

    def _dispatch(self, job: Any, arguments: Mapping[str, Any]) -> list[str]:
        if job.kind == settle.JOB_MESSAGE:
            return correlation.deliver_job(self._commands, job, arguments, _actor(arguments))
        if job.kind == settle.JOB_SIGNAL:
            return correlation.broadcast_job(self._commands, job, arguments)
        if job.kind == clock_starts.JOB_BEGIN:
            return clock_starts.run_job(self._commands, job, arguments)
        if job.kind == version_move_jobs.JOB_MOVE:
            return version_move_jobs.run_job(self._commands, job, arguments, _actor(arguments))
        if job.kind in self.services:
            return self.services[job.kind](job, arguments)
        declared = self._calls_outside(job, arguments)
        if declared is not None:
            return self._call_outside(declared, job, arguments)
        return self._in_case(job, arguments)

    def _in_case(
        self, job: Any, arguments: Mapping[str, Any], how: case_jobs.Handler | None = None
    ) -> list[str]:
        def act(work: Work) -> None:
            case_jobs.carry_out(work, job, arguments, how)

        _, follow_up = self._commands.run_on_instance(job.instance_id, _actor(arguments), act)
        return follow_up

    def _call_outside(
        self, declared: Operation, job: Any, arguments: Mapping[str, Any]
    ) -> list[str]:
        environment = self._environment
        until = self.breaker.rests_until(declared.name, environment.clock.now())
        if until is not None:
            outside.put_off(environment, job, until)
            return []
        if not outside.lease(environment, job):
            self.breaker.left(declared.name)
            return []
        answer = outside.call(
            environment, declared, job, arguments, _actor(arguments), breaker=self.breaker
        )

        def told(work: Work, job: Any, arguments: Mapping[str, Any]) -> None:
            if answer is None:
                # Its case stood still when we looked and goes on now: call at the next attempt.
                raise Stale
            case_jobs.answered(work, job, arguments, answer)

        return self._in_case(job, arguments, told)

    def calls_outside(self, job: Any, arguments: Mapping[str, Any]) -> bool:
        """Whether running this job waits for somebody else's answer."""
        return self._calls_outside(job, arguments) is not None

    def _calls_outside(self, job: Any, arguments: Mapping[str, Any]) -> Operation | None:
        if job.kind != settle.JOB_OPERATION:
            return None
        declared = operations.find(self._environment, arguments["operation"])
        return declared if declared.outside else None

    def _job_failed(self, job: Any, error: Exception) -> list[str]:
        _log.exception("job %s (%s) of instance %s failed", job.id, job.kind, job.instance_id)
        attempts = job.attempts + 1
        dead = attempts >= ATTEMPTS
        failed = {
            "job_id": job.id,
            "run_at": self._environment.clock.now() + _back_off(job.attempts),
            "status": jobs.DEAD if dead else jobs.QUEUED,
            "error": _said(error),
            "attempts": attempts,
        }
        if dead:
            # Given up and said so in one transaction: a dead job without its incident is lost.
            job_incidents.given_up(self._commands, job, failed)
            return []
        with self._environment.database.write() as tx:
            tx.write(jobs.FAILED, failed)
        return []


def _actor(arguments: Mapping[str, Any]) -> Actor:
    by = arguments.get("by")
    return SYSTEM if by is None else Actor(id=by[0], name=by[1])


def _back_off(attempts: int) -> timedelta:
    spans: timedelta = _FIRST_BACK_OFF * 2 ** min(attempts, 20)
    return min(spans, _LONGEST_BACK_OFF)


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:1000]
