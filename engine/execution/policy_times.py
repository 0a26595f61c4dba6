"""Lengths that policy rules compare: how many days a timer surely takes, what is too long."""

from __future__ import annotations

from collections.abc import Collection

from engine.kernel.program import EventDefinition, EventType, Expression, Program, TimerKind
from engine.model.duration import (
    CalendarDays,
    Cycle,
    InvalidDuration,
    Span,
    WorkingDays,
    parse_due,
    parse_duration,
)
from engine.model.office_time import read_relative

_SHORTEST_MONTH = 28


def span_days(span: str) -> int:
    """The days of a policy's span. Raises InvalidDuration."""
    length = parse_duration(span)
    assert isinstance(length, CalendarDays | WorkingDays)
    return length.days


def days_of_timers(program: Program, span: str, enforced: Collection[str]) -> dict[str, int]:
    """Nodes that wait for a timer alone, with how many days of the span's kind that surely takes.

    A timer listed in `enforced` is held to the whole span when it is armed.  Five working days
    are at least five calendar days; calendar days promise no working day.
    """
    working = isinstance(parse_duration(span), WorkingDays)
    found: dict[str, int] = {}
    for node in program.nodes:
        if len(node.events) != 1 or node.events[0].type is not EventType.TIMER:
            continue
        if node.id in enforced and not isinstance(_literal(node.events[0]), str):
            found[node.id] = span_days(span)
        else:
            found[node.id] = _days(_literal(node.events[0]), working=working)
    return {node_id: days for node_id, days in found.items() if days > 0}


def _literal(event: EventDefinition) -> object:
    """The text of a timer, or the expression it is."""
    if event.timer is None:
        return ""
    value = event.timer.value
    if isinstance(value, Expression):
        return value
    # A fixed date may be past already; only a length or an interval surely takes time.
    return value if event.timer.kind is not TimerKind.DATE else ""


def _days(value: object, *, working: bool) -> int:
    if not isinstance(value, str) or not value:
        return 0
    try:
        length = parse_due(value)
    except InvalidDuration:
        return 0
    if isinstance(length, Cycle):
        length = length.interval
    if isinstance(length, WorkingDays):
        return length.days
    if working:
        return 0
    if isinstance(length, CalendarDays):
        return length.days
    if isinstance(length, Span):
        return length.months * _SHORTEST_MONTH + length.days + length.seconds // 86_400
    return 0


def is_longer(deadline: str, bound: str) -> bool:
    """Whether a deadline that is written as a length surely or possibly exceeds its bound."""
    if read_relative(deadline.strip()) is not None:
        return True  # nobody knows when the other step will be done
    try:
        length, limit = parse_due(deadline), parse_duration(bound)
    except InvalidDuration:
        return False
    if isinstance(length, WorkingDays):
        return not isinstance(limit, WorkingDays) or length.days > limit.days
    if isinstance(length, CalendarDays):
        return length.days > limit.days
    if isinstance(length, Span):
        days = length.months * 31 + length.days + -(-length.seconds // 86_400)
        return days > limit.days
    return False
