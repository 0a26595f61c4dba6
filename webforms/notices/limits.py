"""How many objections one address may file: enough for a family, too few for a machine."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from engine import errors

MOST = 10
WINDOW = timedelta(hours=1)
ADDRESSES = 10_000


class TooMany(errors.Rejected):
    """提交过于频繁，请稍后再试，或拨打公示所载电话"""

    code = "TOO_MANY_REQUESTS"
    http_status = 429


_filed: dict[str, deque[datetime]] = {}


def count(address: str, at: datetime) -> None:
    """One more from this address. Raises TooMany beyond ten an hour."""
    times = _filed.setdefault(address, deque())
    while times and at - times[0] >= WINDOW:
        times.popleft()
    if len(times) >= MOST:
        raise TooMany
    times.append(at)
    if len(_filed) > ADDRESSES:
        for stale in [one for one, seen in _filed.items() if not seen or at - seen[-1] >= WINDOW]:
            del _filed[stale]


def forget() -> None:
    """Start counting afresh."""
    _filed.clear()
