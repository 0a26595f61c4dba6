"""Where the cases of a campaign stand, when they come, and who did what in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from engine.execution.campaign_file import Arrivals
from engine.execution.campaign_limits import family
from engine.execution.deadlines import due_instant
from engine.execution.simulated_case import SimulatedCase
from engine.execution.working_hours import WorkingHours
from engine.model import region
from engine.model.calendar import WorkingCalendar
from engine.model.duration import WorkingDays


class Whereabouts:
    """The region of each case, and what calendar holds there."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._default = calendar
        self._calendars: dict[str, WorkingCalendar] = {}
        self._regions: dict[int, str] = {}

    def put(self, case: SimulatedCase, unit: str) -> None:
        """The case belongs to this unit."""
        self._regions[case.number] = unit

    def of(self, case: SimulatedCase) -> str:
        """The case's unit, else that of the nearest caller that has one."""
        return next(
            (unit for number in family(case) if (unit := self._regions.get(number))),
            "",
        )

    def calendar(self, unit: str) -> WorkingCalendar:
        """The calendar with the local days of the unit."""
        found = self._calendars.get(unit)
        if found is None:
            here = self._default.for_region(unit) if region.is_code(unit) else self._default
            found = self._calendars[unit] = here
        return found


@lru_cache(maxsize=65_536)
def township(unit: str) -> str:
    """The unit in whose row it is counted: its township; higher units by themselves."""
    if not region.is_code(unit):
        return unit
    return region.at_level(unit, region.Level.TOWN) or unit


class Doers:
    """Who completed which activity: what four eyes are asked about (as `participation` does)."""

    def __init__(self) -> None:
        self._own: dict[tuple[int, str], set[str]] = {}
        self._below: dict[tuple[int, str], set[str]] = {}

    def note(self, case: SimulatedCase, activity: str, person: str) -> None:
        """The person completed the activity in this case."""
        self._own.setdefault((case.number, activity), set()).add(person)
        name = f"{case.program.key}.{activity}"
        for number in family(case):
            self._below.setdefault((number, name), set()).add(person)

    def excluded(self, case: SimulatedCase, activities: tuple[str, ...]) -> frozenset[str]:
        """Who did one of these in the case or above; `process.activity`: also below, beside."""
        found: set[str] = set()
        for wanted in activities:
            process, _, activity = wanted.rpartition(".")
            found |= self._called(case, process, wanted) if process else self._above(case, activity)
        return frozenset(found)

    def _above(self, case: SimulatedCase, activity: str) -> set[str]:
        return set().union(*(self._own.get((number, activity), ()) for number in family(case)))

    def _called(self, case: SimulatedCase, process: str, wanted: str) -> set[str]:
        found = set(self._below.get((case.number, wanted), ()))
        activity = wanted.rpartition(".")[2]
        parent = case.parent
        beside = parent[0] if parent is not None else None
        while parent is not None:
            if parent[0].program.key == process:
                found |= self._own.get((parent[0].number, activity), set())
            parent = parent[0].parent
        if beside is not None:
            for sibling in beside.children.values():
                if sibling.program.key == process:
                    found |= self._own.get((sibling.number, activity), set())
        return found


def arrival_instants(
    arrivals: Arrivals, hours: WorkingHours, calendar: WorkingCalendar, chance: Random
) -> Iterator[tuple[datetime, str]]:
    """When and where each case comes, in order of time; regions are mixed by chance."""
    units = [unit for unit, number in arrivals.by_region.items() for _ in range(number)]
    chance.shuffle(units)
    if arrivals.over is None:
        yield from ((arrivals.at, unit) for unit in units)
        return
    # The day of the first arrival is a day of the spread: N days end before day N+1 begins.
    length = type(arrivals.over)(max(arrivals.over.days - 1, 0))
    last = due_instant(calendar, arrivals.at, length).at
    places = (
        sorted(chance.random() for _ in units)
        if arrivals.random
        else [number / len(units) for number in range(len(units))]
    )
    if isinstance(arrivals.over, WorkingDays):
        first, end = hours.worked(arrivals.at), hours.worked(last)
        instants = [hours.at(first + 1 + int(place * (end - first - 1))) for place in places]
    else:
        span = last - arrivals.at
        instants = [arrivals.at + _whole(span * place) for place in places]
    yield from zip(instants, units, strict=True)


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))
