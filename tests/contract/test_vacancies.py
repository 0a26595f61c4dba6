"""Seats: which desk of which unit has nobody for a task of the process."""

from __future__ import annotations

from datetime import date

import pytest

from engine import Package


@pytest.fixture
def desk(open_office, store_url):
    return open_office(store_url)


def needed(office) -> Package:
    return office.package(
        "case",
        office.straight("case", office.user_task("register"), office.user_task("sign", "approver")),
        seats={"clerk": "village", "approver": "village", "head": "village", "county": "county"},
    )


def vacant(office, *units: str, **narrowed: object) -> list[tuple[str, str]]:
    page = office.engine.vacancies.page(needed(office), units, **narrowed)
    return [(row.unit, row.role) for row in page.rows]


def test_it_names_every_desk_that_has_nobody(desk) -> None:
    other = "349898101202"
    units = (desk.village, other, desk.town, desk.county)

    assert vacant(desk, *units) == [(other, "approver"), (other, "clerk")]
    row = desk.engine.vacancies.page(needed(desk), units).rows[1]
    assert (row.role_title, row.activities) == ("经办人", ("环节register",))


def test_it_asks_only_below_the_unit_that_is_asked_for(desk) -> None:
    assert vacant(desk, "349898101202", "349898102201", region="349898102000") == [
        ("349898102201", "approver"),
        ("349898102201", "clerk"),
    ]


def test_a_seat_counts_from_its_first_to_its_last_day(desk) -> None:
    other = "349898101202"
    until = date(2026, 3, 31)
    desk.engine.identity.assign_seat("sun", "clerk", other, date(2026, 3, 1), until)

    def empty(day: date) -> bool:
        return (other, "clerk") in vacant(desk, other, on=day)

    assert [empty(date(2026, *day)) for day in ((2, 28), (3, 1), (3, 31), (4, 1))] == [
        True, False, False, True,
    ]  # fmt: skip


def test_it_comes_in_pages_that_meet(desk) -> None:
    units = [f"34989810120{n}" for n in range(2, 6)]
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = desk.engine.vacancies.page(needed(desk), units, cursor=cursor, limit=3)
        assert page.total == 8
        seen += [(row.unit, row.role) for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == vacant(desk, *units)
    assert len(seen) == 8
