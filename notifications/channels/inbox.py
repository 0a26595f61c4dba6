"""The in-app box: how many are unread, a page of them, mark as read. Plain functions on a Session.

Everything asks for the participant too: nobody reads or marks what is another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from engine import Statement
from notifications.message import Urgency
from notifications.tables import MessageRow

COUNT_UP_TO = 100
"""A bell shows 99+; counting further helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One message as a page shows it."""

    id: str
    key: str
    urgency: Urgency
    subject: str
    body: str
    reason: str
    task_id: str | None
    instance_id: str | None
    created_at: datetime
    read_at: datetime | None

    @property
    def is_unread(self) -> bool:
        """Whether nobody has opened it yet."""
        return self.read_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A keyset page, the newest first; `next_cursor` is handed back for the following one."""

    items: tuple[InboxItem, ...]
    next_cursor: str | None


_UNREAD = select(func.count().label("unread")).select_from(
    select(MessageRow.id)
    .where(
        MessageRow.participant_id == bindparam("participant_id"),
        MessageRow.read_at.is_(None),
        MessageRow.shown,
    )
    .limit(COUNT_UP_TO)
    .subquery()
)
#: the same for a page that asks at every visit: one row, `unread`
UNREAD = Statement(_UNREAD)


def unread_count(session: Session, participant_id: str) -> int:
    """Unread messages, counted up to `COUNT_UP_TO`."""
    return int(session.scalar(_UNREAD, {"participant_id": participant_id}) or 0)


def page(
    session: Session,
    participant_id: str,
    *,
    unread_only: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> InboxPage:
    """A page of the participant's messages; ids are made in order of time."""
    query = select(MessageRow).where(MessageRow.participant_id == participant_id, MessageRow.shown)
    if unread_only:
        query = query.where(MessageRow.read_at.is_(None))
    if cursor:
        query = query.where(MessageRow.id < cursor)
    rows = session.scalars(query.order_by(MessageRow.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    return InboxPage(
        items=tuple(_item(row) for row in shown),
        next_cursor=shown[-1].id if len(rows) > limit else None,
    )


def find(session: Session, participant_id: str, message_id: str) -> InboxItem | None:
    """The participant's message, or None: not his, or not there."""
    row = session.get(MessageRow, message_id)
    if row is None or row.participant_id != participant_id or not row.shown:
        return None
    return _item(row)


def mark_read(
    session: Session, participant_id: str, message_ids: Sequence[str], now: datetime
) -> int:
    """These of his messages are read; how many were not before. The caller commits."""
    return _mark(session, participant_id, now, MessageRow.id.in_(list(message_ids)))


def mark_all_read(session: Session, participant_id: str, now: datetime) -> int:
    """All of his messages are read; how many were not before. The caller commits."""
    return _mark(session, participant_id, now, MessageRow.created_at <= now)


def _mark(session: Session, participant_id: str, now: datetime, which: object) -> int:
    result = session.execute(
        update(MessageRow)
        .where(
            MessageRow.participant_id == participant_id,
            MessageRow.read_at.is_(None),
            MessageRow.shown,
            which,  # type: ignore[arg-type]  # either of the two conditions above
        )
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]  # an update answers a cursor result


def _item(row: MessageRow) -> InboxItem:
    return InboxItem(
        id=row.id,
        key=row.key,
        urgency=Urgency(row.urgency),
        subject=row.subject,
        body=row.body,
        reason=row.reason,
        task_id=row.task_id,
        instance_id=row.instance_id,
        created_at=row.created_at,
        read_at=row.read_at,
    )
