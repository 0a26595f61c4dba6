"""Texts of a model to compiled FEEL; the mechanical part of `${…}` is translated, nothing else."""

from __future__ import annotations

import re

from engine.bpmn.parse import Findings, Xml, label, text_of
from engine.decision import feel
from engine.kernel.program import Expression, Value

_WRAPPED = re.compile(r"[$#]\{(.*)\}\s*", re.DOTALL)
_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_CONTAINS = re.compile(r"(!?)\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.contains\(\s*([^()]*?)\s*\)")
_NOT_NAME = re.compile(r"!\s*([A-Za-z_][\w.]*(?:\([^()]*\))?)(?!\s*=)")
_REPLACED = (("==", "="), ("&&", " and "), ("||", " or "))
_WORDS = {"eq": "=", "ne": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
_WORD = re.compile(r"(?<=[\s\w)])\s+(eq|ne|gt|lt|ge|le)\s+")


def expression(
    text: str, at: Xml, findings: Findings, what: str, *, language: str | None = None
) -> Expression | None:
    """Compile; None with a finding when the text is no FEEL."""
    source = feel_text(text)
    if not source:
        findings.error("empty-expression", f"“{label(at)}”的{what}是空的", at)
        return None
    if language and not _is_feel(language):
        findings.error("expression-language", f"“{label(at)}”的{what}不是 FEEL（{language}）", at)
        return None
    try:
        compiled = feel.compile(source)
    except feel.FeelError as error:
        findings.error("feel-syntax", f"“{label(at)}”的{what}“{source}”写法有误：{error}", at)
        return None
    return Expression(
        text=source,
        evaluate=compiled.evaluate_strict,
        names=tuple(compiled.names),
        line=at.sourceline,
    )


def element_expression(
    element: Xml | None, at: Xml, findings: Findings, what: str
) -> Expression | None:
    """Compile the text of an expression element; None when there is no such element."""
    if element is None:
        return None
    return expression(text_of(element), at, findings, what, language=element.get("language"))


def value(text: str | None, at: Xml, findings: Findings, what: str) -> Value | None:
    """`=FEEL` or `${…}` compiled, anything else as the literal it is."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    if text.startswith("=") or _WRAPPED.fullmatch(text):
        return expression(text, at, findings, what)
    return text


def feel_text(text: str) -> str:
    """The FEEL in a text: a leading `=` dropped, `${…}` unwrapped and translated."""
    text = text.strip()
    if text.startswith("=") and not text.startswith("=="):
        return text[1:].strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is not None:
        return _translated(wrapped[1]).strip()
    if ".contains(" in text:
        return _translated(text).strip()
    return text


def _translated(text: str) -> str:
    """Operators of the unified expression language as FEEL writes them, outside of strings."""
    strings: list[str] = []

    def keep(match: re.Match[str]) -> str:
        strings.append(
            '"' + match[0][1:-1].replace('"', '\\"') + '"' if match[0][0] == "'" else match[0]
        )
        return f"__text{len(strings) - 1}__"

    text = _STRINGS.sub(keep, text)
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = _CONTAINS.sub(
        lambda m: f"not(contains({m[2]}, {m[3]}))" if m[1] else f"contains({m[2]}, {m[3]})", text
    )
    text = _NOT_NAME.sub(r"not(\1)", text)
    text = _WORD.sub(lambda m: f" {_WORDS[m[1]]} ", text)
    for index, string in enumerate(strings):
        text = text.replace(f"__text{index}__", string)
    return text


def _is_feel(language: str) -> bool:
    lowered = language.lower()
    return (
        "feel" in lowered or "dmn" in lowered or ("xpath" not in lowered and "java" not in lowered)
    )
