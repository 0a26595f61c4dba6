"""What a job of another case tells this one: its child ended, escalated, or threw a signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.execution.work import Work
from engine.kernel.triggers import ChildEnded, EscalationReached, EventArrived, Trigger
from engine.model.facts import Fact


def _child_ended(work: Work, arguments: Mapping[str, Any]) -> Trigger:
    element = arguments["element"]
    node = dict(work.state.waiting()).get(element)
    work.record(
        Fact.CHILD_ENDED,
        activity_id=node,
        detail={"instance": arguments["child"], "error": arguments["error_code"]},
    )
    return ChildEnded(
        at=work.now,
        element=element,
        outputs=arguments["outputs"],
        error_code=arguments["error_code"],
    )


def _escalation(work: Work, arguments: Mapping[str, Any]) -> Trigger:
    return EscalationReached(
        at=work.now,
        element=arguments["element"],
        escalation_code=arguments["code"],
        payload=arguments["payload"],
    )


def _event(work: Work, arguments: Mapping[str, Any]) -> Trigger:
    work.record(
        Fact.SIGNAL_RECEIVED,
        activity_id=arguments["node_id"],
        detail={"name": arguments["name"]},
    )
    return EventArrived(at=work.now, element=arguments["element"], payload=arguments["payload"])


TRIGGERS: dict[str, Callable[[Work, Mapping[str, Any]], Trigger]] = {
    "child_ended": _child_ended,
    "escalation": _escalation,
    "event": _event,
}
