"""What a campaign showed, as values and as JSON (shape: `docs/campaigns.md`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from engine.execution.campaign_file import Deadline
from engine.execution.campaign_limits import LimitResult
from engine.execution.campaign_people import Team
from engine.execution.campaign_schedule import Feasibility
from engine.model.clock import LOCAL_ZONE, end_of_day

HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueResult:
    """The queue in front of one team, in hours of work."""

    role: str
    unit: str
    #: None: as many as there is work
    people: int | None
    tasks: int
    longest: int
    longest_at: datetime | None
    mean_wait: float
    p95_wait: float
    #: mean number waiting over working time
    mean_length: float
    utilisation: float | None
    #: tasks that nobody has taken by the end
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineResult:
    """Whether the campaign as a whole was over in time."""

    name: str
    law: str
    by: date
    #: cases (or marks) that reached it, all of them, and how many too late or not at all
    reached: int
    expected: int
    late: int
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something the model or the file does not answer, with how often it happened."""

    place: str
    message: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """The result of a campaign; the same for the same file and seed."""

    campaign: str
    title: str
    seed: int | str
    started: datetime
    ended: datetime
    arrived: int
    completed: int
    unfinished: int
    instances: int
    steps: int
    limits: tuple[LimitResult, ...]
    queues: tuple[QueueResult, ...]
    deadline: DeadlineResult | None
    feasibility: Feasibility | None
    problems: tuple[Problem, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """No limit broken, the deadline kept, the rules agree, nothing left open or unanswered."""
        return not (
            any(result.breaches for result in self.limits)
            or (self.deadline is not None and self.deadline.late)
            or (self.feasibility is not None and not self.feasibility.feasible)
            or self.unfinished
            or self.problems
        )

    def name_of(self, unit: str) -> str:
        """The unit's name where the file gives one."""
        return self.regions.get(unit, unit)

    def as_json(self) -> dict[str, object]:
        """One JSON object."""
        return {
            "campaign": self.campaign,
            "title": self.title,
            "seed": self.seed,
            "ok": self.ok,
            "started": _iso(self.started),
            "ended": _iso(self.ended),
            "cases": {
                "arrived": self.arrived,
                "completed": self.completed,
                "unfinished": self.unfinished,
            },
            "instances": self.instances,
            "steps": self.steps,
            "limits": [self._limit(result) for result in self.limits],
            "queues": [self._queue(result) for result in self.queues],
            "deadline": _deadline(self.deadline),
            "feasibility": _feasibility(self.feasibility),
            "problems": [
                {"place": each.place, "message": each.message, "times": each.times}
                for each in self.problems
            ],
        }

    def _limit(self, result: LimitResult) -> dict[str, object]:
        return {
            "name": result.name,
            "law": result.law,
            "kind": result.kind,
            "element": result.element,
            "unit": result.unit,
            "unit_name": self.name_of(result.unit),
            "length": result.length,
            "cases": result.cases,
            "breaches": result.breaches,
            "open": result.open,
            "worst": None
            if result.worst_due is None
            else {
                "days": result.worst_days,
                "days_kind": result.days_kind,
                "hours": result.worst_hours,
                "case": result.worst_case,
                "due": _iso(result.worst_due),
                "ended": _iso(result.worst_end),
            },
            "last_end": _iso(result.last_end),
        }

    def _queue(self, result: QueueResult) -> dict[str, object]:
        return {
            "role": result.role,
            "unit": result.unit,
            "unit_name": self.name_of(result.unit),
            "people": result.people,
            "tasks": result.tasks,
            "left": result.left,
            "longest": result.longest,
            "longest_at": _iso(result.longest_at),
            "mean_wait_hours": result.mean_wait,
            "p95_wait_hours": result.p95_wait,
            "mean_length": result.mean_length,
            "utilisation": result.utilisation,
        }


def queue_result(team: Team, start: datetime, end: datetime) -> QueueResult:
    """What the team's queue was like between these instants."""
    until = team.hours.worked(end)
    worked = until - team.hours.worked(start)
    area = team.area + team.length * max(0, until - team.reached)
    waits = sorted(team.waits)
    number = team.people.number
    return QueueResult(
        role=team.label,
        unit=team.unit,
        people=number,
        tasks=team.tasks,
        longest=team.longest,
        longest_at=team.longest_at,
        mean_wait=round(sum(waits) / len(waits) / HOUR, 3) if waits else 0.0,
        p95_wait=round(_percentile(waits, 0.95) / HOUR, 3),
        mean_length=round(area / worked, 4) if worked else 0.0,
        utilisation=round(team.busy / (number * worked), 4) if number and worked else None,
        left=team.length,
    )


def deadline_result(
    wanted: Deadline | None, goal: Sequence[datetime], unfinished: int
) -> DeadlineResult | None:
    """How the whole campaign stands to its day; what is unfinished is late."""
    if wanted is None:
        return None
    too_late = end_of_day(wanted.by)
    return DeadlineResult(
        name=wanted.name,
        law=wanted.law,
        by=wanted.by,
        reached=len(goal),
        expected=len(goal) + unfinished,
        late=sum(at >= too_late for at in goal) + unfinished,
        last=max(goal, default=None),
    )


def _percentile(rising: Sequence[int], share: float) -> int:
    """The smallest value that at least this share does not exceed."""
    return rising[max(0, math.ceil(share * len(rising)) - 1)] if rising else 0


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(LOCAL_ZONE).isoformat()


def _deadline(result: DeadlineResult | None) -> dict[str, object] | None:
    if result is None:
        return None
    return {
        "name": result.name,
        "law": result.law,
        "by": result.by.isoformat(),
        "reached": result.reached,
        "expected": result.expected,
        "late": result.late,
        "last": _iso(result.last),
    }


def _feasibility(found: Feasibility | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "feasible": found.feasible,
        "start": found.start.isoformat(),
        "latest_start": None if found.latest_start is None else found.latest_start.isoformat(),
        "conflicts": [
            {
                "needs": {"name": each.needs.name, "law": each.needs.law},
                "until": {"name": each.until.name, "law": each.until.law},
                "counted_on": each.counted_on.isoformat(),
                "earliest": each.earliest.isoformat(),
                "latest": each.latest.isoformat(),
                "move_to": None if each.move_to is None else each.move_to.isoformat(),
                "sentence": each.sentence,
            }
            for each in found.conflicts
        ],
    }
