"""Timers, jobs and messages: exactly once, after restarts, whatever the clock does."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from engine import SYSTEM, BusinessError, ProcessEngine, errors, operation


def _with_timer(office, length="P3D"):
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", length, interrupting=False)
        )
    )
    return office.start()


def test_a_timer_fires_when_it_is_due_and_not_before(office):
    case = _with_timer(office)

    office.travel(days=2.9)
    assert "timer.fired" not in office.kinds(case)
    office.travel(days=0.2)
    assert Counter(office.kinds(case))["timer.fired"] == 1


def test_a_timer_survives_a_restart(office, store_url, tmp_path):
    case = _with_timer(office)
    office.clock.advance(timedelta(days=4))

    restarted = ProcessEngine(store_url, clock=office.clock, files=tmp_path)
    restarted.management.run_due()
    restarted.close()

    assert Counter(office.kinds(case))["timer.fired"] == 1


def test_a_clock_set_back_delays_a_timer_and_never_doubles_it(office):
    case = _with_timer(office)
    office.travel(days=3.1)

    office.clock.advance(timedelta(days=-2))
    office.engine.management.run_due()
    office.travel(days=5)

    assert Counter(office.kinds(case))["timer.fired"] == 1


def test_a_clock_set_ahead_fires_early_and_once(office):
    case = _with_timer(office)

    office.clock.advance(timedelta(days=30))
    office.engine.management.run_due()
    office.clock.advance(timedelta(days=-29))
    office.travel(days=30)

    fired = [fact for fact in office.facts(case) if fact.kind == "timer.fired"]
    assert len(fired) == 1
    assert fired[0].detail["due"].startswith("2026-01-08T01:00")


def test_a_timer_of_a_task_that_is_done_is_gone(office):
    _with_timer(office)

    office.complete("wang")

    assert office.engine.management.next_due() is None


def test_a_suspended_case_stands_still_and_catches_up(office):
    case = _with_timer(office)
    office.engine.runtime.suspend(case, SYSTEM, "核查")

    office.travel(days=5)
    assert "timer.fired" not in office.kinds(case)
    assert office.engine.management.next_due() is None
    office.engine.runtime.resume(case, SYSTEM)
    office.engine.management.run_due()

    assert Counter(office.kinds(case))["timer.fired"] == 1


def test_a_called_process_runs_and_hands_its_result_back(office):
    office.deploy(office.user_task("inner"), key="child")
    office.deploy(
        office.call(
            "child",
            extensions='<nl:input name="x" value="=1"/><nl:output name="answer" value="=y"/>',
        ),
        office.user_task("after"),
        key="parent",
    )
    case = office.start("parent")

    office.complete("wang", "inner", y=7)

    view = office.engine.runtime.instance(case, SYSTEM)
    assert view.waiting_at == ("after",)
    assert view.variables["answer"] == 7


def test_ending_a_case_ends_what_it_called(office):
    office.deploy(office.user_task("inner"), key="child")
    office.deploy(
        office.call("child"),
        key="parent",
    )
    case = office.start("parent")

    office.engine.runtime.terminate(case, SYSTEM, "撤销")

    statuses = {row.status for row in office.engine.runtime.instances(SYSTEM).rows}
    assert statuses == {"terminated"}
    assert office.engine.worklist.page(office.actor("wang")).rows == ()


def test_a_call_of_a_process_that_is_missing_waits_until_it_is_there(office):
    office.deploy(office.user_task("inner"), key="child")
    office.deploy(
        office.call("child", extensions='<nl:call binding="9"/>'),
        key="parent",
    )
    case = office.start("parent")
    assert office.waiting_at(case) == ("call",)

    office.travel(days=1)

    (incident,) = office.engine.management.incidents(SYSTEM)
    assert "第 9 版" in incident.message
    assert office.status(case) == "incident"


calls = Counter()


@operation("bank.send")
def bank_send(context, data):
    calls["bank.send"] += 1
    if context.variables().get("down"):
        raise ConnectionError("银行接口不通")
    if context.variables().get("refused"):
        raise BusinessError("REFUSED", "退票")
    return {"sent": True}


def _job_office(open_on):
    office = open_on(bank_send)
    office.deploy(
        office.step(
            tag="serviceTask", id="send", extensions='<nl:operation name="bank.send" mode="job"/>'
        ),
        office.user_task("after"),
    )
    calls.clear()
    return office


def test_a_job_runs_right_after_the_commit_and_once(open_on):
    office = _job_office(open_on)

    case = office.start()

    assert office.waiting_at(case) == ("after",)
    assert office.engine.management.run_due() == 0
    assert calls["bank.send"] == 1


def test_a_job_that_fails_is_tried_again_ever_later_then_becomes_an_incident(open_on):
    office = _job_office(open_on)

    case = office.start(down=True)
    assert (office.waiting_at(case), office.status(case)) == (("send",), "active")
    office.travel(days=1)

    assert office.status(case) == "incident"
    assert calls["bank.send"] == 8
    assert "银行接口不通" in office.engine.management.incidents(SYSTEM)[0].message
    assert office.engine.management.health().dead_jobs == 1


def test_an_operator_mends_the_data_and_retries(open_on):
    office = _job_office(open_on)
    case = office.start(down=True)
    office.travel(days=1)
    (incident,) = office.engine.management.incidents(SYSTEM)

    office.engine.management.retry(incident.id, office.actor("chen"), {"down": False})

    assert (office.waiting_at(case), office.status(case)) == (("after",), "active")
    assert office.engine.management.incidents(SYSTEM) == ()
    with pytest.raises(errors.InvalidState):
        office.engine.management.retry(incident.id, office.actor("chen"))


def test_a_poisoned_row_does_not_stop_the_others(open_on):
    office = _job_office(open_on)
    stuck = office.start(down=True)
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "PT1M", interrupting=False)
        ),
        key="healthy",
    )
    healthy = office.start("healthy")

    office.travel(hours=1)

    assert "timer.fired" in office.kinds(healthy)
    assert office.waiting_at(stuck) == ("send",)


def test_a_fault_of_the_model_becomes_an_incident_and_can_be_retried(office):
    office.deploy(
        office.step(
            tag="scriptTask",
            id="sum",
            attributes='scriptFormat="feel"',
            extensions='<nl:assign name="total" value="=date(when)"/>',
        ),
        office.user_task("after"),
    )
    case = office.start()
    assert office.status(case) == "incident"
    (incident,) = office.engine.management.incidents(SYSTEM)

    office.engine.management.retry(incident.id, SYSTEM, {"when": "2026-01-05"})

    assert (office.waiting_at(case), office.status(case)) == (("after",), "active")


def test_a_signal_reaches_the_cases_of_the_subtree_only(office):
    office.deploy(
        office.step(
            tag="intermediateCatchEvent",
            id="cold",
            children='<bpmn:signalEventDefinition id="d1" signalRef="s"/>',
        ),
        office.user_task("after"),
        root='<bpmn:signal id="s" name="cold_wave"/>',
    )
    here = office.start()
    there = office.engine.runtime.start(
        "case", SYSTEM, variables={}, region=office.other_town, title="别处"
    )

    reached = office.engine.runtime.signal("cold_wave", {"level": "orange"}, region=office.town)

    assert reached == 1
    assert office.waiting_at(here) == ("after",)
    assert office.waiting_at(there) == ("cold",)


def test_a_message_that_failed_is_offered_again_later_and_then_given_up(office):
    office.deploy(office.user_task("register"))
    office.start()
    management = office.engine.management

    for _ in range(8):
        (message,) = management.pending_outbox()
        management.mark_failed(message.id, "网关不通")
        assert management.pending_outbox() == ()
        office.clock.advance(timedelta(hours=12))

    assert management.pending_outbox() == ()
    assert management.health().failed_messages == 1


def test_a_message_that_was_sent_is_never_offered_again(office):
    office.deploy(office.user_task("register"))
    office.start()
    (message,) = office.engine.management.pending_outbox()

    office.engine.management.taken_over(message.id)

    office.clock.advance(timedelta(days=30))
    assert office.engine.management.pending_outbox() == ()


def test_a_message_whose_sender_died_is_offered_again(office):
    office.deploy(office.user_task("register"))
    office.start()
    (message,) = office.engine.management.pending_outbox()

    office.clock.advance(timedelta(minutes=6))

    assert [again.id for again in office.engine.management.pending_outbox()] == [message.id]
