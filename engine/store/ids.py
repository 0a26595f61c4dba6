"""Real ids: time from the injected clock, randomness from the operating system."""

from __future__ import annotations

import os
import threading

from engine.model.clock import Clock
from engine.model.ids import RANDOM_BYTES, uuid7_of

_RANDOM_STORE = 256
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
        #: asked of the operating system in one go: a call costs more than the bytes
        self._random = b""
        self._random_of = os.getpid()

    def new(self) -> str:
        """A fresh id, greater than every id this process answered before."""
        now = self._clock.now()
        at_ms = int(now.timestamp()) * 1000 + now.microsecond // 1000
        with self._lock:
            if at_ms > self._last_ms:
                self._last_ms, self._last_random = at_ms, self._fresh_random()
            else:
                self._count_up()
            return uuid7_of(self._last_ms, self._last_random)

    def _count_up(self) -> None:
        # A random stride keeps the next id unguessable although it follows the last one.
        self._last_random += 1 + int.from_bytes(self._fresh(4), "big")
        if self._last_random >> _RANDOM_BITS:
            self._last_ms, self._last_random = self._last_ms + 1, self._fresh_random()

    def _fresh_random(self) -> int:
        return int.from_bytes(self._fresh(RANDOM_BYTES), "big") >> 80 - _RANDOM_BITS

    def _fresh(self, size: int) -> bytes:
        # A process that was forked from this one must not draw what this one will draw.
        if len(self._random) < size or self._random_of != os.getpid():
            self._random, self._random_of = os.urandom(_RANDOM_STORE), os.getpid()
        taken, self._random = self._random[:size], self._random[size:]
        return taken
