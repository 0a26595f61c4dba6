"""What can happen to an instance: a closed union of frozen values.

Each carries the instant it happened (`at`, aware UTC), so that FEEL's `now()` is a value, not a
call.
`element` is the small integer of an element instance in the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The instance begins, at its none start event or at the start event named by `node`."""

    at: datetime
    variables: Mapping[str, object] = field(default_factory=dict)
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted:
    """A person completed a human task; `outcome` is one of its outcomes, if it has any."""

    at: datetime
    element: int
    data: Mapping[str, object] = field(default_factory=dict)
    outcome: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The timer that was armed for this element is due."""

    at: datetime
    element: int
    #: the instant it was due (a cycle counts on from here, not from `at`)
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventArrived:
    """A message or signal reached the subscription of this element (BPMN 2.0.2 §10.5.5)."""

    at: datetime
    element: int
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReturned:
    """A named operation of a service, send or business rule task succeeded."""

    at: datetime
    element: int
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFailed:
    """An operation raised a business error; caught by the nearest error event, else an incident."""

    at: datetime
    element: int
    error_code: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEnded:
    """The process instance called by this call activity ended; `outputs` are its root variables."""

    at: datetime
    element: int
    outputs: Mapping[str, object] = field(default_factory=dict)
    #: set when the child ended by an uncaught error or escalation
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationReached:
    """An escalation of a called instance arrives at its call activity; the call goes on."""

    at: datetime
    element: int
    escalation_code: str
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Return, withdraw, jump: cancel `cancel` (with all below them), put a token at `node`."""

    at: datetime
    cancel: tuple[int, ...]
    node: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """An operator asks to enter the element of an incident again."""

    at: datetime
    element: int
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesSet:
    """Root variables changed from outside; data conditions are asked again."""

    at: datetime
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The whole instance is terminated from outside."""

    at: datetime
    reason: str = ""


Trigger = (
    Started
    | TaskCompleted
    | TimerFired
    | EventArrived
    | OperationReturned
    | OperationFailed
    | ChildEnded
    | EscalationReached
    | Moved
    | Retried
    | VariablesSet
    | Cancelled
)
