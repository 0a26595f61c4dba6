"""Many at once: one winner where there may be one, no update lost where all may win."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from engine import SYSTEM, errors


def _all_at_once(calls):
    """Run the calls in threads that start together; the outcome of each."""
    gate = threading.Barrier(len(calls))
    outcomes = [None] * len(calls)

    def run(number, call):
        gate.wait()
        try:
            outcomes[number] = call() or "done"
        except errors.Rejected as refused:
            outcomes[number] = type(refused).__name__

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_one_of_eight_clerks_wins_the_claim(office):
    office.deploy(office.user_task("register"))
    for number in range(8):
        office.hire(f"clerk{number}", f"经办{number}", ("clerk", office.village))
    office.start()
    task = office.task("wang")
    actors = [office.actor(f"clerk{number}") for number in range(8)]

    outcomes = _all_at_once(
        [lambda actor=actor: office.engine.tasks.claim(task.id, actor) for actor in actors]
    )

    assert outcomes.count("done") == 1
    winner = actors[outcomes.index("done")].id
    assert office.see(task.id).owner == winner
    assert office.engine.history.verify() == []


def test_sixteen_deliveries_of_one_form_complete_it_once(office):
    office.deploy(office.user_task("one"), office.user_task("two"))
    case = office.start()
    task = office.task("wang")
    wang = office.actor("wang")

    outcomes = _all_at_once(
        [
            lambda: office.engine.tasks.complete(task.id, wang, {"n": 1}, key="form").task_id
            for _ in range(16)
        ]
    )

    assert set(outcomes) == {task.id}
    assert Counter(office.kinds(case))["task.completed"] == 1
    assert office.waiting_at(case) == ("two",)


def test_eight_clients_on_one_case_lose_no_update(office):
    office.deploy(
        office.step(
            tag="userTask",
            id="visit",
            extensions=(
                '<nl:task role="clerk" subject="=place"/>'
                '<nl:loop collection="=places" item="place" output="=seen" outputs="all_seen"/>'
            ),
            children='<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>',
        )
    )
    case = office.start(places=[f"组{number}" for number in range(8)])
    wang = office.actor("wang")
    tasks = office.engine.worklist.page(wang).rows
    assert len(tasks) == 8

    outcomes = _all_at_once(
        [
            lambda row=row: (
                office.engine.tasks.complete(row.id, wang, {"seen": row.subject}).task_id
            )
            for row in tasks
        ]
    )

    assert sorted(outcomes) == sorted(row.id for row in tasks)
    view = office.engine.runtime.instance(case, SYSTEM)
    assert view.status == "completed"
    assert view.variables["all_seen"] == [f"组{number}" for number in range(8)]
    assert office.engine.history.verify() == []


def test_a_timer_that_several_hearts_see_fires_once(office):
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "P1D", interrupting=False)
        )
    )
    case = office.start()
    office.clock.set(office.engine.management.next_due())

    _all_at_once([office.engine.management.run_due for _ in range(6)])

    assert Counter(office.kinds(case))["timer.fired"] == 1


def test_completing_and_firing_at_once_leave_one_of_the_two(office):
    office.deploy(
        office.user_task(
            "register",
            beside=office.timer_beside("register", "late", "PT1H", interrupting=True),
        )
    )
    for _ in range(10):
        case = office.start()
        task = next(
            row
            for row in office.engine.worklist.page(office.actor("wang")).rows
            if row.instance_id == case
        )
        office.clock.set(office.engine.management.next_due())
        wang = office.actor("wang")

        _all_at_once(
            [
                lambda task=task, wang=wang: (
                    office.engine.tasks.complete(task.id, wang, {}).task_id
                ),
                office.engine.management.run_due,
            ]
        )

        counted = Counter(office.kinds(case))
        assert counted["task.completed"] + counted["timer.fired"] == 1
        assert counted["instance.completed"] == 1
    assert office.engine.history.verify() == []


def test_a_message_to_one_case_arrives_once_however_often_it_is_sent_at_once(office):
    office.deploy(
        office.step(
            tag="receiveTask",
            id="bank",
            extensions='<nl:message key="=batch"/>',
            attributes='messageRef="returned"',
        ),
        office.user_task("after"),
        root='<bpmn:message id="returned" name="returned"/>',
    )
    case = office.start(batch="b1")

    outcomes = _all_at_once(
        [lambda: office.engine.runtime.correlate("returned", "b1", {}, SYSTEM) for _ in range(6)]
    )

    assert outcomes.count(case) == 1
    assert outcomes.count("NotCorrelated") == 5
    assert office.waiting_at(case) == ("after",)


@pytest.mark.parametrize("leases", [6])
def test_a_message_of_the_outbox_is_leased_to_one_sender(office, leases):
    office.deploy(office.user_task("register"))
    office.start()

    offered = []
    _all_at_once(
        [lambda: offered.extend(office.engine.management.pending_outbox(10)) for _ in range(leases)]
    )

    assert len(offered) == 1


def test_sixteen_deliveries_of_one_start_begin_one_case(office):
    office.deploy(office.user_task("one"))
    wang = office.actor("wang")

    outcomes = _all_at_once(
        [
            lambda: office.engine.runtime.start(
                "case", wang, region=office.village, idempotency_key="form"
            )
            for _ in range(16)
        ]
    )

    assert len(set(outcomes)) == 1
    assert [row.id for row in office.engine.runtime.instances(wang).rows] == outcomes[:1]
    assert office.engine.history.verify() == []
