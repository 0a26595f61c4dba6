"""What all writers of Python code share: names, constants, places and scopes.

No word of a FEEL text ever becomes a Python name: variables are called v1, v2 …, constants
K0, K1 …, the caller's context c and the runtime r.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from engine.decision.runtime import Place
from engine.decision.scopes import ContextScope, FilterScope, LocalScope, Scope
from engine.decision.tree import Marked, Name, Node
from engine.decision.values import Builtin
from engine.decision.weigh import weight

TRUE = ast.Constant(value=True)


class Emitter:
    """Keeps what grows while one tree is written: constants, serial numbers, open scopes."""

    def __init__(
        self, text: str, builtins: Mapping[str, Builtin], known: frozenset[str], where: str = ""
    ) -> None:
        self.text = text
        self.where = where
        self.builtins = builtins
        self.known = known
        self.scopes: list[Scope] = []
        self.constants: dict[str, Any] = {}
        self.free: set[str] = set()
        # Those of them that cannot be an entry of a filtered item instead.
        self.certain: set[str] = set()
        self._serial = 0

    def expression(self, node: Node) -> ast.expr:
        """Turn a node into a Python expression (given by the generator)."""
        raise NotImplementedError

    def fresh(self) -> str:
        """Make a Python name that is used nowhere else."""
        self._serial += 1
        return f"v{self._serial}"

    def constant(self, value: Any) -> ast.expr:
        """Write a value, as a global constant where Python has no literal for it."""
        if value is None or type(value) in (bool, str, int):
            return ast.Constant(value=value)
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return load(name)

    def tail(self, node: Node) -> list[ast.expr]:
        """Write the last two arguments of most functions: the runtime and the place."""
        return [load("r"), self.constant(Place(node.at, self.text, self.where))]

    def within(self, scope: Scope, node: Node) -> ast.expr:
        """Write a node inside one more scope."""
        self.scopes.append(scope)
        try:
            return self.expression(node)
        finally:
            self.scopes.pop()

    def cost(self, node: Node) -> ast.expr:
        """Write what one turn of a loop over the node costs."""
        return ast.Constant(value=1 + weight(node) // 4)

    def marked(self, node: Marked) -> ast.expr:
        """Write a part whose offsets belong to another text."""
        outer = self.text, self.where
        self.text, self.where = node.text, node.where
        try:
            return self.expression(node.operand)
        finally:
            self.text, self.where = outer

    def name(self, node: Name) -> ast.expr:
        """Look a name up in the scopes, innermost first, and at last in the caller's context."""
        return self._resolve(node, len(self.scopes), certain=True)

    def _resolve(self, node: Name, depth: int, *, certain: bool) -> ast.expr:
        for level in range(depth - 1, -1, -1):
            scope = self.scopes[level]
            if isinstance(scope, FilterScope):
                return scope.read(node.name, self._resolve(node, level, certain=False))
            if isinstance(scope, LocalScope) and node.name in scope:
                return load(scope.variables[node.name])
            if isinstance(scope, ContextScope) and node.name in scope:
                variable, key = load(scope.variable), ast.Constant(value=node.name)
                return invoke("read_entry", variable, key, *self.tail(node))
        return self._free(node, certain=certain)

    def _free(self, node: Name, *, certain: bool) -> ast.expr:
        self.free.add(node.name)
        if certain:
            self.certain.add(node.name)
        arguments = [load("c"), ast.Constant(value=node.name)]
        builtin = self.builtins.get(node.name)
        if builtin is not None and node.name not in self.known:
            return invoke("read_name_or", *arguments, self.constant(builtin), *self.tail(node))
        return invoke("read_name", *arguments, *self.tail(node))

    def static_builtin(self, function: Node) -> Builtin | None:
        """Find the built-in a node is sure to mean, unless something nearer has its name."""
        if not isinstance(function, Name) or function.name in self.known:
            return None
        for scope in self.scopes:
            if not isinstance(scope, FilterScope) and function.name in scope:
                return None
        return self.builtins.get(function.name)


def load(name: str) -> ast.expr:
    """Write the reading of a Python name."""
    return ast.Name(name, ast.Load())


def invoke(function: str, *arguments: ast.expr) -> ast.expr:
    """Write the call of one of the functions compiled code may use."""
    return ast.Call(func=load(function), args=list(arguments), keywords=[])


def packed(items: list[ast.expr]) -> ast.expr:
    """Write a tuple."""
    return ast.Tuple(items, ast.Load())


def is_true(value: ast.expr) -> ast.expr:
    """Write `value is True`; of a value written down, the answer."""
    if isinstance(value, ast.Constant):
        return ast.Constant(value=value.value is True)
    return ast.Compare(left=value, ops=[ast.Is()], comparators=[TRUE])


def function_of(parameters: list[str], body: ast.expr) -> ast.expr:
    """Write a lambda."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    return ast.Lambda(args=arguments, body=body)
