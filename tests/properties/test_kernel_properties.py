"""Random structured models: the state survives a restart after every step and keeps its shape."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.bpmn import oracle, read
from engine.bpmn.parse import Findings, parse
from engine.kernel import effects, jump, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.program import EventType, Kind, Program
from engine.kernel.state import ROOT, Phase, State

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<message id="M" name="letter"/><signal id="S" name="alarm"/><error id="E" errorCode="E-1"/>'
    '<process id="p" isExecutable="true">'
)


class Writer:
    """Writes a structured block between two nodes; numbers make ids unique."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.count = 0

    def node(self, tag: str, inside: str = "", **attributes: str) -> str:
        self.count += 1
        name = f"{tag}_{self.count}"
        more = "".join(f' {key}="{value}"' for key, value in attributes.items())
        self.parts.append(f'<{tag} id="{name}"{more}>{inside}</{tag}>')
        return name

    def flow(self, source: str, target: str, condition: str = "") -> str:
        self.count += 1
        name = f"flow_{self.count}"
        inner = (
            f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>'
        )
        self.parts.append(
            f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">'
            f"{inner if condition else ''}</sequenceFlow>"
        )
        return name


def write(writer: Writer, block, source: str) -> str:
    """Write the block behind `source`; the last node of it."""
    kind, children = block
    if kind == "sequence":
        for child in children:
            source = write(writer, child, source)
        return source
    if kind in ("userTask", "loop", "timer", "guarded"):
        return write_leaf(writer, kind, source)
    if kind in SCOPES:
        return write_scope(writer, kind, children[0], source)
    gateway = {"and": "parallelGateway", "xor": "exclusiveGateway", "or": "inclusiveGateway"}[kind]
    split, join = writer.node(gateway), writer.node(gateway)
    writer.flow(source, split)
    for number, child in enumerate(children):
        condition = "" if kind == "and" else f"pick[{number + 1}]"
        first = writer.node("task")
        writer.flow(split, first, condition)
        writer.flow(write(writer, child, first), join)
    if kind != "and":
        default = writer.flow(split, join)
        position = next(i for i, part in enumerate(writer.parts) if f'id="{split}"' in part)
        writer.parts[position] = writer.parts[position].replace(
            f'id="{split}"', f'id="{split}" default="{default}"'
        )
    return join


def write_scope(writer: Writer, kind: str, child, source: str) -> str:
    inner = Writer()
    inner.count = writer.count + 1000
    last = write(inner, child, inner.node("startEvent"))
    if kind == "failing":
        choice = inner.node("exclusiveGateway")
        inner.flow(last, choice)
        thrown = inner.node("endEvent", '<errorEventDefinition errorRef="E"/>')
        inner.flow(choice, thrown, "pick[1]")
        default = inner.flow(choice, inner.node("endEvent"))
        position = next(i for i, part in enumerate(inner.parts) if f'id="{choice}"' in part)
        inner.parts[position] = inner.parts[position].replace(
            f'id="{choice}"', f'id="{choice}" default="{default}"'
        )
    else:
        inner.flow(last, inner.node("endEvent"))
    if kind == "listening":
        handler = Writer()
        handler.count = inner.count + 1000
        first = handler.node(
            "startEvent", '<signalEventDefinition signalRef="S"/>', isInterrupting="false"
        )
        task = handler.node("userTask")
        handler.flow(first, task)
        handler.flow(task, handler.node("endEvent"))
        inner.count = handler.count
        inner.node("subProcess", "".join(handler.parts), triggeredByEvent="true")
    loop = (
        '<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2'
        "</loopCardinality></multiInstanceLoopCharacteristics>"
    )
    writer.count = inner.count
    name = writer.node("subProcess", (loop if kind == "many" else "") + "".join(inner.parts))
    writer.flow(source, name)
    if kind not in ("failing", "leaving"):
        return name
    caught = "errorEventDefinition" if kind == "failing" else "messageEventDefinition"
    reference = 'errorRef="E"' if kind == "failing" else 'messageRef="M"'
    boundary = writer.node("boundaryEvent", f"<{caught} {reference}/>", attachedToRef=name)
    join = writer.node("exclusiveGateway")
    writer.flow(name, join)
    writer.flow(boundary, join)
    return join


def write_leaf(writer: Writer, kind: str, source: str) -> str:
    timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
    if kind == "timer":
        name = writer.node("intermediateCatchEvent", timer)
    elif kind == "loop":
        loop = (
            '<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2'
            "</loopCardinality></multiInstanceLoopCharacteristics>"
        )
        name = writer.node("userTask", loop)
    else:
        name = writer.node("userTask")
    if kind == "guarded":
        boundary = writer.node("boundaryEvent", timer, attachedToRef=name, cancelActivity="false")
        writer.flow(boundary, writer.node("endEvent"))
    writer.flow(source, name)
    return name


LEAVES = st.sampled_from(["userTask", "loop", "timer", "guarded"]).map(lambda kind: (kind, ()))
#: a plain one; one that ends in error; one with an event subprocess; several at once; one that a
#: message interrupts
SCOPES = ("subProcess", "failing", "listening", "many", "leaving")
BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["and", "xor", "or"]), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.sampled_from(SCOPES), st.lists(inner, min_size=1, max_size=1)),
    ),
    max_leaves=8,
)
PICKS = st.lists(st.booleans(), min_size=3, max_size=3)


def document(block) -> bytes:
    writer = Writer()
    start = writer.node("startEvent")
    writer.flow(write(writer, block, start), writer.node("endEvent"))
    return (HEAD + "".join(writer.parts) + "</process></definitions>").encode()


class World:
    """Keeps what the effects opened, to compare it with what the state says."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tasks: set[int] = set()
        self.timers: dict[int, datetime] = {}
        self.events: set[int] = set()
        self.trace: list[tuple[str, str]] = []

    def settle(self, made) -> None:
        for effect in made:
            if isinstance(effect, effects.OpenTask):
                self.tasks.add(effect.element)
            elif isinstance(effect, effects.CloseTask):
                self.tasks.remove(effect.element)
            elif isinstance(effect, effects.ArmTimer):
                self.timers[effect.element] = effect.since + timedelta(days=1)
            elif isinstance(effect, effects.CancelTimer):
                self.timers.pop(effect.element)
            elif isinstance(effect, effects.Subscribe):
                self.events.add(effect.element)
            elif isinstance(effect, effects.Unsubscribe):
                self.events.remove(effect.element)
            elif isinstance(effect, effects.Record):
                self.trace.append((effect.move.value, effect.node_id))

    def check(self, state: State) -> None:
        """Every parent lives; what waits has what it waits for, and nothing else does."""
        if state.is_ended:
            assert (self.tasks, self.timers, self.events) == (set(), {}, set())
            assert state.elements == {}
            return
        for number, element in state.elements.items():
            assert number == ROOT or element.parent in state.elements
            assert number < state.next_id
        assert all(count > 0 for count in state.arrived.values())
        assert all(scope in state.elements for scope, _ in state.arrived)
        assert all(number in state.elements for number in state.locals)
        waiting = {
            number: self.program.by_id[element.node]
            for number, element in state.elements.items()
            if number != ROOT and element.phase in (Phase.WAITING, Phase.LISTENING)
        }
        assert self.tasks == {n for n, node in waiting.items() if node.kind is Kind.USER_TASK}
        kinds = {n: node.events[0].type for n, node in waiting.items() if node.events}
        assert set(self.timers) == {n for n, kind in kinds.items() if kind is EventType.TIMER}
        assert self.events == set(kinds) - set(self.timers)


def play(program: Program, picks: list[bool], order: list[int], *, restart: bool) -> World:
    world = World(program)
    decide = RunningDecide(AT)
    state, made = kernel.step(
        program, State.initial(program), triggers.Started(at=AT, variables={"pick": picks}), decide
    )
    world.settle(made)
    for turn in range(200):
        if restart:
            again = State.decode(state.encode())
            assert again == state
            state = again
        world.check(state)
        choices = sorted(world.tasks) + sorted(world.timers)
        if turn < 20:
            choices += sorted(world.events)
        if state.is_ended or not choices:
            break
        element = choices[order[turn % len(order)] % len(choices)]
        trigger: triggers.Trigger
        if element in world.events:
            trigger = triggers.EventArrived(at=AT, element=element)
        elif element in world.timers:
            trigger = triggers.TimerFired(at=AT, element=element, due_at=world.timers.pop(element))
        else:
            trigger = triggers.TaskCompleted(at=AT, element=element)
        state, made = kernel.step(program, state, trigger, decide)
        world.settle(made)
    assert state.is_ended, "a structured model always ends"
    return world


COMMON = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@COMMON
@given(BLOCKS, PICKS, st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_a_restart_after_every_step_changes_nothing(block, picks, order):
    result = read(document(block), file="random.bpmn")
    assert result.ok, result.findings
    (program,) = result.programs

    with_restart = play(program, picks, order, restart=True)
    without = play(program, picks, order, restart=False)

    assert with_restart.trace == without.trace
    entered = Counter(node for move, node in with_restart.trace if move == "entered")
    left = Counter(node for move, node in with_restart.trace if move != "entered")
    assert entered == left


@settings(COMMON, max_examples=40)
@given(BLOCKS)
def test_the_second_opinion_agrees_on_random_models(block):
    findings = Findings("random.bpmn")
    parsed = parse(document(block), findings)
    assert parsed is not None

    found = oracle.compare(parsed, parsed.processes()[0])

    assert found.verdict is not oracle.Verdict.DIFFERENT, found.detail


@settings(COMMON, max_examples=150)
@given(BLOCKS, PICKS, st.data())
def test_a_return_to_any_earlier_task_leaves_no_orphan_and_still_ends(block, picks, data):
    (program,) = read(document(block), file="random.bpmn").programs
    world = World(program)
    decide = RunningDecide(AT)
    state, made = kernel.step(
        program, State.initial(program), triggers.Started(at=AT, variables={"pick": picks}), decide
    )
    world.settle(made)
    targets = [n.id for n in program.nodes if n.kind is Kind.USER_TASK]
    for _ in range(3):
        if state.is_ended or not world.tasks or not targets:
            break
        element = data.draw(st.sampled_from(sorted(world.tasks)))
        target = data.draw(st.sampled_from(targets))
        try:
            cancel = jump.elements_to_cancel(program, state, element, target)
            state, made = kernel.step(
                program, state, triggers.Moved(at=AT, cancel=cancel, node=target), decide
            )
        except jump.MoveRefused:
            continue
        world.settle(made)
        world.check(state)
    for _ in range(300):
        if state.is_ended or not (world.tasks or world.timers):
            break
        trigger: triggers.Trigger
        if world.tasks:
            trigger = triggers.TaskCompleted(at=AT, element=min(world.tasks))
        else:
            element = min(world.timers)
            trigger = triggers.TimerFired(at=AT, element=element, due_at=world.timers.pop(element))
        state, made = kernel.step(program, state, trigger, decide)
        world.settle(made)
        world.check(state)
    assert state.is_ended, (state, kernel.stuck(program, state))
