"""The checked syntax tree to one Python code object.

The code sees nothing but the functions listed in `_GLOBALS` and constants: its globals have no
builtins, no name of the text becomes a Python name, and no attribute is ever read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any, ClassVar

from engine.decision import evaluation, membership, operators, table
from engine.decision.calls import call, invoke
from engine.decision.emit_operators import OPERATIONS
from engine.decision.emit_structures import StructureEmitter
from engine.decision.emitter import function_of, is_true, packed
from engine.decision.emitter import invoke as call_of
from engine.decision.errors import FeelSyntaxError
from engine.decision.kinds import is_instance
from engine.decision.scopes import LocalScope
from engine.decision.tree import (
    Between,
    Binary,
    Call,
    Coerced,
    Comparison,
    ContextOf,
    Failing,
    Filter,
    For,
    Function,
    If,
    Input,
    InstanceOf,
    Junction,
    ListOf,
    Literal,
    Marked,
    Membership,
    Name,
    Negation,
    Node,
    Path,
    Quantified,
    RangeOf,
    Table,
)
from engine.decision.weigh import weight

Compiled = Callable[..., Any]

_GLOBALS: dict[str, Any] = {
    **{name: getattr(operators, name) for name in OPERATIONS.values()},
    "negate": operators.negate,
    "both": operators.both,
    "either": operators.either,
    "junction": operators.junction,
    "opposite": operators.opposite,
    "in_range": membership.in_range,
    "is_in": membership.is_in,
    "passes": membership.passes,
    "any_test": membership.any_test,
    "make_range": membership.make_range,
    "open_range": membership.open_range,
    "compared": membership.compared,
    "read_name": evaluation.read_name,
    "read_name_or": evaluation.read_name_or,
    "has_entry": evaluation.has_entry,
    "read_entry": evaluation.read_entry,
    "path": evaluation.path,
    "index": evaluation.index,
    "filtered": evaluation.filtered,
    "loop": evaluation.loop,
    "quantified": evaluation.quantified,
    "build_context": evaluation.build_context,
    "boxed_result": evaluation.boxed_result,
    "make_function": evaluation.make_function,
    "coerced": evaluation.coerced,
    "failing": evaluation.failing,
    "quietly": evaluation.quietly,
    "is_instance": is_instance,
    "invoke": invoke,
    "call": call,
    "decide": table.decide,
    "__builtins__": {},
}
_MAX_NODES = 200_000


class Generator(StructureEmitter):
    """Turns one tree into one code object."""

    def compile(self, node: Node, parameters: tuple[str, ...] = ()) -> Compiled:
        """Compile a tree to a function of the caller's context and a runtime.

        With parameters, the function takes these values as further arguments; the tree sees
        them as variables, and one called "?" as its input. Raises FeelSyntaxError.
        """
        if weight(node) > _MAX_NODES:
            raise self._too_much("表达式太大")
        scope = LocalScope({name: self.fresh() for name in parameters})
        try:
            body = self.within(scope, node)
            tree = ast.Expression(body=function_of(["c", "r", *scope.variables.values()], body))
            ast.fix_missing_locations(tree)
            code = compile(tree, "<feel>", "eval")
        except (RecursionError, MemoryError):
            raise self._too_much("表达式嵌套太深") from None
        inner = next(one for one in code.co_consts if isinstance(one, CodeType))
        return FunctionType(inner, {**_GLOBALS, **self.constants}, "feel")

    def _too_much(self, message: str) -> FeelSyntaxError:
        return FeelSyntaxError(message, text=self.text, position=0, hint="拆成几个决策")

    def expression(self, node: Node) -> ast.expr:
        """Turn a node into a Python expression."""
        return self._WRITERS[type(node)](self, node)

    def table(self, node: Table) -> ast.expr:
        """A decision table: one test and one output function a rule, over shared inputs."""
        inputs = [self.fresh() for _ in node.inputs]
        values = [self.expression(one) for one in node.inputs]
        checks = [
            ast.Constant(value=None) if check is None
            else function_of([variable], self.within(LocalScope({"?": variable}), check))
            for check, variable in zip(node.input_checks, inputs, strict=True)
        ]  # fmt: skip
        tests = [self._rule_test(cells, inputs) for cells in node.tests]
        outputs = [self._cells(cells) for cells in node.outputs]
        nothing = ast.Constant(value=None)
        orders = [nothing if one is None else self.expression(one) for one in node.output_values]
        return call_of(
            "decide",
            self.constant(node.policy),
            packed(values),
            packed(checks),
            packed(tests),
            packed(outputs),
            nothing if node.defaults is None else self._cells(node.defaults),
            packed(orders),
            *self.tail(node),
        )

    def _rule_test(self, cells: tuple[Node | None, ...], inputs: list[str]) -> ast.expr:
        """Write a function of the inputs that is true when every cell is."""
        parts = [
            is_true(self.within(LocalScope({"?": variable}), cell))
            for variable, cell in zip(inputs, cells, strict=True)
            if cell is not None
        ]
        if len(parts) > 1:
            return function_of(inputs, ast.BoolOp(ast.And(), parts))
        return function_of(inputs, parts[0] if parts else ast.Constant(value=True))

    def _cells(self, cells: tuple[Node, ...]) -> ast.expr:
        return function_of([], packed([self.expression(cell) for cell in cells]))

    _WRITERS: ClassVar[Mapping[type, Callable[[Generator, Any], ast.expr]]] = {
        Literal: StructureEmitter.literal,
        Failing: StructureEmitter.failing,
        Input: StructureEmitter.test_input,
        Name: StructureEmitter.name,
        Negation: StructureEmitter.negation,
        Binary: StructureEmitter.binary,
        Junction: StructureEmitter.junction,
        Between: StructureEmitter.between,
        InstanceOf: StructureEmitter.instance_of,
        If: StructureEmitter.conditional,
        Coerced: StructureEmitter.coerced,
        Marked: StructureEmitter.marked,
        Membership: StructureEmitter.membership,
        RangeOf: StructureEmitter.range_of,
        Comparison: StructureEmitter.comparison,
        ListOf: StructureEmitter.list_of,
        ContextOf: StructureEmitter.context,
        Path: StructureEmitter.path,
        Filter: StructureEmitter.filter_of,
        For: StructureEmitter.loop,
        Quantified: StructureEmitter.quantified,
        Function: StructureEmitter.function,
        Call: StructureEmitter.call,
        Table: table,
    }
