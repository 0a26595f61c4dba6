"""What can be wrong with an expression, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FeelError(ValueError):
    """表达式有错误。

    Carries the offset in the expression text, the line and column (both from 1) and, where we
    know one, what to write instead.
    """

    def __init__(
        self, message: str, *, text: str = "", position: int | None = None, hint: str | None = None
    ) -> None:
        self.message = message
        self.text = text
        self.position = position
        self.hint = hint
        self.line, self.column = _line_and_column(text, position)
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        where = f"第 {self.line} 行第 {self.column} 列：" if self.position is not None else ""
        advice = f"（建议：{self.hint}）" if self.hint else ""
        return f"{where}{self.message}{advice}"


class FeelSyntaxError(FeelError):
    """表达式写法有误。"""


class FeelLimitError(FeelError):
    """表达式的计算量超出上限。"""


class Fault(Exception):
    """A built-in or operator cannot answer: the value is null and the reason is remarked."""


class DecisionError(ValueError):
    """决策模型有错误。"""


class NoSuchDecision(DecisionError):
    """模型里没有这个决策。"""


class RemarkKind(StrEnum):
    """Why a part of an expression became null."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_TYPE = "wrong_type"
    FUNCTION_FAILED = "function_failed"
    NOT_A_FUNCTION = "not_a_function"
    NOT_CONFORMING = "not_conforming"
    NO_RULE = "no_rule"
    RULE_CONFLICT = "rule_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One reason for a null, with the offset in the text it was read from."""

    kind: RemarkKind
    message: str
    position: int = 0
    where: str = ""


def _line_and_column(text: str, position: int | None) -> tuple[int, int]:
    if position is None:
        return 1, 1
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
