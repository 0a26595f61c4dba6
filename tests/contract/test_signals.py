"""A thrown signal: the thrower hears it inside his step, all others of the subtree once after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import SYSTEM, Actor, Seat, errors

SIGNAL = '<bpmn:signal id="s" name="cold_wave"/>'
LISTENER = (
    '<bpmn:boundaryEvent id="heard" name="寒潮" attachedToRef="register" cancelActivity="false">'
    '<bpmn:outgoing>f_heard</bpmn:outgoing><bpmn:signalEventDefinition id="d1" signalRef="s"/>'
    "</bpmn:boundaryEvent>"
    '<bpmn:userTask id="noted" name="知悉"><bpmn:extensionElements><nl:task role="clerk"/>'
    "</bpmn:extensionElements><bpmn:incoming>f_heard</bpmn:incoming>"
    "<bpmn:outgoing>f_noted</bpmn:outgoing></bpmn:userTask>"
    '<bpmn:endEvent id="end_noted" name="止"><bpmn:incoming>f_noted</bpmn:incoming></bpmn:endEvent>'
    '<bpmn:sequenceFlow id="f_heard" sourceRef="heard" targetRef="noted"/>'
    '<bpmn:sequenceFlow id="f_noted" sourceRef="noted" targetRef="end_noted"/>'
)
THROWER = (
    '<bpmn:boundaryEvent id="alarm" name="到时" attachedToRef="register" cancelActivity="false">'
    "<bpmn:outgoing>f_alarm</bpmn:outgoing><bpmn:timerEventDefinition>"
    '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT1H</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"
    '<bpmn:endEvent id="throw" name="发布寒潮"><bpmn:incoming>f_alarm</bpmn:incoming>'
    '<bpmn:signalEventDefinition id="d2" signalRef="s"/></bpmn:endEvent>'
    '<bpmn:sequenceFlow id="f_alarm" sourceRef="alarm" targetRef="throw"/>'
)


@pytest.fixture
def bureau(office):
    """Cases that listen, and cases that listen and throw after an hour."""
    office.deploy(office.user_task("register", beside=LISTENER), key="listens", root=SIGNAL)
    office.deploy(
        office.user_task("register", beside=LISTENER + THROWER), key="throws", root=SIGNAL
    )
    return office


def started(office, key: str, unit: str) -> str:
    return office.engine.runtime.start(key, SYSTEM, variables={}, region=unit, title="事项")


def times_heard(office, case: str) -> int:
    opened = [fact.activity_id for fact in office.facts(case) if fact.kind == "task.opened"]
    return opened.count("noted")


def test_a_thrown_signal_reaches_every_other_case_of_the_subtree_once(bureau):
    near = [started(bureau, "listens", bureau.village) for _ in range(3)]
    far = started(bureau, "listens", bureau.other_town)
    above = started(bureau, "listens", bureau.county)
    thrower = started(bureau, "throws", bureau.town)

    bureau.travel(hours=2)

    assert [times_heard(bureau, case) for case in near] == [1, 1, 1]
    assert [times_heard(bureau, case) for case in (far, above)] == [0, 0]
    assert bureau.kinds(thrower).count("signal.thrown") == 1


def test_the_thrower_hears_his_own_signal_once_and_inside_the_step(bureau):
    thrower = started(bureau, "throws", bureau.town)

    bureau.travel(hours=2)

    assert times_heard(bureau, thrower) == 1
    facts = bureau.facts(thrower)
    fired = next(fact for fact in facts if fact.kind == "timer.fired")
    heard = next(fact for fact in facts if fact.activity_id == "noted")
    assert heard.at == fired.at
    # What arrives from outside, as a job of its own, would say so.
    assert "signal.received" not in bureau.kinds(thrower)


def test_two_throwers_reach_each_other_once(bureau):
    one = started(bureau, "throws", bureau.town)
    other = started(bureau, "throws", bureau.town)

    bureau.travel(hours=2)

    # Each heard its own and the other's.
    assert [times_heard(bureau, case) for case in (one, other)] == [2, 2]
    assert [bureau.kinds(case).count("signal.received") for case in (one, other)] == [1, 1]


def test_a_case_that_ended_before_the_signal_came_is_left_alone(bureau):
    case = started(bureau, "listens", bureau.village)
    started(bureau, "throws", bureau.town)
    bureau.complete("wang", "register")

    bureau.travel(hours=2)

    assert (bureau.status(case), times_heard(bureau, case)) == ("completed", 0)


def test_a_suspended_case_hears_it_when_it_goes_on(bureau):
    case = started(bureau, "listens", bureau.village)
    started(bureau, "throws", bureau.town)
    bureau.engine.runtime.suspend(case, SYSTEM, "核查")

    bureau.travel(hours=2)
    assert times_heard(bureau, case) == 0
    bureau.engine.runtime.resume(case, SYSTEM)
    bureau.engine.management.run_due()

    assert times_heard(bureau, case) == 1


def test_a_signal_whose_thrower_died_after_the_commit_is_found_by_the_heartbeat(
    bureau, monkeypatch
):
    case = started(bureau, "listens", bureau.village)
    started(bureau, "throws", bureau.town)
    bureau.clock.advance(timedelta(hours=2))
    executor = type(bureau.engine.management._executor)
    drain = executor.drain
    monkeypatch.setattr(executor, "drain", lambda *_args, **_more: None)
    bureau.engine.management.run_due()
    assert times_heard(bureau, case) == 0
    monkeypatch.setattr(executor, "drain", drain)

    bureau.engine.management.run_due()
    bureau.engine.management.run_due()

    assert times_heard(bureau, case) == 1


def begins_with_the_signal(office) -> None:
    xml = office.straight("relay", office.user_task("inform"), root=SIGNAL).replace(
        b"<bpmn:outgoing>flow1</bpmn:outgoing></bpmn:startEvent>",
        b"<bpmn:outgoing>flow1</bpmn:outgoing>"
        b'<bpmn:signalEventDefinition id="d9" signalRef="s"/></bpmn:startEvent>',
    )
    office.engine.repository.deploy(office.package("relay", xml), SYSTEM)


def relays(office) -> list:
    return list(office.engine.runtime.instances(SYSTEM, process_key="relay").rows)


def test_a_process_that_begins_with_the_signal_begins_once_at_its_unit(bureau):
    begins_with_the_signal(bureau)
    begins_with_the_signal(bureau)
    started(bureau, "throws", bureau.town)

    bureau.travel(hours=2)

    (case,) = relays(bureau)
    assert (case.region, case.waiting_at) == (bureau.town, ("inform",))


def test_a_signal_from_outside_begins_it_too_and_a_retired_process_rests(bureau):
    begins_with_the_signal(bureau)
    reached = bureau.engine.runtime.signal("cold_wave", {"level": "橙"}, region=bureau.village)

    (case,) = relays(bureau)
    assert reached == 1
    assert bureau.engine.runtime.instance(case.id, SYSTEM).variables["level"] == "橙"
    bureau.engine.repository.retire(bureau.engine.repository.latest("relay").id)
    assert bureau.engine.runtime.signal("cold_wave", region=bureau.village) == 0
    assert len(relays(bureau)) == 1


def test_a_person_signals_below_his_own_seats_and_reaches_what_he_has_a_part_in(bureau):
    near, above = (started(bureau, "listens", unit) for unit in (bureau.village, bureau.town))
    clerk = bureau.actor("wang")

    reached = bureau.engine.runtime.signal("cold_wave", region=bureau.village, actor=clerk)

    assert reached == 1
    assert (times_heard(bureau, near), times_heard(bureau, above)) == (1, 0)
    received = next(fact for fact in bureau.facts(near) if fact.kind == "signal.received")
    assert received.actor_id == "wang"


def test_a_stranger_cannot_signal_elsewhere_and_nobody_hears_him(bureau):
    case = started(bureau, "listens", bureau.village)

    with pytest.raises(errors.NotAllowed):
        bureau.engine.runtime.signal("cold_wave", region=bureau.village, actor=bureau.actor("sun"))

    assert times_heard(bureau, case) == 0


def test_who_merely_looks_on_moves_nothing(bureau):
    case = started(bureau, "listens", bureau.village)
    seen_only = Actor(id="eye", name="督查", seats=(Seat(role="eye", unit=bureau.county),))

    assert bureau.engine.runtime.signal("cold_wave", region=bureau.county, actor=seen_only) == 0
    assert times_heard(bureau, case) == 0


def test_a_signal_needs_a_unit_that_can_be(bureau):
    with pytest.raises(errors.Rejected):
        bureau.engine.runtime.signal("cold_wave", region="x", actor=bureau.actor("wang"))
