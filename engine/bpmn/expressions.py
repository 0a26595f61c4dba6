"""Texts of a model to compiled FEEL; the mechanical part of `${…}` is translated, nothing else."""

from __future__ import annotations

from engine.bpmn.foreign_expressions import (
    NotMechanical,
    has_wrapped,
    is_wrapped,
    script,
    template,
    translate,
)
from engine.bpmn.parse import Findings, Xml, label, text_of
from engine.decision import feel
from engine.kernel.program import Expression, Value


def expression(
    text: str, at: Xml, findings: Findings, what: str, *, language: str | None = None
) -> Expression | None:
    """Compile; None with a finding when the text is no FEEL."""
    if not text.strip():
        findings.error("empty-expression", f"“{label(at)}”的{what}是空的", at)
        return None
    if language and not _is_feel(language) and not is_wrapped(text):
        findings.error(
            "expression-language",
            f"“{label(at)}”的{what}不是 FEEL（{language}）{_offered(text, also_same=True)}",
            at,
        )
        return None
    try:
        source = _source(text)
    except NotMechanical as error:
        _not_mechanical(text, error, at, findings, what)
        return None
    try:
        compiled = feel.compile(source)
    except feel.FeelError as error:
        findings.error(
            "feel-syntax",
            f"“{label(at)}”的{what}“{source}”写法有误：{error}{_offered(text)}",
            at,
        )
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
    if text.startswith("="):
        return expression(text, at, findings, what)
    if has_wrapped(text):
        try:
            return expression(f"={template(text)}", at, findings, what)
        except NotMechanical as error:
            _not_mechanical(text, error, at, findings, what)
            return None
    return text


def feel_text(text: str) -> str:
    """The FEEL in a text: a leading `=` dropped, `${…}` translated where it can be."""
    try:
        return _source(text)
    except NotMechanical:
        return text.strip()


def offered_script(text: str) -> str:
    """Words that offer a few assignments as FEEL, or nothing."""
    found = script(text)
    return "" if found is None or not _compiles(found) else f"；可以写成 {found}"


def _source(text: str) -> str:
    text = text.strip()
    if text.startswith("=") and not text.startswith("=="):
        return text[1:].strip()
    if is_wrapped(text) or (has_wrapped(text) and not _compiles(text)):
        return template(text)
    if ".contains(" in text:
        return translate(text)
    return text


def _not_mechanical(
    text: str, error: NotMechanical, at: Xml, findings: Findings, what: str
) -> None:
    findings.error(
        "foreign-expression",
        f"“{label(at)}”的{what}“{text.strip()}”里的 {error} 在 FEEL 里没有对应的写法，请改写",
        at,
    )


def _offered(text: str, *, also_same: bool = False) -> str:
    """Words that offer the same expression as FEEL, where that is mechanical."""
    try:
        plain = text.strip().removeprefix("return ").removesuffix(";")
        found = template(text) if has_wrapped(text) else translate(plain)
    except NotMechanical:
        return ""
    is_news = also_same or found != text.strip()
    return f"；可以写成 {found}" if is_news and _compiles(found) else ""


def _compiles(source: str) -> bool:
    try:
        feel.compile(source)
    except feel.FeelError:
        return False
    return True


def _is_feel(language: str) -> bool:
    return "feel" in language.lower() or "dmn" in language.lower()
