"""Random models × random moves: no orphan, no double token, and the case can still be completed.

Blocks nest at will: branches, loops, rounds, subprocesses with boundary events and event
subprocesses, transactions, compensation, event gateways.  Between completed tasks, fired timers,
messages and signals the machine returns, withdraws and jumps to any node there is.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.kernel.jump import MoveRefused
from engine.kernel.program import Kind
from engine.model.errors import NotCorrelated
from engine.testing import Bench, Case

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<message id="M" name="letter"/><signal id="S" name="alarm"/><error id="E" errorCode="E-1"/>'
    '<process id="p" isExecutable="true">'
)
TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
CYCLE = "<timerEventDefinition><timeCycle>R2/P1D</timeCycle></timerEventDefinition>"
MESSAGE = '<messageEventDefinition messageRef="M"/>'
SIGNAL = '<signalEventDefinition signalRef="S"/>'
ERROR = '<errorEventDefinition errorRef="E"/>'
EVENTS = {"timer": TIMER, "cycle": CYCLE, "message": MESSAGE, "signal": SIGNAL}
CONDITION = '<conditionExpression xsi:type="tFormalExpression">{0}</conditionExpression>'
LOOPS = {
    "once": "",
    "side by side": '<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2'
    "</loopCardinality></multiInstanceLoopCharacteristics>",
    "in turn": '<multiInstanceLoopCharacteristics isSequential="true"><loopCardinality '
    'xsi:type="tFormalExpression">2</loopCardinality></multiInstanceLoopCharacteristics>',
}


class Model:
    """Writes blocks one behind another; every node has a number of its own."""

    def __init__(self) -> None:
        self.count = 0

    def document(self, block) -> str:
        return HEAD + self.scope(block) + "</process></definitions>"

    def scope(self, block) -> str:
        parts: list[str] = []
        first = self.node(parts, "startEvent")
        last = self.block(parts, block, first)
        self.flow(parts, last, self.node(parts, "endEvent"))
        return "".join(parts)

    def node(self, parts: list[str], tag: str, inside: str = "", **attributes: str) -> str:
        self.count += 1
        name = f"{tag}{self.count}"
        written = "".join(f' {key}="{value}"' for key, value in attributes.items())
        parts.append(f'<{tag} id="{name}"{written}>{inside}</{tag}>')
        return name

    def flow(self, parts: list[str], source: str, target: str, condition: str = "") -> str:
        self.count += 1
        inside = CONDITION.format(condition) if condition else ""
        parts.append(
            f'<sequenceFlow id="f{self.count}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'
        )
        return f"f{self.count}"

    def default(self, parts: list[str], node: str, flow: str) -> None:
        place = next(i for i, part in enumerate(parts) if f'id="{node}"' in part)
        parts[place] = parts[place].replace(f'id="{node}"', f'id="{node}" default="{flow}"', 1)

    def block(self, parts: list[str], block, source: str) -> str:
        kind, *rest = block
        return getattr(self, f"_{kind}")(parts, source, *rest)

    def _task(self, parts, source, loop) -> str:
        name = self.node(parts, "userTask", LOOPS[loop])
        self.flow(parts, source, name)
        return name

    def _receive(self, parts, source) -> str:
        name = self.node(parts, "receiveTask", messageRef="M")
        self.flow(parts, source, name)
        return name

    def _events(self, parts, source) -> str:
        gateway = self.node(parts, "eventBasedGateway")
        self.flow(parts, source, gateway)
        join = self.node(parts, "exclusiveGateway")
        for definition in (MESSAGE, TIMER):
            event = self.node(parts, "intermediateCatchEvent", definition)
            self.flow(parts, gateway, event)
            self.flow(parts, event, join)
        return join

    def _sequence(self, parts, source, *blocks) -> str:
        for block in blocks:
            source = self.block(parts, block, source)
        return source

    def _fork(self, parts, source, gateway, *blocks) -> str:
        split, join = self.node(parts, gateway), self.node(parts, gateway)
        self.flow(parts, source, split)
        for number, block in enumerate(blocks):
            first = self.node(parts, "task")
            condition = "" if gateway == "parallelGateway" else f"pick[{number + 1}]"
            self.flow(parts, split, first, condition)
            self.flow(parts, self.block(parts, block, first), join)
        if gateway != "parallelGateway":
            self.default(parts, split, self.flow(parts, split, join))
        return join

    def _repeat(self, parts, source, block) -> str:
        merge, split = self.node(parts, "exclusiveGateway"), self.node(parts, "exclusiveGateway")
        self.flow(parts, source, merge)
        # A task in every round: a loop that waits for nobody would be an incident.
        first = self._task(parts, merge, "once")
        self.flow(parts, self.block(parts, block, first), split)
        self.flow(parts, split, merge, "again")
        out = self.node(parts, "task")
        self.default(parts, split, self.flow(parts, split, out))
        return out

    def _undone(self, parts, source) -> str:
        task = self._task(parts, source, "once")
        event = self.node(
            parts, "boundaryEvent", "<compensateEventDefinition/>", attachedToRef=task
        )
        handler = self.node(parts, "userTask", isForCompensation="true")
        self.count += 1
        parts.append(
            f'<association id="as{self.count}" associationDirection="One" sourceRef="{event}" targetRef="{handler}"/>'
        )
        throw = self.node(parts, "intermediateThrowEvent", "<compensateEventDefinition/>")
        self.flow(parts, task, throw)
        return throw

    def _sub(self, parts, source, loop, boundary, handler, block) -> str:
        inside = self.scope(block)
        if handler is not None:
            inside += self._handler(*handler)
        name = self.node(parts, "subProcess", LOOPS[loop] + inside)
        self.flow(parts, source, name)
        if boundary is None:
            return name
        event, interrupting = boundary
        beside = self.node(
            parts, "boundaryEvent", EVENTS[event],
            attachedToRef=name, cancelActivity="true" if interrupting else "false",
        )  # fmt: skip
        task = self._task(parts, beside, "once")
        if not interrupting:
            self.flow(parts, task, self.node(parts, "endEvent"))
            return name
        merge = self.node(parts, "exclusiveGateway")
        self.flow(parts, name, merge)
        self.flow(parts, task, merge)
        return merge

    def _handler(self, event, interrupting) -> str:
        inner: list[str] = []
        start = self.node(
            inner, "startEvent", EVENTS[event], isInterrupting="true" if interrupting else "false"
        )
        self.flow(inner, self._task(inner, start, "once"), self.node(inner, "endEvent"))
        parts: list[str] = []
        self.node(parts, "subProcess", "".join(inner), triggeredByEvent="true")
        return "".join(parts)

    def _failing(self, parts, source, block) -> str:
        """A subprocess that may end in an error, and the boundary event that catches it."""
        inner: list[str] = []
        last = self.block(inner, block, self.node(inner, "startEvent"))
        split = self.node(inner, "exclusiveGateway")
        self.flow(inner, last, split)
        self.flow(inner, split, self.node(inner, "endEvent", ERROR), "pick[1]")
        self.default(inner, split, self.flow(inner, split, self.node(inner, "endEvent")))
        name = self.node(parts, "subProcess", "".join(inner))
        self.flow(parts, source, name)
        caught = self.node(parts, "boundaryEvent", ERROR, attachedToRef=name)
        merge = self.node(parts, "exclusiveGateway")
        self.flow(parts, name, merge)
        self.flow(parts, self._task(parts, caught, "once"), merge)
        return merge


KINDS = st.tuples(st.sampled_from(sorted(EVENTS)), st.booleans())
LEAVES = st.one_of(
    st.tuples(st.just("task"), st.sampled_from(sorted(LOOPS))),
    st.just(("receive",)), st.just(("events",)), st.just(("undone",)),
)  # fmt: skip


def _around(inner):
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda found: ("sequence", *found)),
        st.tuples(
            st.sampled_from(["parallelGateway", "inclusiveGateway"]),
            st.lists(inner, min_size=2, max_size=3),
        ).map(lambda found: ("fork", found[0], *found[1])),
        inner.map(lambda block: ("repeat", block)),
        inner.map(lambda block: ("failing", block)),
        st.tuples(
            st.just("sub"), st.sampled_from(sorted(LOOPS)),
            st.none() | KINDS, st.none() | KINDS, inner,
        ),
    )  # fmt: skip


BLOCKS = st.recursive(LEAVES, _around, max_leaves=6)
ENOUGH = 400
DONE_BY_HAND = frozenset({Kind.USER_TASK, Kind.RECEIVE_TASK, Kind.CATCH})


def drive(case: Case, orderly) -> None:
    """Let everything happen that has to, with every loop left and every branch taken."""
    bench = case._bench
    if case.status == "active":
        case.set({"again": False})
    for _ in range(ENOUGH):
        if case.status != "active":
            return
        program, state = case._case.program, case._case.state
        waiting = [n for n, node in state.waiting() if program.by_id[node].kind in DONE_BY_HAND]
        if waiting:
            data = {"again": False, "pick": [False] * 3}
            bench.simulation.complete(case._case, waiting[0], data)
        elif bench.simulation.next_due() is not None:
            bench.travel(bench.simulation.next_due())
        else:
            pytest.fail(f"nothing can move any more: {state}")
        orderly(case)


def act(case: Case, data, targets: list[str]) -> None:
    """One thing that may happen."""
    waiting = [number for number, _ in case._case.state.waiting()]
    what = data.draw(st.sampled_from(["do", "do", "move", "move", "time", "message", "signal"]))
    if what == "do" and case._case.tasks:
        number = data.draw(st.sampled_from(sorted(case._case.tasks)))
        picks = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
        written = {"again": data.draw(st.booleans()), "pick": picks}
        case._bench.simulation.complete(case._case, number, written)
    elif what == "move" and waiting:
        node = case._case.state.elements[data.draw(st.sampled_from(waiting))].node
        try:
            case.move(node, data.draw(st.sampled_from(targets)))
        except MoveRefused:
            return
    elif what == "time":
        case._bench.travel("P1D")
    elif what == "message":
        try:
            case.message("letter")
        except NotCorrelated:
            return
    elif what == "signal":
        case.signal("alarm")


COMMON = settings(
    max_examples=250, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip


@COMMON
@given(BLOCKS, st.data())
def test_whatever_is_moved_whereever_the_case_stays_whole_and_can_be_completed(
    orderly, block, data
):
    case = Bench.from_bpmn(Model().document(block)).start("p", {"again": False, "pick": [True] * 3})
    orderly(case)
    targets = [node.id for node in case._case.program.nodes]
    for _ in range(data.draw(st.integers(1, 8))):
        if case.status != "active":
            break
        act(case, data, targets)
        orderly(case)
    assert case.status != "incident", case.incidents

    drive(case, orderly)

    assert case.status == "completed", (case.waiting_at(), case.incidents)


@settings(COMMON, max_examples=60)
@given(BLOCKS, st.data())
def test_a_case_that_is_cancelled_anywhere_leaves_nothing(orderly, block, data):
    case = Bench.from_bpmn(Model().document(block)).start("p", {"again": False, "pick": [True] * 3})
    targets = [node.id for node in case._case.program.nodes]
    for _ in range(data.draw(st.integers(0, 5))):
        if case.status == "active":
            act(case, data, targets)

    if case.status == "active":
        case.cancel()

    orderly(case)
    assert case._bench.simulation.next_due() is None
    entered = sorted(node for move, node in case.trace if move == "enter")
    assert entered == sorted(node for move, node in case.trace if move != "enter")
