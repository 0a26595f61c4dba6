"""One broken constraint of BPMN 2.0.2 a row: each is refused, with the rule, element and line.

The sound model beside every broken one is read without an error, so that it is the constraint
and nothing else that refuses the file.
"""

from __future__ import annotations

import pytest

from engine.bpmn import read
from tests.bad_input.model_parts import (
    AD_HOC,
    ALTERNATIVES,
    FEEL_TRUE,
    FORMAL,
    INNER,
    LINKS,
    MESSAGE,
    PLAIN,
    RECEIVE,
    SIGNAL,
    TIMER,
    TRANSACTION,
    UNDO,
    boundary,
    catch,
    document,
    end,
    event_sub,
    flow,
    gateway,
    line,
    message_flow,
    start,
    sub,
    task,
    throw,
    two_pools,
    waiting,
)

#: what each row breaks
SOUND: dict[str, bytes] = {
    "plain": document(PLAIN),
    "subprocess": document(line(sub(INNER))),
    "event subprocess": document(PLAIN + event_sub(SIGNAL)),
    "exclusive": document(gateway("exclusiveGateway", 'default="g_c"', out=(FEEL_TRUE, ""))),
    "parallel": document(gateway("parallelGateway")),
    "waiting": document(ALTERNATIVES),
    "links": document(LINKS),
    "compensation": document(PLAIN + UNDO),
    "transaction": document(TRANSACTION),
    "ad hoc": document(AD_HOC),
    "pools": document(PLAIN, two_pools(message_flow("a", "qs"))),
    "boundary": document(PLAIN + boundary(TIMER)),
    "loop": document(
        line(
            task(
                inside=f"<multiInstanceLoopCharacteristics><loopCardinality {FORMAL}>3"
                "</loopCardinality></multiInstanceLoopCharacteristics>"
            )
        )
    ),
    "data": document(
        PLAIN
        + '<dataObject id="o" itemSubjectRef="text"/><dataObjectReference id="or" dataObjectRef="o"/>'
        '<property id="pr" itemSubjectRef="tns:text"/>'.replace("<property", "<dataStoreReference")
    ),
    "collaboration": document(
        PLAIN, two_pools("", '<participantMultiplicity minimum="0" maximum="1"/>')
    ),
}

BROKEN: dict[str, tuple[bytes, str]] = {
    # flows
    "a flow to an artifact": (
        document(PLAIN + '<textAnnotation id="t"/>' + flow("a", "t")), "flow-end"),
    "a flow from an artifact": (document(PLAIN + '<group id="t"/>' + flow("t", "a")), "flow-end"),
    "a flow to a data object": (document(PLAIN + '<dataObject id="o"/>' + flow("a", "o")), "flow-end"),
    "a flow out of its pool": (document(PLAIN + flow("a", "qa"), two_pools("")), "flow-end"),
    "a flow into a subprocess": (
        document(line(sub(INNER)) + task("z") + flow("s", "z") + flow("z", "ia")), "crossing-flow"),
    "a flow out of a subprocess": (document(line(sub(INNER + flow("ia", "e")))), "crossing-flow"),
    "a flow to an event subprocess": (
        document(PLAIN + event_sub(SIGNAL) + flow("a", "esp")), "event-sub-process"),
    "a flow from an event subprocess": (
        document(PLAIN + event_sub(SIGNAL) + flow("esp", "e")), "event-sub-process"),
    "a flow that is not immediate": (
        document(start() + task() + end() + flow("s", "a", more='isImmediate="false"') + flow("a", "e")),
        "not-immediate"),
    "a lonely conditional flow": (
        document(start() + task() + end() + flow("s", "a") + flow("a", "e", FEEL_TRUE)),
        "lonely-condition"),
    "a condition out of an event": (
        document(start() + task() + end() + flow("s", "a", FEEL_TRUE) + flow("a", "e")),
        "misplaced-condition"),
    "a condition out of a parallel gateway": (
        document(gateway("parallelGateway", out=(FEEL_TRUE, ""))), "misplaced-condition"),
    "a condition out of an event gateway": (
        document(ALTERNATIVES.replace(flow("g", "a"), flow("g", "a", FEEL_TRUE))), "misplaced-condition"),
    "a default flow of somebody else": (
        document(line(task(more='default="s_a"'))), "default-flow"),
    "a default flow that is none": (document(line(task(more='default="m"'))), "default-flow"),
    "a default flow with a condition": (
        document(gateway("exclusiveGateway", 'default="g_c"', out=(FEEL_TRUE, FEEL_TRUE))), "default-flow"),
    "an outgoing that is not there": (document(line(task(inside="<outgoing>nothing</outgoing>"))), "flow-reference"),
    "an incoming of another node": (document(line(task(inside="<incoming>a_e</incoming>"))), "flow-reference"),
    "flows that the others list": (
        document(
            start("<outgoing>s_a</outgoing>")
            + task(inside="<incoming>s_a</incoming><outgoing>a_e</outgoing>")
            + end() + flow("s", "a") + flow("a", "e")
        ), "flow-reference"),
    "an empty formal condition": (
        document(gateway("exclusiveGateway", 'default="g_c"',
                         out=(f"<conditionExpression {FORMAL}/>", ""))), "empty-expression"),
    "a condition in words": (
        document(gateway("exclusiveGateway", 'default="g_c"',
                         out=("<conditionExpression>if all is well</conditionExpression>", ""))),
        "feel-syntax"),
    "a condition that is a number": (
        document(gateway("exclusiveGateway", 'default="g_c"',
                         out=(f"<conditionExpression {FORMAL}>23</conditionExpression>", ""))),
        "not-a-condition"),
    # start and end
    "an end without a start": (document(task() + end() + flow("a", "e")), "missing-start"),
    "a start nothing leaves": (document(start() + task()), "no-outgoing"),
    "a start that is entered": (document(PLAIN + flow("a", "s")), "start-incoming"),
    "an end that is left": (document(PLAIN + flow("e", "a")), "end-outgoing"),
    "an end nothing reaches": (document(PLAIN + end(identity="e2")), "no-incoming"),
    "a task nothing reaches": (document(PLAIN + task("z") + flow("z", "e")), "no-incoming"),
    "a task nothing leaves": (document(PLAIN + task("z") + flow("a", "z")), "no-outgoing"),
    **{
        f"a start by {word}": (document(PLAIN.replace(start(), start(inside))), "event-type")
        for word, inside in {
            "error": '<errorEventDefinition errorRef="err"/>',
            "escalation": '<escalationEventDefinition escalationRef="esc"/>',
            "cancel": "<cancelEventDefinition/>",
            "compensation": "<compensateEventDefinition/>",
            "link": '<linkEventDefinition name="L"/>',
            "terminate": "<terminateEventDefinition/>",
        }.items()
    },
    "a subprocess that waits to start": (
        document(line(sub(INNER.replace(start(identity="is"), start(MESSAGE, "is"))))), "event-type"),
    "a called process that cannot be called": (
        document(line(task(tag="callActivity", more='calledElement="q"')), two_pools("")), "called-start"),
    "a called message": (
        document(line(task(tag="callActivity", more='calledElement="m"'))), "called"),
    "an end that throws a timer": (document(PLAIN.replace(end(), end(TIMER))), "event-type"),
    "an end that is a link": (
        document(PLAIN.replace(end(), end('<linkEventDefinition name="L"/>'))), "event-type"),
    "an end of an error without a code": (
        document(PLAIN.replace(end(), end('<errorEventDefinition errorRef="bare_err"/>'))), "missing-code"),
    "an end of no error": (document(PLAIN.replace(end(), end("<errorEventDefinition/>"))), "missing-code"),
    "an end of an escalation without a code": (
        document(PLAIN.replace(end(), end('<escalationEventDefinition escalationRef="bare_esc"/>'))),
        "missing-code"),
    "a thrown escalation without a code": (
        document(line(throw('<escalationEventDefinition escalationRef="bare_esc"/>'))), "missing-code"),
    "a cancel end outside a transaction": (
        document(PLAIN.replace(end(), end("<cancelEventDefinition/>"))), "cancel"),
    # intermediate events
    **{
        f"catching {word}": (document(line(catch(inside))), "event-type")
        for word, inside in {
            "nothing": "",
            "cancel": "<cancelEventDefinition/>",
            "compensation": "<compensateEventDefinition/>",
            "error": '<errorEventDefinition errorRef="err"/>',
            "escalation": '<escalationEventDefinition escalationRef="esc"/>',
            "terminate": "<terminateEventDefinition/>",
        }.items()
    },
    **{
        f"throwing {word}": (document(line(throw(inside))), "event-type")
        for word, inside in {
            "cancel": "<cancelEventDefinition/>",
            "a condition": f"<conditionalEventDefinition><condition {FORMAL}>x = 1</condition>"
            "</conditionalEventDefinition>",
            "an error": '<errorEventDefinition errorRef="err"/>',
            "terminate": "<terminateEventDefinition/>",
            "a timer": TIMER,
        }.items()
    },
    "a catch nothing reaches": (document(PLAIN + catch(TIMER, "z") + flow("z", "e")), "no-incoming"),
    "a catch nothing leaves": (document(PLAIN + catch(TIMER, "z") + flow("a", "z")), "no-outgoing"),
    "a throw nothing reaches": (document(PLAIN + throw(SIGNAL, "z") + flow("z", "e")), "no-incoming"),
    "a message nobody named": (document(line(catch("<messageEventDefinition/>"))), "missing-reference"),
    "a signal nobody named": (document(line(throw("<signalEventDefinition/>"))), "missing-reference"),
    "a message that is a signal": (
        document(line(catch('<messageEventDefinition messageRef="sig"/>'))), "unknown-reference"),
    "no time": (document(line(catch("<timerEventDefinition/>"))), "timer"),
    "two times": (
        document(line(catch(TIMER.replace("</timer", "<timeDate>2026-01-04T09:00:00+08:00</timeDate></timer")))), "timer"),
    **{
        f"an invalid {word}": (
            document(line(catch(f"<timerEventDefinition><{word}>INVALID</{word}></timerEventDefinition>"))),
            "timer")
        for word in ("timeDate", "timeDuration", "timeCycle")
    },
    "a condition event without a condition": (
        document(line(catch("<conditionalEventDefinition/>"))), "missing-condition"),
    "a condition event with an empty condition": (
        document(line(catch("<conditionalEventDefinition><condition/></conditionalEventDefinition>"))),
        "empty-expression"),
    "a link without a target": (
        document(LINKS.replace('id="c" ><linkEventDefinition name="L"', 'id="c" ><linkEventDefinition name="M"')), "link"),
    "a link with two targets": (
        document(LINKS + catch('<linkEventDefinition name="L"/>', "c2") + flow("c2", "e")), "link"),
    "a link target that is entered": (document(LINKS + flow("s", "c")), "link"),
    "a link source that is left": (document(LINKS + flow("a", "e")), "link"),
    "a link out of its level": (
        document(start() + sub(INNER + throw('<linkEventDefinition name="L"/>', "it") + flow("ia", "it"))
                 + catch('<linkEventDefinition name="L"/>', "c") + end()
                 + flow("s", "a") + flow("a", "e") + flow("c", "e")), "link"),
    "an event definition nobody wrote": (
        document(line(catch("<eventDefinitionRef>nothing</eventDefinitionRef>"))), "unknown-reference"),
    "an event definition of another event": (
        document(line(catch(SIGNAL.replace("<signalEvent", "<signalEvent").replace("/>", ' id="def"/>'))) + boundary(
            "<eventDefinitionRef>def</eventDefinitionRef>", host="z") + task("z") + flow("s", "z") + flow("z", "e")),
        "unknown-reference"),
    # boundary events
    "a boundary that is entered": (document(PLAIN + boundary(TIMER) + flow("s", "b")), "boundary-flow"),
    "a boundary nothing leaves": (document(PLAIN + boundary(TIMER, out="")), "boundary-flow"),
    "a boundary of a gateway": (
        document(gateway("parallelGateway") + boundary(TIMER, host="g")), "attached-to"),
    "a boundary of nothing": (document(PLAIN + boundary(TIMER, host="")), "attached-to"),
    "a boundary of an activity inside": (
        document(line(sub(INNER)) + boundary(TIMER, host="ia")), "attached-to"),
    **{
        f"a boundary of {word}": (document(PLAIN + boundary(inside)), "event-type")
        for word, inside in {
            "no event": "",
            "terminate": "<terminateEventDefinition/>",
            "link": '<linkEventDefinition name="L"/>',
        }.items()
    },
    **{
        f"a boundary of {word} that does not interrupt": (
            document(line(sub(INNER, tag="transaction")) + boundary(inside, more='cancelActivity="false"')),
            "interrupting")
        for word, inside in {
            "error": '<errorEventDefinition errorRef="err"/>',
            "cancel": "<cancelEventDefinition/>",
        }.items()
    },
    "a cancel boundary of a task": (document(PLAIN + boundary("<cancelEventDefinition/>")), "cancel"),
    "a cancel boundary of a subprocess": (
        document(line(sub(INNER)) + boundary("<cancelEventDefinition/>")), "cancel"),
    # compensation
    "compensation by a flow": (
        document(PLAIN + boundary("<compensateEventDefinition/>")), "compensation"),
    "compensation by nobody": (
        document(PLAIN + boundary("<compensateEventDefinition/>", out="")), "compensation"),
    "compensation by a plain task": (
        document(PLAIN + UNDO.replace(' isForCompensation="true"', "")), "compensation"),
    "compensation by two": (
        document(PLAIN + UNDO + '<task id="u2" isForCompensation="true"/>'
                 '<association id="as2" sourceRef="b" targetRef="u2"/>'), "compensation"),
    "a compensation activity that is entered": (document(PLAIN + UNDO + flow("a", "undo")), "compensation"),
    "a compensation activity that is left": (document(PLAIN + UNDO + flow("undo", "e")), "compensation"),
    "a compensation activity of nobody": (
        document(PLAIN + '<task id="undo" isForCompensation="true"/>'), "compensation"),
    "compensating nothing": (
        document(line(throw('<compensateEventDefinition activityRef="s"/>'))), "compensation"),
    "compensating inside": (
        document(start() + sub(INNER) + throw('<compensateEventDefinition activityRef="ia"/>', "t") + end()
                 + flow("s", "a") + flow("a", "t") + flow("t", "e")), "compensation"),
    "a compensation event subprocess of a process": (
        document(PLAIN + event_sub("<compensateEventDefinition/>")), "compensation"),
    # event subprocesses
    "an event subprocess without a start": (
        document(PLAIN + task("esp", task("x"), "subProcess", 'triggeredByEvent="true"')), "event-sub-process"),
    "an event subprocess with two starts": (
        document(PLAIN + task("esp", start(SIGNAL, "x") + start(MESSAGE, "y") + end(identity="z")
                              + flow("x", "z") + flow("y", "z"), "subProcess", 'triggeredByEvent="true"')),
        "event-sub-process"),
    **{
        f"an event subprocess by {word}": (document(PLAIN + event_sub(inside)), "event-type")
        for word, inside in {
            "nothing": "",
            "link": '<linkEventDefinition name="L"/>',
            "cancel": "<cancelEventDefinition/>",
            "terminate": "<terminateEventDefinition/>",
        }.items()
    },
    "an event subprocess by error that does not interrupt": (
        document(PLAIN + event_sub('<errorEventDefinition errorRef="err"/>', 'isInterrupting="false"')),
        "interrupting"),
    # gateways
    "a converging gateway that splits": (
        document(gateway("parallelGateway", 'gatewayDirection="Converging"')), "gateway-direction"),
    "a diverging gateway that joins": (
        document(gateway("parallelGateway", 'gatewayDirection="Diverging"') + flow("a", "g")), "gateway-direction"),
    "a mixed gateway that only splits": (
        document(gateway("exclusiveGateway", 'gatewayDirection="Mixed" default="g_c"', out=(FEEL_TRUE, ""))),
        "gateway-direction"),
    "a direction there is not": (
        document(gateway("parallelGateway", 'gatewayDirection="Sideways"')), "bad-value"),
    "a gateway without flows": (document(PLAIN + '<parallelGateway id="g"/>'), "loose-gateway"),
    "an event gateway with one way": (
        document(start() + '<eventBasedGateway id="g"/>' + catch(TIMER) + end() + flow("s", "g")
                 + flow("g", "a") + flow("a", "e")), "event-gateway"),
    "an event gateway before a user task": (document(waiting(task())), "event-gateway"),
    "an event gateway before a throw": (document(waiting(throw(SIGNAL))), "event-gateway"),
    "an event gateway before messages and receive tasks": (
        document(waiting(catch(MESSAGE), task("c", tag="receiveTask", more='messageRef="m2"'))), "event-gateway"),
    "an event gateway before a task with a boundary": (
        document(waiting(RECEIVE) + boundary(TIMER)), "event-gateway"),
    "an event gateway's way entered from elsewhere": (
        document(ALTERNATIVES + task("z") + flow("s", "z") + flow("z", "a")), "event-gateway"),
    # activities
    "a loop that is also multiple": (
        document(line(task(inside="<standardLoopCharacteristics loopMaximum='3'/>"
                           "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
                           "</multiInstanceLoopCharacteristics>"))), "two-loops"),
    "multiple without a number": (
        document(line(task(inside="<multiInstanceLoopCharacteristics/>"))), "multi-instance"),
    "an empty loop cardinality": (
        document(line(task(inside=f"<multiInstanceLoopCharacteristics><loopCardinality {FORMAL}/>"
                           "</multiInstanceLoopCharacteristics>"))), "empty-expression"),
    "a number of tokens below one": (document(line(task(more='startQuantity="0"'))), "quantity"),
    "a number of tokens left below one": (document(line(task(more='completionQuantity="-1"'))), "quantity"),
    "one-behaviour without an event": (
        document(line(task(inside='<multiInstanceLoopCharacteristics behavior="One"><loopCardinality>2'
                           "</loopCardinality></multiInstanceLoopCharacteristics>"))), "multi-instance"),
    "complex behaviour": (
        document(line(task(inside='<multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>2'
                           "</loopCardinality></multiInstanceLoopCharacteristics>"))), "complex-behavior"),
    "an instantiating receive task that is entered": (
        document(line(task(tag="receiveTask", more='messageRef="m" instantiate="true"'))), "instantiate"),
    "a receive task of nothing": (document(line(task(tag="receiveTask"))), "missing-message"),
    "a script without a language": (
        document(line(task(tag="scriptTask", inside="<script>doIt()</script>"))), "script"),
    "an empty ad-hoc subprocess": (document(line(sub("", tag="adHocSubProcess"))), "ad-hoc"),
    "an ad-hoc subprocess with a start": (
        document(line(sub(start(identity="x") + task("y") + flow("x", "y"), tag="adHocSubProcess"))), "ad-hoc"),
    "an ad-hoc subprocess with an end": (
        document(line(sub(end(identity="x") + task("y") + flow("y", "x"), tag="adHocSubProcess"))), "ad-hoc"),
    "a choreography in a process": (document(PLAIN + '<choreographyTask id="x"/>'), "unsupported-element"),
    "a choreography in a subprocess": (
        document(line(sub(INNER + '<callChoreography id="x"/>'))), "unsupported-element"),
    "data sets of a subprocess": (
        document(line(sub("<ioSpecification><inputSet/><outputSet/></ioSpecification>" + INNER))), "io-specification"),
    "a performer by resource and by expression": (
        document(line(task(inside="<performer><resourceRef>r</resourceRef><resourceAssignmentExpression>"
                           "<expression>x</expression></resourceAssignmentExpression></performer>")),
                 '<resource id="r" name="r"/>'), "performer"),
    "a property of a gateway": (
        document(gateway("parallelGateway", flows='<property id="x"/>')), "misplaced-element"),
    "a script of a user task": (document(line(task(inside="<script>x</script>"))), "misplaced-element"),
    "a loop of an event": (
        document(line(catch(TIMER + "<standardLoopCharacteristics/>"))), "misplaced-element"),
    "an event definition of a task": (document(line(task(inside=SIGNAL))), "misplaced-element"),
    "data that goes into a catching event": (
        document(line(catch(SIGNAL + "<dataInput id='x'/>"))), "misplaced-element"),
    "two scripts": (
        document(line(task(tag="scriptTask", more='scriptFormat="feel"',
                           inside="<script>{x: 1}</script><script>{x: 2}</script>"))), "repeated-element"),
    # values
    "an executable that is maybe": (document(PLAIN, more='isExecutable="maybe"'), "bad-value"),
    "a boundary that interrupts perhaps": (
        document(PLAIN + boundary(TIMER, more='cancelActivity="yes"')), "bad-value"),
    "a public process that is executable": (
        document(PLAIN, more='isExecutable="true" processType="Public"'), "public-process"),
    "an order there is not": (
        document(AD_HOC.replace("<adHocSubProcess", '<adHocSubProcess ordering="Random"')), "bad-value"),
    # data
    "a data object of no type": (document(PLAIN + '<dataObject id="o" itemSubjectRef="nothing"/>'), "unknown-reference"),
    "a data object of a message type": (document(PLAIN + '<dataObject id="o" itemSubjectRef="m"/>'), "unknown-reference"),
    "a data object that is a list of one": (
        document(PLAIN + '<dataObject id="o" isCollection="true" itemSubjectRef="text"/>'), "collection"),
    "a data object that is one of a list": (
        document(PLAIN + '<dataObject id="o" itemSubjectRef="list"/>'), "collection"),
    "a reference to no data object": (
        document(PLAIN + '<dataObjectReference id="o" dataObjectRef="m"/>'), "unknown-reference"),
    "a reference to no data store": (
        document(PLAIN + '<dataStoreReference id="o" dataStoreRef="nothing"/>'), "unknown-reference"),
    "an association to nothing": (
        document(PLAIN + '<association id="x" sourceRef="a" targetRef="nothing"/>'), "unknown-reference"),
    "a group of no category": (document(PLAIN + '<group id="x" categoryValueRef="nothing"/>'), "unknown-reference"),
    "a data association from a task": (
        document(line(task(inside='<dataInputAssociation id="x"><sourceRef>s</sourceRef><targetRef>pr</targetRef>'
                           '</dataInputAssociation><property id="pr"/>'))), "unknown-reference"),
    "a data association that computes": (
        document(line(task(inside='<dataInputAssociation id="x"><targetRef>pr</targetRef><transformation>1'
                           '</transformation></dataInputAssociation><property id="pr"/>'))), "data-association"),
    "data inputs": (
        document(line(task(inside='<ioSpecification><dataInput id="di"/><inputSet><dataInputRefs>di'
                           "</dataInputRefs></inputSet><outputSet/></ioSpecification>"))), "io-specification"),
    # root elements
    "a message of no type": (document(PLAIN, '<message id="m3" itemRef="nothing"/>'), "unknown-reference"),
    "an error of no type": (document(PLAIN, '<error id="e3" structureRef="m"/>'), "unknown-reference"),
    "an operation of no message": (
        document(PLAIN, '<interface id="i" name="i"><operation id="op" name="op"><inMessageRef>sig</inMessageRef>'
                 "</operation></interface>"), "unknown-reference"),
    "an operation of no error": (
        document(PLAIN, '<interface id="i" name="i"><operation id="op" name="op"><inMessageRef>m</inMessageRef>'
                 "<errorRef>m</errorRef></operation></interface>"), "unknown-reference"),
    "a service of no operation": (
        document(line(task(tag="sendTask", more='messageRef="m" operationRef="m"'))), "unknown-reference"),
    "a message event of no operation": (
        document(line(catch('<messageEventDefinition messageRef="m"><operationRef>x</operationRef>'
                            "</messageEventDefinition>"))), "unknown-reference"),
    "a correlation key of no property": (
        document(PLAIN, '<collaboration id="k"><correlationKey id="ck"><correlationPropertyRef>m'
                 "</correlationPropertyRef></correlationKey></collaboration>"), "unknown-reference"),
    "a correlation property of no message": (
        document(PLAIN, '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="sig">'
                 "<messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"),
        "unknown-reference"),
    "a correlation property without a path": (
        document(PLAIN, '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
                 "<messagePath/></correlationPropertyRetrievalExpression></correlationProperty>"), "empty-expression"),
    "a correlation subscription of no key": (
        document(PLAIN + '<correlationSubscription id="cs" correlationKeyRef="m"/>'), "unknown-reference"),
    "a process that supports no process": (document("<supports>m</supports>" + PLAIN), "unknown-reference"),
    "a process of no collaboration": (
        document(PLAIN, more='isExecutable="true" definitionalCollaborationRef="m"'), "unknown-reference"),
    "a process that offers an interface": (
        document("<supportedInterfaceRef>i</supportedInterfaceRef>" + PLAIN,
                 '<interface id="i" name="i"><operation id="op" name="op"><inMessageRef>m</inMessageRef>'
                 "</operation></interface>"), "interface"),
    "a participant of no process": (
        document(PLAIN, '<collaboration id="k"><participant id="x" processRef="m"/></collaboration>'),
        "unknown-reference"),
    "a participant with no interface": (
        document(PLAIN, '<collaboration id="k"><participant id="x"><interfaceRef>m</interfaceRef>'
                 "</participant></collaboration>"), "unknown-reference"),
    "fewer participants than none": (
        document(PLAIN, two_pools("", '<participantMultiplicity minimum="-1" maximum="1"/>')), "multiplicity"),
    "at most no participant": (
        document(PLAIN, two_pools("", '<participantMultiplicity minimum="0" maximum="0"/>')), "multiplicity"),
    "more participants than at most": (
        document(PLAIN, two_pools("", '<participantMultiplicity minimum="3" maximum="2"/>')), "multiplicity"),
    "a partner of nobody": (
        document(PLAIN, '<partnerRole id="r"><participantRef>p</participantRef></partnerRole>'), "unknown-reference"),
    "a file brought in": (
        document(PLAIN, '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL"'
                 ' location="other.bpmn" namespace="urn:elsewhere"/>'), "import"),
    "a name of a namespace nobody brought in": (
        document(line(catch('<messageEventDefinition messageRef="other:m"/>'))), "unknown-reference"),
    "an id twice": (document(PLAIN + task("m")), "duplicate-id"),
    "a node without an id": (document(PLAIN + "<task/>"), "missing-id"),
    "a collaboration that is closed unlike its choreography": (
        document(PLAIN, '<choreography id="ch" isClosed="true"/><collaboration id="k" isClosed="false">'
                 "<choreographyRef>ch</choreographyRef></collaboration>"), "choreography"),
    "a choreography of a choreography": (
        document(PLAIN, '<choreography id="ch"/><choreography id="c2"><choreographyRef>ch</choreographyRef>'
                 "</choreography>"), "choreography"),
    # lanes and pools
    "a lane of no node": (
        document('<laneSet id="ls"><lane id="l"><flowNodeRef>s_a</flowNodeRef></lane></laneSet>' + PLAIN),
        "unknown-reference"),
    "a message flow inside a pool": (
        document(PLAIN + catch(MESSAGE, "z") + flow("s", "z") + flow("z", "e"),
                 two_pools(message_flow("a", "z"))), "message-flow"),
    "a message flow to its own pool": (document(PLAIN, two_pools(message_flow("a", "p1"))), "message-flow"),
    "a message flow in a circle": (document(PLAIN, two_pools(message_flow("p2", "p2"))), "message-flow"),
    "a message flow to a gateway": (
        document(PLAIN, two_pools(message_flow("a", "qg")).replace(
            '<task id="qa"/>', '<task id="qa"/><parallelGateway id="g1"/>').replace("qg", "g1", 1)), "message-flow"),
    "a message flow to a note": (
        document(PLAIN + '<textAnnotation id="t"/>', two_pools(message_flow("qa", "t"))), "message-flow"),
    "a message flow to a data object": (
        document(PLAIN + '<dataObject id="t"/>', two_pools(message_flow("qa", "t"))), "message-flow"),
    "a message flow out of a start": (document(PLAIN, two_pools(message_flow("s", "qa"))), "message-flow"),
    "a message flow into an end": (document(PLAIN, two_pools(message_flow("qa", "e"))), "message-flow"),
    "a message flow into a plain start": (document(PLAIN, two_pools(message_flow("qa", "s"))), "message-flow"),
    "a message flow out of a plain end": (document(PLAIN, two_pools(message_flow("e", "qa"))), "message-flow"),
    "a message flow to nowhere": (document(PLAIN, two_pools(message_flow("a", "nothing"))), "message-flow"),
    "a message flow of no message": (
        document(PLAIN, two_pools('<messageFlow id="mf" sourceRef="a" targetRef="qs" messageRef="sig"/>')),
        "unknown-reference"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_constraint_is_refused_with_element_and_line(name):
    xml, rule = BROKEN[name]

    found = [each for each in read(xml, file="x.bpmn").findings if each.is_error]

    assert rule in {each.rule for each in found}, [(each.rule, each.message) for each in found]
    told = next(each for each in found if each.rule == rule)
    assert told.file == "x.bpmn"
    assert told.line is not None
    assert told.element
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told.message)


@pytest.mark.parametrize("name", SOUND)
def test_the_sound_model_beside_it_is_read(name):
    result = read(SOUND[name], file="x.bpmn")

    assert [each.message for each in result.findings if each.is_error] == []
