from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.clock import LOCAL_ZONE
from engine.model.duration import (
    CalendarDays,
    Cycle,
    InvalidDuration,
    Span,
    WorkingDays,
    add_months,
    add_span,
    parse_cycle,
    parse_due,
    parse_duration,
)
from engine.model.duration_words import in_words
from engine.model.errors import Rejected


@pytest.mark.parametrize(
    ("text", "value", "canonical"),
    [
        ("P3D", Span(days=3), "P3D"),
        ("PT24H", Span(seconds=86400), "PT24H"),
        ("P1M", Span(months=1), "P1M"),
        ("P14M", Span(months=14), "P1Y2M"),
        ("P1Y2M10DT2H30M", Span(months=14, days=10, seconds=9000), "P1Y2M10DT2H30M"),
        ("P2W", Span(days=14), "P14D"),
        ("p1dt1h", Span(days=1, seconds=3600), "P1DT1H"),
        ("PT1.5S", Span(seconds=1, microseconds=500_000), "PT1.5S"),
        ("PT0,5H", Span(seconds=1800), "PT30M"),
        ("P0.5D", Span(seconds=43200), "PT12H"),
        ("P0.5Y", Span(months=6), "P6M"),
        ("-P3D", Span(days=-3), "-P3D"),
        ("P-3D", Span(days=-3), "-P3D"),
        ("-PT1.5S", Span(seconds=-1, microseconds=-500_000), "-PT1.5S"),
        ("P1DT-1H", Span(days=1, seconds=-3600), "P1DT-1H"),
        ("PT0S", Span(), "PT0S"),
        ("5wd", WorkingDays(5), "5wd"),
        ("-20wd", WorkingDays(-20), "-20wd"),
        ("7d", CalendarDays(7), "7d"),
        ("24h", Span(seconds=86400), "PT24H"),
        ("90m", Span(seconds=5400), "PT1H30M"),
        ("  5wd ", WorkingDays(5), "5wd"),
    ],
)
def test_it_reads_a_duration_and_writes_its_canonical_text(text, value, canonical):
    assert parse_duration(text) == value
    assert str(value) == canonical
    assert parse_duration(canonical) == value


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "没有填写"),
        ("3 days", 0, "不认识"),
        ("٣d", 0, "不认识"),
        ("P", 0, "没有写时长"),
        ("PT", 1, "T 之后"),
        ("P1DT", 3, "T 之后"),
        ("P3", 1, "数字加单位"),
        ("P1Y2", 3, "数字加单位"),
        ("P3H", 2, "写在 T 之后"),
        ("PT1M3H", 5, "顺序不对"),
        ("P1D1D", 4, "重复"),
        ("P1.5DT3H", 1, "小数只能"),
        ("P0.5M", 1, "天数"),
        ("PT0.0000001S", 2, "精度"),
        ("P9999999D", 0, "一千年"),
        ("P" + "9" * 5000 + "D", 100, "过长"),
        ("R/PT1H", 0, "重复周期"),
    ],
)
def test_it_refuses_what_is_no_duration_and_names_the_place(text, position, reason):
    with pytest.raises(InvalidDuration, match=reason) as refused:
        parse_duration(text)
    assert refused.value.position == position
    assert isinstance(refused.value, Rejected)
    assert isinstance(refused.value, ValueError)
    assert str(refused.value).startswith("时长“")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("0 9 * * 1", "R/2026-01-05T09:00:00+08:00/P1W"),
        ("0 9 * * *", "R/2026-01-05T09:00:00+08:00/P1D"),
        ("30 17 * * *", "R/2026-01-05T17:30:00+08:00/P1D"),
        ("0 0 8 * * ?", "R/2026-01-05T08:00:00+08:00/P1D"),
        ("0 9 1 * *", "R/2026-01-01T09:00:00+08:00/P1M"),
        ("0 9 L * *", "R/2026-01-31T09:00:00+08:00/P1M"),
        ("0 9 15 6 *", "R/2026-06-15T09:00:00+08:00/P1Y"),
        ("0 9 * * 1-5", "R/2026-01-05T09:00:00+08:00/1wd"),
        ("0 9 * * 0", "R/2026-01-11T09:00:00+08:00/P1W"),
        ("0 9 * * 7", "R/2026-01-11T09:00:00+08:00/P1W"),
        ("0 0 9 ? * MON-FRI", "R/2026-01-05T09:00:00+08:00/1wd"),
        ("0 0 9 ? * 6", "R/2026-01-09T09:00:00+08:00/P1W"),
        ("99 99 99 99 99", "R/2026-01-05T09:00:00+08:00/P1W"),
        ("*/5 * * * *", "R/PT5M"),
        ("0 */2 * * *", "R/PT2H"),
        ("* * * * *", "R/PT1M"),
        ("0 * * * *", "R/PT1H"),
        ("0 0 12 ? * MON", "R/2026-01-05T12:00:00+08:00/P1W"),
        ("0 0 12 1 * ? 2027", "R/2026-01-01T12:00:00+08:00/P1M"),
        ("@hourly", "R/PT1H"),
        ("@weekly", "R/2026-01-05T09:00:00+08:00/P1W"),
    ],
)
def test_it_refuses_cron_and_offers_an_iso_cycle_that_it_reads_itself(text, instead):
    with pytest.raises(InvalidDuration, match="cron") as refused:
        parse_due(text)
    assert refused.value.reason.endswith(instead)
    assert parse_cycle(instead)


def test_a_due_may_be_a_day_or_an_instant():
    assert parse_due("2026-01-20") == date(2026, 1, 20)
    assert type(parse_due("2026-01-20")) is date
    assert parse_due("2026-01-20T09:00:00Z") == datetime(2026, 1, 20, 9, tzinfo=UTC)


def test_an_instant_without_zone_is_read_in_shanghai():
    assert parse_due("2026-01-20T09:00") == datetime(2026, 1, 20, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-01-20T25:00", "R/2026-13-01T00:00:00Z/P1D"])
def test_it_refuses_a_day_that_does_not_exist(text):
    with pytest.raises(InvalidDuration, match="没有这一天"):
        parse_due(text)


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("R/PT1H", Cycle(interval=Span(seconds=3600))),
        ("R-1/PT1H", Cycle(interval=Span(seconds=3600))),
        ("R3/P1W", Cycle(interval=Span(days=7), repetitions=3)),
        ("R/1wd", Cycle(interval=WorkingDays(1))),
        (
            "R/2026-01-05T09:00:00+08:00/P1W",
            Cycle(interval=Span(days=7), start=datetime(2026, 1, 5, 9, tzinfo=LOCAL_ZONE)),
        ),
        (
            "R2/P1D/2026-03-01T00:00:00Z",
            Cycle(interval=Span(days=1), repetitions=2, end=datetime(2026, 3, 1, tzinfo=UTC)),
        ),
        (
            "R2/2026-01-01T00:00:00Z/2026-01-02T06:00:00Z",
            Cycle(
                interval=Span(seconds=108_000),
                repetitions=2,
                start=datetime(2026, 1, 1, tzinfo=UTC),
            ),
        ),
    ],
)
def test_it_reads_a_cycle(text, cycle):
    assert parse_cycle(text) == cycle
    assert parse_due(text) == cycle
    assert parse_cycle(str(cycle)) == cycle


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("R0/P1D", "至少是 1"),
        ("R/", "R次数/间隔"),
        ("R", "R次数/间隔"),
        ("Rx/P1D", "R 开头|R 或 R"),
        ("R/-P1D", "大于零"),
        ("R/PT0S", "大于零"),
        ("R/2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "大于零"),
        ("R/P1D/P1D", "日期时间"),
        ("R/P1D/P1D/P1D", "R次数/间隔"),
    ],
)
def test_it_refuses_a_cycle_that_leads_nowhere(text, reason):
    with pytest.raises(InvalidDuration, match=reason):
        parse_cycle(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(start, months, end):
    assert add_months(start, months) == end


def test_hours_are_exact_where_summer_time_begins():
    berlin = ZoneInfo("Europe/Berlin")
    eve = datetime(2026, 3, 28, 12, tzinfo=berlin)
    assert add_span(eve, Span(days=1)) == datetime(2026, 3, 29, 12, tzinfo=berlin)
    assert add_span(eve, Span(seconds=86400)) == datetime(2026, 3, 29, 13, tzinfo=berlin)


@given(
    st.integers(-5000, 5000),
    st.integers(-5000, 5000),
    st.integers(-(10**7), 10**7),
    st.integers(-999_999, 999_999),
)
def test_every_span_survives_its_own_text(months, days, seconds, microseconds):
    span = Span(months=months, days=days, seconds=seconds, microseconds=microseconds)
    assert parse_duration(str(span)) == span
    opposite = -span
    assert -opposite == span


@given(st.text(alphabet="PTYMWDHSR0123456789.,-+/ wdhm*", max_size=14))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    try:
        value = parse_due(text)
    except InvalidDuration:
        return
    written = value.isoformat() if isinstance(value, (date, datetime)) else str(value)
    assert parse_due(written) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5wd", "5个工作日"),
        ("7d", "7天"),
        ("PT36H", "36小时"),
        ("P1Y2M3DT4H5M6.5S", "1年2个月3天4小时5分钟6.5秒"),
        ("PT10S", "10秒"),
        ("PT0S", "0秒"),
        ("R3/P1W", "每7天，共3次"),
        ("2026-01-20", "2026年1月20日"),
        ("2026-01-20T01:00:00Z", "2026年1月20日09:00"),
    ],
)
def test_people_read_a_length_in_chinese(text, words):
    assert in_words(parse_due(text)) == words


def test_the_clock_part_of_a_span_is_real_time():
    assert parse_duration("P1DT1H0.5S").clock_time == timedelta(hours=1, microseconds=500_000)
