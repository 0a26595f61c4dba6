"""Policy rules that data decide are held while the process runs, on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from engine import operation, read_policy
from engine.execution.policy_guard import PolicyRefused


@operation("fund.book")
def book(_context: Any, data: Any) -> dict[str, object]:
    return {"total": data.get("total"), "cap": 100_00}


def rules(**sentence: object):
    return (read_policy({"id": "r", "law": "某法第1条", **sentence}),)


SUM = rules(sum_never_above={"at": "approve", "sum": "total", "cap": "cap", "before": "pay"})


def deployed(office, *, timer: str = "=until", policies=()) -> str:
    waits = office.step(
        tag="intermediateCatchEvent",
        id="wait",
        children=f"<bpmn:timerEventDefinition><bpmn:timeDate>{timer}</bpmn:timeDate>"
        "</bpmn:timerEventDefinition>",
    )
    return office.deploy(
        office.user_task("approve", operation="fund.book", deadline="5wd"),
        waits,
        office.user_task("pay", deadline="=pay_by"),
        policies=policies,
    )


def case(office, **variables: object) -> str:
    return office.start(**{"until": office.clock.now().isoformat(), "pay_by": "2wd", **variables})


@pytest.fixture
def desk(open_office, store_url):
    return open_office(store_url, operations=(book,))


def test_a_sum_above_its_cap_is_refused_and_nothing_is_booked(desk) -> None:
    deployed(desk, policies=SUM, timer="2026-01-05T00:00:00+08:00")
    case(desk)
    task = desk.task("wang")

    for total in (100_01, None, "much"):
        with pytest.raises(PolicyRefused, match="某法第1条"):
            desk.complete("wang", total=total)
        assert desk.see(task.id).status == task.status
        assert desk.see(task.id).version == task.version

    desk.complete("wang", total=100_00)


def test_a_timer_of_data_is_held_to_the_length_of_the_law(desk) -> None:
    least = rules(at_least={"span": "7d", "after": "approve", "before": "pay", "enforced": "wait"})
    deployed(desk, policies=least)
    short = case(desk, until="2026-01-11T00:00:00+08:00")

    with pytest.raises(PolicyRefused, match="7d"):
        desk.complete("wang", total=1)
    assert desk.waiting_at(short) == ("approve",)


def test_a_timer_of_data_that_is_long_enough_runs(desk) -> None:
    least = rules(at_least={"span": "7d", "after": "approve", "before": "pay", "enforced": "wait"})
    deployed(desk, policies=least)
    case_id = case(desk, until="2026-01-13T00:00:00+08:00")

    desk.complete("wang", total=1)

    assert desk.waiting_at(case_id) == ("wait",)


def test_a_length_that_depends_on_the_case_is_asked_there(desk) -> None:
    least = rules(
        at_least={
            "span": "7d", "after": "approve", "before": "pay", "enforced": "wait",
            "when": 'tier != "town"',
        }
    )  # fmt: skip
    deployed(desk, policies=least)
    case_id = case(desk, until="2026-01-08T00:00:00+08:00", tier="town")

    desk.complete("wang", total=1)

    assert desk.waiting_at(case_id) == ("wait",)


def test_a_deadline_that_comes_to_nothing_is_refused(desk) -> None:
    deployed(desk, policies=rules(deadline_and_ladder={}), timer="2026-01-01T00:00:00+08:00")
    case_id = case(desk, pay_by=None)

    desk.complete("wang", total=1)
    desk.travel(1)

    assert desk.waiting_at(case_id) == ("wait",)
    assert desk.engine.management.incidents(desk.actor("zhao"))
