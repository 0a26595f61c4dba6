"""A period ends at 24:00 of its last day, and is shown so."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from engine import clock
from webforms.shell import i18n

LAST = date(2026, 1, 14)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=clock.LOCAL_ZONE)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (clock.end_of_day(LAST), "2026-01-14 24:00"),
        (local(2026, 1, 14, 18, 30), "2026-01-14 18:30"),
        (local(2026, 1, 14, 0, 1), "2026-01-14 00:01"),
        (None, ""),
    ],
)
def test_it_shows_midnight_as_the_end_of_the_day_before(at, shown) -> None:
    assert i18n.period_end(at) == shown


def test_it_names_the_last_day_of_a_period_and_not_the_one_after() -> None:
    assert i18n.last_day(clock.end_of_day(LAST)) == "2026-01-14 周三"
    assert i18n.last_day(local(2026, 1, 14, 18, 30)) == "2026-01-14 周三"
    assert i18n.last_day(None) == ""
