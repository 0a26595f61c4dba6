"""What callers see of moves to another version: previews, batches, results."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class MoveStatus(enum.StrEnum):
    """The fate of one instance of a batch."""

    QUEUED = "queued"
    MOVED = "moved"
    REFUSED = "refused"
    #: waits to be taken back
    UNDOING = "undoing"
    UNDONE = "undone"
    #: it could not be taken back and stays moved
    STAYS = "stays"


class Renew(enum.StrEnum):
    """What of an open task may follow the new version; otherwise it stays as it was opened."""

    FORM = "form"
    ROLE = "role"
    UNIT = "unit"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOrder:
    """Which version to which, and how.

    `mapping`: old element or flow id → new id; None drops a token at a join, or a compensation.
    `renew`: old activity id → what of its open tasks follows the new version.
    """

    from_definition: str
    to_definition: str
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    renew: Mapping[str, tuple[Renew, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFilter:
    """Which running instances are meant: all of the old version that the actor administers."""

    #: subtree
    region: str | None = None
    instance_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePreview:
    """What would happen to one instance, in sentences."""

    instance_id: str
    title: str
    region: str
    is_possible: bool
    #: one sentence a task, timer, event, token or called process
    lines: tuple[str, ...]
    #: why not
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """One keyset page of previews."""

    rows: tuple[MovePreview, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPoint:
    """Something without a counterpart of its name, and what it could be mapped to.

    `instances` is 0 for what is mapped already, and for steps that are only finished: mapping
    these carries separation of duties over.
    """

    id: str
    name: str
    #: its kind in words
    kind: str
    #: (id, name) in the new version
    candidates: tuple[tuple[str, str], ...]
    may_be_dropped: bool
    #: in how many of the examined instances
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSurvey:
    """The previews of all instances, counted; `examined` of `total` where that is capped."""

    total: int
    examined: int
    possible: int
    impossible: int
    #: reason → how many instances, the commonest first
    reasons: tuple[tuple[str, int], ...]
    open_points: tuple[OpenPoint, ...]
    #: activities with open tasks whose terms differ: (old id, name, what differs)
    changed: tuple[tuple[str, str, tuple[Renew, ...]], ...]
    #: separation of duties that finished steps would escape without a mapping
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """One batch and how far it is."""

    id: str
    process_key: str
    from_definition: str
    to_definition: str
    mapping: Mapping[str, str | None]
    reason: str
    created_at: datetime
    created_by: str
    total: int
    counts: Mapping[MoveStatus, int]

    @property
    def waiting(self) -> int:
        """Instances whose turn has not come yet."""
        return self.counts.get(MoveStatus.QUEUED, 0) + self.counts.get(MoveStatus.UNDOING, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """What came of one instance."""

    batch_id: str
    instance_id: str
    title: str
    region: str
    status: MoveStatus
    reason: str
    lines: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """One keyset page of results."""

    rows: tuple[MoveResult, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPreview:
    """Whether and how one moved instance can go back."""

    instance_id: str
    title: str
    is_possible: bool
    #: nothing happened since: it becomes what it was, row by row
    is_exact: bool
    sentence: str
