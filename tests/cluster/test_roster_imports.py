"""A large roster on PostgreSQL: worker processes bring it in, once, whoever dies over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import SYSTEM, ProcessEngine
from tests.cluster.processes import Processes, ask, command, until
from tests.pages.test_roster_imports import table
from webforms.app import create_engine
from webforms.settings import from_environment
from workflows import catalog
from workflows.demo import relief
from workflows.demo.relief_people import VILLAGES, holder
from workflows.domain import roster_import

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

#: so many that a quick machine is still writing when it is killed
ROWS = 10_000
LINES = "SELECT count(*) FROM roster_line"
STATE = "SELECT state, attempts, checked, written FROM roster_import"


@pytest.fixture
def processes(postgres_url: str, tmp_path: Path) -> Iterator[Processes]:
    started = Processes(postgres_url, tmp_path)
    yield started
    started.end()


@pytest.fixture
def county(processes: Processes) -> Iterator[ProcessEngine]:
    """The demonstration county on PostgreSQL; one village is about to register."""
    engine = create_engine(from_environment(processes.environment))
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    relief.load(engine)
    yield engine
    engine.close()


def uploaded(engine: ProcessEngine) -> None:
    """A table that waits for its import, as the page leaves it."""
    clerk = engine.identity.actor(holder("village_clerk", VILLAGES[9], 0).id)
    task = engine.worklist.task(engine.worklist.page(clerk).rows[0].id, clerk)
    roster = engine.runtime.instance(task.instance_id, clerk).variables["roster"]
    content = table(ROWS)
    file = engine.tasks.attach(clerk, name="a.xlsx", content=content)
    sent = {
        "task": task.id, "role": task.role, "unit": task.unit, "roster": roster, "file": file.id,
        "total": len(roster_import.read_rows(content)),
    }  # fmt: skip
    engine.runtime.perform("roster.begin_import", clerk, sent)


def test_a_worker_that_is_killed_over_a_table_is_stepped_in_for(
    processes: Processes, county: ProcessEngine
) -> None:
    uploaded(county)
    ((before,),) = ask(processes.url, LINES)
    victim = processes.worker("--queues", "report")
    until(lambda: ask(processes.url, STATE)[0].written > 0)

    processes.kill(victim)
    ((left,),) = ask(processes.url, LINES)
    assert left == before, "nothing of it is there before all of it is"
    # Nobody in a test waits for a minute of silence.
    command(processes.url, "UPDATE roster_import SET taken_until = '2026-01-01 00:00:00+00'")
    processes.worker("--queues", "report")
    processes.worker("--queues", "report")

    until(lambda: ask(processes.url, STATE)[0].state == "done")
    (row,) = ask(processes.url, STATE)
    assert (row.attempts, row.checked, row.written) == (2, ROWS, ROWS)
    ((after,),) = ask(processes.url, LINES)
    assert after == before + ROWS
