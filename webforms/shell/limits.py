"""How often one address or one token may ask: buckets that fill again.

Kept by each web process for itself: a guard against runaway programs, not an account.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

from flask import Flask, current_app

from webforms.database import wall_now

EXTENSION = "nuanliu_limits"
MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `burst` at once, `per_second` in the long run."""

    burst: int
    per_second: float


@dataclass(slots=True)
class _Buckets:
    """What is left to each key, and when that was so; the one heard of longest ago comes first."""

    left: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str, rate: Rate, at: float) -> float:
        """Take one; the part of one that is missing, 0 when it could be taken."""
        with self.lock:
            left, since = self.left.pop(key, (float(rate.burst), at))
            left = min(rate.burst, left + max(0.0, at - since) * rate.per_second)
            self.left[key] = (left - 1 if left >= 1 else left, at)
            if len(self.left) > MOST_KEPT:
                del self.left[next(iter(self.left))]
        return max(0.0, 1 - left)


def install(app: Flask) -> None:
    """Count for this application, from nothing."""
    app.extensions[EXTENSION] = _Buckets()


def wait(key: str, rate: Rate) -> int:
    """Count one more of this key; the whole seconds it has to wait, 0 when it may go on."""
    buckets: _Buckets = current_app.extensions[EXTENSION]
    missing = buckets.take(key, rate, wall_now().timestamp())
    return max(1, math.ceil(missing / rate.per_second)) if missing else 0
