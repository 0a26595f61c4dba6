"""Who works: teams with a queue each, served by what is due first, then by what came first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.execution.campaign_file import People
from engine.execution.simulated_case import SimulatedCase
from engine.execution.working_hours import WorkingHours
from engine.kernel import effects

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class Errand:
    """One open task in a queue or in somebody's hands."""

    case: SimulatedCase
    task: effects.OpenTask
    unit: str
    due: datetime | None
    number: int
    #: place on the team's line of working time at which it came
    came: int
    #: who may not do it
    excluded: frozenset[str] = frozenset()
    person: str | None = None
    #: place on that line at which it was taken
    taken: int = 0
    open: bool = True


@dataclass(slots=True, eq=False)
class Team:
    """The people of one unit (or of several together), and what waits for them."""

    label: str
    unit: str
    people: People
    hours: WorkingHours
    idle: list[int]
    waiting: list[tuple[datetime, int, Errand]] = field(default_factory=list)
    #: when it is looked at again because work begins
    wakes: datetime | None = None
    length: int = 0
    longest: int = 0
    longest_at: datetime | None = None
    waits: list[int] = field(default_factory=list)
    tasks: int = 0
    busy: int = 0
    #: queue length integrated over working time, and up to where
    area: int = 0
    reached: int = 0
    hired: int = 0

    @classmethod
    def of(cls, label: str, unit: str, people: People, hours: WorkingHours) -> Team:
        """A team that has not worked yet."""
        return cls(
            label=label,
            unit=unit,
            people=people,
            hours=hours,
            idle=list(range(people.number or 0)),
        )

    def name_of(self, number: int) -> str:
        """How a person of the team is told from all others."""
        return f"{self.label}@{self.unit}#{number + 1}"

    def enqueue(self, errand: Errand) -> None:
        """The task waits from now on."""
        self._pass_to(errand.came)
        heapq.heappush(self.waiting, (errand.due or NEVER, errand.number, errand))
        self.length += 1

    def leave(self, errand: Errand, now: datetime) -> None:
        """A waiting task went away before anybody took it."""
        self._pass_to(self.hours.worked(now))
        errand.open = False
        self.length -= 1

    def hand_out(self, now: datetime) -> Iterator[Errand]:
        """Tasks that somebody takes now, in order; whoever is excluded leaves one to the next."""
        worked = self.hours.worked(now)
        self._pass_to(worked)
        aside: list[tuple[datetime, int, Errand]] = []
        while self.waiting and (self.idle or self.people.number is None):
            entry = heapq.heappop(self.waiting)
            errand = entry[2]
            if not errand.open:
                continue
            person = self._free_for(errand)
            if person is None:
                aside.append(entry)
                continue
            errand.person, errand.taken = self.name_of(person), worked
            self.length -= 1
            self.tasks += 1
            self.waits.append(worked - errand.came)
            yield errand
        for entry in aside:
            heapq.heappush(self.waiting, entry)
        if self.length > self.longest:
            self.longest, self.longest_at = self.length, now

    def put_down(self, errand: Errand, now: datetime) -> None:
        """Whoever has the task in hand is done with it, or it was taken away from him."""
        if errand.person is None:
            return
        self.busy += self.hours.worked(now) - errand.taken
        if self.people.number is not None:
            heapq.heappush(self.idle, int(errand.person.rpartition("#")[2]) - 1)

    def can_ever(self, errand: Errand) -> bool:
        """Whether anybody of the team may do it at all."""
        number = self.people.number
        return number is None or any(
            self.name_of(one) not in errand.excluded for one in range(number)
        )

    def _free_for(self, errand: Errand) -> int | None:
        if self.people.number is None:
            self.hired += 1
            return self.hired
        for place, number in enumerate(self.idle):
            if self.name_of(number) not in errand.excluded:
                del self.idle[place]
                heapq.heapify(self.idle)
                return number
        return None

    def _pass_to(self, worked: int) -> None:
        self.area += self.length * (worked - self.reached)
        self.reached = worked
