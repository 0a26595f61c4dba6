"""Process instances: one row a case, with its state as bytes and a revision that guards it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, and_, bindparam, insert, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, Unit, UtcDateTime
from engine.store.statement import Statement

#: most cases have neither: rows without are in no index
_KEYED = text("business_key IS NOT NULL")
_CALLED = text("parent_id IS NOT NULL")
_ENDED = text("ended_at IS NOT NULL")


class ProcessInstance(Base):
    """One case. `revision` rises with every commit that touches it; `fact_*` head its chain."""

    __tablename__ = "process_instance"
    __table_args__ = (
        Index(
            "ix_process_instance_business_key", "process_key", "business_key",
            postgresql_where=_KEYED, sqlite_where=_KEYED,
        ),
        # Cases of a unit and of a county, and those somebody began, the newest first.
        Index(None, "region", "id"),
        Index("ix_process_instance_shard", "shard", "id"),
        Index("ix_process_instance_starter", "started_by", "id"),
        # A case that nobody called is its own root, and found by its id.
        Index(
            "ix_process_instance_called", "root_id", postgresql_where=_CALLED, sqlite_where=_CALLED
        ),
        Index(
            "ix_process_instance_child", "parent_id", postgresql_where=_CALLED, sqlite_where=_CALLED
        ),
        Index(
            "ix_process_instance_open",
            "process_key",
            "status",
            "id",
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_process_instance_ended", "shard", "status", "id",
            postgresql_where=_ENDED, sqlite_where=_ENDED,
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    definition_id: Mapped[str] = mapped_column(Id)
    process_key: Mapped[str] = mapped_column(String(100))
    business_key: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    region: Mapped[str] = mapped_column(Unit)
    status: Mapped[str] = mapped_column(String(12))
    revision: Mapped[int] = mapped_column(Integer)
    state: Mapped[bytes] = mapped_column(Blob)
    fact_count: Mapped[int] = mapped_column(Integer)
    fact_hash: Mapped[bytes] = mapped_column(Blob)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(500))
    parent_id: Mapped[str | None] = mapped_column(Id)
    parent_element: Mapped[int | None] = mapped_column(Integer)
    root_id: Mapped[str] = mapped_column(Id)


_instance: Any = ProcessInstance.__table__

INSERT = Statement(insert(_instance))
#: what a row of `BY_ID` holds, in its order
COLUMNS: tuple[str, ...] = tuple(column.name for column in _instance.c)
BY_ID = Statement(select(_instance).where(_instance.c.id == bindparam("instance_id")))
BY_ID_LOCKED = Statement(
    select(_instance).where(_instance.c.id == bindparam("instance_id")).with_for_update()
)
_MOVED = ("revision", "state", "fact_count", "fact_hash")
_as_read = (
    _instance.c.id == bindparam("instance_id"),
    _instance.c.revision == bindparam("loaded_revision"),
)
#: hits no row when somebody else wrote the instance since it was read
SAVE = Statement(
    update(_instance)
    .where(*_as_read)
    .values({name: bindparam(name) for name in (*_MOVED, "status", "ended_at", "end_reason")})
)
#: the same where only the tokens moved: no column of an index, so no page of one is written
SAVE_MOVED = Statement(
    update(_instance).where(*_as_read).values({name: bindparam(name) for name in _MOVED})
)
CHILD_OF = Statement(
    select(_instance.c.id).where(
        _instance.c.parent_id == bindparam("parent_id"),
        _instance.c.parent_element == bindparam("parent_element"),
        _instance.c.ended_at.is_(None),
    )
)


def in_family(root_id: str) -> Any:
    """A condition: the case of this id or one that it called, directly or not."""
    called = _instance.c.parent_id.is_not(None)
    return or_(_instance.c.id == root_id, and_(called, _instance.c.root_id == root_id))
