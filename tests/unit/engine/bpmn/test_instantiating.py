"""Processes that a receive task or an event gateway begins (BPMN 2.0.2 §10.3.3, §10.6.6)."""

from __future__ import annotations

import pytest

from engine.bpmn import read
from engine.execution import proof
from engine.model.errors import InvalidState, NotCorrelated
from engine.testing import Bench

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<message id="m1" name="申请"/><message id="m2" name="举报"/><signal id="s1" name="汛情"/>'
)
RECEIVE = (
    '<receiveTask id="r" messageRef="m1" instantiate="true"/><userTask id="a"/><endEvent id="e"/>'
    '<sequenceFlow id="f1" sourceRef="r" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="e"/>'
)
GATEWAY = (
    '<eventBasedGateway id="g" instantiate="true" eventGatewayType="{kind}"/>'
    '<intermediateCatchEvent id="c1"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>'
    "{second}"
    '<userTask id="a"/><userTask id="b"/><endEvent id="e"/>'
    '<sequenceFlow id="f1" sourceRef="g" targetRef="c1"/><sequenceFlow id="f2" sourceRef="g" targetRef="c2"/>'
    '<sequenceFlow id="f3" sourceRef="c1" targetRef="a"/><sequenceFlow id="f4" sourceRef="c2" targetRef="b"/>'
    '<sequenceFlow id="f5" sourceRef="a" targetRef="e"/><sequenceFlow id="f6" sourceRef="b" targetRef="e"/>'
)
MESSAGE = '<intermediateCatchEvent id="c2"><messageEventDefinition messageRef="m2"/></intermediateCatchEvent>'
SIGNAL = '<intermediateCatchEvent id="c2"><signalEventDefinition signalRef="s1"/></intermediateCatchEvent>'
TIMER = (
    '<intermediateCatchEvent id="c2"><timerEventDefinition><timeDuration>P1D</timeDuration>'
    "</timerEventDefinition></intermediateCatchEvent>"
)


def file(body: str) -> bytes:
    return f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'.encode()


def gateway(kind: str = "Exclusive", second: str = MESSAGE) -> bytes:
    return file(GATEWAY.format(kind=kind, second=second))


def test_a_message_begins_a_case_at_the_receive_task_with_its_data():
    bench = Bench.from_bpmn(file(RECEIVE))

    bench.message("申请", {"household": 3})

    (case,) = bench.cases
    assert case.waiting_at() == ["a"]
    assert case.variables["household"] == 3
    assert case.trace[:2] == [("enter", "r"), ("complete", "r")]
    case.complete("a")
    assert case.status == "completed"


def test_every_message_begins_a_case_of_its_own():
    bench = Bench.from_bpmn(file(RECEIVE))

    bench.message("申请")
    bench.message("申请")

    assert len(bench.cases) == 2


def test_another_message_begins_nothing():
    bench = Bench.from_bpmn(file(RECEIVE))

    with pytest.raises(NotCorrelated):
        bench.message("举报")


def test_it_waits_for_what_begins_it():
    bench = Bench.from_bpmn(file(RECEIVE))
    case = bench.start("p")

    bench.message("申请")

    assert bench.cases[0].waiting_at() == ["a"]
    assert len(bench.cases) == 1
    assert case.process == "p"


@pytest.mark.parametrize(("name", "there"), [("申请", "a"), ("举报", "b")])
def test_the_first_event_begins_a_case_and_rules_out_the_others(name, there):
    bench = Bench.from_bpmn(gateway())

    bench.message(name)

    (case,) = bench.cases
    assert case.waiting_at() == [there]
    assert ("complete", "g") in case.trace
    case.complete(there)
    assert case.status == "completed"


def test_a_signal_may_begin_it_too():
    bench = Bench.from_bpmn(gateway(second=SIGNAL))

    bench.signal("汛情")

    assert bench.cases[0].waiting_at() == ["b"]


def test_a_parallel_gateway_waits_for_the_others_in_the_case_the_first_began():
    bench = Bench.from_bpmn(gateway("Parallel"))

    bench.message("举报")
    (case,) = bench.cases
    assert case.waiting_at() == ["b", "c1"]
    case.complete("b")
    assert case.status == "active"
    bench.message("申请")

    assert len(bench.cases) == 1
    assert case.waiting_at() == ["a"]
    case.complete("a")
    assert case.status == "completed"


TWO_ENDS = gateway("Parallel").replace(
    b'sourceRef="b" targetRef="e"/>', b'sourceRef="b" targetRef="e2"/><endEvent id="e2"/>'
)


@pytest.mark.parametrize("xml", [file(RECEIVE), gateway(), TWO_ENDS])
def test_it_is_sound(xml):
    (program,) = read(xml, file="x.bpmn").programs

    assert proof.prove(program).sound is True


@pytest.mark.parametrize(
    "xml",
    [
        file(RECEIVE + '<sequenceFlow id="f9" sourceRef="a" targetRef="r"/>'),
        file(
            RECEIVE.replace(
                "/><userTask",
                "><standardLoopCharacteristics loopMaximum='2'/></receiveTask><userTask",
                1,
            )
        ),
        gateway(second=TIMER),
        gateway("Parallel", SIGNAL),
        file(f'<startEvent id="s"/><subProcess id="sub">{RECEIVE}</subProcess><endEvent id="e2"/>'
             '<sequenceFlow id="g1" sourceRef="s" targetRef="sub"/>'
             '<sequenceFlow id="g2" sourceRef="sub" targetRef="e2"/>'),
    ],
)  # fmt: skip
def test_what_cannot_begin_a_process_is_refused(xml):
    found = [each for each in read(xml, file="x.bpmn").findings if each.is_error]

    assert "instantiate" in {each.rule for each in found}


def test_a_process_that_only_a_message_begins_is_not_called():
    caller = (
        '<process id="q" isExecutable="true"><startEvent id="qs"/><callActivity id="qc" calledElement="p"/>'
        '<endEvent id="qe"/><sequenceFlow id="q1" sourceRef="qs" targetRef="qc"/>'
        '<sequenceFlow id="q2" sourceRef="qc" targetRef="qe"/></process></definitions>'
    )
    xml = file(RECEIVE).decode().replace("</definitions>", caller).encode()

    assert "called-start" in {each.rule for each in read(xml, file="x.bpmn").findings}


def test_nobody_starts_it_by_hand():
    bench = Bench.from_bpmn(file(RECEIVE))

    with pytest.raises(InvalidState):
        bench.start("p", node="a")


def by_clock(kind: str, text: str) -> bytes:
    return file(
        f'<startEvent id="s"><timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition></startEvent>'
        '<userTask id="a"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
        '<sequenceFlow id="f2" sourceRef="a" targetRef="e"/>'
    )


@pytest.mark.parametrize(
    ("kind", "text", "days", "cases"),
    [
        ("timeDuration", "P2D", 1, 0),
        ("timeDuration", "P2D", 9, 1),
        ("timeCycle", "R3/P1D", 10, 3),
        ("timeCycle", "R/P7D", 29, 4),
        ("timeCycle", "R2/2026-01-06T09:00:00+08:00/P1D", 30, 2),
        ("timeDate", "2026-01-05T09:00:00+08:00", 5, 1),
    ],
)
def test_the_clock_of_the_bench_begins_a_case_at_every_firing(kind, text, days, cases):
    bench = Bench.from_bpmn(by_clock(kind, text), clock="2026-01-04T09:00+08:00")
    bench.start("p")

    bench.travel(f"P{days}D")

    assert [case.waiting_at() for case in bench.cases if case.trace] == [["a"]] * cases
