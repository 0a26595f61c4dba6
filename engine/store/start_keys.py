"""Which case a start with a key began, so that the same start asked again begins no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, UtcDateTime
from engine.store.database import Transaction
from engine.store.statement import Statement

LONGEST = 200


class StartKey(Base):
    """One key of one starter for one process; written in the transaction of the start."""

    __tablename__ = "start_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    started_by: Mapped[str] = mapped_column(Id, primary_key=True)
    process_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


_key: Any = StartKey.__table__

INSERT = Statement(insert(_key))
FIND = Statement(
    select(_key.c.instance_id).where(
        _key.c.started_by == bindparam("starter"),
        _key.c.process_key == bindparam("process"),
        _key.c.key == bindparam("sent"),
    )
)


def found(tx: Transaction, starter: str, process: str, sent: str | None) -> str | None:
    """The case that this start has begun already; None for a first one, or one without a key."""
    if sent is None:
        return None
    row = tx.first(FIND, {"starter": starter, "process": process, "sent": sent})
    return None if row is None else str(row.instance_id)


def keep(
    tx: Transaction, starter: str, process: str, sent: str | None, instance_id: str, at: datetime
) -> None:
    """Remember it with the commit; of two at once the second one's write is a duplicate."""
    if sent is None:
        return
    row = {"started_by": starter, "process_key": process, "key": sent}
    tx.write(INSERT, {**row, "instance_id": instance_id, "at": at})
