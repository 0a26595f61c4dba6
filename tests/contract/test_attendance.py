"""Open tasks whose last holder has left are in front of those above, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest


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
