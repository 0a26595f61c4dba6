"""What drives due work must do; embedded and scaled runners differ in nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


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
