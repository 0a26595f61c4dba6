"""Runs a campaign: many cases on one jumping clock, worked on by people who are few.

A discrete-event simulation over the kernel's own `step`: nothing of BPMN is known here.  Timers
of the cases and events of the world (arrivals, people who are done, messages from outside) are
taken in order of time; chance comes from the seed alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from engine.execution.campaign_answers import Answers
from engine.execution.campaign_check import check
from engine.execution.campaign_desk import Desk
from engine.execution.campaign_draws import Streams
from engine.execution.campaign_file import (
    END,
    START,
    Arrivals,
    CampaignFile,
    Mark,
)
from engine.execution.campaign_limits import Dues, LimitResult, Limits
from engine.execution.campaign_reader import read_campaign
from engine.execution.campaign_report import (
    CampaignReport,
    Problem,
    deadline_result,
    queue_result,
)
from engine.execution.campaign_schedule import feasibility
from engine.execution.campaign_toml import InvalidCampaign
from engine.execution.campaign_world import Whereabouts, arrival_instants, township
from engine.execution.decisions import package_decisions
from engine.execution.scenarios import World
from engine.execution.simulated_case import SimulatedCase
from engine.execution.simulation import Simulation
from engine.kernel import effects, triggers
from engine.kernel.decide import Decisions
from engine.model.calendar import WorkingCalendar
from engine.model.clock import TravellingClock, local_date
from engine.model.errors import Incident, Rejected
from engine.model.package import Package

__all__ = [
    "CampaignReport",
    "InvalidCampaign",
    "World",
    "decisions_of",
    "read_campaign",
    "run_campaign",
]

Progress = Callable[[int, int, datetime], None]
"""Is told how many of the arrived cases are over, of how many, and the simulated instant."""

_PROGRESS_EVERY = 2_000
_MOMENTS = {effects.Move.ENTERED: START, effects.Move.COMPLETED: END}


def run_campaign(
    world: World,
    file: CampaignFile,
    *,
    seed: int | str | None = None,
    progress: Progress | None = None,
) -> CampaignReport:
    """Run to the end, or to the file's `until`. Raises `InvalidCampaign` before it begins."""
    check(world, file)
    return _Run(world, file, file.seed if seed is None else seed, progress).run()


def decisions_of(packages: Iterable[Package]) -> dict[str, Decisions]:
    """What evaluates the decisions of each package, by the key of its process."""
    found = ((package.key, package_decisions(package)) for package in packages)
    return {key: decisions for key, decisions in found if decisions is not None}


class _Run:
    def __init__(
        self, world: World, file: CampaignFile, seed: int | str, progress: Progress | None
    ) -> None:
        self.file = file
        self.streams = Streams(seed)
        self.where = Whereabouts(world.calendar)
        self.dues = Dues()
        self._calendar: WorkingCalendar = world.calendar
        self._progress = progress
        self._simulation = Simulation(
            {key: program for key, program in world.programs.items() if key not in file.children},
            clock=TravellingClock(file.clock),
            calendar=world.calendar,
            decisions=world.decisions,
            stand_in=self._operation,
            watcher=self._watch,
            restarts=False,
            keep_facts=False,
        )
        self.answers = Answers(file, self.streams, self.where, self._simulation.clock, self.problem)
        self._desk = Desk(self, world.calendar)
        self._limits = Limits(file.limits, self.dues, self.where.calendar)
        self._marks = {
            (mark.process, mark.element, mark.moment): mark for mark in self._limits.watched
        }
        if file.deadline is not None and file.deadline.end is not None:
            goal = file.deadline.end
            self._marks[goal.process, goal.element, goal.moment] = goal
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = 0
        self._problems: dict[tuple[str, str], int] = {}
        self._arrived: set[int] = set()
        self._over = 0
        self._goal: list[datetime] = []

    # -- the loop -----------------------------------------------------------------------------

    def run(self) -> CampaignReport:
        """Everything that happens, in order of time."""
        hours = self._desk.hours_of(self._calendar, None)
        for number, arrivals in enumerate(self.file.arrivals):
            chance = self.streams.of(f"arrivals/{number}")
            for at, unit in arrival_instants(arrivals, hours, self._calendar, chance):
                self.at(at, partial(self._arrive, arrivals, unit))
        events = 0
        while (instant := self._next()) is not None and instant <= self.file.until:
            self._simulation.travel_to(instant)
            while self._heap and self._heap[0][0] <= instant:
                heapq.heappop(self._heap)[2]()
            self._desk.serve()
            events += 1
            if self._progress is not None and events % _PROGRESS_EVERY == 0:
                self._progress(self._over, self.file.cases, instant)
        self._desk.finish()
        return self._report()

    def _next(self) -> datetime | None:
        """The next instant at which anything happens."""
        timer = self._simulation.next_due()
        if not self._heap:
            return timer
        own = self._heap[0][0]
        return own if timer is None or own <= timer else timer

    @property
    def now(self) -> datetime:
        """The simulated instant."""
        return self._simulation.now

    def at(self, at: datetime, action: Callable[[], None]) -> None:
        """Let something happen then, after all that was asked for that instant before."""
        self._sequence += 1
        heapq.heappush(self._heap, (at, self._sequence, action))

    def problem(self, place: str, message: str) -> None:
        """Note what nothing answers."""
        key = (place, message)
        self._problems[key] = self._problems.get(key, 0) + 1

    # -- what comes from outside --------------------------------------------------------------

    def _arrive(self, arrivals: Arrivals, unit: str) -> None:
        case = self._simulation.new_case(arrivals.process)
        self.where.put(case, unit)
        self._arrived.add(case.number)
        self._reach(case, None, START, 0)
        try:
            variables = self.answers.values(arrivals.variables, arrivals.process, case, 0)
            self._simulation.begin(case, variables, node=arrivals.node)
        except (Rejected, Incident, ValueError) as error:
            self.problem(arrivals.process, str(error))

    def complete(
        self,
        case: SimulatedCase,
        element: int,
        data: Mapping[str, object],
        outcome: str | None,
        by: str,
    ) -> None:
        """A person is done with a task."""
        place = case.state.elements[element].node
        try:
            self._simulation.complete(case, element, data, outcome=outcome, by=by)
        except (Rejected, Incident) as error:
            self.problem(f"{case.program.key}.{place}", error.message)

    def _operation(
        self, case: SimulatedCase, invoke: effects.Invoke
    ) -> Mapping[str, object] | None:
        given = self.file.operations.get(invoke.operation)
        if given is None or given.after is None:
            return self.answers.operation(invoke.operation, case, invoke.element, invoke.inputs)

        def returned() -> None:
            if case.invocations.get(invoke.element) is invoke and not case.state.is_ended:
                self._apply(case, self.answers.ended(invoke, case))

        purpose = f"operation/{invoke.operation}"
        self.at(self.answers.instant(given.after, case, purpose), returned)
        return None

    def _apply(self, case: SimulatedCase, trigger: triggers.Trigger) -> None:
        try:
            self._simulation.apply(case, trigger)
        except (Rejected, Incident) as error:
            self.problem(case.program.key, error.message)

    # -- what the cases ask for ---------------------------------------------------------------

    def _watch(self, case: SimulatedCase, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Record):
            self._recorded(case, effect)
        elif isinstance(effect, effects.OpenTask):
            self._desk.opened(case, effect)
        elif isinstance(effect, effects.CloseTask):
            self._desk.closed(case, effect.element)
        elif isinstance(effect, effects.Subscribe):
            self._subscribed(case, effect)
        elif isinstance(effect, effects.StartChild):
            self._called(case, effect)
        elif isinstance(effect, effects.Finish):
            self._reach(case, None, END, 0)
            if case.parent is None:
                self._limits.lapse(case, self.now)
            if case.number in self._arrived:
                self._over += 1
        elif isinstance(effect, effects.RaiseIncident):
            self.problem(f"{case.program.key}.{effect.node_id}", effect.message)

    def _recorded(self, case: SimulatedCase, effect: effects.Record) -> None:
        moment = _MOMENTS.get(effect.move)
        # The body of a multi-instance activity is no start and no end of its own.
        if moment is not None and "instances" not in effect.detail:
            self._reach(case, effect.node_id, moment, effect.element)

    def _reach(self, case: SimulatedCase, element: str | None, moment: str, number: int) -> None:
        mark = self._marks.get((case.program.key, element, moment))
        if mark is not None:
            self._limits.reach(mark, case, number, self.where.of(case), self.now)
        goal: Mark | None = self.file.deadline.end if self.file.deadline is not None else None
        case_over = element is None and moment == END and case.number in self._arrived
        if mark == goal if goal is not None else case_over:
            self._goal.append(self.now)

    def _subscribed(self, case: SimulatedCase, effect: effects.Subscribe) -> None:
        message = self.file.messages.get(effect.name)
        if message is None or effect.kind is not effects.EventKind.MESSAGE:
            return
        purpose = f"message/{message.name}"
        if message.share < 1 and self.streams.of(f"{purpose}?").random() >= message.share:
            return

        def arrive() -> None:
            if case.subscriptions.get(effect.element) is not effect:
                return
            payload = self.answers.values(message.payload, message.name, case, effect.element)
            self._apply(
                case, triggers.EventArrived(at=self.now, element=effect.element, payload=payload)
            )

        self.at(self.answers.instant(message.after, case, purpose), arrive)

    def _called(self, case: SimulatedCase, effect: effects.StartChild) -> None:
        given = self.file.children.get(effect.process_key)
        if given is None:
            child = case.children[effect.element]
            self.where.put(child, effect.region or self.where.of(case))
            self._reach(child, None, START, 0)
            return

        def ended() -> None:
            if effect.element not in case.state.elements:
                return
            name = f"{case.program.key}：{effect.process_key}"
            outputs = self.answers.of(given, name, case, effect.element, effect.variables)
            self._apply(
                case,
                triggers.ChildEnded(
                    at=self.now, element=effect.element, outputs=outputs, error_code=given.fails
                ),
            )

        self.at(self.answers.instant(given.after, case, f"child/{effect.process_key}"), ended)

    # -- the result ---------------------------------------------------------------------------

    def _report(self) -> CampaignReport:
        end, file = self.now, self.file
        unfinished = file.cases - self._over
        tallies = [*self._limits.tallies, *self._desk.tallies.values()]
        # What is open is still open when the file's time is over, though nothing happens any more.
        horizon = file.until if unfinished else end
        found: list[LimitResult] = []
        for tally in tallies:
            found.extend(tally.results(township, self.where.calendar, horizon))
        teams = sorted(self._desk.teams.values(), key=lambda team: (team.unit, team.label))
        return CampaignReport(
            campaign=file.name,
            title=file.title,
            seed=self.streams.seed,
            started=file.clock,
            ended=end,
            arrived=len(self._arrived),
            completed=self._over,
            unfinished=unfinished,
            instances=len(self._simulation.cases),
            steps=self._simulation.steps,
            limits=tuple(found),
            queues=tuple(queue_result(team, file.clock, end) for team in teams),
            deadline=deadline_result(file.deadline, self._goal, unfinished),
            feasibility=feasibility(file.rules, local_date(file.clock), self._calendar)
            if file.rules
            else None,
            problems=tuple(
                Problem(place=place, message=message, times=times)
                for (place, message), times in self._problems.items()
            ),
            regions=file.regions,
        )
