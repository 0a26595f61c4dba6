"""Times, lengths, roles and numbers as people read them, in their language."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask

from engine import calendar, clock, duration, region
from webforms.shell import roles
from webforms.shell.words import gettext, language, ngettext

WEEKDAYS = "一二三四五六日"


def install(app: Flask) -> None:
    """Give templates the filters for time, role and region."""
    app.jinja_env.filters.update(
        local_time=local_time,
        local_day=local_day,
        period_end=period_end,
        last_day=last_day,
        length_in_words=length_in_words,
        iso=iso,
        span=span,
        role=roles.title,
        masked_phone=masked_phone,
    )
    app.jinja_env.tests["region_code"] = region.is_code


def local_time(at: datetime | None) -> str:
    """An instant as the office clock shows it: 2026-01-04 09:00."""
    return "" if at is None else clock.to_local(at).strftime("%Y-%m-%d %H:%M")


def local_day(day: date | datetime | None) -> str:
    """A day with its weekday: 2026-01-04 周日."""
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = clock.local_date(day)
    if language() == "en":
        return f"{day:%a} {day.isoformat()}"
    return f"{day.isoformat()} 周{WEEKDAYS[day.weekday()]}"


def period_end(at: datetime | None) -> str:
    """The end of a period as the law counts it: 2026-01-09 24:00, not the next day's 00:00."""
    if at is None:
        return ""
    local = clock.to_local(at)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{final_date(at).isoformat()} 24:00"
    return local_time(at)


def last_day(at: datetime | None) -> str:
    """The last day of a period with its weekday; 24:00 belongs to the day it ends."""
    return "" if at is None else local_day(final_date(at))


def length_in_words(text: str) -> str:
    """A duration as people say it: 10个工作日; a text that is none stays as it is."""
    try:
        return calendar.in_words(duration.parse_due(text))
    except duration.InvalidDuration:
        return text


def final_date(at: datetime) -> date:
    """The last local day of a period that ends at this instant."""
    return clock.local_date(at - timedelta(microseconds=1))


def iso(at: datetime) -> str:
    """For the `datetime` attribute of `<time>`."""
    return clock.to_local(at).isoformat(timespec="seconds")


def span(length: timedelta) -> str:
    """A length in the two largest units people would say: 3 天 4 小时."""
    minutes = abs(int(length.total_seconds())) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _join(_days(days), hours, _hours(hours))
    if hours:
        return _join(_hours(hours), rest, _minutes(rest))
    return _minutes(rest) if rest else str(gettext("不到 1 分钟"))


def _days(number: int) -> str:
    return str(ngettext("%(num)d 天", "%(num)d 天", number))


def _hours(number: int) -> str:
    return str(ngettext("%(num)d 小时", "%(num)d 小时", number))


def _minutes(number: int) -> str:
    return str(ngettext("%(num)d 分钟", "%(num)d 分钟", number))


def masked_phone(number: str | None) -> str:
    """The first three and last two digits: enough to recognise, too little to call."""
    if not number:
        return ""
    return f"{number[:3]}{'*' * max(len(number) - 5, 4)}{number[-2:]}"


def _join(large: str, small_number: int, small: str) -> str:
    return f"{large} {small}" if small_number else large
