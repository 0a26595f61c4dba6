"""What an evaluation and the checks need of a model, without knowing the model itself."""

from __future__ import annotations

from typing import Protocol

from engine.decision.definitions import (
    Decision,
    Definitions,
    Element,
    KnowledgeModel,
    Reference,
)
from engine.decision.element_code import ElementCode
from engine.decision.typebook import TypeBook


class ModelView(Protocol):
    """A model as seen from its evaluation."""

    @property
    def definitions(self) -> Definitions:
        """The model as it was written."""
        ...

    @property
    def types(self) -> TypeBook:
        """Its types."""
        ...

    def resolve(self, reference: Reference) -> tuple[ModelView, Element]:
        """Follow a reference. Raises DecisionError."""
        ...

    def code(self, element: Decision | KnowledgeModel) -> ElementCode:
        """Compile an element, once."""
        ...

    def alias(self, owner: ModelView) -> str:
        """Name an imported model as expressions do; empty for this model itself."""
        ...

    def declared(self) -> frozenset[str]:
        """Name all elements of the model and the models it imports."""
        ...

    def imported(self) -> tuple[ModelView, ...]:
        """List the models that are imported directly."""
        ...
