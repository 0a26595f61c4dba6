"""FEEL in forms: conditions, computed values, choices and texts, compiled once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from engine import feel
from webforms.forms.schema import FormFault

Compiled = Callable[[Mapping[str, Any]], Any]


@functools.lru_cache(maxsize=2048)
def compiled(text: str) -> Compiled:
    """The expression as a function of its context. Raises FormFault for one that is none."""
    try:
        function: Compiled = feel.compile(text.strip().removeprefix("=").strip())
    except feel.FeelError as error:
        raise FormFault(f"表单里的表达式“{text}”有误：{error}") from error
    return function


def is_true(text: str, context: Mapping[str, Any]) -> bool:
    """Whether a condition holds; null (a value not filled in yet) does not."""
    return compiled(text)(context) is True


def fill(text: str, context: Mapping[str, Any]) -> str:
    """A text with `{{expression}}` replaced by values, as form-js' text component has it."""
    if text.lstrip().startswith("="):
        return _shown(compiled(text)(context))
    pieces: list[str] = []
    rest = text
    while "{{" in rest:
        before, _, after = rest.partition("{{")
        expression, closed, rest = after.partition("}}")
        pieces.append(before)
        pieces.append(_shown(compiled(expression)(context)) if closed else "{{" + expression)
    return "".join((*pieces, rest))


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
