"""The part of FEEL that a browser can decide by itself, as JSON for `data-when`.

Comparisons with literals, `in (…)`, `and`, `or`, `not(…)`: `["=", "f-kind", "fire"]`.  Everything
else is asked of the server again when a value changes; the server decides in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Names = Callable[[str], str | None]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?[0-9]+(?:\.[0-9]+)?)|"(?P<string>[^"\\]*)"|(?P<op><=|>=|!=|=|<|>|\(|\)|\[|\]|,)"""
    r"""|(?P<word>[^\W0-9][\w.]*))""",
    re.UNICODE,
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


class _NotSimpleError(Exception):
    """Outside the subset."""


def compiled(text: str, name_of: Names) -> list[Any] | None:
    """The predicate as JSON, or None where the browser has to ask.

    `name_of` answers the input's name for a path, None for what is no input of this form.
    """
    try:
        reader = _Reader(_tokens(text), name_of)
        found = reader.either()
    except _NotSimpleError:
        return None
    return found if reader.is_at_end else None


def _tokens(text: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _NotSimpleError
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


@dataclass(slots=True)
class _Reader:
    tokens: list[tuple[str, Any]]
    name_of: Names
    at: int = 0

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.tokens)

    def either(self) -> list[Any]:
        parts = [self.both()]
        while self._word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ["or", *parts]

    def both(self) -> list[Any]:
        parts = [self.single()]
        while self._word("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else ["and", *parts]

    def single(self) -> list[Any]:
        if self._word("not"):
            self._need("(")
            inner = self.either()
            self._need(")")
            return ["not", inner]
        if self._op("("):
            inner = self.either()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> list[Any]:
        name = self._name()
        if self._word("in"):
            return ["in", name, self._list()]
        kind, op = self._next()
        if kind != "op" or op not in _COMPARISONS:
            raise _NotSimpleError
        value = self._literal()
        if value is None:
            if op not in {"=", "!="}:
                raise _NotSimpleError
            return ["null", name] if op == "=" else ["not", ["null", name]]
        return _boolean(op, name, value) if isinstance(value, bool) else [op, name, value]

    def _list(self) -> list[Any]:
        closing = "]" if self._op("[") else ")"
        if closing == ")":
            self._need("(")
        values = [self._literal()]
        while self._op(","):
            values.append(self._literal())
        self._need(closing)
        return values

    def _literal(self) -> Any:
        kind, value = self._next()
        if kind == "string":
            return value
        if kind == "number":
            return float(value) if "." in value else int(value)
        if kind == "word" and value in _WORDS:
            return _WORDS[value]
        raise _NotSimpleError

    def _name(self) -> str:
        kind, value = self._next()
        name = self.name_of(value) if kind == "word" else None
        if name is None:
            raise _NotSimpleError
        return name

    def _word(self, wanted: str) -> bool:
        return self._skip(("word", wanted))

    def _op(self, wanted: str) -> bool:
        return self._skip(("op", wanted))

    def _skip(self, token: tuple[str, str]) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def _need(self, op: str) -> None:
        if not self._op(op):
            raise _NotSimpleError

    def _next(self) -> tuple[str, Any]:
        if self.is_at_end:
            raise _NotSimpleError
        token = self.tokens[self.at]
        self.at += 1
        return token


def _boolean(op: str, name: str, value: bool) -> list[Any]:
    # A ticked box is sent as "true", an unticked one not at all.
    if op not in {"=", "!="}:
        raise _NotSimpleError
    ticked = ["=", name, "true"]
    return ticked if value is (op == "=") else ["not", ticked]
