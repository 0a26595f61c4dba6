"""Moves between versions of what waits and listens: events, calls, compensation, incidents."""

from __future__ import annotations

import pytest

from engine.kernel import migration, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.migration import Fate, MigrationRefused, What
from engine.kernel.state import State
from tests.unit.engine.kernel.migrating import AT, LATER, STRAIGHT, Outside


def timer(id, host, length, cancel="false"):
    return (
        f'<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="{cancel}"><timerEventDefinition>'
        f"<timeDuration>{length}</timeDuration></timerEventDefinition></boundaryEvent>"
        f'<endEvent id="{id}_end"/>\n{id} -> {id}_end\n'
    )


def test_boundary_timers_are_kept_armed_and_cancelled(version):
    case = Outside(version(STRAIGHT + timer("remind", "a", "P5D") + timer("gone", "a", "P6D")))
    kept = next(n for n, t in case.timers.items() if t[0] == "remind")
    new = version(STRAIGHT + timer("remind", "a", "P1D") + timer("fresh", "a", "P7D"))

    plan = case.plan(new)
    case.move_to(new)

    assert {line.node: line.fate for line in plan.lines if line.what is What.LISTENER} == {
        "remind": Fate.SAME,
        "gone": Fate.CANCELLED,
        "fresh": Fate.ADDED,
    }
    assert case.timers[kept] == ("remind", "P5D", AT)
    assert sorted(t[0] for t in case.timers.values()) == ["fresh", "remind"]
    (note,) = next(line for line in plan.lines if line.node == "remind").notes
    assert "到期时间不变" in note


def test_what_has_fired_already_is_not_armed_again(version):
    case = Outside(version(STRAIGHT + timer("remind", "a", "P5D")))
    case.fire("remind")

    case.move_to(version(STRAIGHT + timer("remind", "a", "P9D")))

    assert case.timers == {}


def test_a_message_that_is_called_otherwise_is_subscribed_anew(version):
    roots = '<message id="M" name="letter"/><message id="N" name="mail"/>'
    body = """
    <startEvent id="s"/><intermediateCatchEvent id="wait"><messageEventDefinition messageRef="M">
    <extensionElements><nl:message key="number"/></extensionElements></messageEventDefinition></intermediateCatchEvent>
    <endEvent id="e"/>
    s -> wait -> e
    """
    case = Outside(version(body, roots), {"number": "7"})

    case.move_to(version(body.replace('messageRef="M"', 'messageRef="N"'), roots))

    assert [heard[:2] for heard in case.heard.values()] == [("wait", "mail")]
    case.hear("wait")
    assert case.state.is_ended


def test_it_refuses_to_wait_for_another_kind_of_event(version):
    body = """
    <startEvent id="s"/><intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>P1D</timeDuration>
    </timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>
    s -> wait -> e
    """
    case = Outside(version(body))
    other = body.replace(
        "<timerEventDefinition><timeDuration>P1D</timeDuration>\n    </timerEventDefinition>",
        '<signalEventDefinition signalRef="S"/>',
    )

    with pytest.raises(MigrationRefused, match="事件种类变了"):
        case.move_to(version(other, '<signal id="S" name="alarm"/>'))


GATEWAY = """
<startEvent id="s"/><eventBasedGateway id="g"/>
<intermediateCatchEvent id="t1"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>
<intermediateCatchEvent id="sig"><signalEventDefinition signalRef="S"/></intermediateCatchEvent>
<endEvent id="e1"/><endEvent id="e2"/>
s -> g -> t1 -> e1
g -> sig -> e2
"""
SIGNAL = '<signal id="S" name="alarm"/>'


def test_an_event_gateway_changes_its_alternatives(version):
    case = Outside(version(GATEWAY, SIGNAL))
    other = GATEWAY.replace(
        '<intermediateCatchEvent id="sig"><signalEventDefinition signalRef="S"/></intermediateCatchEvent>',
        '<intermediateCatchEvent id="t2"><timerEventDefinition><timeDuration>P2D</timeDuration></timerEventDefinition></intermediateCatchEvent>',
    ).replace("g -> sig", "g -> t2")

    case.move_to(version(other, SIGNAL))

    assert (sorted(t[0] for t in case.timers.values()), case.heard) == (["t1", "t2"], {})
    case.fire("t2")
    assert (case.state.is_ended, case.timers.keys()) == (True, set())


ALARM = """
<subProcess id="alarm" triggeredByEvent="true"><startEvent id="as" isInterrupting="false"><signalEventDefinition signalRef="S"/></startEvent>
<userTask id="look"/><endEvent id="ae"/>
as -> look -> ae
</subProcess>
"""


def test_an_event_subprocess_begins_to_listen_and_stops(version):
    case = Outside(version(STRAIGHT))

    case.move_to(version(STRAIGHT + ALARM, SIGNAL))
    assert [heard[0] for heard in case.heard.values()] == ["as"]
    case.hear("as")
    assert case.waiting() == ["a", "look"]

    with pytest.raises(MigrationRefused, match="“look”|“alarm”"):
        case.move_to(version(STRAIGHT))
    case.do("look")
    case.move_to(version(STRAIGHT))
    assert case.heard == {}


def test_a_condition_that_holds_when_it_is_added_occurs_at_once(version):
    case = Outside(version(STRAIGHT), {"amount": 9})
    urgent = STRAIGHT + (
        '<boundaryEvent id="much" attachedToRef="a"><conditionalEventDefinition><condition>amount &gt; 5</condition>'
        '</conditionalEventDefinition></boundaryEvent><userTask id="x"/><endEvent id="xe"/>\nmuch -> x -> xe\n'
    )

    case.move_to(version(urgent))

    assert case.waiting() == ["x"]


def test_a_called_process_goes_on_and_another_one_is_refused(version):
    body = '<startEvent id="s"/><callActivity id="call" calledElement="q"/><userTask id="z"/><endEvent id="e"/>\ns -> call -> z -> e'
    case = Outside(version(body))

    with pytest.raises(MigrationRefused, match="另一个流程"):
        case.move_to(version(body.replace('"q"', '"r"')))
    case.move_to(
        version(body.replace('"call"', '"ask"').replace("s -> call", "s -> ask")), {"call": "ask"}
    )
    case.child_ended("ask")

    assert (list(case.calls.values()), case.waiting()) == (["q"], ["z"])


COMPENSATED = """
<startEvent id="s"/><userTask id="book"/><boundaryEvent id="cb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
<userTask id="unbook" isForCompensation="true"/><association id="as1" sourceRef="cb" targetRef="unbook"/>
<userTask id="b"/><intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="e"/>
s -> book -> b -> undo -> e
"""


def test_what_can_be_undone_stays_so_or_is_given_up_explicitly(version):
    case = Outside(version(COMPENSATED))
    case.do("book")
    renamed = COMPENSATED.replace('"book"', '"order"').replace("s -> book", "s -> order")
    without = STRAIGHT.replace('"a"', '"book"').replace("s -> a", "s -> book")

    with pytest.raises(MigrationRefused, match="不能撤销"):
        case.move_to(version(without))
    assert case.plan(version(without), {"book": None}).is_possible
    case.move_to(version(renamed), {"book": "order"})

    assert case.run() == ["b", "unbook"]


def test_a_running_compensation_goes_on(version):
    case = Outside(version(COMPENSATED))
    case.do("book")
    case.do("b")
    assert case.waiting() == ["unbook"]

    case.move_to(version(COMPENSATED.replace('<userTask id="b"/>', '<userTask id="b" name="乙"/>')))

    assert case.run() == ["unbook"]


def test_an_incident_is_healed_by_a_version_with_another_condition(version):
    body = """
    <startEvent id="s"/><userTask id="a"/><exclusiveGateway id="g"/><userTask id="b"/><userTask id="c"/><endEvent id="e"/>
    s -> a -> g -[wrong > 1]-> b -> e
    g -default-> c -> e
    """
    old = version(body)
    state, _ = kernel.step(old, State.initial(old), triggers.Started(at=AT), RunningDecide(AT))
    state, _ = kernel.step(
        old, state, triggers.TaskCompleted(at=AT, element=state.waiting()[0][0]), RunningDecide(AT)
    )
    ((number, where),) = state.failed()
    new = version(body.replace("wrong > 1", "true"))

    state, effects = migration.migrate(old, new, state, {}, RunningDecide(LATER), LATER)
    state, _ = kernel.step(
        new, state, triggers.Retried(at=LATER, element=number), RunningDecide(AT)
    )

    assert (where, effects, [node for _, node in state.waiting()]) == ("g", (), ["b"])
