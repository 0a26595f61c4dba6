"""What was given up is shown and can be tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from engine import DeadKind, errors, operation
from engine.execution import job_executor
from engine.queues import cluster as carriers
from engine.services.cluster import DUTY_ATTEMPTS, Duty

broken = {"yes": True}


@operation("lines.fragile", outside=True)
def fragile(context, data):
    if broken["yes"]:
        raise ValueError("line is dead")
    return {}


def test_a_job_that_was_given_up_is_shown_and_goes_on(open_on):
    broken["yes"] = True
    office = open_on(fragile)
    office.deploy(
        office.step(
            tag="serviceTask",
            id="call",
            extensions='<nl:operation name="lines.fragile" mode="job"/>',
        )
    )
    case = office.start()
    for _ in range(job_executor.ATTEMPTS):
        office.engine.management.run_due()
        office.clock.advance(timedelta(hours=2))

    (letter,) = office.engine.dead_letters.all()
    assert (letter.kind, letter.instance_id, letter.error) == (DeadKind.JOB, case, "line is dead")

    broken["yes"] = False
    office.engine.dead_letters.retry(letter.kind, letter.id)
    office.engine.management.run_due()
    assert office.engine.dead_letters.all() == ()
    assert office.kinds(case).count("operation.performed") == 1
    with pytest.raises(errors.NotFound):
        office.engine.dead_letters.retry(letter.kind, letter.id)


def test_a_duty_that_was_given_up_is_shown_and_done(office):
    tries = []

    def run():
        tries.append(1)
        if len(tries) <= DUTY_ATTEMPTS:
            raise ValueError("no paper")

    cluster = office.engine.cluster
    cluster.charge(
        Duty(name="count", schedule="d", next_after=lambda at: at + timedelta(days=9), run=run)
    )
    cluster.run_due_duties()
    office.clock.advance(timedelta(days=9))
    for _ in range(DUTY_ATTEMPTS * 3):
        cluster.run_due_duties()
        office.clock.advance(timedelta(minutes=20))

    (letter,) = office.engine.dead_letters.all()
    assert (letter.kind, letter.what, letter.error) == (DeadKind.DUTY, "count", "no paper")
    office.engine.dead_letters.retry(letter.kind, letter.id)
    office.clock.advance(timedelta(seconds=5))
    cluster.run_due_duties()
    assert office.engine.dead_letters.all() == ()


@pytest.mark.parametrize("kind", list(DeadKind))
@pytest.mark.parametrize("name", ["none", "7", "1; DROP TABLE timer"])
def test_what_is_not_there_is_not_found(office, kind, name):
    with pytest.raises(errors.NotFound):
        office.engine.dead_letters.retry(kind, name)


@pytest.mark.postgres
def test_a_batch_that_was_given_up_gives_back_what_it_held(open_office, postgres_url):
    office = open_office(postgres_url)
    carriers.install(office.engine.database)
    beside = office.timer_beside("register", "late", "PT1H", interrupting=False)
    office.deploy(office.user_task("register", beside=beside))
    case = office.start()
    office.clock.advance(timedelta(hours=1))
    office.engine.cluster.hand_over(carriers.ProcrastinateCarrier())
    with office.engine.database.write() as tx:
        tx.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))

    (letter,) = office.engine.dead_letters.all()
    assert (letter.kind, letter.what) == (DeadKind.BATCH, "nuanliu.timers")
    assert office.engine.cluster.hand_over(carriers.ProcrastinateCarrier()) == 0
    office.engine.dead_letters.retry(letter.kind, letter.id)
    office.clock.advance(timedelta(seconds=30))
    assert office.engine.cluster.hand_over(carriers.ProcrastinateCarrier()) == 1
    assert office.kinds(case).count("timer.fired") == 0
    assert office.engine.dead_letters.all() == ()


@pytest.mark.postgres
def test_an_enqueue_is_rolled_back_with_its_transaction(open_office, postgres_url):
    office = open_office(postgres_url)
    database = office.engine.database
    carriers.install(database)
    carriers.install(database)
    beside = office.timer_beside("register", "late", "PT1H", interrupting=False)
    office.deploy(office.user_task("register", beside=beside))
    office.start()
    office.clock.advance(timedelta(hours=1))

    class Interrupted(carriers.ProcrastinateCarrier):
        def carry(self, tx, batches):
            super().carry(tx, batches)
            raise ConnectionError("power")

    with pytest.raises(ConnectionError):
        office.engine.cluster.hand_over(Interrupted())

    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
        held = tx.execute(text("SELECT count(*) FROM timer WHERE claimed_at IS NOT NULL"))
        assert held.scalar_one() == 0
    assert office.engine.cluster.hand_over(carriers.ProcrastinateCarrier()) == 1
    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 1


@pytest.mark.postgres
def test_the_gauges_count_what_waits_in_the_queues(open_office, postgres_url):
    office = open_office(postgres_url)
    beside = office.timer_beside("register", "late", "PT1H", interrupting=False)
    office.deploy(office.user_task("register", beside=beside))
    office.start()
    office.clock.advance(timedelta(hours=1, seconds=30))
    before = office.engine.cluster.gauges()
    assert (before.oldest_due_timer, before.due_timers, before.queues) == (30.0, 1, {})

    carriers.install(office.engine.database)
    office.engine.cluster.hand_over(carriers.ProcrastinateCarrier())
    office.clock.advance(timedelta(minutes=16))
    after = office.engine.cluster.gauges()

    assert (after.oldest_due_timer, after.lost_timers) == (0.0, 1)
    assert after.queues == {("engine", "todo"): 1}
    assert after.longest_transaction is not None
