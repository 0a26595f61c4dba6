"""How large a value is when it is written out.

Parts that are shared make a small value of huge extent: sixty lines of doubling hold 2**60 items.
Whoever stores or shows a result writes each part as often as it occurs, so results are measured
before they leave.
"""

from __future__ import annotations

from typing import Any

from engine.decision.errors import FeelLimitError

MAX_EXTENT = 2_000_000
MAX_RESULT_DEPTH = 200
_COMPOUND = frozenset({list, dict})


def within_extent(value: Any) -> Any:
    """Let a value through unless it is too large or too deep. Raises FeelLimitError."""
    if type(value) in _COMPOUND:
        _measure(value, {}, 0)
    return value


def _measure(value: Any, known: dict[int, tuple[int, int]], depth: int) -> tuple[int, int]:
    """Count the items, and the levels, under a list or context; shared parts are visited once."""
    found = known.get(id(value))
    if found is None:
        if depth > MAX_RESULT_DEPTH:
            raise _too_much("嵌套太深")
        count, levels = len(value), 0
        for one in value.values() if type(value) is dict else value:
            if type(one) in _COMPOUND:
                inner, below = _measure(one, known, depth + 1)
                count += inner
                levels = max(levels, below)
        found = known[id(value)] = count, levels + 1
    if found[0] > MAX_EXTENT or depth + found[1] > MAX_RESULT_DEPTH + 1:
        raise _too_much("展开后太大或嵌套太深")
    return found


def _too_much(message: str) -> FeelLimitError:
    return FeelLimitError(f"结果{message}", hint="只返回需要的部分")
