"""For workers: what is due, handed out once; who is alive; duties that come round."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.execution.environment import Environment
from engine.execution.hand_over import HandOver
from engine.execution.job_executor import JobExecutor
from engine.model.errors import NotFound
from engine.queues.port import Batch, Carrier, DueTimer, Errand, Queue
from engine.services import gauges
from engine.store import duties, members
from engine.store.database import Transaction, is_duplicate

_log = logging.getLogger("engine.duties")

#: a worker that was not seen for so long is not there
ALIVE_FOR = timedelta(seconds=60)
_FORGOTTEN_AFTER = timedelta(days=1)
#: nobody else takes up a duty before; a worker that was killed is found out much earlier
_LEASE = timedelta(hours=1)
_LOOK_EVERY = timedelta(seconds=1)
_FIRST_BACK_OFF = timedelta(minutes=1)
DUTY_ATTEMPTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What is to be done again and again, once an occurrence in the whole cluster.

    It may be done again after a crash: then it finds what it has done already.
    """

    name: str
    #: names the schedule, so that a changed one is noticed
    schedule: str
    #: the first occurrence after an instant
    next_after: Callable[[datetime], datetime]
    run: Callable[[], object]
    queue: Queue = Queue.REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyView:
    """How a duty stands; `error` is why the present occurrence is not done."""

    name: str
    schedule: str
    next_at: datetime
    taken_for: datetime | None
    finished_for: datetime | None
    finished_at: datetime | None
    attempts: int
    error: str

    @property
    def given_up(self) -> bool:
        """Whether nobody will try this occurrence again by himself."""
        return self.attempts >= DUTY_ATTEMPTS and self.finished_for != self.taken_for


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A process that belongs to the cluster."""

    id: str
    kind: str
    host: str
    pid: int
    version: str
    queues: str
    started_at: datetime
    seen_at: datetime
    done: int


class ClusterService:
    """Fulfils `engine.queues.port.ClusterWork`."""

    def __init__(self, environment: Environment, executor: JobExecutor) -> None:
        self._environment = environment
        self._executor = executor
        self._pump = HandOver(environment, executor)
        self._duties: Mapping[str, Duty] = {}
        self._looked_at: datetime | None = None

    # --- due work ----------------------------------------------------------------------------

    def hand_over(self, carrier: Carrier, limit: int = 200) -> int:
        """Hand due duties, jobs and timers to the carrier, noted as they go; how many rows."""

        def hand(tx: Transaction, duty: Duty, occurrence: datetime) -> None:
            what = {"name": duty.name, "occurrence": occurrence.isoformat()}
            carrier.carry(tx, [Batch(queue=duty.queue, errand=Errand.DUTY, what=what)])

        return len(self._taken(hand)) + self._pump.run(carrier, limit)

    def next_due(self) -> datetime | None:
        """When something is due next; None when nothing is armed."""
        return self._executor.next_due()

    def fire(self, timers: Sequence[DueTimer]) -> None:
        """Fire each of them in its own transaction; those that are gone do nothing.

        Raises what the driver raises when the database goes away.
        """
        self._executor.fire(timers)

    def run_jobs(self, job_ids: Sequence[str]) -> None:
        """Run each of them in its own transaction; those that are gone do nothing.

        Raises what the driver raises when the database goes away.
        """
        self._executor.run_jobs(job_ids)

    # --- duties ------------------------------------------------------------------------------

    def charge(self, *those: Duty) -> None:
        """From now on this process knows these duties."""
        self._duties = {duty.name: duty for duty in those}

    def run_due_duties(self) -> int:
        """Take and do what is due now, in this process; how many were done."""
        taken = self._taken(lambda _tx, _duty, _occurrence: None)
        for duty, occurrence in taken:
            self._do(duty, occurrence)
        return len(taken)

    def run_duty(self, name: str, occurrence: datetime) -> None:
        """Do an occurrence that was handed over; nothing where it is done or overtaken."""
        duty = self._duties.get(name)
        if duty is None:
            # An older or newer release handed it over; its lease ends and whoever knows it comes.
            raise NotFound(f"没有“{name}”这项定期任务")
        with self._environment.database.read() as tx:
            row = tx.first(duties.BY_NAME, {"duty_name": name})
        if row is None or row.taken_for != occurrence or row.finished_for == occurrence:
            return
        self._do(duty, occurrence)

    def duties(self) -> tuple[DutyView, ...]:
        """Every duty that was ever planned."""
        with self._environment.database.read() as tx:
            return tuple(_duty_view(row) for row in tx.rows(duties.ALL))

    def retry_duty(self, name: str) -> None:
        """Try the unfinished occurrence again at once. Raises NotFound."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            if tx.write(duties.REVIVE, {"duty_name": name, "at": now}) != 1:
                raise NotFound("这项定期任务没有未完成的一次")
        self._environment.wake()

    def _taken(
        self, with_it: Callable[[Transaction, Duty, datetime], None]
    ) -> list[tuple[Duty, datetime]]:
        """Occurrences that are ours now; `with_it` does more in the transaction that takes one."""
        now = self._environment.clock.now()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return []
        self._looked_at = now
        with self._environment.database.read() as tx:
            known = {row.name: row for row in tx.rows(duties.ALL)}
        taken = []
        for duty in self._duties.values():
            if not _wants_a_look(known.get(duty.name), duty, now):
                continue
            try:
                with self._environment.database.write() as tx:
                    occurrence = self._take(tx, duty, now)
                    if occurrence is not None:
                        with_it(tx, duty, occurrence)
            except self._environment.database.refusals as error:
                # Two processes planned the same new duty at once: the other one has.
                if not is_duplicate(error):
                    raise
            else:
                taken += [] if occurrence is None else [(duty, occurrence)]
        return taken

    def _take(self, tx: Transaction, duty: Duty, now: datetime) -> datetime | None:
        """The occurrence that is ours now; None when none is due or another was faster."""
        row = tx.first(duties.BY_NAME, {"duty_name": duty.name})
        if row is None or row.schedule != duty.schedule:
            self._plan(tx, duty, row, now)
            return None
        if row.next_at <= now:
            taken = tx.write(
                duties.TAKE,
                {
                    "duty_name": duty.name,
                    "seen_next_at": row.next_at,
                    # What was missed while nobody worked is done once, not as often as missed.
                    "next_at": duty.next_after(now),
                    "taken_for": row.next_at,
                    "leased_until": now + _LEASE,
                },
            )
            return row.next_at if taken == 1 else None
        return self._take_again(tx, duty, row, now)

    @staticmethod
    def _take_again(tx: Transaction, duty: Duty, row: Any, now: datetime) -> datetime | None:
        if not _was_dropped(row, now):
            return None
        taken = tx.write(
            duties.TAKE_AGAIN,
            {
                "duty_name": duty.name,
                "seen_leased_until": row.leased_until,
                "leased_until": now + _LEASE,
            },
        )
        found: datetime = row.taken_for
        return found if taken == 1 else None

    @staticmethod
    def _plan(tx: Transaction, duty: Duty, row: Any, now: datetime) -> None:
        plan = {"schedule": duty.schedule, "next_at": duty.next_after(now)}
        if row is not None:
            tx.write(
                duties.RESCHEDULE, {**plan, "duty_name": duty.name, "seen_schedule": row.schedule}
            )
            return
        nothing = dict.fromkeys(
            ("taken_for", "leased_until", "finished_for", "finished_at", "error")
        )
        tx.write(duties.INSERT, {**nothing, **plan, "name": duty.name, "attempts": 0})

    def _do(self, duty: Duty, occurrence: datetime) -> None:
        key = {"duty_name": duty.name, "occurrence": occurrence}
        database, clock = self._environment.database, self._environment.clock
        try:
            duty.run()
        except Exception as error:  # noqa: BLE001  # the row tells; it is tried again by its lease
            _log.exception("the duty %s failed", duty.name)
            with database.write() as tx:
                row = tx.first(duties.BY_NAME, {"duty_name": duty.name})
                wait = _FIRST_BACK_OFF * 2 ** (row.attempts if row is not None else 0)
                tx.write(
                    duties.FAILED,
                    {
                        **key,
                        "error": (str(error) or type(error).__name__)[:1000],
                        "leased_until": clock.now() + wait,
                    },
                )
            return
        with database.write() as tx:
            tx.write(duties.FINISH, {**key, "at": clock.now()})

    # --- members -----------------------------------------------------------------------------

    def join(self, *, kind: str, host: str, pid: int, version: str, queues: str) -> str:
        """Note a process as alive; its id in the cluster. Those long gone are forgotten."""
        now = self._environment.clock.now()
        member_id = self._environment.ids.new()
        row = {
            "id": member_id, "kind": kind, "host": host[:100], "pid": pid, "version": version,
            "queues": queues, "started_at": now, "seen_at": now, "done": 0,
        }  # fmt: skip
        with self._environment.database.write() as tx:
            tx.write(members.FORGET, {"before": now - _FORGOTTEN_AFTER})
            tx.write(members.INSERT, row)
        return member_id

    def seen(self, member_id: str, *, done: int = 0) -> bool:
        """It is alive now; False where its row is gone and it should join again."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            hit = tx.write(members.SEEN, {"member_id": member_id, "seen_at": now, "done": done})
        return hit == 1

    def leave(self, member_id: str) -> None:
        """It ends in good order."""
        with self._environment.database.write() as tx:
            tx.write(members.LEAVE, {"member_id": member_id})

    def gauges(self) -> gauges.Gauges:
        """How it stands now, in numbers."""
        with self._environment.database.read() as tx:
            return gauges.read(tx, self._environment.clock.now())

    def members(self, *, kind: str | None = None) -> tuple[MemberView, ...]:
        """Processes seen within the last minute."""
        since = self._environment.clock.now() - ALIVE_FOR
        with self._environment.database.read() as tx:
            rows = tx.rows(members.ALL)
        return tuple(
            _member_view(row) for row in rows if row.seen_at >= since and kind in (None, row.kind)
        )


def _wants_a_look(row: Any, duty: Duty, now: datetime) -> bool:
    return (
        row is None or row.schedule != duty.schedule or row.next_at <= now or _was_dropped(row, now)
    )


def _was_dropped(row: Any, now: datetime) -> bool:
    """Whether the last occurrence was taken up, not done, and may be taken up again."""
    unfinished = row.taken_for is not None and row.finished_for != row.taken_for
    return bool(unfinished and row.leased_until <= now and row.attempts < DUTY_ATTEMPTS)


def _duty_view(row: Any) -> DutyView:
    return DutyView(
        name=row.name,
        schedule=row.schedule,
        next_at=row.next_at,
        taken_for=row.taken_for,
        finished_for=row.finished_for,
        finished_at=row.finished_at,
        attempts=row.attempts,
        error=row.error or "",
    )


def _member_view(row: Any) -> MemberView:
    return MemberView(
        id=row.id,
        kind=row.kind,
        host=row.host,
        pid=row.pid,
        version=row.version,
        queues=row.queues,
        started_at=row.started_at,
        seen_at=row.seen_at,
        done=row.done,
    )
