"""Reading XPath regular expressions into a tree that can be written for Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from engine.decision.errors import Fault
from engine.decision.regex_classes import ESCAPES, SINGLE, category

_MAX_GROUP_DEPTH = 40
_MAX_REPEAT = 1_000
_QUANTIFIER = re.compile(r"\{(\d{1,6})(,(\d{1,6})?)?\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Single:
    """One character out of a set, written as a Python pattern."""

    pattern: str

    def python(self) -> str:
        """Write it for Python's engine."""
        return self.pattern

    def width(self) -> int | None:
        """Count the characters it takes, or None where that varies."""
        return 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that takes no character."""

    start: bool
    multiline: bool

    def python(self) -> str:
        """Write it for Python's engine."""
        if self.multiline:
            return "^" if self.start else "$"
        return r"\A" if self.start else r"\Z"

    def width(self) -> int | None:
        """Count the characters it takes."""
        return 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What an earlier group matched, once more."""

    number: int

    def python(self) -> str:
        """Write it for Python's engine."""
        return f"(?:\\{self.number})"

    def width(self) -> int | None:
        """It varies."""
        return None


@dataclass(frozen=True, slots=True)
class Series:
    """One part after the other."""

    parts: tuple[Node, ...]

    def python(self) -> str:
        """Write it for Python's engine."""
        return "".join(part.python() for part in self.parts)

    def width(self) -> int | None:
        """Count the characters it takes, or None where that varies."""
        widths = [part.width() for part in self.parts]
        return None if None in widths else sum(width or 0 for width in widths)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first part that fits."""

    parts: tuple[Node, ...]

    def python(self) -> str:
        """Write it for Python's engine."""
        return f"(?:{'|'.join(part.python() for part in self.parts)})"

    def width(self) -> int | None:
        """Count the characters it takes, or None where that varies."""
        widths = {part.width() for part in self.parts}
        return widths.pop() if len(widths) == 1 else None


@dataclass(frozen=True, slots=True)
class Group:
    """A part whose match is remembered (number above zero) or not."""

    number: int
    node: Node

    def python(self) -> str:
        """Write it for Python's engine."""
        return f"({'' if self.number else '?:'}{self.node.python()})"

    def width(self) -> int | None:
        """Count the characters it takes, or None where that varies."""
        return self.node.width()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times over."""

    node: Node
    least: int
    most: int | None
    lazy: bool

    def python(self) -> str:
        """Write it for Python's engine."""
        bounds = f"{{{self.least},{'' if self.most is None else self.most}}}"
        return f"(?:{self.node.python()}){bounds}{'?' if self.lazy else ''}"

    def width(self) -> int | None:
        """Count the characters it takes, or None where that varies."""
        one = self.node.width()
        return one * self.least if one is not None and self.least == self.most else None


Node: TypeAlias = Single | Anchor | Reference | Series | Alternatives | Group | Repeat


def parse(pattern: str, flags: str) -> tuple[Node, int]:
    """Read a pattern; also count its groups. Raises Fault."""
    if "q" in flags:
        return Series(tuple(Single(re.escape(letter)) for letter in pattern)), 0
    if "x" in flags:
        pattern = _without_spaces(pattern)
    reader = _Reader(pattern, flags)
    node = reader.alternatives()
    if reader.index < len(pattern):
        raise reader.wrong("多了一个 )")
    return node, reader.groups


def _without_spaces(pattern: str) -> str:
    kept: list[str] = []
    depth = 0
    escaped = False
    for letter in pattern:
        if not escaped and letter in "[]":
            depth += 1 if letter == "[" else -1
        if depth > 0 or letter not in " \t\n\r":
            kept.append(letter)
            escaped = letter == "\\" and not escaped
    return "".join(kept)


class _Reader:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.index = 0
        self.groups = 0
        self._closed: set[int] = set()
        self._depth = 0
        self._any = "." if "s" in flags else r"[^\n\r]"
        self._multiline = "m" in flags

    def wrong(self, message: str) -> Fault:
        return Fault(f"正则表达式第 {self.index + 1} 个字符：{message}")

    def _next(self) -> str:
        return self.pattern[self.index : self.index + 1]

    def _take(self, piece: str) -> bool:
        if self.pattern.startswith(piece, self.index):
            self.index += len(piece)
            return True
        return False

    def alternatives(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_GROUP_DEPTH:
            raise self.wrong("括号嵌套太深")
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._quantified(self._atom()))
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def _quantified(self, node: Node) -> Node:
        if self._take("*"):
            least, most = 0, None
        elif self._take("+"):
            least, most = 1, None
        elif self._take("?"):
            least, most = 0, 1
        elif self._next() == "{":
            least, most = self._counts()
        else:
            return node
        lazy = self._take("?")
        if self._next() and self._next() in "*+?{":
            raise self.wrong("量词不能连写")
        if isinstance(node, Anchor):
            raise self.wrong("^ 和 $ 不能重复")
        return Repeat(node, least, most, lazy)

    def _counts(self) -> tuple[int, int | None]:
        match = _QUANTIFIER.match(self.pattern, self.index)
        if match is None:
            raise self.wrong("{ 要写成 {2} 或 {2,5}，或 \\{")
        self.index = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if least > _MAX_REPEAT or (most or 0) > _MAX_REPEAT:
            raise self.wrong(f"重复次数超过 {_MAX_REPEAT}")
        if most is not None and most < least:
            raise self.wrong("重复次数前大后小")
        return least, most

    def _atom(self) -> Node:
        letter = self._next()
        if letter == "(":
            return self._group()
        if letter == "[":
            return Single(self._class())
        if letter == "\\":
            return self._escape()
        self.index += 1
        if letter == ".":
            return Single(self._any)
        if letter in "^$":
            return Anchor(letter == "^", self._multiline)
        if letter in "*+?{":
            self.index -= 1
            raise self.wrong(f"{letter} 前面没有可重复的部分")
        return Single(re.escape(letter))

    def _group(self) -> Node:
        self.index += 1
        number = 0
        if self._take("?:"):
            pass
        elif self._next() == "?":
            raise self.wrong("只支持 (…) 和 (?:…)")
        else:
            self.groups += 1
            number = self.groups
        node = self.alternatives()
        if not self._take(")"):
            raise self.wrong("少了一个 )")
        self._closed.add(number)
        return Group(number, node)

    def _escape(self) -> Node:
        follower = self.pattern[self.index + 1 : self.index + 2]
        if follower.isdecimal():
            return self._reference()
        return Single(f"[{self._class_escape()}]" if follower.lower() in "dwsicp" and follower
                      else re.escape(self._single_escape()))  # fmt: skip

    def _reference(self) -> Node:
        self.index += 1
        number = int(self._next())
        self.index += 1
        while self._next().isdecimal() and number * 10 + int(self._next()) in self._closed:
            number = number * 10 + int(self._next())
            self.index += 1
        if number == 0 or number not in self._closed:
            raise self.wrong(f"没有第 {number} 个括号可引用")
        return Reference(number)

    def _single_escape(self) -> str:
        letter = self.pattern[self.index + 1 : self.index + 2]
        if letter not in SINGLE:
            raise self.wrong(f"没有“\\{letter}”这种写法")
        self.index += 2
        return SINGLE[letter]

    def _class_escape(self) -> str:
        r"""Read `\d`, `\W`, `\p{L}` …, written as the inside of a Python class."""
        letter = self.pattern[self.index + 1]
        self.index += 2
        if letter in "pP":
            match = re.compile(r"\{([^}]+)\}").match(self.pattern, self.index)
            if match is None:
                raise self.wrong("写成 \\p{L} 的样子")
            self.index = match.end()
            return ("^" if letter == "P" else "") + category(match[1])
        members = ESCAPES[letter.lower()]
        if letter.islower():
            return members
        return members[1:] if members.startswith("^") else "^" + members

    def _class(self) -> str:
        """Read `[…]` with ranges and subtraction; a Python pattern for one character."""
        self.index += 1
        negated = self._take("^")
        plain: list[str] = []
        complements: list[str] = []
        subtracted = ""
        while not self._take("]") or not (plain or complements):
            if self._next() == "":
                raise self.wrong("少了一个 ]")
            if self.pattern.startswith("-[", self.index) and (plain or complements):
                self.index += 1
                subtracted = self._class()
                if not self._take("]"):
                    raise self.wrong("减去的字符类之后要有 ]")
                break
            members = self._member()
            (complements if members.startswith("^") else plain).append(members)
        choices = [f"[{''.join(plain)}]"] if plain else []
        choices += [f"[{one}]" for one in complements]
        anyone = choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
        if negated:
            anyone = f"(?!{anyone})(?s:.)"
        return f"(?:(?!{subtracted}){anyone})" if subtracted else f"(?:{anyone})"

    def _member(self) -> str:
        if self._next() == "\\" and self.pattern[self.index + 1 : self.index + 2].lower() in tuple(
            "dwsicp"
        ):
            return self._class_escape()
        first = self._class_letter()
        follower = self.pattern[self.index + 1 : self.index + 2]
        if self._next() == "-" and follower not in ("]", "[", ""):
            self.index += 1
            last = self._class_letter()
            if last < first:
                raise self.wrong("字符范围前大后小")
            return f"{re.escape(first)}-{re.escape(last)}"
        return re.escape(first)

    def _class_letter(self) -> str:
        letter = self._next()
        if letter == "\\":
            return self._single_escape()
        if letter == "[":
            raise self.wrong("字符类里的 [ 要写成 \\[")
        self.index += 1
        return letter
