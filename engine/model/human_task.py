"""Values a caller sees of a human task (WS-HumanTask 1.1)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


class TaskStatus(enum.StrEnum):
    """The ten states of WS-HumanTask §4.10."""

    CREATED = "Created"
    READY = "Ready"
    RESERVED = "Reserved"
    IN_PROGRESS = "InProgress"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ERROR = "Error"
    EXITED = "Exited"
    OBSOLETE = "Obsolete"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self in OPEN_STATES


OPEN_STATES = frozenset(
    {
        TaskStatus.CREATED,
        TaskStatus.READY,
        TaskStatus.RESERVED,
        TaskStatus.IN_PROGRESS,
        TaskStatus.SUSPENDED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOption:
    """One button of a task form: `id` goes to the process, `name` is read by people."""

    id: str
    name: str
    #: field path that must be filled for this outcome (a reason for a return)
    requires: str | None = None
    tone: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One human task as a participant sees it."""

    id: str
    instance_id: str
    #: version whose form is shown
    definition_id: str
    process_key: str
    process_title: str
    instance_title: str
    activity_id: str
    name: str
    subject: str
    form: str | None
    role: str | None
    unit: str | None
    region: str
    owner: str | None
    owner_name: str | None
    status: TaskStatus
    priority: int
    created_at: datetime
    claimed_at: datetime | None
    due_at: datetime | None
    #: how the due instant was counted, one line for people; marks 暂定 where provisional
    due_note: str
    completed_at: datetime | None
    completed_by: str | None
    outcome: str | None
    version: int
    item: str | None = None
    #: until when it must be begun
    start_by: datetime | None = None
    #: when it turns yellow
    warn_at: datetime | None = None
    #: since when its clock stands still; `due_at` is None meanwhile
    paused_at: datetime | None = None
    #: version of the calendar that counted `due_at`
    calendar_version: str | None = None
    outcomes: tuple[OutcomeOption, ...] = ()
    #: operations that may be run while the task is open (`TaskService.perform`)
    actions: tuple[str, ...] = ()
    #: field permissions of the form: path → h (hidden) / r (read) / w (write)
    permissions: Mapping[str, str] = field(default_factory=dict)
    #: earlier activities it may be returned to: (activity id, name)
    returns: tuple[tuple[str, str], ...] = ()
    #: verbs this actor may use now
    verbs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One line of a worklist."""

    id: str
    instance_id: str
    process_key: str
    process_title: str
    activity_id: str
    name: str
    subject: str
    role: str | None
    unit: str | None
    owner: str | None
    owner_name: str | None
    status: TaskStatus
    created_at: datetime
    due_at: datetime | None
    warn_at: datetime | None = None
    paused_at: datetime | None = None
    #: the worst rung of the ladder reached so far
    urgency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """One keyset page of a worklist; `next_cursor` is None on the last."""

    rows: tuple[TaskRow, ...]
    next_cursor: str | None
    previous_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistCounts:
    """Badges; each is capped at 1000 (shown as 999+)."""

    total: int
    overdue: int
    today: int
    claimable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLoad:
    """Open tasks of one unit: all, those past their due instant, those due before tonight.

    `counted_until`: more are open in its county than are counted one by one; those due up to
    then were. A number that goes on behind that instant is the least there are. None: all were.
    """

    unit: str
    open: int
    overdue: int
    today: int
    counted_until: datetime | None = None

    @classmethod
    def of(cls, unit: str, parts: Iterable[UnitLoad]) -> UnitLoad:
        """Several together."""
        parts = tuple(parts)
        ends = [one.counted_until for one in parts if one.counted_until is not None]
        return cls(
            unit=unit,
            open=sum(one.open for one in parts),
            overdue=sum(one.overdue for one in parts),
            today=sum(one.today for one in parts),
            counted_until=min(ends, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a completed task led to; `next_tasks`: open tasks of the case this actor may do."""

    task_id: str
    instance_id: str
    next_tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentView:
    """A remark on a task or case."""

    id: str
    author: str
    author_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """An unsent form of one participant."""

    data: Mapping[str, object]
    saved_at: datetime
