"""Once a second: run what is due, send what waits. The only importer of APScheduler.

The jobs themselves are rows of the database; the scheduler keeps nothing that could be lost.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from engine import ProcessEngine, clock
from notifications.channels import registry
from notifications.digest import Digest
from notifications.dispatcher import Dispatcher
from webforms.settings import Misused
from workflows.domain import division
from workflows.papers import wording

log = structlog.get_logger(__name__)
INTERVAL = 1.0
BATCH = 200
PRESENCE_INTERVAL = 5.0
CRON_FIELDS = 5
HOST = socket.gethostname()
STANDS_IN_AFTER = timedelta(seconds=60)

Beat = Callable[[], object]


def mail(engine: ProcessEngine, folder: Path) -> tuple[Beat, ...]:
    """What to do every second so that people hear of things; channels by the environment.

    Raises WrongChannel for a setting that cannot work.
    """
    channels = registry.load(os.environ, folder)

    def place(code: str) -> str:
        with engine.read() as session:
            known = division.names_of(session, [code])[code]
            return known if known != code else wording.institution(session, code)

    dispatcher = Dispatcher(engine, channels, place=place)
    return dispatcher.deliver, Digest(engine, channels).deliver


class WrongSchedule(Misused):
    """A time-table that cannot be kept."""


class AlreadyRunning(Misused):
    """Another process works on this data folder."""


class FolderLock:
    """One runner a data folder: two clocks on one SQLite file would contradict each other."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Hold the folder until this process ends. Raises AlreadyRunning."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(f"数据目录 {self.path.parent} 正被另一个进程使用") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def give_back(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Heartbeat:
    """Beats every second in a thread of its own, never twice at once.

    With `stands_in` it only works while no worker does: the web process of a cluster, so that a
    worker that somebody forgot to start holds up nobody's deadline.
    """

    def __init__(
        self, engine: ProcessEngine, *, also: tuple[Beat, ...] = (), stands_in: bool = False
    ) -> None:
        self._engine = engine
        self._also = also
        self._stands_in = stands_in
        self._standing_in = False
        self._worker_seen_at = engine.clock.now()
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin to beat."""
        self._scheduler.add_job(self.beat, "interval", seconds=INTERVAL, id="heartbeat")
        self._scheduler.start()

    def stop(self) -> None:
        """Stop after the present beat."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def beat(self) -> None:
        """One beat. A fault of one part is shouted about and does not stop the others."""
        if self._stands_in and not self._is_needed():
            return
        for part in (self._run_due, self._engine.cluster.run_due_duties, *self._also):
            try:
                part()
            except Exception:
                # The loop must live: whatever failed stays in the database and is tried again.
                log.exception("heartbeat failed", part=getattr(part, "__qualname__", str(part)))

    def _run_due(self) -> None:
        while self._engine.management.run_due(limit=BATCH) == BATCH:
            continue

    def _is_needed(self) -> bool:
        now = self._engine.clock.now()
        try:
            if self._engine.cluster.members(kind="worker"):
                self._worker_seen_at = now
        except Exception:
            log.exception("heartbeat cannot see whether there are workers")
            return False
        alone = now - self._worker_seen_at >= STANDS_IN_AFTER
        if alone != self._standing_in:
            self._standing_in = alone
            log.warning("no worker was seen, standing in" if alone else "a worker is there")
        return alone


class Presence:
    """Tells the cluster every few seconds that this process is alive, and hears what changed."""

    def __init__(
        self, engine: ProcessEngine, kind: str, *, queues: str = "", done: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._kind = kind
        self._queues = queues
        self._done = done
        self._id: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="presence", daemon=True)

    def start(self) -> None:
        """Be there; a database that is away now is told later."""
        self._tell()
        self._thread.start()

    def stop(self) -> None:
        """Leave in good order, where the database listens."""
        self._ending.set()
        self._thread.join()
        try:
            if self._id is not None:
                self._engine.cluster.leave(self._id)
        except Exception:
            log.exception("the cluster was not told that this process ends")

    def _go_on(self) -> None:
        while not self._ending.wait(PRESENCE_INTERVAL):
            self._tell()

    def _tell(self) -> None:
        try:
            self._engine.calendars.keep_up()
            cluster = self._engine.cluster
            if self._id is None or not cluster.seen(self._id, done=self._done()):
                self._id = cluster.join(
                    kind=self._kind,
                    host=HOST,
                    pid=os.getpid(),
                    version=version("nuanliu"),
                    queues=self._queues,
                )
        except Exception:
            log.exception("the cluster was not told that this process lives")


class Beats:
    """Repeats something every second in a thread of its own, whatever goes wrong with it."""

    def __init__(self, name: str, *parts: Beat) -> None:
        self._parts = parts
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End after the present round."""
        self._ending.set()
        self._thread.join(timeout)

    def _go_on(self) -> None:
        while not self._ending.is_set():
            for part in self._parts:
                try:
                    part()
                except Exception:
                    # What failed stays in the database and is tried again.
                    log.exception("beat failed", part=getattr(part, "__qualname__", str(part)))
            self._ending.wait(INTERVAL)


def cron(text: str) -> Callable[[datetime], datetime]:
    """The first instant after another at which a cron text occurs, in Asia/Shanghai.

    Weekdays go by name: APScheduler counts Monday as 0 and everybody else as 1, so that `1-5`
    would mean Tuesday to Saturday. Raises WrongSchedule.
    """
    fields = text.split()
    if len(fields) != CRON_FIELDS:
        raise WrongSchedule(f"“{text}”应有五段：分 时 日 月 周")
    if any(character.isdigit() for character in fields[4]):
        raise WrongSchedule(f"“{text}”中的星期应写 mon-fri 这样的名字，不写数字")
    try:
        trigger = CronTrigger.from_crontab(text, timezone=clock.LOCAL_ZONE)
    except ValueError as error:
        raise WrongSchedule(f"“{text}”不是可用的时间表：{error}") from error

    def next_after(instant: datetime) -> datetime:
        # The trigger answers its own instant again when asked at it.
        found = trigger.get_next_fire_time(None, instant + timedelta(microseconds=1))
        if found is None:
            raise WrongSchedule(f"“{text}”永远不会到来")
        at: datetime = clock.to_utc(found)
        return at

    return next_after
