"""What must hold of a model before anything is evaluated."""

from __future__ import annotations

from engine.decision.definitions import Decision, requirements_of
from engine.decision.errors import DecisionError
from engine.decision.model_view import ModelView


def check_references(model: ModelView) -> None:
    """Refuse references to nothing and decisions that require themselves."""
    finished: set[str] = set()
    for element in model.definitions.elements:
        for reference in requirements_of(element):
            model.resolve(reference)
        if isinstance(element, Decision) and element.id not in finished:
            _check_circle(model, element, finished)


def _check_circle(model: ModelView, start: Decision, finished: set[str]) -> None:
    open_ids: list[str] = []
    stack: list[tuple[Decision, bool]] = [(start, False)]
    while stack:
        decision, leaving = stack.pop()
        if leaving:
            open_ids.remove(decision.id)
            finished.add(decision.id)
            continue
        if decision.id in finished:
            continue
        if decision.id in open_ids:
            raise DecisionError(f"{model.definitions.file}：决策“{decision.name}”循环依赖自己")
        open_ids.append(decision.id)
        stack.append((decision, True))
        for reference in decision.requires:
            owner, required = model.resolve(reference)
            if owner is model and isinstance(required, Decision):
                stack.append((required, False))
