"""A decision model as it was written: elements, types and boxed expressions, nothing compiled.

`engine.bpmn.dmn` reads these from DMN XML; `model.DecisionModel` brings them to life.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.decision.table import Aggregation, HitPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an element stands: its id and the line in the file."""

    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefinition:
    """An item definition or one of its components."""

    name: str
    type_ref: str | None = None
    is_collection: bool = False
    allowed_values: str | None = None
    constraint: str | None = None
    components: tuple[TypeDefinition, ...] = ()
    function: FunctionSignature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSignature:
    """The type of a function: its parameter types and the type of its result."""

    parameters: tuple[str | None, ...]
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedName:
    """A variable or a formal parameter."""

    name: str
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralBox:
    """A FEEL text."""

    source: Source
    text: str
    type_ref: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextBox:
    """A boxed context: named entries and, perhaps, a result cell."""

    source: Source
    entries: tuple[tuple[TypedName, Box], ...]
    result: Box | None = None
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationBox:
    """A boxed invocation with bindings by parameter name."""

    source: Source
    function: Box
    bindings: tuple[tuple[TypedName, Box | None], ...]
    type_ref: str | None = None


class FunctionKind(StrEnum):
    """In which language the body of a function is written."""

    FEEL = "FEEL"
    JAVA = "Java"
    PMML = "PMML"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionBox:
    """A boxed function definition."""

    source: Source
    parameters: tuple[TypedName, ...]
    body: Box | None
    kind: FunctionKind = FunctionKind.FEEL
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBox:
    """A boxed list."""

    source: Source
    items: tuple[Box, ...]
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationBox:
    """A boxed relation: a list of contexts with the same keys."""

    source: Source
    columns: tuple[TypedName, ...]
    rows: tuple[tuple[Box, ...], ...]
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalBox:
    """A boxed conditional."""

    source: Source
    condition: Box | None
    then: Box | None
    otherwise: Box | None
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterBox:
    """A boxed filter."""

    source: Source
    collection: Box | None
    match: Box | None
    type_ref: str | None = None


class IterationKind(StrEnum):
    """The boxed iterators."""

    FOR = "for"
    SOME = "some"
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationBox:
    """A boxed `for`, `some` or `every`."""

    source: Source
    kind: IterationKind
    variable: str
    collection: Box | None
    body: Box | None
    type_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInput:
    """An input clause."""

    label: str
    text: str
    values: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOutput:
    """An output clause."""

    name: str
    type_ref: str | None = None
    values: str | None = None
    default: LiteralBox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """A rule: the texts of its cells and its annotations."""

    id: str
    tests: tuple[str, ...]
    outputs: tuple[LiteralBox, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBox:
    """A decision table."""

    source: Source
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[TableInput, ...]
    outputs: tuple[TableOutput, ...]
    rules: tuple[TableRule, ...]
    type_ref: str | None = None


Box: TypeAlias = (
    LiteralBox | ContextBox | InvocationBox | FunctionBox | ListBox | RelationBox
    | ConditionalBox | FilterBox | IterationBox | TableBox
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference to an element, of this model (no namespace) or of an imported one."""

    id: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputData:
    """An input of the model."""

    source: Source
    id: str
    name: str
    variable: TypedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision, its logic and what it requires."""

    source: Source
    id: str
    name: str
    variable: TypedName
    logic: Box | None
    requires: tuple[Reference, ...] = ()
    knowledge: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeModel:
    """A business knowledge model: a function for decisions to call."""

    source: Source
    id: str
    name: str
    variable: TypedName
    logic: FunctionBox | None
    knowledge: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionService:
    """A decision service: decisions offered as a function of their inputs."""

    source: Source
    id: str
    name: str
    variable: TypedName
    outputs: tuple[Reference, ...]
    encapsulated: tuple[Reference, ...] = ()
    input_decisions: tuple[Reference, ...] = ()
    input_data: tuple[Reference, ...] = ()


Element: TypeAlias = InputData | Decision | KnowledgeModel | DecisionService


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Another model that is referred to by namespace, and by name in expressions."""

    name: str
    namespace: str
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """A whole model file."""

    name: str
    namespace: str
    file: str = ""
    types: tuple[TypeDefinition, ...] = ()
    elements: tuple[Element, ...] = ()
    imports: tuple[Import, ...] = ()


def requirements_of(element: Element) -> tuple[Reference, ...]:
    """List what an element requires, knowledge last."""
    if isinstance(element, Decision):
        return element.requires + element.knowledge
    return element.knowledge if isinstance(element, KnowledgeModel) else ()
