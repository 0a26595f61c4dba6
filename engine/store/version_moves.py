"""Moves of running instances to another version: batches, and the fate of each instance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, JsonText, Unit, UtcDateTime
from engine.store.statement import Statement


class MoveBatch(Base):
    """One order: these instances from this version to that one, under this mapping."""

    __tablename__ = "move_batch"
    __table_args__ = (Index(None, "process_key", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    process_key: Mapped[str] = mapped_column(String(100))
    from_definition: Mapped[str] = mapped_column(Id)
    to_definition: Mapped[str] = mapped_column(Id)
    mapping: Mapped[Any] = mapped_column(JsonText)
    #: activity id → what of its open tasks follows the new version: form, role, unit, deadline
    renew: Mapped[Any] = mapped_column(JsonText)
    reason: Mapped[str] = mapped_column(Text)
    total: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)


class MovedInstance(Base):
    """One instance of a batch: what was planned, what came of it, and what it was before."""

    __tablename__ = "moved_instance"
    __table_args__ = (
        Index(None, "instance_id"),
        Index(None, "batch_id", "status"),
        {"sqlite_with_rowid": False},
    )

    batch_id: Mapped[str] = mapped_column(Id, ForeignKey("move_batch.id"), primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    region: Mapped[str] = mapped_column(Unit)
    title: Mapped[str] = mapped_column(String(300))
    #: a word of `engine.model.version_move.MoveStatus`
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    #: sentences of the plan that was carried out
    plan: Mapped[Any] = mapped_column(JsonText)
    #: revision right after the move; as long as it stands, nothing has happened since
    revision: Mapped[int | None] = mapped_column(Integer)
    #: whether the move did nothing that reached beyond the instance
    reversible: Mapped[bool] = mapped_column(Boolean)
    state_before: Mapped[bytes | None] = mapped_column(Blob)
    #: rows that were changed, as they were (`engine.kernel.codec`)
    rows_before: Mapped[bytes | None] = mapped_column(Blob)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_batch: Any = MoveBatch.__table__
_moved: Any = MovedInstance.__table__

WAS_MOVED = Statement(
    select(_moved.c.batch_id).where(_moved.c.instance_id == bindparam("instance_id")).limit(1)
)
INSERT_BATCH = Statement(insert(_batch))
INSERT_MOVED = Statement(insert(_moved))
_FIELDS = (
    "status",
    "reason",
    "plan",
    "revision",
    "reversible",
    "state_before",
    "rows_before",
    "at",
)
#: hits no row when somebody else has dealt with this instance of the batch
SETTLE = Statement(
    update(_moved)
    .where(
        _moved.c.batch_id == bindparam("of_batch"),
        _moved.c.instance_id == bindparam("of_instance"),
        _moved.c.status == bindparam("seen_status"),
    )
    .values({name: bindparam(name) for name in _FIELDS})
)
MARK = Statement(
    update(_moved)
    .where(
        _moved.c.batch_id == bindparam("of_batch"),
        _moved.c.instance_id == bindparam("of_instance"),
        _moved.c.status == bindparam("seen_status"),
    )
    .values(status=bindparam("status"), reason=bindparam("reason"), at=bindparam("at"))
)
