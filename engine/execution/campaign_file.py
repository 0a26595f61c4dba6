"""A campaign as a value: what comes when, who works, how long it takes, which limits hold.

The shape of the file is told in `docs/campaigns.md`; `campaign_reader` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from engine.execution.campaign_draws import Distribution, Drawn, Shares
from engine.execution.campaign_schedule import Rule
from engine.execution.working_hours import Hours
from engine.model.duration import CalendarDays, Duration, WorkingDays

START, END = "start", "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment in the life of an element, or (no element) of a whole case."""

    process: str
    element: str | None
    moment: str

    @property
    def text(self) -> str:
        """As it is written in the file."""
        place = f"{self.process}.{self.element}" if self.element else self.process
        return f"{place}/{self.moment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Cases that come: how many, where, and over which time."""

    process: str
    at: datetime
    #: cases by region; the empty region where none is named
    by_region: Mapping[str, int]
    over: WorkingDays | CalendarDays | None = None
    random: bool = False
    variables: Mapping[str, Drawn] = field(default_factory=dict)
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who works on tasks of these roles at units that fit the pattern."""

    roles: tuple[str, ...]
    unit: str
    #: people per unit; None: as many as there is work
    number: int | None
    hours: Hours
    every_day: bool
    #: one team for all units of the pattern, instead of one per unit
    together: bool
    time: Distribution | None

    def fits(self, role: str, unit: str) -> bool:
        """Whether a task of this role at this unit is theirs."""
        if role not in self.roles and "*" not in self.roles:
            return False
        return fits(self.unit, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnswer:
    """How long one activity takes and what is answered."""

    at: str
    time: Distribution | None
    #: multiplies the time: a number of lines, of people, of rooms
    per: Drawn | None
    rules: tuple[tuple[Drawn, str], ...]
    shares: Shares | None
    data: Mapping[str, Drawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMessage:
    """A message from outside for everybody who waits for it."""

    name: str
    share: float
    after: Distribution | Duration
    payload: Mapping[str, Drawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What an operation or a called process answers in place of the real one."""

    answers: tuple[Mapping[str, Drawn], ...] = ()
    after: Distribution | Duration | None = None
    fails: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A named limit of law or of the house: from one moment to another at most so long."""

    name: str
    law: str
    begin: Mark
    end: Mark
    within: Duration | None
    by: date | None
    #: for cases of these units only, as a team's pattern; empty: everywhere
    units: tuple[str, ...] = ()

    def holds_at(self, unit: str) -> bool:
        """Whether it binds cases of this unit."""
        return not self.units or any(fits(pattern, unit) for pattern in self.units)


def fits(pattern: str, unit: str) -> bool:
    """Whether a unit is meant: its own code, or all codes that begin so (`3498*`)."""
    return unit.startswith(pattern[:-1]) if pattern.endswith("*") else unit == pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The day by which the whole campaign must have reached a moment."""

    name: str
    law: str
    by: date
    #: None: every case has ended
    end: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFile:
    """One campaign as it was written."""

    name: str
    title: str
    clock: datetime
    until: datetime
    seed: int | str
    regions: Mapping[str, str]
    constants: Mapping[str, object]
    arrivals: tuple[Arrivals, ...]
    people: tuple[People, ...]
    tasks: Mapping[str, TaskAnswer]
    operations: Mapping[str, StandIn]
    children: Mapping[str, StandIn]
    messages: Mapping[str, OutsideMessage]
    limits: tuple[Limit, ...]
    deadline: Deadline | None
    rules: tuple[Rule, ...]

    @property
    def cases(self) -> int:
        """How many cases arrive."""
        return sum(sum(each.by_region.values()) for each in self.arrivals)
