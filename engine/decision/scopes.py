"""Where a name may come from inside compiled code."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class LocalScope:
    """Names that are Python variables: parameters, loop variables, the input of a test."""

    variables: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.variables


@dataclass(frozen=True, slots=True)
class ContextScope:
    """The entries of a context being built, those before the present one."""

    variable: str
    keys: set[str]

    def __contains__(self, name: str) -> bool:
        return name in self.keys


@dataclass(frozen=True, slots=True)
class FilterScope:
    """The item being filtered: `item`, and its entries by name when it is a context."""

    variable: str

    def __contains__(self, name: str) -> bool:
        return name == "item"

    def read(self, name: str, outside: ast.expr) -> ast.expr:
        """Write the choice between the item's entry and what the name means outside."""
        item = ast.Name(self.variable, ast.Load())
        otherwise = item if name == "item" else outside
        return ast.IfExp(
            test=ast.Call(
                func=ast.Name("has_entry", ast.Load()),
                args=[item, ast.Constant(name)],
                keywords=[],
            ),
            body=ast.Subscript(value=item, slice=ast.Constant(name), ctx=ast.Load()),
            orelse=otherwise,
        )


Scope: TypeAlias = LocalScope | ContextScope | FilterScope
