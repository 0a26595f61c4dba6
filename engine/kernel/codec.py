"""Values to bytes and back: JSON behind one version byte, with tags for what JSON lacks.

Numbers, dates and durations survive exactly.  A key that begins with ``$`` is refused, so no data
can be mistaken for a tag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from engine.decision.values import YearMonthDuration
from engine.model.errors import Broken, ModelFault

VERSION = 1
_HEAD = bytes([VERSION])
_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
_WIDEST = 2**63 - 1


class CodecError(Broken):
    """保存的流程状态无法读取"""


def encode(value: Any) -> bytes:
    """Version byte and compact JSON. Raises `ModelFault` for a value that cannot be kept."""
    try:
        return _HEAD + orjson.dumps(value, default=_tag, option=_OPTIONS)
    except TypeError as error:
        raise ModelFault(f"变量的值无法保存：{error}") from error


def decode(data: bytes) -> Any:
    """What was encoded. Raises `CodecError`."""
    if data[:1] != _HEAD:
        raise CodecError(f"unknown state version {data[:1]!r}")
    value = orjson.loads(data[1:])
    return _untag(value) if b'"$' in data else value


def plain(value: object) -> object:
    """The value as it will come back from storage: lists for sequences, texts for keys.

    Raises `ModelFault` for what no variable may hold.
    """
    kind = type(value)
    if value is None or kind in _ATOMS:
        return value
    if isinstance(value, int):
        return value if -_WIDEST <= value <= _WIDEST else Decimal(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, str | bool | Decimal | date | time | timedelta | YearMonthDuration):
        return value
    raise ModelFault(f"变量不能保存 {kind.__name__} 类型的值")


_ATOMS = frozenset({str, bool, float, Decimal, date, datetime, time, timedelta, YearMonthDuration})


def _key(key: object) -> str:
    if not isinstance(key, str) or key.startswith("$"):
        raise ModelFault(f"变量中的键必须是文字且不能以 $ 开头：{key!r}")
    return key


def _tag(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"$n": str(value)}
    if isinstance(value, datetime):
        zone = getattr(value.tzinfo, "key", None)
        return {"$t": [value.isoformat(), zone]} if zone else {"$t": [value.isoformat()]}
    if isinstance(value, date):
        return {"$d": value.isoformat()}
    if isinstance(value, time):
        return {"$c": value.isoformat()}
    if isinstance(value, timedelta):
        return {"$s": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, YearMonthDuration):
        return {"$m": value.total_months}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        return str(value)
    raise TypeError(type(value).__name__)


def _moment(parts: list[str]) -> datetime:
    moment = datetime.fromisoformat(parts[0])
    if len(parts) == 1:
        return moment
    zone = ZoneInfo(parts[1])
    # The written offset decides which of two equal wall-clock times is meant.
    aware = moment.replace(tzinfo=zone)
    return aware if aware.utcoffset() == moment.utcoffset() else aware.replace(fold=1)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$n": Decimal,
    "$t": _moment,
    "$d": date.fromisoformat,
    "$c": time.fromisoformat,
    "$s": lambda parts: timedelta(*parts),
    "$m": YearMonthDuration,
}


def _untag(value: Any) -> Any:
    if type(value) is list:
        return [_untag(inner) for inner in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        reader = _READERS.get(key)
        if reader is not None:
            return reader(inner)
    return {key: _untag(inner) for key, inner in value.items()}
