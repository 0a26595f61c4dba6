"""What the shell must make true in the same transaction: a closed union of frozen values.

The kernel has evaluated every expression; the shell resolves times with its calendar and writes
rows.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A human task becomes Ready (WS-HumanTask §4.10).

    `deadline` is the text of a duration (`5wd`, `P3D`), or a date / datetime that an expression
    gave, or None.  `unit` is the organisational unit that must act; `owner` a participant id when
    the model names one person.
    """

    element: int
    activity_id: str
    name: str
    role: str | None = None
    unit: str | None = None
    owner: str | None = None
    subject: str | None = None
    deadline: object = None
    priority: int = 50
    #: label of the loop item, where the task is one instance of a multi-instance activity
    item: str | None = None


class TaskEnd(enum.StrEnum):
    """How an open task ended."""

    COMPLETED = "completed"
    EXITED = "exited"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTask:
    """A human task is over: completed by its owner, or Exited because its scope was cancelled."""

    element: int
    activity_id: str
    how: TaskEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimer:
    """Wake this element later.

    `when`: aware datetime or date (fixed), or the text of a duration counted from `since`.
    Of a cycle the shell is told the next firing only, and the kernel arms again after each; one of
    working days comes as `R/start/5wd`: its first firing not before `since`.
    """

    element: int
    node_id: str
    when: object
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Forget the timer of this element."""

    element: int


class EventKind(enum.StrEnum):
    """Kinds of events that cross the border of an instance."""

    MESSAGE = "message"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """An element waits for a message (with its correlation key) or a signal.

    It stays subscribed, however often the event comes, until `Unsubscribe` says otherwise.
    """

    element: int
    node_id: str
    kind: EventKind
    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """The element no longer waits for its event."""

    element: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Run a named operation: inside this transaction, or (`later`) as a job after the commit."""

    element: int
    activity_id: str
    operation: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelInvoke:
    """Forget the job of this element, if it has not run yet."""

    element: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Start the called process as an instance of its own; it reports back by `ChildEnded`."""

    element: int
    activity_id: str
    process_key: str
    #: `latest`, `deployment` (version current when the caller was deployed) or a version number
    binding: str = "latest"
    variables: Mapping[str, object] = field(default_factory=dict)
    region: str | None = None
    business_key: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChild:
    """Terminate the instance that this call activity started."""

    element: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowEvent:
    """Throw a message or signal out of the instance.

    A signal has already reached the listeners of this instance; it goes to all the others.
    """

    node_id: str
    kind: EventKind
    name: str
    key: str | None = None
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowEscalation:
    """An escalation no handler of this instance caught: to the caller, else only recorded."""

    node_id: str
    code: str
    payload: Mapping[str, object] = field(default_factory=dict)


class Move(enum.StrEnum):
    """What happened to a flow node, as history records it."""

    ENTERED = "entered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A flow node was entered, completed or cancelled.

    `detail` carries what an auditor asks for: the flow taken, matched decision rules, loop counter.
    """

    move: Move
    element: int
    node_id: str
    detail: Mapping[str, object] = field(default_factory=dict)


class Outcome(enum.StrEnum):
    """How an instance ended."""

    COMPLETED = "completed"
    TERMINATED = "terminated"
    ERROR = "error"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """No token is left; `variables` are the root variables for the caller."""

    outcome: Outcome
    variables: Mapping[str, object] = field(default_factory=dict)
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseIncident:
    """The model or its data is wrong here; the element keeps its place until somebody mends it."""

    element: int
    node_id: str
    message: str


Effect = (
    OpenTask
    | CloseTask
    | ArmTimer
    | CancelTimer
    | Subscribe
    | Unsubscribe
    | Invoke
    | CancelInvoke
    | StartChild
    | CancelChild
    | ThrowEvent
    | ThrowEscalation
    | Record
    | Finish
    | RaiseIncident
)
