"""People, seats and substitutes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import SYSTEM, errors


def test_a_login_is_given_once(office):
    with pytest.raises(errors.AlreadyExists):
        office.engine.identity.create_participant("w2", name="王二", login="wang")


def test_a_seat_holds_from_its_first_through_its_last_day(office):
    office.hire("temp", "临时")
    office.engine.identity.assign_seat(
        "temp", "clerk", office.village, since=date(2026, 1, 6), until=date(2026, 1, 7)
    )

    held = []
    for _ in range(5):
        held.append(office.actor("temp").holds("clerk", office.village))
        office.clock.advance(timedelta(days=1))

    assert held == [False, True, True, False, False]


def test_a_day_begins_at_midnight_in_shanghai(office):
    office.hire("temp", "临时")
    office.engine.identity.assign_seat("temp", "clerk", office.village, since=date(2026, 1, 6))

    office.clock.set(office.clock.now().replace(hour=15, minute=59))
    assert not office.actor("temp").has_role("clerk")
    office.clock.advance(timedelta(minutes=1))
    assert office.actor("temp").has_role("clerk")


def test_an_ended_seat_gives_nothing_any_more(office):
    (seat,) = office.engine.identity.participant("wang").seats

    office.engine.identity.end_seat(seat.id)

    assert office.actor("wang").seats == ()


def test_who_was_deactivated_cannot_act(office):
    office.engine.identity.change_participant("wang", active=False)

    with pytest.raises(errors.NotFound):
        office.actor("wang")
    assert office.engine.identity.by_login("wang") is None
    assert "wang" not in [
        each.id for each in office.engine.identity.holders("clerk", office.village)
    ]


def test_a_substitute_holds_the_seats_of_the_absent_and_is_known_as_one(office):
    today = date(2026, 1, 5)
    office.engine.identity.substitute("zhao", "qian", today, today, by=office.actor("zhao"))

    seats = office.actor("qian").seats

    assert [(seat.role, seat.instead_of) for seat in seats] == [("clerk", None), ("head", "zhao")]


def test_a_substitution_that_was_ended_gives_no_seats_any_more(office):
    identity, today = office.engine.identity, date(2026, 1, 5)
    made = identity.substitute(
        "zhao", "qian", today, today + timedelta(days=9), by=office.actor("zhao"), reason="休假"
    )
    (listed,) = identity.substitutions("zhao")
    assert (listed.id, listed.substitute_id, listed.reason) == (made, "qian", "休假")

    identity.end_substitution(made)

    assert [seat.instead_of for seat in office.actor("qian").seats] == [None]
    with pytest.raises(errors.NotFound):
        identity.end_substitution("none")


@pytest.mark.parametrize("days", [-1])
def test_a_substitution_that_ends_before_it_begins_is_refused(office, days):
    today = date(2026, 1, 5)
    with pytest.raises(errors.InvalidInput):
        office.engine.identity.substitute(
            "wang", "li", today, today + timedelta(days=days), by=SYSTEM
        )


def test_people_are_found_by_place_role_and_name(office):
    identity = office.engine.identity

    def ids(**wanted):
        return {row.id for row in identity.participants(**wanted).rows}

    assert ids(unit=office.village) == {"wang", "li", "zhao"}
    assert ids(unit=office.town, below=True) == {"wang", "li", "zhao", "qian"}
    assert ids(role="head") == {"zhao"}
    assert ids(search="孙") == {"sun"}


def test_people_are_paged_by_login(office):
    first = office.engine.identity.participants(limit=2)
    second = office.engine.identity.participants(limit=10, cursor=first.next_cursor)

    logins = [row.login for row in (*first.rows, *second.rows)]
    assert logins == sorted(logins)
    assert len(logins) == office.engine.identity.count()
