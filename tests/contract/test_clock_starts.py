"""Processes that begin by the clock, a receive task or an event gateway, on both databases."""

from __future__ import annotations

import threading

import pytest

from engine import SYSTEM, errors
from tests.conftest import COUNTY, VILLAGE, package

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:x">'
    '<bpmn:message id="m1" name="report"/><bpmn:signal id="s1" name="flood"/>'
)
REST = (
    '<bpmn:userTask id="check" name="查看"><bpmn:extensionElements><nl:task role="clerk"/>'
    '</bpmn:extensionElements></bpmn:userTask><bpmn:endEvent id="end" name="止"/>'
    '<bpmn:sequenceFlow id="f2" sourceRef="check" targetRef="end"/>'
)


def process(start: str, region: str | None = VILLAGE, rest: str = REST) -> bytes:
    where = "" if region is None else f'<nl:process region="{region}"/>'
    return (
        f'{HEAD}<bpmn:process id="round" name="巡查" isExecutable="true"><bpmn:extensionElements>{where}'
        f"</bpmn:extensionElements>{start}{rest}</bpmn:process></bpmn:definitions>"
    ).encode()


def timed(kind: str, text: str) -> str:
    return (
        f'<bpmn:startEvent id="begin" name="到时"><bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}>'
        '</bpmn:timerEventDefinition></bpmn:startEvent><bpmn:sequenceFlow id="f1" sourceRef="begin"'
        ' targetRef="check"/>'
    )


def deploy(office, start: str, region: str | None = VILLAGE, **more: object) -> str:
    model = package("round", process(start, region), **more)
    return office.engine.repository.deploy(model, SYSTEM).id


def begun(office) -> list[str]:
    page = office.engine.runtime.instances(SYSTEM, process_key="round", limit=50)
    return [row.id for row in page.rows]


def test_a_duration_begins_one_case_after_publication(office):
    deploy(office, timed("timeDuration", "PT2H"))

    office.travel(hours=1)
    assert begun(office) == []
    office.travel(days=5)

    (case,) = begun(office)
    assert office.waiting_at(case) == ("check",)
    assert office.engine.runtime.instance(case, SYSTEM).region == VILLAGE


def test_a_cycle_begins_a_case_at_every_firing_and_no_more(office):
    deploy(office, timed("timeCycle", "R3/P1D"))

    office.travel(days=10)

    assert len(begun(office)) == 3


def test_an_endless_cycle_goes_on(office):
    deploy(office, timed("timeCycle", "R/P7D"))

    office.travel(days=29)

    assert len(begun(office)) == 4


def test_a_day_that_has_passed_begins_nothing(office):
    deploy(office, timed("timeDate", "2020-01-01T09:00:00+08:00"))

    office.travel(days=1)

    assert begun(office) == []


def test_a_newer_version_takes_the_clock_over(office):
    first = deploy(office, timed("timeCycle", "R/P1D"))
    office.travel(hours=30)
    second = deploy(office, timed("timeCycle", "R/P2D"))
    office.travel(days=4, hours=1)

    rows = [office.engine.runtime.instance(case, SYSTEM) for case in begun(office)]
    versions = sorted(row.definition_id for row in rows)
    assert versions.count(first) == 1
    assert versions.count(second) == 2


def test_a_newer_version_without_a_clock_stops_it(office):
    deploy(office, timed("timeCycle", "R/P1D"))
    plain = (
        '<bpmn:startEvent id="begin" name="始"/>'
        '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="check"/>'
    )
    deploy(office, plain)

    office.travel(days=5)

    assert begun(office) == []
    assert office.engine.management.next_due() is None


def test_a_retired_version_rests_until_it_is_active_again(office):
    version = deploy(office, timed("timeCycle", "R/P1D"))
    office.engine.repository.retire(version)
    office.travel(days=3)
    assert begun(office) == []

    office.engine.repository.activate(version)
    office.travel(days=2, hours=1)

    assert len(begun(office)) == 2


def test_two_heartbeats_begin_one_case(office):
    deploy(office, timed("timeDuration", "PT1H"))
    office.clock.set(office.engine.management.next_due())
    beats = [threading.Thread(target=office.engine.management.run_due) for _ in range(2)]

    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join(30)

    assert len(begun(office)) == 1


@pytest.mark.parametrize("region", [None, "=somewhere", "nowhere"])
def test_without_a_unit_a_clock_begins_nothing(office, region):
    with pytest.raises(errors.DeploymentRefused) as refused:
        deploy(office, timed("timeDuration", "PT1H"), region)

    assert "start-by-clock" in {one.rule for one in refused.value.findings}


def test_a_condition_begins_nothing_because_there_are_no_data(office):
    start = (
        '<bpmn:startEvent id="begin" name="水位"><bpmn:conditionalEventDefinition><bpmn:condition>'
        "level = 3</bpmn:condition></bpmn:conditionalEventDefinition></bpmn:startEvent>"
        '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="check"/>'
    )

    with pytest.raises(errors.DeploymentRefused, match="没有数据可判断"):
        deploy(office, start)


def test_a_message_begins_a_case_at_a_receive_task(office):
    start = (
        '<bpmn:receiveTask id="begin" name="收报告" messageRef="m1" instantiate="true"/>'
        '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="check"/>'
    )
    deploy(office, start, None)

    office.engine.runtime.correlate("report", None, {"region": VILLAGE, "level": 3}, SYSTEM)

    (case,) = begun(office)
    assert office.waiting_at(case) == ("check",)
    assert office.engine.runtime.instance(case, SYSTEM).variables["level"] == 3


def test_a_signal_begins_a_case_at_an_event_gateway(office):
    start = (
        '<bpmn:eventBasedGateway id="g" name="等" instantiate="true"/>'
        '<bpmn:intermediateCatchEvent id="told" name="报告"><bpmn:messageEventDefinition messageRef="m1"/>'
        '</bpmn:intermediateCatchEvent><bpmn:intermediateCatchEvent id="rain" name="汛情">'
        '<bpmn:signalEventDefinition signalRef="s1"/></bpmn:intermediateCatchEvent>'
        '<bpmn:sequenceFlow id="g1" sourceRef="g" targetRef="told"/>'
        '<bpmn:sequenceFlow id="g2" sourceRef="g" targetRef="rain"/>'
        '<bpmn:sequenceFlow id="g3" sourceRef="told" targetRef="check"/>'
        '<bpmn:sequenceFlow id="f1" sourceRef="rain" targetRef="check"/>'
    )
    deploy(office, start, None)

    office.engine.runtime.signal("flood", {}, region=COUNTY)

    (case,) = begun(office)
    assert office.waiting_at(case) == ("check",)
