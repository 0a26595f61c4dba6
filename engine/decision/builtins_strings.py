"""String functions and conversions from and to strings (DMN 1.5 §10.3.4.1, §10.3.4.3)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from engine.decision.arguments import bounded, builtin, integer, listed, text
from engine.decision.errors import Fault
from engine.decision.literals import display
from engine.decision.regex import compile_pattern, expand
from engine.decision.runtime import MAX_LIST_LENGTH, MAX_TEXT_LENGTH, Place, Runtime, limit
from engine.decision.values import NUMBERS

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@builtin("string", "from")
def string(value: Any) -> str | None:
    """Write any value as text; null stays null."""
    return None if value is None else bounded(display(value))


@builtin("number", "from, grouping separator, decimal separator", required=1)
def to_number(value: Any, grouping: Any = None, point: Any = None) -> Decimal:
    """Read a number; grouping is a space, a comma or a point, and not the decimal separator."""
    written = text(value)
    if grouping is not None and text(grouping) not in (" ", ",", "."):
        raise Fault("分组符只能是空格、逗号或句点")
    if point is not None and text(point) not in (".", ","):
        raise Fault("小数点只能是句点或逗号")
    if grouping is not None and grouping == point:
        raise Fault("分组符不能与小数点相同")
    if grouping is not None:
        written = written.replace(grouping, "")
    if point is not None:
        written = written.replace(point, ".")
    if not _NUMBER.fullmatch(written):
        raise Fault(f"“{written[:40]}”不是数字")
    return NUMBERS.create_decimal(Decimal(written))


@builtin("string length", "string")
def string_length(value: Any) -> Decimal:
    """Count the characters."""
    return Decimal(len(text(value)))


@builtin("substring", "string, start position, length", required=2)
def substring(value: Any, start: Any, length: Any = None) -> str:
    """Cut characters out, from a position (negative: from the end) and, if given, so many."""
    whole, first = text(value), integer(start)
    if first == 0:
        raise Fault("位置从 1 数起（或从末尾的 -1）")
    index = first - 1 if first > 0 else len(whole) + first
    if index < 0 or index >= max(len(whole), 1):
        raise Fault(f"字符串有 {len(whole)} 个字符，没有第 {first} 个")
    if length is None:
        return whole[index:]
    wanted = integer(length)
    if wanted < 1:
        raise Fault("长度要大于零")
    return whole[index : index + wanted]


@builtin("upper case", "string")
def upper_case(value: Any) -> str:
    """Turn letters to upper case."""
    return text(value).upper()


@builtin("lower case", "string")
def lower_case(value: Any) -> str:
    """Turn letters to lower case."""
    return text(value).lower()


@builtin("substring before", "string, match")
def substring_before(value: Any, match: Any) -> str:
    """Cut off the match and what follows; empty where there is none."""
    whole, sought = text(value), text(match)
    return whole[: max(whole.find(sought), 0)]


@builtin("substring after", "string, match")
def substring_after(value: Any, match: Any) -> str:
    """Keep what follows the match; empty where there is none."""
    whole, sought = text(value), text(match)
    return whole.partition(sought)[2] if sought else whole


@builtin("contains", "string, match")
def contains(value: Any, match: Any) -> bool:
    """Tell whether the match occurs."""
    return text(match) in text(value)


@builtin("starts with", "string, match")
def starts_with(value: Any, match: Any) -> bool:
    """Tell whether the string begins with the match."""
    return text(value).startswith(text(match))


@builtin("ends with", "string, match")
def ends_with(value: Any, match: Any) -> bool:
    """Tell whether the string ends with the match."""
    return text(value).endswith(text(match))


def _flags(flags: Any) -> str:
    return "" if flags is None else text(flags)


@builtin("matches", "input, pattern, flags", required=2, wants_runtime=True)
def matches(runtime: Runtime, place: Place, value: Any, pattern: Any, flags: Any = None) -> bool:
    """Tell whether the pattern (XPath's dialect) occurs in the input."""
    whole = text(value)
    compiled = compile_pattern(text(pattern), _flags(flags))
    return compiled.search(whole, 0, runtime, place) is not None


@builtin("replace", "input, pattern, replacement, flags", required=3, wants_runtime=True)
def replace(
    runtime: Runtime, place: Place, value: Any, pattern: Any, replacement: Any, flags: Any = None
) -> str:
    """Replace each occurrence of the pattern; $1 stands for the first group."""
    whole, instead = text(value), text(replacement)
    compiled = compile_pattern(text(pattern), _flags(flags))
    pieces: list[str] = []
    position = length = 0
    for match in compiled.occurrences(whole, runtime, place):
        piece = whole[position : match.start] + expand(instead, match, whole)
        pieces.append(piece)
        length += len(piece)
        if length > MAX_TEXT_LENGTH:
            raise limit("字符串太长", place)
        position = match.end
    return bounded("".join(pieces) + whole[position:])


@builtin("split", "string, delimiter", wants_runtime=True)
def split(runtime: Runtime, place: Place, value: Any, delimiter: Any) -> list[str]:
    """Cut the string at each occurrence of the pattern."""
    whole = text(value)
    compiled = compile_pattern(text(delimiter), "")
    pieces: list[str] = []
    position = 0
    for match in compiled.occurrences(whole, runtime, place):
        if match.end == match.start and match.start in (0, len(whole)):
            continue
        pieces.append(whole[position : match.start])
        position = match.end
    return [*pieces, whole[position:]]


@builtin("string join", "list, delimiter", "list, delimiter, prefix, suffix", required=1)
def string_join(items: Any, delimiter: Any = None, *around: Any) -> str:
    """Join strings; null ones are left out. Prefix and suffix only come together."""
    if len(around) == 1:
        raise Fault("前缀和后缀要一起给出")
    before, after = (text(one) for one in around or ("", ""))
    between = "" if delimiter is None else text(delimiter)
    pieces = [text(item) for item in listed(items) if item is not None]
    if len(pieces) > MAX_LIST_LENGTH or sum(map(len, pieces)) > MAX_TEXT_LENGTH:
        raise limit("字符串太长", None)
    return bounded(before + between.join(pieces) + after)
