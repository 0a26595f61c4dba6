"""Several worker processes on one PostgreSQL: all that is due is done, once, whoever dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import SYSTEM, ProcessEngine
from tests.cluster.processes import Processes, ask, until, waiting_cases, waiting_package

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

FIRED = "SELECT instance_id, count(*) FROM history_fact WHERE kind = 'timer.fired' GROUP BY 1"


@pytest.fixture
def engine(postgres_url: str, tmp_path: Path) -> Iterator[ProcessEngine]:
    built = ProcessEngine(postgres_url, files=tmp_path / "files")
    yield built
    built.close()


@pytest.fixture
def processes(postgres_url: str, tmp_path: Path, engine: ProcessEngine) -> Iterator[Processes]:
    started = Processes(postgres_url, tmp_path)
    made = started.command("init")
    assert made.returncode == 0, made.stderr
    engine.repository.deploy(waiting_package(), SYSTEM)
    yield started
    started.end()


def test_every_timer_fires_once_although_a_worker_is_killed(
    processes: Processes, engine: ProcessEngine
) -> None:
    cases = waiting_cases(engine, 300)
    processes.web()
    victim = processes.worker()
    processes.worker()

    until(lambda: ask(processes.url, FIRED))
    processes.kill(victim)
    until(lambda: not ask(processes.url, "SELECT 1 FROM timer LIMIT 1"), seconds=120)

    fired = {row[0]: row[1] for row in ask(processes.url, FIRED)}
    assert fired == dict.fromkeys(cases, 1)
    assert len(ask(processes.url, "SELECT 1 FROM human_task WHERE is_open = 1")) == len(cases)
