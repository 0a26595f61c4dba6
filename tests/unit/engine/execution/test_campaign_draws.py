"""Chance, working hours and dates of campaigns: what they are made of, one by one."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import WorkingCalendar
from engine.execution import campaign_draws as draws
from engine.execution.campaign_schedule import Rule, feasibility
from engine.execution.working_hours import DEFAULT_HOURS, NoHours, WorkingHours, read_hours
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import parse_duration

CALENDAR = WorkingCalendar.default()
FIRST = date(2026, 2, 9)  # a Monday; the Spring Festival is from the 15th to the 23rd


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("raw", "mean", "spread"),
    [
        ("30m", 1800, 0),
        ({"draw": "constant", "value": "2h"}, 7200, 0),
        ({"draw": "uniform", "low": "10m", "high": "30m"}, 1200, 1200 / math.sqrt(12)),
        (
            {"draw": "triangular", "low": "0m", "mode": "10m", "high": "20m"},
            600,
            1200 / math.sqrt(24),
        ),
        ({"draw": "exponential", "mean": "15m"}, 900, 900),
        ({"draw": "log-normal", "mean": "20m", "sd": "10m"}, 1200, 600),
    ],
)
def test_a_distribution_draws_what_its_name_says(raw, mean, spread):
    distribution = draws.read_distribution(raw, draws.seconds)
    assert distribution.mean == pytest.approx(mean)
    found = [distribution.draw(Random(f"{raw}/{n}")) for n in range(8_000)]
    # Six standard errors: a right distribution fails once in a billion seeds, and these are fixed.
    assert fmean(found) == pytest.approx(mean, abs=max(6 * spread / math.sqrt(len(found)), 1e-6))
    assert pstdev(found) == pytest.approx(spread, rel=0.08, abs=1e-6)
    assert min(found) >= 0


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("5wd", "不是若干小时"),
        ("-5m", "小于 0"),
        (30, "应写成"),
        ({"draw": "normal", "mean": "5m"}, "不认识的分布"),
        ({"draw": "uniform", "low": "5m"}, "缺少 high"),
        ({"draw": "uniform", "low": "5m", "high": "1m"}, "low ≤ mode ≤ high"),
        ({"draw": "triangular", "low": "1m", "mode": "9m", "high": "5m"}, "low ≤ mode ≤ high"),
        ({"draw": "exponential", "mean": "5m", "sd": "1m"}, "不认识“sd”"),
    ],
)
def test_it_refuses_a_time_that_is_none(raw, reason):
    with pytest.raises(draws.BadDraw, match=reason):
        draws.read_distribution(raw, draws.seconds)


def test_a_second_stream_does_not_change_what_the_first_draws():
    alone = draws.Streams(7)
    beside = draws.Streams(7)
    drawn = []
    for _ in range(5):
        drawn.append(beside.of("b").random())
        assert beside.of("a").random() == alone.of("a").random()
    assert draws.Streams(8).of("a").random() != draws.Streams(7).of("a").random()
    assert drawn[0] == draws.Streams(7).of("b").random()


def test_shares_come_in_their_proportion():
    shares = draws.read_shares({"approve": 92, "return": 6, "reject": 2, "never": 0})
    chance = Random(1)
    found = [shares.draw(chance) for _ in range(20_000)]
    assert found.count("approve") / 20_000 == pytest.approx(0.92, abs=0.01)
    assert found.count("reject") / 20_000 == pytest.approx(0.02, abs=0.005)
    assert "never" not in found


@given(
    total=st.integers(0, 5_000),
    weights=st.dictionaries(st.text("ab", min_size=1), st.integers(0, 90), min_size=1).filter(
        lambda found: sum(found.values()) > 0
    ),
)
def test_a_split_adds_up_and_stays_next_to_the_exact_share(total, weights):
    parts = draws.split(total, weights)
    assert sum(parts.values()) == total
    for name, part in parts.items():
        assert abs(part - total * weights[name] / sum(weights.values())) < 1


def asked(**known: object) -> draws.Asked:
    return draws.Asked(
        lookup=known.get,
        now=at("2026-02-13T10:00"),
        calendar=CALENDAR,
        streams=draws.Streams(1),
    )


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (3, 3),
        ("=a + 1", Decimal(5)),
        ({"x": ["=a", "b"]}, {"x": [Decimal(4), "b"]}),
        ({"after": "5wd", "day": True}, date(2026, 2, 27)),
        ({"after": "=span"}, at("2026-02-21T00:00")),
        ({"draw": "shares", "of": {"x": 1}}, "x"),
        ({"draw": "constant", "value": Decimal("2.5")}, Decimal("2.5")),
        ({"draw": "uniform", "low": 3, "high": 3, "whole": True}, 3),
    ],
)
def test_values_are_computed_counted_or_drawn(raw, value):
    assert draws.compile_value(raw, "x")(asked(a=Decimal(4), span="7d")) == value


# -- working hours ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-02-09T09:00", 60, "2026-02-09T10:00"),
        ("2026-02-09T11:30", 60, "2026-02-09T14:00"),  # over lunch
        ("2026-02-09T17:00", 60, "2026-02-10T09:30"),  # over night
        ("2026-02-09T16:30", 60, "2026-02-09T17:30"),  # done when the office closes
        ("2026-02-09T03:00", 30, "2026-02-09T09:30"),
        ("2026-02-13T17:00", 60, "2026-02-14T09:30"),  # a Saturday worked for the festival
        ("2026-02-14T17:00", 60, "2026-02-24T09:30"),  # nobody works at the Spring Festival
        ("2026-02-16T12:00", 7 * 60, "2026-02-24T17:30"),
    ],
)
def test_work_rests_at_night_at_lunch_and_on_days_off(start, minutes, end):
    hours = WorkingHours(CALENDAR, FIRST)
    assert hours.after(at(start), minutes * 60) == at(end)


@given(st.integers(0, 40 * 86_400), st.integers(1, 200_000))
def test_no_second_is_worked_outside_the_hours(offset, seconds):
    hours = WorkingHours(CALENDAR, FIRST)
    start = at("2026-02-09T00:00") + timedelta(seconds=offset)
    end = hours.after(start, seconds)
    assert hours.worked(end) - hours.worked(start) == seconds
    last = end - timedelta(seconds=1)
    assert hours.is_open(last)
    local = last.astimezone(LOCAL_ZONE)
    assert CALENDAR.is_working_day(local.date())
    second = local.hour * 3600 + local.minute * 60 + local.second
    assert any(low <= second < high for low, high in DEFAULT_HOURS)
    opening = hours.opening(start)
    assert opening >= start
    assert hours.is_open(opening)
    assert hours.worked(opening) == hours.worked(start)


def test_a_station_works_every_day_and_night():
    hours = WorkingHours(CALENDAR, FIRST, read_hours(["00:00-24:00"]), every_day=True)
    assert hours.after(at("2026-02-15T22:00"), 4 * 3600) == at("2026-02-16T02:00")


@pytest.mark.parametrize("texts", [[], ["9-12"], ["12:00-09:00"], ["09:00-12:00", "11:00-13:00"]])
def test_it_refuses_hours_that_are_none(texts):
    with pytest.raises(NoHours):
        read_hours(texts)


# -- dates that cannot be kept ----------------------------------------------------------------


def rule(name: str, *after: str, within=None, not_before=None, by=None, law="") -> Rule:
    return Rule(
        name=name,
        law=law,
        after=after,
        within=None if within is None else parse_duration(within),
        not_before=not_before,
        by=by,
    )


def the_pair(year: int) -> tuple[Rule, ...]:
    return (
        rule("report", by=date(year, 1, 17), law="L41"),
        rule("pay", "report", within="5wd", law="L41"),
        rule("all paid", "pay", by=date(year, 1, 20), law="L27"),
    )


@pytest.mark.parametrize("year", range(2020, 2028))
def test_the_two_rules_of_the_sources_contradict_each_other_every_year(year):
    found = feasibility(the_pair(year), date(year - 1, 12, 1), CALENDAR)
    (conflict,) = found.conflicts
    assert not found.feasible
    assert (conflict.needs.name, conflict.until.name) == ("pay", "all paid")
    assert conflict.counted_on == date(year, 1, 17)
    assert conflict.earliest == CALENDAR.add_working_days(date(year, 1, 17), 5)
    assert date(year, 1, 22) <= conflict.earliest <= date(year, 1, 29)
    assert "L41" in conflict.sentence
    assert "L27" in conflict.sentence


@pytest.mark.parametrize("year", range(2020, 2028))
def test_the_day_it_must_move_to_is_the_last_that_keeps_both(year):
    (conflict,) = feasibility(the_pair(year), date(year - 1, 12, 1), CALENDAR).conflicts
    assert conflict.move_to is not None
    limit = date(year, 1, 20)
    assert CALENDAR.add_working_days(conflict.move_to, 5) <= limit
    assert CALENDAR.add_working_days(conflict.move_to + timedelta(days=1), 5) > limit


def test_the_latest_start_keeps_every_date_and_the_day_after_does_not():
    rules = (
        rule("survey", within="20wd"),
        rule("notice", "survey", within="10d"),
        rule("paid", "notice", within="5wd", by=date(2026, 1, 20)),
    )
    found = feasibility(rules, date(2025, 12, 20), CALENDAR)
    assert not found.feasible
    assert found.conflicts[0].counted_on == date(2025, 12, 20)
    # 12-03 + 20wd = 12-31, + 10d = 01-10, + 5wd = 01-16; from 12-04 the 20th is Sunday 01-04,
    # worked for the New Year, and the end is 01-21.
    assert found.latest_start == date(2025, 12, 3)
    assert feasibility(rules, date(2025, 12, 3), CALENDAR).feasible
    assert not feasibility(rules, date(2025, 12, 4), CALENDAR).feasible


def test_no_start_helps_where_a_rule_may_not_begin_in_time():
    rules = (
        rule("notice", within="10d", not_before=date(2027, 1, 4)),
        rule("pay", "notice", within="5wd"),
        rule("all paid", "pay", by=date(2027, 1, 20)),
    )
    found = feasibility(rules, date(2026, 12, 1), CALENDAR)
    assert found.latest_start is None
    assert found.conflicts[0].earliest == date(2027, 1, 21)
