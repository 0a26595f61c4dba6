"""Values a caller sees of clocks: cards, pauses, sums, supervision slips, what a calendar moved."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

from engine.model.due_sum import DueSum
from engine.model.package import Ladder, PauseRule


class Card(enum.StrEnum):
    """The colour of a clock: yellow close to its end, red after it."""

    NONE = "none"
    YELLOW = "yellow"
    RED = "red"


def card(due_at: datetime | None, warn_at: datetime | None, now: datetime) -> Card:
    """The card of a running clock; a clock that stands still, or none, has no colour."""
    if due_at is None:
        return Card.NONE
    if now >= due_at:
        return Card.RED
    return Card.YELLOW if warn_at is not None and now >= warn_at else Card.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseView:
    """One stretch during which a clock stood still."""

    id: str
    task_id: str | None
    reason: str
    title: str
    note: str
    evidence: tuple[str, ...]
    started_at: datetime
    started_by_name: str
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by_name: str | None
    ended_how: str | None
    end_note: str | None
    #: whether it began by itself with an activity
    automatic: bool
    #: whether it is a pause of the case that called this one, or of that one's caller
    above: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A deadline with how it came about."""

    due_at: datetime | None
    warn_at: datetime | None
    paused_at: datetime | None
    sum: DueSum
    pauses: tuple[PauseView, ...]
    card: Card
    #: reasons a person may pause it for now, those used up left out
    reasons: tuple[PauseRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerView:
    """A timer of the model that waits, with how its instant came about."""

    activity_id: str
    name: str
    #: None while a pause holds it
    due_at: datetime | None
    paused_at: datetime | None
    #: None where the model names an instant, or a cycle, and there is nothing to add up
    sum: DueSum | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipView:
    """A supervision slip and its answer."""

    id: str
    instance_id: str
    #: None: the whole case is late
    task_id: str | None
    process_key: str
    name: str
    subject: str
    owner: str | None
    role: str | None
    unit: str
    due_at: datetime | None
    issued_at: datetime
    issued_by_name: str
    demand: str
    reply_by: datetime
    replied_at: datetime | None
    replied_by_name: str | None
    cause: str | None
    measures: str | None
    promised: date | None
    #: whether this reader is asked to answer
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCase:
    """A whole case that a circular names: its own ladder reached it."""

    instance_id: str
    process_key: str
    process_title: str
    title: str
    region: str
    due_at: datetime
    #: None while it goes on
    ended_at: datetime | None
    #: its last supervision slip, and whether that is answered
    slip_id: str | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderView:
    """A ladder of a process: the package's own, or the one a region has instead."""

    process_key: str
    process_title: str
    ladder: Ladder
    #: None: the package's own
    region: str | None
    reason: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDueView:
    """One due date that a new calendar moved."""

    kind: str
    instance_id: str
    task_id: str | None
    region: str
    process_key: str
    name: str
    title: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountView:
    """How far counting open deadlines again is."""

    number: int
    looked_at: int
    #: rows to look at, as counted when it began
    total: int
    moved: int
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVersionView:
    """One import, and how many due dates it moved (None: they are still being counted)."""

    number: int
    kind: str
    about: str
    source: str
    imported_at: datetime
    imported_by: str
    moved: int | None
