"""Where data decides: the one seam between the kernel and the values of a case.

Running, `RunningDecide` evaluates FEEL and takes what happened.  A proof hands in its own
`Decide` that supplies every possible answer in turn; what is proven is what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Protocol

from engine.decision import feel
from engine.kernel.program import Expression, Node
from engine.model.clock import LOCAL_ZONE
from engine.model.errors import ModelFault

Lookup = Callable[[str], tuple[bool, object]]
"""Answers whether a name is known at this place, and its value."""

Decisions = Callable[[str, Mapping[str, object], datetime], object]
"""Evaluates the decision of that id or name with these inputs at that instant."""


class Decide(Protocol):
    """Answers the questions that only data can answer. Each may raise `ModelFault`."""

    def holds(self, node: Node, expression: Expression, lookup: Lookup, /) -> bool:
        """Whether a condition is true here."""
        ...

    def value(self, node: Node, expression: Expression, lookup: Lookup, /) -> object:
        """The value of an expression here."""
        ...

    def decision(self, node: Node, ref: str, inputs: Mapping[str, object], /) -> object:
        """The result of a business decision."""
        ...


class RunningDecide:
    """Evaluates for real, at one instant."""

    def __init__(
        self, at: datetime, zone: tzinfo = LOCAL_ZONE, decisions: Decisions | None = None
    ) -> None:
        self._instant = at
        self._zone = zone
        self._decisions = decisions

    @property
    def _at(self) -> datetime:
        # Most steps ask no expression: the local time is worked out when one does.
        return self._instant.astimezone(self._zone)

    def holds(self, node: Node, expression: Expression, lookup: Lookup) -> bool:
        """True or false; anything else, null included, is a fault of model or data."""
        found = self.value(node, expression, lookup)
        if found is True or found is False:
            return found
        raise ModelFault(
            f"条件“{expression.text}”没有得出是或否，结果为 {shown(found)}", element=node.id
        )

    def value(self, node: Node, expression: Expression, lookup: Lookup) -> object:
        """The value in FEEL; an unknown name or a type error is a fault."""
        context: dict[str, object] = {}
        for name in expression.names:
            known, value = lookup(name)
            if known:
                context[name] = value
        try:
            return expression.evaluate(context, at=self._at)
        except feel.FeelError as error:
            raise ModelFault(
                f"表达式“{expression.text}”无法计算：{error}", element=node.id
            ) from error

    def decision(self, node: Node, ref: str, inputs: Mapping[str, object]) -> object:
        """The result of a decision of the package; a decision that is not there is a fault."""
        if self._decisions is None:
            raise ModelFault(f"没有可用的决策“{ref}”", element=node.id)
        return self._decisions(ref, inputs, self._at)


def shown(value: object) -> str:
    """A value in a message, cut short; never a whole person's data."""
    text = "空值" if value is None else repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
