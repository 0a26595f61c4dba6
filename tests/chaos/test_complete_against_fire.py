"""A clerk finishes a thousand tasks while the clock takes them away: one of the two, each time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import errors, tables
from engine.store import history

ROUNDS = 1000


@pytest.fixture
def office(open_office, store_url):
    """An office on the database at hand."""
    return open_office(store_url)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_tasks_are_completed_or_taken_away_and_never_both(office) -> None:
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "PT1H", interrupting=True)
        )
    )
    cases = [office.start() for _ in range(ROUNDS)]
    with office.engine.read() as session:
        tasks = list(session.scalars(select(tables.HumanTask.id).order_by(tables.HumanTask.id)))
    wang = office.actor("wang")
    office.clock.advance(timedelta(hours=1))
    acknowledged: list[str] = []

    def complete() -> None:
        # From the other end: somewhere in the middle the two meet at every speed.
        for task in reversed(tasks):
            try:
                office.engine.tasks.complete(task, wang, {})
            except errors.Rejected:
                continue
            acknowledged.append(task)

    def fire() -> None:
        while office.engine.management.run_due(limit=5):
            pass

    threads = [threading.Thread(target=work) for work in (complete, fire, fire)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with office.engine.read() as session:
        found = [
            fact
            for fact in history.facts(session.scalars(select(tables.HistoryFact)))
            if fact.kind in ("task.completed", "timer.fired")
        ]
    assert Counter(row.instance_id for row in found) == dict.fromkeys(cases, 1)
    completed = {row.task_id for row in found if row.kind == "task.completed"}
    assert completed == set(acknowledged)
    assert 0 < len(completed) < ROUNDS
    assert {office.status(case) for case in cases} == {"completed"}
    assert office.engine.history.verify() == []
