"""A desk of four people, an outbox that is a list, and a database in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from engine import Base, CountingIds, TravellingClock, errors, tables
from notifications import tables as ours
from notifications.dispatcher import Dispatcher
from notifications.errors import DeliveryError
from notifications.message import Letter, Reach

MORNING = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Asia/Shanghai
UNIT = "349898101201"


@dataclass
class Outbox:
    """The part of `engine.management` that the dispatcher uses."""

    rows: list[SimpleNamespace] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def pending_outbox(self, limit: int) -> list[SimpleNamespace]:
        done = {*self.sent, *self.failed}
        return [row for row in self.rows if row.id not in done][:limit]

    def taken_over(self, *row_ids: str) -> None:
        self.sent.extend(row_ids)

    def mark_failed(self, row_id: str, error: str, *, permanent: bool = False) -> None:
        self.failed[row_id] = error

    def put(self, message: str, audience: dict[str, str], **data: object) -> SimpleNamespace:
        row = SimpleNamespace(
            id=f"row-{len(self.rows) + 1}", message=message, audience=audience,
            data={"name": "村级评议", "subject": "柳河镇东沟村", "unit": UNIT,
                  "due_at": "2026-01-09T16:00:00+00:00"} | data,
            definition_id="definition-1", instance_id="case-1", task_id="task-1",
            created_at=MORNING, attempts=0,
        )  # fmt: skip
        self.rows.append(row)
        return row


@dataclass
class Files:
    """The part of `engine.repository` that rendering uses."""

    files: dict[str, bytes] = field(default_factory=dict)

    def resource(self, definition_id: str, path: str) -> bytes:
        if path not in self.files:
            raise errors.NotFound
        return self.files[path]


@dataclass
class Postman:
    """A channel that keeps what it is given, or fails as it is told."""

    name: str = "postman"
    reach: Reach = Reach.EMAIL
    letters: list[Letter] = field(default_factory=list)
    refuse: DeliveryError | None = None

    def send(self, letter: Letter) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.letters.append(letter)


@dataclass
class Desk:
    """Everything a test of this room touches."""

    outbox: Outbox
    files: Files
    postman: Postman
    clock: TravellingClock
    ids: CountingIds
    sessions: sessionmaker[Session]
    seats: dict[tuple[str, str], list[str]]

    @property
    def engine(self) -> SimpleNamespace:
        def holders(role: str, unit: str) -> list[SimpleNamespace]:
            return [SimpleNamespace(id=one) for one in self.seats.get((role, unit), [])]

        return SimpleNamespace(
            management=self.outbox,
            identity=SimpleNamespace(holders=holders),
            repository=self.files,
            ids=self.ids,
            clock=self.clock,
        )

    def write(self) -> AbstractContextManager[Session]:
        return self.sessions.begin()

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.engine, [self.postman], sessions=self.write,
            place=lambda code: {UNIT: "东沟村"}.get(code, ""),
        )  # fmt: skip

    def stand_in(self, absent: str, substitute: str, since: date, until: date) -> None:
        with self.write() as session:
            session.add(
                tables.Substitution(
                    id=self.ids.new(), absent_id=absent, substitute_id=substitute, since=since,
                    until=until, reason="", created_at=MORNING, created_by="admin",
                )
            )  # fmt: skip

    def set_person(self, participant_id: str, **values: object) -> None:
        with self.write() as session:
            person = session.get_one(tables.Participant, participant_id)
            for name, value in values.items():
                setattr(person, name, value)


@pytest.fixture
def desk() -> Iterator[Desk]:
    database = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    wanted = [
        model.__table__
        for model in (
            tables.Participant, tables.SeatRow, tables.Substitution,
            ours.MessageRow, ours.DeliveryRow,
        )
    ]  # fmt: skip
    Base.metadata.create_all(database, tables=wanted)
    sessions = sessionmaker(database)
    with sessions.begin() as session:
        session.add_all(
            tables.Participant(
                id=login, name=name, login=login, email=f"{login}@example.cn", active=True,
                created_at=MORNING, phone=None,
            )
            for login, name in
            (("wang", "王小满"), ("li", "李建国"), ("zhao", "赵敏"), ("sun", "孙立"))
        )  # fmt: skip
    yield Desk(
        outbox=Outbox(), files=Files(), postman=Postman(), clock=TravellingClock(MORNING),
        ids=CountingIds(), sessions=sessions,
        seats={("clerk", UNIT): ["wang", "li"]},
    )  # fmt: skip
    database.dispose()
