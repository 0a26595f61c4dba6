"""Scenario files of a package: data-only stories, run on a simulated clock without a store.

A step names what is expected to wait, then one thing that happens: a task completed, time passed,
a message, a signal.  Operations and called processes are stood in for by the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.execution.deadlines import timer_instant
from engine.execution.simulated_case import SimulatedCase
from engine.execution.simulation import Simulation
from engine.kernel import effects
from engine.kernel.decide import Decisions
from engine.kernel.program import Kind, Program
from engine.kernel.triggers import OperationFailed, VariablesSet
from engine.model.calendar import WorkingCalendar
from engine.model.clock import LOCAL_ZONE, TravellingClock
from engine.model.errors import BusinessError, Incident, InvalidInput, Rejected

_KEYS = frozenset(
    [
        "title",
        "process",
        "clock",
        "region",
        "variables",
        "operations",
        "children",
        "step",
        "expect_variables",
    ]
)
_STEP_KEYS = frozenset(
    [
        "expect",
        "complete",
        "by",
        "data",
        "outcome",
        "item",
        "travel",
        "message",
        "key",
        "payload",
        "signal",
        "set",
        "fail",
        "error",
        "expect_end",
        "expect_status",
        "expect_variables",
    ]
)
_DEEDS = ("complete", "travel", "message", "signal", "set", "fail")


class InvalidScenario(InvalidInput):
    """情景文件写法有误"""

    code = "INVALID_SCENARIO"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioStep:
    """One line of the result: what happened when, and who did it."""

    at: datetime
    element: str
    kind: str
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """What `nuanliu run --json` prints (contract.md)."""

    scenario: str
    ok: bool
    steps: tuple[ScenarioStep, ...] = ()
    failed: str | None = None

    def as_json(self) -> dict[str, object]:
        """One JSON object."""
        return {
            "scenario": self.scenario,
            "ok": self.ok,
            "steps": [
                {
                    "at": step.at.astimezone(LOCAL_ZONE).isoformat(),
                    "element": step.element,
                    "kind": step.kind,
                    "who": step.who,
                }
                for step in self.steps
            ],
            "failed": self.failed,
        }


@dataclass(slots=True)
class World:
    """What scenarios run on: programs by key, with what evaluates their decisions."""

    programs: Mapping[str, Program]
    decisions: Mapping[str, Decisions] = field(default_factory=dict)
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar.default)


class _Unmet(Exception):
    """An expectation of the scenario that did not come true."""


def read_scenario(text: str | bytes, name: str) -> dict[str, Any]:
    """The parsed file. Raises `InvalidScenario` naming file and key."""
    try:
        content = text.decode("utf-8") if isinstance(text, bytes) else text
        parsed = tomllib.loads(content, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidScenario(f"{name}：不是正确的 TOML（{error}）") from error
    for key in parsed.keys() - _KEYS:
        raise InvalidScenario(f"{name}：不认识的键“{key}”")
    if not isinstance(parsed.get("process"), str):
        raise InvalidScenario(f"{name}：没有写明 process")
    steps = parsed.get("step", [])
    if not isinstance(steps, list) or not steps:
        raise InvalidScenario(f"{name}：没有任何 [[step]]")
    for number, step in enumerate(steps, start=1):
        for key in step.keys() - _STEP_KEYS:
            raise InvalidScenario(f"{name}：第 {number} 步有不认识的键“{key}”")
        if sum(deed in step for deed in _DEEDS) > 1:
            raise InvalidScenario(f"{name}：第 {number} 步同时写了几件事")
    return parsed


def run_scenario(world: World, text: str | bytes, name: str) -> ScenarioResult:
    """Run one scenario file. Raises `InvalidScenario` for a file that is not one."""
    return _Story(world, read_scenario(text, name), name).run()


class _Story:
    def __init__(self, world: World, scenario: Mapping[str, Any], name: str) -> None:
        self._name = name
        self._scenario = scenario
        self._answers: dict[str, int] = {}
        self._done_by: dict[str, set[str]] = {}
        children = scenario.get("children", {})
        if scenario["process"] not in world.programs:
            raise InvalidScenario(f"{name}：没有流程“{scenario['process']}”")
        self._simulation = Simulation(
            {key: program for key, program in world.programs.items() if key not in children},
            clock=TravellingClock(_instant(scenario.get("clock", "2026-01-04T09:00+08:00"), name)),
            calendar=world.calendar,
            decisions=world.decisions,
            stand_in=self._operation,
        )

    def run(self) -> ScenarioResult:
        failed: str | None = None
        number = 0
        try:
            variables = dict(self._scenario.get("variables", {}))
            main = self._simulation.start(self._scenario["process"], variables)
            for step in self._scenario["step"]:
                number += 1
                self._settle_children()
                self._step(main, step)
            self._settle_children()
            self._no_incidents()
            self._variables(main, self._scenario.get("expect_variables", {}))
        except _Unmet as unmet:
            failed = f"第 {number} 步：{unmet}"
        except (Rejected, Incident) as error:
            failed = f"第 {number} 步：{error.message}"
        steps = tuple(
            ScenarioStep(
                at=fact.at, element=fact.element, kind=f"{fact.kind}.{fact.move}", who=fact.who
            )
            for fact in self._simulation.facts
        )
        return ScenarioResult(scenario=self._name, ok=failed is None, steps=steps, failed=failed)

    def _step(self, main: SimulatedCase, step: Mapping[str, Any]) -> None:
        self._no_incidents()
        if "expect" in step:
            self._waits(main, list(step["expect"]))
        if "complete" in step:
            self._complete(main, step)
        elif "fail" in step:
            self._fail(main, step)
        elif "travel" in step:
            clock = self._simulation.clock
            self._simulation.travel_to(
                timer_instant(self._simulation.calendar, clock.now(), step["travel"])
            )
        elif "message" in step:
            key = step.get("key")
            self._simulation.message(
                step["message"], step.get("payload"), key=None if key is None else str(key)
            )
        elif "signal" in step:
            self._simulation.signal(step["signal"], step.get("payload"))
        elif "set" in step:
            at = self._simulation.clock.now()
            self._simulation.apply(main, VariablesSet(at=at, variables=dict(step["set"])))
        self._settle_children()
        if "expect_end" in step and bool(step["expect_end"]) != main.state.is_ended:
            state = f"还在等待 {self._names(main)}" if step["expect_end"] else "已经结束"
            raise _Unmet(f"流程{state}")
        if "expect_status" in step and main.status.value != step["expect_status"]:
            raise _Unmet(f"流程状态是 {main.status.value}，应为 {step['expect_status']}")
        self._variables(main, step.get("expect_variables", {}))

    def _waits(self, main: SimulatedCase, expected: list[str]) -> None:
        """Plain ids are about the main case; `process.activity` about a called one."""
        own = sorted(each for each in expected if "." not in each)
        found = main.waiting_at()
        if own != found:
            raise _Unmet(f"应在等待 {own}，实际在等待 {found}")
        for each in expected:
            if "." in each and self._find(each) is None:
                raise _Unmet(f"“{each}”没有在等待")

    def _complete(self, main: SimulatedCase, step: Mapping[str, Any]) -> None:
        case, element = self._waiting(main, step["complete"], step.get("item"))
        node = case.program.node(case.state.elements[element].node)
        data = dict(step.get("data", {}))
        by = step.get("by")
        if node.task is not None:
            self._apart(node.task.different_from, by)
            if node.task.operation is not None:
                data |= self._answer(node.task.operation)
        self._simulation.complete(case, element, data, outcome=step.get("outcome"), by=by)
        if by is not None:
            for name in (node.id, f"{case.program.key}.{node.id}"):
                self._done_by.setdefault(name, set()).add(by)

    def _fail(self, main: SimulatedCase, step: Mapping[str, Any]) -> None:
        case, element = self._waiting(main, step["fail"], step.get("item"))
        self._simulation.apply(
            case,
            OperationFailed(
                at=self._simulation.clock.now(),
                element=element,
                error_code=str(step.get("error", "")),
            ),
        )

    def _apart(self, others: tuple[str, ...], by: str | None) -> None:
        """Four eyes: whoever did one of these activities may not do this one."""
        for other in others:
            if by is not None and by in self._done_by.get(other, set()):
                raise _Unmet(f"{by} 办理过“{other}”，不能再办这一步")

    def _waiting(
        self, main: SimulatedCase, activity: str, item: str | None
    ) -> tuple[SimulatedCase, int]:
        found = self._find(activity, item, main)
        if found is None:
            raise _Unmet(f"“{activity}”没有在等待；现在等待的是 {self._names(main)}")
        return found

    def _find(
        self, activity: str, item: str | None = None, main: SimulatedCase | None = None
    ) -> tuple[SimulatedCase, int] | None:
        process, _, plain = activity.rpartition(".")
        cases = self._simulation.cases
        for case in cases if main is None else [main, *cases]:
            if process and case.program.key != process:
                continue
            for number, node in case.state.waiting():
                task = case.tasks.get(number)
                if node == plain and (item is None or (task is not None and task.item == item)):
                    return case, number
        return None

    def _settle_children(self) -> None:
        """Called processes that the file stands in for end at once with the given outputs."""
        children = self._scenario.get("children", {})
        again = True
        while again:
            again = False
            for case in self._simulation.cases:
                for number, node_id in case.state.waiting():
                    node = case.program.node(node_id)
                    if node.kind is not Kind.CALL_ACTIVITY or node.call is None:
                        continue
                    key = node.call.process_key
                    if (
                        number in case.children
                        or number not in case.calls
                        or number in case.incidents
                    ):
                        continue
                    if key not in children:
                        raise _Unmet(f"“{node_id}”调用的流程“{key}”没有写替身（[children.{key}]）")
                    if children[key].get("waits"):
                        continue
                    self._simulation.complete(case, number, children[key].get("outputs", {}))
                    again = True
                    break
                if again:
                    break

    def _operation(self, _: SimulatedCase, invoke: effects.Invoke) -> Mapping[str, object] | None:
        return self._answer(invoke.operation)

    def _answer(self, operation: str) -> dict[str, object]:
        """`returns` of the file; a list answers call after call, nothing written is {}."""
        given = self._scenario.get("operations", {}).get(operation, {})
        if "fails" in given:
            raise BusinessError(str(given["fails"]))
        returns = given.get("returns", {})
        if isinstance(returns, list):
            turn = self._answers.get(operation, 0)
            self._answers[operation] = turn + 1
            returns = returns[min(turn, len(returns) - 1)] if returns else {}
        return dict(returns)

    def _no_incidents(self) -> None:
        for case in self._simulation.cases:
            for number, message in case.incidents.items():
                element = case.state.elements.get(number)
                where = element.node if element is not None else case.program.key
                raise _Unmet(f"“{where}”出现异常：{message}")

    def _variables(self, main: SimulatedCase, expected: Mapping[str, object]) -> None:
        for name, value in expected.items():
            found = main.state.variables.get(name)
            if found != value:
                raise _Unmet(f"变量“{name}”应为 {value!r}，实际为 {found!r}")

    def _names(self, main: SimulatedCase) -> str:
        waiting = main.waiting_at() + [
            f"{case.program.key}.{node}"
            for case in self._simulation.cases
            if case is not main
            for node in case.waiting_at()
        ]
        return "、".join(waiting) or "无"


def _instant(value: object, name: str) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidScenario(f"{name}：clock“{value}”不是日期时间") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=LOCAL_ZONE)
