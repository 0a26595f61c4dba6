"""Values of variables, payloads and triggers as bytes, and back without loss.

JSON, with a marked object for what JSON does not know: decimals, dates, times, durations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

#: no key of a form or a FEEL context can hold this character
MARK = "\x00"
_MARK_BYTES = b'"\\u0000"'
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS

_READERS: dict[str, Callable[[Any], object]] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "span": lambda parts: timedelta(days=parts[0], seconds=parts[1], microseconds=parts[2]),
}


def encode(value: object) -> bytes:
    """Bytes from which `decode` makes an equal value. Raises TypeError for foreign objects."""
    return orjson.dumps(value, default=_marked, option=_OPTIONS)


def decode(content: bytes) -> Any:
    """The value that was encoded."""
    value = orjson.loads(content)
    return _restored(value) if _MARK_BYTES in content else value


def _marked(value: object) -> object:
    written: object
    if isinstance(value, Decimal):
        kind, written = "decimal", str(value)
    elif isinstance(value, datetime):
        kind, written = "datetime", value.isoformat()
    elif isinstance(value, date):
        kind, written = "date", value.isoformat()
    elif isinstance(value, time):
        kind, written = "time", value.isoformat()
    elif isinstance(value, timedelta):
        kind, written = "span", [value.days, value.seconds, value.microseconds]
    elif isinstance(value, Mapping):
        return dict(value)
    elif isinstance(value, (tuple, list)):
        return list(value)
    elif isinstance(value, str):
        return str.__str__(value)
    else:
        raise TypeError(f"no process variable can hold a {type(value).__name__}")
    return {MARK: kind, "v": written}


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict):
        if MARK in value:
            return _READERS[value[MARK]](value["v"])
        return {key: _restored(item) for key, item in value.items()}
    return value
