"""Run what is due at its instant; once a second, send what waits. The only importer of APScheduler.

What is due are rows of the database; nothing is kept here that could be lost. Of APScheduler only
the reckoning of time-tables is used.
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
#: small, so that stopping and whoever waits for the database come to their turn soon
BATCH = 50
#: after a full batch, and where something is due that was not there a moment ago
GIVE_WAY, SHORTEST_WAIT = 0.001, 0.05
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
    """Runs what is due at its instant, and once a second whatever else is to be done.

    Each in a thread of its own: a flood of timers delays no letter, and a mail server that does
    not answer delays no timer. Neither is ever begun twice at once.

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
        self._looking = threading.Lock()
        self._ending = threading.Event()
        self._heart = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._errands = Beats("errands", self._run_errands)

    def start(self) -> None:
        """Begin to beat."""
        self._heart.start()
        self._errands.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop after the present batch and the present round of errands."""
        self._ending.set()
        self._errands.stop(timeout)
        if self._heart.is_alive():
            self._heart.join(timeout)

    def beat(self) -> None:
        """Everything once, all that is due to its end; faults are shouted about and stop nothing.

        For whoever has no thread: a demonstration, a test.
        """
        if not self._is_needed():
            return
        for part in (self._run_due, self._engine.cluster.run_due_duties, *self._also):
            _try(part)

    def round(self) -> float:
        """A batch of what is due; how many seconds until the next round, at most one."""
        if not self._is_needed():
            return INTERVAL
        try:
            if self._engine.management.run_due(limit=BATCH) >= BATCH:
                return GIVE_WAY
            due = self._engine.management.next_due()
        except Exception:
            # The loop must live: whatever failed stays in the database and is tried again.
            log.exception("heartbeat failed", part="timers")
            return INTERVAL
        if due is None:
            return INTERVAL
        left = (due - self._engine.clock.now()).total_seconds()
        # Never longer than the interval: the clock may be set, other processes arm timers.
        return min(max(left, SHORTEST_WAIT), INTERVAL)

    # --- private -----------------------------------------------------------------------------

    def _go_on(self) -> None:
        while not self._ending.wait(self.round()):
            continue

    def _run_due(self) -> None:
        while self._engine.management.run_due(limit=BATCH) >= BATCH:
            continue

    def _run_errands(self) -> None:
        if not self._is_needed():
            return
        for part in (self._engine.cluster.run_due_duties, *self._also):
            _try(part)

    def _is_needed(self) -> bool:
        if not self._stands_in:
            return True
        with self._looking:
            return self._is_alone()

    def _is_alone(self) -> bool:
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
                _try(part)
            self._ending.wait(INTERVAL)


def _try(part: Beat) -> None:
    try:
        part()
    except Exception:
        # The loop must live: whatever failed stays in the database and is tried again.
        log.exception("beat failed", part=getattr(part, "__qualname__", str(part)))


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
