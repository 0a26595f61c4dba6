"""Writing literals, operators, conditions and tests."""

from __future__ import annotations

import ast

from engine.decision.emitter import TRUE, Emitter, function_of, invoke, is_true, load, packed
from engine.decision.operators import compare
from engine.decision.scopes import LocalScope
from engine.decision.tree import (
    Between,
    Binary,
    Coerced,
    Comparison,
    Failing,
    If,
    Input,
    InstanceOf,
    Junction,
    Literal,
    Membership,
    Name,
    Negation,
    Node,
    Operator,
    RangeOf,
)
from engine.decision.values import Range
from engine.decision.weigh import literal_value, mentions_input

OPERATIONS: dict[Operator, str] = {
    Operator.ADD: "add",
    Operator.SUBTRACT: "subtract",
    Operator.MULTIPLY: "multiply",
    Operator.DIVIDE: "divide",
    Operator.POWER: "power",
    Operator.EQUAL: "equal",
    Operator.UNEQUAL: "unequal",
    Operator.LESS: "less",
    Operator.LESS_EQUAL: "less_equal",
    Operator.GREATER: "greater",
    Operator.GREATER_EQUAL: "greater_equal",
}
_INLINE_OPERANDS = 8


class OperatorEmitter(Emitter):
    """Writes what yields one value out of a few."""

    def literal(self, node: Literal) -> ast.expr:
        """A value written down."""
        return self.constant(node.value)

    def failing(self, node: Failing) -> ast.expr:
        """A part that is always null."""
        return invoke("failing", ast.Constant(value=node.message), *self.tail(node))

    def test_input(self, node: Input) -> ast.expr:
        """The input of a unary test."""
        return self.name(Name(at=node.at, name="?"))

    def negation(self, node: Negation) -> ast.expr:
        """Arithmetic negation; of a number written down, the negative number."""
        value = literal_value(node)
        if value is not None:
            return self.constant(value)
        return invoke("negate", self.expression(node.operand), *self.tail(node))

    def binary(self, node: Binary) -> ast.expr:
        """Arithmetic and comparison."""
        left, right = self.expression(node.left), self.expression(node.right)
        return invoke(OPERATIONS[node.operator], left, right, *self.tail(node))

    def junction(self, node: Junction) -> ast.expr:
        """`and`, `or`: three-valued, stopping at the first operand that settles it."""
        conjunction = ast.Constant(value=node.conjunction)
        if len(node.operands) > _INLINE_OPERANDS:
            operands = [function_of([], self.expression(one)) for one in node.operands]
            return invoke("junction", conjunction, packed(operands))
        settled = ast.Constant(value=not node.conjunction)
        joined = self.expression(node.operands[0])
        for operand in node.operands[1:]:
            kept = self.fresh()
            stored = ast.NamedExpr(target=ast.Name(kept, ast.Store()), value=joined)
            rest = invoke(
                "both" if node.conjunction else "either", load(kept), self.expression(operand)
            )
            joined = ast.IfExp(
                test=ast.Compare(left=stored, ops=[ast.Is()], comparators=[settled]),
                body=settled,
                orelse=rest,
            )
        return joined

    def between(self, node: Between) -> ast.expr:
        """`between`, as a range with both ends."""
        parts = [self.expression(part) for part in (node.operand, node.low, node.high)]
        return invoke("in_range", *parts, TRUE, TRUE, *self.tail(node))

    def instance_of(self, node: InstanceOf) -> ast.expr:
        """`instance of`."""
        kind = self.constant(node.kind)
        return invoke("is_instance", self.expression(node.operand), kind, load("r"))

    def conditional(self, node: If) -> ast.expr:
        """`if`."""
        return ast.IfExp(
            test=is_true(self.expression(node.condition)),
            body=self.expression(node.then),
            orelse=self.expression(node.otherwise),
        )

    def coerced(self, node: Coerced) -> ast.expr:
        """A value with a declared type."""
        value, kind = self.expression(node.operand), self.constant(node.kind)
        return invoke("coerced", value, kind, *self.tail(node))

    def membership(self, node: Membership) -> ast.expr:
        """`in` and unary tests; the operand is evaluated once."""
        if isinstance(node.operand, (Input, Name)):
            operand = self.expression(node.operand)
            if isinstance(operand, ast.Name):
                return self._tests(node, operand)
        kept = self.fresh()
        self.scopes.append(LocalScope({}))
        body = self._tests(node, load(kept))
        self.scopes.pop()
        argument = self.expression(node.operand)
        return ast.Call(func=function_of([kept], body), args=[argument], keywords=[])

    def _tests(self, node: Membership, operand: ast.expr) -> ast.expr:
        tests = [self._test(test, operand, unary=node.unary) for test in node.tests]
        joined = tests[0] if len(tests) == 1 else invoke("any_test", *tests)
        return invoke("opposite", joined) if node.negated else joined

    def _test(self, test: Node, operand: ast.expr, *, unary: bool) -> ast.expr:
        if isinstance(test, Comparison):
            operator = ast.Constant(value=str(test.operator))
            return invoke("compared", operand, operator, self.expression(test.end))
        if isinstance(test, RangeOf) and not unary:
            return self._range_test(test, operand)
        if unary and mentions_input(test):
            return self.expression(test)
        function = "passes" if unary else "is_in"
        return invoke(function, operand, self.expression(test), load("r"))

    def _range_test(self, test: RangeOf, operand: ast.expr) -> ast.expr:
        written = self.range_of(test)
        if isinstance(written, ast.Name):
            return invoke("is_in", operand, written, load("r"))
        parts = [self.expression(test.low), self.expression(test.high), *_closed(test)]
        return invoke("in_range", operand, *parts, *self.tail(test))

    def range_of(self, node: RangeOf) -> ast.expr:
        """A range; one with literal ends is made beforehand."""
        low, high = literal_value(node.low), literal_value(node.high)
        order = None if low is None or high is None else compare(low, high)
        if order is not None and order <= 0:
            return self.constant(Range(low, high, node.low_closed, node.high_closed))
        ends = [self.expression(node.low), self.expression(node.high)]
        return invoke("make_range", *ends, *_closed(node), *self.tail(node))

    def comparison(self, node: Comparison) -> ast.expr:
        """A comparison without left side, as a range value."""
        operator = ast.Constant(value=str(node.operator))
        return invoke("open_range", operator, self.expression(node.end), *self.tail(node))


def _closed(node: RangeOf) -> list[ast.expr]:
    return [ast.Constant(value=node.low_closed), ast.Constant(value=node.high_closed)]
