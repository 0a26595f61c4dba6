"""Values as text: for reading (`string`) and as FEEL literals that evaluate to them again."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Any

from engine.decision.errors import Fault
from engine.decision.lexer import KEYWORDS
from engine.decision.runtime import Meter, adapt
from engine.decision.temporal_text import read_moment, write_moment
from engine.decision.values import NUMBERS, Builtin, FeelFunction, Range

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_PLAIN_EXPONENT = 100
# The parser refuses deeper nesting.
_MAX_LITERAL_DEPTH = 50
_COMPOUND = frozenset({list, dict, Range})


def write_number(number: Decimal) -> str:
    """Write a number without an exponent and without zeros that say nothing."""
    if not number:
        return "0"
    if abs(number.adjusted()) > _MAX_PLAIN_EXPONENT:
        return str(number.normalize(NUMBERS))
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


def _is_feel_number(number: Decimal) -> bool:
    try:
        return number.is_finite() and NUMBERS.plus(number) == number
    except DecimalException:
        return False


def _at_literal(written: str, value: Any) -> str:
    """Quote a moment; Raises Fault for one that would not be read back as it is."""
    if read_moment(written) != value:
        raise Fault(f"“{written}”写成文字后读不回来")
    return f'@"{written}"'


class _Writer:
    """Writes one value; bounds the work, which shared parts can make huge."""

    def __init__(self, *, literal: bool) -> None:
        self._literal = literal
        self._meter = Meter()
        self._depth = 0

    def write(self, value: Any) -> str:
        """Write a value of any kind. Raises Fault, FeelLimitError."""
        written = self._scalar(value) if type(value) not in _COMPOUND else self._compound(value)
        self._meter.spend(1 + (len(written) >> 4))
        return written

    def _compound(self, value: Any) -> str:
        if self._literal and self._depth >= _MAX_LITERAL_DEPTH:
            raise Fault(f"嵌套超过 {_MAX_LITERAL_DEPTH} 层，写成文字后读不回来")
        self._depth += 1
        if type(value) is list:
            written = f"[{', '.join(self.write(one) for one in value)}]"
        elif type(value) is dict:
            written = f"{{{', '.join(map(self._entry, value, value.values()))}}}"
        else:
            written = self._range(value)
        self._depth -= 1
        return written

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
            return self._number(value)
        if type(value) is str:
            escaped = "".join(_ESCAPES.get(c, c) for c in value) if self._literal else value
            return f'"{escaped}"'
        moment = write_moment(value)
        if moment is not None:
            return _at_literal(moment, value) if self._literal else moment
        if isinstance(value, (FeelFunction, Builtin)) and not self._literal:
            return f"function {value.name}"
        raise Fault("函数不能写成文字")

    def _number(self, number: Decimal) -> str:
        if self._literal and not _is_feel_number(number):
            raise Fault(f"{number} 不是 FEEL 的数（最多 34 位）")
        return write_number(number)

    def _range(self, value: Range) -> str:
        if value.low is None:
            return f"({'<=' if value.high_closed else '<'} {self.write(value.high)})"
        if value.high is None:
            return f"({'>=' if value.low_closed else '>'} {self.write(value.low)})"
        opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
        return f"{opening}{self.write(value.low)}..{self.write(value.high)}{closing}"
