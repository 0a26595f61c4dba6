"""Open tasks whose last holder has left are in front of those above, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import clock


@pytest.fixture
def office(open_office, store_url):
    return open_office(store_url)


def _unattended(office):
    office.clock.advance(timedelta(minutes=2))
    office.engine.management.run_due()
    return [row.id for row in office.engine.worklist.unattended(office.actor("chen")).rows]


def _leaves(office, who):
    for seat in office.engine.identity.participant(who).seats:
        office.engine.identity.end_seat(seat.id)


def test_tasks_of_an_office_that_emptied_are_unattended_until_somebody_comes(office):
    office.deploy(office.user_task("register"))
    office.start()
    office.start()
    taken = office.task("wang")
    office.engine.tasks.claim(taken.id, office.actor("wang"))
    assert _unattended(office) == []

    _leaves(office, "wang")
    assert _unattended(office) == [taken.id]

    _leaves(office, "li")
    assert len(_unattended(office)) == 2

    office.engine.identity.assign_seat("li", "clerk", office.village)
    assert _unattended(office) == [taken.id]


def test_a_stand_in_keeps_what_he_took_and_nothing_that_somebody_else_took(office):
    office.deploy(office.user_task("register"))
    office.start()
    office.start()
    his, others = (row.id for row in office.engine.worklist.page(office.actor("wang")).rows)
    office.engine.tasks.claim(others, office.actor("wang"))
    today = clock.local_date(office.clock.now())
    office.hire("sub", "代班", ("head", office.other_town))
    office.engine.identity.substitute(
        "li", "sub", since=today, until=today + timedelta(days=30), by=office.actor("chen")
    )
    office.engine.tasks.claim(his, office.actor("sub"))

    _leaves(office, "wang")

    assert _unattended(office) == [others]
