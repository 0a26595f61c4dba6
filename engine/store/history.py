"""The audit trail: facts in the past tense, chained by hash within each instance.

One row holds what one person brought about in one commit: its first fact in columns, what followed
from it beside them. A row can be changed by whoever owns the database, but not unseen: every hash
covers the row and the hash before it, and the instance keeps the last one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Integer, String, Text, bindparam, insert, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, UtcDateTime, instant_text, json_default
from engine.store.statement import Statement

GENESIS = bytes(32)


class HistoryFact(Base):
    """What happened at once. Never updated, never deleted.

    `sequence` is the number of the last fact of the row; facts are numbered within a case from 1.
    """

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
    #: facts that followed from the first, in order, each as `short` writes it
    more: Mapped[str | None] = mapped_column(Text)


class Told(NamedTuple):
    """One fact of a case, as it is read."""

    instance_id: str
    sequence: int
    at: datetime
    kind: str
    activity_id: str | None
    task_id: str | None
    actor_id: str | None
    actor_name: str | None
    detail: Mapping[str, Any]


#: kind, activity id, task id, detail of a fact that says none of them
_NOTHING: tuple[Any, ...] = (None, None, None, {})


def short(
    kind: str, activity_id: str | None, task_id: str | None, detail: Mapping[str, object]
) -> Sequence[Any]:
    """A fact that follows another in its row: without what is missing at its end."""
    if detail:
        return (kind, activity_id, task_id, detail)
    if task_id is not None:
        return (kind, activity_id, task_id)
    return (kind, activity_id)


def facts(rows: Iterable[Any], *, after: int = 0) -> Iterator[Told]:
    """The facts of rows with every column, in their order, without those up to `after`."""
    for row in rows:
        more = orjson.loads(row.more) if row.more else ()
        number = row.sequence - len(more)
        if number > after:
            yield _told(
                row, number, (row.kind, row.activity_id, row.task_id, orjson.loads(row.detail))
            )
        for fact in more:
            number += 1
            if number > after:
                yield _told(row, number, fact)


def _told(row: Any, number: int, fact: Sequence[Any]) -> Told:
    kind, activity_id, task_id, detail = (*fact, *_NOTHING[len(fact) :])
    return Told(
        instance_id=row.instance_id,
        sequence=number,
        at=row.at,
        kind=kind,
        activity_id=activity_id,
        task_id=task_id,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        detail=detail,
    )


def first_number(row: Any) -> int | None:
    """The number of the first fact of a row; None where somebody made the row unreadable."""
    number: int = row.sequence
    if row.more is None:
        return number
    try:
        return number - len(orjson.loads(row.more))
    except (ValueError, TypeError):
        return None


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
        more: Sequence[Sequence[Any]] = (),
    ) -> dict[str, Any]:
        """The row of the next fact and of `more` that followed; the head moves on to it."""
        text = written(detail) if detail else "{}"
        rest = written(more) if more else None
        self.count = number = self.count + 1 + len(more)
        self.head = _chained(
            self.head,
            (
                self.instance_id, number, instant_text(at), kind, activity_id, task_id,
                actor_id, actor_name, text,
            ),
            rest,
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
            "more": rest,
        }


_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def written(detail: object) -> str:
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
        row["more"],
    )


def _chained(previous: bytes, fields: tuple[object, ...], more: str | None) -> bytes:
    # A row of one fact is hashed as it was before rows could hold several.
    return hashlib.sha256(
        previous + orjson.dumps(fields if more is None else (*fields, more))
    ).digest()


_fact: Any = HistoryFact.__table__

INSERT = Statement(insert(_fact))


def telling(*kinds: str) -> Any:
    """A condition every row with a fact of these kinds meets; others may meet it too.

    The caller still picks from `facts`: what followed from a first fact is no column.
    """
    return or_(_fact.c.kind.in_(sorted(kinds)), _fact.c.more.is_not(None))


#: of the facts numbered above `after`; the first row may begin with older ones
OF_INSTANCE = Statement(
    select(_fact)
    .where(_fact.c.instance_id == bindparam("instance_id"), _fact.c.sequence > bindparam("after"))
    .order_by(_fact.c.sequence)
    .limit(bindparam("limit"))
)
