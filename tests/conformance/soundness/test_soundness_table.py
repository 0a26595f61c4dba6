"""Small labelled models: the verdict, the rule and the element that is blamed.

Each is drawn as arrows: `a -> b`, `a -[condition]-> b`, `a -default-> b`.  A node's kind is read
from its first letter: `+` parallel, `x` exclusive, `o` inclusive, `t` user task, `k` abstract task,
`s` start, `e` end; anything else is given as XML.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

import pytest

from engine import bpmn
from engine.execution.proof import prove
from tests.drawings import read_arrows

_KINDS = {
    "p": "parallelGateway",
    "x": "exclusiveGateway",
    "o": "inclusiveGateway",
    "t": "userTask",
    "k": "task",
    "s": "startEvent",
    "e": "endEvent",
    "g": "eventBasedGateway",
}
_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:test">'
    '<message id="M" name="letter"/><message id="N" name="answer"/><signal id="S" name="alarm"/>'
    '<error id="E" errorCode="E-1"/><escalation id="C" escalationCode="C-1"/>'
)
TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
MESSAGE = '<messageEventDefinition messageRef="M"/>'


def draw(text: str, xml: str = "") -> str:
    """The inside of a process: flows from arrows, nodes not given as XML by their first letter."""
    declared = set(re.findall(r'\bid="([^"]+)"', xml))
    drawn = read_arrows(text)
    shapes = [
        f'<{_KINDS[node[0]]} id="{node}"{drawn.default_of(node)}/>'
        for node in drawn.nodes
        if node not in declared
    ]
    return "".join(shapes) + xml + drawn.xml


def program(text: str, xml: str = ""):
    whole = f'{_HEAD}<process id="p" isExecutable="true">{draw(text, xml)}</process></definitions>'
    result = bpmn.read(whole.encode(), file="table.bpmn")
    assert not [f for f in result.findings if f.is_error], result.findings
    return result.programs[0]


def boundary(name: str, host: str, what: str = TIMER, *, ends: bool = True) -> str:
    return (
        f'<boundaryEvent id="{name}" attachedToRef="{host}" '
        f'cancelActivity="{str(ends).lower()}">{what}</boundaryEvent>'
    )


def catch(name: str, what: str = MESSAGE) -> str:
    return f'<intermediateCatchEvent id="{name}">{what}</intermediateCatchEvent>'


def inside(name: str, arrows: str, xml: str = "", more: str = "") -> str:
    return f'<subProcess id="{name}" {more}>{draw(arrows, xml)}</subProcess>'


def many(name: str, completion: str = "", *, sequential: bool = False) -> str:
    done = (
        f'<completionCondition xsi:type="tFormalExpression">{escape(completion)}'
        "</completionCondition>"
        if completion
        else ""
    )
    return (
        f'<userTask id="{name}"><extensionElements><nl:loop collection="=people" item="one"/>'
        f'</extensionElements><multiInstanceLoopCharacteristics isSequential="'
        f'{str(sequential).lower()}">{done}</multiInstanceLoopCharacteristics></userTask>'
    )


TERMINATE = '<endEvent id="e_stop"><terminateEventDefinition/></endEvent>'
FAILED = '<endEvent id="e_fail"><errorEventDefinition errorRef="E"/></endEvent>'

SOUND = [
    ("a sequence", "s -> t1 -> t2 -> e", ""),
    ("a choice with a default", "s -> x1 -[a]-> t1 -> x2 -> e\nx1 -default-> t2 -> x2", ""),
    ("a fork and its join", "s -> p1 -> t1 -> p2 -> e\np1 -> t2 -> p2", ""),
    ("a fork of abstract tasks", "s -> p1 -> k1 -> p2 -> e\np1 -> k2 -> p2", ""),
    ("several ends", "s -> p1 -> t1 -> e1\np1 -> t2 -> e2", ""),
    ("choices that end apart", "s -> x1 -[a]-> t1 -> e1\nx1 -default-> t2 -> e2", ""),
    ("a loop with a way out", "s -> x1 -> t1 -> x2 -[again]-> x1\nx2 -default-> e", ""),
    (
        "a fork inside a loop",
        "s -> x1 -> p1 -> t1 -> p2 -> x2 -[again]-> x1\np1 -> t2 -> p2\nx2 -default-> e",
        "",
    ),
    (
        "inclusive split and join",
        "s -> o1 -[a]-> t1 -> o2 -> e\no1 -[b]-> t2 -> o2\no1 -default-> t3 -> o2",
        "",
    ),
    (
        "an inclusive join that gathers a choice inside a fork",
        "s -> p1 -> x1 -[a]-> t1 -> o1 -> e\nx1 -default-> e2\np1 -> t2 -> o1",
        "",
    ),
    (
        "an interrupting timer that rejoins by an exclusive gateway",
        "s -> t1 -> x1 -> t2 -> e\nb -> t3 -> x1",
        boundary("b", "t1"),
    ),
    (
        "a reminder that does not interrupt",
        "s -> t1 -> e\nb -> t2 -> e2",
        boundary("b", "t1", ends=False),
    ),
    (
        "a fork whose timed branch still joins",
        "s -> p1 -> t1 -> x1 -> p2 -> e\nb -> t3 -> x1\np1 -> t2 -> p2",
        boundary("b", "t1"),
    ),
    (
        "an interrupting event subprocess",
        "s -> t1 -> e",
        inside(
            "h",
            "s2 -> t2 -> e2",
            f'<startEvent id="s2" isInterrupting="true">{MESSAGE}</startEvent>',
            'triggeredByEvent="true"',
        ),
    ),
    (
        "an event subprocess beside the main flow",
        "s -> p1 -> t1 -> p2 -> e\np1 -> t3 -> p2",
        inside(
            "h",
            "s2 -> t2 -> e2",
            f'<startEvent id="s2" isInterrupting="false">{MESSAGE}</startEvent>',
            'triggeredByEvent="true"',
        ),
    ),
    (
        "messages both ways",
        "s -> say -> hear -> e",
        f'<intermediateThrowEvent id="say">{MESSAGE}</intermediateThrowEvent>'
        + catch("hear", '<messageEventDefinition messageRef="N"/>'),
    ),
    (
        "a race of a message and a timer",
        "s -> g1 -> m -> x1 -> e\ng1 -> t -> x1",
        catch("m") + catch("t", TIMER),
    ),
    (
        "a terminate end that stops the other branch",
        "s -> p1 -> t1 -> e\np1 -> t2 -> e_stop",
        TERMINATE,
    ),
    (
        "a terminate end that saves an endless branch",
        "s -> p1 -> x1 -> t1 -> x1\np1 -> t2 -> e_stop",
        TERMINATE,
    ),
    ("multi-instance with a completion condition", "s -> t1 -> e", many("t1", "enough")),
    ("multi-instance in sequence", "s -> t1 -> e", many("t1", sequential=True)),
    (
        "link events",
        "s -> t1 -> away\nback -> t2 -> e",
        '<intermediateThrowEvent id="away"><linkEventDefinition name="L"/></intermediateThrowEvent>'
        + catch("back", '<linkEventDefinition name="L"/>'),
    ),
    (
        "an error that the subprocess's boundary catches",
        "s -> sub -> x9 -> e\nb -> t9 -> x9",
        inside("sub", "s2 -> t2 -> x2 -[bad]-> e_fail\nx2 -default-> e2", FAILED)
        + boundary("b", "sub", '<errorEventDefinition errorRef="E"/>'),
    ),
    (
        "an error boundary on a task that nobody fails in the model",
        "s -> t1 -> e\nb -> t2 -> e2",
        boundary("b", "t1", '<errorEventDefinition errorRef="E"/>'),
    ),
    (
        "a timer on an abstract task",
        "s -> k1 -> x1 -> e\nb -> k2 -> x1",
        boundary("b", "k1"),
    ),
    (
        "a timer on a subprocess of abstract tasks",
        "s -> sub -> x1 -> e\nb -> k9 -> x1",
        inside("sub", "s2 -> k2 -> e2") + boundary("b", "sub"),
    ),
    (
        "an event subprocess over abstract tasks",
        "s -> k1 -> e",
        inside(
            "h",
            "s2 -> k2 -> e2",
            f'<startEvent id="s2" isInterrupting="false">{MESSAGE}</startEvent>',
            'triggeredByEvent="true"',
        ),
    ),
    (
        "conditions that leave nothing open",
        "s -> x1 -[amount > 100]-> t1 -> x2 -> e\nx1 -[amount <= 100]-> t2 -> x2",
        "",
    ),
    (
        "a condition and its negation",
        "s -> x1 -[ready(a, b)]-> t1 -> x2 -> e\nx1 -[not(ready(a, b))]-> t2 -> x2",
        "",
    ),
    (
        "inclusive conditions that exclude each other before an exclusive join",
        "s -> o1 -[n > 5]-> t1 -> x1 -> e\no1 -[n <= 5]-> t2 -> x1",
        "",
    ),
]

UNSOUND = [
    (
        "exclusive split, parallel join",
        "s -> x1 -[a]-> t1 -> p1 -> e\nx1 -default-> t2 -> p1",
        "",
        "deadlock",
        "p1",
    ),
    (
        "parallel split, exclusive join",
        "s -> p1 -> t1 -> x1 -> t3 -> e\np1 -> t2 -> x1",
        "",
        "improper_completion",
        "e",
    ),
    (
        "the same with abstract tasks",
        "s -> p1 -> k1 -> x1 -> k3 -> e\np1 -> k2 -> x1",
        "",
        "improper_completion",
        "e",
    ),
    ("an endless loop of tasks", "s -> x1 -> t1 -> t2 -> x1", "", "deadlock", None),
    ("an endless loop without a wait", "s -> x1 -> k1 -> x1", "", "deadlock", None),
    (
        "a branch that no value can take",
        "s -> x1 -[false]-> t1 -> e1\nx1 -default-> t2 -> e2",
        "",
        "dead_activity",
        "t1",
    ),
    (
        "a contradiction",
        "s -> x1 -[n > 5 and n < 3]-> t1 -> e1\nx1 -default-> t2 -> e2",
        "",
        "dead_activity",
        "t1",
    ),
    (
        "an inclusive split before a parallel join",
        "s -> o1 -[a]-> t1 -> p1 -> e\no1 -[b]-> t2 -> p1",
        "",
        "deadlock",
        "p1",
    ),
    (
        "an inclusive split before an exclusive join",
        "s -> o1 -[a]-> t1 -> x1 -> e\no1 -[b]-> t2 -> x1",
        "",
        "improper_completion",
        "e",
    ),
    (
        "a boundary event that leaves a join short",
        "s -> p1 -> t1 -> p2 -> e\np1 -> t2 -> p2\nb -> t3 -> e2",
        boundary("b", "t1"),
        "deadlock",
        "p2",
    ),
    (
        "a branch that leaves before the join",
        "s -> p1 -> t1 -> p2 -> e\np1 -> t2 -> x1 -[a]-> p2\nx1 -default-> e2",
        "",
        "deadlock",
        "p2",
    ),
    (
        "a jump back into a fork",
        "s -> x1 -> p1 -> t1 -> p2 -> e\np1 -> t2 -> x2 -[again]-> x1\nx2 -default-> p2",
        "",
        None,
        None,
    ),
    ("a join in a loop that starves", "s -> p1 -> x1 -> e\np1 -> t1 -> p1", "", None, None),
    (
        "tokens that pile up",
        "s -> x1 -> p1 -> t1 -> x1\np1 -> p2 -> e\np1 -> t2 -> p2",
        "",
        None,
        None,
    ),
    (
        "two forks crossed wrongly",
        "s -> p1 -> t1 -> p2 -> e1\np1 -> x1 -[a]-> p2\nx1 -default-> t3 -> p3 -> e2\np1 -> t4 -> p3",
        "",
        "deadlock",
        None,
    ),
    (
        "a starving join inside a subprocess",
        "s -> sub -> e",
        inside("sub", "s2 -> x1 -[a]-> t1 -> p1 -> e2\nx1 -default-> t2 -> p1"),
        "deadlock",
        "p1",
    ),
    (
        "a starving join inside an event subprocess",
        "s -> t0 -> e",
        inside(
            "h",
            "s2 -> x1 -[a]-> t1 -> p1 -> e2\nx1 -default-> t2 -> p1",
            f'<startEvent id="s2" isInterrupting="true">{MESSAGE}</startEvent>',
            'triggeredByEvent="true"',
        ),
        "deadlock",
        "p1",
    ),
    (
        "a race before a parallel join",
        "s -> g1 -> m -> p1 -> e\ng1 -> t -> p1",
        catch("m") + catch("t", TIMER),
        "deadlock",
        "p1",
    ),
    (
        "a cancel boundary that nothing cancels",
        "s -> sub -> e\nb -> t9 -> e9",
        f'<transaction id="sub">{draw("s2 -> t2 -> e2")}</transaction>'
        + boundary("b", "sub", "<cancelEventDefinition/>"),
        "dead_activity",
        None,
    ),
    (
        "no default, conditions open",
        "s -> x1 -[a = 1]-> t1 -> x2 -> e\nx1 -[a = 2]-> t2 -> x2",
        "",
        "missing_default",
        "x1",
    ),
    (
        "no default, numbers leave a gap",
        "s -> x1 -[n > 5]-> t1 -> x2 -> e\nx1 -[n < 5]-> t2 -> x2",
        "",
        "missing_default",
        "x1",
    ),
    (
        "an error nobody lets the join survive",
        "s -> p1 -> sub -> p2 -> e\np1 -> t1 -> p2\nb -> t9 -> e9",
        inside("sub", "s2 -> t2 -> x2 -[bad]-> e_fail\nx2 -default-> e2", FAILED)
        + boundary("b", "sub", '<errorEventDefinition errorRef="E"/>'),
        "deadlock",
        "p2",
    ),
    (
        "a non-interrupting event that feeds a join",
        "s -> p1 -> t1 -> p2 -> e\np1 -> t2 -> e2\nb -> p2",
        boundary("b", "t1", ends=False),
        "deadlock",
        "p2",
    ),
    (
        "a way that dies behind a terminate end",
        "s -> t1 -> x1 -[a]-> e_stop\nx1 -[not(a)]-> e2\nx1 -[false]-> t2 -> e3",
        TERMINATE,
        "dead_activity",
        "t2",
    ),
]


@pytest.mark.parametrize("reduce", [True, False], ids=["reduced", "plain"])
@pytest.mark.parametrize(
    ("arrows", "xml"), [each[1:] for each in SOUND], ids=[each[0] for each in SOUND]
)
def test_it_proves_a_sound_model(arrows, xml, reduce):
    proof = prove(program(arrows, xml), reduce=reduce)

    assert proof.sound is True, proof.findings
    assert [f for f in proof.findings if f.is_error] == []


@pytest.mark.parametrize("reduce", [True, False], ids=["reduced", "plain"])
@pytest.mark.parametrize(
    ("arrows", "xml", "rule", "element"),
    [each[1:] for each in UNSOUND],
    ids=[each[0] for each in UNSOUND],
)
def test_it_finds_the_fault_and_names_the_element(arrows, xml, rule, element, reduce):
    drawn = program(arrows, xml)

    proof = prove(drawn, reduce=reduce)

    assert proof.sound is False, proof.findings
    errors = [finding for finding in proof.findings if finding.is_error]
    if rule is not None:
        assert f"soundness.{rule}" in {finding.rule for finding in errors}, errors
    if element is not None:
        assert element in {finding.element for finding in errors}, errors
    for finding in errors:
        assert set(finding.path) <= {node.id for node in drawn.nodes}
        assert finding.path or finding.rule == "soundness.dead_activity"
