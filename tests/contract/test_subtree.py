"""Lists and counts of whole subtrees: every task once, however many counties and however little
is looked at for one page."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import create_engine, literal, select

from engine import SYSTEM, UnitLoad, region
from engine.services import subtree
from engine.store import human_tasks
from tests.contract import whole_lists

COUNTIES = ("349801", "349802", "349898")
CITY = "349800000000"


@pytest.fixture
def office(office):
    office.deploy(office.user_task("register", subject="=name", deadline="=limit", unit="=place"))
    office.start(name="样", limit="5d", place=office.village)
    office.hire("above", "上级", ("clerk", CITY))
    return office


def lay(office, number, *, hours=1.0, yellow_every=None, key=None, town="101"):
    """Copies of the one task over three counties and thirty villages, due one after another."""
    now = office.engine.clock.now()
    with office.engine.database.write() as tx:
        known = tx.rows(human_tasks.BY_ID, {"task_id": office.task("wang").id})[0]._asdict()
        rows = []
        for index in range(number):
            county = COUNTIES[index % 3]
            place = f"{county}{town}{201 + index % 30}"
            due = now + timedelta(hours=hours * (index + 1))
            yellow = yellow_every is not None and index % yellow_every == 0
            rows.append(
                {
                    **known, "id": f"{town}{number:010}{index:023}", "shard": county,
                    "region": place, "unit": place, "due_at": due, "due_sort": due,
                    "warn_at": now - timedelta(hours=1) if yellow else due,
                    "process_key": key or known["process_key"],
                }
            )  # fmt: skip
        tx.write_all(human_tasks.INSERT, rows)
    return [row["id"] for row in rows]


def walked(look, actor):
    """Ids of all pages, and how long each page was."""
    rows, lengths = whole_lists.walked(partial(look, actor), limit=7)
    return [row.id for row in rows], lengths


def test_the_counties_below_a_city_make_one_list_in_order(office):
    ids = lay(office, 60)

    seen, lengths = walked(office.engine.worklist.open_below, office.actor("above"))

    assert [one for one in seen if one in ids] == ids
    assert len(seen) == len(set(seen)) == 61
    assert set(lengths[:-1]) == {7}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (CITY, 60),
        ("349801000000", 20),
        ("349801101000", 20),
        ("349801101201", 2),
        ("349803000000", 0),
    ],
)
def test_each_sees_what_lies_below_him(office, unit, expected):
    ids = lay(office, 60)
    office.hire("one", "某", ("clerk", unit))

    seen, _ = walked(office.engine.worklist.open_below, office.actor("one"))

    assert len(set(seen) & set(ids)) == expected


def test_the_system_sees_all_counties(office):
    ids = lay(office, 60)

    assert set(walked(office.engine.worklist.open_below, SYSTEM)[0]) > set(ids)


def test_a_page_that_looked_far_enough_ends_and_the_next_goes_on(office, monkeypatch):
    monkeypatch.setattr(subtree, "FIRST_WINDOW", 3)
    monkeypatch.setattr(subtree, "WINDOW", 12)
    ids = lay(office, 90, yellow_every=29)

    seen, lengths = walked(office.engine.worklist.warned, office.actor("above"))

    assert seen == [ids[0], ids[29], ids[58], ids[87]]
    assert 0 in lengths


def test_the_late_ones_of_a_village_are_found_behind_those_of_its_neighbours(office, monkeypatch):
    monkeypatch.setattr(subtree, "FIRST_WINDOW", 3)
    monkeypatch.setattr(subtree, "WINDOW", 9)
    ids = lay(office, 90)
    office.hire("one", "某", ("clerk", "349802101205"))
    office.travel(hours=80)

    seen, _ = walked(office.engine.worklist.overdue, office.actor("one"))

    assert seen == [one for number, one in enumerate(ids[:80]) if number % 30 == 4]


def test_a_process_that_is_none_of_his_hides_nothing_that_is(office, monkeypatch):
    monkeypatch.setattr(subtree, "FIRST_WINDOW", 3)
    monkeypatch.setattr(subtree, "WINDOW", 9)
    lay(office, 50, key="other")
    ids = lay(office, 9, hours=100, town="102")

    seen, _ = walked(office.engine.worklist.open_below, office.actor("above"))

    assert set(seen) >= set(ids)
    assert len(seen) == 10


def test_two_seats_one_above_the_other_count_a_task_once(office):
    lay(office, 30)
    office.hire("both", "两处", ("clerk", CITY), ("clerk", "349801101000"))
    both = office.actor("both")

    assert len(walked(office.engine.worklist.open_below, both)[0]) == 31
    assert sum(one.open for one in office.engine.worklist.load(both)) == 31


def test_the_load_counts_each_unit_late_and_today(office):
    lay(office, 60)
    office.travel(hours=30)

    load = {one.unit: one for one in office.engine.worklist.load(office.actor("above"))}

    assert sum(one.open for one in load.values()) == 61
    assert sum(one.overdue for one in load.values()) == 30
    assert load["349801101201"].open == 2
    assert all(one.counted_until is None for one in load.values())


def test_the_load_of_a_full_county_says_how_far_it_was_counted(office, monkeypatch):
    monkeypatch.setattr(subtree, "COUNTED", 10)
    monkeypatch.setattr(subtree, "COUNTED_IN_EACH", 5)
    lay(office, 60)
    office.travel(hours=6)
    now = office.engine.clock.now()

    load = office.engine.worklist.load(office.actor("above"))

    assert sum(one.open for one in load) == 15
    assert sum(one.overdue for one in load) == 6
    assert all(one.counted_until is not None and one.counted_until > now for one in load)


@pytest.mark.parametrize("level", list(region.Level)[:6])
def test_the_load_summed_to_a_level_is_the_sum_of_its_units(office, level):
    lay(office, 40)
    lay(office, 9, hours=100, town="102")
    office.travel(hours=30)
    above = office.actor("above")

    sums: dict[str, list[UnitLoad]] = {}
    for one in office.engine.worklist.load(above):
        sums.setdefault(region.at_level(one.unit, level) or one.unit, []).append(one)

    assert {one.unit: one for one in office.engine.worklist.load(above, level=level)} == {
        unit: UnitLoad.of(unit, those) for unit, those in sums.items()
    }


UNITS = (
    "349811101201",
    "349811101000",
    "349811000000",
    "349800000000",
    "340000000000",
    "349811101201.3",
    "349800000000.1",
    # a county governed by its province, a town directly below a city
    "340023101201",
    "349800101201",
)


@pytest.mark.parametrize("level", [one for one in region.Level if 0 < one.value <= 12])
def test_a_unit_is_summed_to_the_one_above_it_or_stands_for_itself(level):
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        for unit in UNITS:
            code = connection.execute(select(subtree._beginning(literal(unit), level))).scalar()
            assert code.ljust(12, "0") == (region.at_level(unit, level) or unit)
    engine.dispose()
