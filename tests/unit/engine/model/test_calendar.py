"""Days: which count, added, counted, imported. Oracle: the chinesecalendar package (MIT)."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.calendar import (
    CalendarYearMissing,
    InvalidCalendar,
    WorkingCalendar,
    read_holiday_json,
)
from engine.model.errors import Incident

CALENDAR = WorkingCalendar.default()
DAY = timedelta(days=1)
FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)
KNOWN_DAYS = [FIRST + number * DAY for number in range((LAST - FIRST).days + 1)]
WORKED = [day for day in KNOWN_DAYS if chinese_calendar.is_workday(day)]


def test_every_announced_day_agrees_with_an_independent_table():
    differing = [
        day
        for day in KNOWN_DAYS
        if CALENDAR.is_working_day(day) is not chinese_calendar.is_workday(day)
    ]
    assert differing == []


def test_2026_makes_up_on_six_weekends():
    worked = [day for day in CALENDAR.tables[2026].work if day.year == 2026]
    assert worked == [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]


@pytest.mark.parametrize(
    ("start", "number", "end"),
    [
        (date(2026, 2, 14), 5, date(2026, 2, 28)),
        (date(2026, 2, 11), 7, date(2026, 2, 27)),
        (date(2026, 1, 4), 1, date(2026, 1, 5)),
        (date(2026, 2, 14), 0, date(2026, 2, 14)),
        (date(2026, 2, 20), 0, date(2026, 2, 20)),
        (date(2026, 2, 28), -5, date(2026, 2, 14)),
        (date(2026, 1, 17), 5, date(2026, 1, 23)),
    ],
)
def test_it_adds_working_days_without_counting_the_first(start, number, end):
    assert CALENDAR.add_working_days(start, number) == end


def test_five_thousand_random_spans_agree_with_plain_lists_of_days():
    chance = random.Random(20260104)
    for _ in range(5000):
        start, end = chance.choice(KNOWN_DAYS), chance.choice(KNOWN_DAYS[:400])
        end = min(start + (end - FIRST), LAST)
        counted = bisect_right(WORKED, end) - bisect_right(WORKED, start)
        assert CALENDAR.count_working_days(start, end) == counted
        if counted:
            nth = WORKED[bisect_right(WORKED, start) + counted - 1]
            assert CALENDAR.add_working_days(start, counted) == nth


@given(st.dates(date(2006, 1, 1), date(2033, 12, 31)), st.integers(-300, 300))
def test_adding_and_counting_agree(day, number):
    assert CALENDAR.count_working_days(day, CALENDAR.add_working_days(day, number)) == number


@given(st.dates(date(2004, 1, 1), date(2035, 12, 30)), st.integers(0, 200), st.integers(0, 200))
def test_counts_of_neighbouring_spans_add_up(day, first, second):
    middle = min(day + first * DAY, date(2035, 12, 31))
    end = min(middle + second * DAY, date(2035, 12, 31))
    parts = CALENDAR.count_working_days(day, middle) + CALENDAR.count_working_days(middle, end)
    assert parts == CALENDAR.count_working_days(day, end)


@given(st.dates(date(2004, 1, 1), date(2035, 10, 1)), st.integers(0, 90))
def test_days_counted_and_days_left_out_are_all_days(day, length):
    end = day + length * DAY
    left_out = CALENDAR.left_out_days(day, end)
    assert len(left_out) + CALENDAR.count_working_days(day, end) == length
    assert all(not CALENDAR.is_working_day(entry.day) and entry.reason for entry in left_out)


def test_it_tells_why_a_day_is_left_out():
    left_out = CALENDAR.left_out_days(date(2026, 9, 30), date(2026, 10, 11))
    reasons = {entry.day.day: entry.reason for entry in left_out}
    assert reasons == {**dict.fromkeys(range(1, 8), "国庆节"), 11: "周末"}


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 1, 5), "工作日"),
        (date(2026, 1, 4), "元旦调休上班"),
        (date(2026, 1, 10), "周末"),
        (date(2026, 2, 17), "春节"),
        (date(2015, 9, 3), "抗战胜利纪念日"),
    ],
)
def test_it_describes_a_day(day, text):
    assert CALENDAR.describe(day) == text


def test_the_coming_year_has_the_statutory_days_and_is_provisional():
    assert CALENDAR.provisional_years[0] == 2027
    assert not CALENDAR.is_provisional(date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2027, 1, 1))
    off = CALENDAR.tables[2027].off
    assert [day for day, name in off.items() if name == "春节"] == [
        date(2027, 2, 5) + number * DAY for number in range(4)
    ]
    # 6 and 7 February are a weekend: the law gives two working days back.
    assert off[date(2027, 2, 9)] == off[date(2027, 2, 10)] == "春节补假"
    statutory = [name for name in off.values() if not name.endswith("补假")]
    assert len(statutory) == 13


@pytest.mark.parametrize("year", [2027, 2028, 2029, 2030, 2031, 2032, 2033, 2034, 2035])
def test_a_provisional_year_gives_back_every_statutory_weekend_day(year):
    off = CALENDAR.tables[year].off
    statutory = {day for day, name in off.items() if not name.endswith("补假")}
    made_up = set(off) - statutory
    # In 2028 and 2031 Mid-Autumn falls on a day of National Day.
    assert len(statutory) == (12 if year in (2028, 2031) else 13)
    assert len(made_up) == sum(day.weekday() >= 5 for day in statutory)
    assert all(day.weekday() < 5 for day in made_up)


def test_a_year_without_table_is_an_incident_that_names_the_year():
    for day in (date(2003, 12, 31), date(2036, 1, 1)):
        with pytest.raises(CalendarYearMissing, match=str(day.year)) as raised:
            CALENDAR.is_working_day(day)
        assert isinstance(raised.value, Incident)
    with pytest.raises(CalendarYearMissing, match="2036"):
        CALENDAR.add_working_days(date(2035, 12, 30), 5)


def test_importing_the_announcement_ends_provisional_and_leaves_the_old_calendar_alone():
    imported = CALENDAR.with_year(2027, [date(2027, 1, 1)], [date(2027, 1, 2)], "cn-2027")
    assert imported.version == "cn-2027"
    assert imported.is_working_day(date(2027, 1, 2))
    assert imported.is_working_day(date(2027, 2, 9))
    assert not imported.is_provisional(date(2027, 1, 1))
    assert CALENDAR.version != imported.version
    assert not CALENDAR.is_working_day(date(2027, 1, 2))


def test_an_announcement_may_move_a_day_of_the_december_before():
    imported = CALENDAR.with_year(
        2027, {date(2027, 1, 1): "元旦", date(2026, 12, 31): "元旦"}, {date(2026, 12, 26): "元旦"}
    )
    assert imported.reason_off(date(2026, 12, 31)) == "元旦"
    assert imported.is_working_day(date(2026, 12, 26))
    assert imported.version == "cn-2026+2027"
    again = imported.with_table(CALENDAR.tables[2026])
    assert again.reason_off(date(2026, 12, 31)) == "元旦"


@pytest.mark.parametrize("year", [2004, 2009, 2018, 2026, 2027])
def test_every_year_survives_the_open_json_form(year):
    table = CALENDAR.tables[year]
    read = read_holiday_json(table.to_json())
    assert (read.off, read.work) == (table.off, table.work)


def entry(**changes: object) -> dict[str, object]:
    return {"name": "元旦", "date": "2027-01-01", "isOffDay": True, **changes}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "不是 JSON"),
        ("[]", "一个对象"),
        ({"days": []}, "year"),
        ({"year": "2027", "days": []}, "year"),
        ({"year": True, "days": []}, "year"),
        ({"year": 2027}, "days"),
        ({"year": 2027, "days": []}, "尚未公布"),
        ({"year": 2027, "days": ["2027-01-01"]}, "第 1 条"),
        ({"year": 2027, "days": [entry(), entry(name=" ")]}, "第 2 条缺少节日名称"),
        ({"year": 2027, "days": [entry(isOffDay="true")]}, "isOffDay"),
        ({"year": 2027, "days": [entry(date="2027-02-30")]}, "2027-02-30"),
        ({"year": 2027, "days": [entry(date=20270101)]}, "第 1 条的日期"),
        ({"year": 2027, "days": [entry(), entry()]}, "第 2 条：2027-01-01 重复"),
        ({"year": 2027, "days": [entry(date="2026-11-30")]}, "不属于 2027 年"),
        ({"year": 2027, "days": [entry(), entry(date="2027-01-04", isOffDay=False)]}, "周六或周日"),
    ],
)
def test_it_refuses_a_bad_import_and_names_the_entry(content, reason):
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(InvalidCalendar, match=reason):
        CALENDAR.with_holiday_json(text)


def test_it_refuses_a_day_that_is_both_off_and_worked():
    with pytest.raises(InvalidCalendar, match="既是放假日又是补班日"):
        CALENDAR.with_year(2027, [date(2027, 1, 2)], [date(2027, 1, 2)])
    with pytest.raises(InvalidCalendar, match="既是放假日又是补班日"):
        CALENDAR.with_local_days("349898000000", [date(2026, 1, 10)], [date(2026, 1, 10)])


def test_local_days_hold_in_their_area_and_the_nearer_rule_wins():
    festival = date(2026, 6, 4)
    local = CALENDAR.with_local_days("349898000000", {festival: "火把节"}).with_local_days(
        "349898101000", {}, {festival: "抗旱"}
    )
    assert local.is_working_day(festival)
    assert local.for_region("349898102201").reason_off(festival) == "火把节"
    assert local.for_region("349898101201").is_working_day(festival)
    assert local.for_region("110101001001") is local
    assert local.for_region("349898102000").left_out_days(date(2026, 6, 3), festival)[0].reason
    assert local.version == "cn-2026+349898000000+349898101000"


def test_local_days_are_replaced_unit_by_unit():
    one = CALENDAR.with_local_days("349898000000", [date(2026, 6, 4)])
    two = one.with_local_days("349898000000", [date(2026, 6, 5)])
    here = two.for_region("349898000000")
    assert here.is_working_day(date(2026, 6, 4))
    assert here.reason_off(date(2026, 6, 5)) == "本地假日"
