"""The syntax tree of FEEL and of boxed expressions. Every node knows its offset in the text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from engine.decision.kinds import FeelType


class Operator(StrEnum):
    """The binary operators that have a value of their own."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    POWER = "**"
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="


class Quantifier(StrEnum):
    """`some` and `every`."""

    SOME = "some"
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value written down."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name; what it refers to is decided by the scopes around it."""

    at: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """Arithmetic negation."""

    at: int
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """Arithmetic or comparison."""

    at: int
    operator: Operator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """`and` or `or` over two or more operands."""

    at: int
    conjunction: bool
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """`x between a and b`, both ends included."""

    at: int
    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`x in tests`; also the whole of a unary test, with the input as operand."""

    at: int
    operand: Node
    tests: tuple[Node, ...]
    unary: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A test that lacks its left side: `< 5`. As a value it is a range."""

    at: int
    operator: Operator
    end: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOf:
    """`x instance of type`."""

    at: int
    operand: Node
    kind: FeelType


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """A conditional; anything but true takes the other branch."""

    at: int
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterator:
    """`name in domain`, or `name in first..last`."""

    name: str
    domain: Node
    last: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """A loop with a list of results."""

    at: int
    iterators: tuple[Iterator, ...]
    result: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantified:
    """`some`/`every` … `satisfies`."""

    at: int
    quantifier: Quantifier
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class FormalParameter:
    """A parameter of a function definition."""

    name: str
    kind: FeelType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function definition."""

    at: int
    parameters: tuple[FormalParameter, ...]
    body: Node
    result: FeelType | None = None
    name: str = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An invocation with positional or with named arguments."""

    at: int
    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """`source.name`."""

    at: int
    source: Node
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`source[condition]`."""

    at: int
    source: Node
    condition: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list written down."""

    at: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOf:
    """A context; each entry sees those before it. `result` makes it a boxed context's value."""

    at: int
    entries: tuple[tuple[str, Node], ...]
    result: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOf:
    """A range written down."""

    at: int
    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coerced:
    """An expression with a declared type."""

    at: int
    operand: Node
    kind: FeelType
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A part that can never have a value; the reason is remarked and the value is null."""

    at: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The input of a unary test, `?`."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A part whose text is another one: offsets inside belong to `text`, named `where`."""

    at: int
    operand: Node
    text: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A decision table: inputs, rules as tests and outputs, and the policy that joins them."""

    at: int
    inputs: tuple[Node, ...]
    input_checks: tuple[Node | None, ...]
    tests: tuple[tuple[Node | None, ...], ...]
    outputs: tuple[tuple[Node, ...], ...]
    defaults: tuple[Node, ...] | None
    output_values: tuple[Node | None, ...]
    policy: Any


Node: TypeAlias = (
    Literal | Name | Negation | Binary | Junction | Between | Membership | Comparison | InstanceOf
    | If | For | Quantified | Function | Call | Path | Filter | ListOf | ContextOf | RangeOf
    | Coerced | Failing | Input | Marked | Table
)  # fmt: skip
