"""Names with spaces and signs in them, found by longest match (DMN 1.5 §10.3.1.2).

`tax rate - 1` is a subtraction unless something in scope is called "tax rate - 1".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from engine.decision.errors import FeelSyntaxError
from engine.decision.lexer import KEYWORDS, Token, TokenKind, tokenize
from engine.decision.values import NATIVE_SCALARS

NAME_SIGNS = frozenset("./-’'+*&%#^~|!$") | {"**", "->", ".."}
_MAX_SEEN = 2_000


class NameTable:
    """The names in scope whose writing needs more than one token."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make a name known; one that is a single word needs no entry."""
        words = words_of(name)
        if not words or (len(words) == 1 and words[0] not in KEYWORDS):
            return
        entries = self._by_first.setdefault(words[0], [])
        if (words, name) not in entries:
            entries.append((words, name))
            entries.sort(key=lambda entry: -len(entry[0]))

    def longest(self, tokens: list[Token], index: int) -> tuple[str, int] | None:
        """Find the longest known name that begins at a token, and the token after it."""
        for words, name in self._by_first.get(tokens[index].text, ()):
            end = index + len(words)
            if end < len(tokens) and all(
                token.text == word and token.kind is not TokenKind.STRING
                for token, word in zip(tokens[index:end], words, strict=True)
            ):
                return name, end
        return None


def words_of(name: str) -> tuple[str, ...]:
    """Cut a name into the tokens it is written with; empty if it cannot be written."""
    if name.isidentifier() and name.isascii():
        return (name,)
    try:
        tokens = tokenize(name)[:-1]
    except FeelSyntaxError:
        return ()
    if not tokens or tokens[0].kind is not TokenKind.NAME:
        return ()
    return tuple(token.text for token in tokens)


def special_names(context: Mapping[str, Any]) -> frozenset[str]:
    """Collect the keys, also of contexts within, that need more than one token to be written."""
    found: set[str] = set()
    queue: list[Any] = [context]
    seen = 0
    while queue and seen < _MAX_SEEN:
        value = queue.pop()
        seen += 1
        if isinstance(value, Mapping):
            found.update(key for key in value if isinstance(key, str) and not key.isidentifier())
            queue.extend(one for one in value.values() if isinstance(one, (Mapping, list, tuple)))
        elif isinstance(value, (list, tuple)):
            queue.extend(one for one in value[:20] if isinstance(one, (Mapping, list, tuple)))
    return frozenset(found)


def may_need_names(tokens: list[Token]) -> bool:
    """Tell whether some name of the caller could change how the tokens are read.

    Names that hold a dot or a reserved word are rare, and dots and reserved words are not: such
    names are only found when they are told beforehand.
    """
    return any(
        token.kind is TokenKind.NAME
        and token.text not in KEYWORDS
        and following.text not in KEYWORDS
        and (following.kind in _JOINING or following.text in _JOINING_SIGNS)
        for token, following in pairwise(tokens)
    )


_JOINING = frozenset({TokenKind.NAME, TokenKind.NUMBER})
_JOINING_SIGNS = NAME_SIGNS - {".", "..", "->"}
_PLAIN = NATIVE_SCALARS | {int, float}


def is_plain(context: Mapping[str, Any]) -> bool:
    """Tell at a glance that a context has no special names: plain keys and plain values."""
    for key, value in context.items():
        if type(key) is not str or not key.isidentifier() or type(value) not in _PLAIN:
            return False
    return True
