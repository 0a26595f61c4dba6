"""How many requests a token, or an address without one, may send: a bucket that fills again.

Kept in the memory of each web process: a guard against runaway programs, not an account.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import datetime

from webforms.api.problems import TooFast


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `burst` at once, `per_second` in the long run."""

    burst: int
    per_second: float


TOKEN = Rate(burst=300, per_second=10)
ADDRESS = Rate(burst=60, per_second=2)
MOST_KEPT = 20_000

_left: dict[str, tuple[float, datetime]] = {}
_lock = threading.Lock()


def count(key: str, rate: Rate, at: datetime) -> None:
    """One more request of this token or address. Raises TooFast with the seconds to wait."""
    with _lock:
        left, since = _left.get(key, (float(rate.burst), at))
        left = min(rate.burst, left + max(0.0, (at - since).total_seconds()) * rate.per_second)
        if left < 1:
            raise TooFast(wait=max(1, math.ceil((1 - left) / rate.per_second)))
        _left.pop(key, None)
        _left[key] = (left - 1, at)
        if len(_left) > MOST_KEPT:
            # Dicts keep their order: the first was heard of longest ago.
            del _left[next(iter(_left))]


def forget() -> None:
    """Start counting afresh."""
    with _lock:
        _left.clear()
