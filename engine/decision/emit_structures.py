"""Writing lists, contexts, paths, filters, loops, functions and calls."""

from __future__ import annotations

import ast

from engine.decision.calls import arrange
from engine.decision.emit_operators import OperatorEmitter
from engine.decision.emitter import function_of, invoke, load, packed
from engine.decision.errors import Fault
from engine.decision.scopes import ContextScope, FilterScope, LocalScope
from engine.decision.tree import (
    Call,
    Coerced,
    ContextOf,
    Filter,
    For,
    Function,
    Iterator,
    ListOf,
    Marked,
    Node,
    Path,
    Quantified,
    Quantifier,
)
from engine.decision.values import Parameter
from engine.decision.weigh import keeps_name, literal_value

# These ask whether there is a value: that there is none is no fault of theirs.
_FORGIVING = frozenset({"is defined", "get or else"})


class StructureEmitter(OperatorEmitter):
    """Writes what holds other values or opens a scope."""

    def list_of(self, node: ListOf) -> ast.expr:
        """A list."""
        return ast.List(elts=[self.expression(item) for item in node.items], ctx=ast.Load())

    def context(self, node: ContextOf) -> ast.expr:
        """A context, built entry by entry; each is a function of the entries before it."""
        built = self.fresh()
        keys: set[str] = set()
        values: list[ast.expr] = []
        self.scopes.append(ContextScope(built, keys))
        for key, value in node.entries:
            if isinstance(_unwrapped(value), Function):
                keys.add(key)  # a function may call itself
            values.append(function_of([built], self.expression(value)))
            keys.add(key)
        arguments = [
            packed([ast.Constant(value=key) for key, _ in node.entries]),
            packed(values),
        ]
        if node.result is not None:
            arguments.append(function_of([built], self.expression(node.result)))
        self.scopes.pop()
        return invoke("build_context" if node.result is None else "boxed_result", *arguments)

    def path(self, node: Path) -> ast.expr:
        """`source.name`."""
        name = ast.Constant(value=node.name)
        return invoke("path", self.expression(node.source), name, *self.tail(node))

    def filter_of(self, node: Filter) -> ast.expr:
        """`source[condition]`; a number written down is a position."""
        source = self.expression(node.source)
        position = literal_value(node.condition)
        if position is not None and type(position) not in (bool, str):
            return invoke("index", source, self.constant(position))
        item = self.fresh()
        condition = function_of([item], self.within(FilterScope(item), node.condition))
        cost = self.cost(node.condition)
        return invoke("filtered", source, condition, cost, *self.tail(node))

    def _domains(self, iterators: tuple[Iterator, ...]) -> tuple[ast.expr, list[str], LocalScope]:
        """Write the domains as functions of the variables before them; leave a scope open."""
        scope = LocalScope({})
        self.scopes.append(scope)
        bound: list[str] = []
        domains: list[ast.expr] = []
        for iterator in iterators:
            first = function_of(list(bound), self.expression(iterator.domain))
            last: ast.expr = ast.Constant(value=None)
            if iterator.last is not None:
                last = function_of(list(bound), self.expression(iterator.last))
            domains.append(packed([first, last]))
            variable = self.fresh()
            bound.append(variable)
            scope.variables[iterator.name] = variable
        return packed(domains), bound, scope

    def loop(self, node: For) -> ast.expr:
        """`for`; its result also sees `partial`, the results so far."""
        domains, bound, scope = self._domains(node.iterators)
        partial = self.fresh()
        scope.variables.setdefault("partial", partial)
        result = function_of([partial, *bound], self.expression(node.result))
        self.scopes.pop()
        keeps = ast.Constant(value=keeps_name(node.result, "partial"))
        return invoke("loop", domains, result, keeps, self.cost(node.result), *self.tail(node))

    def quantified(self, node: Quantified) -> ast.expr:
        """`some` and `every`."""
        domains, bound, _ = self._domains(node.iterators)
        condition = function_of(bound, self.expression(node.condition))
        self.scopes.pop()
        some = ast.Constant(value=node.quantifier is Quantifier.SOME)
        cost = self.cost(node.condition)
        return invoke("quantified", some, domains, condition, cost, *self.tail(node))

    def function(self, node: Function) -> ast.expr:
        """A function definition."""
        scope = LocalScope({parameter.name: self.fresh() for parameter in node.parameters})
        body = function_of(list(scope.variables.values()), self.within(scope, node.body))
        parameters = tuple(Parameter(name=p.name, type=p.kind) for p in node.parameters)
        name = ast.Constant(value=node.name)
        return invoke(
            "make_function", self.constant(parameters), body, self.constant(node.result), name
        )

    def call(self, node: Call) -> ast.expr:
        """An invocation; the arguments of a built-in are put in order beforehand."""
        builtin = self.static_builtin(node.function)
        arguments = [self.expression(argument) for argument in node.arguments]
        if builtin is None:
            function, names = self.expression(node.function), self.constant(node.names)
            return invoke("call", function, *self.tail(node), packed(arguments), names)
        try:
            order = arrange(builtin, len(arguments), node.names)
        except Fault as fault:
            return invoke("failing", ast.Constant(value=str(fault)), *self.tail(node))
        if builtin.name in _FORGIVING and arguments:
            arguments[0] = invoke("quietly", function_of([], arguments[0]), load("r"))
        nothing = ast.Constant(value=None)
        ordered = [nothing if i is None else arguments[i] for i in order]
        return invoke("invoke", self.constant(builtin), *self.tail(node), *ordered)


def _unwrapped(node: Node) -> Node:
    while isinstance(node, (Marked, Coerced)):
        node = node.operand
    return node
