"""One case as a picture and as a story: the diagram with its states, the time line in words."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from markupsafe import Markup

from engine import (
    Actor,
    ElementState,
    ElementStateView,
    FactView,
    InstanceView,
    Progress,
    drawing,
    facts,
)
from engine import states as transitions
from webforms.database import engine, now
from webforms.shell import i18n, places
from webforms.shell.words import gettext

QUIET = frozenset({facts.Fact.NODE_ENTERED, facts.Fact.NODE_COMPLETED, facts.Fact.VARIABLES_SET})
PAGES = 10
_TONES = {
    facts.Fact.INSTANCE_STARTED: "info",
    facts.Fact.TASK_COMPLETED: "ok",
    facts.Fact.INSTANCE_COMPLETED: "ok",
    facts.Fact.TASK_RETURNED: "warn",
    facts.Fact.TASK_WITHDRAWN: "warn",
    facts.Fact.INSTANCE_JUMPED: "bad",
    facts.Fact.TASK_REMINDED: "warn",
    facts.Fact.TASK_URGED: "warn",
    facts.Fact.TASK_SUPERVISED: "bad",
    facts.Fact.TASK_CIRCULATED: "bad",
    facts.Fact.TASK_OVERDUE: "bad",
    facts.Fact.INSTANCE_TERMINATED: "bad",
    facts.Fact.INSTANCE_FAILED: "bad",
    facts.Fact.INCIDENT_RAISED: "bad",
    facts.Fact.OPERATION_FAILED: "bad",
}
#: keys of a fact's detail that people are told, and how they are called
_TOLD = {
    "outcome": "结论",
    "reason": "原因",
    "text": "内容",
    "unit": "单位",
    "due": "时限",
    "from_name": "从",
    "name": "名称",
    "message": "说明",
    "note": "说明",
    "error": "原因",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the time line: who, what, when, and after how long."""

    at: datetime
    who: str
    what: str
    where: str
    tone: str
    notes: tuple[tuple[str, str], ...]
    #: time since the line before, in words; empty when next to nothing
    after: str
    #: how often the same was said in a row
    times: int = 1


@functools.lru_cache(maxsize=128)
def _drawing(definition_id: str) -> drawing.Drawing:
    return drawing.drawing_of(engine().repository.xml(definition_id))


#: in the place of the title of a picture that is kept
_TITLE = "\ue000title\ue000"


@functools.lru_cache(maxsize=64)
def _pictured(definition_id: str, states: tuple[ElementState, ...]) -> str:
    return _drawing(definition_id).svg(states, title=_TITLE)


def diagram(
    instance: InstanceView, actor: Actor, *, links: Mapping[str, str] | None = None
) -> Markup:
    """The diagram with where the case is, where it was and what is late; drawn on the server."""
    found = engine().history.overlay(instance.id, actor)
    states = tuple(_state(view) for view in sorted(found, key=lambda one: one.element_id))
    named = f"流程图：{instance.title}"
    if links:
        svg = _drawing(instance.definition_id).svg(states, title=named, links=links)
    else:
        # Most cases of a process stand where others stand: their pictures differ by the title.
        svg = _pictured(instance.definition_id, states).replace(_TITLE, escape(named))
    return Markup(svg)  # noqa: S704  # the drawing escapes every text itself


def plain_diagram(definition_id: str, title: str) -> Markup:
    """The diagram of a definition without any state."""
    return Markup(_drawing(definition_id).svg((), title=title))  # noqa: S704  # escaped there


def marked_diagram(
    definition_id: str, title: str, *, waiting: Iterable[str], ending: Iterable[str]
) -> Markup:
    """The diagram with where tokens wait, and which of them would be cancelled."""
    gone = set(ending)
    states = [
        ElementState(
            element_id=node_id,
            progress=Progress.SKIPPED if node_id in gone else Progress.ACTIVE,
            count=1,
        )
        for node_id in sorted({*waiting, *gone})
    ]
    return Markup(_drawing(definition_id).svg(states, title=title))  # noqa: S704  # escaped there


def facts_of(instance_id: str, actor: Actor) -> list[FactView]:
    """The audit trail of a case, oldest first; of a very long one its first thousands."""
    found: list[FactView] = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = engine().history.timeline(instance_id, actor, cursor=cursor)
        found.extend(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def forget() -> None:
    """Drop kept pictures; for applications that begin with another database."""
    _drawing.cache_clear()
    _pictured.cache_clear()


def story(instance: InstanceView, actor: Actor) -> tuple[Line, ...]:
    """The case's facts as lines, oldest first; nodes without people are left out."""
    names: dict[tuple[str, str], str] = {}
    for version in engine().history.versions(instance.id, actor):
        names.update(outcome_names(version))
    return lines(facts_of(instance.id, actor), names)


def outcome_names(definition_id: str) -> dict[tuple[str, str], str]:
    """How the outcomes of each activity are called: (activity, outcome) → name."""
    program = engine().repository.program(definition_id)
    return {
        (node.id, option.id): option.name
        for node in program.nodes
        if node.task is not None
        for option in node.task.outcomes
    }


def lines(
    found: Iterable[FactView], outcomes: Mapping[tuple[str, str], str] | None = None
) -> tuple[Line, ...]:
    """Facts as lines."""
    told: list[Line] = []
    before: datetime | None = None
    for fact in found:
        if fact.kind in QUIET:
            continue
        line = Line(
            at=fact.at,
            who=fact.actor_name or gettext("系统"),
            what=_what(fact),
            where=fact.activity_name or "",
            tone=_TONES.get(facts.Fact(fact.kind), "") if fact.kind in set(facts.Fact) else "",
            notes=notes(fact, outcomes or {}),
            after=_after(before, fact.at),
        )
        before = fact.at
        if told and _same(told[-1], line):
            told[-1] = dataclasses.replace(line, after=told[-1].after, times=told[-1].times + 1)
        else:
            told.append(line)
    return tuple(told)


def age(instance: InstanceView) -> str:
    """How long the case took, or has been running."""
    return i18n.span((instance.ended_at or now()) - instance.started_at)


def verbs(instance: InstanceView, actor: Actor) -> frozenset[str]:
    """What may be done to the case in its state; offered to whom the engine would let do it."""
    if not engine().runtime.may_manage(instance.id, actor):
        return frozenset()
    return frozenset(
        verb.value
        for verb, sources in transitions.INSTANCE_SOURCES.items()
        if instance.status in sources
    ) - {transitions.InstanceVerb.CORRELATE.value, transitions.InstanceVerb.JUMP.value}


def _state(view: ElementStateView) -> ElementState:
    return ElementState(
        element_id=view.element_id,
        progress=Progress(view.state),
        count=view.count,
        note=view.note,
    )


def _same(one: Line, other: Line) -> bool:
    """Whether two lines say the same, shortly after each other."""
    return not other.after and (one.who, one.what, one.where, one.notes) == (
        other.who,
        other.what,
        other.where,
        other.notes,
    )


def _what(fact: FactView) -> str:
    title = facts.TITLES.get(fact.kind)
    return gettext(title) if title else str(fact.detail.get("title") or fact.kind)


def notes(fact: FactView, outcomes: Mapping[tuple[str, str], str]) -> tuple[tuple[str, str], ...]:
    """What people are told of a fact's detail: title and text."""
    told: dict[str, str] = {}
    for key, title in _TOLD.items():
        value = fact.detail.get(key)
        if value in (None, "") or title in told or isinstance(value, dict | list):
            continue
        if key == "outcome":
            value = outcomes.get((fact.activity_id or "", str(value)), value)
        if key == "unit":
            value = places.name(str(value))
        told[title] = _readable(value)
    return tuple(told.items())


def _readable(value: Any) -> str:
    """Instants of the trail in local time; everything else as it was recorded."""
    if isinstance(value, str) and len(value) >= len("2026-01-04T09:00") and value[4:5] == "-":
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return i18n.period_end(at) if at.tzinfo else value
    return str(value)


def _after(before: datetime | None, at: datetime) -> str:
    if before is None or (at - before).total_seconds() < 60:
        return ""
    return i18n.span(at - before)
