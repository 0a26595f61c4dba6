"""The types of a model: item definitions made into types that values conform to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.decision.definitions import FunctionSignature, TypeDefinition
from engine.decision.errors import FeelSyntaxError
from engine.decision.feel import CompiledExpression, compile_unary
from engine.decision.kinds import (
    ANY,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    NamedType,
    named_type,
)
from engine.decision.parser import Parser


class TypeBook:
    """Item definitions by name, also those of imported models as `import.name`."""

    def __init__(
        self, definitions: tuple[TypeDefinition, ...], imported: Mapping[str, TypeBook]
    ) -> None:
        self.by_name: dict[str, FeelType] = {}
        self.definitions: dict[str, TypeDefinition] = {one.name: one for one in definitions}
        self.unknown: set[str] = set()
        for alias, book in imported.items():
            for name, kind in book.by_name.items():
                self.by_name[f"{alias}.{name}" if alias else name] = kind
        for definition in definitions:
            self.by_name[definition.name] = self._named(definition)

    def find(self, type_ref: str | None) -> FeelType | None:
        """Find a type; None where nothing is declared or the name means nothing."""
        if not type_ref:
            return None
        found = named_type(type_ref, self.by_name) or self._written(type_ref)
        if found is None:
            self.unknown.add(type_ref)
        return found

    def _written(self, type_ref: str) -> FeelType | None:
        """Read a type that is written out, such as `list<number>`."""
        if "<" not in type_ref:
            return None
        try:
            return Parser(type_ref, types=self.by_name).whole_type()
        except FeelSyntaxError:
            return None

    def member_names(self) -> Iterator[str]:
        """Yield the names of all components, which may follow a dot in an expression."""
        queue = list(self.definitions.values())
        while queue:
            definition = queue.pop()
            for component in definition.components:
                yield component.name
                queue.append(component)

    def allowed_values(self, type_ref: str | None, component: str | None = None) -> str | None:
        """Find the text of the values a type allows, which also gives their order."""
        definition = self.definitions.get(type_ref or "")
        for _ in range(len(self.definitions) + 1):
            if definition is None:
                return None
            if component is not None and definition.components:
                inner = next((c for c in definition.components if c.name == component), None)
                if inner is None:
                    return None
                return inner.allowed_values or self.allowed_values(inner.type_ref)
            if definition.allowed_values and component is None:
                return definition.allowed_values
            definition = self.definitions.get(definition.type_ref or "")
        return None

    def _named(self, definition: TypeDefinition) -> NamedType:
        made: list[FeelType] = []

        def get() -> FeelType:
            if not made:
                made.append(self._make(definition))
            return made[0]

        constraint = definition.constraint
        if constraint is None and not definition.is_collection:
            constraint = definition.allowed_values
        return NamedType(definition.name, get, _Allowed(constraint) if constraint else None)

    def _make(self, definition: TypeDefinition) -> FeelType:
        kind: FeelType
        if definition.function is not None:
            kind = self._function(definition.function)
        elif definition.components:
            kind = ContextType(tuple((c.name, self._named(c)) for c in definition.components))
        else:
            kind = self.find(definition.type_ref) or ANY
        if not definition.is_collection:
            return kind
        if definition.allowed_values:
            item = kind
            kind = NamedType(definition.name, lambda: item, _Allowed(definition.allowed_values))
        return ListType(kind)

    def _function(self, signature: FunctionSignature) -> FunctionType:
        parameters = tuple(self.find(one) or ANY for one in signature.parameters)
        return FunctionType(parameters, self.find(signature.result))


class _Allowed:
    """The check of allowed values; compiled when first needed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tests: CompiledExpression | None = None

    def __call__(self, value: Any) -> bool:
        if self._tests is None:
            try:
                self._tests = compile_unary(self._text)
            except FeelSyntaxError:
                return False
        return self._tests.test(value)
