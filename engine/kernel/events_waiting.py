"""What an event waits for: timers, subscriptions and conditions, armed and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256

from engine.decision.values import YearMonthDuration
from engine.kernel import cycles
from engine.kernel.effects import ArmTimer, CancelTimer, EventKind, Subscribe, Unsubscribe
from engine.kernel.program import EventDefinition, EventType, Node, TimerKind
from engine.kernel.state import ROOT, Phase
from engine.kernel.work import Work
from engine.model import duration
from engine.model.clock import LOCAL_ZONE
from engine.model.due_text import read_deadline
from engine.model.errors import ModelFault

LONGEST_KEY = 200
"""Characters of a correlation key that are kept as they are."""

CYCLE = "#cycle"
"""Where a listener keeps the text of its cycle and the instant it was armed."""

SILENT = frozenset(
    {
        EventType.ERROR,
        EventType.ESCALATION,
        EventType.COMPENSATION,
        EventType.CANCEL,
        EventType.LINK,
        EventType.TERMINATE,
    }
)
"""Thrown inside the instance: found when thrown, nothing to wait for."""


def listen(work: Work, host: int, node: Node) -> None:
    """One listener for each event definition that can come from outside the throwing token."""
    for index, definition in enumerate(node.events or _message_of(node)):
        if definition.type not in SILENT:
            listener = work.add(node, host, Phase.LISTENING, place=index)
            subscribe(work, listener, definition)


def listen_at_boundary(work: Work, host: int, node: Node) -> None:
    """The boundary events of this activity become possible."""
    for index in node.boundaries:
        listen(work, host, work.program.nodes[index])


def definition_of(work: Work, number: int) -> EventDefinition:
    """The event definition this element waits for."""
    element = work.elements[number]
    node = work.program.by_id[element.node]
    return (node.events or _message_of(node))[element.place]


def awaits_timer(work: Work, number: int) -> bool:
    """Whether this live element waits for a timer of its own."""
    element = work.elements[number]
    if number == ROOT or element.phase not in (Phase.LISTENING, Phase.WAITING):
        return False
    events = work.program.by_id[element.node].events
    alone = element.phase is Phase.LISTENING or len(events) == 1
    return alone and element.place < len(events) and events[element.place].timer is not None


def subscribe(work: Work, number: int, definition: EventDefinition) -> None:
    """Arm what the definition says for this element."""
    node = work.node(number)
    if definition.type is EventType.TIMER:
        _arm(work, number, node, definition)
    elif definition.type is EventType.CONDITIONAL:
        work.conditions_dirty = True
    elif definition.type in (EventType.MESSAGE, EventType.SIGNAL):
        work.emit(
            Subscribe(
                element=number,
                node_id=node.id,
                kind=_KINDS[definition.type],
                name=definition.name or "",
                key=correlation_key(work, number, definition),
            )
        )


def unsubscribe(work: Work, number: int) -> None:
    """Take back the timer or subscription of this element."""
    node = work.node(number)
    if len(node.events) > 1 and work.elements[number].phase is Phase.WAITING:
        return  # its listeners wait, not the event itself
    kind = definition_of(work, number).type
    if kind is EventType.TIMER:
        work.emit(CancelTimer(element=number))
    elif kind in (EventType.MESSAGE, EventType.SIGNAL):
        work.emit(Unsubscribe(element=number))


def correlation_key(
    work: Work,
    number: int,
    definition: EventDefinition,
    payload: Mapping[str, object] | None = None,
) -> str | None:
    """The key as text; numbers without trailing zeros, so that 3 and 3.0 correlate.

    A key of several properties is a list: all of them must be equal (BPMN 2.0.2 §8.4.2).  The
    names of a `payload` come before those of the case.
    """
    if definition.key is None:
        return None
    value = work.evaluate(number, definition.key, payload)
    parts = value if isinstance(value, list | tuple) else [value]
    if not parts or any(part is None for part in parts):
        raise ModelFault(f"消息“{definition.name}”的关联键为空", element=work.elements[number].node)
    return key_text(value)


def key_text(value: object) -> str:
    """One text for a correlation key; of a list, one that no other list gives."""
    texts = [as_text(part) for part in value] if isinstance(value, list | tuple) else []
    if len(texts) > 1:
        text = "|".join(text.replace("~", "~0").replace("|", "~1") for text in texts)
    else:
        text = texts[0] if texts else as_text(value)
    # Keys are found by an index: a longer one is known by its digest.
    return text if len(text) <= LONGEST_KEY else f"sha256:{sha256(text.encode()).hexdigest()}"


def rearm(work: Work, number: int, due_at: datetime | None) -> bool:
    """Arm the next firing of a cycle after the one that was due; False when it is over."""
    known = _cycle_of(work, number)
    if known is None or due_at is None:
        return False
    cycle, anchor = known
    following = cycles.following(cycle, anchor or due_at, work.elements[number].left, due_at)
    if following is None:
        return False
    work.change(number, left=following.left)
    work.emit(
        ArmTimer(
            element=number,
            node_id=work.elements[number].node,
            when=following.when,
            since=following.since,
        )
    )
    return True


def comes_too_late(work: Work, number: int, due_at: datetime | None) -> bool:
    """Whether a cycle of working days turns out to have ended before this firing."""
    known = _cycle_of(work, number)
    return known is not None and due_at is not None and cycles.is_over(known[0], due_at)


def _cycle_of(work: Work, number: int) -> tuple[duration.Cycle, datetime | None] | None:
    """The cycle of a listener and the instant it was armed (unknown in states of old)."""
    kept = work.locals.get(number, {}).get(CYCLE)
    if isinstance(kept, str):
        return duration.parse_cycle(kept), None
    if isinstance(kept, list):
        text, anchor = kept
        return duration.parse_cycle(text), datetime.fromisoformat(anchor)
    return None


def as_text(value: object) -> str:
    """A value as a correlation key or label."""
    if isinstance(value, str):
        return value
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").isdigit() else text


def when(value: object, node: Node) -> object:
    """What a timer expression gave, as `ArmTimer.when`. Raises `ModelFault`."""
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=LOCAL_ZONE)
    if isinstance(value, timedelta):
        return str(
            duration.Span(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
        )
    if isinstance(value, date | YearMonthDuration):
        return value if isinstance(value, date) else str(value)
    if isinstance(value, str):
        try:
            due = read_deadline(value)
        except duration.InvalidDuration as error:
            raise ModelFault(str(error), element=node.id) from error
        if isinstance(due, date):
            return when(due, node) if isinstance(due, datetime) else due
        return value.strip()
    raise ModelFault(f"定时“{node.name or node.id}”的值不是日期、时间或时长", element=node.id)


def _arm(work: Work, number: int, node: Node, definition: EventDefinition) -> None:
    assert definition.timer is not None
    value = when(work.text(_host_view(work, number), definition.timer.value), node)
    since = work.at
    if isinstance(value, str) and value[:1] in "Rr":
        cycle = duration.parse_cycle(value)
        firing = cycles.first(cycle, work.at)
        work.declare(number, CYCLE, [value, work.at.isoformat()])
        work.change(number, left=firing.left)
        value, since = firing.when, firing.since
    elif definition.timer.kind is TimerKind.CYCLE:
        raise ModelFault(f"定时“{node.name or node.id}”的周期应写成 R3/PT1H 这样", element=node.id)
    work.emit(ArmTimer(element=number, node_id=node.id, when=value, since=since))


def _host_view(work: Work, number: int) -> int:
    return number if number in work.elements else ROOT


def _message_of(node: Node) -> tuple[EventDefinition, ...]:
    return (node.message,) if node.message is not None else ()


_KINDS = {EventType.MESSAGE: EventKind.MESSAGE, EventType.SIGNAL: EventKind.SIGNAL}
