"""The office under load: its process, its people, its clock, what it does to the outside.

A case is applied for (several clerks want it), handed over to an outside gateway, waits for the
receipt, for half an hour and for a working day, is checked by two approvers at once, booked in
the same transaction as its end.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine import (
    SYSTEM,
    Base,
    Ladder,
    LadderAction,
    Package,
    ProcessEngine,
    Rung,
    WorkingCalendar,
    operation,
)

VILLAGE = "349898101201"
LONG_AGO = date(2000, 1, 1)
CLERKS = tuple(f"clerk{number}" for number in range(5))
APPROVERS = tuple(f"approver{number}" for number in range(3))
BASE = datetime(2026, 1, 5, 2, tzinfo=UTC)
#: a second of the machine is ten minutes of the office
SPEED = 600
LOCAL_HOLIDAY = (date(2026, 1, 7), date(2026, 1, 9), date(2027, 1, 6), date(2027, 1, 8))
POISONED_EVERY = 9
#: of the hand-overs that the gateway took
ANSWERS_LOST = 0.1


class Board:
    """Numbers that every process of a run sees at once; it survives any of them."""

    FIELDS = (
        "offset",
        "cut",
        "cuts",
        "smtp",
        "hook",
        "calendar",
        "closing",
        "over",
        "began",
        "stands",
    )

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8 * len(self.FIELDS))

    def __getitem__(self, name: str) -> int:
        return struct.unpack_from("q", self._memory, 8 * self.FIELDS.index(name))[0]

    def __setitem__(self, name: str, value: int) -> None:
        struct.pack_into("q", self._memory, 8 * self.FIELDS.index(name), value)


class OfficeClock:
    """Fulfils `engine.Clock`: the board moves it for everybody, a skew for this process only."""

    def __init__(self, board: Board, skew: timedelta = timedelta()) -> None:
        self._board = board
        self._skew = skew

    def now(self) -> datetime:
        """The instant at the office."""
        passed = (
            ((self._board["stands"] or time.monotonic_ns()) - self._board["began"]) // 1000 * SPEED
        )
        return BASE + timedelta(microseconds=passed + self._board["offset"]) + self._skew


class Booking(Base):
    """One row a case that came to its end; nothing but the engine keeps it from being two."""

    __tablename__ = "chaos_booking"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40))


@operation("ledger.book")
def book(context, data):
    """Book the case."""
    context.session.add(Booking(number=data["number"]))
    return {}


class Gateway:
    """The outside: what it was handed stands in a file, whoever dies meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "gateway", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def operations(self) -> SimpleNamespace:
        """What the engine is given."""

        @operation("gateway.hand_over", outside=True)
        def hand_over(context, data):
            """Hand the case over."""
            if context.variables()["poison"]:
                raise ZeroDivisionError("poisoned")
            os.write(self._file, f"{data['number']} {context.idempotency_key}\n".encode())
            if random.random() < ANSWERS_LOST:
                raise TimeoutError("it was taken, and the answer was lost")
            return {}

        return SimpleNamespace(hand_over=hand_over, book=book)


def build(url: str, folder: Path, clock: OfficeClock) -> ProcessEngine:
    """The engine as a process that starts would build it."""
    return ProcessEngine(
        url, clock=clock, files=folder / "files", operations=[Gateway(folder).operations()]
    )


def calendar(variant: int) -> WorkingCalendar:
    """The calendar as it stands, or as the yearly notice changes it."""
    usual = WorkingCalendar.default()
    return usual.with_local_days(VILLAGE, LOCAL_HOLIDAY, version="amended") if variant else usual


def furnish(engine: ProcessEngine) -> None:
    """Schema, people and process of an empty office."""
    engine.create_schema()
    for role, people in (("clerk", CLERKS), ("approver", APPROVERS), ("head", ("head",))):
        for one in people:
            engine.identity.create_participant(one, name=one, login=one, email=f"{one}@example.cn")
            engine.identity.assign_seat(one, role, VILLAGE, since=LONG_AGO)
    engine.repository.deploy(package(), SYSTEM)


def package() -> Package:
    """The process of the load."""
    file = "load_case.bpmn"
    return Package(
        key="load_case",
        title="负荷事项",
        version_tag="1.0",
        bpmn=file,
        files={file: Path(__file__).with_name(file).read_bytes()},
        roles={"clerk": "经办人", "approver": "审批人", "head": "负责人"},
        starters=("clerk",),
        leaders={"": "head"},
        desks={},
        ladders={
            "default": Ladder(
                name="default",
                rungs=(
                    Rung(at="50%", action=LadderAction.REMIND),
                    Rung(at="due", action=LadderAction.OVERDUE, audience=("owner", "leader")),
                ),
            )
        },
    )
