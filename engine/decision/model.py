"""Decision models at work: requirement graphs, knowledge models and decision services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.decision.boxed import result_type
from engine.decision.definitions import (
    Decision,
    DecisionService,
    Definitions,
    Element,
    InputData,
    KnowledgeModel,
    Reference,
)
from engine.decision.element_code import ElementCode, compile_decision, compile_knowledge
from engine.decision.errors import Remark, RemarkKind
from engine.decision.evaluation import coerced
from engine.decision.feel import default_instant
from engine.decision.kinds import ANY
from engine.decision.runtime import Place, Runtime, limit
from engine.decision.table import RuleHit
from engine.decision.typebook import TypeBook
from engine.decision.values import FeelFunction, Parameter


class DecisionError(ValueError):
    """决策模型有错误。"""


class NoSuchDecision(DecisionError):
    """模型里没有这个决策。"""


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
        self._imported = dict(imported or {})
        self._aliases = {
            one.namespace: one.name for one in definitions.imports if one.namespace in self._imported
        }
        self.types = TypeBook(
            definitions.types,
            {alias: self._imported[space].types for space, alias in self._aliases.items()},
        )
        self._by_id: dict[str, Element] = {one.id: one for one in definitions.elements}
        self._by_name: dict[str, Element] = {}
        for element in definitions.elements:
            self._by_name.setdefault(element.name, element)
        self._codes: dict[str, ElementCode] = {}
        _check_references(self)

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
        element = self.element(decision)
        given = dict(inputs or {})
        run = _Run(self, given, Runtime(default_instant() if at is None else at))
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
        return self.explain(name, parameters, at=at).value

    def element(self, name: str) -> Element:
        """Find an element by id or name. Raises NoSuchDecision."""
        found = self._by_id.get(name) or self._by_name.get(name)
        if found is None:
            known = "、".join(self.decisions()[:20])
            raise NoSuchDecision(f"模型“{self.name}”里没有“{name}”，有：{known}")
        return found

    def problems(self) -> tuple[Problem, ...]:
        """Compile everything and list what is wrong, so that nothing wrong is published."""
        found: list[Problem] = []
        for element in self.definitions.elements:
            if isinstance(element, (Decision, KnowledgeModel)) and element.logic is not None:
                found += [
                    Problem(element=element.id, line=element.source.line, message=str(problem))
                    for problem in self.code(element).problems
                ]
        found += [
            Problem(element=self.definitions.name, line=None, message=f"没有类型“{name}”")
            for name in sorted(self.types.unknown)
        ]
        return tuple(found)

    # What the evaluation asks

    def resolve(self, reference: Reference) -> tuple[DecisionModel, Element]:
        """Follow a reference, into an imported model if need be. Raises DecisionError."""
        space = reference.namespace
        model = self if not space or space == self.definitions.namespace else None
        model = model or self._imported.get(space or "")
        element = None if model is None else model._by_id.get(reference.id)
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
        for reference in required_by(element):
            owner, required = self.resolve(reference)
            alias = self.alias(owner)
            if alias:
                yield alias
            yield f"{alias}.{required.variable.name}" if alias else required.variable.name

    def alias(self, owner: DecisionModel) -> str:
        """Name an imported model as expressions do; empty for this model itself."""
        return "" if owner is self else self._aliases.get(owner.definitions.namespace, "")

    def imported(self) -> tuple[DecisionModel, ...]:
        """List the models that are imported directly."""
        return tuple(self._imported.values())

    def _member_names(self) -> Iterator[str]:
        for model in (self, *self._imported.values()):
            yield from (element.variable.name for element in model.definitions.elements)
            if model is not self:
                yield from model.types.member_names()

    def _invoked(
        self, element: KnowledgeModel | DecisionService, given: Mapping[str, Any], run: _Run
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


def required_by(element: Element) -> tuple[Reference, ...]:
    """List what an element requires, knowledge last."""
    if isinstance(element, Decision):
        return element.requires + element.knowledge
    return element.knowledge if isinstance(element, KnowledgeModel) else ()


def _guarded(evaluate: Callable[[], Any]) -> Any:
    try:
        return evaluate()
    except RecursionError:
        raise limit("计算嵌套太深", None, "改用 for 循环") from None


def _check_references(model: DecisionModel) -> None:
    """Refuse references to nothing and decisions that require themselves."""
    finished: set[str] = set()
    for element in model.definitions.elements:
        for reference in required_by(element):
            model.resolve(reference)
        if isinstance(element, Decision) and element.id not in finished:
            _check_circle(model, element, finished)


def _check_circle(model: DecisionModel, start: Decision, finished: set[str]) -> None:
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


class _Scope(dict[str, Any]):
    """The values an element may refer to; functions are made when first read."""

    def __init__(self) -> None:
        super().__init__()
        self.later: dict[str, Callable[[], Any]] = {}

    def __missing__(self, name: str) -> Any:
        value = self[name] = self.later[name]()
        return value


class _Run:
    """One evaluation: values of decisions found so far, the inputs and the runtime."""

    def __init__(self, model: DecisionModel, inputs: Mapping[str, Any], runtime: Runtime) -> None:
        self._root = model
        self._inputs = inputs
        self._values: dict[tuple[int, str], Any] = {}
        self._names: dict[tuple[int, str], str] = {}
        self.runtime = runtime
        self.hits: list[RuleHit] = []
        runtime.on_rules = self.hits.append

    def named_values(self) -> Iterator[tuple[str, Any]]:
        """Yield the decisions evaluated, by name."""
        for key, value in self._values.items():
            yield self._names.get(key, key[1]), value

    def decision(self, model: DecisionModel, decision: Decision) -> Any:
        """Evaluate a decision after those it requires."""
        key = (id(model), decision.id)
        if key in self._values:
            return self._values[key]
        place = Place(0, "", decision.name)
        if decision.logic is None:
            value = self._given(model, decision.variable.name, decision.name)
            kind = model.types.find(decision.variable.type_ref)
            value = coerced(value, kind or ANY, self.runtime, place)
        else:
            scope = self._scope(model, decision)
            value = model.code(decision).code(scope, self.runtime)
        self._values[key] = value
        self._names[key] = decision.name
        return value

    def input(self, model: DecisionModel, data: InputData) -> Any:
        """Read an input and see that it conforms to its type."""
        key = (id(model), data.id)
        if key not in self._values:
            value = self._given(model, data.variable.name, data.name)
            kind = model.types.find(data.variable.type_ref)
            place = Place(0, "", f"输入“{data.name}”")
            return coerced(value, kind or ANY, self.runtime, place)
        return self._values[key]

    def _given(self, model: DecisionModel, *names: str) -> Any:
        """Look an input up; one of an imported model also under its prefix."""
        sources: list[Mapping[str, Any]] = [self._inputs]
        path = [alias for alias in self._path(model) if alias]
        if path:
            nested: Any = self._inputs
            for alias in path:
                nested = nested.get(alias) if isinstance(nested, Mapping) else None
            if isinstance(nested, Mapping):
                sources.insert(0, nested)
            names = (*(f"{'.'.join(path)}.{name}" for name in names), *names)
        for source in sources:
            for name in names:
                if name in source:
                    return self.runtime.adapt(source[name])
        self.runtime.remark(
            RemarkKind.UNKNOWN_NAME, f"没有给出输入“{names[-1]}”", Place(0, "", names[-1])
        )
        return None

    def _path(self, model: DecisionModel) -> tuple[str, ...]:
        """Find the import names that lead from the model asked to another one.

        Each import has a model object of its own: the same file imported twice may be given
        different inputs.
        """
        queue: list[tuple[DecisionModel, tuple[str, ...]]] = [(self._root, ())]
        while queue:
            found, path = queue.pop()
            if found is model:
                return path
            queue += [(one, (*path, found.alias(one))) for one in found.imported()]
        return ()

    def _scope(self, model: DecisionModel, element: Decision | KnowledgeModel) -> _Scope:
        scope = _Scope()
        for reference in required_by(element):
            owner, required = model.resolve(reference)
            alias = model.alias(owner)
            name = required.variable.name
            if isinstance(required, Decision):
                value = self.decision(owner, required)
            elif isinstance(required, InputData):
                value = self.input(owner, required)
            elif not alias:
                scope.later[name] = self._maker(owner, required)
                continue
            else:
                value = self.function(owner, required)
            if alias:
                scope.setdefault(alias, {})[name] = value
                scope[f"{alias}.{name}"] = value
            else:
                scope[name] = value
        return scope

    def _maker(
        self, owner: DecisionModel, element: KnowledgeModel | DecisionService
    ) -> Callable[[], Any]:
        return lambda: self.function(owner, element)

    def function(self, model: DecisionModel, element: KnowledgeModel | DecisionService) -> Any:
        """Make the function that an invocable element is."""
        key = (id(model), element.id)
        if key in self._values:
            return self._values[key]
        if isinstance(element, DecisionService):
            made: Any = self._service(model, element)
        else:
            scope = self._scope(model, element)
            scope.later[element.variable.name] = self._maker(model, element)
            made = model.code(element).code(scope, self.runtime)
        self._values[key] = made
        self._names[key] = element.name
        return made

    def _service(self, model: DecisionModel, service: DecisionService) -> FeelFunction:
        """Make a function of the service's inputs: first its input data, then its decisions."""
        takes = [model.resolve(one) for one in (*service.input_data, *service.input_decisions)]
        gives = [model.resolve(one) for one in service.outputs]

        def body(*arguments: Any) -> Any:
            run = _Run(self._root, self._inputs, self.runtime)
            run.hits = self.hits
            self.runtime.on_rules = self.hits.append
            for (owner, element), value in zip(takes, arguments, strict=True):
                run._values[(id(owner), element.id)] = value
                run._names[(id(owner), element.id)] = element.name
            results = {
                element.variable.name: run.decision(owner, element)
                for owner, element in gives
                if isinstance(element, Decision)
            }
            return results if len(results) != 1 else next(iter(results.values()))

        return FeelFunction(
            parameters=tuple(
                Parameter(name=_parameter_name(model, owner, element),
                          type=owner.types.find(element.variable.type_ref))
                for owner, element in takes
            ),
            body=body,
            result=result_type(model.types.find(service.variable.type_ref)),
            name=service.name,
        )  # fmt: skip


def _parameter_name(model: DecisionModel, owner: DecisionModel, element: Element) -> str:
    alias = model.alias(owner)
    return f"{alias}.{element.variable.name}" if alias else element.variable.name
