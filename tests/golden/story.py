"""A long story of one frozen model, with the state after each of its steps.

`python -m tests.golden.story` writes the states of the codec that is current; it is run once, when
a release brings a new codec version, and never again for that version: what it wrote must load
and go on for ever.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.bpmn import read
from engine.kernel import codec, effects, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.program import EventType, Kind, Node, Program
from engine.kernel.state import Phase, State

FOLDER = Path(__file__).parent
MODEL = FOLDER / "every_kind.bpmn"
AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
PICKS = [True, False, True]


def program() -> Program:
    (only,) = read(MODEL.read_bytes(), file=MODEL.name).programs
    return only


def start(frozen: Program) -> tuple[State, list[list[str]]]:
    return _step(frozen, State.initial(frozen), triggers.Started(at=AT, variables={"pick": PICKS}))


def go_on(frozen: Program, state: State) -> tuple[State, list[list[str]]]:
    """What waits and was opened last happens: a task is done, an hour strikes, a letter comes."""
    waiting = {
        number: frozen.by_id[element.node]
        for number, element in state.elements.items()
        if number
        and element.phase in (Phase.WAITING, Phase.LISTENING)
        # What happens at an event-based gateway happens to an event behind it.
        and frozen.by_id[element.node].kind is not Kind.EVENT_BASED
    }
    number = max(waiting, key=lambda each: (-_rank(waiting[each]), each))
    event = waiting[number].events[0].type if waiting[number].events else None
    at = AT + timedelta(hours=state.next_id)
    trigger: triggers.Trigger
    if event is None:
        trigger = triggers.TaskCompleted(at=at, element=number, data={"by": "wang"})
    elif event is EventType.TIMER:
        trigger = triggers.TimerFired(at=at, element=number, due_at=at)
    else:
        trigger = triggers.EventArrived(at=at, element=number)
    return _step(frozen, state, trigger)


def _rank(node: Node) -> int:
    """Tasks first, then hours, then letters: so that every path of the model is walked."""
    if not node.events:
        return 0
    return 1 if node.events[0].type is EventType.TIMER else 2


def _step(frozen: Program, state: State, trigger: triggers.Trigger) -> tuple[State, list]:
    after, made = kernel.step(frozen, state, trigger, RunningDecide(trigger.at))
    facts = [
        [effect.move.value, effect.node_id] for effect in made if isinstance(effect, effects.Record)
    ]
    return after, facts


def tell() -> list[dict[str, Any]]:
    """Each step: the state before it, and the facts it leads to."""
    frozen = program()
    state, _ = start(frozen)
    steps = []
    while not state.is_ended:
        before = base64.b64encode(state.encode()).decode()
        state, facts = go_on(frozen, state)
        steps.append({"state": before, "facts": facts})
    return steps


if __name__ == "__main__":
    target = FOLDER / f"story_codec_{codec.VERSION}.json"
    if target.exists():
        raise SystemExit(f"{target.name} is kept for ever")
    lines = ",\n".join(json.dumps(step) for step in tell())
    target.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
