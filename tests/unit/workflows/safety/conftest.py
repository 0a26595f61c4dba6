"""The safety chain without an engine: a register in memory, a day that moves, people who act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import (
    Actor,
    AttachmentRef,
    Audience,
    InstanceRef,
    Seat,
    TaskRef,
    WorkingCalendar,
    clock,
    errors,
)
from tests.databases import in_memory
from workflows.domain import hazard_checklist, hazard_institution, hazard_tables

CITY = "349800000000"
STATION = "349898000000.1"
HOME = "349898000000.2"


def somebody(name: str, role: str, unit: str) -> Actor:
    return Actor(id=name, name=name, seats=(Seat(role=role, unit=unit),))


WANG = somebody("wang", "safety_officer", STATION)


@dataclass
class Desk:
    """Stands where the engine's operation context stands, and remembers what it was asked."""

    session: Session
    now: datetime = datetime(2026, 1, 4, 9, 0, tzinfo=clock.LOCAL_ZONE)
    actor: Actor | None = WANG
    instance: InstanceRef | None = None
    task: TaskRef | None = None
    calendar: Any = field(default_factory=WorkingCalendar.default)
    #: name → reference, as if uploaded
    files: dict[str, AttachmentRef] = field(default_factory=dict)
    own: dict[str, object] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, Audience]] = field(default_factory=list)
    started: list[tuple[str, str | None]] = field(default_factory=list)
    moved: list[tuple[str, object]] = field(default_factory=list)
    facts: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    serial: int = 0

    def by(self, actor: Actor, outcome: str | None = None) -> Desk:
        self.actor = actor
        self.task = TaskRef(
            id="t", activity_id="a", role=None, unit=None, owner=None, outcome=outcome
        )
        return self

    def later(self, days: int) -> Desk:
        self.now += timedelta(days=days)
        return self

    def upload(self, content: str) -> str:
        """The id of a file; the same content always has the same hash."""
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = AttachmentRef(
            id=file_id, name=f"{content}.jpg", media_type="image/jpeg", size=1, sha256=content
        )
        return file_id

    def new_id(self) -> str:
        self.serial += 1
        return f"{self.serial:08d}"

    def variables(self) -> dict[str, object]:
        return self.own

    def notify(self, message: str, audience: Audience, data: object = None) -> None:
        self.told.append((message, audience))

    def send_message(self, name: str, key: str, payload: object = None) -> bool:
        self.messages.append((name, key))
        return True

    def start(self, process_key: str, **given: Any) -> str:
        self.started.append((process_key, given.get("business_key")))
        return self.new_id()

    def set_due(self, activity_id: str, due: object, reason: str) -> None:
        self.moved.append((activity_id, due))

    def attachment(self, attachment_id: str) -> AttachmentRef:
        if attachment_id not in self.files:
            raise errors.NotFound
        return self.files[attachment_id]

    def record(self, kind: str, detail: dict[str, object]) -> None:
        self.facts.append((kind, detail))


def open_desk() -> Desk:
    session = Session(in_memory())
    for code, name in ((STATION, "暖河县救助管理站"), (HOME, "暖河县中心敬老院")):
        hazard_institution.register(
            session,
            hazard_tables.InstitutionRow(
                code=code, name=name, kind="救助管理站", opened_on=date(2020, 1, 1), hazard_count=0
            ),
        )
    for one in hazard_checklist.shipped():
        hazard_checklist.publish(session, one, on=date(2025, 12, 1), by="zhou")
    instance = InstanceRef(
        id="i", process_key="hazard_item", business_key=None, region=STATION, root_id="i",
        parent_id=None, title="",
    )  # fmt: skip
    return Desk(session=session, instance=instance)


@pytest.fixture
def desk() -> Iterator[Desk]:
    found = open_desk()
    yield found
    found.session.get_bind().dispose()


@pytest.fixture
def new_desk() -> Callable[[], Desk]:
    return open_desk


@pytest.fixture
def city_desk(desk: Desk) -> Desk:
    desk.instance = replace(desk.instance, region=CITY, process_key="safety_campaign")
    return desk
