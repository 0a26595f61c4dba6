"""Withdrawn inside branches, loops and subprocesses: rows of what lives and no others."""

from __future__ import annotations

import pytest

from engine import SYSTEM, errors
from engine.kernel.state import ROOT
from engine.store.timers import EVENT, Timer
from tests.contract.case_rows import assert_rows_fit, beside, rows, state_of, way


def task(id: str, inside: str = "") -> str:
    return (
        f'<userTask id="{id}" name="{id}"><extensionElements>'
        f'<nl:task role="clerk" deadline="5wd" ladder="default" withdrawable="true"/>'
        f"{inside}</extensionElements>"
    )


TIMER = "<timerEventDefinition><timeDuration>P9D</timeDuration></timerEventDefinition>"
HEARS = '<messageEventDefinition messageRef="M"/>'
ROUND = '<nl:loop collection="[1, 2, 3]" item="n" output="said" outputs="answers"/>'
TURNS = '<nl:loop collection="[1, 2, 3]" item="n"/>'
IN_TURN = '<multiInstanceLoopCharacteristics isSequential="true"/>'
AT_ONCE = "<multiInstanceLoopCharacteristics/>"
MODEL = f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:test">
<message id="M" name="letter"/>
<process id="case" name="流程case" isExecutable="true"><startEvent id="s"/>
{task("apply")}</userTask>{beside("ta", "apply", TIMER)}{beside("ma", "apply", HEARS)}
<parallelGateway id="f"/>
{task("a1")}</userTask>{task("a2", ROUND)}{AT_ONCE}</userTask>
<subProcess id="l1"><startEvent id="s1"/>
 <subProcess id="l2"><extensionElements>{TURNS}</extensionElements>{IN_TURN}<startEvent id="s2"/>
 {task("deep")}</userTask><endEvent id="e2"/>{way("s2", "deep", "e2")}{beside("td", "deep", TIMER)}
 </subProcess><endEvent id="e1"/>{way("s1", "l2", "e1")}
</subProcess>{beside("t1", "l1", TIMER)}
<parallelGateway id="j"/>{task("z")}</userTask><endEvent id="e"/>
{way("s", "apply", "f", "a1", "a2", "j", "z", "e")}{way("f", "l1", "j")}
</process></definitions>""".encode()

A2 = ["apply", "a1"]
ALL_BUT_ONE = ["apply", "a1", "a2", "a2", "a2", "deep", "deep"]


@pytest.fixture
def desk(office):
    """An office with the model, in which Wang does everything."""
    office.engine.repository.deploy(office.package("case", MODEL), SYSTEM)
    return office


def last_done(office, case, activity):
    found = [
        row.id
        for row in office.engine.worklist.of_instance(case, office.actor("wang"))
        if row.activity_id == activity and row.status == "Completed"
    ]
    return max(found)


@pytest.mark.parametrize(
    ("done", "last", "meanwhile"),
    [
        ([], "apply", []),
        (["apply"], "a1", []),
        (["apply"], "a1", ["deep"]),
        (["apply"], "deep", []),
        (["apply"], "deep", ["a1"]),
        # one of three signers at once, while another one signs
        (A2, "a2", []),
        (A2, "a2", ["a2"]),
        # the last signer: the loop and its subprocess had ended
        ([*A2, "a2", "a2"], "a2", []),
        ([*A2, "deep", "deep"], "deep", ["a2"]),
        # the token that let the join go on, with what it had brought
        (ALL_BUT_ONE, "deep", []),
    ],
)
def test_a_withdrawal_leaves_the_case_as_if_it_had_not_been_completed(desk, done, last, meanwhile):
    case, other = desk.start(), desk.start()
    for one in (case, other):
        for activity in done:
            complete(desk, one, activity)
    step = complete(desk, case, last, max, said="先")
    for one in (case, other):
        for activity in meanwhile:
            complete(desk, one, activity, said="别人")

    desk.engine.tasks.withdraw(step, desk.actor("wang"), "写错")

    assert_rows_fit(desk, case)
    assert without_numbers(desk, case) == without_numbers(desk, other)
    for _ in range(30):
        if desk.status(case) != "active":
            break
        complete(desk, case, min(desk.waiting_at(case)))
        assert_rows_fit(desk, case)
    assert desk.status(case) == "completed"
    assert desk.engine.history.verify(case) == []


def complete(office, case, activity, pick=min, **data):
    """Complete the oldest open task of an activity of this case, or the newest; its id."""
    row = pick(
        (
            row
            for row in office.engine.worklist.of_instance(case, office.actor("wang"))
            if row.activity_id == activity and row.status in ("Ready", "Reserved", "InProgress")
        ),
        key=lambda row: row.id,
    )
    office.engine.tasks.complete(row.id, office.actor("wang"), {"said": "好", **data})
    return row.id


def without_numbers(office, case):
    """What lives below what, and what is said there; moments of completion apart."""
    state, _ = state_of(office, case)

    def at(number):
        element = state.elements[number]
        if number == ROOT:
            return ()
        return (*at(element.parent), (element.node, int(element.phase), element.place))

    return sorted(
        (at(number), sorted(map(str, state.locals.get(number, {}).items())))
        for number in state.elements
    ), sorted((flow, count) for (_, flow), count in state.arrived.items())


def test_a_timer_beside_the_task_keeps_the_instant_it_was_armed_for(desk):
    case = desk.start()
    before = {row.element: row.planned_at for row in rows(desk, Timer, case) if row.kind == EVENT}
    step = complete(desk, case, "apply")
    desk.travel(days=2)

    desk.engine.tasks.withdraw(step, desk.actor("wang"), "写错")

    after = {row.element: row.planned_at for row in rows(desk, Timer, case) if row.kind == EVENT}
    assert after == before
    desk.engine.runtime.correlate("letter", None)
    assert "message.received" in desk.kinds(case)


def test_it_is_refused_when_the_join_has_gone_on_without_it(desk):
    case = desk.start()
    for activity in ("apply", "a1", "a2", "a2"):
        complete(desk, case, activity)
    step = complete(desk, case, "a2")
    for _ in range(3):
        complete(desk, case, "deep")

    with pytest.raises(errors.InvalidState, match="汇合“j”已经通过"):
        desk.engine.tasks.withdraw(step, desk.actor("wang"), "写错")
    assert_rows_fit(desk, case)


def test_it_is_refused_when_a_signer_in_turn_has_begun(desk):
    case = desk.start()
    complete(desk, case, "apply")
    step = complete(desk, case, "deep")
    complete(desk, case, "deep")

    with pytest.raises(errors.InvalidState, match="不能撤回|已有进展"):
        desk.engine.tasks.withdraw(step, desk.actor("wang"), "写错")


def test_a_timer_that_fired_on_what_followed_refuses_it(desk):
    case = desk.start()
    step = complete(desk, case, "apply")
    desk.travel(days=10)

    with pytest.raises(errors.InvalidState, match="已经触发|已有进展"):
        desk.engine.tasks.withdraw(step, desk.actor("wang"), "写错")
    assert_rows_fit(desk, case)
