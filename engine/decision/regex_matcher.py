"""A matcher that counts its steps, for patterns Python's engine might never finish."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from engine.decision.regex_parser import (
    Alternatives,
    Anchor,
    Group,
    Node,
    Reference,
    Repeat,
    Series,
    Single,
)
from engine.decision.runtime import Place, Runtime, limit

if TYPE_CHECKING:
    from collections.abc import Sequence

Spans: TypeAlias = list[tuple[int, int]]
_Next: TypeAlias = Callable[[int], bool]
_MAX_STEPS = 300_000
_MAX_DEPTH = 300
_STEPS_PER_UNIT = 20


class Matcher:
    """Backtracking over the tree, every step counted against a budget."""

    def __init__(self, node: Node, groups: int, *, ignore_case: bool) -> None:
        self._node = node
        self._groups = groups
        self._flags = re.IGNORECASE if ignore_case else re.NOFLAG
        self._singles: dict[str, re.Pattern[str]] = {}

    def search(
        self, text: str, start: int, runtime: Runtime, place: Place
    ) -> tuple[tuple[int, int], ...] | None:
        """Find the first match at or after a position. Raises FeelLimitError."""
        run = _Run(self, text, place)
        try:
            for position in range(start, len(text) + 1):
                run.spans = [(-1, -1)] * (self._groups + 1)
                if run.match(self._node, position, run.finish):
                    run.spans[0] = (position, run.end)
                    return tuple(run.spans)
            return None
        finally:
            runtime.spend(run.steps // _STEPS_PER_UNIT, place)

    def fits(self, single: Single, text: str, position: int) -> bool:
        """Tell whether the character at a position is one of the set."""
        pattern = self._singles.get(single.pattern)
        if pattern is None:
            pattern = re.compile(single.pattern, self._flags)
            self._singles[single.pattern] = pattern
        return position < len(text) and pattern.match(text, position) is not None

    def same(self, one: str, other: str) -> bool:
        """Compare texts as the flags say."""
        return one == other or (bool(self._flags) and one.casefold() == other.casefold())


class _Run:
    def __init__(self, matcher: Matcher, text: str, place: Place) -> None:
        self.matcher = matcher
        self.text = text
        self.place = place
        self.steps = 0
        self.end = -1
        self.spans: Spans = []
        self._depth = 0

    def finish(self, position: int) -> bool:
        self.end = position
        return True

    def match(self, node: Node, position: int, then: _Next) -> bool:
        """Match a node at a position and go on; undo what was remembered on failure."""
        self.steps += 1
        if self.steps > _MAX_STEPS or self._depth > _MAX_DEPTH:
            raise limit("正则表达式的计算量超出上限", self.place, "写得更明确，避免 (a+)+ 之类")
        self._depth += 1
        try:
            return self._match(node, position, then)
        finally:
            self._depth -= 1

    def _match(self, node: Node, position: int, then: _Next) -> bool:
        if isinstance(node, Single):
            return self.matcher.fits(node, self.text, position) and then(position + 1)
        if isinstance(node, Series):
            return self._sequence(node.parts, 0, position, then)
        if isinstance(node, Alternatives):
            return any(self.match(part, position, then) for part in node.parts)
        if isinstance(node, Group):
            return self._group(node, position, then)
        if isinstance(node, Repeat):
            if isinstance(node.node, Single):
                return self._run_of(node, node.node, position, then)
            return self._repeat(node, 0, position, then)
        if isinstance(node, Reference):
            return self._reference(node, position, then)
        return self._anchored(node, position) and then(position)

    def _sequence(self, parts: Sequence[Node], index: int, position: int, then: _Next) -> bool:
        if index == len(parts):
            return then(position)
        return self.match(
            parts[index], position, lambda end: self._sequence(parts, index + 1, end, then)
        )

    def _group(self, node: Group, position: int, then: _Next) -> bool:
        if not node.number:
            return self.match(node.node, position, then)
        before = self.spans[node.number]

        def close(end: int) -> bool:
            inner = self.spans[node.number]
            self.spans[node.number] = (position, end)
            if then(end):
                return True
            self.spans[node.number] = inner
            return False

        if self.match(node.node, position, close):
            return True
        self.spans[node.number] = before
        return False

    def _run_of(self, node: Repeat, single: Single, position: int, then: _Next) -> bool:
        """Repeat a single character without recursion."""
        most = len(self.text) - position if node.most is None else node.most
        count = 0
        while not node.lazy and count < most:
            if not self.matcher.fits(single, self.text, position + count):
                break
            count += 1
        if not node.lazy:
            self.steps += count
            return any(then(position + n) for n in range(count, node.least - 1, -1))
        while count < node.least:
            if not self.matcher.fits(single, self.text, position + count):
                return False
            count += 1
        while True:
            self.steps += 1
            if then(position + count):
                return True
            if count >= most or not self.matcher.fits(single, self.text, position + count):
                return False
            count += 1

    def _repeat(self, node: Repeat, count: int, position: int, then: _Next) -> bool:
        def more(end: int) -> bool:
            if end == position and count >= node.least:
                return False
            return self._repeat(node, count + 1, end, then)

        enough = count >= node.least
        if enough and node.lazy and then(position):
            return True
        if (node.most is None or count < node.most) and self.match(node.node, position, more):
            return True
        return enough and not node.lazy and then(position)

    def _reference(self, node: Reference, position: int, then: _Next) -> bool:
        start, end = self.spans[node.number]
        wanted = self.text[start:end] if start >= 0 else ""
        found = self.text[position : position + len(wanted)]
        return self.matcher.same(found, wanted) and then(position + len(wanted))

    def _anchored(self, node: Anchor, position: int) -> bool:
        if node.start:
            return position == 0 or (node.multiline and self.text[position - 1] == "\n")
        return position == len(self.text) or (node.multiline and self.text[position] == "\n")
