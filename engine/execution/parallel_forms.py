"""Forms filled in side by side must not write the same variable: the later would win by chance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.bpmn import lint_writes
from engine.bpmn.lint_writes import Clash
from engine.kernel.program import Node, Program
from engine.model.package import Package


def clashes(package: Package, program: Program) -> Iterator[Clash]:
    """Every field that the forms of two live branches, or of all rounds of a loop, fill in.

    A form that cannot be read fills in nothing here: that is an error of its own.
    """
    forms = {
        path[len("forms/") : -len(".json")]: _fields(content)
        for path, content in package.files.items()
        if path.startswith("forms/") and path.endswith(".json")
    }
    filled = {node.id: _filled(node, forms) for node in program.nodes}
    said = {(clash.fork.id, clash.name) for clash in lint_writes.clashes(program)}
    for clash in lint_writes.clashes(program, filled):
        if (clash.fork.id, clash.name) not in said:
            yield clash


def _fields(content: bytes) -> frozenset[str]:
    try:
        return frozenset(_keys(json.loads(content)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return frozenset()


def _filled(node: Node, forms: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Fields that go to variables under their own names."""
    if node.task is None or node.task.form is None or node.outputs:
        return frozenset()
    shown_only = {path for path, mode in node.task.permissions.items() if mode in ("h", "r")}
    return forms.get(node.task.form, frozenset()) - shown_only


def _keys(holder: Mapping[str, Any]) -> Iterator[str]:
    """Keys at the top of the data: a group without a key of its own is only a frame."""
    for component in holder["components"]:
        if component.get("disabled") or component.get("readonly"):
            continue
        key = component.get("key") or component.get("path")
        if key:
            yield key.split(".")[0]
        elif isinstance(component.get("components"), list):
            yield from _keys(component)
