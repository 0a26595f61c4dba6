"""FEEL text to tokens (DMN 1.5 §10.3.1.2)."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from engine.decision.errors import FeelSyntaxError

MAX_TEXT = 100_000

_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SPACE = "\t\n\v\f\r \u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_TOKEN = re.compile(
    rf"""(?P<space>(?:[{_SPACE}]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<name>[{_START}][{_PART}]*)
    |(?P<quoted>`[^`\n]+`)
    |(?P<symbol>(?!/\*)(?:\*\*|\.\.|<=|>=|!=|->|[-+*/=<>()\[\]{{}},.:@;’'&%\#^~|!$]))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "\\": "\\"}
KEYWORDS = frozenset(
    {"if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "and", "or"}
    | {"between", "instance", "of", "function", "external", "true", "false", "null", "not"}
)
# Characters of a Chinese keyboard that look like FEEL's own.
_FULL_WIDTH = dict(
    zip("，（）：＝＞＜＋－＊／“”‘’【】｛｝！？；", ",():=><+-*/\"\"''[]{}!?;", strict=True)
)


class TokenKind(Enum):
    """What a token is."""

    NUMBER = auto()
    STRING = auto()
    NAME = auto()
    SYMBOL = auto()
    END = auto()


class Token(NamedTuple):
    """A piece of the text; `text` of a string is its value."""

    kind: TokenKind
    text: str
    start: int
    end: int


_KINDS = {
    "number": TokenKind.NUMBER,
    "string": TokenKind.STRING,
    "name": TokenKind.NAME,
    "quoted": TokenKind.NAME,
    "symbol": TokenKind.SYMBOL,
}


def tokenize(text: str) -> list[Token]:
    """Cut the text into tokens, the last of them END. Raises FeelSyntaxError."""
    if len(text) > MAX_TEXT:
        raise FeelSyntaxError(f"表达式超过 {MAX_TEXT} 个字符", hint="拆成几个决策")
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind = match.lastgroup or ""
        end = match.end()
        if kind != "space":
            piece = match.group()
            tokens.append(Token(_KINDS[kind], _value(kind, piece), position, end))
        position = end
    tokens.append(Token(TokenKind.END, "", len(text), len(text)))
    return tokens


def _value(kind: str, piece: str) -> str:
    if kind == "string":
        return _unescape(piece)
    # Not in the standard, but how other engines let a name hold anything: `a-b`.
    return piece[1:-1] if kind == "quoted" else piece


def _unreadable(text: str, position: int) -> FeelSyntaxError:
    found = text[position]
    if found == '"':
        message, hint = "字符串没有结束", '在末尾补上 "'
    elif text.startswith("/*", position):
        message, hint = "注释没有结束", "在末尾补上 */"
    elif found in _FULL_WIDTH:
        message, hint = f"不能用全角符号“{found}”", f"改用半角 {_FULL_WIDTH[found]}"
    else:
        message, hint = f"不认识的字符“{found}”", None
    return FeelSyntaxError(message, text=text, position=position, hint=hint)


def full_width_hint(name: str) -> str | None:
    """Advise on a name that holds a full-width sign, which is a letter to FEEL."""
    found = next((letter for letter in name if letter in _FULL_WIDTH), None)
    return f"全角的“{found}”改用半角 {_FULL_WIDTH[found]}" if found else None


def _unescape(literal: str) -> str:
    body = literal[1:-1]
    if "\\" not in body:
        return body
    return _ESCAPE.sub(_escape, body).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else match[0]
    # An escape FEEL does not know stays as it is: patterns such as "\d" rely on it.
    return _ESCAPES.get(match[3], match[0])
