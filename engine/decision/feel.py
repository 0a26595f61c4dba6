"""FEEL, the expression language of DMN 1.5: compile once, evaluate as often as you like.

`compile` gives code that is bounded in steps, depth and memory, has no access to Python and may
be shared by threads. Evaluation yields null where FEEL says so; `evaluate_strict` raises instead,
for callers to whom a silent null would be a wrong decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any

from engine.decision import literals
from engine.decision.builtins import BUILTINS
from engine.decision.codegen import Compiled, Generator
from engine.decision.errors import (
    Fault,
    FeelError,
    FeelLimitError,
    FeelSyntaxError,
    Remark,
    RemarkKind,
)
from engine.decision.extent import within_extent
from engine.decision.kinds import FeelType
from engine.decision.names import is_plain, may_need_names, special_names
from engine.decision.parser import Parser
from engine.decision.runtime import Runtime, limit
from engine.decision.tree import Node
from engine.decision.values import FeelFunction, Range, YearMonthDuration
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

__all__ = [
    "CompiledExpression",
    "FeelError",
    "FeelFunction",
    "FeelLimitError",
    "FeelSyntaxError",
    "Range",
    "Remark",
    "RemarkKind",
    "WideDate",
    "WideDateTime",
    "WideDuration",
    "WideTime",
    "YearMonthDuration",
    "compile",
    "compile_unary",
    "dumps",
    "evaluate",
    "parse_names",
    "unary_test",
    "use_instant",
]

_NOTHING: Mapping[str, Any] = {}
_INPUT = "?"
_MAX_VARIANTS = 32
_SMALL = frozenset({str, bool, Decimal, type(None)})
_instant: Callable[[], datetime] | None = None


def use_instant(provider: Callable[[], datetime] | None) -> None:
    """Inject where `now()` and `today()` come from when a call gives no `at=`.

    Only `evaluate` and `unary_test` of this module fall back on it; compiled expressions take
    their moment from the caller and nowhere else.
    """
    global _instant  # noqa: PLW0603 — the one seam by which the front door lends its clock
    _instant = provider


def default_instant() -> datetime | None:
    """Ask the injected provider for the moment, if there is one."""
    return None if _instant is None else _instant()


def unusable(problem: Exception) -> FeelError:
    """Make the error of an evaluation that broke off: too deep, or a number that is none."""
    if isinstance(problem, DecimalException):
        return FeelError("数据里有不是数的数（NaN）", hint="传入有限的数或 null")
    return limit("计算嵌套太深", None, "改用 for 循环")


class CompiledExpression:
    """An expression ready to run. Equal and hashed by text and kind; safe to share.

    `names` are the variables it reads. A built-in's name is among them where it is not called:
    there a variable of that name is meant when there is one, else the function itself.
    """

    __slots__ = ("_base", "_may_need_names", "_unary", "_variants", "names", "text")

    def __init__(self, text: str, *, names: Iterable[str] = (), unary: bool = False) -> None:
        self.text = text
        self._unary = unary
        known = frozenset(names)
        self._base, self.names, self._may_need_names = _generate(text, known, unary)
        self._variants: dict[frozenset[str], Compiled] = {}

    def __call__(
        self, context: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> Any:
        """Evaluate with the variables of a mapping. Raises FeelLimitError only."""
        if self._may_need_names or context is None:
            return self._run(_NOTHING if context is None else context, Runtime.started(at))
        runtime = Runtime()
        if at is not None:
            runtime.at = at
        try:
            value = self._base(context, runtime)
            return value if type(value) in _SMALL else within_extent(value)
        except (RecursionError, DecimalException) as problem:
            raise unusable(problem) from None

    def evaluate_strict(
        self, context: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> Any:
        """Evaluate, but raise FeelError for the first part that could not be answered.

        That is: a name that is not there, a built-in that failed, operands that do not go
        together. A null that was given is no fault.
        """
        value, remarks, runtime = self._explained(context, at)
        if remarks:
            place = runtime.places[0]
            raise FeelError(remarks[0].message, text=place.text, position=place.position)
        return value

    def explain(
        self, context: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> tuple[Any, tuple[Remark, ...]]:
        """Evaluate and also say why parts of it became null."""
        value, remarks, _ = self._explained(context, at)
        return value, tuple(remarks)

    def _explained(
        self, context: Mapping[str, Any] | None, at: datetime | None
    ) -> tuple[Any, Sequence[Remark], Runtime]:
        runtime = Runtime.started(at)
        value = self._run(_NOTHING if context is None else context, runtime)
        return value, runtime.remarks, runtime

    def _run(self, context: Mapping[str, Any], runtime: Runtime, *arguments: Any) -> Any:
        code = self._base
        if self._may_need_names and not is_plain(context):
            special = special_names(context)
            if special:
                code = self._variant(special)
        try:
            return within_extent(code(context, runtime, *arguments))
        except (RecursionError, DecimalException) as problem:
            raise unusable(problem) from None

    def _variant(self, special: frozenset[str]) -> Compiled:
        """Compile once more where the caller's names change how the text is read."""
        code = self._variants.get(special)
        if code is None:
            code, _, _ = _generate(self.text, special, self._unary)
            if len(self._variants) >= _MAX_VARIANTS:
                # A fresh dict instead of clearing: other threads may be reading the old one.
                self._variants = {}
            self._variants[special] = code
        return code

    def test(
        self, value: Any, context: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> bool:
        """Apply unary tests to a value; only what is true passes."""
        runtime = Runtime.started(at)
        names = _NOTHING if context is None else context
        return self._run(names, runtime, runtime.adapt(value)) is True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CompiledExpression):
            return NotImplemented
        return (self.text, self._unary) == (other.text, other._unary)

    def __hash__(self) -> int:
        return hash((self.text, self._unary))

    def __repr__(self) -> str:
        return f"CompiledExpression({self.text!r})"


def parse(
    text: str,
    *,
    names: Iterable[str] = (),
    member_names: Iterable[str] = (),
    unary: bool = False,
    types: Mapping[str, FeelType] | None = None,
) -> tuple[Node, bool]:
    """Read a text to a tree; also tell whether a caller's names could change the reading."""
    parser = Parser(
        text, names=names, builtin_names=BUILTINS, member_names=member_names, types=types
    )
    node = parser.whole_unary_tests() if unary else parser.whole_expression()
    return node, may_need_names(parser.tokens)


def _generate(
    text: str, names: frozenset[str], unary: bool
) -> tuple[Compiled, frozenset[str], bool]:
    try:
        node, may_need = parse(text, names=names, unary=unary)
    except RecursionError:
        raise FeelSyntaxError("表达式嵌套太深", text=text, position=0) from None
    generator = Generator(text, BUILTINS, names)
    code = generator.compile(node, (_INPUT,) if unary else ())
    return code, frozenset(generator.free), may_need


@lru_cache(maxsize=2048)
def _compiled(text: str, names: frozenset[str], *, unary: bool) -> CompiledExpression:
    return CompiledExpression(text, names=names, unary=unary)


def compile(text: str, *, names: Iterable[str] = ()) -> CompiledExpression:  # noqa: A001 — contract
    """Compile an expression. Raises FeelSyntaxError with the place and what to write instead.

    `names` are variables whose names hold signs or reserved words, such as "a-b" or "for sale";
    names of plain words, also with spaces, need not be told.
    """
    return _compiled(text, frozenset(names), unary=False)


def compile_unary(text: str, *, names: Iterable[str] = ()) -> CompiledExpression:
    """Compile unary tests, as in a decision table cell; call `test` on the result."""
    return _compiled(text, frozenset(names), unary=True)


def _special(context: Mapping[str, Any] | None) -> frozenset[str]:
    return frozenset() if not context or is_plain(context) else special_names(context)


def evaluate(
    text: str, context: Mapping[str, Any] | None = None, *, at: datetime | None = None
) -> Any:
    """Evaluate an expression. Raises FeelError for a text that is no FEEL or costs too much."""
    code = _compiled(text, _special(context), unary=False)
    return code(context, at=_moment(at))


def unary_test(
    text: str,
    value: Any,
    context: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
) -> bool:
    """Tell whether a value passes unary tests such as `[1..5], > 10`. Raises FeelError."""
    return _compiled(text, _special(context), unary=True).test(value, context, at=_moment(at))


def _moment(at: datetime | None) -> datetime | None:
    return default_instant() if at is None else at


def dumps(value: Any) -> str:
    """Write a value as the FEEL literal that evaluates to it. Raises FeelError for functions."""
    try:
        return literals.dumps(value)
    except Fault as fault:
        raise FeelError(str(fault)) from None


def parse_names(text: str, *, names: Iterable[str] = ()) -> frozenset[str]:
    """List the variables an expression reads. Raises FeelSyntaxError."""
    return compile(text, names=names).names
