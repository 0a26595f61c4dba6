from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import region
from engine.model.region import InvalidRegion, Level

PROVINCE, CITY, COUNTY = "340000000000", "349800000000", "349898000000"
TOWN, VILLAGE, STATION = "349898101000", "349898101201", "349898000000.1"


@pytest.mark.parametrize(
    ("code", "level", "prefix", "parent", "shard"),
    [
        (region.COUNTRY, Level.COUNTRY, "", None, "000000"),
        (PROVINCE, Level.PROVINCE, "34", region.COUNTRY, "340000"),
        (CITY, Level.CITY, "3498", PROVINCE, "349800"),
        (COUNTY, Level.COUNTY, "349898", CITY, "349898"),
        (TOWN, Level.TOWN, "349898101", COUNTY, "349898"),
        (VILLAGE, Level.VILLAGE, VILLAGE, TOWN, "349898"),
        (STATION, Level.INSTITUTION, STATION, COUNTY, "349898"),
        # a town of a city without counties, as Dongguan's are
        ("441900003000", Level.TOWN, "441900003", "441900000000", "441900"),
    ],
)
def test_a_code_tells_its_level_prefix_parent_and_shard(code, level, prefix, parent, shard):
    assert region.level(code) is level
    assert region.prefix(code) == prefix
    assert region.parent(code) == parent
    assert region.shard(code) == shard


@pytest.mark.parametrize(
    ("seat", "unit", "covered"),
    [
        (COUNTY, COUNTY, True),
        (COUNTY, VILLAGE, True),
        (COUNTY, STATION, True),
        (CITY, STATION, True),
        (region.COUNTRY, VILLAGE, True),
        (VILLAGE, TOWN, False),
        (TOWN, "349898102201", False),
        (COUNTY, "349897000000", False),
        (STATION, STATION, True),
        (STATION, COUNTY, False),
        (STATION, "349898000000.10", False),
        (VILLAGE, VILLAGE + ".3", True),
        (TOWN, STATION, False),
    ],
)
def test_a_seat_covers_its_own_subtree_only(seat, unit, covered):
    assert region.covers(seat, unit) is covered


@pytest.mark.parametrize(
    "code", ["", "3498", "34989810100", "349898101000.0", "34989810100x", "000098000000", "٣" * 12]
)
def test_it_refuses_a_text_that_is_no_code(code):
    assert not region.is_code(code)
    for ask in (region.level, region.prefix, region.parent, region.shard):
        with pytest.raises(InvalidRegion):
            ask(code)
    with pytest.raises(InvalidRegion):
        region.covers(COUNTY, code)


def test_a_village_knows_everyone_above_it():
    assert region.ancestors(VILLAGE) == (TOWN, COUNTY, CITY, PROVINCE)
    assert region.at_level(VILLAGE, Level.COUNTY) == COUNTY
    assert region.at_level(COUNTY, Level.VILLAGE) is None


@given(st.from_regex(r"[1-9][0-9]{11}(\.[1-9])?", fullmatch=True))
def test_every_parent_covers_its_child_and_never_the_other_way_round(code):
    for above in (*region.ancestors(code), region.COUNTRY):
        assert region.covers(above, code)
        assert not region.covers(code, above)
