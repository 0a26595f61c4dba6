"""Outbox row → messages of people → letters. Pulled by the heartbeat; never calls anybody back.

Two stages, so that one dead mailbox holds up nobody:

1. *Fan out.* An outbox row becomes one message row a participant (his in-app box has it from
   then on) and one waiting delivery for each way out. One transaction; written again it changes
   nothing, for (source, participant) and (message, channel) are unique.
2. *Send.* Each waiting delivery is leased, sent, marked. A crash between sending and marking
   repeats one letter under the same Message-ID; nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import Breaker, Clock, clock, tables
from notifications import routing
from notifications.errors import DeliveryError, RenderingError
from notifications.message import (
    Channel,
    Letter,
    OutboxRow,
    Recipient,
    Text,
    Urgency,
)
from notifications.rendering import Places, Renderer
from notifications.tables import DeliveryRow, DeliveryStatus, MessageRow

Sessions = Callable[[], AbstractContextManager[Session]]
"""Opens a session in a writing transaction: committed when the block ends, rolled back on error."""

LEASE = timedelta(minutes=5)
BATCH = 50
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""After the first, second … failed attempt; when they are used up the delivery has failed."""

MOST_ATTEMPTS = len(PAUSES) + 1
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A letter that will not arrive unless an operator acts; the address is not told."""

    message_id: str
    channel: str
    participant_id: str
    subject: str
    error: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leased:
    """A delivery that is ours until the lease ends; `attempts` counts this one."""

    message_id: str
    channel: str
    attempts: int


def writes(engine: Any) -> Sessions:
    """Writing transactions in the database of this engine."""

    @contextmanager
    def opened() -> Iterator[Session]:
        with engine.database.write() as transaction:
            yield transaction.session

    return opened


class Dispatcher:
    """Delivers what waits in the outbox of one engine."""

    def __init__(
        self,
        engine: Any,
        channels: Sequence[Channel],
        clock: Clock | None = None,
        *,
        place: Places | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        """`place` names a unit by its code; without `sessions` the engine's database is written."""
        self._engine = engine
        self._channels = {channel.name: channel for channel in channels}
        self._clock: Clock = clock or engine.clock
        self._sessions = sessions or writes(engine)
        self._renderer = Renderer(engine.repository, place=place)
        self._breaker = Breaker()

    def deliver(self, limit: int = 100) -> int:
        """Fan out up to `limit` outbox rows, then send up to `limit` letters; how many moved on."""
        rows: Sequence[OutboxRow] = self._engine.management.pending_outbox(limit)
        moved = sum(self._fan_out(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH))
        return moved + self.send(limit)

    # --- fan out ----------------------------------------------------------------------------

    def _fan_out(self, rows: Sequence[OutboxRow]) -> int:
        """One transaction for several rows: a commit costs more than the rows in it."""
        ready = []
        for row in rows:
            try:
                text = self._renderer.render(row.message, row.data, definition_id=row.definition_id)
            except RenderingError as error:
                # The text will not mend itself: an operator must see it.
                self._fail(row, str(error))
            else:
                ready.append((row, text, self._addressed(row.audience)))
        reached: list[OutboxRow] = []
        nobody: list[OutboxRow] = []
        with self._sessions() as session:
            for row, text, reasons in ready:
                people = self._named(session, reasons)
                if people:
                    people += self._substitutes(session, people)
                    self._write(session, row, text, people)
                (reached if people else nobody).append(row)
        if reached:
            self._engine.management.taken_over(*(row.id for row in reached))
        for row in nobody:
            self._fail(row, _nobody(row.audience))
        return len(reached)

    def _fail(self, row: OutboxRow, why: str) -> None:
        self._engine.management.mark_failed(row.id, why, permanent=True)

    def _addressed(self, audience: Mapping[str, str]) -> dict[str, str]:
        """Participant ids with the reason why each is reached."""
        if audience.get("kind") == "participant":
            return {audience["id"]: "指名发给您"}
        holders = self._engine.identity.holders(audience.get("role", ""), audience.get("unit", ""))
        return dict.fromkeys((one.id for one in holders), "发给您的岗位")

    @staticmethod
    def _named(session: Session, reasons: Mapping[str, str]) -> list[Recipient]:
        person = tables.Participant
        found = session.execute(
            select(person.id, person.name, person.email, person.phone)
            .where(person.id.in_(list(reasons)), person.active.is_(True))
            .order_by(person.id)
        )
        return [
            Recipient(
                id=row.id, name=row.name, email=row.email, phone=row.phone, reason=reasons[row.id]
            )
            for row in found
        ]

    def _substitutes(self, session: Session, absent: Sequence[Recipient]) -> list[Recipient]:
        """Whoever stands in today hears of it as well: he is the one who can act."""
        names = {one.id: one.name for one in absent}
        today = clock.local_date(self._clock.now())
        stand_in = tables.Substitution
        found = session.execute(
            select(stand_in.substitute_id, stand_in.absent_id).where(
                stand_in.absent_id.in_(list(names)),
                stand_in.since <= today,
                stand_in.until >= today,
            )
        )
        reasons = {
            row.substitute_id: f"您正在代理{names[row.absent_id]}"
            for row in found
            if row.substitute_id not in names
        }
        return self._named(session, reasons) if reasons else []

    def _write(
        self, session: Session, row: OutboxRow, text: Text, people: Sequence[Recipient]
    ) -> None:
        known = set(
            session.scalars(select(MessageRow.participant_id).where(MessageRow.source == row.id))
        )
        urgency = routing.route(row.message).urgency
        now = self._clock.now()
        mail_at = routing.mail_at(urgency, now)
        for person in people:
            if person.id in known:
                continue
            message = MessageRow(
                id=self._engine.ids.new(),
                source=row.id,
                participant_id=person.id,
                key=row.message,
                urgency=urgency.value,
                subject=text.subject,
                body=text.body,
                reason=person.reason,
                task_id=row.task_id,
                instance_id=row.instance_id,
                created_at=now,
                shown=True,
            )
            session.add(message)
            session.flush()
            if mail_at is not None:
                queue(session, message.id, self._reaching(person), mail_at)

    def _reaching(self, person: Recipient) -> list[str]:
        return [name for name, one in self._channels.items() if person.address(one.reach)]

    # --- send -------------------------------------------------------------------------------

    def send(self, limit: int = 100) -> int:
        """Send letters that are due; how many were accepted.

        A channel that fails for now is left alone until the next call: its server is down, and
        waiting for each letter's time-out would hold up the heartbeat. One that failed several
        times in a row is left alone for a while, then tried by one letter (`Breaker`).
        """
        sent, resting = 0, self._silent()
        for _ in range(limit):
            leased = self._lease(sorted(set(self._channels) - resting))
            if leased is None:
                break
            error = self._attempt(leased)
            if error is None:
                sent += 1
            elif not error.permanent:
                resting.add(leased.channel)
            self._learn(leased.channel, error)
        for channel in self._channels:
            # A turn to try whether it answers again, and nothing to try it with.
            self._breaker.left(channel)
        return sent

    def _silent(self) -> set[str]:
        now = self._clock.now()
        return {
            channel
            for channel in self._channels
            if self._breaker.rests_until(channel, now) is not None
        }

    def _learn(self, channel: str, error: DeliveryError | None) -> None:
        # A refusal for good is an answer: somebody is there.
        if error is None or error.permanent:
            self._breaker.answered(channel)
        else:
            self._breaker.failed(channel, self._clock.now())

    def _lease(self, channels: Sequence[str]) -> _Leased | None:
        if not channels:
            return None
        now = self._clock.now()
        with self._sessions() as session:
            row = session.execute(
                select(DeliveryRow.message_id, DeliveryRow.channel, DeliveryRow.attempts,
                       DeliveryRow.next_at)
                .where(
                    DeliveryRow.status == DeliveryStatus.WAITING.value,
                    DeliveryRow.next_at <= now,
                    DeliveryRow.channel.in_(channels),
                )
                .order_by(DeliveryRow.next_at, DeliveryRow.message_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()  # fmt: skip
            if row is None:
                return None
            # Whoever moves `next_at` from what he read may send.
            # The attempt counts from here: a letter that kills its sender must not live for ever.
            attempts = row.attempts + 1
            self._change(
                session, row.message_id, row.channel, row.next_at,
                next_at=now + LEASE, attempts=attempts,
            )  # fmt: skip
        return _Leased(message_id=row.message_id, channel=row.channel, attempts=attempts)

    def _attempt(self, leased: _Leased) -> DeliveryError | None:
        try:
            self._channels[leased.channel].send(self._letter(leased))
        except DeliveryError as error:
            self._note_failure(leased, error)
            return error
        with self._sessions() as session:
            self._change(
                session, leased.message_id, leased.channel, None,
                status=DeliveryStatus.SENT.value, sent_at=self._clock.now(), error="",
            )  # fmt: skip
        return None

    def _letter(self, leased: _Leased) -> Letter:
        if leased.attempts > MOST_ATTEMPTS:
            raise DeliveryError("发送过程多次中断", permanent=True)
        with self._sessions() as session:
            message = session.get_one(MessageRow, leased.message_id)
            people = self._named(session, {message.participant_id: message.reason})
            address = people[0].address(self._channels[leased.channel].reach) if people else ""
            if not address:
                raise DeliveryError("收件人已停用，或没有这个渠道的地址", permanent=True)
            return Letter(
                id=message.id,
                to_name=people[0].name,
                to_address=address,
                subject=message.subject,
                body=message.body,
                urgency=Urgency(message.urgency),
                at=self._clock.now(),
            )

    def _note_failure(self, leased: _Leased, error: DeliveryError) -> None:
        given_up = error.permanent or leased.attempts >= MOST_ATTEMPTS
        now = self._clock.now()
        with self._sessions() as session:
            self._change(
                session, leased.message_id, leased.channel, None,
                status=(DeliveryStatus.FAILED if given_up else DeliveryStatus.WAITING).value,
                error=error.message[:LONGEST_ERROR],
                next_at=now if given_up else now + PAUSES[leased.attempts - 1],
            )  # fmt: skip

    @staticmethod
    def _change(
        session: Session, message_id: str, channel: str, seen: datetime | None, **values: object
    ) -> None:
        change = update(DeliveryRow).where(
            DeliveryRow.message_id == message_id,
            DeliveryRow.channel == channel,
            DeliveryRow.status == DeliveryStatus.WAITING.value,
        )
        if seen is not None:
            change = change.where(DeliveryRow.next_at == seen)
        session.execute(change.values(**values).execution_options(synchronize_session=False))


def queue(session: Session, message_id: str, channels: Iterable[str], at: datetime) -> None:
    """One waiting delivery of the message for each channel, from this instant on."""
    session.add_all(
        DeliveryRow(
            message_id=message_id,
            channel=name,
            status=DeliveryStatus.WAITING.value,
            next_at=at,
            attempts=0,
            error="",
        )
        for name in channels
    )


def failures(session: Session, *, limit: int = 50) -> list[Failure]:
    """Letters that failed for good, the newest first: the operator's list."""
    rows = session.execute(
        select(DeliveryRow, MessageRow.participant_id, MessageRow.subject)
        .join(MessageRow, MessageRow.id == DeliveryRow.message_id)
        .where(DeliveryRow.status == DeliveryStatus.FAILED.value)
        .order_by(DeliveryRow.message_id.desc())
        .limit(limit)
    )
    return [
        Failure(
            message_id=delivery.message_id,
            channel=delivery.channel,
            participant_id=participant_id,
            subject=subject,
            error=delivery.error,
            attempts=delivery.attempts,
        )
        for delivery, participant_id, subject in rows
    ]


def retry(session: Session, message_id: str, channel: str, now: datetime) -> bool:
    """A failed letter goes out again with fresh attempts; False if there is none."""
    result: Any = session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.message_id == message_id,
            DeliveryRow.channel == channel,
            DeliveryRow.status == DeliveryStatus.FAILED.value,
        )
        .values(status=DeliveryStatus.WAITING.value, next_at=now, attempts=0)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)


def _nobody(audience: Mapping[str, str]) -> str:
    if audience.get("kind") == "participant":
        return "收件人不存在或已停用"
    return f"单位 {audience.get('unit')} 没有人担任岗位“{audience.get('role')}”"
