"""An instance on its way from one version of a model to another, and what stands outside of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.kernel import effects as fx
from engine.kernel import migration, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.state import State

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
LATER = AT + timedelta(days=3)
STRAIGHT = """
<startEvent id="s"/><userTask id="a"/><userTask id="b"/><endEvent id="e"/>
s -> a -> b -> e
"""


class Outside:
    """An instance and what the world outside keeps for it, by element number."""

    def __init__(self, program, variables=None):
        self.program = program
        self.state = State.initial(program)
        self.tasks, self.timers, self.heard, self.calls = {}, {}, {}, {}
        self.finished = None
        self.step(triggers.Started(at=AT, variables=dict(variables or {})))

    def step(self, trigger):
        self.state, effects = kernel.step(
            self.program, self.state, trigger, RunningDecide(trigger.at)
        )
        self.settle(effects)

    def settle(self, effects):
        assert State.decode(self.state.encode()) == self.state
        for effect in effects:
            match effect:
                case fx.OpenTask():
                    self.tasks[effect.element] = effect.activity_id
                case fx.CloseTask():
                    del self.tasks[effect.element]
                case fx.ArmTimer():
                    self.timers[effect.element] = (effect.node_id, effect.when, effect.since)
                case fx.CancelTimer():
                    del self.timers[effect.element]
                case fx.Subscribe():
                    assert effect.element not in self.heard
                    self.heard[effect.element] = (effect.node_id, effect.name, effect.key)
                case fx.Unsubscribe():
                    del self.heard[effect.element]
                case fx.StartChild():
                    self.calls[effect.element] = effect.process_key
                case fx.CancelChild():
                    del self.calls[effect.element]
                case fx.Finish():
                    self.finished = effect
                case fx.RaiseIncident():
                    raise AssertionError(effect.message)

    def at(self, node, nth=0):
        return [n for n, e in self.state.elements.items() if e.node == node][nth]

    def do(self, node, data=None, nth=0):
        number = [n for n, waits in self.state.waiting() if waits == node][nth]
        outcome = None
        task = self.program.node(node).task
        if task is not None and task.outcomes:
            outcome = task.outcomes[0].id
        self.step(
            triggers.TaskCompleted(
                at=LATER, element=number, data=data or {}, outcome=outcome, by="wang"
            )
        )

    def fire(self, node):
        number = next(n for n, timer in self.timers.items() if timer[0] == node)
        del self.timers[number]
        self.step(triggers.TimerFired(at=LATER, element=number, due_at=LATER))

    def hear(self, node):
        number = next(n for n, waits in self.heard.items() if waits[0] == node)
        self.step(triggers.EventArrived(at=LATER, element=number))

    def child_ended(self, node):
        self.step(triggers.ChildEnded(at=LATER, element=self.at(node), outputs={}))

    def move_to(self, program, mapping=None):
        self.state, effects = migration.migrate(
            self.program, program, self.state, mapping or {}, RunningDecide(LATER), LATER
        )
        self.program = program
        self.settle(effects)
        return effects

    def plan(self, program, mapping=None):
        return migration.plan(self.program, program, self.state, mapping or {})

    def waiting(self):
        return sorted(node for _, node in self.state.waiting())

    def run(self):
        """Complete whatever waits; the tasks that were completed, in order."""
        done = []
        while not self.state.is_ended:
            node = self.waiting()[0]
            done.append(node)
            self.do(node)
        return done
