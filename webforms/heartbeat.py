"""Once a second: run what is due, send what waits. The only importer of APScheduler.

The jobs themselves are rows of the database; the scheduler keeps nothing that could be lost.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from engine import ProcessEngine
from notifications.channels import registry
from notifications.digest import Digest
from notifications.dispatcher import Dispatcher
from webforms.settings import Misused
from workflows.domain import division
from workflows.papers import wording

log = structlog.get_logger(__name__)
INTERVAL = 1.0
BATCH = 200

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
    """Beats every second in a thread of its own, never twice at once."""

    def __init__(self, engine: ProcessEngine, *, also: tuple[Beat, ...] = ()) -> None:
        self._engine = engine
        self._also = also
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
        for part in (self._run_due, *self._also):
            try:
                part()
            except Exception:
                # The loop must live: whatever failed stays in the database and is tried again.
                log.exception("heartbeat failed", part=getattr(part, "__qualname__", str(part)))

    def _run_due(self) -> None:
        while self._engine.management.run_due(limit=BATCH) == BATCH:
            continue
