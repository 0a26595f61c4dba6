"""Walking over tokens: what every part of the parser needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from engine.decision.errors import FeelSyntaxError
from engine.decision.kinds import FeelType
from engine.decision.lexer import KEYWORDS, Token, TokenKind, full_width_hint, tokenize
from engine.decision.names import NAME_SIGNS, NameTable

MAX_DEPTH = 60
MAX_CHAIN = 300
_MAX_STEPS = 200_000

_CONJUNCTIONS = frozenset({"and", "or"})
MEMBER_NAMES = ("time offset", "start included", "end included")


class Cursor:
    """A position in the tokens, the names known there and the limits of depth and work."""

    def __init__(
        self,
        text: str,
        *,
        names: Iterable[str] = (),
        builtin_names: Iterable[str] = (),
        member_names: Iterable[str] = (),
        types: Mapping[str, FeelType] | None = None,
    ) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.types: Mapping[str, FeelType] = types or {}
        self.known = NameTable()
        self.functions = NameTable(builtin_names)
        self.members = NameTable(MEMBER_NAMES)
        for name in member_names:
            self.members.add(name)
        for name in names:
            self.learn(name)
        self._depth = 0
        self._steps = 0

    def learn(self, name: str) -> None:
        """Make a name known from here on, as a variable and as a member of a context."""
        self.known.add(name)
        self.members.add(name)

    def longest(self) -> tuple[str, int] | None:
        """Find the longest known name here, and the token after it.

        The name of a function that holds `and` or `or` counts only where it is called:
        elsewhere `date and time` joins two variables.
        """
        found = self.known.longest(self.tokens, self.index)
        if found is not None:
            return found
        found = self.functions.longest(self.tokens, self.index)
        if found is None or self.tokens[found[1]].text == "(":
            return found
        return None if _CONJUNCTIONS.intersection(found[0].split()) else found

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.index]

    def peek(self, ahead: int = 1) -> Token:
        """Look at a later token."""
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Read a token."""
        token = self.tokens[self.index]
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise self.error("表达式太复杂", hint="拆成几个决策")
        if token.kind is not TokenKind.END:
            self.index += 1
        return token

    def at_symbol(self, *symbols: str) -> bool:
        """Tell whether the next token is one of these signs."""
        token = self.tokens[self.index]
        return token.kind is TokenKind.SYMBOL and token.text in symbols

    def at_word(self, *words: str) -> bool:
        """Tell whether the next token is one of these words."""
        token = self.tokens[self.index]
        return token.kind is TokenKind.NAME and token.text in words

    def take_symbol(self, *symbols: str) -> Token | None:
        """Read the next token if it is one of these signs."""
        return self.advance() if self.at_symbol(*symbols) else None

    def take_word(self, *words: str) -> Token | None:
        """Read the next token if it is one of these words."""
        return self.advance() if self.at_word(*words) else None

    def expect_symbol(self, symbol: str, hint: str | None = None) -> Token:
        """Read this sign. Raises FeelSyntaxError."""
        if not self.at_symbol(symbol):
            raise self.unexpected(f"“{symbol}”", hint)
        return self.advance()

    def expect_word(self, word: str, hint: str | None = None) -> Token:
        """Read this word. Raises FeelSyntaxError."""
        if not self.at_word(word):
            raise self.unexpected(f"“{word}”", hint)
        return self.advance()

    def error(
        self, message: str, *, at: int | None = None, hint: str | None = None
    ) -> FeelSyntaxError:
        """Make an error at the next token or at an offset."""
        position = self.token.start if at is None else at
        return FeelSyntaxError(message, text=self.text, position=position, hint=hint)

    def unexpected(self, wanted: str, hint: str | None = None) -> FeelSyntaxError:
        """Make an error that names what should stand here and what does."""
        token = self.token
        found = "表达式到此结束" if token.kind is TokenKind.END else f"却是“{token.text}”"
        return self.error(f"这里应是{wanted}，{found}", hint=hint or full_width_hint(token.text))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Guard one level of nesting. Raises FeelSyntaxError when there are too many."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"表达式嵌套超过 {MAX_DEPTH} 层", hint="拆成几个决策")
        try:
            yield
        finally:
            self._depth -= 1

    def name(self) -> str:
        """Read a variable name: the longest known one, else all words that follow one another."""
        return self._name(self.longest())

    def member_name(self) -> str:
        """Read a name after a dot."""
        longer = self.members.longest(self.tokens, self.index)
        if longer is None and self.token.text in KEYWORDS:
            return self.advance().text
        return self._name(longer)

    def _name(self, found: tuple[str, int] | None) -> str:
        if found is not None:
            self.index = found[1]
            return found[0]
        words = [self.advance().text]
        while self.token.kind is TokenKind.NAME and self.token.text not in KEYWORDS:
            words.append(self.advance().text)
        return " ".join(words)

    def name_until(self, *stops: str) -> str | None:
        """Read a name being introduced, up to one of the stop tokens; None if it is none.

        Nothing is read when it is none.
        """
        index = self.index
        if self.tokens[index].kind is not TokenKind.NAME:
            return None
        pieces: list[str] = []
        previous_end = -1
        while self.tokens[index].text not in stops or self.tokens[index].kind is TokenKind.STRING:
            token = self.tokens[index]
            if token.kind not in (TokenKind.NAME, TokenKind.NUMBER) and not (
                token.kind is TokenKind.SYMBOL and token.text in NAME_SIGNS
            ):
                return None
            if previous_end not in (-1, token.start):
                pieces.append(" ")
            pieces.append(token.text)
            previous_end = token.end
            index += 1
        self.index = index
        return "".join(pieces)
