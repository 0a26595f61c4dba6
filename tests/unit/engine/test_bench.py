"""The bench as `contract.md` promises it to others."""

from __future__ import annotations

import pytest

from engine.model.errors import InvalidState, NotCorrelated
from engine.testing import Bench

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:t"><message id="m" name="answer"/><signal id="g" name="storm"/>'
ASK = """<process id="ask" isExecutable="true"><startEvent id="s"/><parallelGateway id="split"/>
<receiveTask id="first" messageRef="m"><extensionElements><nl:message key="=one"/></extensionElements></receiveTask>
<receiveTask id="second" messageRef="m"><extensionElements><nl:message key="=two"/></extensionElements></receiveTask>
<parallelGateway id="join"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="split"/><sequenceFlow id="f2" sourceRef="split" targetRef="first"/><sequenceFlow id="f3" sourceRef="split" targetRef="second"/>
<sequenceFlow id="f4" sourceRef="first" targetRef="join"/><sequenceFlow id="f5" sourceRef="second" targetRef="join"/><sequenceFlow id="f6" sourceRef="join" targetRef="e"/></process>"""
WAITS = """<process id="waits" isExecutable="true"><startEvent id="ws"/><parallelGateway id="wsplit"/><userTask id="look"/><userTask id="write"/>
<intermediateCatchEvent id="storm"><signalEventDefinition signalRef="g"/></intermediateCatchEvent>
<exclusiveGateway id="xm"/><parallelGateway id="wjoin"/><endEvent id="we"/><boundaryEvent id="late" attachedToRef="look"><timerEventDefinition><timeDuration>5wd</timeDuration></timerEventDefinition></boundaryEvent><task id="told"/>
<sequenceFlow id="w1" sourceRef="ws" targetRef="wsplit"/><sequenceFlow id="w2" sourceRef="wsplit" targetRef="look"/><sequenceFlow id="w3" sourceRef="wsplit" targetRef="write"/><sequenceFlow id="w4" sourceRef="wsplit" targetRef="storm"/>
<sequenceFlow id="w5" sourceRef="look" targetRef="xm"/><sequenceFlow id="w6" sourceRef="write" targetRef="wjoin"/><sequenceFlow id="w7" sourceRef="storm" targetRef="wjoin"/><sequenceFlow id="w8" sourceRef="wjoin" targetRef="we"/>
<sequenceFlow id="w9" sourceRef="late" targetRef="told"/><sequenceFlow id="w10" sourceRef="told" targetRef="xm"/><sequenceFlow id="w11" sourceRef="xm" targetRef="wjoin"/></process>"""
TWICE = """<process id="twice" isExecutable="true"><startEvent id="ts"/><parallelGateway id="tsplit"/><exclusiveGateway id="tm"/><userTask id="work"/><endEvent id="te"/>
<sequenceFlow id="t1" sourceRef="ts" targetRef="tsplit"/><sequenceFlow id="t2" sourceRef="tsplit" targetRef="tm"/><sequenceFlow id="t3" sourceRef="tsplit" targetRef="tm"/><sequenceFlow id="t4" sourceRef="tm" targetRef="work"/><sequenceFlow id="t5" sourceRef="work" targetRef="te"/></process>"""


@pytest.fixture
def bench() -> Bench:
    return Bench.from_bpmn(
        f"{HEAD}{ASK}{WAITS}{TWICE}</definitions>", clock="2026-02-14T09:00+08:00"
    )


def test_a_message_finds_the_token_that_waits_for_its_key(bench):
    case = bench.start("ask", {"one": "A", "two": "B"})
    case.message("answer", {"key": "B"})
    assert case.waiting_at() == ["first"]
    with pytest.raises(NotCorrelated):
        case.message("answer", {"key": "B"})
    case.message("answer", {"key": "A"})
    assert case.status == "completed"


def test_a_key_may_be_a_number(bench):
    case = bench.start("ask", {"one": 1, "two": 2})
    bench.message("answer", {"key": 2})
    assert case.waiting_at() == ["first"]
    bench.message("answer", {"x": "y"}, key="1")
    assert case.variables["one"] == 1
    assert case.status == "completed"


def test_one_entry_for_each_token(bench):
    case = bench.start("twice")
    assert case.waiting_at() == ["work", "work"]
    case.complete("work")
    assert case.waiting_at() == ["work"]
    with pytest.raises(InvalidState, match="现在等待的是：work"):
        case.complete("nothing")


def test_it_travels_by_working_days_and_by_iso_and_tells_the_trace(bench):
    case = bench.start("waits", {"amount": 300})
    assert case.waiting_at() == ["look", "storm", "write"]
    bench.travel("P13D")
    # 14 February + 5wd: the Spring Festival ends on the 23rd, so 24:00 of the 28th.
    assert "look" in case.waiting_at()
    bench.travel("P3D")
    assert case.waiting_at() == ["storm", "write"]
    case.complete("write", {"done": True}, by="wang")
    case.signal("storm")
    assert case.status == "completed"
    assert case.variables["amount"] == 300
    assert case.trace[:2] == [("enter", "ws"), ("complete", "ws")]
    assert ("cancel", "look") in case.trace
    assert case.trace[-1] == ("complete", "we")
    assert bench.travel("1wd").isoformat() == "2026-03-03T16:00:00+00:00"
