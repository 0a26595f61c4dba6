"""Boxed expressions to the same syntax tree as FEEL texts (DMN 1.5 §10.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.decision.definitions import (
    Box,
    ConditionalBox,
    ContextBox,
    FilterBox,
    FunctionBox,
    FunctionKind,
    InvocationBox,
    IterationBox,
    IterationKind,
    ListBox,
    LiteralBox,
    RelationBox,
    TableBox,
    TypedName,
)
from engine.decision.errors import FeelError, FeelSyntaxError
from engine.decision.feel import parse
from engine.decision.kinds import FeelType, FunctionType, NamedType
from engine.decision.table import HitPolicy, TablePolicy
from engine.decision.tree import (
    Call,
    Coerced,
    ContextOf,
    Failing,
    Filter,
    For,
    FormalParameter,
    Function,
    If,
    Iterator,
    ListOf,
    Literal,
    Marked,
    Node,
    Quantified,
    Quantifier,
    RangeOf,
    Table,
)
from engine.decision.typebook import TypeBook


class BoxReader:
    """Reads the boxes of one element; collects what is wrong instead of raising."""

    def __init__(
        self, book: TypeBook, where: str, name: str, member_names: Iterable[str] = ()
    ) -> None:
        self._book = book
        self._where = where
        self._name = name
        self._members = frozenset(member_names) | frozenset(book.member_names())
        self.problems: list[FeelError] = []

    def read(self, box: Box | None, names: frozenset[str]) -> Node:
        """Turn a box into a tree, given the names around it."""
        if box is None:
            return Failing(at=0, message=f"{self._where}缺少表达式")
        node = _READERS[type(box)](self, box, names)
        return node if isinstance(box, FunctionBox) else self.typed(node, box.type_ref)

    def typed(self, node: Node, type_ref: str | None) -> Node:
        """Coerce to a declared type.

        Some tools declare at a function what it returns: a function is only held to a type that
        is one of functions.
        """
        kind = self._book.find(type_ref)
        if kind is None or (isinstance(node, Function) and not is_function_type(kind)):
            return node
        return Coerced(at=0, operand=node, kind=kind)

    def text(self, text: str, names: frozenset[str], *, unary: bool = False) -> Node:
        """Read a FEEL text; a wrong one becomes a part that fails, and a problem."""
        try:
            node, _ = parse(
                text, names=names, member_names=self._members, unary=unary,
                types=self._book.by_name,
            )  # fmt: skip
        except FeelSyntaxError as error:
            self.problems.append(error)
            node = Failing(at=error.position or 0, message=str(error))
        return Marked(at=0, operand=node, text=text, where=self._where)

    def literal_box(self, box: LiteralBox, names: frozenset[str]) -> Node:
        """A FEEL text, in a language we execute."""
        language = box.language
        if language and not language.rstrip("/").lower().endswith("feel"):
            message = f"{self._where}用的是 {language}，只执行 FEEL"
            self.problems.append(FeelSyntaxError(message))
            return Failing(at=0, message=message)
        if box.text.strip() in ("", "-"):
            return Literal(at=0, value=None)
        return self.text(box.text, names)

    def context_box(self, box: ContextBox, names: frozenset[str]) -> Node:
        """A context whose entries see those before them."""
        entries: list[tuple[str, Node]] = []
        for variable, value in box.entries:
            inner = names | {variable.name} if isinstance(value, FunctionBox) else names
            node = self.typed(self.read(value, inner), variable.type_ref)
            entries.append((variable.name, node))
            names = names | {variable.name}
        keys = [key for key, _ in entries]
        if len(set(keys)) != len(keys):
            return Failing(at=0, message=f"{self._where}的上下文里有同名的项")
        result = None if box.result is None else self.read(box.result, names)
        return ContextOf(at=0, entries=tuple(entries), result=result)

    def invocation_box(self, box: InvocationBox, names: frozenset[str]) -> Node:
        """An invocation with arguments by name."""
        function = self.read(box.function, names)
        if isinstance(function, Marked):
            function = function.operand
        arguments = tuple(
            Literal(at=0, value=None) if value is None else self.read(value, names)
            for _, value in box.bindings
        )
        return Call(
            at=0,
            function=function,
            arguments=arguments,
            names=tuple(variable.name for variable, _ in box.bindings) or None,
        )

    def function(self, box: FunctionBox, names: frozenset[str], name: str = "function") -> Function:
        """Read a function definition."""
        inner = names | {parameter.name for parameter in box.parameters}
        fault = self._function_fault(box)
        if fault is None:
            body = self.read(box.body, inner)
        else:
            self.problems.append(fault)
            body = Failing(at=0, message=fault.message)
        parameters = tuple(
            FormalParameter(name=p.name, kind=self._book.find(p.type_ref))
            for p in {parameter.name: parameter for parameter in box.parameters}.values()
        )
        return Function(at=0, parameters=parameters, body=body, name=name)

    def _function_fault(self, box: FunctionBox) -> FeelSyntaxError | None:
        if box.kind is not FunctionKind.FEEL:
            return FeelSyntaxError(
                f"{self._where}是 {box.kind} 外部函数，不予执行", hint="用 FEEL 写出函数体"
            )
        named = [parameter.name for parameter in box.parameters]
        if len(set(named)) != len(named):
            return FeelSyntaxError(f"{self._where}有两个参数同名", hint="每个参数各用一个名字")
        return None

    def list_box(self, box: ListBox, names: frozenset[str]) -> Node:
        """A list."""
        return ListOf(at=0, items=tuple(self.read(item, names) for item in box.items))

    def relation_box(self, box: RelationBox, names: frozenset[str]) -> Node:
        """A list of contexts, one a row."""

        def cell(column: TypedName, value: Box) -> tuple[str, Node]:
            return column.name, self.typed(self.read(value, names), column.type_ref)

        rows = [ContextOf(at=0, entries=tuple(map(cell, box.columns, row))) for row in box.rows]
        return ListOf(at=0, items=tuple(rows))

    def conditional_box(self, box: ConditionalBox, names: frozenset[str]) -> Node:
        """A conditional."""
        return If(
            at=0,
            condition=self.read(box.condition, names),
            then=self.read(box.then, names),
            otherwise=self.read(box.otherwise, names),
        )

    def filter_box(self, box: FilterBox, names: frozenset[str]) -> Node:
        """A filter over a list."""
        return Filter(
            at=0,
            source=self.read(box.collection, names),
            condition=self.read(box.match, names | {"item"}),
        )

    def iteration_box(self, box: IterationBox, names: frozenset[str]) -> Node:
        """A loop or a quantifier."""
        domain, last = self._domain(box.collection, names)
        iterators = (Iterator(name=box.variable, domain=domain, last=last),)
        body = self.read(box.body, names | {box.variable, "partial"})
        if box.kind is IterationKind.FOR:
            return For(at=0, iterators=iterators, result=body)
        quantifier = Quantifier.SOME if box.kind is IterationKind.SOME else Quantifier.EVERY
        return Quantified(at=0, quantifier=quantifier, iterators=iterators, condition=body)

    def _domain(self, box: Box | None, names: frozenset[str]) -> tuple[Node, Node | None]:
        """Read what a loop runs over: an expression, or `1..5` as a loop in FEEL has it."""
        if isinstance(box, LiteralBox) and ".." in box.text:
            text = f"[{box.text}]"
            try:
                node, _ = parse(text, names=names, member_names=self._members)
            except FeelSyntaxError:
                return self.read(box, names), None
            if isinstance(node, RangeOf):
                low, high = (
                    Marked(at=0, operand=end, text=text, where=self._where)
                    for end in (node.low, node.high)
                )
                return low, high
        return self.read(box, names), None

    # Decision tables

    def table_box(self, box: TableBox, names: frozenset[str]) -> Node:
        """A decision table."""
        policy = TablePolicy(
            name=self._name,
            hit_policy=box.hit_policy,
            aggregation=box.aggregation,
            output_names=tuple(output.name for output in box.outputs),
            input_names=tuple(one.label or one.text for one in box.inputs),
            rule_ids=tuple(rule.id for rule in box.rules),
            annotations=tuple(rule.annotations for rule in box.rules),
        )
        defaults: tuple[Node, ...] | None = None
        if any(output.default is not None for output in box.outputs):
            defaults = tuple(
                Literal(at=0, value=None) if o.default is None else self.read(o.default, names)
                for o in box.outputs
            )
        return Table(
            at=0,
            inputs=tuple(self.text(one.text, names) for one in box.inputs),
            input_checks=tuple(
                self.text(one.values, names, unary=True) if one.values else None
                for one in box.inputs
            ),
            tests=tuple(
                tuple(self._test(cell, names) for cell in rule.tests) for rule in box.rules
            ),
            outputs=tuple(self._outputs(box, rule.outputs, names) for rule in box.rules),
            defaults=defaults,
            output_values=self._orders(box, names),
            policy=policy,
        )

    def _test(self, text: str, names: frozenset[str]) -> Node | None:
        if text.strip() in ("-", ""):
            return None
        return self.text(text, names | {"?"}, unary=True)

    def _outputs(
        self, box: TableBox, cells: tuple[LiteralBox, ...], names: frozenset[str]
    ) -> tuple[Node, ...]:
        return tuple(
            self.typed(self.read(cell, names), clause.type_ref if len(cells) > 1 else None)
            for clause, cell in zip(box.outputs, cells, strict=True)
        )

    def _orders(self, box: TableBox, names: frozenset[str]) -> tuple[Node | None, ...]:
        """Read the output values, whose order decides PRIORITY and OUTPUT ORDER."""
        if box.hit_policy not in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER):
            return (None,) * len(box.outputs)
        orders: list[Node | None] = []
        for output in box.outputs:
            component = output.name if len(box.outputs) > 1 else None
            text = (
                output.values
                or self._book.allowed_values(output.type_ref)
                or self._book.allowed_values(box.type_ref, component)
            )
            orders.append(self.text(f"[{text}]", names) if text else None)
        return tuple(orders)


def is_function_type(kind: FeelType | None) -> bool:
    """Tell whether a type, perhaps behind a name, is one of functions."""
    return isinstance(_bare(kind), FunctionType)


def result_type(kind: FeelType | None) -> FeelType | None:
    """Find what a callable element returns, given the type declared for its variable."""
    bare = _bare(kind)
    return bare.result if isinstance(bare, FunctionType) else kind


def _bare(kind: FeelType | None) -> FeelType | None:
    while isinstance(kind, NamedType):
        kind = kind.get()
    return kind


_READERS: Mapping[type, Callable[[BoxReader, Any, frozenset[str]], Node]] = {
    LiteralBox: BoxReader.literal_box,
    ContextBox: BoxReader.context_box,
    InvocationBox: BoxReader.invocation_box,
    FunctionBox: BoxReader.function,
    ListBox: BoxReader.list_box,
    RelationBox: BoxReader.relation_box,
    ConditionalBox: BoxReader.conditional_box,
    FilterBox: BoxReader.filter_box,
    IterationBox: BoxReader.iteration_box,
    TableBox: BoxReader.table_box,
}
