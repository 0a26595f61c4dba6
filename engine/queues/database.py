"""The embedded runner: one thread of this process drives the timers and jobs in the database.

It waits by the monotonic clock, at most two seconds at a time, so a wall clock that jumps delays
nothing and fires nothing twice. Any number may run on PostgreSQL; on SQLite a lock file beside
the database lets only one process be the heart.
"""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from engine.model.clock import Clock
from engine.model.errors import InvalidState
from engine.queues.port import DueWork, Housekeeping

LONGEST_WAIT = 2.0
_PAUSE_AFTER_FAILURE = 5.0
_log = logging.getLogger("engine.runner")


class AlreadyRunning(InvalidState):
    """同一个数据库已有后台进程在运行"""

    code = "ALREADY_RUNNING"


class EmbeddedRunner:
    """Fulfils `engine.queues.port.Runner` with a thread."""

    def __init__(
        self,
        work: DueWork,
        clock: Clock,
        *,
        lock_file: Path | None = None,
        housekeeping: Sequence[Housekeeping] = (),
    ) -> None:
        self._work = work
        self._clock = clock
        self._lock_file = lock_file
        self._housekeeping = tuple(housekeeping)
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: IO[str] | None = None
        self._last_batch_at: datetime | None = None
        self._last_error: str | None = None
        self._done = 0

    def start(self) -> None:
        """Begin. Raises AlreadyRunning when another process holds the lock file."""
        self._take_lock()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="engine-runner", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look again now."""
        self._awake.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the batch at hand, end the thread, give the lock back."""
        self._stopping.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def health(self) -> dict[str, object]:
        """Whether the thread lives, when it last looked, what last went wrong."""
        return {
            "alive": self._thread is not None and self._thread.is_alive(),
            "last_batch_at": self._last_batch_at,
            "done": self._done,
            "last_error": self._last_error,
        }

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            wait = self._beat()
            if wait > 0:
                self._awake.wait(wait)

    def _beat(self) -> float:
        try:
            ran = self._work.run_due()
            for each in self._housekeeping:
                each()
            self._done += ran
            self._last_batch_at = self._clock.now()
            self._last_error = None
            return 0.0 if ran else self._until_next()
        except Exception as error:  # the heart must go on beating  # noqa: BLE001  # a poisoned row must not stop the loop
            # A database that went away comes back; whoever watches `health` sees the reason.
            _log.exception("the runner failed")
            self._last_error = str(error)
            return _PAUSE_AFTER_FAILURE

    def _until_next(self) -> float:
        due = self._work.next_due()
        if due is None:
            return LONGEST_WAIT
        left = (due - self._clock.now()).total_seconds()
        return min(max(left, 0.01), LONGEST_WAIT)

    def _take_lock(self) -> None:
        if self._lock_file is None:
            return
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        handle = self._lock_file.open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise AlreadyRunning from None
        self._lock = handle
