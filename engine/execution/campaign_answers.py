"""What stands in for the outside world of a campaign: operations, messages, called processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from engine.execution.campaign_draws import Asked, Distribution, Drawn, Streams
from engine.execution.campaign_file import CampaignFile, StandIn
from engine.execution.campaign_world import Whereabouts
from engine.execution.deadlines import due_instant
from engine.execution.simulated_case import SimulatedCase
from engine.kernel import effects, triggers
from engine.model.clock import Clock
from engine.model.duration import Duration
from engine.model.errors import BusinessError, Incident


class Answers:
    """Computes and draws the values of the file, case by case."""

    def __init__(
        self,
        file: CampaignFile,
        streams: Streams,
        where: Whereabouts,
        clock: Clock,
        problem: Callable[[str, str], None],
    ) -> None:
        self._file = file
        self._streams = streams
        self._where = where
        self._clock = clock
        self._problem = problem
        self._turns: dict[tuple[str, int], int] = {}

    def asked(
        self, case: SimulatedCase, element: int, more: Mapping[str, object] | None = None
    ) -> Asked:
        """The case's variables first, then the constants of the file and `region`."""
        unit = self._where.of(case)
        state, constants = case.state, self._file.constants
        seen: dict[str, object] | None = None

        def lookup(name: str) -> object:
            nonlocal seen
            if seen is None:
                known = state.visible(element) if element in state.elements else {}
                seen = known | dict(more or {})
            if name in seen:
                return seen[name]
            return unit if name == "region" else constants.get(name)

        return Asked(
            lookup=lookup,
            now=self._clock.now(),
            calendar=self._where.calendar(unit),
            streams=self._streams,
        )

    def operation(
        self, operation: str, case: SimulatedCase, element: int, more: Mapping[str, object]
    ) -> dict[str, object]:
        """What the stand-in returns; nothing where the file says nothing.

        Raises `BusinessError` where the file lets the operation fail.
        """
        given = self._file.operations.get(operation)
        if given is None:
            return {}
        if given.fails is not None:
            raise BusinessError(given.fails)
        return self.of(given, f"{case.program.key}：{operation}", case, element, more)

    def ended(self, invoke: effects.Invoke, case: SimulatedCase) -> triggers.Trigger:
        """How an operation ends that takes its time."""
        at = self._clock.now()
        try:
            outputs = self.operation(invoke.operation, case, invoke.element, invoke.inputs)
        except BusinessError as error:
            return triggers.OperationFailed(
                at=at, element=invoke.element, error_code=error.error_code
            )
        return triggers.OperationReturned(at=at, element=invoke.element, outputs=outputs)

    def of(
        self,
        given: StandIn,
        name: str,
        case: SimulatedCase,
        element: int,
        more: Mapping[str, object],
    ) -> dict[str, object]:
        """What a stand-in gives; a list answers call after call of one case."""
        turn = self._turns.get((name, case.number), 0)
        self._turns[name, case.number] = turn + 1
        answer = given.answers[min(turn, len(given.answers) - 1)]
        return self.values(answer, name, case, element, more)

    def values(
        self,
        values: Mapping[str, Drawn],
        name: str,
        case: SimulatedCase,
        element: int,
        more: Mapping[str, object] | None = None,
    ) -> dict[str, object]:
        """Every value; what cannot be told is noted, and then there is none."""
        asked = self.asked(case, element, more)
        try:
            return {key: value(asked) for key, value in values.items()}
        except (Incident, ValueError) as error:
            self._problem(name, str(error))
            return {}

    def instant(
        self, after: Distribution | Duration | None, case: SimulatedCase, purpose: str
    ) -> datetime:
        """When something comes that takes so long from now."""
        now = self._clock.now()
        if after is None:
            return now
        if isinstance(after, Distribution):
            return now + timedelta(seconds=round(after.draw(self._streams.of(purpose))))
        return due_instant(self._where.calendar(self._where.of(case)), now, after).at
