"""Policy rules that data decide are held while the process runs: what breaks one is refused.

The gate accepts a sum, or a length that is data, only because this module refuses the command that
would break it.  Refused means: the whole transaction is undone, the person reads which rule stands
against it and which law it comes from; work without a person becomes an incident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from engine.decision import feel
from engine.execution.deadlines import due_instant, timer_instant
from engine.execution.work import Work
from engine.kernel import effects as fx
from engine.model import policy as rules
from engine.model.clock import end_of_day, to_local
from engine.model.duration import WorkingDays, parse_duration
from engine.model.errors import Rejected
from engine.model.policy import Policy


class PolicyRefused(Rejected):
    """违反流程规则，不能办理"""

    code = "POLICY_REFUSED"
    http_status = 409


def completed(
    work: Work, activity_id: str, outcome: str | None, answered: Mapping[str, object]
) -> None:
    """Hold every sum that is checked where this activity ends. Raises PolicyRefused."""
    for policy in work.deployed.package.policies:
        rule = policy.rule
        if not isinstance(rule, rules.SumNeverAbove):
            continue
        node_id, _, wanted = rule.at.partition(":")
        if node_id != activity_id or (wanted and wanted != outcome):
            continue
        values = {**work.state.variables, **answered}
        total = _evaluated(policy, rule.sum, values, work.now)
        cap = _evaluated(policy, rule.cap, values, work.now)
        try:
            within = total is not None and cap is not None and bool(total <= cap)  # type: ignore[operator]  # FEEL values; a mixture is refused below
        except TypeError:
            within = False
        if not within:
            raise PolicyRefused(_told(policy, "总额超过限额，或者总额、限额无从得知"))


def armed(work: Work, effect: fx.ArmTimer) -> None:
    """Hold a timer to the length the rules ask for. Raises PolicyRefused."""
    for policy, rule in _lengths(work, effect.node_id):
        if rule.when is not None:
            asked = _evaluated(policy, rule.when, work.state.variables, work.now)
            if asked is False:
                continue
        calendar = work.environment.calendars.at(work.instance.region)
        at = timer_instant(calendar, effect.since, effect.when)
        if at < earliest(work, rule.span, effect.since):
            raise PolicyRefused(_told(policy, f"不满 {rule.span}"))


def opened(work: Work, effect: fx.OpenTask) -> None:
    """A task that must have a deadline has one. Raises PolicyRefused."""
    if effect.deadline is not None:
        return
    for policy in work.deployed.package.policies:
        rule = policy.rule
        if isinstance(rule, rules.DeadlineAndLadder) and (
            rule.tasks == rules.ALL_TASKS or effect.activity_id in rule.tasks
        ):
            message = f"“{effect.name}”没有算出办理时限"
            raise PolicyRefused(_told(policy, message))


def _lengths(work: Work, node_id: str) -> Iterator[tuple[Policy, rules.AtLeast]]:
    for policy in work.deployed.package.policies:
        if isinstance(policy.rule, rules.AtLeast) and node_id in policy.rule.enforced:
            yield policy, policy.rule


def earliest(work: Work, span: str, since: datetime) -> datetime:
    """When the span is over at the earliest.

    Days at whose end the law moves on to the next working day may end a little sooner by a plan
    of the unit's own; the days themselves may not be fewer.
    """
    length = parse_duration(span)
    if isinstance(length, WorkingDays):
        calendar = work.environment.calendars.at(work.instance.region)
        return due_instant(calendar, since, length).at
    return end_of_day(to_local(since).date() + timedelta(days=length.days))


def _evaluated(policy: Policy, text: str, values: Mapping[str, object], at: datetime) -> object:
    try:
        return _compiled(text).evaluate_strict(values, at=at)
    except feel.FeelError as wrong:
        raise PolicyRefused(_told(policy, f"“{text}”无法计算：{wrong}")) from wrong


@lru_cache(maxsize=256)
def _compiled(text: str) -> feel.CompiledExpression:
    return feel.compile(text)


def _told(policy: Policy, message: str) -> str:
    return f"{message}（规则“{policy.id}”，{policy.law}）"
