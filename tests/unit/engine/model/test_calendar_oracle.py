"""5,000 spans counted a second time, straight from the published lists, by the slowest of means.

The lists are those of the `chinesecalendar` package, which copied them from the same notices on its
own; the counting here shares no line with the engine's.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest
from chinese_calendar.constants import holidays, workdays

from engine.model.calendar import Pause, WorkingCalendar
from engine.model.calendar_periods import DayRule
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import CalendarDays, WorkingDays
from engine.model.office_time import DEFAULT_HOURS, OfficeMinutes

SPANS = 5000
SEED = 20261122
DAY = timedelta(days=1)
FIRST, LAST = date(2004, 1, 2), date(2026, 8, 1)
CALENDAR = WorkingCalendar.default()
COUNTY = "349898000000"


def works(day: date, off: frozenset[date] = frozenset(), on: frozenset[date] = frozenset()) -> bool:
    """Straight from the lists: what the county says, else the notice, else Monday to Friday."""
    if day in off:
        return False
    if day in on or day in workdays:
        return True
    return day not in holidays and day.isoweekday() < 6


def nth(start: date, number: int, closed: set[date], **local: frozenset[date]) -> date:
    """The n-th working day after a day, days of a pause not counted."""
    day = start
    while number:
        day += DAY
        number -= works(day, **local) and day not in closed
    return day


def spans(number: int, salt: int = 0) -> list[tuple[random.Random, date]]:
    """So many days to begin on, each with a source of chance of its own."""
    chance = random.Random(SEED + salt)  # not for secrets
    width = (LAST - FIRST).days
    return [
        (random.Random(chance.random()), FIRST + timedelta(days=chance.randrange(width)))
        for _ in range(number)
    ]


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LOCAL_ZONE)


def last_counted(result) -> date:
    return (result.at.astimezone(LOCAL_ZONE) - timedelta(seconds=1)).date()


def test_every_day_of_23_years_is_as_published():
    wrong = [
        day
        for day in (date(2004, 1, 1) + timedelta(days=n) for n in range(8401))
        if CALENDAR.is_working_day(day) is not works(day)
    ]

    assert wrong == []


def test_5000_spans_end_where_the_published_lists_say():
    for chance, start in spans(SPANS):
        number = chance.randrange(1, 61)
        got = CALENDAR.end_of_period(at(start, chance.randrange(24)), WorkingDays(number))
        assert last_counted(got) == nth(start, number, set()), (start, number)
        assert not got.provisional


def test_5000_spans_with_local_days_and_pauses():
    for chance, start in spans(SPANS, 1):
        near = [start + timedelta(days=n) for n in range(1, 90)]
        off = frozenset(chance.sample(near, 4))
        on = frozenset(day for day in chance.sample(near, 3) if day not in off)
        calendar = CALENDAR.with_local_days(COUNTY, off, on).for_region(COUNTY)
        begins = start + timedelta(days=chance.randrange(0, 20))
        ends = begins + timedelta(days=chance.randrange(0, 15))
        pause = Pause(start=at(begins, 15), end=at(ends, 16), reason="等")
        closed = {begins + timedelta(days=n) for n in range((ends - begins).days + 1)}
        number = chance.randrange(1, 31)

        got = calendar.end_of_period(at(start), WorkingDays(number), pauses=(pause,))

        assert last_counted(got) == nth(start, number, closed, off=off, on=on), (start, number)


def test_5000_statutory_periods_move_off_days_off():
    for chance, start in spans(SPANS, 2):
        number = chance.randrange(1, 61)
        expected = start + timedelta(days=number)
        while not works(expected):
            expected += DAY

        got = CALENDAR.end_of_period(at(start), CalendarDays(number), rule=DayRule.STATUTORY)

        assert last_counted(got) == expected, (start, number)


@pytest.mark.parametrize("half", [False, True])
def test_office_minutes_are_counted_minute_by_minute(half):
    for chance, start in spans(120, 3 + half):
        halves = frozenset(start + timedelta(days=n) for n in range(0, 9, 2)) if half else ()
        calendar = CALENDAR.with_local_days(COUNTY, (), half_days=halves).for_region(COUNTY)
        begun = at(start, chance.randrange(24), chance.randrange(60))
        held = begun + timedelta(minutes=chance.randrange(600))
        pause = Pause(start=held, end=held + timedelta(minutes=chance.randrange(900)), reason="等")
        minutes = chance.randrange(1, 900)

        got = calendar.end_of_period(begun, OfficeMinutes(minutes), pauses=(pause,))

        assert got.at == slowly(begun, minutes, pause, frozenset(halves)), (begun, minutes, pause)


def slowly(begun: datetime, minutes: int, pause: Pause, halves: frozenset[date]) -> datetime:
    """Minute after minute: is it a working day, is the door open, does the clock run?"""
    now = begun
    while True:
        day, second = now.date(), now.hour * 3600 + now.minute * 60
        open_ = works(day) and any(
            a <= second < b for a, b in DEFAULT_HOURS[: 1 if day in halves else 2]
        )
        running = not (pause.start <= now < (pause.end or now))
        now += timedelta(minutes=1)
        minutes -= open_ and running
        if not minutes:
            return now
