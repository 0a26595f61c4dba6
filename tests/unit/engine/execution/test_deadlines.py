"""Deadlines and rungs as a table: what is written, and when that is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine import Ladder, LadderAction, Rung, WorkingCalendar
from engine.execution import deadlines
from engine.model.errors import ModelFault

_CALENDAR = WorkingCalendar.default()
_MONDAY = datetime(2026, 1, 5, 1, tzinfo=UTC)


def _local(at):
    return (at + timedelta(hours=8)).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        ("5wd", "01-13 00:00"),
        ("7d", "01-13 00:00"),
        ("P3D", "01-08 09:00"),
        ("P1M", "02-05 09:00"),
        ("90m", "01-05 10:30"),
        (date(2026, 1, 20), "01-21 00:00"),
        (datetime(2026, 1, 20, 4, tzinfo=UTC), "01-20 12:00"),
        (timedelta(hours=2), "01-05 11:00"),
        ("2026-01-20", "01-21 00:00"),
    ],
)
def test_a_deadline_falls_due(wanted, at):
    assert _local(deadlines.due_instant(_CALENDAR, _MONDAY, wanted).at) == at
    assert _local(deadlines.timer_instant(_CALENDAR, _MONDAY, wanted)) == at


@pytest.mark.parametrize("wanted", [5, True, ["5wd"], datetime(2026, 1, 20)])
def test_what_is_no_time_is_a_fault_of_the_model(wanted):
    with pytest.raises(ModelFault):
        deadlines.due_instant(_CALENDAR, _MONDAY, wanted)


@pytest.mark.parametrize(
    ("rung", "at"),
    [
        ("80%", "01-11 11:24"),
        ("50%", "01-09 04:30"),
        ("due", "01-13 00:00"),
        ("due+1wd", "01-14 00:00"),
        ("due+4wd", "01-17 00:00"),
        ("due+5wd", "01-20 00:00"),
        ("due-1wd", "01-10 00:00"),
        ("due-1d", "01-12 00:00"),
        ("due+PT30M", "01-13 00:30"),
        ("due-PT30M", "01-12 23:30"),
    ],
)
def test_a_rung_is_reached(rung, at):
    due = deadlines.due_instant(_CALENDAR, _MONDAY, "5wd").at

    reached = deadlines.rung_instant(
        Rung(at=rung, action=LadderAction.REMIND), _CALENDAR, _MONDAY, due
    )

    assert _local(reached) == at


def test_a_rung_nobody_understands_is_a_fault_of_the_model():
    with pytest.raises(ModelFault, match="soon"):
        deadlines.rung_instant(
            Rung(at="soon", action=LadderAction.REMIND), _CALENDAR, _MONDAY, _MONDAY
        )


def test_the_ladder_ends():
    ladder = Ladder(name="one", rungs=(Rung(at="due", action=LadderAction.OVERDUE),))

    assert deadlines.next_rung(ladder, -1, _CALENDAR, _MONDAY, _MONDAY) == (0, _MONDAY)
    assert deadlines.next_rung(ladder, 0, _CALENDAR, _MONDAY, _MONDAY) is None


def test_a_date_that_moved_starts_at_the_first_rung_to_come():
    ladder = Ladder(
        name="two",
        rungs=(
            Rung(at="50%", action=LadderAction.REMIND),
            Rung(at="due", action=LadderAction.OVERDUE),
        ),
    )
    due = _MONDAY + timedelta(days=4)

    found = deadlines.first_rung_from(ladder, _CALENDAR, _MONDAY, due, _MONDAY + timedelta(days=3))

    assert found == (1, due)
