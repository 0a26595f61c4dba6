"""Depth, width and length: long chains, deep nests, wide loops and ten thousand returns."""

from __future__ import annotations

import itertools
import statistics
import time
from datetime import UTC, datetime

import pytest

from engine.bpmn import read
from engine.kernel import jump, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.state import State
from engine.testing import Bench

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<process id="p" isExecutable="true">'
)
TAIL = "</process></definitions>"


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'


def chain(length: int, tag: str = "task") -> str:
    names = ["s", *(f"t{number}" for number in range(length)), "e"]
    nodes = "".join(f'<{tag} id="{name}"/>' for name in names[1:-1])
    flows = "".join(flow(one, other) for one, other in itertools.pairwise(names))
    return f'{HEAD}<startEvent id="s"/>{nodes}<endEvent id="e"/>{flows}{TAIL}'


def nested(depth: int) -> str:
    inside = '<userTask id="core"/>'
    for level in reversed(range(depth)):
        first = "core" if level == depth - 1 else f"sub{level + 1}"
        inside = (
            f'<subProcess id="sub{level}"><startEvent id="s{level}"/>{inside}<endEvent id="e{level}"/>'
            f"{flow(f's{level}', first)}{flow(first, f'e{level}')}</subProcess>"
        )
    return (
        f'{HEAD}<startEvent id="s"/>{inside}<endEvent id="e"/>'
        f"{flow('s', 'sub0')}{flow('sub0', 'e')}{TAIL}"
    )


def wide(width: int, tag: str = "userTask", *, sequential: bool = False) -> str:
    return (
        f'{HEAD}<startEvent id="s"/><{tag} id="many"><extensionElements>'
        '<nl:loop collection="for i in 1..n return i" item="i" output="i" outputs="all"/></extensionElements>'
        f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"/></{tag}>'
        f'<endEvent id="e"/>{flow("s", "many")}{flow("many", "e")}{TAIL}'
    ).replace("1..n", f"1..{width}")


def spent(action) -> float:
    """Seconds of this process, the best of three."""
    found = []
    for _ in range(3):
        started = time.process_time()
        action()
        found.append(time.process_time() - started)
    return min(found)


def started(xml: str):
    (program,) = read(xml.encode(), file="size.bpmn").programs
    decide = RunningDecide(AT)

    def start() -> State:
        state, _ = kernel.step(program, State.initial(program), triggers.Started(at=AT), decide)
        return state

    return program, decide, start


def test_a_chain_of_two_thousand_activities_runs_in_time_that_grows_with_it():
    _, _, short = started(chain(500))
    _, _, long = started(chain(2000))

    assert long().is_ended
    assert spent(long) <= 4 * 1.6 * spent(short) + 0.01


def test_subprocesses_nest_a_hundred_deep():
    bench = Bench.from_bpmn(nested(100))
    case = bench.start("p")

    assert case.waiting_at() == ["core"]
    case.move("core", "sub50")
    assert case.waiting_at() == ["core"]
    case.complete("core")
    assert case.status == "completed"


def test_a_nest_of_a_hundred_is_cancelled_whole():
    case = Bench.from_bpmn(nested(100)).start("p")

    case.cancel()

    assert case.trace.count(("cancel", "core")) == 1
    assert sum(move == "cancel" for move, _ in case.trace) == 101


@pytest.mark.parametrize("sequential", [False, True])
def test_a_thousand_rounds_are_made_in_time_that_grows_with_them(sequential):
    _, _, few = started(wide(250, "scriptTask", sequential=sequential).replace(
        "</extensionElements>", '<nl:assign name="x" value="i"/></extensionElements>'))  # fmt: skip
    _, _, many = started(wide(1000, "scriptTask", sequential=sequential).replace(
        "</extensionElements>", '<nl:assign name="x" value="i"/></extensionElements>'))  # fmt: skip

    assert many().variables["all"] == list(range(1, 1001))
    assert spent(many) <= 4 * 2 * spent(few) + 0.01


def test_a_thousand_tasks_side_by_side_are_opened_and_done():
    program, decide, start = started(wide(1000))
    state = start()
    assert len(state.waiting()) == 1000

    longest = 0.0
    for number, _ in state.waiting():
        began = time.process_time()
        trigger = triggers.TaskCompleted(at=AT, element=number)
        state, _ = kernel.step(program, state, trigger, decide)
        longest = max(longest, time.process_time() - began)
    assert state.is_ended
    assert state.variables["all"] == list(range(1, 1001))


LOOP = (
    f'{HEAD}<startEvent id="s"/><userTask id="apply"/><parallelGateway id="f"/><userTask id="a"/>'
    '<boundaryEvent id="t" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
    '<timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent><endEvent id="e2"/>'
    '<subProcess id="sub"><startEvent id="s1"/><userTask id="b"/><endEvent id="e1"/>'
    '<boundaryEvent id="cb" attachedToRef="b"><compensateEventDefinition/></boundaryEvent>'
    '<task id="undo" isForCompensation="true"/><association id="as" sourceRef="cb" targetRef="undo"/>'
    f"{flow('s1', 'b')}{flow('b', 'e1')}</subProcess>"
    '<parallelGateway id="j"/><endEvent id="e"/>'
    f"{flow('s', 'apply')}{flow('apply', 'f')}{flow('f', 'a')}{flow('a', 'j')}{flow('f', 'sub')}"
    f"{flow('sub', 'j')}{flow('j', 'e')}{flow('t', 'e2')}{TAIL}"
)  # fmt: skip


def test_ten_thousand_returns_leave_state_and_time_per_step_as_they_were():
    """Others keep every round in the state, or recurse over them (SpiffWorkflow: 247 rounds)."""
    program, decide, start = started(LOOP)
    state = start()
    rounds: list[float] = []
    sizes: set[int] = set()
    for _ in range(10_000):
        began = time.process_time()
        (apply, _), *_ = state.waiting()
        completed = triggers.TaskCompleted(at=AT, element=apply)
        state, _ = kernel.step(program, state, completed, decide)
        token = next(number for number, node in state.waiting() if node == "a")
        cancel = jump.elements_to_cancel(program, state, token, "apply")
        moved = triggers.Moved(at=AT, cancel=cancel, node="apply")
        state, _ = kernel.step(program, state, moved, decide)
        kept = state.encode()
        rounds.append(time.process_time() - began)
        # Element numbers only ever rise: their digits are all that may grow.
        sizes.add(len(kept) - 3 * len(str(state.next_id)))
        state = State.decode(kept)

    assert max(sizes) - min(sizes) <= 8, sizes
    assert len(state.elements) == 2
    first, last = rounds[:1000], rounds[-1000:]
    assert statistics.median(last) <= 1.3 * statistics.median(first) + 0.0001
