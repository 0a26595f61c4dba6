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
from tests.properties.random_models import BLOCKS, PICKS, document

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)


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
