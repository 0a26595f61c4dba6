"""What was found due and changed before its turn came is not run; what another did, not again."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from engine import SYSTEM
from engine.execution import correlation
from engine.kernel import codec
from engine.store import jobs, timers


def due_rows(office) -> list:
    """What an executor would have read just now."""
    with office.engine.management._environment.database.read() as tx:
        return tx.rows(timers.DUE, {"now": office.clock.now(), "limit": 10})


@pytest.fixture
def due(office):
    """A case with a timer that is due, and the row an executor has read of it."""
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "P1D", interrupting=False)
        )
    )
    case = office.start()
    office.clock.advance(timedelta(days=2))
    (row,) = due_rows(office)
    return case, row


def test_a_timer_of_a_case_that_was_suspended_meanwhile_waits(office, due):
    case, row = due
    office.engine.runtime.suspend(case, SYSTEM, "核查")

    office.engine.management._executor._fire(row)
    assert "timer.fired" not in office.kinds(case)
    office.engine.runtime.resume(case, SYSTEM)
    office.engine.management.run_due()

    assert office.kinds(case).count("timer.fired") == 1


def test_a_message_that_starts_a_case_starts_one_however_often_its_job_is_run(office):
    xml = office.straight("hotline", office.user_task("answer")).replace(
        b"<bpmn:outgoing>flow1</bpmn:outgoing></bpmn:startEvent>",
        b"<bpmn:outgoing>flow1</bpmn:outgoing>"
        b'<bpmn:messageEventDefinition id="d1" messageRef="m1"/></bpmn:startEvent>',
    )
    xml = xml.replace(b"<bpmn:process ", b'<bpmn:message id="m1" name="call"/><bpmn:process ', 1)
    office.engine.repository.deploy(office.package("hotline", xml), SYSTEM)
    management = office.engine.management
    row = {
        "id": "job-1", "shard": "349898", "kind": "message", "instance_id": None, "element": None,
        "key": None, "status": jobs.QUEUED, "run_at": office.clock.now(),
        "created_at": office.clock.now(), "attempts": 0, "error": None,
        "arguments": codec.encode(
            {"name": "call", "key": "1", "payload": {}, "region": office.village, "by": None}
        ),
    }  # fmt: skip
    with management._environment.database.write() as tx:
        tx.write(jobs.INSERT, row)
    with management._environment.database.read() as tx:
        job = tx.first(jobs.BY_ID, {"job_id": "job-1"})
    arguments = codec.decode(bytes(job.arguments))

    for _ in range(2):
        correlation.deliver_job(management._commands, job, arguments, SYSTEM)

    assert len(office.engine.runtime.instances(SYSTEM, process_key="hotline").rows) == 1


def test_two_windows_may_save_their_first_draft_at_once(office):
    office.deploy(office.user_task("register"))
    office.start()
    task, wang = office.task("wang"), office.actor("wang")
    faults = []

    def save(number: int) -> None:
        try:
            office.engine.tasks.save_draft(task.id, wang, {"number": number})
        except Exception as error:  # noqa: BLE001  # whatever it is, the test must see it
            faults.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert office.engine.tasks.draft(task.id, wang).data["number"] in range(8)
