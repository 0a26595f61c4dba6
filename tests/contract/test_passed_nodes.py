"""A node that a token only passes leaves one fact: that it was left, in the same instant."""

from __future__ import annotations

import pytest

from engine import ProcessEngine, SystemClock
from webforms.bench import workload


@pytest.fixture
def engine(store_url, tmp_path):
    built = ProcessEngine(store_url, clock=SystemClock(), files=tmp_path / "files")
    workload.install(built)
    yield built
    built.close()


def test_a_gateway_is_told_once_with_the_flow_it_chose_and_the_chain_holds(engine):
    officer = engine.identity.actor(workload.OFFICER)
    case = workload.start(engine, 0, engine.identity.actor(workload.clerk_of(0)))
    for step in range(len(workload.STEPS)):
        (task,) = engine.worklist.of_instance(case, officer, open_only=True)
        actor = officer if step else engine.identity.actor(workload.clerk_of(0))
        engine.tasks.complete(task.id, actor, workload.ANSWER)

    told = [
        (entry.kind, entry.activity_id) for entry in engine.history.timeline(case, officer).rows
    ]
    assert [kind for kind, node in told if node == "g"] == ["node.completed"]
    assert [kind for kind, node in told if node == "end"] == ["node.completed"]
    # What waited for a person is still told twice: opened and completed.
    assert [kind for kind, node in told if node == "t2"] == ["task.opened", "task.completed"]
    assert engine.history.verify(case) == []
    done = {state.element_id for state in engine.history.overlay(case, officer)}
    assert {"g", "j", "end", "f_low"} <= done
