"""One evaluation of a model: values found so far, functions made, rules that answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.decision.boxed import result_type
from engine.decision.definitions import (
    Decision,
    DecisionService,
    Element,
    InputData,
    KnowledgeModel,
    requirements_of,
)
from engine.decision.errors import RemarkKind
from engine.decision.evaluation import coerced
from engine.decision.kinds import ANY
from engine.decision.model_view import ModelView
from engine.decision.runtime import Place, Runtime
from engine.decision.table import RuleHit
from engine.decision.values import FeelFunction, Parameter


class _Scope(dict[str, Any]):
    """The values an element may refer to; functions are made when first read."""

    def __init__(self) -> None:
        super().__init__()
        self.later: dict[str, Callable[[], Any]] = {}

    def __missing__(self, name: str) -> Any:
        value = self[name] = self.later[name]()
        return value


class ModelRun:
    """One evaluation: values of decisions found so far, the inputs and the runtime."""

    def __init__(self, model: ModelView, inputs: Mapping[str, Any], runtime: Runtime) -> None:
        self._root = model
        self._inputs = inputs
        self._values: dict[tuple[int, str], Any] = {}
        self._names: dict[tuple[int, str], str] = {}
        self.runtime = runtime
        self.hits: list[RuleHit] = []
        runtime.on_rules = self.hits.append

    def named_values(self) -> Iterator[tuple[str, Any]]:
        """Yield the values of the decisions evaluated, by name."""
        for key, value in self._values.items():
            if not isinstance(value, FeelFunction):
                yield self._names.get(key, key[1]), value

    def decision(self, model: ModelView, decision: Decision) -> Any:
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

    def input(self, model: ModelView, data: InputData) -> Any:
        """Read an input and see that it conforms to its type."""
        key = (id(model), data.id)
        if key not in self._values:
            value = self._given(model, data.variable.name, data.name)
            kind = model.types.find(data.variable.type_ref)
            place = Place(0, "", f"输入“{data.name}”")
            return coerced(value, kind or ANY, self.runtime, place)
        return self._values[key]

    def _given(self, model: ModelView, *names: str) -> Any:
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

    def _path(self, model: ModelView) -> tuple[str, ...]:
        """Find the import names that lead from the model asked to another one.

        Each import has a model object of its own: the same file imported twice may be given
        different inputs.
        """
        queue: list[tuple[ModelView, tuple[str, ...]]] = [(self._root, ())]
        while queue:
            found, path = queue.pop()
            if found is model:
                return path
            queue += [(one, (*path, found.alias(one))) for one in found.imported()]
        return ()

    def _scope(self, model: ModelView, element: Decision | KnowledgeModel) -> _Scope:
        scope = _Scope()
        for reference in requirements_of(element):
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
        if isinstance(element, Decision):
            self._lend_undeclared(model, scope)
        return scope

    def _lend_undeclared(self, model: ModelView, scope: _Scope) -> None:
        """Show a decision the inputs that the model declares nowhere.

        Many tools draw tables without input data: their columns name what the caller gives. A
        name the model does declare stays out of sight until it is required.
        """
        for name, value in self._inputs.items():
            if name not in model.declared() and name not in scope:
                scope[name] = self.runtime.adapt(value)

    def _maker(
        self, owner: ModelView, element: KnowledgeModel | DecisionService
    ) -> Callable[[], Any]:
        return lambda: self.function(owner, element)

    def function(self, model: ModelView, element: KnowledgeModel | DecisionService) -> Any:
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

    def _service(self, model: ModelView, service: DecisionService) -> FeelFunction:
        """Make a function of the service's inputs: first its input data, then its decisions."""
        takes = [model.resolve(one) for one in (*service.input_data, *service.input_decisions)]
        gives = [model.resolve(one) for one in service.outputs]

        def body(*arguments: Any) -> Any:
            run = ModelRun(self._root, self._inputs, self.runtime)
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


def _parameter_name(model: ModelView, owner: ModelView, element: Element) -> str:
    alias = model.alias(owner)
    return f"{alias}.{element.variable.name}" if alias else element.variable.name
