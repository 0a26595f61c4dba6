"""The heart of one process: beats on, wakes at once, lets no second one beside it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from engine import TravellingClock
from engine.queues.database import AlreadyRunning, EmbeddedRunner

_CLOCK = TravellingClock(datetime(2026, 1, 5, 1, tzinfo=UTC))


class Work:
    """Counts beats; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.beats = threading.Semaphore(0)
        self._failures = failures

    def run_due(self, now=None, limit=200):
        self.beats.release()
        if self._failures:
            self._failures -= 1
            raise ConnectionError("database away")
        return 0

    def next_due(self):
        return None


def test_it_looks_at_once_and_again_when_woken():
    work = Work()
    runner = EmbeddedRunner(work, _CLOCK)
    runner.start()
    try:
        assert work.beats.acquire(timeout=5)
        runner.wake()
        assert work.beats.acquire(timeout=5)
        assert runner.health()["alive"] is True
    finally:
        runner.stop()
    assert runner.health()["alive"] is False


def test_it_lives_on_after_a_failure_and_says_what_it_was():
    work = Work(failures=1)
    runner = EmbeddedRunner(work, _CLOCK)
    runner.start()
    try:
        assert work.beats.acquire(timeout=5)
        while runner.health()["last_error"] is None:
            threading.Event().wait(0.01)
        assert runner.health()["last_error"] == "database away"
        runner.wake()
        assert work.beats.acquire(timeout=5)
    finally:
        runner.stop()


def test_a_second_runner_beside_the_same_database_is_refused(tmp_path):
    first = EmbeddedRunner(Work(), _CLOCK, lock_file=tmp_path / "runner.lock")
    second = EmbeddedRunner(Work(), _CLOCK, lock_file=tmp_path / "runner.lock")
    first.start()
    try:
        with pytest.raises(AlreadyRunning):
            second.start()
    finally:
        first.stop()
    second.start()
    second.stop()
