"""A short way to write a model: BPMN elements as XML, flows as arrows.

s -> a -[x > 3]-> b        becomes two sequence flows, the second with a condition
g -default-> c             names the default flow of g
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest

from engine.testing import Bench

_ARROW = re.compile(r"\s+-(?:\[(.+?)\]-|(default)-)?>\s+")
_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:test">'
)


def model(body: str, roots: str = "", others: str = "") -> str:
    """The XML of a process `p` with this body."""
    defaults: dict[str, str] = {}
    inside = "\n".join(_line(line, defaults) for line in body.splitlines())
    for node, flow in defaults.items():
        inside = inside.replace(f'id="{node}"', f'id="{node}" default="{flow}"', 1)
    more = "\n".join(_line(line, {}) for line in others.splitlines())
    return (
        f'{_HEAD}{roots}<process id="p" isExecutable="true">{inside}</process>{more}</definitions>'
    )


def _line(line: str, defaults: dict[str, str]) -> str:
    if "<" in line.replace(" < ", "") or " -" not in line:
        return line
    parts = _ARROW.split(line.strip())
    flows = []
    for place in range(0, len(parts) - 3, 3):
        source, condition, default, target = parts[place : place + 4]
        flow = f"{source}_to_{target}"
        if default:
            defaults[source] = flow
        inner = (
            f'<conditionExpression xsi:type="tFormalExpression">{escape(condition)}'
            "</conditionExpression>"
            if condition
            else ""
        )
        flows.append(
            f'<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
        )
    return "".join(flows)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """`bench(body, roots="", others="", operations=…)`: a bench with the process `p`."""

    def make(body: str, roots: str = "", others: str = "", **options: object) -> Bench:
        return Bench.from_bpmn(model(body, roots, others), **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def xml() -> Callable[..., bytes]:
    """The bytes of a model."""
    return lambda *args, **kwargs: model(*args, **kwargs).encode()
