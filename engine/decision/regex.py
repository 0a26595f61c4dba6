"""Patterns of `matches`, `replace` and `split`: XPath's dialect, bounded in time.

A pattern is parsed here, never handed to Python as it is. Where Python's own engine is sure to be
quick it runs the translation; every other pattern runs on our stepping matcher, which counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from engine.decision.errors import Fault
from engine.decision.regex_matcher import Matcher
from engine.decision.regex_parser import Alternatives, Node, Reference, Repeat, Series, parse
from engine.decision.regex_parser import Group as GroupNode
from engine.decision.runtime import Place, Runtime

_MAX_PATTERN = 2_000
_MAX_WORK = 2_000_000
_FLAGS = {"s": re.DOTALL, "m": re.MULTILINE, "i": re.IGNORECASE, "x": re.NOFLAG, "q": re.NOFLAG}


class Match(NamedTuple):
    """Where a pattern matched; group 0 is the whole."""

    start: int
    end: int
    groups: tuple[tuple[int, int], ...]


class Pattern:
    """A compiled pattern."""

    def __init__(self, node: Node, groups: int, flags: str) -> None:
        python_flags = re.NOFLAG
        for flag in flags:
            python_flags |= _FLAGS[flag]
        try:
            self._python = re.compile(node.python(), python_flags)
        except (re.error, RecursionError, OverflowError):
            raise Fault("正则表达式不对") from None
        self._work = _work(node)
        self._node = node
        self._groups = groups
        self._ignore_case = "i" in flags
        self._matcher: Matcher | None = None

    def search(self, text: str, start: int, runtime: Runtime, place: Place) -> Match | None:
        """Find the first occurrence at or after a position. Raises FeelLimitError."""
        length = len(text) - start + 1
        if self._work is not None and self._work[1] * length ** (self._work[0] + 1) <= _MAX_WORK:
            runtime.spend(1 + length // 50, place)
            found = self._python.search(text, start)
            return None if found is None else Match(found.start(), found.end(), found.regs)
        if self._matcher is None:
            self._matcher = Matcher(self._node, self._groups, ignore_case=self._ignore_case)
        spans = self._matcher.search(text, start, runtime, place)
        return None if spans is None else Match(spans[0][0], spans[0][1], spans)

    def occurrences(self, text: str, runtime: Runtime, place: Place) -> Iterator[Match]:
        """Find all occurrences, one after the other."""
        position = 0
        while position <= len(text):
            found = self.search(text, position, runtime, place)
            if found is None:
                return
            yield found
            position = found.end if found.end > found.start else found.end + 1


def _work(node: Node) -> tuple[int, int] | None:
    """Bound the work of Python's engine: a power of the length, and a factor.

    None where it may explode: loops within loops, choices or references within loops, loops over
    what may be empty. Choices outside of loops multiply.
    """
    loops, factor = 0, 1
    queue: list[tuple[Node, bool]] = [(node, False)]
    while queue:
        found, looping = queue.pop()
        if isinstance(found, Reference) or (isinstance(found, Alternatives) and looping):
            return None
        if isinstance(found, Repeat):
            if _may_explode(found, looping=looping):
                return None
            if found.most != found.least:
                loops, factor = (loops, factor * 2) if found.most == 1 else (loops + 1, factor)
            queue.append((found.node, looping or found.most != 1))
        elif isinstance(found, (Alternatives, Series)):
            factor *= len(found.parts) if isinstance(found, Alternatives) else 1
            queue.extend((part, looping) for part in found.parts)
        elif isinstance(found, GroupNode):
            queue.append((found.node, looping))
    return loops, factor


def _may_explode(repeat: Repeat, *, looping: bool) -> bool:
    varies = repeat.most != repeat.least
    return (varies and looping) or (repeat.most != 1 and repeat.node.width() in (0, None))


@lru_cache(maxsize=256)
def compile_pattern(pattern: str, flags: str) -> Pattern:
    """Compile a pattern. Raises Fault for one that XPath would refuse."""
    if len(pattern) > _MAX_PATTERN:
        raise Fault("正则表达式太长")
    for flag in flags:
        if flag not in _FLAGS:
            raise Fault(f"不认识的正则标志“{flag}”，只有 s、m、i、x、q")
    node, groups = parse(pattern, flags)
    return Pattern(node, groups, flags)


def expand(replacement: str, match: Match, text: str) -> str:
    r"""Fill $1 … $99 into a replacement; \$ and \\ stand for themselves."""
    pieces: list[str] = []
    index = 0
    while index < len(replacement):
        letter = replacement[index]
        if letter == "\\" and replacement[index + 1 : index + 2] in ("$", "\\"):
            pieces.append(replacement[index + 1])
            index += 2
        elif letter == "$" and replacement[index + 1 : index + 2].isdecimal():
            index, number = _group_number(replacement, index + 1, len(match.groups))
            start, end = match.groups[number] if number < len(match.groups) else (-1, -1)
            pieces.append(text[start:end] if start >= 0 else "")
        else:
            pieces.append(letter)
            index += 1
    return "".join(pieces)


def _group_number(replacement: str, index: int, groups: int) -> tuple[int, int]:
    number = int(replacement[index])
    index += 1
    if index < len(replacement) and replacement[index].isdecimal():
        longer = number * 10 + int(replacement[index])
        if longer < groups:
            return index + 1, longer
    return index, number
