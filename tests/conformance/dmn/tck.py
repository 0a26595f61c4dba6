"""Reading OMG's technology compatibility kit: models, cases, expected values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from engine.decision import feel

KIT = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "dmn-tck"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_TEMPORAL = {"date", "time", "dateTime", "duration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One result node: what is asked and what should come of it."""

    folder: str
    model: Path
    case: str
    node: str
    kind: str
    invocable: str | None
    inputs: dict[str, Any]
    expected: Any
    fails: bool

    @property
    def id(self) -> str:
        """Name it as folder/case/node."""
        return f"{self.folder}/{self.case}/{self.node}"


def expectations(folder: Path) -> Iterator[Expectation]:
    """Yield the result nodes of all test files of a folder."""
    for file in sorted(folder.glob("*test*.xml")):
        root = ET.parse(file).getroot()
        model = folder / (_text(root, "modelName") or "")
        for case in (child for child in root if _local(child) == "testCase"):
            inputs = {n.attrib["name"]: value(n) for n in case if _local(n) == "inputNode"}
            for node in (child for child in case if _local(child) == "resultNode"):
                expected = next((c for c in node if _local(c) == "expected"), None)
                yield Expectation(
                    folder=folder.name,
                    model=model,
                    case=case.get("id") or "",
                    node=node.attrib["name"],
                    kind=case.get("type") or "decision",
                    invocable=case.get("invocableName"),
                    inputs=inputs,
                    expected=None if expected is None else value(expected),
                    fails=node.get("errorResult") == "true",
                )


def value(node: ET.Element) -> Any:
    """Read a value: components are a context, a list a list, else a typed text."""
    parts = [c for c in node if _local(c) in ("component", "list", "value")]
    components = [c for c in parts if _local(c) == "component"]
    if components:
        return {c.attrib["name"]: value(c) for c in components}
    if not parts or parts[0].get(_NIL) == "true":
        return None
    if _local(parts[0]) == "list":
        return [value(item) for item in parts[0] if _local(item) == "item"]
    kind = (parts[0].get(_TYPE) or "").rpartition(":")[2]
    return _scalar(kind, parts[0].text or "")


def _scalar(kind: str, text: str) -> Any:
    if kind == "boolean":
        return text == "true"
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return Decimal(text)
    if kind in _TEMPORAL:
        function = {"dateTime": "date and time"}.get(kind, kind)
        return feel.evaluate(f'{function}("{text}")')
    if kind == "":
        return _untyped(text)
    return text


def _untyped(text: str) -> Any:
    try:
        return Decimal(text)
    except ArithmeticError:
        return {"true": True, "false": False}.get(text, text)


def same(actual: Any, expected: Any) -> bool:
    """Compare as the kit does: numbers nearly, moments by value and zone, contexts by keys."""
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= Decimal("1e-8") * max(abs(expected), 1)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(
            same(actual[key], one) for key, one in expected.items()
        )
    if type(actual) is not type(expected):
        return False
    return expected is None or feel.dumps(actual) == feel.dumps(expected)


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _text(root: ET.Element, name: str) -> str | None:
    found = next((child for child in root if _local(child) == name), None)
    return None if found is None else (found.text or "").strip()
