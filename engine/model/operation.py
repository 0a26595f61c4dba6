"""Named operations: the only way in which domain code takes part in a process.

An operation runs inside the transaction of the command that called it (`transaction`), or as a job
after the commit (`job`).  It reads and writes its own tables through `context.session`, and asks
the engine for everything else through the context.  Domain tables change nowhere else (Inv-6).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from engine.model.actor import Actor
from engine.model.errors import Broken


class AudienceKind(enum.StrEnum):
    """How the receivers of a message are named."""

    PARTICIPANT = "participant"
    ROLE = "role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Receivers: one participant (`id`), or everybody who holds `role` at `unit`."""

    kind: AudienceKind
    id: str = ""
    role: str = ""
    unit: str = ""

    @classmethod
    def participant(cls, participant_id: str) -> Audience:
        """Exactly one person."""
        return cls(kind=AudienceKind.PARTICIPANT, id=participant_id)

    @classmethod
    def seat(cls, role: str, unit: str) -> Audience:
        """Everybody who holds the role at the unit."""
        return cls(kind=AudienceKind.ROLE, role=role, unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRef:
    """The process instance on whose behalf an operation runs."""

    id: str
    process_key: str
    business_key: str | None
    region: str
    root_id: str
    parent_id: str | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRef:
    """The open (or just completed) human task on whose behalf an operation runs."""

    id: str
    activity_id: str
    role: str | None
    unit: str | None
    owner: str | None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRef:
    """A stored file: content hash (SHA-256 hex), checked media type, size in bytes."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None


class OperationContext(Protocol):
    """What an operation may use.  All of it belongs to one transaction.

    `session` is a SQLAlchemy `Session` on the command's connection: flush, never commit.
    `actor` is None only for timers and jobs without a person behind them.
    """

    session: Any
    now: datetime
    actor: Actor | None
    instance: InstanceRef | None
    task: TaskRef | None
    #: `engine.model.calendar.WorkingCalendar` that counts for the instance's region
    calendar: Any

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        ...

    def variables(self) -> Mapping[str, object]:
        """Root variables of the instance as they stand (empty without an instance)."""
        ...

    def notify(
        self, message: str, audience: Audience, data: Mapping[str, object] | None = None
    ) -> None:
        """Write an outbox row: `message` is a folder of the package's `messages/`."""
        ...

    def send_message(
        self, name: str, key: str, payload: Mapping[str, object] | None = None
    ) -> bool:
        """Correlate a BPMN message after this command; False if nobody waits for it."""
        ...

    def start(
        self,
        process_key: str,
        *,
        variables: Mapping[str, object],
        region: str,
        title: str,
        business_key: str | None = None,
    ) -> str:
        """Start an instance in this transaction and return its id."""
        ...

    def set_due(self, activity_id: str, due: datetime | date, reason: str) -> None:
        """Move the due date of the open tasks of this activity in this instance."""
        ...

    def set_variables(self, variables: Mapping[str, object]) -> None:
        """Write root variables of this instance with the command."""
        ...

    def attachment(self, attachment_id: str) -> AttachmentRef:
        """Look an uploaded file up. Raises `NotFound`."""
        ...

    def read_attachment(self, attachment_id: str) -> bytes:
        """The bytes of an uploaded file. Raises `NotFound`."""
        ...

    def store_file(
        self, name: str, content: bytes, media_type: str, *, listed: bool = True
    ) -> AttachmentRef:
        """Keep a file that the operation made; one that is not listed only operations can read."""
        ...

    def decide(
        self, decision: str, inputs: Mapping[str, object], *, process_key: str | None = None
    ) -> Any:
        """Evaluate a decision of the package (FEEL values); see `DecisionResult`."""
        ...

    def completed_by(self, *activity_ids: str) -> frozenset[str]:
        """Participants who completed one of these activities in this instance or its callers."""
        ...

    def record(self, kind: str, detail: Mapping[str, object]) -> None:
        """Append a fact to the instance's audit trail (never full ids, accounts, phones)."""
        ...


class OutsideContext(Protocol):
    """What an operation declared `outside` may use while no transaction is open.

    It has no session: what it brings home are its outputs.  It is called at least once; whoever is
    called twice under one `idempotency_key` must do the thing once.
    """

    #: the same for every call on behalf of one element of one case; at most 200 characters
    idempotency_key: str
    now: datetime
    actor: Actor | None
    instance: InstanceRef

    def variables(self) -> Mapping[str, object]:
        """Root variables of the instance as they stood when the call began."""
        ...

    def attachment(self, attachment_id: str) -> AttachmentRef:
        """Look an uploaded file up. Raises `NotFound`."""
        ...

    def read_attachment(self, attachment_id: str) -> bytes:
        """The bytes of an uploaded file. Raises `NotFound`."""
        ...


#: called with an `OperationContext`, or an `OutsideContext` where it is declared `outside`
OperationFunction = Callable[[Any, Mapping[str, Any]], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A declared operation.

    `public` operations may be run without a task and without a login (a citizen's objection);
    `roles` limits who may run it without a task; one used by a task is guarded by the task.
    A `reversible` one leaves nothing behind that matters once the task it completes is withdrawn:
    it only checks, or it writes what the next completion writes again.
    An `outside` operation calls another system: it runs as a job only, in no transaction, with an
    `OutsideContext`, and must have answered or given up within ten minutes.
    """

    name: str
    function: OperationFunction
    roles: frozenset[str] = frozenset()
    public: bool = False
    outside: bool = False
    reversible: bool = False
    summary: str = ""


@dataclass(slots=True)
class OperationRegistry:
    """Operations by name; a name is declared once."""

    by_name: dict[str, Operation] = field(default_factory=dict)

    def add(self, operation: Operation) -> None:
        """Register. Raises `Broken` when the name is taken by another function."""
        known = self.by_name.get(operation.name)
        if known is not None and known.function is not operation.function:
            raise Broken(f"operation {operation.name} is declared twice")
        self.by_name[operation.name] = operation


def operation(
    name: str,
    *,
    roles: tuple[str, ...] = (),
    public: bool = False,
    outside: bool = False,
    reversible: bool = False,
) -> Callable[[OperationFunction], OperationFunction]:
    """Declare a function as the operation `name`; collected by `OperationRegistry.collect`.

    The function keeps working as a plain function.  Modules that hold operations are handed to
    the engine by the package catalogue (`ProcessEngine(operations=[module, …])`).  `outside` and
    `reversible`: see `Operation`.
    """

    def declare(function: OperationFunction) -> OperationFunction:
        summary = (function.__doc__ or "").strip().split("\n", 1)[0]
        declared = Operation(
            name=name,
            function=function,
            roles=frozenset(roles),
            public=public,
            outside=outside,
            reversible=reversible,
            summary=summary,
        )
        function.__operation__ = declared  # type: ignore[attr-defined]  # read back by `collect`
        return function

    return declare


def collect(module: object) -> list[Operation]:
    """All operations declared in a module, in order of name."""
    found = [
        value.__operation__ for value in vars(module).values() if hasattr(value, "__operation__")
    ]
    return sorted(found, key=lambda declared: declared.name)
