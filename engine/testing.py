"""The test bench: processes from a BPMN file, in memory, on a clock that travels.

```python
bench = Bench.from_bpmn("leave.bpmn", clock="2026-01-04T09:00+08:00")
case = bench.start("leave", {"days": 3})
case.complete("approve", {"approved": True}, by="li")
bench.travel("5wd")
report = bench.campaign("campaigns/december.toml", seed=7)   # thousands of cases, few people
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from engine import bpmn
from engine.execution.campaign import CampaignReport, World, read_campaign, run_campaign
from engine.execution.deadlines import timer_instant
from engine.execution.decisions import package_decisions
from engine.execution.simulated_case import SimulatedCase
from engine.execution.simulation import Simulation
from engine.execution.simulation_effects import StandIn
from engine.kernel import effects, jump, triggers
from engine.kernel.decide import Decisions
from engine.model.calendar import WorkingCalendar
from engine.model.clock import LOCAL_ZONE, TravellingClock
from engine.model.errors import DeploymentRefused, InvalidState, NotFound
from engine.model.package import Finding, Package

DEFAULT_CLOCK = "2026-01-04T09:00+08:00"
_WORDS = {"entered": "enter", "completed": "complete", "cancelled": "cancel"}

Operation = Callable[[Mapping[str, object]], Mapping[str, object] | None]
"""Stands in for a named operation: inputs to outputs; may raise `BusinessError`."""


class Bench:
    """Deployed processes and their cases, in memory."""

    def __init__(self, simulation: Simulation, findings: tuple[Finding, ...] = ()) -> None:
        self.simulation = simulation
        #: warnings of the reader
        self.findings = findings

    @classmethod
    def from_bpmn(
        cls,
        source: str | bytes | Path,
        clock: str | datetime = DEFAULT_CLOCK,
        *,
        operations: Mapping[str, Operation | Mapping[str, object]] | None = None,
        decisions: Decisions | None = None,
        calendar: WorkingCalendar | None = None,
    ) -> Bench:
        """A bench of every process in a file or an XML text; DMN files beside it are found.

        Raises `DeploymentRefused` with all findings when the file may not be run.
        """
        xml, path = _source(source)
        result = bpmn.read(xml, file=path.name if path is not None else "<xml>")
        if not result.ok:
            raise DeploymentRefused(_reasons(result.findings), findings=result.findings)
        if decisions is None and path is not None:
            decisions = _decisions_beside(path)
        programs = {program.key: program for program in result.programs}
        simulation = Simulation(
            programs,
            clock=TravellingClock(_instant(clock)),
            calendar=calendar or WorkingCalendar.default(),
            decisions=dict.fromkeys(programs, decisions) if decisions is not None else None,
            stand_in=_stand_in(operations or {}),
        )
        return cls(simulation, result.findings)

    @property
    def now(self) -> datetime:
        """The instant the bench's clock shows, in UTC."""
        return self.simulation.clock.now()

    @property
    def cases(self) -> list[Case]:
        """All cases, called processes included, in the order they were started."""
        return [Case(self, case) for case in self.simulation.cases]

    def start(
        self,
        process: str,
        variables: Mapping[str, object] | None = None,
        *,
        node: str | None = None,
    ) -> Case:
        """Start a process; one that only an event starts waits for it."""
        return Case(self, self.simulation.start(process, variables, node=node))

    def message(
        self,
        name: str,
        payload: Mapping[str, object] | None = None,
        *,
        key: str | Sequence[object] | None = None,
    ) -> None:
        """Correlate to the case that waits, else start a process. Raises `NotCorrelated`."""
        self.simulation.message(name, payload, key=key)

    def signal(self, name: str, payload: Mapping[str, object] | None = None) -> None:
        """Broadcast to every case."""
        self.simulation.signal(name, payload)

    def travel(self, span: str | timedelta | datetime) -> datetime:
        """Let time pass: `P3D`, `5wd`, a span, or to an instant. Timers fire on the way."""
        if isinstance(span, datetime):
            target = span
        elif isinstance(span, timedelta):
            target = self.now + span
        else:
            target = timer_instant(self.simulation.calendar, self.now, span)
        self.simulation.travel_to(target)
        return self.now

    def campaign(
        self, source: str | bytes | Path, *, seed: int | str | None = None
    ) -> CampaignReport:
        """Run a campaign file (or its text) on the bench's processes, beside the bench's cases.

        Raises `InvalidCampaign` naming file, line and key.
        """
        if isinstance(source, Path) or (isinstance(source, str) and "\n" not in source):
            path = Path(source)
            text: str | bytes = path.read_bytes()
            name = path.name
        else:
            text, name = source, "<campaign>"
        world = World(
            programs=self.simulation.programs,
            decisions=self.simulation.decisions,
            calendar=self.simulation.calendar,
        )
        return run_campaign(world, read_campaign(text, name), seed=seed)


class Case:
    """One instance on the bench."""

    def __init__(self, bench: Bench, case: SimulatedCase) -> None:
        self._bench = bench
        self._case = case

    @property
    def process(self) -> str:
        """Id of its process."""
        return self._case.program.key

    @property
    def status(self) -> str:
        """active, completed, terminated, failed or incident."""
        return self._case.status.value

    @property
    def error_code(self) -> str | None:
        """Code of the error that ended it."""
        return self._case.error_code

    @property
    def incidents(self) -> dict[str, str]:
        """Message of each incident by the id of its node."""
        return {
            self._case.state.elements[number].node
            if number in self._case.state.elements
            else "": text
            for number, text in self._case.incidents.items()
        }

    @property
    def variables(self) -> dict[str, object]:
        """The root variables, also after the end."""
        return dict(self._case.state.variables)

    @property
    def trace(self) -> list[tuple[str, str]]:
        """("enter" | "complete" | "cancel", node id), in order. A loop shows its rounds."""
        return [
            (_WORDS[fact.move], fact.element)
            for fact in self._bench.simulation.facts
            if fact.case == self._case.number and "instances" not in fact.detail
        ]

    @property
    def children(self) -> list[Case]:
        """Cases that its call activities started and that still run."""
        return [Case(self._bench, child) for child in self._case.children.values()]

    def waiting_at(self) -> list[str]:
        """Ids of activities that wait, sorted, one entry a token."""
        return self._case.waiting_at()

    def task(self, activity: str) -> effects.OpenTask:
        """What the open human task asks for. Raises `NotFound`."""
        for task in self._case.tasks.values():
            if task.activity_id == activity:
                return task
        raise NotFound(f"“{activity}”没有待办")

    def complete(
        self,
        activity: str,
        data: Mapping[str, object] | None = None,
        by: str | None = None,
        outcome: str | None = None,
        *,
        item: str | None = None,
    ) -> None:
        """Complete what waits at an activity; the oldest, or the one for a loop item."""
        element = self._element(activity, item)
        self._bench.simulation.complete(self._case, element, data, outcome=outcome, by=by)

    def fail(self, activity: str, error_code: str, message: str = "") -> None:
        """Let the operation that waits at an activity fail with a business error."""
        self._apply(
            triggers.OperationFailed(
                at=self._bench.now,
                element=self._element(activity, None),
                error_code=error_code,
                message=message,
            )
        )

    def message(
        self,
        name: str,
        payload: Mapping[str, object] | None = None,
        *,
        key: str | Sequence[object] | None = None,
    ) -> None:
        """Send a message to this case. Raises `NotCorrelated`."""
        self._bench.simulation.message(name, payload, key=key, case=self._case)

    def signal(self, name: str, payload: Mapping[str, object] | None = None) -> None:
        """Broadcast a signal; other cases hear it too."""
        self._bench.simulation.signal(name, payload)

    def move(self, activity: str, to: str) -> None:
        """Return, withdraw or jump: the token at `activity` goes to `to`."""
        element = self._element(activity, None)
        cancel = jump_targets(self._case, element, to)
        self._apply(triggers.Moved(at=self._bench.now, cancel=cancel, node=to))

    def retry(self, activity: str, variables: Mapping[str, object] | None = None) -> None:
        """Try an incident again, with mended variables."""
        failed = [number for number, node in self._case.state.failed() if node == activity]
        if not failed:
            raise InvalidState(f"“{activity}”没有异常")
        self._apply(
            triggers.Retried(at=self._bench.now, element=failed[0], variables=dict(variables or {}))
        )

    def set(self, variables: Mapping[str, object]) -> None:
        """Change root variables from outside; data conditions are asked again."""
        self._apply(triggers.VariablesSet(at=self._bench.now, variables=dict(variables)))

    def cancel(self) -> None:
        """Terminate the case from outside."""
        self._apply(triggers.Cancelled(at=self._bench.now))

    def _apply(self, trigger: triggers.Trigger) -> None:
        self._bench.simulation.apply(self._case, trigger)

    def _element(self, activity: str, item: str | None) -> int:
        for number, node in self._case.state.waiting():
            if node != activity:
                continue
            task = self._case.tasks.get(number)
            if item is None or (task is not None and task.item == item):
                return number
        raise InvalidState(
            f"“{activity}”没有在等待；现在等待的是：{'、'.join(self.waiting_at()) or '无'}"
        )


def jump_targets(case: SimulatedCase, element: int, to: str) -> tuple[int, ...]:
    """Elements that go when the token of `element` moves to the node `to`."""
    return jump.elements_to_cancel(case.program, case.state, element, to)


def _stand_in(operations: Mapping[str, Operation | Mapping[str, object]]) -> StandIn:
    def answer(_: SimulatedCase, invoke: effects.Invoke) -> Mapping[str, object] | None:
        known = operations.get(invoke.operation)
        return known(invoke.inputs) if callable(known) else known

    return answer


def _reasons(findings: tuple[Finding, ...]) -> str:
    return "；".join(
        f"第 {each.line} 行：{each.message}" if each.line else each.message
        for each in findings
        if each.is_error
    )


def _decisions_beside(path: Path) -> Decisions | None:
    files = {each.name: each.read_bytes() for each in path.parent.glob("*.dmn")}
    package = Package(key="", title="", version_tag="", bpmn=path.name, files=files)
    return package_decisions(package)


def _source(source: str | bytes | Path) -> tuple[bytes, Path | None]:
    if isinstance(source, bytes):
        return source, None
    if isinstance(source, Path) or "<" not in source:
        path = Path(source)
        return path.read_bytes(), path
    return source.encode(), None


def _instant(clock: str | datetime) -> datetime:
    at = datetime.fromisoformat(clock) if isinstance(clock, str) else clock
    return at if at.tzinfo is not None else at.replace(tzinfo=LOCAL_ZONE)
