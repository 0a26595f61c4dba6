"""The people of a campaign at work: tasks queue, are taken, take time, are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from engine.execution.campaign_answers import Answers
from engine.execution.campaign_draws import Asked, Distribution, Drawn, Streams
from engine.execution.campaign_file import CampaignFile, People, TaskAnswer
from engine.execution.campaign_limits import Dues, Measured, Tally
from engine.execution.campaign_people import Errand, Team
from engine.execution.campaign_world import Doers, Whereabouts
from engine.execution.simulated_case import SimulatedCase
from engine.execution.working_hours import WorkingHours
from engine.kernel import effects
from engine.kernel.program import Node
from engine.model.calendar import CalendarYearMissing, WorkingCalendar
from engine.model.clock import local_date
from engine.model.duration import InvalidDuration, WorkingDays, parse_duration
from engine.model.errors import BusinessError, Incident

_MISSING = "没有人"


class Stage(Protocol):
    """What the desk may use of the run it belongs to."""

    file: CampaignFile
    streams: Streams
    where: Whereabouts
    dues: Dues
    answers: Answers

    @property
    def now(self) -> datetime:
        """The simulated instant."""
        ...

    def at(self, at: datetime, action: Callable[[], None]) -> None:
        """Let something happen then."""
        ...

    def problem(self, place: str, message: str) -> None:
        """Note what nothing answers."""
        ...

    def complete(
        self,
        case: SimulatedCase,
        element: int,
        data: Mapping[str, object],
        outcome: str | None,
        by: str,
    ) -> None:
        """The task is done."""
        ...


class Desk:
    """All teams and what lies in front of them."""

    def __init__(self, stage: Stage, calendar: WorkingCalendar) -> None:
        self._stage = stage
        self._calendar = calendar
        self._first = local_date(stage.file.clock)
        self.teams: dict[tuple[int, str], Team] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        self._chosen: dict[tuple[str, str], Team | None] = {}
        self._hours: dict[object, WorkingHours] = {}
        self._to_serve: dict[Team, None] = {}
        self._errands: dict[tuple[int, int], tuple[Team, Errand, Measured | None]] = {}
        self._doers = Doers()
        self._number = 0

    def opened(self, case: SimulatedCase, task: effects.OpenTask) -> None:
        """A task is open: it waits for its team, or nobody is there for it."""
        stage = self._stage
        unit = task.unit or stage.where.of(case)
        node = case.program.node(task.activity_id)
        due = self._due(case, node, task, unit)
        run = self._measure(case, node, task, unit, due)
        team = self._team(task.role or "", unit)
        if team is None:
            place = f"{case.program.key}.{task.activity_id}"
            stage.problem(place, f"“{unit}”{_MISSING}担任“{task.role}”，待办无人办理")
            return
        self._number += 1
        others = node.task.different_from if node.task is not None else ()
        errand = Errand(
            case=case,
            task=task,
            unit=unit,
            due=due,
            number=self._number,
            came=team.hours.worked(stage.now),
            excluded=self._doers.excluded(case, others) if others else frozenset(),
        )
        if errand.excluded and not team.can_ever(errand):
            place = f"{case.program.key}.{task.activity_id}"
            stage.problem(place, f"“{unit}”的“{task.role}”都办理过前面的环节，须由另一人办理")
        self._errands[case.number, task.element] = (team, errand, run)
        team.enqueue(errand)
        self._to_serve[team] = None

    def closed(self, case: SimulatedCase, element: int) -> None:
        """A task went away: taken from the queue, or out of somebody's hands."""
        found = self._errands.pop((case.number, element), None)
        if found is None:
            return
        team, errand, run = found
        if run is not None:
            run.ended = self._stage.now
        if errand.person is None:
            team.leave(errand, self._stage.now)
            return
        errand.open = False
        team.put_down(errand, self._stage.now)
        self._to_serve[team] = None

    def serve(self) -> None:
        """Everybody who is free and at work takes the next task."""
        stage = self._stage
        while self._to_serve:
            team = next(iter(self._to_serve))
            del self._to_serve[team]
            if not team.hours.is_open(stage.now):
                self._wake(team)
                continue
            for errand in team.hand_out(stage.now):
                self._begin(team, errand)

    def finish(self) -> None:
        """The run is over: who still has something in hand has been busy up to now."""
        for team, errand, _ in self._errands.values():
            if errand.person is not None:
                team.busy += team.hours.worked(self._stage.now) - errand.taken

    def hours_of(self, calendar: WorkingCalendar, people: People | None) -> WorkingHours:
        """The line of working time of these people; without people the usual office hours."""
        if people is None:
            return WorkingHours(calendar, self._first)
        key = (id(calendar), people.hours, people.every_day)
        found = self._hours.get(key)
        if found is None:
            found = self._hours[key] = WorkingHours(
                calendar, self._first, people.hours, every_day=people.every_day
            )
        return found

    # -- inside -------------------------------------------------------------------------------

    def _begin(self, team: Team, errand: Errand) -> None:
        try:
            done = team.hours.after(self._stage.now, self._seconds(team, errand))
        except CalendarYearMissing:
            # Not done in any year that is known: it stays in hand to the end.
            return
        self._stage.at(done, partial(self._done, team, errand))

    def _wake(self, team: Team) -> None:
        """Look at the team again when its work begins; once is enough."""
        opening = team.hours.opening(self._stage.now)
        if team.wakes != opening:
            team.wakes = opening
            self._stage.at(opening, lambda: self._to_serve.setdefault(team))

    def _done(self, team: Team, errand: Errand) -> None:
        """The person is done: the task gets its answer, the person is free."""
        if not errand.open:
            return
        stage, case, task = self._stage, errand.case, errand.task
        errand.open = False
        _, _, run = self._errands.pop((case.number, task.element))
        if run is not None:
            run.ended = stage.now
        team.put_down(errand, stage.now)
        self._to_serve[team] = None
        node = case.program.node(task.activity_id)
        self._doers.note(case, node.id, errand.person or "")
        try:
            data, outcome = self._answer(case, node, task)
        except BusinessError as error:
            stage.problem(f"{case.program.key}.{node.id}", f"业务操作拒绝：{error.error_code}")
            return
        except (Incident, ValueError) as error:
            stage.problem(f"{case.program.key}.{node.id}", str(error))
            return
        stage.complete(case, task.element, data, outcome, errand.person or "")

    def _answer(
        self, case: SimulatedCase, node: Node, task: effects.OpenTask
    ) -> tuple[dict[str, object], str | None]:
        answer = self._answer_of(case, node)
        asked = self._stage.answers.asked(case, task.element)
        data: dict[str, object] = {}
        if answer is not None:
            data = {name: value(asked) for name, value in answer.data.items()}
        if node.task is not None and node.task.operation is not None:
            data |= self._stage.answers.operation(node.task.operation, case, task.element, data)
        return data, self._outcome(answer, case, node, asked)

    def _outcome(
        self, answer: TaskAnswer | None, case: SimulatedCase, node: Node, asked: Asked
    ) -> str | None:
        """By the first rule that holds, else by shares, else the first of the model."""
        known = node.task.outcomes if node.task is not None else ()
        if answer is not None:
            for when, outcome in answer.rules:
                if when(asked) is True:
                    return outcome
            if answer.shares is not None:
                chance = self._stage.streams.of(f"answer/{case.program.key}.{node.id}")
                return answer.shares.draw(chance)
        return known[0].id if known else None

    def _answer_of(self, case: SimulatedCase, node: Node) -> TaskAnswer | None:
        tasks = self._stage.file.tasks
        return tasks.get(f"{case.program.key}.{node.id}") or tasks.get(node.id)

    def _seconds(self, team: Team, errand: Errand) -> int:
        case, task = errand.case, errand.task
        answer = self._answer_of(case, case.program.node(task.activity_id))
        time: Distribution | None = team.people.time
        per: Drawn | None = None
        if answer is not None:
            time, per = answer.time or time, answer.per
        if time is None:
            return 0
        name = f"{case.program.key}.{task.activity_id}"
        drawn = time.draw(self._stage.streams.of(f"time/{name}"))
        if per is not None:
            try:
                drawn *= float(per(self._stage.answers.asked(case, task.element)))  # type: ignore[arg-type]  # what is no number is told below
            except (TypeError, ValueError, Incident) as error:
                self._stage.problem(name, f"per 没有得出数：{error}")
        return max(0, round(drawn))

    def _team(self, role: str, unit: str) -> Team | None:
        key = (role, unit)
        if key not in self._chosen:
            self._chosen[key] = self._choose(role, unit)
        return self._chosen[key]

    def _choose(self, role: str, unit: str) -> Team | None:
        for number, people in enumerate(self._stage.file.people):
            if not people.fits(role, unit) or people.number == 0:
                continue
            place = people.unit if people.together else unit
            team = self.teams.get((number, place))
            if team is None:
                hours = self.hours_of(self._stage.where.calendar(unit), people)
                label = role if people.roles == ("*",) else "、".join(people.roles)
                team = self.teams[number, place] = Team.of(label, place, people, hours)
            return team
        return None

    def _due(
        self, case: SimulatedCase, node: Node, task: effects.OpenTask, unit: str
    ) -> datetime | None:
        if task.deadline is None:
            return None
        stage = self._stage
        try:
            return stage.dues.end(stage.where.calendar(unit), stage.now, task.deadline)
        except (Incident, InvalidDuration, CalendarYearMissing) as error:
            stage.problem(f"{case.program.key}.{node.id}", error.message)
            return None

    def _measure(
        self,
        case: SimulatedCase,
        node: Node,
        task: effects.OpenTask,
        unit: str,
        due: datetime | None,
    ) -> Measured | None:
        if due is None:
            return None
        key = (case.program.key, node.id)
        tally = self.tallies.get(key)
        length = str(task.deadline)
        if tally is None:
            tally = self.tallies[key] = Tally(
                name=node.name or node.id,
                law="",
                kind="deadline",
                element=f"{case.program.key}.{node.id}",
                length=length,
                working=_counts_working_days(length),
            )
        elif tally.length != length:
            tally.length = "各异"
        run = Measured(case=case.number, unit=unit, begun=self._stage.now, due=due)
        tally.runs.append(run)
        return run


def _counts_working_days(length: str) -> bool:
    try:
        return isinstance(parse_duration(length), WorkingDays)
    except InvalidDuration:
        return False
