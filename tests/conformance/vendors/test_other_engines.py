"""What files ask of the engine they were drawn for: read where it means the same, told, or refused.

A refusal names the thing, the element and what to write instead.
"""

from __future__ import annotations

import pytest

from engine.bpmn import read
from engine.bpmn.expressions import feel_text
from engine.decision import feel
from engine.testing import Bench

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:drools="http://www.jboss.org/drools"'
    ' xmlns:nl="urn:nuanliu:bpmn:1" targetNamespace="urn:x" id="d">'
)


def line(node: str, more: str = "", root: str = "") -> bytes:
    """A start, the node `a`, an end."""
    return (
        f'{HEAD}{root}<process id="p" isExecutable="true" {more}><startEvent id="s"/>{node}'
        '<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
        '<sequenceFlow id="f2" sourceRef="a" targetRef="e"/></process></definitions>'
    ).encode()


def task(tag: str = "userTask", attributes: str = "", extension: str = "", inside: str = "") -> str:
    return (
        f'<{tag} id="a" name="事" {attributes}><extensionElements>{extension}</extensionElements>'
        f"{inside}</{tag}>"
    )


def choice(condition: str, attributes: str = "") -> bytes:
    return (
        f'{HEAD}<process id="p" isExecutable="true"><startEvent id="s"/>'
        '<exclusiveGateway id="g" default="f3"/><userTask id="a"/><endEvent id="e"/>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="g"/>'
        '<sequenceFlow id="f2" sourceRef="g" targetRef="a">'
        f'<conditionExpression xsi:type="tFormalExpression" {attributes}><![CDATA[{condition}]]>'
        '</conditionExpression></sequenceFlow><sequenceFlow id="f3" sourceRef="g" targetRef="e"/>'
        '<sequenceFlow id="f4" sourceRef="a" targetRef="e"/></process></definitions>'
    ).encode()


REFUSED = {
    "a Java class": (line(task("serviceTask", 'camunda:class="com.x.Pay"')), "nl:operation"),
    "a delegate": (line(task("serviceTask", 'flowable:delegateExpression="${bean}"')), "nl:operation"),
    "a method": (line(task("serviceTask", 'camunda:expression="${bean.pay()}"')), "nl:operation"),
    "an external worker": (
        line(task("serviceTask", 'camunda:type="external" camunda:topic="pay"')), "nl:operation"),
    "a mail task": (line(task("serviceTask", 'flowable:type="mail"')), "nl:operation"),
    "a job worker": (
        line(task("serviceTask", extension='<zeebe:taskDefinition type="pay"/>')),
        '<nl:operation name="pay"/>'),
    "a work item handler": (line(task("serviceTask", 'drools:taskName="Email"')), "nl:operation"),
    "a message sent by a Java class": (
        line('<intermediateThrowEvent id="a"><messageEventDefinition messageRef="m" camunda:class="x.Y"/>'
             "</intermediateThrowEvent>", root='<message id="m" name="m"/>'), "nl:operation"),
    "an execution listener": (
        line(task(extension='<camunda:executionListener class="x" event="start"/>')), "监听器"),
    "a listener of a flow": (
        line(task()).replace(b'targetRef="e"/>', b'targetRef="e"><extensionElements><camunda:executionListener '
                             b'class="x" event="take"/></extensionElements></sequenceFlow>'), "监听器"),
    "a listener of the process": (
        line("<extensionElements><camunda:executionListener class='x' event='end'/></extensionElements>"
             + task()), "监听器"),
    "a task listener": (line(task(extension='<camunda:taskListener event="create" class="x"/>')), "监听器"),
    "a connector": (line(task("serviceTask", extension="<camunda:connector/>")), "连接器"),
    "a script on entry": (line(task(extension="<drools:onEntry-script/>")), "脚本任务"),
    "skipping": (line(task(attributes='flowable:skipExpression="${x}"')), "排他网关"),
    "mapped data": (
        line(task(extension='<camunda:inputOutput><camunda:inputParameter name="x">${y}</camunda:inputParameter>'
                  "</camunda:inputOutput>")), '<nl:input name="x" value="${y}"/>'),
    "data of a call": (
        line(task("callActivity", 'calledElement="q"', '<camunda:in variables="all"/>')), "nl:input"),
    "a call by expression": (line(task("callActivity", 'calledElement="${which}"')), "固定的流程 id"),
    "a case": (line(task("callActivity", 'calledElement="q" camunda:caseRef="c"')), "CMMN"),
    "a decision whose result has another form": (
        line(task("businessRuleTask", 'camunda:decisionRef="amount" camunda:resultVariable="r"')),
        '<nl:decision ref="amount" result="r"/>'),
    "a message by expression": (
        line('<intermediateCatchEvent id="a"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>',
             root='<message id="m" name="m-${x}"/>'), "固定的名称"),
    "a groovy script": (
        line(task("scriptTask", 'scriptFormat="groovy"',
                  inside='<script>execution.setVariable("x", a + 1)</script>')), "{x: a + 1}"),
    "a script in JavaScript": (
        line(task("scriptTask", 'scriptFormat="javascript"', inside="<script>var y = a === 2 ? 'p' : 'q';</script>")),
        '{y: if a = 2 then "p" else "q"}'),
    "a script that does more": (
        line(task("scriptTask", 'scriptFormat="groovy"', inside="<script>for (i in 1..3) print(i)</script>")),
        "只能用 FEEL 赋值"),
    "a method of a bean": (choice("${bean.check(execution)}"), "bean.check"),
    "the execution": (choice("${execution.processInstanceId == 'x'}"), "execution"),
    "a remainder": (choice("${n % 2 == 0}"), "modulo"),
    "a condition in Java": (choice('amount == 3 && status.equals("open")'), 'amount = 3 and status = "open"'),
    "a condition in groovy": (choice("amount != 3", 'language="groovy"'), "amount"),
    "a condition in XPath": (choice("bpmn:getDataObject('x')", 'language="http://www.w3.org/1999/XPath"'), "XPath"),
    "a cron": (
        line('<intermediateCatchEvent id="a"><timerEventDefinition><timeCycle>0 0/5 * * * ?</timeCycle>'
             "</timerEventDefinition></intermediateCatchEvent>"), "R"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_the_other_engine_could_do_is_refused_with_what_to_write_instead(name):
    xml, words = REFUSED[name]

    found = [each for each in read(xml, file="x.bpmn").findings if each.is_error]

    assert any(words in each.message for each in found), [each.message for each in found]
    assert all(each.line and each.element for each in found)


TOLD = {
    "candidate users": 'camunda:candidateUsers="kermit"',
    "several groups": 'camunda:candidateGroups="a,b"',
    "a starter's name": 'camunda:assignee="${initiator}"',
    "a page of another web application": 'camunda:formKey="embedded:app:forms/x.html"',
    "a priority out of range": 'camunda:priority="500"',
    "a follow-up date": 'camunda:followUpDate="P1D"',
}


@pytest.mark.parametrize("name", TOLD)
def test_what_it_leaves_out_it_tells(name):
    found = read(line(task(attributes=TOLD[name])), file="x.bpmn").findings

    assert [each.rule for each in found] == ["foreign-extension"]
    assert not found[0].is_error
    assert "被忽略" in found[0].message


def test_it_reads_what_means_the_same_at_a_task():
    attributes = (
        'camunda:assignee="${clerk}" camunda:candidateGroups="village_clerk"'
        ' camunda:formKey="review" camunda:dueDate="P3D" camunda:priority="70"'
    )

    (program,) = read(line(task(attributes=attributes)), file="x.bpmn").programs

    found = program.node("a").task
    assert (found.role, found.form, found.deadline, found.priority) == (
        "village_clerk",
        "review",
        "P3D",
        70,
    )
    assert found.owner.text == "clerk"


def test_its_own_words_win():
    extension = '<nl:task role="town_clerk"/>'

    (program,) = read(
        line(task(attributes='camunda:candidateGroups="a"', extension=extension)), file="x.bpmn"
    ).programs

    assert program.node("a").task.role == "town_clerk"


def test_it_runs_the_words_of_the_other_engine_that_mean_the_same():
    script = '<zeebe:script expression="=items[item &gt; 1]" resultVariable="chosen"/>'
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics"
        ' inputCollection="=chosen" inputElement="one" outputCollection="doubled" outputElement="=one * 2"/>'
        "</extensionElements></multiInstanceLoopCharacteristics>"
    )
    mapping = (
        '<zeebe:ioMapping><zeebe:output source="=doubled[1]" target="first"/></zeebe:ioMapping>'
    )
    xml = line(
        task("scriptTask", extension=script)
        + f'<userTask id="b">{loop}</userTask><userTask id="c"><extensionElements>{mapping}'
        "</extensionElements></userTask>"
    )
    xml = xml.replace(
        b'<sequenceFlow id="f2" sourceRef="a" targetRef="e"/>',
        b'<sequenceFlow id="f2" sourceRef="a" targetRef="b"/><sequenceFlow id="f3" sourceRef="b"'
        b' targetRef="c"/><sequenceFlow id="f4" sourceRef="c" targetRef="e"/>',
    )
    case = Bench.from_bpmn(xml).start("p", {"items": [1, 2, 3]})

    assert case.waiting_at() == ["b", "b"]
    case.complete("b")
    case.complete("b")
    case.complete("c", {"noise": 1})

    assert case.variables["first"] == 4
    assert "noise" not in case.variables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${amount > 3 && status == 'open'}", 'amount > 3 and status = "open"'),
        ("#{!x}", "not(x)"),
        ("${!(a || b)}", "not(a or b)"),
        ("${x.y.z}", "x.y.z"),
        ("${x['y'] lt 3 and z ne null}", "x.y < 3 and z != null"),
        ("${list[0]}", "list[1]"),
        ("${a ? b : c}", "if a then b else c"),
        ("${a ? b : c ? d : e}", "if a then b else if c then d else e"),
        ("${a - b - (c - d)}", "a - b - (c - d)"),
        ("${(a + b) * -c}", "(a + b) * -c"),
        ("${test.contains('a')}", 'contains(test, "a")'),
        ('${!name.startsWith("x")}', 'not(starts with(name, "x"))'),
        ("${name.toLowerCase().endsWith('z')}", 'ends with(lower case(name), "z")'),
        ("${name.equals('x') || items.size() == 2}", 'name = "x" or count(items) = 2'),
        ("${nrOfCompletedInstances / nrOfInstances >= 0.6}", "nrOfCompletedInstances / nrOfInstances >= 0.6"),
        ("${execution.getVariable('x') == true}", "x = true"),
        ("PT${hours}H", '"PT" + string(hours) + "H"'),
        ("${loopCounter == 0}", "loopCounter - 1 = 0"),
        ("${'it''s'}", "${'it''s'}"),
        ("${now()}", "now()"),
    ],
)  # fmt: skip
def test_what_is_mechanical_is_translated(text, expected):
    assert feel_text(text) == expected


@pytest.mark.parametrize(
    ("value", "is_empty"), [(None, True), ("", True), ([], True), ("x", False), ([0], False)]
)
def test_empty_is_what_it_is_there(value, is_empty):
    assert feel.evaluate(feel_text("${empty x}"), {"x": value}) is is_empty
    assert feel.evaluate(feel_text("${not empty x}"), {"x": value}) is not is_empty


def test_a_text_in_feel_may_hold_the_sign_of_another_language():
    script = '<nl:assign name="x" value="&quot;${y}&quot;"/>'

    case = Bench.from_bpmn(line(task("scriptTask", extension=script))).start("p", {"y": 3})

    assert case.variables["x"] == "${y}"


FORMATS = {
    "XPDL": (b'<Package xmlns="http://www.wfmc.org/2008/XPDL2.1" Id="x"/>', "XPDL"),
    "BPMN 1": (b'<x:BpmnDiagram xmlns:x="http://www.omg.org/BPMN/1.1"/>', "BPMN 1.x"),
    "BPMN 2 beta": (b'<definitions xmlns="http://schema.omg.org/spec/BPMN/2.0"/>', "Beta"),
    "BPEL": (
        b'<process xmlns="http://docs.oasis-open.org/wsbpel/2.0/process/executable"/>',
        "BPEL",
    ),
    "jPDL": (b'<process-definition name="x"/>', "jPDL"),
    "draw.io": (b"<mxfile/>", "draw.io"),
    "ARIS": (b"<AML/>", "ARIS"),
    "ADONIS": (b"<ADOXML/>", "ADONIS"),
    "EPC": (b"<epml/>", "EPML"),
    "a net": (b"<pnml/>", "PNML"),
    "Visio": (b'<VisioDocument xmlns="http://schemas.microsoft.com/visio/2003/core"/>', "Visio"),
    "a packed Visio": (b"PK\x03\x04" + bytes(40), "vsdx"),
    "Signavio's JSON": (b'{"resourceId": "canvas"}', "JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(20), "图片"),
    "a vector picture": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "a decision": (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "DMN"),
    "no namespace": (b"<definitions/>", "命名空间"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_kind_is_refused_by_its_name(name):
    xml, words = FORMATS[name]

    (found,) = read(xml, file="x.bpmn").findings

    assert found.is_error
    assert words in found.message
