"""Several worker processes on one PostgreSQL: all that is due is done, once, whoever dies."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import SYSTEM, ProcessEngine, clock
from tests.cluster.processes import (
    MODEL,
    VILLAGE,
    Processes,
    ask,
    command,
    until,
    waiting_cases,
    waiting_package,
)

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


def test_a_worker_that_is_told_to_end_finishes_what_it_has(
    processes: Processes, engine: ProcessEngine
) -> None:
    cases = waiting_cases(engine, 100)
    worker = processes.worker()
    until(lambda: ask(processes.url, FIRED))
    processes.kill(worker, signal.SIGTERM)

    assert worker.wait(60) == 0
    doing = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
    assert ask(processes.url, doing)[0][0] == 0
    assert ask(processes.url, "SELECT 1 FROM cluster_member") == []
    fired = ask(processes.url, FIRED)
    assert 0 < len(fired) <= len(cases)
    assert all(number == 1 for _, number in fired)


def test_a_poisoned_timer_becomes_an_incident_and_the_others_go_on(
    processes: Processes, engine: ProcessEngine
) -> None:
    cases = waiting_cases(engine, 20)
    bad = cases[7]
    with engine.database.write() as tx:
        # A state nobody can read: the timer of this case fails whoever fires it.
        tx.execute(
            text("UPDATE process_instance SET state = :junk WHERE id = :id"),
            {"junk": b"junk", "id": bad},
        )
        tx.execute(text("UPDATE timer SET attempts = 7 WHERE instance_id = :id"), {"id": bad})
    processes.worker()

    until(lambda: len(ask(processes.url, FIRED)) == 19)
    until(
        lambda: ask(
            processes.url, f"SELECT 1 FROM timer WHERE instance_id = '{bad}' AND attempts > 7"
        )
    )
    assert bad not in {row[0] for row in ask(processes.url, FIRED)}


def test_three_workers_do_a_duty_once(processes: Processes) -> None:
    processes.worker()
    done = "SELECT finished_for FROM duty WHERE name = 'sessions'"
    until(lambda: ask(processes.url, "SELECT 1 FROM duty WHERE name = 'sessions'"))
    processes.worker()
    processes.worker()
    due = "UPDATE duty SET next_at = now() WHERE name = 'sessions' RETURNING next_at"
    counted = (
        "CREATE TABLE seen AS SELECT * FROM duty WHERE false;"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO seen SELECT NEW.*; RETURN NEW; END';"
        "CREATE TRIGGER note AFTER UPDATE OF finished_for ON duty"
        " FOR EACH ROW WHEN (NEW.name = 'sessions') EXECUTE FUNCTION note()"
    )
    command(processes.url, counted)
    command(processes.url, due)

    until(lambda: ask(processes.url, done)[0][0] is not None)
    command(processes.url, due.replace("now()", "now() + interval '1 hour'"))
    assert len(ask(processes.url, "SELECT 1 FROM seen")) == 1


def test_the_check_says_whether_a_worker_of_this_machine_lives(processes: Processes) -> None:
    assert processes.command("worker", "--check").returncode == 1
    worker = processes.worker()
    assert processes.command("worker", "--check").returncode == 0
    processes.kill(worker, signal.SIGTERM)
    worker.wait(60)
    assert processes.command("worker", "--check").returncode == 1


def test_the_pages_say_that_workers_are_there(processes: Processes) -> None:
    processes.worker("--queues", "engine")
    _web, address = processes.web("--workers", "2")

    with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
        told = json.load(answer)
    assert (told["ready"], told["workers"], told["warnings"]) == (True, 1, [])
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        text_form = answer.read().decode()
    assert 'nuanliu_members{kind="worker"} 1.0' in text_form
    assert 'nuanliu_http_requests_total{endpoint="monitor.readyz",method="GET",status="200"}' in (
        text_form
    )


@pytest.mark.parametrize(
    ("url", "options", "word"),
    [
        ("sqlite:////nowhere/x.db", (), "SQLite"),
        (None, ("--queues", "engine,fax"), "fax"),
        (None, ("--queues", ""), "队列"),
    ],
)
def test_a_worker_that_cannot_work_says_why_in_one_sentence(
    processes: Processes, url: str | None, options: tuple[str, ...], word: str
) -> None:
    if url is not None:
        processes.environment["NUANLIU_DATABASE"] = url
    answer = processes.command("worker", *options)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert word in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_recount_goes_on_when_its_worker_is_killed(
    processes: Processes, engine: ProcessEngine
) -> None:
    timed = MODEL.replace(b'role="clerk"/>', b'role="clerk" deadline="5wd"/>')
    model = replace(waiting_package(), files={"waiting.bpmn": timed}, version_tag="2.0")
    engine.repository.deploy(model, SYSTEM)
    cases = waiting_cases(engine, 600, span="PT0S")
    while engine.management.run_due():
        pass
    today = clock.local_date(engine.clock.now())
    off = engine.calendar_for(VILLAGE).add_working_days(today, 2)
    number = engine.calendars.import_local(SYSTEM, unit=VILLAGE, days={off: ("off", "停工")})
    victim = processes.worker()
    until(lambda: engine.calendars.progress(number).looked_at > 0)
    processes.kill(victim)
    assert not engine.calendars.progress(number).is_over
    processes.worker()

    until(lambda: engine.calendars.progress(number).is_over, seconds=120)

    told = engine.calendars.progress(number)
    assert (told.looked_at, told.total, told.moved) == (600, 600, 600)
    changed = "SELECT instance_id, count(*) FROM calendar_moved_due GROUP BY 1"
    assert dict(ask(processes.url, changed)) == dict.fromkeys(cases, 1)
