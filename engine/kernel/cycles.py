"""Timers that repeat: when a cycle fires first, when it fires next, when it is over.

Every firing is reckoned from the first one (31 Jan, 28 Feb, 31 Mar …).  Only cycles of working
days need a calendar, which a kernel has not: those are handed out as a cycle with a fixed start,
and the shell finds the next firing on or after `since`.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.model import calendar_periods
from engine.model.clock import to_utc
from engine.model.duration import Cycle, WorkingDays

ENDLESS = -1
"""How many firings are left of a cycle without a count."""

INSTANT = timedelta(microseconds=1)


class Firing(NamedTuple):
    """One firing: when it is due, counted from when, and how many follow it."""

    when: object
    since: datetime
    left: int


def first(cycle: Cycle, at: datetime) -> Firing:
    """The first firing not before `at`; a cycle that lies in the past altogether is due at once.

    What lies before `at` is counted and not caught up with: nobody was listening then.
    """
    count = ENDLESS if cycle.repetitions is None else cycle.repetitions - 1
    if isinstance(cycle.interval, WorkingDays):
        # The first of a cycle without a start lies one interval ahead, not here and now.
        since = at if cycle.start is not None else at + INSTANT
        return Firing(_from(cycle, at), since, count)
    found = calendar_periods.next_occurrence(None, cycle, at, at - INSTANT)
    if found is None:
        return Firing(at, at, 0)
    number, due = found
    return Firing(due, at, count if count == ENDLESS else count - (number - 1))


def following(cycle: Cycle, anchor: datetime, left: int, due_at: datetime) -> Firing | None:
    """The firing after the one at `due_at` of a cycle armed at `anchor`; None when it is over."""
    if left == 0 or is_over(cycle, due_at):
        return None
    rest = left if left == ENDLESS else left - 1
    if isinstance(cycle.interval, WorkingDays):
        return Firing(_from(cycle, anchor), due_at + INSTANT, rest)
    endless = dataclasses.replace(cycle, repetitions=None)
    found = calendar_periods.next_occurrence(None, endless, anchor, due_at)
    return None if found is None else Firing(found[1], due_at, rest)


def is_over(cycle: Cycle, due_at: datetime) -> bool:
    """Whether a firing at this instant would come after the end of the cycle."""
    return cycle.end is not None and to_utc(due_at) > to_utc(cycle.end)


def _from(cycle: Cycle, anchor: datetime) -> str:
    """The cycle with its start, without the count and end, which the kernel keeps itself."""
    return str(Cycle(interval=cycle.interval, start=cycle.start or anchor))
