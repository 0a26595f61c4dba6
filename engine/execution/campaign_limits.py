"""Limits measured while a campaign runs: begun, kept, broken, still open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.execution.campaign_file import START, Limit, Mark
from engine.execution.deadlines import due_instant
from engine.execution.simulated_case import SimulatedCase
from engine.model.calendar import WorkingCalendar
from engine.model.calendar_periods import last_day
from engine.model.clock import local_date
from engine.model.duration import CalendarDays, Duration, WorkingDays

CalendarAt = Callable[[str], WorkingCalendar]


@dataclass(slots=True, eq=False)
class Measured:
    """One run of a limit."""

    case: int
    unit: str
    begun: datetime
    due: datetime
    #: the case that began it, and its element where each instance counts by itself
    key: tuple[int, int] = (0, 0)
    #: the case and those that called it, each with its process
    above: tuple[tuple[int, str], ...] = ()
    ended: datetime | None = None
    #: the case was over before the limit's end was reached
    lapsed: bool = False

    def is_broken(self, now: datetime) -> bool:
        """Whether it ended, or (still open) stands, after its last instant."""
        return (self.ended or now) > self.due


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitResult:
    """One unit and one limit: how many, how many too late, and by how much at worst."""

    name: str
    law: str
    #: `limit` or `deadline` (a task's own)
    kind: str
    #: `process.activity`, or from where to where
    element: str
    unit: str
    length: str
    cases: int
    breaches: int
    open: int
    worst_days: int
    worst_hours: float
    #: in which the days over are counted: working days or calendar days
    days_kind: str
    worst_case: int | None
    worst_due: datetime | None
    worst_end: datetime | None
    last_end: datetime | None


@dataclass(slots=True)
class Tally:
    """All runs of one limit."""

    name: str
    law: str
    kind: str
    element: str
    length: str
    working: bool
    runs: list[Measured] = field(default_factory=list)

    def results(
        self, group: Callable[[str], str], calendars: CalendarAt, now: datetime
    ) -> list[LimitResult]:
        """One result per unit, in order of their codes."""
        by_unit: dict[str, list[Measured]] = {}
        for run in self.runs:
            by_unit.setdefault(group(run.unit), []).append(run)
        return [
            self._result(unit, runs, calendars(unit), now) for unit, runs in sorted(by_unit.items())
        ]

    def _result(
        self, unit: str, runs: Sequence[Measured], calendar: WorkingCalendar, now: datetime
    ) -> LimitResult:
        broken = [run for run in runs if run.is_broken(now)]
        worst = max(broken, key=lambda run: (run.ended or now) - run.due, default=None)
        end = (worst.ended or now) if worst is not None else None
        over = days = 0
        hours = 0.0
        if worst is not None and end is not None:
            hours = round((end - worst.due).total_seconds() / 3600, 2)
            first, last = last_day(worst.due), local_date(end)
            days = (last - first).days
            over = calendar.count_working_days(first, last) if self.working else days
        return LimitResult(
            name=self.name,
            law=self.law,
            kind=self.kind,
            element=self.element,
            unit=unit,
            length=self.length,
            cases=len(runs),
            breaches=len(broken),
            open=sum(run.ended is None for run in runs),
            worst_days=over,
            worst_hours=hours,
            days_kind="wd" if self.working else "d",
            worst_case=worst.case if worst is not None else None,
            worst_due=worst.due if worst is not None else None,
            worst_end=worst.ended if worst is not None else None,
            last_end=max(
                (run.ended for run in runs if run.ended is not None and not run.lapsed),
                default=None,
            ),
        )


class Dues:
    """When lengths end, counted once per calendar, day and length."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, object, object], datetime] = {}

    def end(self, calendar: WorkingCalendar, since: datetime, wanted: object) -> datetime:
        """The last instant in time. Raises `ModelFault`, `InvalidDuration`."""
        whole_days = isinstance(wanted, (WorkingDays, CalendarDays)) or (
            isinstance(wanted, str) and wanted.endswith("d")
        )
        if not whole_days:
            return due_instant(calendar, since, wanted).at
        key = (id(calendar), local_date(since), str(wanted))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = due_instant(calendar, since, wanted).at
        return found


class Limits:
    """Begins and ends every limit as elements of cases start and end."""

    def __init__(self, limits: Sequence[Limit], dues: Dues, calendars: CalendarAt) -> None:
        self._limits = limits
        self._dues = dues
        self._calendars = calendars
        self.tallies = [
            Tally(
                name=limit.name,
                law=limit.law,
                kind="limit",
                element=f"{limit.begin.text} → {limit.end.text}",
                length=str(limit.within or limit.by),
                working=isinstance(limit.within, WorkingDays),
            )
            for limit in limits
        ]
        self._begins: dict[Mark, list[int]] = {}
        self._ends: dict[Mark, list[int]] = {}
        for number, limit in enumerate(limits):
            self._begins.setdefault(limit.begin, []).append(number)
            self._ends.setdefault(limit.end, []).append(number)
        self.watched = frozenset(self._begins) | frozenset(self._ends)
        #: open runs of a limit below a case: (limit, case) → key → run
        self._open: dict[tuple[int, int], dict[tuple[int, int], Measured]] = {}

    def reach(self, mark: Mark, case: SimulatedCase, element: int, unit: str, at: datetime) -> None:
        """A moment was reached by this element of the case."""
        if mark not in self.watched:
            return
        for number in self._ends.get(mark, ()):
            self._end(number, case, element, at)
        for number in self._begins.get(mark, ()):
            self._begin(number, case, element, unit, at)

    def _begin(
        self, number: int, case: SimulatedCase, element: int, unit: str, at: datetime
    ) -> None:
        key = (case.number, element if self._same_element(number) else 0)
        if key in self._open.get((number, case.number), {}):
            # Begun again by a return: the law's clock runs from the first time.
            return
        limit = self._limits[number]
        if not limit.holds_at(unit):
            return
        wanted: Duration | object = limit.within if limit.within is not None else limit.by
        due = self._dues.end(self._calendars(unit), at, wanted)
        above = _lineage(case)
        run = Measured(case=case.number, unit=unit, begun=at, due=due, key=key, above=above)
        self.tallies[number].runs.append(run)
        for one, _ in above:
            self._open.setdefault((number, one), {})[key] = run

    def _end(self, number: int, case: SimulatedCase, element: int, at: datetime) -> None:
        """The nearest of the family that holds open runs: all of them end."""
        if self._same_element(number):
            own = self._open.get((number, case.number), {}).get((case.number, element))
            runs = [own] if own is not None else []
        else:
            runs = self._nearest(number, case)
        for run in runs:
            run.ended = at
            self._forget(number, run)

    def _nearest(self, number: int, case: SimulatedCase) -> list[Measured]:
        """Open runs of the nearest relative that has some.

        Two cases of one process below the same caller, and all below them, are strangers: what one
        village has finished says nothing of another.
        """
        way: set[str] = set()
        for one, process in _lineage(case):
            here = self._open.get((number, one), {})
            if found := [run for run in here.values() if way.isdisjoint(_below(run, one))]:
                return found
            way.add(process)
        return []

    def lapse(self, case: SimulatedCase, at: datetime) -> None:
        """The case is over for good: what it has not reached by now it will not reach."""
        for number in range(len(self._limits)):
            for run in list(self._open.get((number, case.number), {}).values()):
                run.ended, run.lapsed = at, True
                self._forget(number, run)

    def _forget(self, number: int, run: Measured) -> None:
        for one, _ in run.above:
            here = self._open[number, one]
            del here[run.key]
            if not here:
                del self._open[number, one]

    def _same_element(self, number: int) -> bool:
        """Measured for each instance of one activity by itself."""
        limit = self._limits[number]
        return (
            limit.begin.element is not None
            and limit.begin.element == limit.end.element
            and limit.begin.process == limit.end.process
            and limit.begin.moment == START
        )


def _lineage(case: SimulatedCase) -> tuple[tuple[int, str], ...]:
    """The case and those that called it, itself first, with their processes."""
    found = [(case.number, case.program.key)]
    parent = case.parent
    while parent is not None:
        found.append((parent[0].number, parent[0].program.key))
        parent = parent[0].parent
    return tuple(found)


def _below(run: Measured, above: int) -> list[str]:
    """Processes from the run's case up to, without, this one of its callers."""
    found: list[str] = []
    for number, process in run.above:
        if number == above:
            break
        found.append(process)
    return found


def family(case: SimulatedCase) -> list[int]:
    """Numbers of the case and of those that called it, itself first."""
    found = [case.number]
    parent = case.parent
    while parent is not None:
        found.append(parent[0].number)
        parent = parent[0].parent
    return found
