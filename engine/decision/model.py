"""Decision models at work: requirement graphs, knowledge models and decision services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import DecimalException
from typing import Any

from engine.decision.definitions import (
    Decision,
    DecisionService,
    Definitions,
    Element,
    InputData,
    KnowledgeModel,
    Reference,
    requirements_of,
)
from engine.decision.element_code import ElementCode, compile_decision, compile_knowledge
from engine.decision.errors import DecisionError, NoSuchDecision, Remark
from engine.decision.evaluation import coerced
from engine.decision.extent import within_extent
from engine.decision.feel import default_instant, unusable
from engine.decision.kinds import ANY
from engine.decision.model_check import check_references
from engine.decision.model_run import ModelRun
from engine.decision.model_view import ModelView
from engine.decision.runtime import Place, Runtime
from engine.decision.table import RuleHit
from engine.decision.typebook import TypeBook
from engine.decision.values import FeelFunction

__all__ = ["DecisionError", "DecisionModel", "Explanation", "NoSuchDecision", "Problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A result with its reasons: which rules matched, what became null and why."""

    value: Any
    hits: tuple[RuleHit, ...]
    remarks: tuple[Remark, ...]
    decisions: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with the logic of an element, for the gate before publishing."""

    element: str
    line: int | None
    message: str


class DecisionModel:
    """A model ready to be evaluated. Elements compile when first needed; safe to share."""

    def __init__(
        self, definitions: Definitions, imported: Mapping[str, DecisionModel] | None = None
    ) -> None:
        """Bring definitions to life; `imported` maps namespaces to models.

        Raises DecisionError for references to nothing and for circular requirements.
        """
        self.definitions = definitions
        self._imported: dict[str, DecisionModel] = dict(imported or {})
        self._aliases = {
            one.namespace: one.name
            for one in definitions.imports
            if one.namespace in self._imported
        }
        self.types: TypeBook = TypeBook(
            definitions.types,
            {alias: self._imported[space].types for space, alias in self._aliases.items()},
        )
        self._by_id: dict[str, Element] = {one.id: one for one in definitions.elements}
        self._codes: dict[str, ElementCode] = {}
        self._declared = frozenset(
            name
            for element in definitions.elements
            for name in (element.name, element.variable.name)
        ).union(self._aliases.values())
        check_references(self)

    # What callers ask

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.definitions.name

    def decisions(self) -> tuple[str, ...]:
        """List the names of the decisions, in the order of the file."""
        return tuple(e.name for e in self.definitions.elements if isinstance(e, Decision))

    def inputs(self) -> tuple[InputData, ...]:
        """List the input data, in the order of the file."""
        return tuple(e for e in self.definitions.elements if isinstance(e, InputData))

    def evaluate(
        self, decision: str, inputs: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> Any:
        """Evaluate a decision by name or id; null where it has no answer.

        Raises NoSuchDecision, and FeelLimitError when it costs too much.
        """
        return self.explain(decision, inputs, at=at).value

    def explain(
        self, decision: str, inputs: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> Explanation:
        """Evaluate a decision (or invoke a service or knowledge model) with its reasons."""
        return self._explained(self.element(decision), inputs, at)

    def _explained(
        self, element: Element, inputs: Mapping[str, Any] | None, at: datetime | None
    ) -> Explanation:
        given = dict(inputs or {})
        run = ModelRun(self, given, Runtime.started(default_instant() if at is None else at))
        if isinstance(element, Decision):
            value = _guarded(lambda: run.decision(self, element))
        elif isinstance(element, InputData):
            value = run.input(self, element)
        else:
            value = _guarded(lambda: self._invoked(element, given, run))
        return Explanation(
            value=value,
            hits=tuple(run.hits),
            remarks=tuple(run.runtime.remarks),
            decisions=dict(run.named_values()),
        )

    def invoke(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
    ) -> Any:
        """Invoke a decision service or a business knowledge model with named parameters.

        A service with several output decisions gives a context of their values.
        """
        element = self._find(name, (DecisionService, KnowledgeModel))
        return self._explained(element, parameters, at).value

    def element(self, name: str) -> Element:
        """Find an element by id or name, a decision before others. Raises NoSuchDecision."""
        return self._find(name, (Decision,))

    def _find(self, name: str, preferred: tuple[type, ...]) -> Element:
        wanted = " ".join(name.split())
        named = [e for e in self.definitions.elements if " ".join(e.name.split()) == wanted]
        found = next((e for e in named if isinstance(e, preferred)), self._by_id.get(name))
        found = found or next(iter(named), None)
        if found is None:
            known = "、".join(self.decisions()[:20])
            raise NoSuchDecision(f"模型“{self.name}”里没有“{name}”，有：{known}")
        return found

    def by_id(self, identity: str) -> Element | None:
        """Find an element by its id alone."""
        return self._by_id.get(identity)

    def problems(self) -> tuple[Problem, ...]:
        """Compile everything and list what is wrong, so that nothing wrong is published."""
        found: list[Problem] = []
        for element in self.definitions.elements:
            if isinstance(element, (Decision, KnowledgeModel)) and element.logic is not None:
                messages = [str(problem) for problem in self.code(element).problems]
                messages += self._unwired(element)
                found += [
                    Problem(element=element.id, line=element.source.line, message=message)
                    for message in messages
                ]
        found += [
            Problem(element=self.definitions.name, line=None, message=f"没有类型“{name}”")
            for name in sorted(self.types.unknown)
        ]
        return tuple(found)

    def _unwired(self, element: Decision | KnowledgeModel) -> Iterator[str]:
        """Tell the elements that are named but not required: they would be null."""
        known = {*self.scope_names(element), element.name, element.variable.name}
        for name in sorted(self.code(element).reads & self._declared - known):
            yield f"“{element.name}”用到“{name}”，却没有与它连线（informationRequirement）"

    # What the evaluation asks

    def resolve(self, reference: Reference) -> tuple[DecisionModel, Element]:
        """Follow a reference, into an imported model if need be. Raises DecisionError."""
        space = reference.namespace
        model = self if not space or space == self.definitions.namespace else None
        model = model or self._imported.get(space or "")
        element = None if model is None else model.by_id(reference.id)
        if model is None or element is None:
            raise DecisionError(
                f"{self.definitions.file or self.name}：引用的“{reference.id}”不存在"
            )
        return model, element

    def code(self, element: Decision | KnowledgeModel) -> ElementCode:
        """Compile an element, once."""
        code = self._codes.get(element.id)
        if code is None:
            names = set(self.scope_names(element))
            if isinstance(element, Decision):
                code = compile_decision(element, self.types, names, self._member_names())
            else:
                names.add(element.variable.name)
                code = compile_knowledge(element, self.types, names, self._member_names())
            self._codes[element.id] = code
        return code

    def scope_names(self, element: Decision | KnowledgeModel) -> Iterator[str]:
        """Name what the logic of an element may refer to: what it requires, nothing else."""
        for reference in requirements_of(element):
            owner, required = self.resolve(reference)
            alias = self.alias(owner)
            if alias:
                yield alias
            yield f"{alias}.{required.variable.name}" if alias else required.variable.name

    def alias(self, owner: ModelView) -> str:
        """Name an imported model as expressions do; empty for this model itself."""
        return "" if owner is self else self._aliases.get(owner.definitions.namespace, "")

    def declared(self) -> frozenset[str]:
        """Name all elements of the model and the models it imports."""
        return self._declared

    def imported(self) -> tuple[DecisionModel, ...]:
        """List the models that are imported directly."""
        return tuple(self._imported.values())

    def _member_names(self) -> Iterator[str]:
        for model in (self, *self._imported.values()):
            yield from (element.variable.name for element in model.definitions.elements)
            if model is not self:
                yield from model.types.member_names()

    def _invoked(
        self, element: KnowledgeModel | DecisionService, given: Mapping[str, Any], run: ModelRun
    ) -> Any:
        function = run.function(self, element)
        if not isinstance(function, FeelFunction):
            return None
        place = Place(0, "", element.name)
        arguments = [
            coerced(run.runtime.adapt(given.get(p.name)), p.type or ANY, run.runtime, place)
            for p in function.parameters
        ]
        if any(
            value is None and given.get(parameter.name) is not None
            for value, parameter in zip(arguments, function.parameters, strict=True)
        ):
            return None
        run.runtime.enter(place)
        return coerced(function.body(*arguments), function.result or ANY, run.runtime, place)


def _guarded(evaluate: Callable[[], Any]) -> Any:
    try:
        return within_extent(evaluate())
    except (RecursionError, DecimalException) as problem:
        raise unusable(problem) from None
