"""Jobs that were given up: asked again with the data as it was mended, and seen by somebody."""

from __future__ import annotations

from collections import Counter

import pytest

from engine import SYSTEM, errors, operation
from engine.execution import correlation
from tests.conftest import VILLAGE
from tests.contract.test_clock_starts import begun, timed
from tests.contract.test_clock_starts import deploy as deploy_clock

asked: list[dict[str, object]] = []


@operation("bank.pay")
def pay(_context, data):
    """A bank that knows only one payee."""
    asked.append(dict(data))
    if data["payee"] != "张三":
        raise RuntimeError("没有这个收款人")
    return {"paid": data["amount"]}


@pytest.fixture
def bank(open_on):
    asked.clear()
    office = open_on(pay)
    office.deploy(
        office.step(
            tag="serviceTask",
            id="send",
            extensions='<nl:operation name="bank.pay" mode="job"/>'
            '<nl:input name="payee" value="=payee"/>'
            '<nl:input name="amount" value="=amount * 100"/>',
        ),
        office.user_task("after"),
    )
    return office


def given_up(office, **variables):
    case = office.start(**variables)
    office.travel(days=1)
    (incident,) = office.engine.management.incidents(SYSTEM)
    return case, incident


def test_a_retry_asks_with_the_mended_variable(bank):
    case, incident = given_up(bank, payee="张散", amount=5)

    bank.engine.management.retry(incident.id, bank.actor("chen"), {"payee": "张三"})

    assert bank.waiting_at(case) == ("after",)
    assert asked[-1] == {"payee": "张三", "amount": 500}
    assert Counter(one["payee"] for one in asked) == {"张散": 8, "张三": 1}


def test_an_input_that_cannot_be_computed_still_says_so_and_changes_nothing(bank):
    case, incident = given_up(bank, payee="张散", amount=5)

    with pytest.raises(errors.Incident):
        bank.engine.management.retry(incident.id, bank.actor("chen"), {"amount": {"no": "number"}})

    assert bank.engine.management.incidents(SYSTEM)[0].id == incident.id
    assert bank.engine.runtime.instance(case, SYSTEM).variables["amount"] == 5


def test_a_call_goes_to_the_unit_that_was_mended(office):
    office.deploy(office.user_task("register"), key="child")
    office.deploy(
        office.call(
            "child",
            extensions='<nl:call binding="latest" region="=town"/><nl:input name="who" value="=who"/>',
        ),
    )
    case, incident = given_up(office, town="not a unit", who="张散")

    office.engine.management.retry(incident.id, SYSTEM, {"town": office.town, "who": "张三"})

    (child,) = office.engine.runtime.instances(SYSTEM, parent_id=case).rows
    assert child.region == office.town
    assert office.engine.runtime.instance(child.id, SYSTEM).variables["who"] == "张三"


# --- jobs of no case -----------------------------------------------------------------------------


@pytest.fixture
def stuck(office, monkeypatch):
    """A process that the clock begins, where beginning fails."""
    begin = correlation.begin
    working = [False]

    def fails(*arguments, **more):
        if not working[0]:
            raise RuntimeError("无法启动")
        return begin(*arguments, **more)

    monkeypatch.setattr(correlation, "begin", fails)
    deploy_clock(office, timed("timeDuration", "PT1H"))
    office.hire("admin", "系统管理员", ("sys_admin", office.county))
    office.travel(days=1)
    office.working = working
    return office


def test_a_start_by_the_clock_that_is_given_up_is_an_incident(stuck):
    (incident,) = stuck.engine.management.incidents(stuck.actor("admin"))

    assert incident.instance_id is None
    assert incident.activity_id == "begin"
    assert "流程round" in incident.message
    assert "无法启动" in incident.message
    assert incident.attempts == 8
    assert stuck.engine.management.health().open_incidents == 1
    assert stuck.engine.management.incidents(stuck.actor("chen")) == ()


def test_the_administrator_begins_it_again(stuck):
    admin = stuck.actor("admin")
    (incident,) = stuck.engine.management.incidents(admin)
    with pytest.raises(errors.NotAllowed):
        stuck.engine.management.retry(incident.id, stuck.actor("chen"))
    stuck.working[0] = True

    stuck.engine.management.retry(incident.id, admin)
    stuck.travel()

    (case,) = begun(stuck)
    assert stuck.engine.runtime.instance(case, SYSTEM).region == VILLAGE
    assert stuck.engine.management.incidents(admin) == ()
    with pytest.raises(errors.InvalidState):
        stuck.engine.management.retry(incident.id, admin)


def test_the_list_of_what_stands_still_settles_the_incident_too(stuck):
    (letter,) = stuck.engine.dead_letters.all()
    stuck.working[0] = True

    stuck.engine.dead_letters.retry(letter.kind, letter.id)
    stuck.travel()

    assert len(begun(stuck)) == 1
    assert stuck.engine.management.incidents(SYSTEM) == ()


def test_what_is_given_up_again_is_one_incident_again(stuck):
    (letter,) = stuck.engine.dead_letters.all()
    stuck.engine.dead_letters.retry(letter.kind, letter.id)

    stuck.travel(days=1)

    assert len(stuck.engine.management.incidents(SYSTEM)) == 1
