"""JSON to values and back, as Camunda's engines offer it."""

from __future__ import annotations

import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

from engine.decision.arguments import bounded, builtin, text
from engine.decision.errors import Fault
from engine.decision.literals import write_number
from engine.decision.runtime import Meter, adapt
from engine.decision.temporal_text import write_moment


@builtin("from json", "value")
def from_json(value: Any) -> Any:
    """Read a JSON text; objects become contexts."""
    try:
        return adapt(json.loads(text(value), parse_float=Decimal, parse_int=Decimal))
    except (ValueError, ArithmeticError, RecursionError):
        raise Fault("不是 JSON") from None


@builtin("to json", "value")
def to_json(value: Any) -> str:
    """Write a value as JSON; moments become texts."""
    return bounded(_written(value, Meter()))


@builtin("to base64", "value")
def to_base64(value: Any) -> str:
    """Write the UTF-8 bytes of a string as Base64."""
    return bounded(b64encode(text(value).encode()).decode())


def _written(value: Any, meter: Meter) -> str:
    meter.spend(1)
    if type(value) is Decimal:
        return write_number(value)
    if type(value) is list:
        written = f"[{','.join(_written(one, meter) for one in value)}]"
    elif type(value) is dict:
        entries = (
            f"{json.dumps(k, ensure_ascii=False)}:{_written(v, meter)}" for k, v in value.items()
        )
        written = f"{{{','.join(entries)}}}"
    elif value is None or type(value) in (bool, str):
        written = json.dumps(value, ensure_ascii=False)
    else:
        moment = write_moment(value)
        if moment is None:
            raise Fault("函数和区间不能写成 JSON")
        written = f'"{moment}"'
    meter.spend(len(written) >> 4)
    return written
