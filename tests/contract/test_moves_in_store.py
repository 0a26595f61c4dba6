"""Returned, moved or ended: the rows of a case are exactly what its live elements wait for."""

from __future__ import annotations

import statistics
import time

import pytest

from engine import SYSTEM, errors
from engine.store.human_tasks import HumanTask
from engine.store.subscriptions import EventSubscription
from engine.store.timers import Timer
from tests.contract.case_rows import assert_rows_fit, beside, rows, stored, way

QUICK, ALL = 400, 1_000


def task(id: str, returns: str = "", inside: str = "", deadline: str = "") -> str:
    more = f' returns="{returns}"' if returns else ""
    more += f' deadline="{deadline}" ladder="default"' if deadline else ""
    return (
        f'<userTask id="{id}"><extensionElements><nl:task role="clerk"{more}/>'
        f"{inside}</extensionElements>"
    )


TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
ROUND = '<nl:loop collection="[1, 2, 3]" item="n"/>'
IN_TURN = '<multiInstanceLoopCharacteristics isSequential="true"/>'
AT_ONCE = "<multiInstanceLoopCharacteristics/>"
EARLIER = "apply a1 l1"
MODEL = f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:test">
<message id="M" name="letter"/><signal id="S" name="alarm"/>
<process id="case" name="流程case" isExecutable="true"><startEvent id="s"/>
{task("apply")}</userTask><parallelGateway id="f"/>
{task("a1", EARLIER, deadline="5wd")}</userTask>{task("a2", EARLIER, ROUND)}{AT_ONCE}</userTask>
{beside("ta", "a2", TIMER)}
<subProcess id="l1"><startEvent id="s1"/><subProcess id="l2"><startEvent id="s2"/>
 <subProcess id="l3"><extensionElements>{ROUND}</extensionElements>{IN_TURN}<startEvent id="s3"/>
 {task("deep", EARLIER, deadline="5wd")}</userTask><endEvent id="e3"/>{way("s3", "deep", "e3")}
 {beside("td", "deep", TIMER)}
 <subProcess id="esp" triggeredByEvent="true"><startEvent id="es" isInterrupting="false"><signalEventDefinition signalRef="S"/></startEvent>
 {task("extra", EARLIER)}</userTask><endEvent id="ee"/>{way("es", "extra", "ee")}</subProcess>
 </subProcess><endEvent id="e2"/>{way("s2", "l3", "e2")}</subProcess>
 <endEvent id="e1"/>{way("s1", "l2", "e1")}
</subProcess>
{beside("t1", "l1", '<messageEventDefinition messageRef="M"/>')}
<parallelGateway id="j"/>{task("z", EARLIER)}</userTask><endEvent id="e"/>
{way("s", "apply", "f", "a1", "a2", "j", "z", "e")}{way("f", "l1", "j")}
</process></definitions>""".encode()


@pytest.fixture
def desk(office):
    """An office with the model, in which Wang does everything."""
    office.engine.repository.deploy(office.package("case", MODEL), SYSTEM)
    return office


def give_back(office, activity: str, to: str) -> None:
    row = office.task("wang", activity)
    office.engine.runtime.return_to(row.id, to, office.actor("wang"), "材料不全")


@pytest.mark.parametrize(
    ("done", "origin", "to", "waiting"),
    [
        # yudao #867, #1128: out of one of two branches, back to the applicant
        (["apply"], "a1", "apply", ["apply"]),
        (["apply", "a1"], "a2", "apply", ["apply"]),
        # Flowable #4046: the other branch has many signers, or is three subprocesses deep
        (["apply", "a1", "a2"], "deep", "apply", ["apply"]),
        (["apply", "a1", "a2", "a2", "a2"], "deep", "apply", ["apply"]),
        # yudao #668, Flowable #3878: one of many signers sends the whole step back
        (["apply", "a1", "a2"], "a2", "a1", ["a1", "deep", "extra"]),
        # SpiffArena #1502, #530: from the depth to the outermost subprocess
        (["apply", "a1", "deep"], "deep", "l1", ["a2", "a2", "a2", "deep"]),
        (["apply", "a1", "a2", "a2", "a2", "deep", "deep", "deep"], "z", "apply", ["apply"]),
    ],
)
def test_a_return_leaves_the_rows_of_what_lives_and_no_others(desk, done, origin, to, waiting):
    case = desk.start()
    assert_rows_fit(desk, case)
    for activity in done:
        desk.complete("wang", activity)
    desk.engine.runtime.signal("alarm", region=desk.county)
    desk.engine.management.run_due()
    assert_rows_fit(desk, case)
    desk.travel(days=2)

    give_back(desk, origin, to)

    assert_rows_fit(desk, case)
    assert sorted(desk.waiting_at(case)) == waiting
    for _ in range(40):
        if desk.status(case) != "active":
            break
        desk.complete("wang", min(desk.waiting_at(case)))
        assert_rows_fit(desk, case)
    assert desk.status(case) == "completed"


def test_a_boundary_timer_of_a_step_is_armed_again_after_a_return(desk):
    """yudao #1018: there was no row for the second time."""
    case = desk.start()
    desk.complete("wang", "apply")
    for _ in range(3):
        desk.complete("wang", "a1")
        desk.travel(days=1)
        assert_rows_fit(desk, case)
        give_back(desk, "a2", "a1")

    fired = [fact for fact in desk.facts(case) if fact.kind == "timer.fired"]
    assert sum(fact.activity_id == "ta" for fact in fired) == 3


@pytest.mark.parametrize("done", [[], ["apply"], ["apply", "a1", "a2", "deep"]])
def test_a_case_that_is_ended_leaves_no_row_open(desk, done):
    case = desk.start()
    for activity in done:
        desk.complete("wang", activity)
    desk.engine.runtime.signal("alarm", region=desk.county)
    desk.engine.management.run_due()

    desk.engine.runtime.terminate(case, SYSTEM, "撤销申请")

    assert desk.status(case) == "terminated"
    assert rows(desk, Timer, case) == rows(desk, EventSubscription, case) == []
    assert rows(desk, HumanTask, case, HumanTask.__table__.c.is_open == 1) == []


def test_it_refuses_a_move_that_would_starve_the_join_and_keeps_every_row(desk):
    """Flowable #1641: the move was made, and the case waited at the join for ever."""
    case = desk.start()
    for activity in ("apply", "a1", "a2", "a2", "a2", "deep", "deep", "deep"):
        desk.complete("wang", activity)
    before = stored(desk, case)

    with pytest.raises(errors.InvalidState, match="永远等不齐"):
        give_back(desk, "z", "a1")

    assert stored(desk, case) == before
    assert_rows_fit(desk, case)


@pytest.mark.parametrize("rounds", [QUICK, pytest.param(ALL, marks=pytest.mark.slow)])
def test_a_thousand_returns_leave_state_and_time_and_history_query_as_they_were(desk, rounds):
    """Time is taken as the best of slices of the first and the last rounds; the machine is shared."""
    case = desk.start()
    spent, sizes, pages = [], [], []
    for number in range(rounds):
        started = time.process_time()
        desk.complete("wang", "apply")
        give_back(desk, "a1", "apply")
        spent.append(time.process_time() - started)
        if number % (rounds // 10) == rounds // 10 - 1:
            sizes.append(len(stored(desk, case)))
            pages.append(_page_time(desk, case))
    assert max(sizes) - min(sizes) <= 8, sizes
    assert desk.waiting_at(case) == ("apply",)
    assert_rows_fit(desk, case)
    slices = [statistics.median(spent[at : at + 50]) for at in range(0, rounds, 50)]
    assert min(slices[-4:]) <= 1.3 * min(slices[:4]) + 0.002, slices
    assert min(pages[-3:]) <= 1.3 * min(pages[:3]) + 0.002, pages


def _page_time(office, case) -> float:
    """How long the newest page of a case's history takes, the best of three."""
    found = []
    for _ in range(3):
        started = time.process_time()
        office.engine.history.timeline(case, SYSTEM, limit=50)
        found.append(time.process_time() - started)
    return min(found)
