"""A circuit breaker: a receiver that does not answer is left alone for a while.

Without it every letter to a dead server costs its time-out, and whatever waits in the same queue
waits with it. Nothing is lost by it: what is not sent stays where it is and is sent later. Each
process learns for itself, so a restart only costs a few attempts.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

_log = logging.getLogger("engine.breaker")

#: so many failures one after the other
THRESHOLD = 3
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
#: whoever tries whether it answers again must be back by then, else another may try
PROBE = timedelta(minutes=2)


@dataclass(slots=True)
class _Receiver:
    failures: int = 0
    pause: timedelta = timedelta()
    closed_at: datetime | None = None
    probed_at: datetime | None = None


class Breaker:
    """Knows which receivers do not answer; safe to share between threads.

    Closed: everything goes out. After `THRESHOLD` failures in a row it is open: nothing goes out
    for a pause. Then it is half open: one attempt goes out and decides; a failure doubles the
    pause, up to `LONGEST_PAUSE`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receivers: dict[str, _Receiver] = {}

    def rests_until(self, receiver: str, now: datetime) -> datetime | None:
        """Until when nothing may go out; None: go ahead, and say afterwards how it went."""
        with self._lock:
            known = self._receivers.get(receiver)
            if known is None or known.closed_at is None:
                return None
            until = known.closed_at + known.pause
            if _between(known.closed_at, now, until):
                return until
            if known.probed_at is not None:
                probed_until = known.probed_at + PROBE
                if _between(known.probed_at, now, probed_until):
                    return probed_until
            known.probed_at = now
            return None

    def answered(self, receiver: str) -> None:
        """It is there, whatever it said."""
        with self._lock:
            known = self._receivers.pop(receiver, None)
        if known is not None and known.closed_at is not None:
            _log.warning("%s answers again", receiver)

    def left(self, receiver: str) -> None:
        """Nothing was learned: nothing went out after all, or it was a fault of our own."""
        with self._lock:
            known = self._receivers.get(receiver)
            if known is not None:
                known.probed_at = None

    def failed(self, receiver: str, now: datetime) -> None:
        """It did not answer."""
        with self._lock:
            known = self._receivers.setdefault(receiver, _Receiver())
            known.failures += 1
            known.probed_at = None
            opens = known.failures >= THRESHOLD
            if opens:
                known.pause = min(known.pause * 2, LONGEST_PAUSE) or FIRST_PAUSE
                known.closed_at = now
        if opens:
            _log.warning("%s does not answer and is left alone for %s", receiver, known.pause)

    def resting(self, now: datetime) -> dict[str, datetime]:
        """The receivers that are left alone now, and until when; asking changes nothing."""
        with self._lock:
            return {
                name: known.closed_at + known.pause
                for name, known in self._receivers.items()
                if known.closed_at is not None
                and _between(known.closed_at, now, known.closed_at + known.pause)
            }


def _between(since: datetime, now: datetime, until: datetime) -> bool:
    # Before `since` the clock was put back: a pause must not grow to as long as that.
    return since <= now < until
