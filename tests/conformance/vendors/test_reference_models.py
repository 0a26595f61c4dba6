"""Models with the elements of the interchange working group's reference models, in our own words.

Each opens as a draft without an error, or is refused in words for exactly what is named; each is
drawn, with and without a diagram of its own.
"""

from __future__ import annotations

import itertools

import pytest

from engine.bpmn import read
from engine.bpmn.drawing import draw

HEAD = (
    '<semantic:definitions xmlns:semantic="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:reference">'
)
ROOT = (
    '<message id="m1" name="申请书"/><message id="m2" name="答复"/><signal id="s1" name="汛情"/>'
    '<error id="e1" name="退票" errorCode="R1"/><escalation id="x1" name="超期" escalationCode="E1"/>'
    '<itemDefinition id="i1"/><dataStore id="store" name="台账"/>'
)


def node(tag: str, identity: str, inside: str = "", **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<{tag} id="{identity}" name="{identity}"{more}>{inside}</{tag}>'


def path(*ids: str, inside: str = "") -> str:
    """Flows along these nodes."""
    return "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}">{inside}</sequenceFlow>'
        for a, b in itertools.pairwise(ids)
    )


def guarded(source: str, target: str) -> str:
    condition = (
        '<conditionExpression xsi:type="tFormalExpression">amount &gt; 3</conditionExpression>'
    )
    return path(source, target, inside=condition)


def process(body: str, identity: str = "p") -> str:
    return f'<process id="{identity}" name="流程{identity}" isExecutable="false">{body}</process>'


def document(*parts: str) -> bytes:
    text = ROOT + "".join(parts)
    prefixed = text.replace("</", "\0").replace("<", "<semantic:").replace("\0", "</semantic:")
    prefixed = prefixed.replace('"tFormal', '"semantic:tFormal')
    return f"{HEAD}{prefixed}</semantic:definitions>".encode()


def lanes(*groups: tuple[str, ...]) -> str:
    inside = "".join(
        f'<lane id="lane{number}" name="岗位{number}">'
        + "".join(f"<flowNodeRef>{each}</flowNodeRef>" for each in group)
        + "</lane>"
        for number, group in enumerate(groups)
    )
    return f'<laneSet id="ls">{inside}</laneSet>'


START, END = node("startEvent", "s"), node("endEvent", "e")
TIMER = '<timerEventDefinition id="td"><timeDuration>P1D</timeDuration></timerEventDefinition>'
MESSAGE = '<messageEventDefinition messageRef="m1"/>'
ANSWER = '<messageEventDefinition messageRef="m2"/>'
SIGNAL = '<signalEventDefinition signalRef="s1"/>'
INNER = (
    node("startEvent", "is") + node("task", "it") + node("endEvent", "ie") + path("is", "it", "ie")
)


def around(*nodes: str, ids: tuple[str, ...]) -> str:
    """A start, these nodes one after the other, an end."""
    return START + "".join(nodes) + END + path("s", *ids, "e")


def boundary(definition: str, identity: str, host: str, **more: str) -> str:
    return (
        node("boundaryEvent", identity, definition, attachedToRef=host, **more)
        + node("endEvent", f"{identity}e")
        + path(identity, f"{identity}e")
    )


def pools(*flows: tuple[str, str]) -> str:
    drawn = "".join(
        f'<messageFlow id="mf{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(flows)
    )
    return (
        '<collaboration id="k"><participant id="pool1" name="村" processRef="p"/>'
        '<participant id="pool2" name="乡镇" processRef="q"/>'
        '<participant id="box" name="银行"><participantMultiplicity minimum="0" maximum="3"/></participant>'
        f'{drawn}<textAnnotation id="note"><text>说明</text></textAnnotation></collaboration>'
    )


SECOND = process(
    node("startEvent", "qs", MESSAGE) + node("userTask", "qt")
    + node("endEvent", "qe", ANSWER) + path("qs", "qt", "qe"),
    "q",
)  # fmt: skip
ADD_ON = (
    '<textAnnotation id="ta"><text>注</text></textAnnotation><group id="gr"/>'
    '<association id="as" sourceRef="t" targetRef="ta"/><dataObject id="do" name="名册" isCollection="true"/>'
    '<dataObjectReference id="dor" name="名册" dataObjectRef="do"/>'
    '<dataStoreReference id="dsr" name="台账" dataStoreRef="store"/>'
)

OPENED = {
    "A.1.0 tasks in a row": document(process(around(*[node("task", f"t{n}") for n in range(3)], ids=("t0", "t1", "t2")))),
    "A.2.0 choices and several ends": document(process(
        START + node("exclusiveGateway", "g", default="g-b") + node("task", "a") + node("task", "b")
        + node("exclusiveGateway", "j") + END + node("endEvent", "e2") + node("parallelGateway", "f")
        + node("task", "c") + path("s", "g", "b", "j", "e") + guarded("g", "a") + path("a", "f", "j")
        + path("f", "c", "e2"))),
    "A.3.0 a subprocess with an exception": document(process(
        around(node("subProcess", "u", INNER), ids=("u",)) + boundary(TIMER, "b", "u")
        + boundary('<escalationEventDefinition escalationRef="x1"/>', "b2", "u", cancelActivity="false"))),
    "A.4.0 pools, lanes and messages": document(
        pools(("t", "qs"), ("qe", "w"), ("t", "box"), ("box", "pool2")),
        process(lanes(("s", "t"), ("w", "e")) + around(
            node("sendTask", "t", messageRef="m1"), node("intermediateCatchEvent", "w", ANSWER), ids=("t", "w"))),
        SECOND),
    "A.4.1 lanes in lanes": document(process(
        '<laneSet id="ls"><lane id="l1" name="县"><childLaneSet id="c"><lane id="l2" name="股室">'
        "<flowNodeRef>t</flowNodeRef></lane></childLaneSet></lane></laneSet>"
        + around(node("userTask", "t"), ids=("t",)))),
    "B.1.0 kinds of tasks": document(process(
        around(node("manualTask", "t"), node("userTask", "u"), node("callActivity", "v", calledElement="q"),
               node("receiveTask", "w", messageRef="m1"), ids=("t", "u", "v", "w")) + ADD_ON)),
    "B.2.0 events in the flow": document(process(
        around(node("intermediateCatchEvent", "a", MESSAGE), node("intermediateThrowEvent", "b", SIGNAL),
               node("intermediateCatchEvent", "c", TIMER), node("intermediateThrowEvent", "f"),
               node("intermediateThrowEvent", "g", '<escalationEventDefinition escalationRef="x1"/>'),
               node("intermediateCatchEvent", "h", SIGNAL + ANSWER),
               node("intermediateCatchEvent", "i", SIGNAL + ANSWER, parallelMultiple="true"),
               ids=("a", "b", "c", "f", "g", "h", "i")))),
    "B.2.0 links": document(process(
        START + node("intermediateThrowEvent", "a", '<linkEventDefinition name="续"/>') + path("s", "a")
        + node("intermediateCatchEvent", "b", '<linkEventDefinition name="续"/>') + END + path("b", "e"))),
    "B.2.0 ends": document(process(
        START + node("parallelGateway", "g") + path("s", "g") + "".join(
            node("endEvent", f"z{number}", inside) + path("g", f"z{number}")
            for number, inside in enumerate(
                ["", ANSWER, SIGNAL, '<errorEventDefinition errorRef="e1"/>', "<terminateEventDefinition/>",
                 '<escalationEventDefinition escalationRef="x1"/>', SIGNAL + ANSWER])))),
    "B.2.0 starts": document(process(
        "".join(node("startEvent", f"y{number}", inside) + path(f"y{number}", "t")
                for number, inside in enumerate([
                    "", MESSAGE, TIMER, SIGNAL, MESSAGE + SIGNAL,
                    "<conditionalEventDefinition><condition>x = 1</condition></conditionalEventDefinition>"]))
        + node("task", "t") + END + path("t", "e"))),
    "B.2.0 boundary events": document(process(
        around(node("subProcess", "u", INNER), ids=("u",)) + boundary(MESSAGE, "b1", "u")
        + boundary(SIGNAL, "b2", "u", cancelActivity="false") + boundary('<errorEventDefinition errorRef="e1"/>', "b3", "u")
        + boundary(SIGNAL + ANSWER, "b4", "u")
        + boundary("<conditionalEventDefinition><condition>x = 1</condition></conditionalEventDefinition>", "b5", "u"))),
    "B.2.0 event subprocesses": document(process(
        around(node("task", "t"), ids=("t",)) + node(
            "subProcess", "u", node("startEvent", "us", SIGNAL, isInterrupting="false") + node("task", "ut")
            + node("endEvent", "ue") + path("us", "ut", "ue"), triggeredByEvent="true")
        + node("subProcess", "v", node("startEvent", "vs", '<errorEventDefinition errorRef="e1"/>')
               + node("endEvent", "ve") + path("vs", "ve"), triggeredByEvent="true"))),
    "B.2.0 gateways": document(process(
        START + node("inclusiveGateway", "g", default="g-b") + node("task", "a") + node("task", "b")
        + node("inclusiveGateway", "j") + node("eventBasedGateway", "v") + node("intermediateCatchEvent", "c", MESSAGE)
        + node("intermediateCatchEvent", "d1", TIMER) + node("exclusiveGateway", "x") + END
        + path("s", "g", "b", "j", "v", "c", "x", "e") + guarded("g", "a") + path("a", "j") + path("v", "d1", "x"))),
    "B.2.0 conditions out of a task": document(process(
        START + node("task", "t", default="t-b") + node("task", "a") + node("task", "b") + END + node("endEvent", "e2")
        + path("s", "t", "b", "e") + guarded("t", "a") + path("a", "e2"))),
    "B.2.0 loops": document(process(around(
        node("task", "a", '<standardLoopCharacteristics loopMaximum="3"/>'),
        node("task", "b", "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>"
             "</multiInstanceLoopCharacteristics>"),
        node("task", "c", '<multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>3'
             "</loopCardinality></multiInstanceLoopCharacteristics>"), ids=("a", "b", "c")))),
    "B.2.0 ad hoc": document(process(around(
        node("adHocSubProcess", "u", node("task", "x") + node("task", "y")), ids=("u",)))),
    "B.2.0 compensation": document(process(
        around(node("task", "t"), node("intermediateThrowEvent", "w", '<compensateEventDefinition activityRef="t"/>'),
               ids=("t", "w"))
        + node("boundaryEvent", "b", "<compensateEventDefinition/>", attachedToRef="t")
        + node("task", "undo", isForCompensation="true") + '<association id="ac" sourceRef="b" targetRef="undo"/>')),
    "B.2.0 transaction": document(process(
        around(node("transaction", "u", node("startEvent", "is") + node("endEvent", "ie", "<cancelEventDefinition/>")
                    + path("is", "ie")), ids=("u",)) + boundary("<cancelEventDefinition/>", "b", "u"))),
    "C.1.0 an invoice": document(pools(("box", "s")), process(
        lanes(("s", "t", "g", "u", "e")) + node("startEvent", "s", MESSAGE) + node("userTask", "t")
        + node("exclusiveGateway", "g", default="g-e") + node("userTask", "u") + END + path("s", "t", "g", "e")
        + guarded("g", "u") + path("u", "t")), SECOND),
    "C.5.0 a black box and an empty process": document(
        pools(("t", "box")), process(around(node("task", "t"), ids=("t",))), '<process id="q" name="q"/>'),
    "C.9.0 notes, groups and stores": document(process(around(node("task", "t"), ids=("t",)) + ADD_ON)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPENED)
def test_it_opens_as_a_draft_and_is_drawn(name):
    found = read(OPENED[name], file="x.bpmn")

    assert [each.message for each in found.findings if each.is_error] == []
    assert "not-executable" in {each.rule for each in found.findings}
    assert all(each.line for each in found.findings)
    assert 'data-id="' in draw(OPENED[name])


REFUSED = {
    "a rule nobody named": (node("businessRuleTask", "t"), "missing-decision"),
    "a service nobody named": (node("serviceTask", "t"), "missing-operation"),
    "a script without text": (node("scriptTask", "t"), "empty-script"),
    "a message nobody named": (node("receiveTask", "t"), "missing-message"),
    "a called process nobody named": (node("callActivity", "t"), "missing-called"),
    "multiple without a number": (
        node("task", "t", "<multiInstanceLoopCharacteristics/>"), "multi-instance"),
    "a loop without an end": (node("task", "t", "<standardLoopCharacteristics/>"), "endless-loop"),
    "an empty ad-hoc subprocess": (node("adHocSubProcess", "t"), "ad-hoc"),
    "a timer without a time": (
        node("intermediateCatchEvent", "t", "<timerEventDefinition/>"), "timer"),
    "data of a task": (
        node("task", "t", '<ioSpecification><dataInput id="di"/><inputSet/><outputSet/></ioSpecification>'),
        "io-specification"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_drawing_leaves_open_is_refused_in_words_and_still_drawn(name):
    body, rule = REFUSED[name]
    xml = document(process(around(body, ids=("t",))))

    found = [each for each in read(xml, file="x.bpmn").findings if each.is_error]

    assert {each.rule for each in found} == {rule}
    assert all(
        (each.line and each.element == "t") or each.rule == "io-specification" for each in found
    )
    assert 'data-id="t"' in draw(xml)
