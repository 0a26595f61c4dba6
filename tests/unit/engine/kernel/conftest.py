"""A short way to write a model: BPMN elements as XML, flows as arrows.

s -> a -[x > 3]-> b        becomes two sequence flows, the second with a condition
g -default-> c             names the default flow of g
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.bpmn import read
from engine.kernel.program import EventType, Kind, Program
from engine.kernel.state import FAILED, ROOT, Phase
from engine.testing import Bench, Case
from tests.drawings import read_arrows

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
    drawn = read_arrows(line, between="_to_")
    defaults.update(drawn.defaults)
    return drawn.xml


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """`bench(body, roots="", others="", operations=…)`: a bench with the process `p`."""

    def make(body: str, roots: str = "", others: str = "", **options: object) -> Bench:
        return Bench.from_bpmn(model(body, roots, others), **options)

    return make


@pytest.fixture
def xml() -> Callable[..., bytes]:
    """The bytes of a model."""
    return lambda *args, **kwargs: model(*args, **kwargs).encode()


@pytest.fixture
def version(xml: Callable[..., bytes]) -> Callable[..., Program]:
    """`version(body)`: the compiled process of this model."""

    def make(body: str, roots: str = "") -> Program:
        result = read(xml(body, roots), file="<model>")
        assert result.ok, result.findings
        return result.program("p")

    return make


def orderly(case: Case) -> None:
    """Every parent lives, joins count, and nothing waits outside that does not wait inside."""
    inner = case._case
    state, program = inner.state, inner.program
    armed = {
        number
        for case_number, number in case._bench.simulation._armed
        if case_number == inner.number
    }
    if state.is_ended:
        assert (state.elements, dict(state.arrived), state.compensations) == ({}, {}, ())
        assert (inner.tasks, inner.subscriptions, armed) == ({}, {}, set())
        assert all(child.state.is_ended for child in inner.children.values())
        return
    places: dict[int, list[EventType]] = {}
    for number, element in state.elements.items():
        assert number < state.next_id
        if number == ROOT:
            continue
        parent = state.elements[element.parent]
        assert parent.phase not in FAILED or element.phase is Phase.LISTENING
        node = program.by_id[element.node]
        events = node.events or ((node.message,) if node.message else ())
        if element.phase is Phase.LISTENING or (
            element.phase is Phase.WAITING and len(events) == 1
        ):
            places.setdefault(number, []).append(events[element.place].type)
    assert set(inner.tasks) == {
        number
        for number, element in state.elements.items()
        if number != ROOT
        and element.phase is Phase.WAITING
        and program.by_id[element.node].kind is Kind.USER_TASK
    }
    assert armed == {n for n, kinds in places.items() if EventType.TIMER in kinds}
    heard = {EventType.MESSAGE, EventType.SIGNAL}
    assert set(inner.subscriptions) == {n for n, kinds in places.items() if heard & set(kinds)}
    for (scope, flow), count in state.arrived.items():
        assert count > 0
        assert state.elements[scope].phase in (Phase.SCOPE, Phase.COMPENSATING)
        owner = program.scopes[program.nodes[program.flow_by_id[flow].target].scope].node
        expected = "" if owner is None else program.nodes[owner].id
        assert state.elements[scope].node == expected
    assert set(state.locals) <= set(state.elements)
    alive = set(state.elements)
    held = {entry.element for entry in state.compensations}
    assert all(entry.holder in alive | held for entry in state.compensations)
    assert set(inner.children) <= alive


@pytest.fixture(name="orderly")
def orderly_fixture() -> Callable[[Case], None]:
    """`orderly(case)`: no orphan task, timer or subscription; no token out of place."""
    return orderly
