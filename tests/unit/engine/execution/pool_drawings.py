"""Collaborations drawn as arrows, for tests.

A pool is a text of lines `a -> b -> c`, `x -[condition]-> y`, `x -default-> y`.  The first letter
of a node says what it is: s start, b start by message, e end, z end that sends, t user task,
k abstract task, n send task, r receive task, m message caught, w message thrown, p parallel,
x exclusive, g event gateway, i timer caught; anything else is given as XML.  Message flows are
`{"f1": "w_ask -> m_ask"}`; the message of a flow is named for its target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from engine import bpmn
from tests.drawings import read_arrows

_TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
_KINDS = {
    "s": "startEvent",
    "b": "startEvent",
    "e": "endEvent",
    "z": "endEvent",
    "t": "userTask",
    "k": "task",
    "n": "sendTask",
    "r": "receiveTask",
    "m": "intermediateCatchEvent",
    "w": "intermediateThrowEvent",
    "i": "intermediateCatchEvent",
    "p": "parallelGateway",
    "x": "exclusiveGateway",
    "g": "eventBasedGateway",
}


def draw(
    pools: Mapping[str, str],
    flows: Mapping[str, str] | None = None,
    xml: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    inside: Mapping[str, str] | None = None,
    root: str = "",
) -> bytes:
    """The BPMN text. `xml`: further elements of a pool; `keys`: FEEL key of a message node;
    `inside`: XML inside a node; a flow from or to `box` is one of a black box."""
    ends = {name: tuple(text.split(" -> ")) for name, text in (flows or {}).items()}
    message: dict[str, str] = {}
    for source, target in ends.values():
        fresh = f"to_{target}" if target != "box" else f"from_{source}"
        name = message.get(source) or message.get(target) or fresh
        message[target] = message[source] = name
    names = sorted({name for node, name in message.items() if node != "box"})
    participants = "".join(
        f'<participant id="pool_{key}" name="{key}方" processRef="{key}"/>' for key in pools
    )
    letters = "".join(
        f'<messageFlow id="{name}" sourceRef="{source}" targetRef="{target}"/>'
        for name, (source, target) in ends.items()
    )
    box = '<participant id="box" name="外面"/>' if "box" in str(ends) else ""
    processes = "".join(
        f'<process id="{key}" name="{key}方流程" isExecutable="true">'
        f"{_process(text, (xml or {}).get(key, ''), message, keys or {}, inside or {})}</process>"
        for key, text in pools.items()
    )
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:test">'
        + "".join(f'<message id="M_{name}" name="{name}"/>' for name in names)
        + root
        + f'<collaboration id="c">{participants}{box}{letters}</collaboration>{processes}'
        "</definitions>"
    ).encode()


def read(pools, flows=None, **more):
    """The file as the engine reads it, which must be free of errors."""
    result = bpmn.read(draw(pools, flows, **more), file="pools.bpmn")
    assert not [each for each in result.findings if each.is_error], result.findings
    return result


def _process(
    text: str,
    xml: str,
    message: Mapping[str, str],
    keys: Mapping[str, str],
    inside: Mapping[str, str],
) -> str:
    declared = set(re.findall(r'\bid="([^"]+)"', xml))
    drawn = read_arrows(text)
    shapes = [
        _shape(node, drawn.default_of(node), message, keys, inside)
        for node in drawn.nodes
        if node not in declared
    ]
    return "".join(shapes) + xml + drawn.xml


def _shape(
    node: str,
    default: str,
    message: Mapping[str, str],
    keys: Mapping[str, str],
    inside: Mapping[str, str],
) -> str:
    kind = _KINDS[node[0]]
    reference = f' messageRef="M_{message[node]}"' if node in message else ""
    key = f'<nl:message key="{escape(keys[node])}"/>' if node in keys else ""
    extra = inside.get(node, "") + key
    body = f"<extensionElements>{extra}</extensionElements>" if extra else ""
    if node[0] in "bzmw":
        body += f"<messageEventDefinition{reference}/>"
        reference = ""
    elif node[0] == "i":
        body += _TIMER
    elif node[0] == "p" or node[0] not in "nr":
        reference = ""
    return f'<{kind} id="{node}" name="{node}"{default}{reference}>{body}</{kind}>'
