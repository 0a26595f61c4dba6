"""One daily summary instead of fifty mails: what is unread and was not worth a mail of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine import Clock, clock, tables
from notifications.message import Channel, Reach, Urgency
from notifications.rendering import Renderer
from notifications.tables import DeliveryRow, DeliveryStatus, MessageRow

DIGEST_KEY = "daily_digest"
DIGEST_AT = time(8, 0)
LINES = 20
PAGE = 200


class Digest:
    """Writes the summaries of a day once; the dispatcher sends them like any letter."""

    def __init__(
        self,
        engine: Any,
        channels: Sequence[Channel],
        clock: Clock | None = None,
        *,
        sessions: Callable[[], AbstractContextManager[Session]] | None = None,
    ) -> None:
        """Without `sessions` the engine's database is written."""
        # A summary is a letter: nobody wants it as a short message.
        self._channels = [one.name for one in channels if one.reach is Reach.EMAIL]
        self._clock: Clock = clock or engine.clock
        self._renderer = Renderer(engine.repository)
        self._sessions = sessions or self._writes
        self._ids = engine.ids
        self._engine = engine
        self._done: date | None = None

    @contextmanager
    def _writes(self) -> Iterator[Session]:
        with self._engine.database.write() as transaction:
            yield transaction.session

    def deliver(self) -> int:
        """Summaries written by this call; nothing before eight, and each person once a day."""
        now = self._clock.now()
        local = clock.to_local(now)
        today = local.date()
        if local.time() < DIGEST_AT or self._done == today or not self._channels:
            return 0
        written = 0
        while True:
            with self._sessions() as session:
                waiting = self._waiting(session, today, now)
                for participant_id, name in waiting:
                    self._write(session, participant_id, name, today, now)
            written += len(waiting)
            if len(waiting) < PAGE:
                break
        self._done = today
        return written

    @staticmethod
    def _waiting(session: Session, today: date, now: datetime) -> list[tuple[str, str]]:
        person = tables.Participant
        has_unread = (
            select(MessageRow.id)
            .where(MessageRow.participant_id == person.id, *_unread(today, now))
            .exists()
        )
        has_summary = (
            select(MessageRow.id)
            .where(MessageRow.participant_id == person.id, MessageRow.source == _source(today))
            .exists()
        )
        found = session.execute(
            select(person.id, person.name)
            .where(person.active.is_(True), person.email.is_not(None), has_unread, ~has_summary)
            .order_by(person.id)
            .limit(PAGE)
        )
        return [(row.id, row.name) for row in found]

    def _write(
        self, session: Session, participant_id: str, name: str, today: date, now: datetime
    ) -> None:
        unread = (MessageRow.participant_id == participant_id, *_unread(today, now))
        count = int(
            session.scalar(select(func.count()).select_from(MessageRow).where(*unread)) or 0
        )
        rows = session.execute(
            select(MessageRow.subject, MessageRow.created_at)
            .where(*unread)
            .order_by(MessageRow.id.desc())
            .limit(LINES)
        )
        lines = [{"subject": row.subject, "at": row.created_at} for row in rows]
        text = self._renderer.render(
            DIGEST_KEY,
            {"name": name, "count": count, "lines": lines, "more": count - len(lines)},
        )
        message = MessageRow(
            id=self._ids.new(),
            source=_source(today),
            participant_id=participant_id,
            key=DIGEST_KEY,
            urgency=Urgency.DIGEST.value,
            subject=text.subject,
            body=text.body,
            reason="",
            created_at=now,
            shown=False,
        )
        session.add(message)
        session.flush()
        session.add_all(
            DeliveryRow(
                message_id=message.id,
                channel=channel,
                status=DeliveryStatus.WAITING.value,
                next_at=now,
                attempts=0,
                error="",
            )
            for channel in self._channels
        )


def _source(today: date) -> str:
    return f"digest:{today.isoformat()}"


def _unread(today: date, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What came since yesterday's summary, is still unread, and had no mail of its own."""
    since = datetime.combine(today - timedelta(days=1), DIGEST_AT, clock.LOCAL_ZONE)
    return (
        MessageRow.urgency == Urgency.DIGEST.value,
        MessageRow.shown.is_(True),
        MessageRow.read_at.is_(None),
        MessageRow.created_at > clock.to_utc(since),
        MessageRow.created_at <= now,
    )
