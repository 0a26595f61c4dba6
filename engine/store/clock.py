"""The real clock. Nothing else in the product may ask the operating system for the time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The time of this machine; fulfils `engine.model.clock.Clock`."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks
