"""Rounds side by side must not overwrite each other's results."""

from __future__ import annotations

import json

import pytest

from engine.bpmn import read
from engine.execution import parallel_forms
from engine.model.package import Package

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<process id="p" isExecutable="true"><startEvent id="s"/>'
)
TAIL = (
    '<userTask id="z"><extensionElements><nl:input name="seen" value="found"/></extensionElements></userTask>'
    '<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="m"/>'
    '<sequenceFlow id="f2" sourceRef="m" targetRef="z"/><sequenceFlow id="f3" sourceRef="z" targetRef="e"/>'
    "</process></definitions>"
)
LOOP = '<nl:loop collection="[1, 2]" item="i"{0}/>'
COLLECTED = LOOP.format(' output="mark" outputs="found"')
MARK = '<multiInstanceLoopCharacteristics isSequential="{0}"/>'


def rules(model: str) -> list[str]:
    return [each.rule for each in read(model.encode(), file="m.bpmn").findings if each.is_error]


def many(
    extensions: str, tag: str = "userTask", sequential: str = "false", inside: str = ""
) -> str:
    return (
        f'{HEAD}<{tag} id="m"><extensionElements>{extensions}</extensionElements>'
        f"{MARK.format(sequential)}{inside}</{tag}>{TAIL}"
    )


INSIDE = (
    '<startEvent id="s1"/><scriptTask id="a"><extensionElements><nl:assign name="found" value="{0}"/>'
    '</extensionElements></scriptTask><endEvent id="e1"/><sequenceFlow id="g1" sourceRef="s1" targetRef="a"/>'
    '<sequenceFlow id="g2" sourceRef="a" targetRef="e1"/>'
)


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        (many(LOOP.format("") + '<nl:output name="found" value="mark"/>'), True),
        (many(LOOP.format("") + '<nl:assign name="found" value="i"/>', "scriptTask"), True),
        (many(LOOP.format(""), "subProcess", inside=INSIDE.format("i")), True),
        # one after the other the last one counts, and everybody can see that
        (many(LOOP.format("") + '<nl:output name="found" value="mark"/>', sequential="true"), False),
        # collected in the order of the items
        (many(COLLECTED), False),
        # built upon what is there, in one step: nothing is lost
        (many(LOOP.format("") + '<nl:output name="found" value="append(found, mark)"/>'), False),
        (many(LOOP.format(""), "subProcess", inside=INSIDE.format("append(found, i)")), False),
        # nobody ever asks for it
        (many(LOOP.format("") + '<nl:output name="rest" value="mark"/>'), False),
    ],
)  # fmt: skip
def test_it_refuses_rounds_that_write_over_each_other(model, refused):
    assert rules(model) == (["parallel-write"] if refused else [])


@pytest.mark.parametrize(("loop", "found"), [(LOOP.format(""), ["mark"]), (COLLECTED, [])])
def test_it_refuses_a_form_that_every_round_fills_in_anew(loop, found):
    xml = many('<nl:task role="clerk" form="sign"/>' + loop).encode()
    form = json.dumps({"components": [{"key": "mark", "type": "textfield"}]}).encode()
    package = Package(
        key="p", title="p", version_tag="1", bpmn="p.bpmn",
        files={"p.bpmn": xml, "forms/sign.json": form},
    )  # fmt: skip
    (program,) = read(xml, file="p.bpmn").programs

    clashes = list(parallel_forms.clashes(package, program))

    assert [clash.name for clash in clashes] == found
    assert all("各个实例" in clash.message for clash in clashes)
