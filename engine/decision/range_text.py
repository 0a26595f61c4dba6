"""`range("[1..5]")`: ranges out of text, with literal ends only (DMN 1.5 §10.3.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.decision.arguments import builtin, single, text
from engine.decision.errors import Fault, FeelSyntaxError
from engine.decision.lexer import Token, TokenKind, tokenize
from engine.decision.operators import compare
from engine.decision.parser import Parser
from engine.decision.temporal_text import read_date, read_date_time, read_duration, read_time
from engine.decision.tree import Call, Failing, Literal, Name, Negation, Node, RangeOf
from engine.decision.values import Range

_MAX_TEXT = 1_000
_READERS: Mapping[str, Callable[[str], Any]] = {
    "date": read_date,
    "time": read_time,
    "date and time": read_date_time,
    "duration": read_duration,
}


@builtin("range", "from")
def to_range(value: Any) -> Range:
    """Read a range; a side that is left out must be open: `[1..)`, `(..5]`."""
    written = text(single(value))
    if len(written) > _MAX_TEXT:
        raise Fault("区间文字太长")
    try:
        tokens = tokenize(written)[:-1]
        if tokens and tokens[-1].text in (")", "[") and _is_dots(tokens[-2:-1]):
            return _checked(_half(written, tokens, low=True))
        if tokens and tokens[0].text in ("(", "]") and _is_dots(tokens[1:2]):
            return _checked(_half(written, tokens, low=False))
        node = Parser(written, builtin_names=_READERS).whole_expression()
    except FeelSyntaxError:
        raise Fault(f"“{written[:40]}”不是区间，应写成 [1..5] 的样子") from None
    if not isinstance(node, RangeOf):
        raise Fault(f"“{written[:40]}”不是区间，应写成 [1..5] 的样子")
    low, high = _literal(node.low), _literal(node.high)
    order = compare(low, high)
    if order is None or order > 0:
        raise Fault("区间的两端不能比较，或起点大于终点")
    return Range(low, high, node.low_closed, node.high_closed)


def _is_dots(tokens: list[Token]) -> bool:
    return bool(tokens) and tokens[0].kind is TokenKind.SYMBOL and tokens[0].text == ".."


def _half(written: str, tokens: list[Token], *, low: bool) -> Range:
    """Read a range with one end."""
    inner = tokens[1:-2] if low else tokens[2:-1]
    if not inner:
        raise Fault("区间至少要有一端")
    end = _literal(
        Parser(written[inner[0].start : inner[-1].end], builtin_names=_READERS).whole_expression()
    )
    if low:
        return Range(end, None, low_closed=tokens[0].text == "[", high_closed=False)
    return Range(None, end, low_closed=False, high_closed=tokens[-1].text == "]")


def _checked(space: Range) -> Range:
    end = space.high if space.low is None else space.low
    if compare(end, end) is None:
        raise Fault("区间的端点要能比较大小")
    return space


def _literal(node: Node) -> Any:
    """Evaluate an end, which must be written out. Raises Fault."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Negation):
        value = _literal(node.operand)
        if isinstance(value, Decimal):
            return -value
    if isinstance(node, Failing):
        raise Fault(node.message)
    if isinstance(node, Call) and isinstance(node.function, Name) and len(node.arguments) == 1:
        reader, argument = _READERS.get(node.function.name), node.arguments[0]
        if reader is not None and isinstance(argument, Literal) and type(argument.value) is str:
            return reader(argument.value)
    raise Fault("区间的端点要直接写出，不能是算式")
