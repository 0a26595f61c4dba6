"""Values a caller sees of definitions, instances and their history."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


class InstanceStatus(enum.StrEnum):
    """Life of a process instance."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    INCIDENT = "incident"
    COMPLETED = "completed"
    TERMINATED = "terminated"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing happens in such a case any more."""
        return self in (self.COMPLETED, self.TERMINATED, self.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionView:
    """One published version of a process; immutable."""

    id: str
    key: str
    version: int
    version_tag: str
    title: str
    summary: str
    digest: str
    deployed_at: datetime
    deployed_by: str
    is_latest: bool
    retired: bool
    starters: tuple[str, ...]
    running: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """One case."""

    id: str
    definition_id: str
    process_key: str
    process_title: str
    version: int
    title: str
    business_key: str | None
    region: str
    status: InstanceStatus
    started_at: datetime
    started_by: str | None
    ended_at: datetime | None
    parent_id: str | None
    root_id: str
    #: ids of activities where tokens wait, one entry a token, sorted
    waiting_at: tuple[str, ...] = ()
    variables: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePage:
    """One keyset page of instances."""

    rows: tuple[InstanceView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """One line of the audit trail: who, what, when."""

    id: str
    sequence: int
    at: datetime
    kind: str
    activity_id: str | None
    activity_name: str | None
    actor_id: str | None
    actor_name: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementStateView:
    """State of one flow node for drawing: done / active / overdue / incident, and how often."""

    element_id: str
    state: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """A fault of model or data that waits for an operator."""

    id: str
    instance_id: str | None
    instance_title: str
    activity_id: str | None
    kind: str
    message: str
    at: datetime
    resolved_at: datetime | None
    attempts: int
