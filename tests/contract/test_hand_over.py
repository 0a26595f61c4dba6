"""What is due is handed out once, survives whoever loses it, and a second delivery does nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from engine import SYSTEM, Duty, Queue, operation
from engine.execution import job_executor
from engine.execution.hand_over import LOST_AFTER, TIMERS_IN_A_BATCH
from engine.queues.port import DueTimer, Errand
from engine.services.cluster import DUTY_ATTEMPTS, ClusterService
from engine.store.instances import ProcessInstance
from engine.store.timers import Timer


class Hands:
    """Keeps what it is given, as workers' queue; `deliver` does what a worker does."""

    def __init__(self, room: int = 100) -> None:
        self.batches = []
        self.places = room
        self.fails = False

    def room(self, tx):
        return self.places

    def carry(self, tx, batches):
        self.batches += batches
        if self.fails:
            raise ConnectionError("the queue is away")

    def deliver(self, cluster):
        given, self.batches = self.batches, []
        for batch in given:
            deliver(cluster, batch)
        return given


def deliver(cluster, batch):
    if batch.errand is Errand.TIMERS:
        cluster.fire(
            [
                DueTimer(
                    id=i, instance_id=case, kind=k, element=e, due_at=datetime.fromisoformat(d)
                )
                for i, case, k, e, d in batch.what["timers"]
            ]
        )
    elif batch.errand is Errand.JOBS:
        cluster.run_jobs(batch.what["ids"])
    else:
        cluster.run_duty(batch.what["name"], datetime.fromisoformat(batch.what["occurrence"]))


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def late(office):
    """Three cases whose reminder is due in an hour."""
    beside = office.timer_beside("register", "late", "PT1H", interrupting=False)
    office.deploy(office.user_task("register", beside=beside))
    return [office.start() for _ in range(3)]


def fired(office, case):
    return office.kinds(case).count("timer.fired")


def test_a_due_timer_is_handed_out_once_and_fires_once(office, late, hands):
    cluster = office.engine.cluster
    assert cluster.hand_over(hands) == 0
    office.clock.advance(timedelta(hours=1))

    assert cluster.hand_over(hands) == 3
    assert cluster.hand_over(hands) == 0
    (batch,) = hands.deliver(cluster)
    deliver(cluster, batch)

    assert batch.queue is Queue.ENGINE
    assert [fired(office, case) for case in late] == [1, 1, 1]


def test_a_hand_over_that_cannot_be_carried_has_not_happened(office, late, hands):
    office.clock.advance(timedelta(hours=1))
    hands.fails = True
    with pytest.raises(ConnectionError):
        office.engine.cluster.hand_over(hands)
    hands.fails, hands.batches = False, []

    assert office.engine.cluster.hand_over(hands) == 3


def test_what_a_worker_lost_is_handed_out_again(office, late, hands):
    cluster = office.engine.cluster
    office.clock.advance(timedelta(hours=1))
    cluster.hand_over(hands)
    hands.batches = []
    office.clock.advance(LOST_AFTER + timedelta(minutes=1))

    assert cluster.hand_over(hands) == 3
    hands.deliver(cluster)
    assert [fired(office, case) for case in late] == [1, 1, 1]


def test_nothing_is_handed_out_while_the_workers_have_enough(office, late):
    office.clock.advance(timedelta(hours=1))
    full = Hands(room=0)

    assert office.engine.cluster.hand_over(full) == 0
    full.places = 1
    assert office.engine.cluster.hand_over(full) == 3


def test_many_timers_go_in_batches_with_those_of_one_case_together(office, hands):
    beside = office.timer_beside("register", "late", "PT1H", interrupting=False)
    office.deploy(office.user_task("register", beside=beside))
    for _ in range(TIMERS_IN_A_BATCH + 5):
        office.start()
    office.clock.advance(timedelta(hours=1))

    office.engine.cluster.hand_over(hands)

    assert [len(batch.what["timers"]) for batch in hands.batches] == [TIMERS_IN_A_BATCH, 5]


def test_a_timer_that_was_put_off_after_the_hand_over_does_not_fire_and_is_found_later(
    office, late, hands
):
    cluster = office.engine.cluster
    office.clock.advance(timedelta(hours=1))
    cluster.hand_over(hands)
    with office.engine.database.write() as tx:
        later = office.clock.now() + timedelta(hours=1)
        tx.execute(update(Timer).values(due_at=later))

    hands.deliver(cluster)
    assert [fired(office, case) for case in late] == [0, 0, 0]
    office.clock.advance(timedelta(hours=1))
    cluster.hand_over(hands)
    hands.deliver(cluster)
    assert [fired(office, case) for case in late] == [1, 1, 1]


def test_a_poisoned_timer_becomes_an_incident_and_the_others_fire(office, late, hands, monkeypatch):
    cluster = office.engine.cluster
    bad = late[1]
    fire = job_executor.JobExecutor._fire_taken

    def poisoned(work, timer):
        if work.instance.id == bad:
            raise ZeroDivisionError("poison")
        fire(work, timer)

    monkeypatch.setattr(job_executor.JobExecutor, "_fire_taken", staticmethod(poisoned))
    for _ in range(job_executor.ATTEMPTS + 1):
        office.clock.advance(timedelta(hours=1))
        cluster.hand_over(hands)
        hands.deliver(cluster)

    (incident,) = office.engine.management.incidents(SYSTEM)
    assert (incident.instance_id, incident.kind) == (bad, "timer")
    assert [fired(office, case) for case in late] == [1, 0, 1]

    monkeypatch.undo()
    office.engine.management.retry(incident.id, SYSTEM)
    cluster.hand_over(hands)
    hands.deliver(cluster)
    assert fired(office, bad) == 1


def test_a_case_that_cannot_be_read_is_shown_and_holds_up_no_other(office, late, hands):
    cluster = office.engine.cluster
    bad = late[0]
    with office.engine.database.write() as tx:
        spoil = update(ProcessInstance).where(ProcessInstance.id == bad)
        tx.execute(spoil.values(state=b"\xffjunk"))
    for _ in range(job_executor.ATTEMPTS + 1):
        office.clock.advance(timedelta(hours=1))
        cluster.hand_over(hands)
        hands.deliver(cluster)

    (incident,) = office.engine.management.incidents(SYSTEM)
    assert (incident.instance_id, incident.attempts) == (bad, job_executor.ATTEMPTS)
    assert [fired(office, case) for case in late[1:]] == [1, 1]


@operation("lines.call_out", outside=True)
def call_out(context, data):
    return {"answer": context.idempotency_key}


def test_a_call_to_the_outside_has_a_queue_of_its_own(open_on, hands):
    office = open_on(call_out)
    office.deploy(
        office.step(
            tag="serviceTask",
            id="call",
            extensions='<nl:operation name="lines.call_out" mode="job"/>',
        )
    )
    case = office.start()

    office.engine.cluster.hand_over(hands)
    (batch,) = hands.deliver(office.engine.cluster)

    assert batch.queue is Queue.OUT
    assert office.kinds(case).count("operation.performed") == 1


# --- duties ------------------------------------------------------------------------------------


def daily(run, name="count", schedule="daily"):
    return Duty(
        name=name,
        schedule=schedule,
        next_after=lambda at: (at + timedelta(days=1)).replace(hour=0, minute=0, second=0),
        run=run,
    )


def test_a_duty_is_done_once_although_three_workers_look(office):
    done = []
    hands = [Hands() for _ in range(3)]
    workers = [cluster_of(office) for _ in hands]
    for worker in workers:
        worker.charge(daily(lambda: done.append(office.clock.now())))
    for _ in range(3):
        for worker, carrier in zip(workers, hands, strict=True):
            worker.hand_over(carrier)
            carrier.deliver(worker)
        office.clock.advance(timedelta(days=1))

    assert len(done) == 2


def cluster_of(office):
    """The same database as another process sees it."""
    known = office.engine.cluster
    return ClusterService(known._environment, known._executor)


def test_what_was_missed_while_nobody_worked_is_done_once(office, hands):
    done = []
    cluster = office.engine.cluster
    cluster.charge(daily(lambda: done.append(1)))
    cluster.hand_over(hands)
    office.clock.advance(timedelta(days=5))
    for _ in range(3):
        cluster.hand_over(hands)
        hands.deliver(cluster)
        office.clock.advance(timedelta(seconds=5))

    assert done == [1]


def test_an_occurrence_that_is_delivered_twice_is_done_once(office, hands):
    done = []
    cluster = office.engine.cluster
    cluster.charge(daily(lambda: done.append(1)))
    cluster.hand_over(hands)
    office.clock.advance(timedelta(days=2))
    cluster.hand_over(hands)
    (batch,) = hands.deliver(cluster)
    deliver(cluster, batch)

    assert done == [1]


def test_a_duty_that_fails_is_tried_again_given_up_and_revived_by_hand(office, hands):
    broken = SimpleNamespace(yes=True, tries=0)

    def run():
        broken.tries += 1
        if broken.yes:
            raise ValueError("no paper")

    cluster = office.engine.cluster
    cluster.charge(daily(run))
    cluster.hand_over(hands)
    office.clock.advance(timedelta(days=1))
    for _ in range(DUTY_ATTEMPTS * 3):
        cluster.hand_over(hands)
        hands.deliver(cluster)
        office.clock.advance(timedelta(minutes=20))
    (view,) = cluster.duties()
    assert (broken.tries, view.given_up, view.error) == (DUTY_ATTEMPTS, True, "no paper")

    broken.yes = False
    cluster.retry_duty("count")
    office.clock.advance(timedelta(seconds=5))
    cluster.hand_over(hands)
    hands.deliver(cluster)
    (view,) = cluster.duties()
    assert (view.given_up, view.error) == (False, "")


def test_another_schedule_is_reckoned_anew(office, hands):
    cluster = office.engine.cluster
    cluster.charge(daily(list))
    cluster.hand_over(hands)
    (before,) = cluster.duties()
    office.clock.advance(timedelta(hours=3, days=0))
    hourly = Duty(
        name="count", schedule="hourly", run=list, next_after=lambda at: at + timedelta(hours=1)
    )
    cluster.charge(hourly)
    cluster.hand_over(hands)

    (after,) = cluster.duties()
    assert before.next_at != after.next_at == office.clock.now() + timedelta(hours=1)


# --- members -----------------------------------------------------------------------------------


def test_a_worker_is_there_until_it_leaves_or_is_not_seen_for_a_minute(office):
    cluster = office.engine.cluster
    about = {"host": "h", "version": "1", "queues": "engine"}
    first = cluster.join(kind="worker", pid=1, **about)
    second = cluster.join(kind="worker", pid=2, **about)
    assert {one.pid for one in cluster.members(kind="worker")} == {1, 2}
    assert cluster.members(kind="web") == ()

    cluster.leave(first)
    assert {one.pid for one in cluster.members()} == {2}
    office.clock.advance(timedelta(seconds=61))
    assert cluster.members() == ()
    assert cluster.seen(second, done=7)
    assert [one.done for one in cluster.members()] == [7]
    assert not cluster.seen(first)
