"""Moving a running instance to another version: model A, state, model B, mapping → plan and state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.bpmn import read
from engine.kernel import effects as fx
from engine.kernel import migration, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.migration import Fate, MigrationRefused, What
from engine.kernel.state import Phase, State

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
LATER = AT + timedelta(days=3)


class Outside:
    """An instance and what the world outside keeps for it, by element number."""

    def __init__(self, program, variables=None):
        self.program = program
        self.state = State.initial(program)
        self.tasks, self.timers, self.heard, self.calls = {}, {}, {}, {}
        self.finished = None
        self.step(triggers.Started(at=AT, variables=dict(variables or {})))

    def step(self, trigger):
        self.state, effects = kernel.step(
            self.program, self.state, trigger, RunningDecide(trigger.at)
        )
        self.settle(effects)

    def settle(self, effects):
        assert State.decode(self.state.encode()) == self.state
        for effect in effects:
            match effect:
                case fx.OpenTask():
                    self.tasks[effect.element] = effect.activity_id
                case fx.CloseTask():
                    del self.tasks[effect.element]
                case fx.ArmTimer():
                    self.timers[effect.element] = (effect.node_id, effect.when, effect.since)
                case fx.CancelTimer():
                    del self.timers[effect.element]
                case fx.Subscribe():
                    assert effect.element not in self.heard
                    self.heard[effect.element] = (effect.node_id, effect.name, effect.key)
                case fx.Unsubscribe():
                    del self.heard[effect.element]
                case fx.StartChild():
                    self.calls[effect.element] = effect.process_key
                case fx.CancelChild():
                    del self.calls[effect.element]
                case fx.Finish():
                    self.finished = effect
                case fx.RaiseIncident():
                    raise AssertionError(effect.message)

    def at(self, node, nth=0):
        return [n for n, e in self.state.elements.items() if e.node == node][nth]

    def do(self, node, data=None, nth=0):
        number = [n for n, waits in self.state.waiting() if waits == node][nth]
        outcome = None
        task = self.program.node(node).task
        if task is not None and task.outcomes:
            outcome = task.outcomes[0].id
        self.step(
            triggers.TaskCompleted(
                at=LATER, element=number, data=data or {}, outcome=outcome, by="wang"
            )
        )

    def fire(self, node):
        number = next(n for n, timer in self.timers.items() if timer[0] == node)
        del self.timers[number]
        self.step(triggers.TimerFired(at=LATER, element=number, due_at=LATER))

    def hear(self, node):
        number = next(n for n, waits in self.heard.items() if waits[0] == node)
        self.step(triggers.EventArrived(at=LATER, element=number))

    def child_ended(self, node):
        self.step(triggers.ChildEnded(at=LATER, element=self.at(node), outputs={}))

    def move_to(self, program, mapping=None):
        self.state, effects = migration.migrate(
            self.program, program, self.state, mapping or {}, RunningDecide(LATER), LATER
        )
        self.program = program
        self.settle(effects)
        return effects

    def plan(self, program, mapping=None):
        return migration.plan(self.program, program, self.state, mapping or {})

    def waiting(self):
        return sorted(node for _, node in self.state.waiting())

    def run(self):
        """Complete whatever waits; the tasks that were completed, in order."""
        done = []
        while not self.state.is_ended:
            node = self.waiting()[0]
            done.append(node)
            self.do(node)
        return done


@pytest.fixture
def version(xml):
    """`version(body)`: the compiled process of this model."""

    def make(body, roots=""):
        result = read(xml(body, roots), file="<model>")
        assert result.ok, result.findings
        return result.program("p")

    return make


STRAIGHT = """
<startEvent id="s"/><userTask id="a"/><userTask id="b"/><endEvent id="e"/>
s -> a -> b -> e
"""


# -- straight: same, renamed, inserted, removed -------------------------------------------------


def test_a_task_with_the_same_id_is_kept_under_its_number(version):
    case = Outside(version(STRAIGHT))
    number = case.at("a")
    new = version(
        STRAIGHT.replace('<userTask id="b"/>', '<userTask id="b"/><userTask id="c"/>').replace(
            "a -> b -> e", "a -> c -> b -> e"
        )
    )

    plan = case.plan(new)
    effects = case.move_to(new)

    assert [(line.node, line.fate, line.target) for line in plan.lines] == [("a", Fate.SAME, "a")]
    assert (effects, case.tasks) == ((), {number: "a"})
    assert case.run() == ["a", "c", "b"]


def test_a_renamed_task_needs_a_mapping_and_keeps_its_number(version):
    case = Outside(version(STRAIGHT))
    number = case.at("a")
    new = version(STRAIGHT.replace('"a"', '"accept"').replace("s -> a ->", "s -> accept ->"))

    with pytest.raises(MigrationRefused, match="新版本没有这个环节"):
        case.move_to(new)
    effects = case.move_to(new, {"a": "accept"})

    assert (effects, case.at("accept")) == ((), number)
    assert case.run() == ["accept", "b"]


def test_a_refused_migration_changes_nothing(version):
    case = Outside(version(STRAIGHT))
    before = case.state.encode()
    gone = version(STRAIGHT.replace('<userTask id="a"/>', "").replace("s -> a ->", "s ->"))

    with pytest.raises(MigrationRefused):
        case.move_to(gone)

    assert case.state.encode() == before


def test_it_goes_back_by_the_inverse_mapping(version):
    old = version(STRAIGHT)
    case = Outside(old)
    new = version(STRAIGHT.replace('"a"', '"accept"').replace("s -> a ->", "s -> accept ->"))
    before = case.state

    case.move_to(new, {"a": "accept"})
    case.move_to(old, {"accept": "a"})

    assert case.state == before


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"nothing": "a"}, "旧版本没有环节“nothing”"),
        ({"a": "nothing"}, "新版本没有环节“nothing”"),
        ({"a": "e"}, "不能对应"),
        ({"a": None}, "请指定对应的环节"),
        ({"s_to_a": "nothing"}, "新版本没有连线“nothing”"),
    ],
)
def test_it_refuses_a_mapping_that_names_nothing_or_another_kind(version, mapping, reason):
    case = Outside(version(STRAIGHT))

    with pytest.raises(MigrationRefused, match=reason):
        case.move_to(version(STRAIGHT), mapping)


def test_it_refuses_a_task_that_became_something_else(version):
    case = Outside(version(STRAIGHT))
    other = STRAIGHT.replace('<userTask id="a"/>', '<receiveTask id="a" messageRef="M"/>')

    with pytest.raises(MigrationRefused, match="人工办理.*等待消息"):
        case.move_to(version(other, '<message id="M" name="letter"/>'))


def test_it_refuses_what_is_over(version):
    case = Outside(version(STRAIGHT))
    case.run()

    with pytest.raises(MigrationRefused, match="已经结束"):
        case.move_to(version(STRAIGHT))


def test_an_outcome_is_known_under_the_new_name(version):
    asked = '<userTask id="a"><extensionElements><nl:task form="f" role="r"/><nl:outcome id="yes" name="是"/></extensionElements></userTask>'
    old = STRAIGHT.replace('<userTask id="a"/>', asked)
    body = old.replace('"a"', '"check"').replace("s -> a -> b -> e", "s -> check -> b -> g")
    new = (
        body
        + '<exclusiveGateway id="g"/><userTask id="x"/>\ng -[check.outcome = "yes"]-> x -> e\ng -default-> e'
    )
    case = Outside(version(old))
    case.do("a")

    case.move_to(version(new), {"a": "check"})

    assert case.run() == ["b", "x"]


# -- parallel branches and joins ----------------------------------------------------------------

FORK = """
<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> f -> a -> j -> z -> e
f -> b -> j
"""
THIRD = FORK.replace('<userTask id="b"/>', '<userTask id="b"/><userTask id="c"/>') + "f -> c -> j\n"


def test_a_token_at_a_join_is_kept_and_the_join_still_counts(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="b2"/>').replace(
        "f -> b -> j", "f -> b -> b2 -> j"
    )

    plan = case.plan(version(longer))
    case.move_to(version(longer))

    assert (What.TOKEN, Fate.SAME) in [(line.what, line.fate) for line in plan.lines]
    assert case.run() == ["b", "b2", "z"]


def test_it_refuses_a_join_that_would_wait_for_ever(version):
    case = Outside(version(FORK))

    with pytest.raises(MigrationRefused, match="汇合“j”永远等不齐：不会再有人从“c”过来"):
        case.move_to(version(THIRD))


def test_a_join_goes_at_once_when_the_missing_branch_is_gone(version):
    case = Outside(version(THIRD))
    for branch in ("a", "b"):
        case.do(branch)
    case.do("c")
    assert case.waiting() == ["z"]
    case = Outside(version(THIRD))
    case.do("a")
    case.do("b")

    with pytest.raises(MigrationRefused):  # c is still at work and has no counterpart
        case.move_to(version(FORK))


def test_a_token_on_a_flow_that_is_gone_is_mapped_or_dropped_explicitly(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="a2"/>').replace(
        "s -> f -> a -> j -> z -> e", "s -> f -> a -> a2 -> j -> z -> e"
    )
    new = version(longer)

    with pytest.raises(MigrationRefused, match="没有这条连线，请指定对应的连线或放弃"):
        case.move_to(new)
    with pytest.raises(MigrationRefused, match="永远等不齐"):
        case.move_to(new, {"a_to_j": None})
    case.move_to(new, {"a_to_j": "a2_to_j"})

    assert case.run() == ["b", "z"]


def test_a_token_at_a_join_may_be_sent_on_to_a_step_that_was_put_before_it(version):
    case = Outside(version(FORK))
    case.do("a")
    longer = FORK.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="a2"/>').replace(
        "s -> f -> a -> j -> z -> e", "s -> f -> a -> a2 -> j -> z -> e"
    )

    case.move_to(version(longer), {"a_to_j": "a_to_a2"})

    assert case.waiting() == ["a2", "b"]
    assert case.run() == ["a2", "b", "z"]


def test_a_join_that_has_become_a_simple_way_lets_its_token_go(version):
    case = Outside(version(FORK))
    case.do("a")
    apart = FORK.replace("f -> b -> j", "f -> b -> e2").replace(
        '<endEvent id="e"/>', '<endEvent id="e"/><endEvent id="e2"/>'
    )

    case.move_to(version(apart))

    assert case.waiting() == ["b", "z"]


STUCK = """
<startEvent id="s"/><exclusiveGateway id="f"/><userTask id="a"/><userTask id="b"/>
<parallelGateway id="j"/><userTask id="z"/><endEvent id="e"/>
s -> f -[true]-> a -> j -> z -> e
f -default-> b -> j
"""


def test_a_dropped_token_must_not_be_the_last_one(version):
    case = Outside(version(STUCK))
    case.do("a")
    assert case.waiting() == []

    with pytest.raises(MigrationRefused, match="不再有任何环节在办"):
        case.move_to(version(STUCK), {"a_to_j": None})


def test_a_version_without_the_mistake_frees_a_stuck_join(version):
    case = Outside(version(STUCK))
    case.do("a")

    case.move_to(version(STUCK.replace("parallelGateway", "exclusiveGateway")))

    assert case.run() == ["z"]


def test_a_token_must_not_be_sent_where_another_one_is_on_its_way(version):
    case = Outside(version(FORK))
    case.do("a")

    with pytest.raises(MigrationRefused, match="先后相接|永远等不齐"):
        case.move_to(version(FORK), {"a_to_j": "f_to_b"})


def test_it_refuses_two_tokens_one_behind_the_other(version):
    case = Outside(version(FORK))
    chain = """
    <startEvent id="s"/><userTask id="a"/><userTask id="b"/><userTask id="z"/><endEvent id="e"/>
    s -> a -> b -> z -> e
    """

    with pytest.raises(MigrationRefused, match="先后相接"):
        case.move_to(version(chain))


def test_an_inclusive_join_goes_by_the_new_ways(version):
    body = FORK.replace("parallelGateway", "inclusiveGateway")
    case = Outside(version(body))
    case.do("a")
    apart = body.replace("f -> b -> j", "f -> b -> e2").replace(
        '<endEvent id="e"/>', '<endEvent id="e"/><endEvent id="e2"/>'
    )

    case.move_to(version(apart))

    assert case.waiting() == ["b", "z"]


# -- subprocesses ---------------------------------------------------------------------------------

SUB = """
<startEvent id="s"/>
<subProcess id="sub"><startEvent id="s2"/><userTask id="in1"/><userTask id="in2"/><endEvent id="e2"/>
s2 -> in1 -> in2 -> e2
</subProcess>
<userTask id="z"/><endEvent id="e"/>
s -> sub -> z -> e
"""
FLAT = """
<startEvent id="s"/><userTask id="in1"/><userTask id="in2"/><userTask id="z"/><endEvent id="e"/>
s -> in1 -> in2 -> z -> e
"""


def test_it_goes_on_inside_a_subprocess(version):
    case = Outside(version(SUB))
    renamed = SUB.replace('"sub"', '"part"').replace("s -> sub", "s -> part")

    case.move_to(version(renamed), {"sub": "part"})

    assert case.run() == ["in1", "in2", "z"]


def test_a_subprocess_is_opened_around_what_the_new_version_encloses(version):
    case = Outside(version(FLAT))
    number = case.at("in1")
    guarded = SUB + (
        '<boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>P9D'
        '</timeDuration></timerEventDefinition></boundaryEvent><endEvent id="x"/>\nlate -> x\n'
    )

    plan = case.plan(version(guarded))
    case.move_to(version(guarded))

    assert [(line.node, line.fate) for line in plan.lines] == [("in1", Fate.MOVED)]
    assert case.tasks == {number: "in1"}
    assert [node for node, _, since in case.timers.values() if since == LATER] == ["late"]
    assert case.run() == ["in1", "in2", "z"]


def test_a_subprocess_that_is_gone_is_dissolved_with_its_data(version):
    local = SUB.replace(
        '<subProcess id="sub">',
        '<subProcess id="sub"><extensionElements><nl:input name="sum" value="40 + 2"/></extensionElements>',
    )
    case = Outside(version(local))

    plan = case.plan(version(FLAT))
    case.move_to(version(FLAT))

    assert [(line.node, line.fate) for line in plan.lines] == [
        ("sub", Fate.DISSOLVED),
        ("in1", Fate.MOVED),
    ]
    assert case.state.variables["sum"] == 42
    assert case.run() == ["in1", "in2", "z"]


def test_it_refuses_what_moves_out_of_a_subprocess_that_goes_on(version):
    case = Outside(version(SUB))
    out = """
    <startEvent id="s"/>
    <subProcess id="sub"><startEvent id="s2"/><userTask id="in2"/><endEvent id="e2"/>
    s2 -> in2 -> e2
    </subProcess>
    <userTask id="in1"/><userTask id="z"/><endEvent id="e"/>
    s -> in1 -> sub -> z -> e
    """

    with pytest.raises(MigrationRefused, match="移出了正在办理的“sub”"):
        case.move_to(version(out))


# -- multi-instance -------------------------------------------------------------------------------


def visits(
    sequential="false",
    loop='collection="homes" item="home" output="note" outputs="notes"',
    count="",
    body="userTask",
    inside="",
):
    return f"""
    <startEvent id="s"/><{body} id="visit"><extensionElements><nl:loop {loop}/></extensionElements>{inside}
    <multiInstanceLoopCharacteristics isSequential="{sequential}">{count}</multiInstanceLoopCharacteristics></{body}>
    <userTask id="z"/><endEvent id="e"/>
    s -> visit -> z -> e
    """


HOMES = {"homes": ["east", "west", "north"]}


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_the_middle_of_a_multi_instance_goes_on_with_counters_and_outputs(version, sequential):
    case = Outside(version(visits(sequential)), HOMES)
    case.do("visit", {"note": "first"})
    new = version(
        visits(sequential)
        .replace('"visit"', '"call"')
        .replace("s -> visit", "s -> call")
        .replace("-> z -> e", "-> y -> z -> e")
        + '<userTask id="y"/>'
    )

    case.move_to(new, {"visit": "call"})
    for number, word in enumerate(("second", "third")):
        assert case.waiting() == ["call"] * (1 if sequential == "true" else 2 - number)
        case.do("call", {"note": word})

    assert case.state.variables["notes"] == ["first", "second", "third"]
    assert case.run() == ["y", "z"]


def test_rounds_read_their_item_under_its_new_name(version):
    case = Outside(version(visits()), HOMES)
    new = version(
        visits().replace('item="home"', 'item="house"').replace('output="note"', 'output="house"')
    )

    case.move_to(new)
    for _ in range(3):
        case.do("visit")

    assert case.state.variables["notes"] == ["east", "west", "north"]


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (visits("true"), "不能在办理中途互换"),
        (
            visits(
                loop='output="note" outputs="notes"', count="<loopCardinality>3</loopCardinality>"
            ),
            "名单来源变了",
        ),
        (
            '<startEvent id="s"/><userTask id="visit"/><userTask id="z"/><endEvent id="e"/>\ns -> visit -> z -> e',
            "不再是多实例",
        ),
    ],
)
def test_it_refuses_a_loop_that_became_another(version, new, reason):
    case = Outside(version(visits()), HOMES)

    with pytest.raises(MigrationRefused, match=reason):
        case.move_to(version(new))


def test_it_refuses_to_collect_what_finished_rounds_did_not_leave(version):
    old = visits(loop='collection="homes" item="home"')
    case = Outside(version(old), HOMES)
    case.do("visit", {"note": "lost"})

    with pytest.raises(MigrationRefused, match="没有留下新版本要汇总的结果"):
        case.move_to(version(visits()))


def test_a_single_task_does_not_become_many_while_it_is_open(version):
    single = '<startEvent id="s"/><userTask id="visit"/><userTask id="z"/><endEvent id="e"/>\ns -> visit -> z -> e'
    case = Outside(version(single), HOMES)

    with pytest.raises(MigrationRefused, match="改成了多实例"):
        case.move_to(version(visits()))


def test_rounds_of_a_subprocess_go_on_each_where_it_is(version):
    inside = '<startEvent id="s2"/><userTask id="ask"/><userTask id="tell"/><endEvent id="e2"/>\ns2 -> ask -> tell -> e2\n'
    body = visits(loop='collection="homes" item="home"', body="subProcess", inside=inside)
    case = Outside(version(body), HOMES)
    case.do("ask", nth=1)
    longer = body.replace(
        '<userTask id="tell"/>', '<userTask id="tell"/><userTask id="note"/>'
    ).replace("ask -> tell", "ask -> note -> tell")

    case.move_to(version(longer))

    assert case.waiting() == ["ask", "ask", "tell"]
    assert sorted(case.run()) == ["ask", "ask", "note", "note", "tell", "tell", "tell", "z"]


# -- events ---------------------------------------------------------------------------------------


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


def test_a_complex_gateway_goes_on_swallowing_its_late_tokens(version):
    body = THIRD.replace(
        '<parallelGateway id="j"/>',
        '<complexGateway id="j"><activationCondition>activationCount &gt;= 2</activationCondition></complexGateway>',
    )
    case = Outside(version(body))
    case.do("a")
    case.do("b")
    assert case.waiting() == ["c", "z"]
    longer = body.replace('<userTask id="z"/>', '<userTask id="z"/><userTask id="early"/>').replace(
        "s -> f", "s -> early -> f"
    )

    case.move_to(version(longer))

    assert Phase.RESET in [element.phase for element in case.state.elements.values()]
    assert case.run() == ["c", "z"]
