"""Measuring a tree: how large it is, and whether it looks at the input of a unary test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from engine.decision.tree import Filter, Input, Literal, Marked, Membership, Name, Negation, Node


def children(node: Any) -> Iterator[Any]:
    """Yield the nodes directly under a node or an iterator of it."""
    for spec in dataclasses.fields(node):
        yield from _nodes(getattr(node, spec.name))


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for one in value:
            yield from _nodes(one)
    elif dataclasses.is_dataclass(value) and type(value).__module__ == Input.__module__:
        yield value


def weight(node: Node) -> int:
    """Count the nodes of a tree."""
    count = 0
    queue: list[Any] = [node]
    while queue:
        count += 1
        queue.extend(children(queue.pop()))
    return count


def mentions_input(node: Node) -> bool:
    """Tell whether the tree reads `?` outside of unary tests of its own."""
    queue: list[Any] = [node]
    while queue:
        found = queue.pop()
        if isinstance(found, Input):
            return True
        if not (isinstance(found, Membership) and found.unary):
            queue.extend(children(found))
    return False


def keeps_name(node: Node, name: str) -> bool:
    """Tell whether the value of a tree may hold the list a name stands for.

    It may wherever the name is read, but for one item picked out of it: `name[-1]`.
    """
    queue: list[Any] = [node]
    while queue:
        found = queue.pop()
        if isinstance(found, Name) and found.name == name:
            return True
        if isinstance(found, Filter) and _picks_from(found, name):
            continue
        queue.extend(children(found))
    return False


def _picks_from(node: Filter, name: str) -> bool:
    source = node.source
    position = literal_value(node.condition)
    return isinstance(source, Name) and source.name == name and type(position) is Decimal


def literal_value(node: Node) -> Any:
    """Give the value of a literal, also a negated number; None for anything else."""
    while isinstance(node, Marked):
        node = node.operand
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Negation):
        value = literal_value(node.operand)
        return value.copy_negate() if type(value) is Decimal else None
    return None
