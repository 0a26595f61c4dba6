"""Ends of periods: Civil Code art. 200-204, pauses, cycles, and what is told about them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.calendar import DayRule, Pause, WorkingCalendar
from engine.model.calendar_periods import ClockIsPaused, CycleIsOver, last_day
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import CalendarDays, Span, WorkingDays, parse_cycle, parse_due

CALENDAR = WorkingCalendar.default()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("start", "due", "rule", "end"),
    [
        # complete at 24:00 of the tenth day after posting, rest day or not
        ("2026-01-04T09:00", "10d", None, "2026-01-15T00:00"),
        ("2026-01-04T23:59:59", "10d", None, "2026-01-15T00:00"),
        ("2026-01-04T00:00", "10d", None, "2026-01-15T00:00"),
        ("2026-02-08T09:00", "10d", None, "2026-02-19T00:00"),
        ("2026-01-04T09:00", "P10D", DayRule.WHOLE_DAYS, "2026-01-15T00:00"),
        # art. 203: a last day off moves to the next working day
        ("2026-02-08T09:00", "10d", DayRule.STATUTORY, "2026-02-25T00:00"),
        ("2026-02-18T09:00", "10d", DayRule.STATUTORY, "2026-03-01T00:00"),
        ("2026-01-04T09:00", "10d", DayRule.STATUTORY, "2026-01-15T00:00"),
        ("2026-01-31T09:00", "P1M", DayRule.WHOLE_DAYS, "2026-03-01T00:00"),
        ("2026-01-04T09:00", "P3M", DayRule.STATUTORY, "2026-04-08T00:00"),
        ("2026-01-20T09:00", "2026-02-17", DayRule.STATUTORY, "2026-02-25T00:00"),
        # to the second
        ("2026-01-04T09:00", "P10D", None, "2026-01-14T09:00"),
        ("2026-01-31T09:00", "P1M", None, "2026-02-28T09:00"),
        ("2026-02-14T09:30", "PT24H", None, "2026-02-15T09:30"),
        ("2026-02-14T09:30", "PT24H", DayRule.STATUTORY, "2026-02-15T09:30"),
        ("2026-02-14T09:30", "90m", None, "2026-02-14T11:00"),
        # working days
        ("2026-02-14T09:00", "5wd", None, "2026-03-01T00:00"),
        ("2026-02-11T17:00", "7wd", DayRule.STATUTORY, "2026-02-28T00:00"),
        ("2026-02-28T09:00", "-5wd", None, "2026-02-15T00:00"),
        ("2026-02-28T09:00", "-3d", None, "2026-02-26T00:00"),
        ("2026-02-28T09:00", "0wd", None, "2026-03-01T00:00"),
        # days and instants
        ("2026-01-04T09:00", "2026-01-20", None, "2026-01-21T00:00"),
        ("2026-01-04T09:00", "2026-01-20T12:00", None, "2026-01-20T12:00"),
        # the first firing of a cycle
        ("2026-01-04T09:00", "R/P1W", None, "2026-01-11T09:00"),
        ("2026-01-04T09:00", "R/2026-01-05T12:00:00+08:00/P1W", None, "2026-01-05T12:00"),
        ("2026-01-04T09:00", "R/2025-12-29T12:00:00+08:00/P1W", None, "2026-01-05T12:00"),
        ("2026-01-04T09:00", "R/1wd", None, "2026-01-05T09:00"),
    ],
)
def test_a_period_ends(start, due, rule, end):
    result = CALENDAR.end_of_period(at(start), parse_due(due), rule=rule)
    assert result.at == at(end)
    assert result.at.tzinfo is UTC


def test_a_day_begins_at_local_midnight_and_not_at_utc_midnight():
    just_after_midnight = datetime(2026, 1, 3, 16, 1, tzinfo=UTC)
    assert CALENDAR.end_of_period(just_after_midnight, CalendarDays(10)).at == at("2026-01-15")
    in_utc = CALENDAR.end_of_period(just_after_midnight, CalendarDays(10), UTC)
    assert in_utc.at == datetime(2026, 1, 14, tzinfo=UTC)


def test_it_tells_what_was_counted_and_what_was_not():
    result = CALENDAR.end_of_period(at("2026-02-14T09:00"), WorkingDays(5))
    assert result.counted_days == 5
    assert {entry.reason for entry in result.left_out} == {"春节"}
    assert len(result.left_out) == 9
    assert result.explanation == (
        "2026年2月14日当日不计，5个工作日",
        "不计2月15日至23日（春节）",
        "到2026年2月28日24:00为止",
    )


def test_it_tells_from_which_day_the_end_moved():
    result = CALENDAR.end_of_period(
        at("2026-02-08T09:00"), CalendarDays(10), rule=DayRule.STATUTORY
    )
    assert result.moved_from == date(2026, 2, 18)
    assert "最后一日2月18日为休假日，顺延至下一工作日" in result.explanation
    assert result.counted_days == 10


@pytest.mark.parametrize(
    ("start", "due", "rule", "provisional"),
    [
        ("2026-12-20T09:00", "5wd", None, False),
        ("2026-12-30T09:00", "5wd", None, True),
        ("2026-12-30T09:00", "10d", None, False),
        ("2026-12-31T09:00", "10d", DayRule.STATUTORY, True),
        ("2026-12-30T09:00", "PT240H", None, False),
        ("2027-01-05T09:00", "-3wd", None, True),
    ],
)
def test_only_a_count_that_asked_an_unannounced_year_is_provisional(start, due, rule, provisional):
    result = CALENDAR.end_of_period(at(start), parse_due(due), rule=rule)
    assert result.provisional is provisional
    assert any("暂定" in part for part in result.explanation) is provisional


def pause(start: str, end: str | None = None, reason: str = "补正材料") -> Pause:
    return Pause(start=at(start), end=None if end is None else at(end), reason=reason)


@pytest.mark.parametrize(
    ("due", "pauses", "end"),
    [
        ("PT24H", [pause("2026-01-05T12:00", "2026-01-05T15:00")], "2026-01-06T12:00"),
        # two that overlap count once; one before the start and one after the end not at all
        (
            "PT24H",
            [
                pause("2026-01-05T14:00", "2026-01-05T16:00"),
                pause("2026-01-05T12:00", "2026-01-05T15:00"),
                pause("2026-01-04T00:00", "2026-01-05T10:00"),
                pause("2026-01-09T00:00", "2026-01-10T00:00"),
            ],
            "2026-01-06T14:00",
        ),
        # a pause reached only because of an earlier pause
        (
            "PT24H",
            [
                pause("2026-01-05T12:00", "2026-01-05T15:00"),
                pause("2026-01-06T10:00", "2026-01-06T11:00"),
            ],
            "2026-01-06T13:00",
        ),
        # it was over before the pause began
        ("PT24H", [pause("2026-01-06T09:00")], "2026-01-06T09:00"),
        # whole days: every day touched is left out
        ("3wd", [pause("2026-01-06T15:00", "2026-01-07T10:00")], "2026-01-13T00:00"),
        ("3wd", [pause("2026-01-06T15:00", "2026-01-07T00:00")], "2026-01-10T00:00"),
        ("3d", [pause("2026-01-06T15:00", "2026-01-06T15:00")], "2026-01-09T00:00"),
        ("3d", [pause("2026-01-06T15:00", "2026-01-07T10:00")], "2026-01-11T00:00"),
        ("3d", [pause("2026-01-09T00:00")], "2026-01-09T00:00"),
        # a fixed day stands
        ("2026-01-20", [pause("2026-01-06T15:00")], "2026-01-21T00:00"),
    ],
)
def test_paused_time_is_not_counted(due, pauses, end):
    result = CALENDAR.end_of_period(at("2026-01-05T09:00"), parse_due(due), pauses=pauses)
    assert result.at == at(end)


def test_a_paused_day_is_left_out_with_the_reason_given():
    held = [pause("2026-01-06T15:00", "2026-01-07T10:00", "等待异议核实")]
    result = CALENDAR.end_of_period(at("2026-01-05T09:00"), WorkingDays(3), pauses=held)
    assert [(entry.day.day, entry.reason) for entry in result.left_out] == [
        (6, "等待异议核实"),
        (7, "等待异议核实"),
        (10, "周末"),
        (11, "周末"),
    ]
    shown = CALENDAR.left_out_days(date(2026, 1, 5), date(2026, 1, 12), held)
    assert shown == result.left_out


@pytest.mark.parametrize("due", ["PT48H", "5wd", "5d"])
def test_an_open_pause_holds_the_clock(due):
    held = [pause("2026-01-06T10:00")]
    result = CALENDAR.end_of_period(at("2026-01-05T09:00"), parse_due(due), pauses=held)
    assert result.is_paused
    assert result.at_or_none is None
    assert result.left_out == ()
    assert "计时暂停中" in result.explanation
    with pytest.raises(ClockIsPaused):
        assert result.at


def test_an_open_pause_also_holds_an_end_that_was_moving_off_a_rest_day():
    held = [pause("2026-02-19T10:00")]
    result = CALENDAR.end_of_period(
        at("2026-02-08T09:00"), CalendarDays(10), rule=DayRule.STATUTORY, pauses=held
    )
    assert result.is_paused


STARTS = st.datetimes(
    datetime(2025, 11, 1), datetime(2026, 4, 30), timezones=st.just(UTC), allow_imaginary=False
)


@st.composite
def closed_pauses(draw: st.DrawFn) -> list[Pause]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begins = draw(STARTS)
        found.append(Pause(start=begins, end=begins + draw(st.integers(0, 300)) * HOUR))
    return found


@given(STARTS, st.integers(0, 500), closed_pauses())
def test_a_paused_clock_never_advances(start, hours, pauses):
    end = CALENDAR.end_of_period(start, Span(seconds=hours * 3600), pauses=pauses).at
    edges = sorted({start, end, *(e for p in pauses for e in (p.start, p.end) if start < e < end)})
    running = timedelta()
    for left, right in pairwise(edges):
        if not any(p.start <= left and right <= p.end for p in pauses):
            running += right - left
    assert running == hours * HOUR


@given(STARTS, st.integers(1, 40), closed_pauses(), st.booleans())
def test_exactly_the_days_asked_for_are_counted(start, number, pauses, working):
    due = WorkingDays(number) if working else CalendarDays(number)
    result = CALENDAR.end_of_period(start, due, pauses=pauses)
    first, last = start.astimezone(LOCAL_ZONE).date(), last_day(result.at)
    counted = [
        day
        for day in (first + n * DAY for n in range(1, (last - first).days + 1))
        if not any(p.touches(day) for p in pauses) and (CALENDAR.is_working_day(day) or not working)
    ]
    assert len(counted) == number == result.counted_days
    assert counted[-1] == last


@given(STARTS, st.integers(1, 40), closed_pauses(), STARTS, st.integers(0, 300))
def test_another_pause_never_brings_the_end_forward(start, number, pauses, begins, hours):
    more = [*pauses, Pause(start=begins, end=begins + hours * HOUR)]
    for due in (WorkingDays(number), CalendarDays(number), Span(seconds=number * 3600)):
        without = CALENDAR.end_of_period(start, due, pauses=pauses).at
        assert CALENDAR.end_of_period(start, due, pauses=more).at >= without


@given(STARTS, st.integers(1, 60))
def test_a_statutory_end_is_a_working_day_and_never_earlier(start, number):
    plain = CALENDAR.end_of_period(start, CalendarDays(number)).at
    moved = CALENDAR.end_of_period(start, CalendarDays(number), rule=DayRule.STATUTORY)
    assert moved.at >= plain
    assert CALENDAR.is_working_day(last_day(moved.at))
    assert (moved.at == plain) is (moved.moved_from is None)


def test_a_pause_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        pause("2026-01-06T10:00", "2026-01-05T10:00")


@pytest.mark.parametrize(
    ("now", "due", "days"),
    [
        ("2026-02-14T09:00", "2026-03-01T00:00", 5),
        ("2026-02-28T23:00", "2026-03-01T00:00", 0),
        ("2026-03-01T00:00", "2026-03-01T00:00", -1),
        ("2026-03-03T09:00", "2026-03-01T00:00", -2),
        ("2026-01-05T09:00", "2026-01-05T18:00", 0),
    ],
)
def test_it_tells_the_working_days_that_remain(now, due, days):
    assert CALENDAR.remaining(at(now), at(due)) == days


@pytest.mark.parametrize(
    ("cycle", "after", "expected"),
    [
        ("R/P1W", "2026-01-04T09:00", (1, "2026-01-11T09:00")),
        ("R/P1W", "2026-01-11T09:00", (2, "2026-01-18T09:00")),
        ("R/PT1S", "2027-01-04T09:00:00", (31_536_001, "2027-01-04T09:00:01")),
        ("R2/P1W", "2026-01-18T09:00", None),
        ("R/P1W/2026-01-12T00:00:00+08:00", "2026-01-11T09:00", None),
        ("R/2026-01-31T09:00:00+08:00/P1M", "2026-01-31T09:00", (2, "2026-02-28T09:00")),
        ("R/2026-01-31T09:00:00+08:00/P1M", "2026-02-28T09:00", (3, "2026-03-31T09:00")),
        ("R/1wd", "2026-02-14T09:00", (32, "2026-02-24T09:00")),
        ("R/2d", "2026-01-04T09:00", (1, "2026-01-06T09:00")),
    ],
)
def test_a_cycle_fires_next(cycle, after, expected):
    found = CALENDAR.next_occurrence(parse_cycle(cycle), at("2026-01-04T09:00"), at(after))
    assert found == (None if expected is None else (expected[0], at(expected[1])))


def test_a_cycle_that_is_over_has_no_end_of_period():
    over = parse_cycle("R1/2025-01-01T00:00:00+08:00/P1D")
    with pytest.raises(CycleIsOver):
        CALENDAR.end_of_period(at("2026-01-04T09:00"), over)


@given(st.integers(0, 10_000))
def test_firings_follow_one_another_without_gap(hours):
    cycle, anchor = parse_cycle("R/P1DT1H"), at("2026-01-04T09:00")
    after = anchor + hours * HOUR
    number, fired = CALENDAR.next_occurrence(cycle, anchor, after)
    assert fired == anchor + number * (DAY + HOUR)
    assert fired - (DAY + HOUR) <= after < fired
