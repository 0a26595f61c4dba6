"""Real ids: time from the injected clock, randomness from the operating system."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

from engine.model.clock import Clock
from engine.model.ids import RANDOM_BYTES, uuid7_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RANDOM_BITS = 74


class SystemIds:
    """Version 7 UUIDs that only ever rise within one process, from any thread.

    Within one millisecond, and while a corrected clock stands behind, the random part of
    the last id is counted up (RFC 9562 §6.2, method 2).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_ms = -1
        self._last_random = 0

    def new(self) -> str:
        """A fresh id, greater than every id this process answered before."""
        at_ms = (self._clock.now() - _EPOCH) // _MILLISECOND
        with self._lock:
            if at_ms > self._last_ms:
                self._last_ms, self._last_random = at_ms, self._fresh_random()
            else:
                self._count_up()
            return uuid7_of(self._last_ms, self._last_random)

    def _count_up(self) -> None:
        # A random stride keeps the next id unguessable although it follows the last one.
        self._last_random += 1 + int.from_bytes(os.urandom(4), "big")
        if self._last_random >> _RANDOM_BITS:
            self._last_ms, self._last_random = self._last_ms + 1, self._fresh_random()

    @staticmethod
    def _fresh_random() -> int:
        return int.from_bytes(os.urandom(RANDOM_BYTES), "big") >> 80 - _RANDOM_BITS
