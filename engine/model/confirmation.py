"""Words of the second pair of eyes: an order takes effect once another administrator agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ConfirmationKind(StrEnum):
    """What is ordered."""

    PUBLISH = "publish"
    JUMP = "jump"


class ConfirmationStatus(StrEnum):
    """Where an order stands; only a waiting one can change."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationView:
    """One order, for an administrator of its subject."""

    id: str
    kind: ConfirmationKind
    #: key of the process to publish, or id of the case whose token is to jump
    subject: str
    title: str
    #: unit of the case; empty for a process, which is everybody's
    region: str
    reason: str
    asked_by: str
    asked_name: str
    asked_at: datetime
    status: ConfirmationStatus
    decided_name: str = ""
    decided_at: datetime | None = None
    note: str = ""
    #: the version that came of it
    result: str = ""
    #: jump: element, from, from_name, to, to_name; publish: base, files
    order: Mapping[str, object] = field(default_factory=dict)
    #: why this administrator may not confirm it; empty where he may
    obstacle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationPage:
    """One keyset page of orders, the newest first; `next_cursor` is None on the last."""

    rows: tuple[ConfirmationView, ...]
    next_cursor: str | None
