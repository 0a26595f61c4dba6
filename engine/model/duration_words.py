"""Lengths of time and the ends of periods in Chinese, as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from engine.model.clock import LOCAL_ZONE
from engine.model.duration import CalendarDays, Cycle, Due, Duration, Span, WorkingDays
from engine.model.office_time import OfficeMinutes

_MONTHS_A_YEAR = 12


def in_words(due: Due, zone: tzinfo = LOCAL_ZONE) -> str:
    """``5wd`` → 5个工作日, ``P1M`` → 1个月, ``R/P1W`` → 每7天, a date → 2026年1月20日."""
    if isinstance(due, datetime):
        return moment_in_words(due, zone)
    if isinstance(due, date):
        return day_in_words(due)
    if isinstance(due, Cycle):
        times = "" if due.repetitions is None else f"，共{due.repetitions}次"
        return f"每{_length(due.interval)}{times}"
    if isinstance(due, OfficeMinutes):
        hours, rest = divmod(due.minutes, 60)
        return (
            (f"{hours}个" if hours else "")
            + ("工作小时" if hours else "")
            + (f"{rest}个工作分钟" if rest else "")
        )
    return _length(due)


def day_in_words(day: date) -> str:
    """2026年1月4日."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment_in_words(at: datetime, zone: tzinfo = LOCAL_ZONE) -> str:
    """2026年1月4日09:00, in the zone given."""
    local = at.astimezone(zone)
    return f"{day_in_words(local)}{local:%H:%M}"


def days_in_words(days: Iterable[tuple[date, str]]) -> str:
    """Neighbouring days with one reason become one range: 2月15日至23日（春节）."""
    runs: list[tuple[date, date, str]] = []
    for day, reason in days:
        if runs and runs[-1][2] == reason and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day, reason)
        else:
            runs.append((day, day, reason))
    return "、".join(f"{_range(first, last)}（{reason}）" for first, last, reason in runs)


def exact_end(start: datetime, at: datetime | None, due: Due, zone: tzinfo) -> tuple[str, ...]:
    """Why an exact period ends when it ends, sentence by sentence."""
    end = "计时暂停中" if at is None else f"到{moment_in_words(at, zone)}为止"
    if isinstance(due, datetime):
        return (end,)
    return (f"自{moment_in_words(start, zone)}起{in_words(due, zone)}", end)


def whole_days_end(
    start: date,
    last: date | None,
    due: Due,
    left_out: list[tuple[date, str]],
    moved_from: date | None,
    provisional: bool,
) -> tuple[str, ...]:
    """Why a period of days ends when it ends, sentence by sentence."""
    parts = []
    if isinstance(due, (Span, CalendarDays, WorkingDays)):
        parts.append(f"{day_in_words(start)}当日不计，{in_words(due)}")
    if left_out:
        parts.append(f"不计{days_in_words(left_out)}")
    if moved_from is not None:
        parts.append(f"最后一日{moved_from.month}月{moved_from.day}日为休假日，顺延至下一工作日")
    parts.append("计时暂停中" if last is None else f"到{day_in_words(last)}24:00为止")
    if provisional:
        parts.append("其中有尚未公布放假安排的年份，结果为暂定")
    return tuple(parts)


def _length(length: Duration) -> str:
    if isinstance(length, WorkingDays):
        return f"{length.days}个工作日"
    if isinstance(length, CalendarDays):
        return f"{length.days}天"
    years, months = divmod(abs(length.months), _MONTHS_A_YEAR)
    # A length is told without its sign; what lies before and after is told by the dates.
    minutes, seconds = divmod(abs(length.seconds), 60)
    hours, minutes = divmod(minutes, 60)
    exact = seconds + Decimal(abs(length.microseconds)).scaleb(-6)
    parts = (
        (years, "年"),
        (months, "个月"),
        (abs(length.days), "天"),
        (hours, "小时"),
        (minutes, "分钟"),
        (exact.normalize(), "秒"),
    )
    return (
        "".join(
            f"{number:f}{unit}" if unit == "秒" else f"{number}{unit}"
            for number, unit in parts
            if number
        )
        or "0秒"
    )


def _range(first: date, last: date) -> str:
    begin = f"{first.month}月{first.day}日"
    if first == last:
        return begin
    month = "" if (first.year, first.month) == (last.year, last.month) else f"{last.month}月"
    return f"{begin}至{month}{last.day}日"
