"""The gate: what a package must be before a version of it goes live."""

from __future__ import annotations

import json

import pytest

from engine.bpmn import read
from engine.execution.deployment import examine, examine_together
from engine.execution.references import Known
from engine.execution.scenarios import InvalidScenario, World, run_scenario
from engine.model.package import Ladder, LadderAction, Package, Rung

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:t">'
REVIEW = """<startEvent id="s"/><userTask id="register"><extensionElements>
<nl:task form="f" role="clerk" deadline="5wd"/></extensionElements></userTask>
<userTask id="review"><extensionElements><nl:task form="f" role="leader" deadline="3wd" differentFrom="register" operation="book"/>
<nl:outcome id="ok"/><nl:outcome id="return" requires="note"/></extensionElements></userTask>
<exclusiveGateway id="g" default="out"/><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>7d</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="register"/><sequenceFlow id="f2" sourceRef="register" targetRef="review"/>
<sequenceFlow id="f3" sourceRef="review" targetRef="g"/>
<sequenceFlow id="back" sourceRef="g" targetRef="register"><conditionExpression xsi:type="tFormalExpression">review.outcome = "return"</conditionExpression></sequenceFlow>
<sequenceFlow id="out" sourceRef="g" targetRef="t"/><sequenceFlow id="f5" sourceRef="t" targetRef="e"/>"""
STORY = """
title = "退回一次"
process = "grant"
clock = "2026-01-04T09:00+08:00"
[operations.book]
returns = [{number = 1}, {number = 2}]
[[step]]
expect = ["register"]
complete = "register"
by = "wang"
data = {amount = 300.50}
[[step]]
complete = "review"
by = "li"
outcome = "return"
[[step]]
complete = "register"
by = "wang"
[[step]]
complete = "review"
by = "li"
outcome = "ok"
expect_variables = {number = 2}
[[step]]
expect = ["t"]
travel = "7d"
expect_end = true
"""
FORM = {"type": "default", "components": [{"id": "c1", "type": "textfield", "key": "note"}]}


def bpmn(body: str = REVIEW, key: str = "grant") -> bytes:
    return f'{HEAD}<process id="{key}" isExecutable="true">{body}</process></definitions>'.encode()


def package(**changes) -> Package:
    files = {
        "grant.bpmn": bpmn(),
        "forms/f.json": json.dumps(FORM).encode(),
        "scenarios/return.toml": STORY.encode(),
    }
    files.update(changes.pop("files", {}))
    files = {path: content for path, content in files.items() if content is not None}
    values = {
        "key": "grant",
        "title": "发放",
        "version_tag": "1",
        "bpmn": "grant.bpmn",
        "files": files,
        "roles": {"clerk": "经办", "leader": "领导"},
        "operations": ("book",),
        "ladders": {
            "default": Ladder(name="default", rungs=(Rung(at="due", action=LadderAction.OVERDUE),))
        },
    }
    return Package(**{**values, **changes})


WRONG_CELL = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d"
  name="d" namespace="urn:d"><decision id="a" name="a"><variable name="a"/><decisionTable>
  <input><inputExpression><text>x</text></inputExpression></input><output/>
  <rule><inputEntry><text>== 1</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
  </decisionTable></decision></definitions>"""
NOTHING = Known(operations=frozenset(), programs={})


def test_a_right_package_passes_without_a_word():
    found = examine(package(), NOTHING)

    assert found.findings == ()
    assert found.ok
    assert found.sound is True
    assert found.states > 0
    assert [result.ok for result in found.scenarios] == [True]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"bpmn": "other.bpmn"}, "package"),
        ({"key": "other"}, "package"),
        ({"roles": {"clerk": "经办"}}, "unknown-role"),
        ({"files": {"grant.bpmn": bpmn(REVIEW.replace('role="leader" ', ""))}}, "no-role"),
        ({"starters": ("nobody",)}, "unknown-role"),
        ({"operations": ()}, "unknown-operation"),
        ({"files": {"forms/f.json": None}}, "unknown-form"),
        ({"files": {"forms/f.json": b"{"}}, "form"),
        ({"files": {"forms/f.json": b'{"components": [{"type": "textfield"}]}'}}, "form"),
        (
            {"files": {"forms/f.json": b'{"components": [{"id": "x", "type": "textfield"}]}'}},
            "form",
        ),
        ({"files": {"forms/f.json": b'{"components": []}'}}, "unknown-field"),
        ({"files": {"x.dmn": b"<a/>"}}, "decision-model"),
        ({"files": {"x.dmn": WRONG_CELL}}, "decision-model"),
        ({"files": {"scenarios/x.toml": b"process = 1"}}, "scenario"),
        (
            {
                "files": {
                    "scenarios/return.toml": STORY.replace('by = "li"', 'by = "wang"').encode()
                }
            },
            "scenario",
        ),
        ({"files": {"scenarios/return.toml": STORY.replace("7d", "6d").encode()}}, "scenario"),
        (
            {
                "files": {
                    "grant.bpmn": bpmn(
                        REVIEW.replace('differentFrom="register"', 'differentFrom="nobody"')
                    )
                }
            },
            "unknown-activity",
        ),
        (
            {
                "files": {
                    "grant.bpmn": bpmn(
                        REVIEW.replace(
                            'form="f" role="leader"', 'form="f" ladder="x" role="leader"'
                        )
                    )
                }
            },
            "unknown-ladder",
        ),
        ({"files": {"grant.bpmn": bpmn().replace(b' isExecutable="true"', b"")}}, "not-executable"),
    ],
)
def test_it_refuses_a_package_with_a_loose_end(changes, rule):
    found = examine(package(**changes), NOTHING)

    assert not found.ok
    assert rule in {finding.rule for finding in found.findings if finding.is_error}, found.findings


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ladders": {}}, "no-ladder"),
        ({"files": {"grant.bpmn": bpmn(REVIEW.replace(' deadline="3wd"', ""))}}, "no-deadline"),
        ({"files": {"scenarios/return.toml": None}}, "no-scenario"),
    ],
)
def test_it_warns_of_what_ought_to_be_there(changes, rule):
    found = examine(package(**changes), NOTHING)

    assert found.ok
    assert rule in {finding.rule for finding in found.findings}


def calling(key: str, called: str) -> Package:
    body = f'<startEvent id="s"/><callActivity id="c" calledElement="{called}"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="c"/><sequenceFlow id="f2" sourceRef="c" targetRef="e"/>'
    return package(key=key, files={"grant.bpmn": bpmn(body, key), "scenarios/return.toml": None})


def test_a_ring_of_calls_is_refused_and_named():
    ring = {key: calling(key, called) for key, called in (("a", "b"), ("b", "c"), ("c", "a"))}

    found = examine_together(ring, NOTHING)

    (error,) = [finding for finding in found["a"].findings if finding.rule == "call-cycle"]
    assert error.message.endswith("a → b → c → a")
    assert error.element == "c"


def test_a_call_of_an_unpublished_process_is_refused():
    found = examine(calling("a", "nowhere"), NOTHING)

    assert [finding.rule for finding in found.findings if finding.is_error] == ["unknown-process"]


def test_a_scenario_tells_what_happened_when_and_who_did_it():
    (program,) = read(bpmn(), file="x").programs

    result = run_scenario(World(programs={"grant": program}), STORY, "return.toml").as_json()

    assert (result["ok"], result["failed"]) == (True, None)
    steps = result["steps"]
    assert {
        "at": "2026-01-04T09:00:00+08:00",
        "element": "register",
        "kind": "userTask.completed",
        "who": "wang",
    } in steps
    assert steps[-1]["at"] == "2026-01-12T00:00:00+08:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "process = 3",
        "title = [",
        'process = "grant"',
        'process = "grant"\nfoo = 1\n[[step]]\nexpect = []',
        'process = "grant"\n[[step]]\ncompleet = "a"',
        'process = "grant"\n[[step]]\ncomplete = "a"\ntravel = "P1D"',
    ],
)
def test_it_refuses_a_scenario_file_with_a_mistake(text):
    (program,) = read(bpmn(), file="x").programs

    with pytest.raises(InvalidScenario):
        run_scenario(World(programs={"grant": program}), text, "x.toml")


SIDE_BY_SIDE = """<startEvent id="s"/><parallelGateway id="g"/><parallelGateway id="j"/>
<userTask id="a"><extensionElements><nl:task form="f" role="clerk" deadline="5wd"/>%s</extensionElements></userTask>
<userTask id="b"><extensionElements><nl:task form="f" role="leader" deadline="3wd"/>%s</extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="a"/>
<sequenceFlow id="f2" sourceRef="g" targetRef="b"/><sequenceFlow id="f3" sourceRef="a" targetRef="j"/>
<sequenceFlow id="f4" sourceRef="b" targetRef="j"/><sequenceFlow id="f5" sourceRef="j" targetRef="e"/>"""


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("", "", True),
        ("", '<nl:output name="second" value="note"/>', False),
        ("", '<nl:output name="note" value="note"/>', True),
        ('<nl:permission field="note" mode="r"/>', "", False),
        ('<nl:permission field="note" mode="w"/>', "", True),
    ],
)
def test_forms_filled_in_side_by_side_must_not_write_one_variable(first, second, refused):
    model = package(
        files={
            "grant.bpmn": bpmn(SIDE_BY_SIDE % (first, second)),
            "scenarios/return.toml": None,
        }
    )

    errors = [found.rule for found in examine(model).findings if found.is_error]

    assert errors == (["parallel-write"] if refused else [])


STARVING = """<startEvent id="s"/><exclusiveGateway id="g" default="no"/><userTask id="a"><extensionElements>
<nl:task form="f" role="clerk" deadline="5wd"/></extensionElements></userTask>
<userTask id="b"><extensionElements><nl:task form="f" role="clerk" deadline="5wd"/></extensionElements></userTask>
<parallelGateway id="j"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="g"/>
<sequenceFlow id="yes" sourceRef="g" targetRef="a"><conditionExpression xsi:type="tFormalExpression">x = 1</conditionExpression></sequenceFlow>
<sequenceFlow id="no" sourceRef="g" targetRef="b"/><sequenceFlow id="f4" sourceRef="a" targetRef="j"/>
<sequenceFlow id="f5" sourceRef="b" targetRef="j"/><sequenceFlow id="f6" sourceRef="j" targetRef="e"/>"""


def test_an_unsound_process_is_refused_with_a_way_that_leads_to_the_fault():
    found = examine(package(files={"grant.bpmn": bpmn(STARVING)}), NOTHING)

    (fault,) = [each for each in found.findings if each.rule == "soundness.deadlock"]
    assert (found.ok, found.sound) == (False, False)
    assert (fault.severity, fault.element) == ("error", "j")
    assert fault.path in {("s", "g", "a"), ("s", "g", "b")}
    assert found.proofs["grant"].states == found.states > 0


def test_a_drawing_that_is_not_ready_is_judged_by_its_shape_all_the_same():
    unassigned = STARVING.replace('role="clerk"', 'role="nobody"')

    found = examine(package(files={"grant.bpmn": bpmn(unassigned)}), NOTHING)

    assert {"unknown-role", "soundness.deadlock"} <= {each.rule for each in found.findings}


def test_a_split_on_every_outcome_of_the_task_before_it_needs_no_default():
    every = REVIEW.replace(' default="out"', "").replace(
        '<sequenceFlow id="out" sourceRef="g" targetRef="t"/>',
        '<sequenceFlow id="out" sourceRef="g" targetRef="t"><conditionExpression '
        'xsi:type="tFormalExpression">review.outcome = "ok"</conditionExpression></sequenceFlow>',
    )
    some = every.replace('review.outcome = "ok"', 'review.outcome = "fine"')

    rules = [
        {each.rule for each in examine(package(files={"grant.bpmn": bpmn(body)}), NOTHING).findings}
        for body in (every, some)
    ]

    assert ["soundness.missing_default" in found for found in rules] == [False, True]
