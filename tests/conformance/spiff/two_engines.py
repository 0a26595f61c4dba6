"""One model, two engines, the same hands: our kernel and SpiffWorkflow side by side.

Both complete the task of the same id, see the same message, signal and day go by, and are asked
after each of it what waits. Nothing is left out of the model: boundary events, event
subprocesses, multi-instances and conditions run on both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.specs.event_definitions import timer as their_timers
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import SignalEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import compile as compiling
from engine.bpmn.parse import Findings, parse
from engine.kernel import effects, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.program import Kind, Program
from engine.kernel.state import State

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
A_DAY = timedelta(days=1)
#: what happens next: a task of this id is completed, or one of these
MESSAGE, SIGNAL, DAY = "#message", "#signal", "#day"


@dataclass
class Seen:
    """What one engine shows from outside."""

    #: ids of human tasks that wait, after each thing that happened
    waiting: list[Counter[str]] = field(default_factory=list)
    #: how often each activity was completed
    completed: Counter[str] = field(default_factory=Counter)
    ended: bool = False


class Ours:
    """The kernel, with what its effects opened."""

    def __init__(self, xml: bytes, picks: list[bool]) -> None:
        findings = Findings("random.bpmn")
        document = parse(xml, findings)
        assert document is not None
        (self.program,) = compiling.programs(document, xml, findings)
        self.now = AT
        self.state = State.initial(self.program)
        self.tasks: dict[int, str] = {}
        self.timers: dict[int, datetime] = {}
        self.events: dict[int, str] = {}
        self.completed: Counter[str] = Counter()
        self._step(triggers.Started(at=AT, variables={"pick": picks}))

    @property
    def ended(self) -> bool:
        return self.state.is_ended

    def waiting(self) -> Counter[str]:
        return Counter(self.tasks.values())

    def messages(self) -> int:
        return sum(1 for kind in self.events.values() if kind == "message")

    def signals(self) -> int:
        return sum(1 for kind in self.events.values() if kind == "signal")

    def do(self, what: str) -> None:
        if what == DAY:
            self._travel()
        elif what in (MESSAGE, SIGNAL):
            for element in [n for n, kind in self.events.items() if kind == what[1:]]:
                if element in self.events:
                    self._step(triggers.EventArrived(at=self.now, element=element))
        else:
            element = min(n for n, node in self.tasks.items() if node == what)
            self._step(triggers.TaskCompleted(at=self.now, element=element))

    def _travel(self) -> None:
        self.now += A_DAY + timedelta(seconds=1)
        due = [n for _, n in sorted((at, n) for n, at in self.timers.items() if at <= self.now)]
        for element in due:
            if element in self.timers:
                at = self.timers.pop(element)
                self._step(triggers.TimerFired(at=self.now, element=element, due_at=at))

    def _step(self, trigger: triggers.Trigger) -> None:
        self.state, made = kernel.step(self.program, self.state, trigger, RunningDecide(trigger.at))
        for effect in made:
            if isinstance(effect, effects.OpenTask):
                self.tasks[effect.element] = effect.activity_id
            elif isinstance(effect, effects.CloseTask):
                del self.tasks[effect.element]
            elif isinstance(effect, effects.ArmTimer):
                self.timers[effect.element] = effect.since + A_DAY
            elif isinstance(effect, effects.CancelTimer):
                del self.timers[effect.element]
            elif isinstance(effect, effects.Subscribe):
                self.events[effect.element] = effect.kind.value
            elif isinstance(effect, effects.Unsubscribe):
                del self.events[effect.element]
            elif isinstance(effect, effects.Record) and effect.move is effects.Move.COMPLETED:
                self.completed[effect.node_id] += 1


class Theirs:
    """SpiffWorkflow on the same file in its own dialect."""

    def __init__(self, xml: bytes, picks: list[bool], program: Program) -> None:
        self.program = program
        self.clock = _Clock(AT)
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(xml), filename="random.bpmn")
        self.flow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
        #: told as it happens: what they cancel later they also forget
        self.completed: Counter[str] = Counter()
        with self.clock:
            self.flow.task_tree.set_data(pick=picks)
            self._settle()

    @property
    def ended(self) -> bool:
        return bool(self.flow.completed)

    def waiting(self) -> Counter[str]:
        return Counter(task.task_spec.bpmn_id for task in self._ready())

    def do(self, what: str) -> None:
        with self.clock:
            if what == DAY:
                self.clock.now += A_DAY + timedelta(seconds=1)
            elif what == MESSAGE:
                self.flow.catch(BpmnEvent(MessageEventDefinition("letter"), {}))
            elif what == SIGNAL:
                self.flow.catch(BpmnEvent(SignalEventDefinition("alarm")))
            else:
                self._run(next(t for t in self._ready() if t.task_spec.bpmn_id == what))
            self._settle()

    def _ready(self, kind: Kind = Kind.USER_TASK) -> list[Any]:
        return [
            task
            for task in self.flow.get_tasks(state=TaskState.READY, manual=True)
            if task.task_spec.bpmn_id in self.program.by_id
            and self.program.by_id[task.task_spec.bpmn_id].kind is kind
        ]

    def _settle(self) -> None:
        self.flow.refresh_timers()
        self.flow.do_engine_steps(did_complete_task=self._count)
        # They hand a plain task to a person too; nothing waits for anybody there.
        while tasks := self._ready(Kind.TASK):
            for task in tasks:
                self._run(task)
            self.flow.do_engine_steps(did_complete_task=self._count)

    def _run(self, task: Any) -> None:
        task.run()
        self._count(task)

    def _count(self, task: Any) -> None:
        if task.task_spec.bpmn_id in self.program.by_id:
            self.completed[task.task_spec.bpmn_id] += 1


class _Clock:
    """Stands where their timer module asks for the time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __enter__(self) -> None:
        clock = self

        class Moved(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return clock.now.astimezone(tz)

        self.real = their_timers.datetime
        their_timers.datetime = Moved

    def __exit__(self, *_: object) -> None:
        their_timers.datetime = self.real


def run_both(
    ours_xml: bytes, theirs_xml: bytes, picks: list[bool], order: list[int], turns: int = 40
) -> tuple[Seen, Seen]:
    """Play the same things on both until ours has ended or nothing more can happen."""
    ours = Ours(ours_xml, picks)
    theirs = Theirs(theirs_xml, picks, ours.program)
    first, second = Seen(), Seen()
    for turn in range(turns):
        first.waiting.append(ours.waiting())
        second.waiting.append(theirs.waiting())
        choices = sorted(ours.waiting())
        if ours.timers:
            choices.append(DAY)
        if turn < turns // 2:
            # A message goes to one receiver: which one is not theirs to choose when there are two.
            choices += [MESSAGE] * (ours.messages() == 1) + [SIGNAL] * bool(ours.signals())
        if ours.ended or not choices or first.waiting[-1] != second.waiting[-1]:
            break
        what = choices[order[turn % len(order)] % len(choices)]
        ours.do(what)
        theirs.do(what)
    kinds = (Kind.USER_TASK, Kind.TASK)
    activities = {node.id for node in ours.program.nodes if node.kind in kinds and not node.loop}
    first.completed = Counter({n: c for n, c in ours.completed.items() if n in activities})
    second.completed = Counter({n: c for n, c in theirs.completed.items() if n in activities})
    first.ended, second.ended = ours.ended, theirs.ended
    return first, second
