"""What drives due work must do; embedded and scaled runners differ in nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.store.database import Transaction


class DueWork(Protocol):
    """The work itself: `engine.management` fulfils it."""

    def run_due(self, now: datetime | None = None, limit: int = 200) -> int:
        """Run a batch of what is due; how many."""
        ...

    def next_due(self) -> datetime | None:
        """When something will be due next."""
        ...


class Runner(Protocol):
    """Keeps due work going until it is stopped."""

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def wake(self) -> None:
        """There may be work now; returns at once and may be called from any thread."""
        ...

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the batch at hand and end."""
        ...

    def health(self) -> dict[str, object]:
        """Whether it lives, and what it did last."""
        ...


Housekeeping = Callable[[], None]
"""Called after each batch: deliver messages, renew gauges."""


class Queue(StrEnum):
    """Workers may serve some queues only: a slow receiver must not hold up the cases."""

    #: timers, and jobs of cases
    ENGINE = "engine"
    #: whatever waits for somebody else's answer: mail, SMS, webhooks, files
    OUT = "out"
    #: long work nobody waits for: recounts, clean-up, reports
    REPORT = "report"


class Errand(StrEnum):
    """What a batch asks of whoever takes it up."""

    TIMERS = "nuanliu.timers"
    JOBS = "nuanliu.jobs"
    DUTY = "nuanliu.duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """One arming of a timer as it was found due; names no person."""

    id: str
    instance_id: str
    kind: str
    element: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Something to carry to a worker; `what` holds ids only, so an old one survives a release."""

    queue: Queue
    errand: Errand
    what: Mapping[str, object]
    priority: int = 0


class Carrier(Protocol):
    """Brings batches to workers."""

    def room(self, tx: Transaction) -> int:
        """How many more batches may wait; 0 while the workers have enough before them."""
        ...

    def carry(self, tx: Transaction, batches: Sequence[Batch]) -> None:
        """Let them wait for a worker once this transaction has committed, and only then."""
        ...


class ClusterWork(Protocol):
    """What a runner of several processes needs: `engine.cluster` fulfils it."""

    def hand_over(self, carrier: Carrier, limit: int = 200) -> int:
        """Hand what is due to workers, once each; how many rows."""
        ...

    def next_due(self) -> datetime | None:
        """When something will be due next."""
        ...

    def fire(self, timers: Sequence[DueTimer]) -> None:
        """Fire handed-over timers; those that are gone do nothing."""
        ...

    def run_jobs(self, job_ids: Sequence[str]) -> None:
        """Run handed-over jobs; those that are gone do nothing."""
        ...

    def run_duty(self, name: str, occurrence: datetime) -> None:
        """Do one occurrence of a periodic duty; one that is done already does nothing."""
        ...
