"""Moves between versions in the corners: nested scopes, rounds, cycles, faults of the new version."""

from __future__ import annotations

import pytest

from engine.kernel import effects as fx
from engine.kernel import migration, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.migration import MigrationRefused
from engine.kernel.state import Phase, State
from tests.unit.engine.kernel.migrating import AT, LATER


@pytest.fixture
def start(version):
    """`start(body, variables)`: program and state of a case of this model."""

    def make(body, variables=None, roots=""):
        program = version(body, roots)
        trigger = triggers.Started(at=AT, variables=variables or {})
        state, _ = kernel.step(program, State.initial(program), trigger, RunningDecide(AT))
        return program, state

    return make


def do(program, state, node, nth=0):
    number = [n for n, waits in state.waiting() if waits == node][nth]
    return kernel.step(
        program, state, triggers.TaskCompleted(at=LATER, element=number), RunningDecide(LATER)
    )[0]


def run(program, state):
    done = []
    while not state.is_ended:
        done.append(min(node for _, node in state.waiting()))
        state = do(program, state, done[-1])
    return done


def moved(old, new, state, mapping=None):
    after, effects = migration.migrate(old, new, state, mapping or {}, RunningDecide(LATER), LATER)
    assert State.decode(after.encode()) == after
    return after, effects


FLAT = """
<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><endEvent id="e"/>
s -> f -> a -> j -> e
f -> b -> j
"""
NESTED = """
<startEvent id="s"/><subProcess id="outer"><startEvent id="s1"/><subProcess id="inner"><startEvent id="s2"/>
<parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><parallelGateway id="j"/><endEvent id="e2"/>
s2 -> f -> a -> j -> e2
f -> b -> j
</subProcess><endEvent id="e1"/>
s1 -> inner -> e1
</subProcess><endEvent id="e"/>
s -> outer -> e
"""


def test_both_branches_and_the_join_move_into_one_new_subprocess(start, version):
    old, state = start(FLAT)
    state = do(old, state, "a")
    new = version(NESTED)

    after, effects = moved(old, new, state)

    assert [each.node_id for each in effects if isinstance(each, fx.Record)] == ["outer", "inner"]
    assert [element.node for element in after.elements.values()].count("inner") == 1
    assert run(new, after) == ["b"]


def test_both_levels_are_dissolved_and_the_join_still_counts(start, version):
    old, state = start(NESTED)
    state = do(old, state, "a")
    new = version(FLAT)

    after, _ = moved(old, new, state)

    assert sorted(element.node for element in after.elements.values()) == ["", "b"]
    assert run(new, after) == ["b"]


def test_there_and_back_again_is_the_same_place(start, version):
    old, state = start(NESTED)
    state = do(old, state, "a")
    new = version(FLAT)

    flat, _ = moved(old, new, state)
    back, _ = moved(new, old, flat)

    assert run(old, back) == ["b"]


def test_a_variable_that_would_be_hidden_keeps_a_subprocess_from_being_dissolved(start, version):
    local = NESTED.replace(
        '<subProcess id="inner">',
        '<subProcess id="inner"><extensionElements><nl:input name="x" value="1"/></extensionElements>',
    )
    old, state = start(local, {"x": 2})

    with pytest.raises(MigrationRefused, match="“x”在外层已有同名变量"):
        moved(old, version(FLAT), state)


def test_what_is_put_into_a_subprocess_that_is_open_joins_it(start, version):
    before = """
    <startEvent id="s"/><parallelGateway id="f"/><userTask id="b"/>
    <subProcess id="sub"><startEvent id="s1"/><userTask id="a"/><endEvent id="e1"/>
    s1 -> a -> e1
    </subProcess><endEvent id="e"/><endEvent id="x"/>
    s -> f -> b -> x
    f -> sub -> e
    """
    after = """
    <startEvent id="s"/><subProcess id="sub"><startEvent id="s1"/><parallelGateway id="f"/><userTask id="a"/>
    <userTask id="b"/><endEvent id="e1"/><endEvent id="x"/>
    s1 -> f -> a -> e1
    f -> b -> x
    </subProcess><endEvent id="e"/>
    s -> sub -> e
    """
    old, state = start(before)
    new = version(after)

    joined, _ = moved(old, new, state)

    assert [element.node for element in joined.elements.values()].count("sub") == 1
    assert run(new, joined) == ["a", "b"]


def test_a_loop_around_the_new_subprocess_is_refused(start, version):
    looped = NESTED.replace(
        '<subProcess id="inner">',
        '<subProcess id="inner"><standardLoopCharacteristics loopMaximum="2"/>',
    )
    old, state = start(FLAT)

    with pytest.raises(MigrationRefused, match="不能在办理中途补开"):
        moved(old, version(looped), state)


def test_a_standard_loop_goes_on_with_its_rounds(start, version):
    body = """
    <startEvent id="s"/><userTask id="a"><standardLoopCharacteristics loopMaximum="3"><loopCondition>true</loopCondition>
    </standardLoopCharacteristics></userTask><userTask id="z"/><endEvent id="e"/>
    s -> a -> z -> e
    """
    old, state = start(body)
    state = do(old, state, "a")
    new = version(body.replace('"a"', '"again"').replace("s -> a", "s -> again"))

    after, _ = moved(old, new, state, {"a": "again"})

    assert run(new, after) == ["again", "again", "z"]


REMINDED = """
<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>
<boundaryEvent id="r" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition></boundaryEvent>
<endEvent id="x"/>
s -> a -> e
r -> x
"""


def test_a_cycle_counts_on_from_where_it_was(start, version):
    old, state = start(REMINDED)
    listener = max(state.elements)

    def fire(program, state):
        trigger = triggers.TimerFired(at=LATER, element=listener, due_at=LATER)
        return kernel.step(program, state, trigger, RunningDecide(LATER))

    state, _ = fire(old, state)
    new = version(REMINDED.replace('id="e"/>', 'id="e" name="止"/>'))
    state, effects = moved(old, new, state)
    assert effects == ()
    state, effects = fire(new, state)
    assert any(isinstance(each, fx.ArmTimer) for each in effects)
    state, effects = fire(new, state)

    assert not any(isinstance(each, fx.ArmTimer) for each in effects)
    assert listener not in state.elements


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("<timeDuration>=nothing</timeDuration>", "没有名为“nothing”的变量"),
        ("<timeDuration>=5</timeDuration>", "不是日期、时间或时长"),
    ],
)
def test_a_new_timer_that_cannot_be_reckoned_is_refused_with_the_reason(
    start, version, change, reason
):
    plain = '<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>\ns -> a -> e'
    old, state = start(plain)
    new = version(REMINDED.replace("<timeCycle>R3/P1D</timeCycle>", change))

    with pytest.raises(MigrationRefused, match=reason):
        moved(old, new, state)


def test_a_boundary_event_that_sits_elsewhere_now_is_taken_off(start, version):
    body = REMINDED.replace('<endEvent id="e"/>', '<userTask id="b"/><endEvent id="e"/>').replace(
        "s -> a -> e", "s -> a -> b -> e"
    )
    old, state = start(body)
    new = version(body.replace('attachedToRef="a"', 'attachedToRef="b"'))

    after, effects = moved(old, new, state)

    assert [type(each) for each in effects] == [fx.CancelTimer]
    assert len(after.elements) == 2


ESCORT = """
<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>
s -> a -> e
<subProcess id="stop" triggeredByEvent="true"><startEvent id="hit"><signalEventDefinition signalRef="S"/></startEvent>
<userTask id="tidy"/><endEvent id="se"/>
hit -> tidy -> se
</subProcess>
"""
MORE = """
<subProcess id="also" triggeredByEvent="true"><startEvent id="hear" isInterrupting="false"><signalEventDefinition signalRef="T"/></startEvent>
<userTask id="note"/><endEvent id="ne"/>
hear -> note -> ne
</subProcess>
"""
SIGNALS = '<signal id="S" name="stop"/><signal id="T" name="tell"/>'


def test_a_scope_that_was_interrupted_does_not_begin_to_listen(start, version):
    old, state = start(ESCORT, roots=SIGNALS)
    listener = next(n for n, each in state.elements.items() if each.phase is Phase.LISTENING)
    trigger = triggers.EventArrived(at=LATER, element=listener)
    state, _ = kernel.step(old, state, trigger, RunningDecide(LATER))
    new = version(ESCORT + MORE, roots=SIGNALS)

    after, effects = moved(old, new, state)

    assert effects == ()
    assert run(new, after) == ["tidy"]


def test_a_scope_that_runs_begins_to_listen(start, version):
    old, state = start(ESCORT, roots=SIGNALS)
    new = version(ESCORT + MORE, roots=SIGNALS)

    _, effects = moved(old, new, state)

    assert [(type(each), each.node_id) for each in effects] == [(fx.Subscribe, "hear")]


def test_an_ad_hoc_order_that_changed_is_refused(start, version):
    body = """
    <startEvent id="s"/><adHocSubProcess id="h" ordering="Sequential"><userTask id="one"/><userTask id="two"/>
    <userTask id="three"/></adHocSubProcess><endEvent id="e"/>
    s -> h -> e
    """
    old, state = start(body)
    state = do(old, state, "one")
    swapped = body.replace('"one"', '"x"').replace('"two"', '"one"').replace('"x"', '"two"')

    with pytest.raises(MigrationRefused, match="办理次序变了"):
        moved(old, version(swapped), state)
    after, _ = moved(old, version(body.replace('"e"/>', '"e" name="止"/>')), state)
    assert run(old, after) == ["two", "three"]


def test_a_cancelled_transaction_goes_on_undoing(start, version):
    body = """
    <startEvent id="s"/><transaction id="t"><startEvent id="s1"/><userTask id="book"/>
    <boundaryEvent id="cb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
    <userTask id="unbook" isForCompensation="true"/><association id="as1" sourceRef="cb" targetRef="unbook"/>
    <endEvent id="c"><cancelEventDefinition/></endEvent>
    s1 -> book -> c
    </transaction><boundaryEvent id="cancelled" attachedToRef="t"><cancelEventDefinition/></boundaryEvent>
    <userTask id="after"/><endEvent id="e"/><endEvent id="e2"/>
    s -> t -> e
    cancelled -> after -> e2
    """
    old, state = start(body)
    state = do(old, state, "book")
    new = version(body.replace('id="after"', 'id="after" name="善后"'))

    after, effects = moved(old, new, state)

    assert effects == ()
    assert run(new, after) == ["unbook", "after"]
