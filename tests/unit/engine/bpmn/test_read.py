"""Reading BPMN: what is refused, in which words, and what other people's files may look like."""

from __future__ import annotations

import pytest

from engine.bpmn import read
from engine.bpmn.expressions import feel_text

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
PLAIN = '<startEvent id="s"/><userTask id="a"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="e"/>'


def file(body: str, head: str = HEAD) -> bytes:
    return (
        f'{head}\n<process id="p" isExecutable="true">\n{body}\n</process></definitions>'.encode()
    )


def errors(xml: bytes) -> list[tuple[str, str | None, int | None]]:
    return [
        (finding.rule, finding.element, finding.line)
        for finding in read(xml, file="x.bpmn").findings
        if finding.is_error
    ]


ENTITY = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("xml", "rule"),
    [
        (b"", "not-xml"),
        (b"<a><b></a>", "not-xml"),
        (b"not xml at all", "not-xml"),
        (b"<html/>", "not-bpmn"),
        ((ENTITY + HEAD + "</definitions>").encode(), "doctype"),
        ((ENTITY + HEAD + "</definitions>").encode("utf-16"), "doctype"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', "doctype"),
        (f"{HEAD}</definitions>".encode(), "no-process"),
    ],
)
def test_it_refuses_what_is_no_bpmn_or_dangerous(xml, rule):
    result = read(xml, file="x.bpmn")

    assert not result.ok
    assert rule in {finding.rule for finding in result.findings}


@pytest.mark.parametrize(
    ("body", "rule", "element"),
    [
        (PLAIN.replace('targetRef="e"', 'targetRef="nowhere"'), "flow-end", "f2"),
        (PLAIN.replace('sourceRef="s"', ""), "flow-end", "f1"),
        (PLAIN + '<userTask id="a"/>', "duplicate-id", "a"),
        (PLAIN + '<userTask id="lonely"/>', "no-incoming", "lonely"),
        (PLAIN + '<magicTask id="m"/>', "unknown-element", "m"),
        (PLAIN + '<choreographyTask id="m"/>', "unsupported-element", "m"),
        (PLAIN.replace("<userTask", "<serviceTask"), "missing-operation", "a"),
        (
            PLAIN.replace(
                '<userTask id="a"/>', '<scriptTask id="a"><script>import os</script></scriptTask>'
            ),
            "script",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<scriptTask id="a" scriptFormat="groovy"><script>x</script></scriptTask>',
            ),
            "script-language",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<userTask id="a"><multiInstanceLoopCharacteristics/></userTask>',
            ),
            "multi-instance",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<userTask id="a"><extensionElements><nl:task deadlin="5wd"/></extensionElements></userTask>',
            ),
            "unknown-extension",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<userTask id="a"><extensionElements><nl:tusk/></extensionElements></userTask>',
            ),
            "unknown-extension",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<userTask id="a"><extensionElements><nl:task unit="=a +"/></extensionElements></userTask>',
            ),
            "feel-syntax",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<userTask id="a"><extensionElements><nl:operation name="x"/></extensionElements></userTask>',
            ),
            "misplaced-extension",
            "a",
        ),
        (PLAIN.replace('<userTask id="a"/>', '<receiveTask id="a"/>'), "missing-message", "a"),
        (PLAIN.replace('<userTask id="a"/>', '<callActivity id="a"/>'), "missing-called", "a"),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<intermediateCatchEvent id="a"><timerEventDefinition><timeDuration>0 9 * * 1</timeDuration></timerEventDefinition></intermediateCatchEvent>',
            ),
            "timer",
            "a",
        ),
        (
            PLAIN.replace(
                '<userTask id="a"/>',
                '<intermediateCatchEvent id="a"><signalEventDefinition signalRef="no"/></intermediateCatchEvent>',
            ),
            "unknown-reference",
            "a",
        ),
        (
            PLAIN
            + '<boundaryEvent id="b" attachedToRef="nobody"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>',
            "attached-to",
            "b",
        ),
    ],
)
def test_it_names_the_element_that_is_wrong_and_its_line(body, rule, element):
    found = errors(file(body))

    assert (rule, element) in {(each[0], each[1]) for each in found}, found
    assert all(line == 3 for r, e, line in found if (r, e) == (rule, element))


@pytest.mark.parametrize(
    "xml",
    [
        file(PLAIN),
        file(PLAIN.replace('id="f1" ', "").replace('id="f2" ', "")),
        file(PLAIN.replace('"s"', '"Start"').replace('"e"', '"End"')),
        file(PLAIN).replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns=", b"xmlns:x="),
        ('<?xml version="1.0" encoding="UTF-16"?>' + file(PLAIN).decode()).encode("utf-16"),
    ],
    ids=["plain", "flows without id", "an element called Start", "another prefix", "utf-16"],
)
def test_it_reads_files_as_other_tools_write_them(xml):
    result = read(xml, file="x.bpmn")

    assert result.ok, result.findings
    (program,) = result.programs
    assert [node.kind.value for node in program.nodes] == ["startEvent", "userTask", "endEvent"]
    assert len(program.flows) == 2


def test_a_derived_flow_id_is_the_same_every_time():
    xml = file(PLAIN.replace('id="f1" ', "").replace('id="f2" ', ""))

    ids = [[flow.id for flow in read(xml, file="x").programs[0].flows] for _ in range(2)]

    assert ids == [["s->a", "a->e"]] * 2


def test_branches_come_in_document_order_not_in_order_of_the_drawing():
    body = """<startEvent id="s"/><parallelGateway id="g"/><userTask id="b"/><userTask id="a"/>
    <sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="z" sourceRef="g" targetRef="b"/>
    <sequenceFlow id="y" sourceRef="g" targetRef="a"/>"""
    program = read(file(body), file="x").programs[0]

    assert [node.id for node in program.targets(program.node("g"))] == ["b", "a"]


def test_a_chain_of_two_thousand_tasks_is_read_and_run():
    nodes = "".join(f'<task id="t{n}"/>' for n in range(2000))
    flows = "".join(
        f'<sequenceFlow id="g{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(1999)
    )
    body = f'<startEvent id="s"/>{nodes}<endEvent id="e"/>{flows}<sequenceFlow id="x" sourceRef="s" targetRef="t0"/><sequenceFlow id="y" sourceRef="t1999" targetRef="e"/>'

    result = read(file(body), file="x.bpmn")

    assert result.ok
    assert len(result.programs[0].nodes) == 2002


def test_a_draft_is_opened_and_said_to_be_one():
    result = read(file(PLAIN).replace(b' isExecutable="true"', b""), file="x.bpmn")

    assert result.ok
    assert [finding.rule for finding in result.findings] == ["not-executable"]


@pytest.mark.parametrize(
    ("text", "feel"),
    [
        ("${amount == 3 && !done}", "amount = 3 and not(done)"),
        ("${name.contains('x') || a != b}", 'contains(name, "x") or a != b'),
        ("= amount > 3", "amount > 3"),
        ("amount > 3", "amount > 3"),
        ('!test.contains("a")', 'not(contains(test, "a"))'),
    ],
)
def test_the_mechanical_part_of_other_expression_languages_is_translated(text, feel):
    assert feel_text(text) == feel


def test_it_refuses_two_branches_that_write_the_same_variable():
    body = """<startEvent id="s"/><parallelGateway id="g"/>
    <userTask id="a"><extensionElements><nl:output name="sum" value="1"/></extensionElements></userTask>
    <userTask id="b"><extensionElements><nl:output name="sum" value="2"/></extensionElements></userTask>
    <parallelGateway id="j"/><userTask id="z"><extensionElements><nl:output name="sum" value="3"/></extensionElements></userTask>
    <sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="a"/>
    <sequenceFlow id="f2" sourceRef="g" targetRef="b"/><sequenceFlow id="f3" sourceRef="a" targetRef="j"/>
    <sequenceFlow id="f4" sourceRef="b" targetRef="j"/><sequenceFlow id="f5" sourceRef="j" targetRef="z"/>"""

    findings = read(file(body), file="x.bpmn").findings

    assert [(each.rule, each.element) for each in findings] == [("parallel-write", "g")]
    assert findings[0].is_error
    assert "“a”和“b”" in findings[0].message


def _side_by_side(first: str, second: str) -> str:
    """Two nodes between a parallel fork and its join."""
    return f"""<startEvent id="s"/><parallelGateway id="g"/>{first}{second}
    <parallelGateway id="j"/><endEvent id="e"/>
    <sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="a"/>
    <sequenceFlow id="f2" sourceRef="g" targetRef="b"/><sequenceFlow id="f3" sourceRef="a" targetRef="j"/>
    <sequenceFlow id="f4" sourceRef="b" targetRef="j"/><sequenceFlow id="f5" sourceRef="j" targetRef="e"/>"""


def _writes(id: str, name: str) -> str:
    return (
        f'<userTask id="{id}"><extensionElements><nl:task role="r"/>'
        f'<nl:output name="{name}" value="1"/></extensionElements></userTask>'
    )


def _within(id: str, inner: str, declares: str = "") -> str:
    return (
        f'<subProcess id="{id}">{declares}<startEvent id="{id}s"/>{inner}<endEvent id="{id}e"/>'
        f'<sequenceFlow id="{id}1" sourceRef="{id}s" targetRef="{id}i"/>'
        f'<sequenceFlow id="{id}2" sourceRef="{id}i" targetRef="{id}e"/></subProcess>'
    )


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (_writes("a", "sum"), _writes("b", "sum"), True),
        (_writes("a", "sum"), _writes("b", "total"), False),
        (_within("a", _writes("ai", "sum")), _writes("b", "sum"), True),
        (_within("a", _writes("ai", "sum")), _within("b", _writes("bi", "sum")), True),
        (
            _within("a", _writes("ai", "sum"), '<dataObject id="box" name="sum"/>'),
            _writes("b", "sum"),
            False,
        ),
    ],
)
def test_only_what_both_branches_write_outside_themselves_clashes(first, second, refused):
    result = read(file(_side_by_side(first, second)), file="x.bpmn")

    errors = [one.rule for one in result.findings if one.is_error]
    assert errors == (["parallel-write"] if refused else [])


def test_the_loop_attributes_of_other_vendors_mean_the_same():
    head = HEAD.replace("xmlns:nl=", 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:nl=')
    loop = '<userTask id="a"><multiInstanceLoopCharacteristics camunda:collection="${people}" camunda:elementVariable="person"/></userTask>'

    result = read(file(PLAIN.replace('<userTask id="a"/>', loop), head), file="x.bpmn")

    assert result.ok
    loop_ = result.programs[0].node("a").loop
    assert (loop_.collection.text, loop_.item) == ("people", "person")
