"""The unified expression language of other engines (`${…}`, `#{…}`) as FEEL says it.

Only what means the same is translated: operators, ternaries, properties, a handful of methods of
strings and lists.  Whatever calls into Java or the other engine is refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)[lLdDfF]?(?![\w])
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<name>[^\W\d][\w$]*)
    | (?P<sign>===|!==|&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]])
    )""",
    re.VERBOSE,
)
_WORDS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "div": "/",
    "mod": "%",
}
_BINARY: dict[str, tuple[int, str]] = {
    "||": (1, "or"),
    "&&": (2, "and"),
    "==": (3, "="),
    "===": (3, "="),
    "!=": (3, "!="),
    "!==": (3, "!="),
    "<": (3, "<"),
    ">": (3, ">"),
    "<=": (3, "<="),
    ">=": (3, ">="),
    "+": (4, "+"),
    "-": (4, "-"),
    "*": (5, "*"),
    "/": (5, "/"),
}
_COMPARISON, _UNARY, _PRIMARY = 3, 6, 8
_ENGINE = frozenset(
    [
        "execution",
        "task",
        "authenticatedUserId",
        "connector",
        "caseExecution",
        "delegateExecution",
        "kcontext",
    ]
)
_PART = re.compile(r"[$#]\{((?:[^{}\"']|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*)\}")


class NotMechanical(Exception):
    """Something has no counterpart in FEEL; the text says what, in words for people."""


@dataclass(frozen=True, slots=True)
class _Code:
    text: str
    power: int = _PRIMARY

    def within(self, power: int) -> str:
        """The text as an operand of something that binds with `power`."""
        return self.text if self.power >= power else f"({self.text})"


def is_wrapped(text: str) -> bool:
    """Whether a text is `${…}` as a whole."""
    return _PART.fullmatch(text.strip()) is not None


def has_wrapped(text: str) -> bool:
    """Whether a text has `${…}` in it."""
    return _PART.search(text) is not None


def template(text: str) -> str:
    """A text with `${…}` in it as FEEL: the expression alone, or a concatenation.

    Raises NotMechanical.
    """
    text = text.strip()
    whole = _PART.fullmatch(text)
    if whole is not None:
        return translate(whole[1])
    parts: list[str] = []
    last = 0
    for found in _PART.finditer(text):
        if text[last : found.start()]:
            parts.append(_literal(text[last : found.start()]))
        parts.append(f"string({translate(found[1])})")
        last = found.end()
    if text[last:]:
        parts.append(_literal(text[last:]))
    return " + ".join(parts)


def translate(text: str) -> str:
    """One expression without its braces as FEEL. Raises NotMechanical."""
    reader = _Reader(text)
    found = reader.ternary()
    reader.finish()
    return found.text


def script(text: str) -> str | None:
    """A few assignments of a Java-like language as a FEEL context, or None."""
    entries: list[str] = []
    for line in map(str.strip, re.split(r"[;\n]+", text)):
        if not line or line.startswith("//"):
            continue
        found = _SET.fullmatch(line) or _ASSIGN.fullmatch(line)
        if found is None:
            return None
        try:
            entries.append(f"{found['name']}: {translate(found['value'])}")
        except NotMechanical:
            return None
    return "{" + ", ".join(entries) + "}" if entries else None


_SET = re.compile(
    r"(?:execution|kcontext)\s*\.\s*setVariable\(\s*[\"'](?P<name>[^\W\d]\w*)[\"']\s*,(?P<value>.+)\)",
    re.DOTALL,
)
_ASSIGN = re.compile(
    r"(?:(?:def|var|let|const)\s+)?(?P<name>[^\W\d]\w*)\s*=(?!=)(?P<value>.+)", re.DOTALL
)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _contains(of: str, given: list[str]) -> str:
    return f"contains({of}, {given[0]})"


def _empty(of: str) -> str:
    """True for null, an empty string and an empty list, as there."""
    as_text = f'{of} = null or {of} = ""'
    return f"(if {of} instance of string or {of} = null then {as_text} else count({of}) = 0)"


_METHODS: dict[tuple[str, int], Callable[[str, list[str]], str]] = {
    ("contains", 1): _contains,
    ("includes", 1): _contains,
    ("startsWith", 1): lambda of, given: f"starts with({of}, {given[0]})",
    ("endsWith", 1): lambda of, given: f"ends with({of}, {given[0]})",
    ("toLowerCase", 0): lambda of, _: f"lower case({of})",
    ("toUpperCase", 0): lambda of, _: f"upper case({of})",
    ("length", 0): lambda of, _: f"string length({of})",
    ("size", 0): lambda of, _: f"count({of})",
    ("isEmpty", 0): lambda of, _: _empty(of),
}


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def finish(self) -> None:
        """Raises NotMechanical where something is left over."""
        if self._at < len(self._tokens):
            raise NotMechanical(f"“{self._tokens[self._at][1]}”")

    def ternary(self) -> _Code:
        """A condition and what follows, `a ? b : c`, or what binds tighter."""
        condition = self._binary(1)
        if not self._take("?"):
            return condition
        yes = self.ternary()
        self._expect(":")
        no = self.ternary()
        return _Code(
            f"if {condition.text} then {yes.within(1)} else {no.within(0)}",
            0,
        )

    def _binary(self, least: int) -> _Code:
        left = self._unary()
        while (sign := self._sign()) is not None and (sign in _BINARY or sign == "%"):
            if sign == "%":
                raise NotMechanical("取余 %（FEEL 的 modulo 对负数结果不同）")
            power, written = _BINARY[sign]
            if power < least:
                break
            self._at += 1
            right = self._binary(power + 1)
            side = power + 1 if power == _COMPARISON else power
            left = _Code(f"{left.within(side)} {written} {right.within(power + 1)}", power)
        return left

    def _unary(self) -> _Code:
        if self._take("!"):
            return _Code(f"not({self._unary().text})")
        if self._take("-"):
            return _Code(f"-{self._unary().within(_UNARY)}", _UNARY)
        if self._peek() == ("name", "empty") and self._begins_operand(self._at + 1):
            self._at += 1
            return _Code(_empty(self._unary().within(_PRIMARY)))
        return self._postfix(self._primary())

    def _begins_operand(self, at: int) -> bool:
        return at < len(self._tokens) and (
            self._tokens[at][0] != "sign" or self._tokens[at][1] in ("(", "!", "-")
        )

    def _primary(self) -> _Code:
        kind, text = self._peek()
        self._at += 1
        if kind == "number":
            return _Code(text)
        if kind == "string":
            return _Code(_literal(_unescaped(text)))
        if (kind, text) == ("sign", "("):
            inner = self.ternary()
            self._expect(")")
            return inner
        if kind == "name":
            return self._name(text)
        raise NotMechanical(f"“{text}”" if text else "没写完的表达式")

    def _name(self, name: str) -> _Code:
        if name in ("now", "dateTime") and self._sign() == "(":
            if self._arguments():
                raise NotMechanical(f"函数 {name}(…)")
            return _Code("now()")
        if self._sign() == "(":
            raise NotMechanical(f"函数 {name}(…)")
        if name == "execution" and self._peek(1)[1] == "getVariable":
            self._at += 2
            given = self._arguments()
            if len(given) == 1 and re.fullmatch(r'"[^\W\d]\w*"', given[0]):
                return _Code(given[0][1:-1])
            raise NotMechanical("execution.getVariable(…)")
        if name in _ENGINE:
            raise NotMechanical(f"{name}（那个引擎的对象）")
        if name == "loopCounter":
            return _Code("loopCounter - 1", _BINARY["-"][0])
        return _Code(name)

    def _postfix(self, code: _Code) -> _Code:
        while True:
            if self._take("."):
                kind, name = self._peek()
                if kind != "name":
                    raise NotMechanical(f"“.{name}”")
                self._at += 1
                code = self._member(code, name)
            elif self._take("["):
                code = self._indexed(code)
            else:
                return code

    def _member(self, code: _Code, name: str) -> _Code:
        if self._sign() != "(":
            return _Code(f"{code.within(_PRIMARY)}.{name}")
        given = self._arguments()
        if name == "equals" and len(given) == 1:
            return _Code(f"{code.within(_COMPARISON + 1)} = {given[0]}", _COMPARISON)
        method = _METHODS.get((name, len(given)))
        if method is None:
            raise NotMechanical(f"方法调用 {code.text}.{name}(…)")
        return _Code(method(code.text, given))

    def _indexed(self, code: _Code) -> _Code:
        kind, text = self._peek()
        self._at += 1
        self._expect("]")
        of = code.within(_PRIMARY)
        if kind == "number" and text.isdigit():
            return _Code(f"{of}[{int(text) + 1}]")
        if kind == "string" and re.fullmatch(r"[^\W\d]\w*", _unescaped(text)):
            return _Code(f"{of}.{_unescaped(text)}")
        raise NotMechanical(f"下标 [{text}]")

    def _arguments(self) -> list[str]:
        self._expect("(")
        given: list[str] = []
        if self._take(")"):
            return given
        while True:
            given.append(self.ternary().text)
            if self._take(")"):
                return given
            self._expect(",")

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "")

    def _sign(self) -> str | None:
        kind, text = self._peek()
        return text if kind == "sign" else None

    def _take(self, sign: str) -> bool:
        if self._sign() != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise NotMechanical(f"“{self._peek()[1]}”" if self._peek()[1] else "没写完的表达式")


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotMechanical(f"“{text[at:].strip()[:20]}”")
        at = match.end()
        kind = match.lastgroup or ""
        value = match[kind]
        if kind == "name" and value in _WORDS and (not found or found[-1][1] != "."):
            kind, value = "sign", _WORDS[value]
        found.append((kind, value))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
