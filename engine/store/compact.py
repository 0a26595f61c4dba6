"""Ids and instants as SQLite keeps them: bytes that sort as their texts do.

A UUID takes 16 bytes instead of 36 characters and an instant 8 instead of 32: a third of a finished
case. SQLite puts bytes into a text column unchanged, so the columns are declared as before.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: no instant is before it, so the bytes need no sign
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
_WIDTH = 8
#: one transaction writes the same ids and instants a dozen times
_REMEMBERED = 4096


@lru_cache(maxsize=_REMEMBERED)
def packed_id(text: str) -> bytes | str:
    """The 16 bytes of a UUID; any other id (participants may bring their own) as it is."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else text


def plain_id(kept: bytes | str) -> str:
    """The text that was packed."""
    if isinstance(kept, str):
        return kept
    digits = kept.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache(maxsize=_REMEMBERED)
def packed_instant(instant: datetime) -> bytes:
    """Microseconds since the beginning of the calendar. Raises ValueError without a time zone."""
    since = in_utc(instant) - _YEAR_ONE
    seconds = since.days * 86_400 + since.seconds
    return (seconds * 1_000_000 + since.microseconds).to_bytes(_WIDTH, "big")


@lru_cache(maxsize=_REMEMBERED)
def plain_instant(kept: bytes | str) -> datetime:
    """The instant that was packed, in UTC; also from the text an older release wrote."""
    if isinstance(kept, str):
        return in_utc(datetime.fromisoformat(kept))
    return _YEAR_ONE + timedelta(microseconds=int.from_bytes(kept, "big"))


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError without a time zone: that names no instant."""
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise ValueError(f"a time without zone is no instant: {instant.isoformat()}")
    return instant.astimezone(UTC)
