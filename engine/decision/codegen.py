"""The checked syntax tree to one Python code object.

The code sees nothing but the functions listed in `_GLOBALS` and constants: its globals have no
builtins, no name of the text becomes a Python name, and no attribute is ever read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import CodeType, FunctionType
from typing import Any

from engine.decision import evaluation, membership, operators, table
from engine.decision.calls import arrange, call, invoke
from engine.decision.errors import Fault, FeelSyntaxError
from engine.decision.kinds import is_instance
from engine.decision.operators import compare
from engine.decision.runtime import Place
from engine.decision.scopes import ContextScope, FilterScope, LocalScope, Scope
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
    Iterator,
    Junction,
    ListOf,
    Literal,
    Marked,
    Membership,
    Name,
    Negation,
    Node,
    Operator,
    Path,
    Quantified,
    Quantifier,
    RangeOf,
    Table,
)
from engine.decision.values import Builtin, Parameter, Range
from engine.decision.weigh import literal_value, mentions_input, weight

Compiled = Callable[[Mapping[str, Any], Any], Any]

_OPERATIONS: dict[Operator, str] = {
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
_GLOBALS: dict[str, Any] = {
    **{name: getattr(operators, name) for name in _OPERATIONS.values()},
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
    "is_instance": is_instance,
    "invoke": invoke,
    "call": call,
    "decide": table.decide,
    "__builtins__": {},
}
_INLINE_OPERANDS = 8
_MAX_NODES = 20_000


class Generator:
    """Turns one tree into one code object; keeps the scopes and the constants."""

    def __init__(
        self, text: str, builtins: Mapping[str, Builtin], known: frozenset[str], where: str = ""
    ) -> None:
        self._text = text
        self._where = where
        self._builtins = builtins
        self._known = known
        self._scopes: list[Scope] = []
        self._constants: dict[str, Any] = {}
        self._serial = 0
        self.free: set[str] = set()

    def compile(self, node: Node, parameters: tuple[str, ...] = ()) -> Compiled:
        """Compile a tree to a function of the caller's context and a runtime.

        With parameters, the function takes these values as further arguments; the tree sees
        them as variables, and one called "?" as its input.
        """
        if weight(node) > _MAX_NODES:
            raise FeelSyntaxError("表达式太大", text=self._text, position=0, hint="拆成几个决策")
        scope = LocalScope({name: self._fresh() for name in parameters})
        try:
            body = self._within(scope, node)
        except RecursionError:
            raise FeelSyntaxError(
                "表达式嵌套太深", text=self._text, position=0, hint="拆成几个决策"
            ) from None
        arguments = ["c", "r", *scope.variables.values()]
        tree = ast.Expression(body=_lambda(arguments, body))
        ast.fix_missing_locations(tree)
        try:
            code = compile(tree, "<feel>", "eval")
        except (RecursionError, MemoryError):
            raise FeelSyntaxError(
                "表达式嵌套太深", text=self._text, position=0, hint="拆成几个决策"
            ) from None
        inner = next(one for one in code.co_consts if isinstance(one, CodeType))
        return FunctionType(inner, {**_GLOBALS, **self._constants}, "feel")

    # Pieces of Python

    def _fresh(self) -> str:
        self._serial += 1
        return f"v{self._serial}"

    def _constant(self, value: Any) -> ast.expr:
        if value is None or type(value) in (bool, str, int):
            return ast.Constant(value)
        name = f"K{len(self._constants)}"
        self._constants[name] = value
        return _load(name)

    def _place(self, node: Node) -> ast.expr:
        return self._constant(Place(node.at, self._text, self._where))

    def _tail(self, node: Node) -> list[ast.expr]:
        return [_load("r"), self._place(node)]

    def _within(self, scope: Scope, node: Node) -> ast.expr:
        self._scopes.append(scope)
        try:
            return self.expression(node)
        finally:
            self._scopes.pop()

    def _cost(self, node: Node) -> ast.expr:
        return ast.Constant(1 + weight(node) // 4)

    def expression(self, node: Node) -> ast.expr:
        """Turn a node into a Python expression."""
        return _WRITERS[type(node)](self, node)

    # Leaves

    def _literal(self, node: Literal) -> ast.expr:
        return self._constant(node.value)

    def _failing(self, node: Failing) -> ast.expr:
        return _call("failing", ast.Constant(node.message), *self._tail(node))

    def _input(self, node: Input) -> ast.expr:
        return self._name(Name(at=node.at, name="?"))

    def _name(self, node: Name) -> ast.expr:
        return self._resolve(node, len(self._scopes))

    def _resolve(self, node: Name, depth: int) -> ast.expr:
        """Look a name up in the scopes, innermost first, and at last in the caller's context."""
        for level in range(depth - 1, -1, -1):
            scope = self._scopes[level]
            if isinstance(scope, FilterScope):
                return scope.read(node.name, lambda level=level: self._resolve(node, level))
            if isinstance(scope, LocalScope) and node.name in scope.variables:
                return _load(scope.variables[node.name])
            if isinstance(scope, ContextScope) and node.name in scope.keys:
                return _call(
                    "read_entry", _load(scope.variable), ast.Constant(node.name), *self._tail(node)
                )
        return self._free(node)

    def _free(self, node: Name) -> ast.expr:
        self.free.add(node.name)
        arguments = [_load("c"), ast.Constant(node.name)]
        builtin = self._builtins.get(node.name)
        if builtin is not None and node.name not in self._known:
            return _call("read_name_or", *arguments, self._constant(builtin), *self._tail(node))
        return _call("read_name", *arguments, *self._tail(node))

    # Operators

    def _negation(self, node: Negation) -> ast.expr:
        if isinstance(node.operand, Literal) and type(node.operand.value) is Decimal:
            return self._constant(node.operand.value.copy_negate())
        return _call("negate", self.expression(node.operand), *self._tail(node))

    def _binary(self, node: Binary) -> ast.expr:
        left, right = self.expression(node.left), self.expression(node.right)
        return _call(_OPERATIONS[node.operator], left, right, *self._tail(node))

    def _junction(self, node: Junction) -> ast.expr:
        """Three-valued, stopping at the first operand that settles it."""
        if len(node.operands) > _INLINE_OPERANDS:
            operands = [_lambda([], self.expression(one)) for one in node.operands]
            return _call(
                "junction", ast.Constant(node.conjunction), ast.Tuple(operands, ast.Load())
            )
        settled = not node.conjunction
        joined = self.expression(node.operands[0])
        for operand in node.operands[1:]:
            kept = self._fresh()
            joined = ast.IfExp(
                test=ast.Compare(
                    left=ast.NamedExpr(target=ast.Name(kept, ast.Store()), value=joined),
                    ops=[ast.Is()],
                    comparators=[ast.Constant(settled)],
                ),
                body=ast.Constant(settled),
                orelse=_call(
                    "both" if node.conjunction else "either", _load(kept), self.expression(operand)
                ),
            )
        return joined

    def _between(self, node: Between) -> ast.expr:
        operand, low, high = (self.expression(e) for e in (node.operand, node.low, node.high))
        closed = ast.Constant(True)
        return _call("in_range", operand, low, high, closed, closed, *self._tail(node))

    def _instance_of(self, node: InstanceOf) -> ast.expr:
        kind = self._constant(node.kind)
        return _call("is_instance", self.expression(node.operand), kind, _load("r"))

    def _if(self, node: If) -> ast.expr:
        return ast.IfExp(
            test=_is_true(self.expression(node.condition)),
            body=self.expression(node.then),
            orelse=self.expression(node.otherwise),
        )

    def _coerced(self, node: Coerced) -> ast.expr:
        return _call(
            "coerced", self.expression(node.operand), self._constant(node.kind), *self._tail(node)
        )

    def _marked(self, node: Marked) -> ast.expr:
        outer = self._text, self._where
        self._text, self._where = node.text, node.where
        try:
            return self.expression(node.operand)
        finally:
            self._text, self._where = outer

    # Tests

    def _membership(self, node: Membership) -> ast.expr:
        if isinstance(node.operand, (Input, Name)) and len(self._scopes) > 0:
            operand = self.expression(node.operand)
            if isinstance(operand, ast.Name):
                return self._tests(node, operand)
        kept = self._fresh()
        self._scopes.append(LocalScope({}))
        body = self._tests(node, _load(kept))
        self._scopes.pop()
        return ast.Call(func=_lambda([kept], body), args=[self.expression(node.operand)], keywords=[])

    def _tests(self, node: Membership, operand: ast.expr) -> ast.expr:
        tests = [self._test(test, operand, unary=node.unary) for test in node.tests]
        joined = tests[0] if len(tests) == 1 else _call("any_test", *tests)
        return _call("opposite", joined) if node.negated else joined

    def _test(self, test: Node, operand: ast.expr, *, unary: bool) -> ast.expr:
        if isinstance(test, Comparison):
            end = self.expression(test.end)
            return _call("compared", operand, ast.Constant(str(test.operator)), end)
        if isinstance(test, RangeOf) and not unary:
            return self._range_test(test, operand)
        if unary and mentions_input(test):
            return self.expression(test)
        return _call("passes" if unary else "is_in", operand, self.expression(test), _load("r"))

    def _range_test(self, test: RangeOf, operand: ast.expr) -> ast.expr:
        written = self._range(test)
        if isinstance(written, ast.Name):
            return _call("is_in", operand, written, _load("r"))
        parts = [self.expression(test.low), self.expression(test.high)]
        closed = [ast.Constant(test.low_closed), ast.Constant(test.high_closed)]
        return _call("in_range", operand, *parts, *closed, *self._tail(test))

    def _range(self, node: RangeOf) -> ast.expr:
        low, high = literal_value(node.low), literal_value(node.high)
        order = None if low is None or high is None else compare(low, high)
        if order is not None and order <= 0:
            return self._constant(Range(low, high, node.low_closed, node.high_closed))
        return _call(
            "make_range",
            self.expression(node.low),
            self.expression(node.high),
            ast.Constant(node.low_closed),
            ast.Constant(node.high_closed),
            *self._tail(node),
        )

    def _comparison(self, node: Comparison) -> ast.expr:
        return _call(
            "open_range", ast.Constant(str(node.operator)), self.expression(node.end),
            *self._tail(node),
        )  # fmt: skip

    # Lists, contexts, paths

    def _list(self, node: ListOf) -> ast.expr:
        return ast.List(elts=[self.expression(item) for item in node.items], ctx=ast.Load())

    def _context(self, node: ContextOf) -> ast.expr:
        built = self._fresh()
        keys: set[str] = set()
        scope = ContextScope(built, keys)
        values: list[ast.expr] = []
        self._scopes.append(scope)
        for key, value in node.entries:
            if isinstance(_unmarked(value), Function):
                keys.add(key)  # a function may call itself
            values.append(_lambda([built], self.expression(value)))
            keys.add(key)
        names = ast.Tuple([ast.Constant(key) for key, _ in node.entries], ast.Load())
        arguments: list[ast.expr] = [names, ast.Tuple(values, ast.Load())]
        if node.result is not None:
            arguments.append(_lambda([built], self.expression(node.result)))
        self._scopes.pop()
        return _call("build_context" if node.result is None else "boxed_result", *arguments)

    def _path(self, node: Path) -> ast.expr:
        source = self.expression(node.source)
        return _call("path", source, ast.Constant(node.name), *self._tail(node))

    def _filter(self, node: Filter) -> ast.expr:
        source = self.expression(node.source)
        position = node.condition
        if isinstance(position, Negation):
            position = position.operand
        if isinstance(position, Literal) and type(position.value) is Decimal:
            return _call("index", source, self.expression(node.condition))
        item = self._fresh()
        condition = self._within(FilterScope(item), node.condition)
        return _call(
            "filtered", source, _lambda([item], condition), self._cost(node.condition),
            *self._tail(node),
        )  # fmt: skip

    # Loops

    def _domains(self, iterators: tuple[Iterator, ...]) -> tuple[ast.expr, list[str], LocalScope]:
        """Write the domains as functions of the variables before them; open their scope."""
        scope = LocalScope({})
        self._scopes.append(scope)
        bound: list[str] = []
        domains: list[ast.expr] = []
        for iterator in iterators:
            first = _lambda(list(bound), self.expression(iterator.domain))
            last: ast.expr = ast.Constant(None)
            if iterator.last is not None:
                last = _lambda(list(bound), self.expression(iterator.last))
            domains.append(ast.Tuple([first, last], ast.Load()))
            variable = self._fresh()
            bound.append(variable)
            scope.variables[iterator.name] = variable
        return ast.Tuple(domains, ast.Load()), bound, scope

    def _for(self, node: For) -> ast.expr:
        domains, bound, scope = self._domains(node.iterators)
        partial = self._fresh()
        scope.variables.setdefault("partial", partial)
        result = _lambda([partial, *bound], self.expression(node.result))
        self._scopes.pop()
        return _call("loop", domains, result, self._cost(node.result), *self._tail(node))

    def _quantified(self, node: Quantified) -> ast.expr:
        domains, bound, _ = self._domains(node.iterators)
        condition = _lambda(bound, self.expression(node.condition))
        self._scopes.pop()
        some = ast.Constant(node.quantifier is Quantifier.SOME)
        return _call(
            "quantified", some, domains, condition, self._cost(node.condition), *self._tail(node)
        )

    # Functions

    def _function(self, node: Function) -> ast.expr:
        scope = LocalScope({parameter.name: self._fresh() for parameter in node.parameters})
        body = _lambda(list(scope.variables.values()), self._within(scope, node.body))
        parameters = tuple(Parameter(name=p.name, type=p.kind) for p in node.parameters)
        return _call(
            "make_function", self._constant(parameters), body, self._constant(node.result),
            ast.Constant(node.name),
        )  # fmt: skip

    def _call(self, node: Call) -> ast.expr:
        builtin = self._static_builtin(node.function)
        arguments = [self.expression(argument) for argument in node.arguments]
        if builtin is None:
            names = self._constant(node.names)
            packed = ast.Tuple(arguments, ast.Load())
            return _call("call", self.expression(node.function), *self._tail(node), packed, names)
        try:
            order = arrange(builtin, len(arguments), node.names)
        except Fault as fault:
            return _call("failing", ast.Constant(str(fault)), *self._tail(node))
        ordered = [ast.Constant(None) if i is None else arguments[i] for i in order]
        return _call("invoke", self._constant(builtin), *self._tail(node), *ordered)

    def _static_builtin(self, function: Node) -> Builtin | None:
        if not isinstance(function, Name) or function.name in self._known:
            return None
        for scope in self._scopes:
            if isinstance(scope, (LocalScope, ContextScope)) and function.name in scope:
                return None
        return self._builtins.get(function.name)

    # Decision tables

    def _table(self, node: Table) -> ast.expr:
        return table_expression(self, node)


def table_expression(generator: Generator, node: Table) -> ast.expr:
    """Write a decision table: one test and one output function a rule, over shared inputs."""
    inputs = [generator._fresh() for _ in node.inputs]

    def test(row: tuple[Node | None, ...]) -> ast.expr:
        parts: list[ast.expr] = []
        for variable, cell in zip(inputs, row, strict=True):
            if cell is not None:
                scope = LocalScope({"?": variable})
                parts.append(_is_true(generator._within(scope, cell)))
        if len(parts) > 1:
            return _lambda(inputs, ast.BoolOp(ast.And(), parts))
        return _lambda(inputs, parts[0] if parts else ast.Constant(True))

    def row(cells: tuple[Node, ...]) -> ast.expr:
        return _lambda([], ast.Tuple([generator.expression(cell) for cell in cells], ast.Load()))

    def check(cell: Node | None, variable: str) -> ast.expr:
        if cell is None:
            return ast.Constant(None)
        return _lambda([variable], generator._within(LocalScope({"?": variable}), cell))

    values = [generator.expression(one) for one in node.inputs]
    checks = [check(c, v) for c, v in zip(node.input_checks, inputs, strict=True)]
    orders = [ast.Constant(None) if o is None else generator.expression(o) for o in node.output_values]
    return _call(
        "decide",
        generator._constant(node.policy),
        ast.Tuple(values, ast.Load()),
        ast.Tuple(checks, ast.Load()),
        ast.Tuple([test(one) for one in node.tests], ast.Load()),
        ast.Tuple([row(one) for one in node.outputs], ast.Load()),
        row(node.defaults) if node.defaults is not None else ast.Constant(None),
        ast.Tuple(orders, ast.Load()),
        *generator._tail(node),
    )


def _unmarked(node: Node) -> Node:
    while isinstance(node, (Marked, Coerced)):
        node = node.operand
    return node


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(func=_load(function), args=list(arguments), keywords=[])


def _is_true(value: ast.expr) -> ast.expr:
    return ast.Compare(left=value, ops=[ast.Is()], comparators=[ast.Constant(True)])


def _lambda(parameters: list[str], body: ast.expr) -> ast.expr:
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in parameters], kwonlyargs=[],
        kw_defaults=[], defaults=[],
    )  # fmt: skip
    return ast.Lambda(args=arguments, body=body)


_WRITERS: dict[type, Callable[[Generator, Any], ast.expr]] = {
    Literal: Generator._literal,
    Failing: Generator._failing,
    Input: Generator._input,
    Name: Generator._name,
    Negation: Generator._negation,
    Binary: Generator._binary,
    Junction: Generator._junction,
    Between: Generator._between,
    InstanceOf: Generator._instance_of,
    If: Generator._if,
    Coerced: Generator._coerced,
    Marked: Generator._marked,
    Membership: Generator._membership,
    RangeOf: Generator._range,
    Comparison: Generator._comparison,
    ListOf: Generator._list,
    ContextOf: Generator._context,
    Path: Generator._path,
    Filter: Generator._filter,
    For: Generator._for,
    Quantified: Generator._quantified,
    Function: Generator._function,
    Call: Generator._call,
    Table: Generator._table,
}
