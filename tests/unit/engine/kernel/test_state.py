"""The state as a value: what survives storage, how big it gets, what a step leaves alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine.bpmn import read
from engine.decision.values import YearMonthDuration
from engine.kernel import codec, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.state import State
from engine.model.errors import InvalidState, ModelFault, Stale

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
DECIDE = RunningDecide(AT)


@pytest.fixture
def program(xml):
    body = '<startEvent id="s"/><userTask id="a"/><userTask id="z"/><endEvent id="e"/>\ns -> a -> z -> e'
    return read(xml(body), file="p.bpmn").programs[0]


def started(program, **variables):
    return kernel.step(
        program, State.initial(program), triggers.Started(at=AT, variables=variables), DECIDE
    )[0]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "文字",
        12,
        10**40,
        Decimal("1.50"),
        1.25,
        date(2026, 2, 28),
        datetime(2026, 1, 4, 9, tzinfo=UTC),
        datetime(2026, 1, 4, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
        time(9, 30),
        timedelta(days=3, microseconds=1),
        YearMonthDuration(14),
        [1, [Decimal("2.0")], {"a": date(2026, 1, 1)}],
        {"deep": {"deeper": [None, {"x": timedelta(1)}]}},
    ],
)
def test_every_value_of_a_variable_survives_storage(program, value):
    state = started(program, x=value)

    back = State.decode(state.encode())

    assert back == state
    assert back.variables["x"] == value
    assert type(back.variables["x"]) is type(state.variables["x"])


@pytest.mark.parametrize("value", [object(), {"$n": "1"}, {1: 2}, {3, object()}])
def test_it_refuses_a_value_that_cannot_be_kept(program, value):
    with pytest.raises(ModelFault):
        started(program, x=value)


def test_it_refuses_bytes_of_another_codec():
    with pytest.raises(codec.CodecError):
        State.decode(b"\x07[]")


def test_a_step_leaves_the_state_it_was_given_as_it_was(program):
    state = started(program, x=1)
    before = state.encode()

    kernel.step(
        program,
        state,
        triggers.TaskCompleted(at=AT, element=state.waiting()[0][0], data={"x": 2}),
        DECIDE,
    )

    assert state.encode() == before


@pytest.mark.parametrize(
    ("trigger", "error"),
    [
        (triggers.TaskCompleted(at=AT, element=99), Stale),
        (triggers.TimerFired(at=AT, element=99, due_at=AT), Stale),
        (triggers.EventArrived(at=AT, element=99), Stale),
        (triggers.EventArrived(at=AT, element=2), InvalidState),
        (triggers.OperationReturned(at=AT, element=2), InvalidState),
        (triggers.ChildEnded(at=AT, element=2), InvalidState),
        (triggers.Retried(at=AT, element=2), InvalidState),
        (triggers.TaskCompleted(at=AT, element=0), Stale),
        (triggers.Started(at=AT), InvalidState),
        (triggers.Moved(at=AT, cancel=(77,), node="a"), Stale),
        (triggers.Moved(at=AT, cancel=(2,), node="nowhere"), InvalidState),
    ],
)
def test_it_refuses_a_trigger_that_does_not_fit(program, trigger, error):
    with pytest.raises(error):
        kernel.step(program, started(program), trigger, DECIDE)


def test_it_refuses_everything_after_the_end(program):
    state = started(program)
    ended, _ = kernel.step(program, state, triggers.Cancelled(at=AT), DECIDE)

    assert ended.is_ended
    with pytest.raises(InvalidState):
        kernel.step(program, ended, triggers.VariablesSet(at=AT, variables={}), DECIDE)


def test_twenty_live_elements_take_less_than_a_kilobyte(xml):
    tasks = "".join(f'<userTask id="township_review_{n}"/>' for n in range(20))
    flows = "\n".join(f"f -> township_review_{n}" for n in range(20))
    body = f'<startEvent id="s"/><parallelGateway id="f"/>{tasks}\ns -> f\n{flows}'
    program = read(xml(body), file="p.bpmn").programs[0]

    state = started(program)

    assert len(state.waiting()) == 20
    assert len(state.encode()) < 1024


def test_a_loop_that_ends_early_leaves_the_state_it_was_given_as_it_was(xml):
    body = """<startEvent id="s"/><userTask id="a"><multiInstanceLoopCharacteristics>
    <loopCardinality xsi:type="tFormalExpression">3</loopCardinality>
    <completionCondition xsi:type="tFormalExpression">true</completionCondition>
    </multiInstanceLoopCharacteristics></userTask><endEvent id="e"/>
    s -> a -> e"""
    program = read(xml(body), file="p.bpmn").programs[0]
    state = started(program)
    before = state.encode()

    for trigger in (
        triggers.TaskCompleted(at=AT, element=state.waiting()[0][0]),
        triggers.Cancelled(at=AT),
    ):
        kernel.step(program, state, trigger, DECIDE)

    assert state.encode() == before


def test_a_token_on_its_way_goes_when_its_scope_is_cancelled(bench):
    """An inclusive fork sends one branch to a join while the other leaves by an error."""
    case = bench(
        """
        <startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><parallelGateway id="f"/>
        <exclusiveGateway id="x1"/><exclusiveGateway id="x2"/><task id="t"/><parallelGateway id="j"/>
        <endEvent id="bad"><errorEventDefinition errorRef="E"/></endEvent><endEvent id="e2"/>
        s2 -> f -> x1 -> x2 -> j -> e2
        f -> t -> j
        f -> bad
        </subProcess>
        <boundaryEvent id="b" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>
        <userTask id="h"/><endEvent id="e"/>
        s -> sub -> e
        b -> h -> e
        """,
        '<error id="E" errorCode="E-1"/>',
    ).start("p")

    assert (case.waiting_at(), dict(case._case.state.arrived)) == (["h"], {})


@pytest.mark.parametrize("waits_for", ["userTask", "receiveTask"])
def test_it_refuses_a_timer_where_none_is_awaited(bench, waits_for):
    case = bench(
        f"""<startEvent id="s"/><{waits_for} id="a" messageRef="M"/><endEvent id="e"/>
        s -> a -> e""",
        '<message id="M" name="letter"/>',
    ).start("p")
    number = case._case.state.waiting()[0][0]

    with pytest.raises(InvalidState):
        case._apply(triggers.TimerFired(at=AT, element=number, due_at=AT))


def test_a_timer_that_somebody_did_not_wait_for_is_disarmed(bench):
    b = bench("""
        <startEvent id="s"/><intermediateCatchEvent id="w"><timerEventDefinition><timeDuration>P1D</timeDuration>
        </timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>
        s -> w -> e""")
    case = b.start("p")

    case.complete("w")

    assert (case.status, b.simulation.next_due()) == ("completed", None)
