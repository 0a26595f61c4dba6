"""The audit trail: facts in the past tense, chained by hash within each instance.

A row can be changed by whoever owns the database, but not unseen: every hash covers the row
and the hash before it, and the instance keeps the last one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Integer, String, Text, bindparam, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, UtcDateTime, instant_text, json_default
from engine.store.statement import Statement

GENESIS = bytes(32)


class HistoryFact(Base):
    """One thing that happened. Never updated, never deleted."""

    __tablename__ = "history_fact"
    # Clustered by case, where the database can: a case is read as a whole, and written at its end.
    __table_args__ = ({"sqlite_with_rowid": False},)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    shard: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(64))
    activity_id: Mapped[str | None] = mapped_column(String(200))
    task_id: Mapped[str | None] = mapped_column(Id)
    actor_id: Mapped[str | None] = mapped_column(Id)
    actor_name: Mapped[str | None] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(Blob)


@dataclass(slots=True)
class Chain:
    """The head of one instance's chain while facts are added to it."""

    instance_id: str
    shard: str
    count: int
    head: bytes

    def add(
        self,
        *,
        at: datetime,
        kind: str,
        activity_id: str | None = None,
        task_id: str | None = None,
        actor_id: str | None = None,
        actor_name: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """The row of the next fact; the head moves on to it."""
        text = written_detail(detail) if detail else "{}"
        self.count = number = self.count + 1
        self.head = _chained(
            self.head,
            (
                self.instance_id, number, instant_text(at), kind, activity_id, task_id,
                actor_id, actor_name, text,
            ),
        )  # fmt: skip
        return {
            "shard": self.shard,
            "instance_id": self.instance_id,
            "sequence": number,
            "at": at,
            "kind": kind,
            "activity_id": activity_id,
            "task_id": task_id,
            "actor_id": actor_id,
            "actor_name": actor_name,
            "detail": text,
            "hash": self.head,
        }


_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def written_detail(detail: Mapping[str, object]) -> str:
    """Detail as canonical JSON text: keys sorted, so that equal details hash equally."""
    return orjson.dumps(detail, json_default, _CANONICAL).decode()


def digest(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before and every field of the row, in fixed order."""
    return _chained(
        previous,
        (
            row["instance_id"],
            row["sequence"],
            instant_text(row["at"]),
            row["kind"],
            row["activity_id"],
            row["task_id"],
            row["actor_id"],
            row["actor_name"],
            row["detail"],
        ),
    )


def _chained(previous: bytes, fields: tuple[object, ...]) -> bytes:
    return hashlib.sha256(previous + orjson.dumps(fields)).digest()


_fact: Any = HistoryFact.__table__

INSERT = Statement(insert(_fact))
OF_INSTANCE = Statement(
    select(_fact)
    .where(_fact.c.instance_id == bindparam("instance_id"), _fact.c.sequence > bindparam("after"))
    .order_by(_fact.c.sequence)
    .limit(bindparam("limit"))
)
