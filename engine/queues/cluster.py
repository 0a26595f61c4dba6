"""The runner of a worker process on PostgreSQL: a pump, and Procrastinate for the hand-over.

The rows of timers, jobs and duties are the truth; Procrastinate carries batches of their ids to
whichever worker has a hand free (decision 0007). The pump enqueues in the transaction that notes
the hand-over, so neither can happen without the other.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from engine.model.clock import Clock
from engine.queues.port import Batch, ClusterWork, DueTimer, Errand, Queue
from engine.store.database import Database, Transaction

_log = logging.getLogger("engine.runner")

#: how long a worker sleeps at most before it looks for due rows again
LONGEST_WAIT = 0.5
_BUSY_WAIT = 0.02
_PAUSE_AFTER_FAILURE = 1.0
#: batches that may wait in a queue: enough that no worker waits, few enough that the rows a
#: pump has to walk past stay few
WAITING_BATCHES = 24
#: a database that goes away in the midst of a batch, not a bad row: those have their own attempts
_RETRY = RetryStrategy(max_attempts=10, exponential_wait=2)
_HEARTBEAT = 5.0
_STALLED_AFTER = 20.0
_RESCUE_EVERY = 20.0
_SCHEMA_LOCK = 7_365_110_901_442_061

_WAITING = text(
    "SELECT count(*) FROM (SELECT 1 FROM procrastinate_jobs"
    " WHERE status = 'todo' AND queue_name = :queue LIMIT :most) AS waiting"
)


class ProcrastinateCarrier:
    """Fulfils `engine.queues.port.Carrier`: one insert for all batches, in our transaction."""

    def __init__(self) -> None:
        # It knows no task and is never opened: inside a worker the worker's own application
        # cannot write on a connection that is not asynchronous.
        self._app = App(connector=SyncPsycopgConnector())

    def room(self, tx: Transaction) -> int:
        """How many more batches the queue of the cases takes."""
        values = {"queue": Queue.ENGINE.value, "most": WAITING_BATCHES}
        return WAITING_BATCHES - int(tx.execute(_WAITING, values).scalar_one())

    def carry(self, tx: Transaction, batches: Sequence[Batch]) -> None:
        """Enqueue on the caller's own connection."""
        for batch in batches:
            self._app.configure_task(
                batch.errand.value,
                queue=batch.queue.value,
                priority=batch.priority,
                connection=tx.driver_connection,
            ).defer(**batch.what)  # type: ignore[arg-type]  # ids and texts only


class ProcrastinateRunner:
    """Fulfils `engine.queues.port.Runner`; any number of processes run one each.

    `queues` is what this worker serves; every worker pumps, whatever it serves.
    """

    def __init__(
        self,
        work: ClusterWork,
        database: Database,
        clock: Clock,
        *,
        queues: Sequence[Queue] = tuple(Queue),
        concurrency: int = 4,
        name: str = "worker",
    ) -> None:
        self._work = work
        self._database = database
        self._clock = clock
        self._queues = tuple(queues)
        self._concurrency = concurrency
        self._name = name
        self._carrier = ProcrastinateCarrier()
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._counting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._done = 0
        self._last_batch_at: datetime | None = None
        self._last_error: str | None = None

    def start(self) -> None:
        """Make the carrier's tables where they are missing, then pump and serve in threads."""
        install(self._database)
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._pump, name="engine-pump", daemon=True),
            threading.Thread(target=self._serve, name="engine-queues", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for due rows now."""
        self._awake.set()

    def stop(self, timeout: float = 30.0) -> None:
        """Take nothing new, finish the batches at hand, end."""
        self._stopping.set()
        self._awake.set()
        if self._loop is not None and self._serving is not None:
            self._loop.call_soon_threadsafe(self._serving.cancel)
        for thread in self._threads:
            thread.join(timeout)
        self._threads = []

    def health(self) -> dict[str, object]:
        """Whether both threads live, when rows were last looked for, what last went wrong."""
        return {
            "alive": bool(self._threads) and all(each.is_alive() for each in self._threads),
            "last_batch_at": self._last_batch_at,
            "done": self._done,
            "last_error": self._last_error,
        }

    # --- pump --------------------------------------------------------------------------------

    def _pump(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            self._awake.wait(self._hand_over())

    def _hand_over(self) -> float:
        try:
            handed = self._work.hand_over(self._carrier)
            self._last_batch_at = self._clock.now()
            self._last_error = None
            return _BUSY_WAIT if handed else self._until_next()
        except Exception as error:  # noqa: BLE001  # the heart must go on beating
            # A database that went away comes back; whoever watches `health` sees the reason.
            _log.exception("the pump failed")
            self._last_error = str(error)
            return _PAUSE_AFTER_FAILURE

    def _until_next(self) -> float:
        due = self._work.next_due()
        if due is None:
            return LONGEST_WAIT
        left = (due - self._clock.now()).total_seconds()
        # What is due and was not handed over waits for room, or is another pump's.
        return LONGEST_WAIT if left <= 0 else min(left, LONGEST_WAIT)

    # --- queues ------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._run_worker())
            except Exception as error:  # noqa: BLE001  # the database went away and comes back
                _log.exception("the queues failed")
                self._last_error = str(error)
                self._stopping.wait(_PAUSE_AFTER_FAILURE)

    async def _run_worker(self) -> None:
        app = self._tasks()
        self._loop = asyncio.get_running_loop()
        async with app.open_async():
            self._serving = asyncio.ensure_future(
                app.run_worker_async(
                    queues=[queue.value for queue in self._queues],
                    name=self._name,
                    concurrency=self._concurrency,
                    delete_jobs="successful",
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=_HEARTBEAT,
                    stalled_worker_timeout=_STALLED_AFTER,
                    install_signal_handlers=False,
                )
            )
            rescuer = asyncio.ensure_future(_rescue(app))
            if self._stopping.is_set():
                self._serving.cancel()
            try:
                await self._serving
            except asyncio.CancelledError:
                if not self._stopping.is_set():
                    raise
            finally:
                rescuer.cancel()

    def _tasks(self) -> App:
        connector = PsycopgConnector(
            conninfo=conninfo(self._database), min_size=1, max_size=self._concurrency + 2
        )
        app = App(connector=connector)

        @app.task(name=Errand.TIMERS.value, retry=_RETRY)
        def fire(timers: list[list[Any]]) -> None:
            self._work.fire([_timer(each) for each in timers])
            self._count(len(timers))

        @app.task(name=Errand.JOBS.value, retry=_RETRY)
        def run(ids: list[str]) -> None:
            self._work.run_jobs(ids)
            self._count(len(ids))

        @app.task(name=Errand.DUTY.value, retry=_RETRY)
        def do(name: str, occurrence: str) -> None:
            self._work.run_duty(name, datetime.fromisoformat(occurrence))
            self._count(1)

        return app

    def _count(self, done: int) -> None:
        with self._counting:
            self._done += done


async def _rescue(app: App) -> None:
    """Give back what a worker that is gone had begun; done twice it does nothing more."""
    while True:
        await asyncio.sleep(_RESCUE_EVERY)
        try:
            stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER)
        except ConnectorException:
            _log.exception("stalled batches could not be looked for")
            continue
        for job in stalled:
            try:
                await app.job_manager.retry_job(job)
            except ConnectorException:
                # Another worker was faster, or the database is away: the next round tries again.
                _log.warning("batch %s could not be given back", job.id, exc_info=True)


def install(database: Database) -> None:
    """Make the carrier's tables where they are missing; several processes may call it at once."""
    with database.write() as tx:
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
        if tx.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
            tx.driver_connection.execute(SchemaManager.get_schema())


def conninfo(database: Database) -> str:
    """The same database for a driver that was not given SQLAlchemy's URL."""
    url = database.engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def _timer(row: list[Any]) -> DueTimer:
    timer_id, instance_id, kind, element, due_at = row
    return DueTimer(
        id=timer_id,
        instance_id=instance_id,
        kind=kind,
        element=element,
        due_at=datetime.fromisoformat(due_at),
    )
