"""Moves between versions inside scopes: subprocesses that come and go, rounds in their middle."""

from __future__ import annotations

import pytest

from engine.kernel.migration import Fate, MigrationRefused
from tests.unit.engine.kernel.migrating import LATER, Outside

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
