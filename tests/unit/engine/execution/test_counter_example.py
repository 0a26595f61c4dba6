"""A counter-example of the proof can be walked again."""

from __future__ import annotations

import pytest

from engine import bpmn
from engine.execution import joint_proof, proof
from engine.execution.counter_example import run_path, walk
from engine.model.errors import InvalidInput

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t"><process id="p" isExecutable="true">'
DEADLOCK = """<startEvent id="s"/><exclusiveGateway id="x" default="fa"/><task id="a"/><task id="b"/><parallelGateway id="j" name="Join"/><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="x"/><sequenceFlow id="fa" sourceRef="x" targetRef="a"/><sequenceFlow id="fb" sourceRef="x" targetRef="b"><conditionExpression>=k &gt; 1</conditionExpression></sequenceFlow>
<sequenceFlow id="f1" sourceRef="a" targetRef="j"/><sequenceFlow id="f2" sourceRef="b" targetRef="j"/><sequenceFlow id="f3" sourceRef="j" targetRef="e"/>"""
DOUBLE = """<startEvent id="s"/><parallelGateway id="x"/><task id="a"/><task id="b"/><exclusiveGateway id="j"/><task id="c" name="Twice"/><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="x"/><sequenceFlow id="fa" sourceRef="x" targetRef="a"/><sequenceFlow id="fb" sourceRef="x" targetRef="b"/>
<sequenceFlow id="f1" sourceRef="a" targetRef="j"/><sequenceFlow id="f2" sourceRef="b" targetRef="j"/><sequenceFlow id="f3" sourceRef="j" targetRef="c"/><sequenceFlow id="f4" sourceRef="c" targetRef="e"/>"""
LOOP = """<startEvent id="s"/><exclusiveGateway id="m"/><userTask id="a"/><exclusiveGateway id="x" default="back"/><userTask id="b"/><sequenceFlow id="f0" sourceRef="s" targetRef="m"/>
<sequenceFlow id="f1" sourceRef="m" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="x"/><sequenceFlow id="back" sourceRef="x" targetRef="m"/><sequenceFlow id="f3" sourceRef="x" targetRef="b"><conditionExpression>=k &gt; 1</conditionExpression></sequenceFlow><sequenceFlow id="f4" sourceRef="b" targetRef="m"/><endEvent id="e"/><boundaryEvent id="never" attachedToRef="b"><errorEventDefinition/></boundaryEvent><sequenceFlow id="f5" sourceRef="never" targetRef="m"/>"""


def program(body: str):
    return bpmn.read(f"{HEAD}{body}</process></definitions>".encode(), file="x.bpmn").programs[0]


@pytest.mark.parametrize("body", [DEADLOCK, DOUBLE, LOOP])
def test_every_path_of_the_proof_can_be_walked_into_its_fault(body):
    found = program(body)
    errors = [one for one in proof.prove(found).findings if one.is_error and one.path]
    assert errors
    for finding in errors:
        run = run_path(found, finding.path)
        assert not run.ok
        assert run.steps
        assert {step.element for step in run.steps} >= set(finding.path) - {finding.element}


def test_it_says_where_the_token_is_stuck():
    run = run_path(program(DEADLOCK), ["s", "x", "b"])
    assert run.stuck == ("j",)
    assert run.failed is not None
    assert "Join" in run.failed
    assert [step.element for step in run.steps] == ["s", "x", "b"]


def test_a_path_without_a_fault_is_well():
    sound = DEADLOCK.replace('<parallelGateway id="j" name="Join"/>', '<exclusiveGateway id="j"/>')
    assert run_path(program(sound), ["s", "x", "b"]).ok


def test_a_path_that_leads_nowhere_near_a_fault_is_told():
    run = run_path(program(LOOP), ["s", "b"])
    assert not run.ok


def test_it_refuses_an_id_the_process_does_not_have():
    with pytest.raises(InvalidInput, match="没有“z”"):
        run_path(program(DEADLOCK), ["s", "z"])


TALKING = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t">
<message id="m1" name="ask"/><message id="m2" name="reply"/>
<collaboration id="c"><participant id="pa" processRef="a"/><participant id="pb" processRef="b"/>
<messageFlow id="mf1" sourceRef="a_end" targetRef="b_get"/><messageFlow id="mf2" sourceRef="b_end" targetRef="a_get"/></collaboration>
<process id="a" isExecutable="true"><startEvent id="a_s"/><receiveTask id="a_get" messageRef="m2"/><endEvent id="a_end"><messageEventDefinition messageRef="m1"/></endEvent>
<sequenceFlow id="af1" sourceRef="a_s" targetRef="a_get"/><sequenceFlow id="af2" sourceRef="a_get" targetRef="a_end"/></process>
<process id="b" isExecutable="true"><startEvent id="b_s"/><receiveTask id="b_get" messageRef="m1"/><endEvent id="b_end"><messageEventDefinition messageRef="m2"/></endEvent>
<sequenceFlow id="bf1" sourceRef="b_s" targetRef="b_get"/><sequenceFlow id="bf2" sourceRef="b_get" targetRef="b_end"/></process></definitions>"""


def test_pools_that_wait_for_each_other_are_walked_together():
    result = bpmn.read(TALKING.encode(), file="x.bpmn")
    proofs = joint_proof.prove_together(result.programs, result.collaboration)
    finding = next(one for found in proofs.values() for one in found.findings if one.path)
    run = walk(TALKING.encode(), "x.bpmn", finding.path)
    assert not run.ok
    assert [step.element for step in run.steps] == list(finding.path)
    assert set(run.stuck) <= {"a_get", "b_get"}
    assert run.stuck
    with pytest.raises(InvalidInput, match="没有“z”"):
        walk(TALKING.encode(), "x.bpmn", ["z"])


def test_a_file_is_walked_in_the_process_that_has_the_ids():
    text = f"{HEAD}{DEADLOCK}</process></definitions>".encode()
    assert walk(text, "x.bpmn", ["s", "x", "b"]).stuck == ("j",)
    with pytest.raises(InvalidInput, match="没有可以走的流程“q”"):
        walk(text, "x.bpmn", ["s"], "q")
