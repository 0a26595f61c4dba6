"""Messages to people, handed to whoever delivers them: leased, sent once, given up loudly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from engine.execution.command import Commands
from engine.model.errors import NotFound
from engine.store import outbox

SEND_LEASE = timedelta(minutes=5)
MAXIMUM_SENDS = 8
_outbox: Any = outbox.OutboxMessage.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxView:
    """One message to deliver; `id` is the idempotency key towards every channel."""

    id: str
    message: str
    audience: Mapping[str, str]
    data: Mapping[str, Any]
    process_key: str | None
    definition_id: str | None
    instance_id: str | None
    task_id: str | None
    created_at: datetime
    attempts: int
    #: why it was not delivered, after a failure
    error: str = ""


class OutboxDesk:
    """The part of `ManagementService` that the dispatcher of messages uses."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment

    def pending_outbox(self, limit: int = 100) -> tuple[OutboxView, ...]:
        """Messages to deliver now; each is leased to the caller for five minutes."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            rows = tx.rows(outbox.PENDING, {"now": now, "limit": limit})
            mine = [
                row
                for row in rows
                if tx.write(
                    outbox.LEASE,
                    {
                        "message_id": row.id,
                        "seen_next_at": row.next_at,
                        "next_at": now + SEND_LEASE,
                    },
                )
                == 1
            ]
        return tuple(_view(row) for row in mine)

    def taken_over(self, *message_ids: str) -> None:
        """Whoever delivers has taken the messages over: they are gone from here, never offered."""
        with self._environment.database.write() as tx:
            tx.write_all(outbox.FORGET, [{"message_id": each} for each in message_ids])

    def mark_failed(self, message_id: str, error: str, *, permanent: bool = False) -> None:
        """Offer it again later; after eight times, or a permanent failure, never."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            attempts = tx.execute(
                select(_outbox.c.attempts).where(_outbox.c.id == message_id)
            ).scalar()
            over = permanent or (attempts or 0) + 1 >= MAXIMUM_SENDS
            tx.write(
                outbox.MARK_FAILED,
                {
                    "message_id": message_id,
                    "status": outbox.FAILED if over else outbox.QUEUED,
                    "next_at": now + timedelta(minutes=2 ** (attempts or 0)),
                    "error": error[:1000],
                },
            )

    def undelivered(self, limit: int = 100) -> tuple[OutboxView, ...]:
        """Messages that were given up, newest first, each with its error."""
        query = (
            select(_outbox)
            .where(_outbox.c.status == outbox.FAILED)
            .order_by(_outbox.c.id.desc())
            .limit(limit)
        )
        with self._environment.database.read() as tx:
            return tuple(_view(row) for row in tx.execute(query).all())

    def resend(self, message_id: str) -> None:
        """Offer a given-up message once more, after its cause was mended. Raises NotFound."""
        now = self._environment.clock.now()
        with self._environment.database.write() as tx:
            found = tx.execute(
                update(_outbox)
                .where(_outbox.c.id == message_id, _outbox.c.status == outbox.FAILED)
                .values(status=outbox.QUEUED, attempts=0, next_at=now)
            )
            if found.rowcount != 1:
                raise NotFound("没有这条未送出的消息")


def _view(row: Any) -> OutboxView:
    return OutboxView(
        id=row.id,
        message=row.message,
        audience=row.audience,
        data=row.data,
        process_key=row.process_key,
        definition_id=row.definition_id,
        instance_id=row.instance_id,
        task_id=row.task_id,
        created_at=row.created_at,
        attempts=row.attempts,
        error=row.error or "",
    )
