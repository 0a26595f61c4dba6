"""The oracles of domain R2."""

from __future__ import annotations

import pytest

from workflows.demo.relief_people import TOWNS
from workflows.domain import funds, standard
from workflows.domain.profile import by_key
from workflows.domain.standard import Verdict


@pytest.mark.parametrize(
    ("level", "needy", "least", "most"),
    [
        ("一般", 1, 200_00, 500_00),
        ("一般", 2, 200_00, 500_00),
        ("一般", 3, 270_00, 500_00),
        ("一般", 5, 450_00, 500_00),
        ("重点", 1, 600_00, 1000_00),
        ("重点", 7, 630_00, 1000_00),
        ("重点", 11, 990_00, 1000_00),
    ],
)
def test_it_keeps_to_the_band_of_zhonggang(desk, apply, wan, level, needy, least, most) -> None:
    line = apply(needy)

    found = standard.propose(desk, wan, line, level)

    assert (found.least_fen, found.most_fen) == (least, most)
    assert found.check(least) is found.check(most) is Verdict.WITHIN
    assert found.check(least - 1) is found.check(most + 1) is Verdict.OUTSIDE
    assert not found.is_contradiction
    assert found.trace["note"]


@pytest.mark.parametrize(
    ("level", "needy", "least", "most"),
    [("一般", 6, 540_00, 500_00), ("重点", 12, 1080_00, 1000_00)],
)
def test_it_never_clamps_where_the_rules_contradict_each_other(
    desk, apply, wan, level, needy, least, most
) -> None:
    found = standard.propose(desk, wan, apply(needy), level)

    assert (found.least_fen, found.most_fen) == (least, most)
    assert found.is_contradiction
    assert found.check(least) is found.check(most) is Verdict.EXCEPTION
    assert found.check(least + 1) is Verdict.OUTSIDE


def test_it_gives_150_a_head_in_shangzhai_and_nothing_to_townspeople(desk, apply) -> None:
    profile = by_key("qian_shangzhai")

    rural = standard.propose(desk, profile, apply(4), "一般")
    urban = standard.propose(desk, profile, apply(4, hukou="城镇"), "一般")

    assert (rural.least_fen, rural.most_fen) == (600_00, 600_00)
    assert urban.eligible is False
    assert "不含城镇居民" in urban.note
    assert urban.check(0) is Verdict.OUTSIDE


def test_25000_yuan_reach_166_persons_and_the_167th_is_refused(desk, winter) -> None:
    persons, left = funds.affordable(2_500_000, 15_000)
    assert (persons, left) == (166, 10_000)

    for person in range(persons):
        funds.approve(desk, winter.id, (f"line-{person}", TOWNS[0]), 15_000)

    with pytest.raises(funds.OverAllotment):
        funds.approve(desk, winter.id, ("line-167", TOWNS[0]), 15_000)
    assert funds.view(desk.session, winter.id, TOWNS[0]).approved_fen == 166 * 15_000


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([("重点", 1, 300), ("一般", 2, 600)], True),
        ([("重点", 1, 600), ("一般", 2, 600)], False),
        ([("一般", 1, 300), ("一般", 2, 600)], False),
    ],
)
def test_it_notices_when_everybody_gets_the_same_a_head(apply, amounts, expected) -> None:
    lines = []
    for level, needy, fen in amounts:
        line = apply(needy)
        line.level, line.planned_fen = level, fen
        lines.append(line)

    assert standard.is_equal_split(lines) is expected


def test_those_without_a_house_come_first_when_money_is_short() -> None:
    order = sorted(["一般户", "低保", "倒房重建户", "分散供养特困"], key=standard.priority_of)

    assert order == ["倒房重建户", "分散供养特困", "低保", "一般户"]
