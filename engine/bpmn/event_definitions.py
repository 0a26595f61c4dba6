"""Event definitions, inline or by reference, to the kernel's."""

from __future__ import annotations

from engine.bpmn import correlation, extensions, foreign
from engine.bpmn.expressions import element_expression, expression, value
from engine.bpmn.foreign_expressions import has_wrapped
from engine.bpmn.parse import (
    Document,
    Findings,
    Xml,
    bare,
    child,
    children,
    flag,
    label,
    local,
    text_of,
)
from engine.bpmn.vocabulary import DEFINITIONS
from engine.kernel.program import EventDefinition, EventType, Expression, Timer, TimerKind
from engine.model import duration

_THROWING = frozenset({"intermediateThrowEvent", "endEvent"})


def read(
    event: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> tuple[EventDefinition, ...]:
    """All definitions of an event, in document order."""
    found: list[EventDefinition] = []
    for item in elements(event, document):
        foreign.attributes(item, local(item), findings)
        definition = one(item, event, own, document, findings)
        if definition is not None:
            found.append(definition)
    return tuple(found)


def elements(event: Xml, document: Document) -> list[Xml]:
    """The definition elements of an event, references followed."""
    found: list[Xml] = []
    for item in children(event):
        if local(item) in DEFINITIONS:
            found.append(item)
        elif local(item) == "eventDefinitionRef":
            referred = document.referred(text_of(item))
            if referred is not None and local(referred) in DEFINITIONS:
                found.append(referred)
    return found


def one(
    item: Xml, event: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> EventDefinition | None:
    """One definition; None with a finding when it cannot be."""
    kind = DEFINITIONS[local(item)]
    if kind is EventType.TIMER:
        timer = _timer(item, event, findings)
        return EventDefinition(type=kind, timer=timer) if timer is not None else None
    if kind is EventType.CONDITIONAL:
        condition = element_expression(child(item, "condition"), event, findings, "条件")
        if child(item, "condition") is None:
            findings.error("missing-condition", f"条件事件“{label(event)}”没有写条件", event)
        return EventDefinition(type=kind, condition=condition) if condition is not None else None
    if kind is EventType.LINK:
        return EventDefinition(type=kind, name=item.get("name") or "")
    if kind is EventType.COMPENSATION:
        activity = item.get("activityRef")
        return EventDefinition(
            type=kind,
            activity=bare(activity) if activity else None,
            waits=flag(item, "waitForCompletion", default=True),
        )
    if kind in (EventType.CANCEL, EventType.TERMINATE):
        return EventDefinition(type=kind)
    name = _name(item, kind, event, document, findings)
    key = _key(item, event, own, document, findings) if kind is EventType.MESSAGE else None
    return EventDefinition(type=kind, name=name, key=key)


def message(
    task: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> EventDefinition | None:
    """The message of a receive or send task."""
    reference = task.get("messageRef")
    if reference is None:
        return None
    referred = document.referred(reference)
    if referred is None or local(referred) != "message":
        findings.error("unknown-reference", f"“{label(task)}”引用的消息“{reference}”不存在", task)
        return None
    key = _key(task, task, own, document, findings)
    return EventDefinition(type=EventType.MESSAGE, name=label(referred), key=key)


def _key(
    item: Xml, event: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> Expression | None:
    """The correlation key: written here, or with the message for all who wait for it."""
    if own.message_key is not None or local(event) == "startEvent":
        return own.message_key
    referred = document.referred(item.get("messageRef"))
    if referred is not None:
        text = correlation.key_text(referred, event, document, findings)
        if text is not None:
            return expression(text, event, findings, "关联键")
    if local(event) in (*_THROWING, "sendTask"):
        return None
    text = foreign.subscription_key(referred) if referred is not None else None
    return None if text is None else expression(text, event, findings, "关联键")


_REFERENCES = {
    EventType.MESSAGE: ("messageRef", "message", "消息"),
    EventType.SIGNAL: ("signalRef", "signal", "信号"),
    EventType.ERROR: ("errorRef", "error", "错误"),
    EventType.ESCALATION: ("escalationRef", "escalation", "升级"),
}


def _name(
    item: Xml, kind: EventType, event: Xml, document: Document, findings: Findings
) -> str | None:
    """Name of a message or signal, code of an error or escalation; None catches every code."""
    attribute, tag, word = _REFERENCES[kind]
    reference = item.get(attribute)
    throwing = local(event) in _THROWING
    if reference is None or not reference.strip():
        if kind in (EventType.MESSAGE, EventType.SIGNAL):
            findings.error("missing-reference", f"“{label(event)}”没有写明是哪个{word}", event)
        elif throwing:
            findings.error("missing-code", f"“{label(event)}”抛出的{word}没有代码", event)
        return None
    referred = document.referred(reference)
    if referred is None or local(referred) != tag:
        findings.error(
            "unknown-reference", f"“{label(event)}”引用的{word}“{reference}”不存在", event
        )
        return None
    called = label(referred) if kind in (EventType.MESSAGE, EventType.SIGNAL) else ""
    code = called or (referred.get(f"{tag}Code") or "").strip()
    if has_wrapped(code):
        findings.error(
            "foreign-expression", f"{word}“{code}”的名称不能是表达式，请写固定的名称", referred
        )
    if called:
        return called
    if not code and throwing:
        findings.error(
            "missing-code", f"“{label(event)}”抛出的{word}“{label(referred)}”没有代码", event
        )
    return code or None


def _timer(item: Xml, event: Xml, findings: Findings) -> Timer | None:
    given = [child(item, kind.value) for kind in TimerKind]
    present = [part for part in given if part is not None]
    if len(present) != 1:
        findings.error(
            "timer", f"定时“{label(event)}”应写 timeDate、timeDuration、timeCycle 中的一个", event
        )
        return None
    kind = TimerKind(local(present[0]))
    text = text_of(present[0])
    if not text:
        findings.error("timer", f"定时“{label(event)}”没有写时间", event)
        return None
    found = value(text, event, findings, "时间")
    if isinstance(found, str) and not _fits(found, kind, event, findings):
        return None
    return Timer(kind=kind, value=found) if found is not None else None


def _fits(text: str, kind: TimerKind, event: Xml, findings: Findings) -> bool:
    """Whether a literal is of the form the definition says."""
    try:
        due = duration.parse_due(text)
    except duration.InvalidDuration as error:
        findings.error("timer", f"定时“{label(event)}”：{error}", event)
        return False
    is_cycle = isinstance(due, duration.Cycle)
    is_length = isinstance(due, duration.Span | duration.CalendarDays | duration.WorkingDays)
    right = {
        TimerKind.CYCLE: is_cycle,
        TimerKind.DURATION: is_length,
        TimerKind.DATE: not is_cycle and not is_length,
    }[kind]
    if not right:
        findings.error("timer", f"定时“{label(event)}”的“{text}”不符合 {kind.value} 的写法", event)
    return right
