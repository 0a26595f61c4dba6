"""Values as text: for reading (`string`) and as FEEL literals that evaluate to them again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.decision.errors import Fault
from engine.decision.runtime import adapt
from engine.decision.temporal_text import write_moment
from engine.decision.values import Builtin, FeelFunction, Range

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_PLAIN_EXPONENT = 100


def write_number(number: Decimal) -> str:
    """Write a number without an exponent and without zeros that say nothing."""
    if not number:
        return "0"
    if abs(number.adjusted()) > _MAX_PLAIN_EXPONENT:
        return str(number.normalize())
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def display(value: Any) -> str:
    """Write a value the way `string` does; a string within a list or context has quotes."""
    return value if type(value) is str else _write(value, literal=False)


def dumps(value: Any) -> str:
    """Write a value as the FEEL literal that evaluates to it.

    Raises Fault for a function, which has no literal.
    """
    return _write(adapt(value), literal=True)


def _write(value: Any, *, literal: bool) -> str:
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is Decimal:
        return write_number(value)
    if type(value) is str:
        return f'"{"".join(_ESCAPES.get(c, c) for c in value)}"' if literal else f'"{value}"'
    if type(value) is list:
        return f"[{', '.join(_write(one, literal=literal) for one in value)}]"
    if type(value) is dict:
        return _write_context(value, literal=literal)
    if type(value) is Range:
        return _write_range(value, literal=literal)
    moment = write_moment(value)
    if moment is not None:
        return f'@"{moment}"' if literal else moment
    if isinstance(value, (FeelFunction, Builtin)) and not literal:
        return f"function {value.name}"
    raise Fault("函数不能写成文字")


def _write_context(value: dict[str, Any], *, literal: bool) -> str:
    entries = []
    for key, one in value.items():
        plain = key.isidentifier() and key.isascii()
        name = key if plain or not literal else _write(key, literal=True)
        entries.append(f"{name}: {_write(one, literal=literal)}")
    return f"{{{', '.join(entries)}}}"


def _write_range(value: Range, *, literal: bool) -> str:
    if value.low is None:
        sign = "<=" if value.high_closed else "<"
        return f"({sign} {_write(value.high, literal=literal)})"
    if value.high is None:
        sign = ">=" if value.low_closed else ">"
        return f"({sign} {_write(value.low, literal=literal)})"
    opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
    low, high = _write(value.low, literal=literal), _write(value.high, literal=literal)
    return f"{opening}{low}..{high}{closing}"
