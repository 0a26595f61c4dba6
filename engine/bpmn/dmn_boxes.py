"""Boxed expressions out of DMN XML."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from engine.bpmn.dmn_xml import DmnFileError, children, first, line_of, tag, text_of
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
    Source,
    TableBox,
    TableInput,
    TableOutput,
    TableRule,
    TypedName,
)
from engine.decision.table import Aggregation, HitPolicy


class BoxXml:
    """Reads the boxed expressions of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._readers: dict[str, Callable[[etree._Element], Box]] = {
            "literalExpression": self.literal,
            "context": self._context,
            "invocation": self._invocation,
            "functionDefinition": self.function,
            "list": self._list,
            "relation": self._relation,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._iteration,
            "some": self._iteration,
            "every": self._iteration,
            "decisionTable": self._table,
        }

    def within(self, node: etree._Element | None) -> Box | None:
        """Read the first boxed expression among the children."""
        if node is None:
            return None
        found = first(node, *self._readers)
        return None if found is None else self.box(found)

    def box(self, node: etree._Element) -> Box:
        """Read a boxed expression. Raises DmnFileError."""
        reader = self._readers.get(tag(node))
        if reader is None:
            raise self._error(node, f"不认识的表达式 {tag(node)}")
        return reader(node)

    def _error(self, node: etree._Element, message: str) -> DmnFileError:
        return DmnFileError(f"{self._file} 第 {line_of(node)} 行：{message}")

    def _source(self, node: etree._Element) -> Source:
        return Source(id=node.get("id"), line=line_of(node))

    def literal(self, node: etree._Element) -> LiteralBox:
        """Read a literal expression or any element that holds a text."""
        return LiteralBox(
            source=self._source(node),
            text=text_of(first(node, "text")),
            type_ref=node.get("typeRef"),
            language=node.get("expressionLanguage"),
        )

    def _variable(self, node: etree._Element | None) -> TypedName | None:
        if node is None:
            return None
        return TypedName(name=node.get("name") or "", type_ref=node.get("typeRef"))

    def _context(self, node: etree._Element) -> ContextBox:
        entries: list[tuple[TypedName, Box]] = []
        result: Box | None = None
        for entry in children(node, "contextEntry"):
            value = self.within(entry)
            variable = self._variable(first(entry, "variable"))
            if variable is None:
                result = value
            elif value is not None:
                entries.append((variable, value))
        return ContextBox(
            source=self._source(node),
            entries=tuple(entries),
            result=result,
            type_ref=node.get("typeRef"),
        )

    def _invocation(self, node: etree._Element) -> InvocationBox:
        function = self.within(node)
        if function is None:
            raise self._error(node, "调用缺少函数")
        bindings = [
            (self._variable(first(one, "parameter")) or TypedName(name=""), self.within(one))
            for one in children(node, "binding")
        ]
        return InvocationBox(
            source=self._source(node),
            function=function,
            bindings=tuple(bindings),
            type_ref=node.get("typeRef"),
        )

    def function(self, node: etree._Element) -> FunctionBox:
        """Read a function definition (also the logic of a knowledge model)."""
        kind = node.get("kind") or "FEEL"
        if kind not in tuple(FunctionKind):
            raise self._error(node, f"不认识的函数种类 {kind}")
        return FunctionBox(
            source=self._source(node),
            parameters=tuple(
                TypedName(name=one.get("name") or "", type_ref=one.get("typeRef"))
                for one in children(node, "formalParameter")
            ),
            body=self.within(node),
            kind=FunctionKind(kind),
            type_ref=node.get("typeRef"),
        )

    def _list(self, node: etree._Element) -> ListBox:
        return ListBox(
            source=self._source(node),
            items=tuple(self.box(one) for one in children(node, *self._readers)),
            type_ref=node.get("typeRef"),
        )

    def _relation(self, node: etree._Element) -> RelationBox:
        columns = tuple(
            TypedName(name=one.get("name") or "", type_ref=one.get("typeRef"))
            for one in children(node, "column")
        )
        rows = []
        for row in children(node, "row"):
            cells = tuple(self.box(one) for one in children(row, *self._readers))
            if len(cells) != len(columns):
                raise self._error(row, f"这一行有 {len(cells)} 格，应有 {len(columns)} 格")
            rows.append(cells)
        return RelationBox(
            source=self._source(node),
            columns=columns,
            rows=tuple(rows),
            type_ref=node.get("typeRef"),
        )

    def _conditional(self, node: etree._Element) -> ConditionalBox:
        return ConditionalBox(
            source=self._source(node),
            condition=self.within(first(node, "if")),
            then=self.within(first(node, "then")),
            otherwise=self.within(first(node, "else")),
            type_ref=node.get("typeRef"),
        )

    def _filter(self, node: etree._Element) -> FilterBox:
        return FilterBox(
            source=self._source(node),
            collection=self.within(first(node, "in")),
            match=self.within(first(node, "match")),
            type_ref=node.get("typeRef"),
        )

    def _iteration(self, node: etree._Element) -> IterationBox:
        return IterationBox(
            source=self._source(node),
            kind=IterationKind(tag(node)),
            variable=node.get("iteratorVariable") or "",
            collection=self.within(first(node, "in")),
            body=self.within(first(node, "return", "satisfies")),
            type_ref=node.get("typeRef"),
        )

    def _table(self, node: etree._Element) -> TableBox:
        policy = node.get("hitPolicy") or "UNIQUE"
        aggregation = node.get("aggregation")
        if policy not in tuple(HitPolicy):
            raise self._error(node, f"不认识的命中策略 {policy}")
        if aggregation is not None and aggregation not in tuple(Aggregation):
            raise self._error(node, f"不认识的汇总方式 {aggregation}")
        inputs = tuple(self._input(one) for one in children(node, "input"))
        outputs = tuple(self._output(one) for one in children(node, "output"))
        rules = tuple(
            self._rule(one, number, len(inputs), len(outputs))
            for number, one in enumerate(children(node, "rule"), 1)
        )
        return TableBox(
            source=self._source(node),
            hit_policy=HitPolicy(policy),
            aggregation=Aggregation(aggregation) if aggregation else None,
            inputs=inputs,
            outputs=outputs,
            rules=rules,
            type_ref=node.get("typeRef"),
        )

    def _input(self, node: etree._Element) -> TableInput:
        expression = first(node, "inputExpression")
        if expression is None:
            raise self._error(node, "决策表的输入缺少表达式")
        values = first(node, "inputValues")
        text = text_of(first(expression, "text")).strip()
        return TableInput(
            label=node.get("label") or text,
            text=text,
            values=None if values is None else text_of(first(values, "text")).strip() or None,
        )

    def _output(self, node: etree._Element) -> TableOutput:
        values = first(node, "outputValues")
        default = first(node, "defaultOutputEntry")
        return TableOutput(
            name=node.get("name") or node.get("label") or "",
            type_ref=node.get("typeRef"),
            values=None if values is None else text_of(first(values, "text")).strip() or None,
            default=None if default is None else self.literal(default),
        )

    def _rule(self, node: etree._Element, number: int, inputs: int, outputs: int) -> TableRule:
        tests = tuple(text_of(first(one, "text")) for one in children(node, "inputEntry"))
        results = tuple(self.literal(one) for one in children(node, "outputEntry"))
        if len(tests) != inputs or len(results) != outputs:
            raise self._error(
                node,
                f"规则 {number} 有 {len(tests)} 个条件、{len(results)} 个结果，"
                f"应有 {inputs} 个和 {outputs} 个",
            )
        return TableRule(
            id=node.get("id") or f"rule-{number}",
            tests=tests,
            outputs=results,
            annotations=tuple(
                text_of(first(one, "text")).strip() for one in children(node, "annotationEntry")
            ),
        )
