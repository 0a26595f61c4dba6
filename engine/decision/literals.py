"""Values as text: for reading (`string`) and as FEEL literals that evaluate to them again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.decision.errors import Fault
from engine.decision.lexer import KEYWORDS
from engine.decision.runtime import Meter, adapt
from engine.decision.temporal_text import write_moment
from engine.decision.values import Builtin, FeelFunction, Range

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_PLAIN_EXPONENT = 100
_COMPOUND = frozenset({list, dict, Range})


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
    return value if type(value) is str else _Writer(literal=False).write(value)


def dumps(value: Any) -> str:
    """Write a value as the FEEL literal that evaluates to it.

    Raises Fault for a function, which has no literal.
    """
    return _Writer(literal=True).write(adapt(value))


class _Writer:
    """Writes one value; bounds the work, which shared parts can make huge."""

    def __init__(self, *, literal: bool) -> None:
        self._literal = literal
        self._meter = Meter()

    def write(self, value: Any) -> str:
        """Write a value of any kind. Raises Fault, FeelLimitError."""
        written = self._scalar(value) if type(value) not in _COMPOUND else self._compound(value)
        self._meter.spend(1 + (len(written) >> 4))
        return written

    def _compound(self, value: Any) -> str:
        if type(value) is list:
            return f"[{', '.join(self.write(one) for one in value)}]"
        if type(value) is dict:
            return f"{{{', '.join(map(self._entry, value, value.values()))}}}"
        return self._range(value)

    def _entry(self, key: str, value: Any) -> str:
        plain = key.isidentifier() and key.isascii() and key not in KEYWORDS
        name = key if plain or not self._literal else self._scalar(key)
        return f"{name}: {self.write(value)}"

    def _scalar(self, value: Any) -> str:
        if value is None:
            return "null"
        if type(value) is bool:
            return "true" if value else "false"
        if type(value) is Decimal:
            return write_number(value)
        if type(value) is str:
            escaped = "".join(_ESCAPES.get(c, c) for c in value) if self._literal else value
            return f'"{escaped}"'
        moment = write_moment(value)
        if moment is not None:
            return f'@"{moment}"' if self._literal else moment
        if isinstance(value, (FeelFunction, Builtin)) and not self._literal:
            return f"function {value.name}"
        raise Fault("函数不能写成文字")

    def _range(self, value: Range) -> str:
        if value.low is None:
            return f"({'<=' if value.high_closed else '<'} {self.write(value.high)})"
        if value.high is None:
            return f"({'>=' if value.low_closed else '>'} {self.write(value.low)})"
        opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
        return f"{opening}{self.write(value.low)}..{self.write(value.high)}{closing}"
