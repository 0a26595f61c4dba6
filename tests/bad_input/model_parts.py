"""Parts of a model as XML, and documents made of them."""

from __future__ import annotations

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1"'
    ' xmlns:tns="urn:here" xmlns:other="urn:elsewhere" id="d" targetNamespace="urn:here">'
)
ROOT = (
    '<itemDefinition id="text"/><itemDefinition id="list" isCollection="true"/>'
    '<message id="m" name="m"/><message id="m2" name="m2"/><signal id="sig" name="sig"/>'
    '<error id="err" errorCode="E"/><error id="bare_err"/>'
    '<escalation id="esc" escalationCode="C"/><escalation id="bare_esc"/>'
)
FORMAL = 'xsi:type="tFormalExpression"'
FEEL_TRUE = f"<conditionExpression {FORMAL}>x = 1</conditionExpression>"
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"


def start(inside: str = "", identity: str = "s", more: str = "") -> str:
    return f'<startEvent id="{identity}" {more}>{inside}</startEvent>'


def end(inside: str = "", identity: str = "e") -> str:
    return f'<endEvent id="{identity}">{inside}</endEvent>'


def flow(source: str, target: str, inside: str = "", more: str = "") -> str:
    return (
        f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}" {more}>'
        f"{inside}</sequenceFlow>"
    )


def task(identity: str = "a", inside: str = "", tag: str = "userTask", more: str = "") -> str:
    return f'<{tag} id="{identity}" {more}>{inside}</{tag}>'


def line(node: str, identity: str = "a") -> str:
    """A start, the node, an end."""
    return start() + node + end() + flow("s", identity) + flow(identity, "e")


def catch(inside: str, identity: str = "a", more: str = "") -> str:
    return task(identity, inside, "intermediateCatchEvent", more)


def throw(inside: str, identity: str = "a") -> str:
    return task(identity, inside, "intermediateThrowEvent")


def boundary(inside: str, *, host: str = "a", more: str = "", out: str = "b_end") -> str:
    drawn = f'<boundaryEvent id="b" attachedToRef="{host}" {more}>{inside}</boundaryEvent>'
    return drawn + (end(identity=out) + flow("b", out) if out else "")


def sub(inside: str, identity: str = "a", tag: str = "subProcess", more: str = "") -> str:
    return task(identity, inside, tag, more)


INNER = start(identity="is") + task("ia") + end(identity="ie") + flow("is", "ia") + flow("ia", "ie")


def event_sub(inside: str, more: str = "") -> str:
    body = start(inside, "es", more) + end(identity="ee") + flow("es", "ee")
    return task("esp", body, "subProcess", 'triggeredByEvent="true"')


def gateway(tag: str, more: str = "", flows: str = "", out: tuple[str, str] = ("", "")) -> str:
    return (
        start()
        + f'<{tag} id="g" {more}>{flows}</{tag}>'
        + task()
        + task("c")
        + end()
        + flow("s", "g")
        + flow("g", "a", out[0])
        + flow("g", "c", out[1])
        + flow("a", "e")
        + flow("c", "e")
    )


def waiting(first: str, second: str = catch(TIMER, "c"), more: str = "") -> str:
    return (
        start()
        + f'<eventBasedGateway id="g" {more}/>'
        + first
        + second
        + end()
        + flow("s", "g")
        + flow("g", "a")
        + flow("g", "c")
        + flow("a", "e")
        + flow("c", "e")
    )


def document(process: str, root: str = "", more: str = 'isExecutable="true"') -> bytes:
    return f'{HEAD}\n{ROOT}{root}\n<process id="p" {more}>\n{process}\n</process></definitions>'.encode()


def two_pools(message_flow: str, more: str = "") -> str:
    return (
        '<collaboration id="k"><participant id="p1" processRef="p">'
        f"{more}</participant>"
        '<participant id="p2" processRef="q"/>'
        f"{message_flow}</collaboration>"
        '<process id="q"><startEvent id="qs"><messageEventDefinition messageRef="m"/></startEvent>'
        '<task id="qa"/><endEvent id="qe"/>'
        '<sequenceFlow id="qf" sourceRef="qs" targetRef="qa"/>'
        '<sequenceFlow id="qg" sourceRef="qa" targetRef="qe"/></process>'
    )


def message_flow(source: str, target: str) -> str:
    return f'<messageFlow id="mf" sourceRef="{source}" targetRef="{target}"/>'


PLAIN = line(task())
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="sig"/>'
RECEIVE = task("a", tag="receiveTask", more='messageRef="m"')
UNDO = (
    '<boundaryEvent id="b" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>'
    '<task id="undo" isForCompensation="true"/>'
    '<association id="as" sourceRef="b" targetRef="undo" associationDirection="One"/>'
)
LINKS = (
    start()
    + throw('<linkEventDefinition name="L"/>')
    + catch('<linkEventDefinition name="L"/>', "c")
    + end()
    + flow("s", "a")
    + flow("c", "e")
)
TRANSACTION = line(sub(INNER.replace('<endEvent id="ie">', '<endEvent id="ie"><cancelEventDefinition/>'),
                       tag="transaction")) + boundary("<cancelEventDefinition/>")  # fmt: skip
AD_HOC = line(sub(task("x"), tag="adHocSubProcess"))
ALTERNATIVES = waiting(catch(MESSAGE))
