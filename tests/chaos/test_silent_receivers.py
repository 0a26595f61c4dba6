"""Nobody outside answers, mail, gateway, bank: a clerk is served as if nothing were the matter."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import load_office
import pytest
from sqlalchemy import select

from engine import SYSTEM, ProcessEngine, TravellingClock, operation
from notifications.channels import registry
from notifications.dispatcher import Dispatcher
from notifications.tables import DeliveryRow

CASES = 20
LONGEST_SECONDS = 2.0
CHANNELS = ("email", "sms", "webhook")


class Silence:
    """Takes every connection and says nothing until it hangs up."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.called = threading.Event()
        self._talks: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._talks.append(self._listening.accept()[0])
                self.called.set()

    def hang_up(self) -> None:
        """End every talk; nobody is there any more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for talk in self._talks:
            talk.close()


class Bank:
    """An operation outside that does not come back until it is told to."""

    def __init__(self) -> None:
        self.called, self.answers = threading.Event(), threading.Event()
        self.taken: list[str] = []

    def operations(self) -> SimpleNamespace:
        """What the engine is given."""

        @operation("gateway.hand_over", outside=True)
        def hand_over(context, data):
            """Hand the case over."""
            self.called.set()
            self.answers.wait(60)
            self.taken.append(context.idempotency_key)
            return {}

        return SimpleNamespace(hand_over=hand_over, book=load_office.book)


@pytest.fixture
def bank() -> Iterator[Bank]:
    found = Bank()
    yield found
    found.answers.set()


@pytest.fixture
def receivers() -> Iterator[dict[str, Silence]]:
    found = {name: Silence() for name in CHANNELS}
    yield found
    for one in found.values():
        with contextlib.suppress(OSError):
            one.hang_up()


@pytest.fixture
def office(store_url: str, tmp_path: Path, bank: Bank) -> Iterator[ProcessEngine]:
    engine = ProcessEngine(
        store_url,
        clock=TravellingClock(load_office.BASE),
        files=tmp_path,
        operations=[bank.operations()],
    )
    load_office.furnish(engine)
    for clerk in load_office.CLERKS:
        engine.identity.change_participant(clerk, phone="13800000001")
    yield engine
    engine.close()


def opened(engine: ProcessEngine, number: str) -> str:
    """The task at the first desk of a new case."""
    case = engine.runtime.start(
        "load_case", SYSTEM, variables={"number": number, "poison": False},
        region=load_office.VILLAGE, title=number, business_key=number,
    )  # fmt: skip
    clerk = engine.identity.actor("clerk0")
    rows = engine.worklist.page(clerk, limit=100).rows
    return next(row.id for row in rows if row.instance_id == case)


def mailer(engine: ProcessEngine, receivers: dict[str, Silence], folder: Path) -> Dispatcher:
    """Sends by every channel there is."""
    local = "http://127.0.0.1:{}/"
    environ = {
        "NUANLIU_CHANNELS": ",".join(CHANNELS),
        "NUANLIU_SMTP_HOST": "127.0.0.1",
        "NUANLIU_SMTP_PORT": str(receivers["email"].port),
        "NUANLIU_SMTP_MODE": "plain",
        "NUANLIU_SMTP_SENDER": "nuanliu@example.cn",
        "NUANLIU_SMS_URL": local.format(receivers["sms"].port),
        "NUANLIU_WEBHOOK_URL": local.format(receivers["webhook"].port),
    }
    return Dispatcher(engine, registry.load(environ, folder))


def until(done: Callable[[], bool]) -> None:
    """Wait for another thread; fails when it does not come about."""
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def test_a_clerk_is_served_while_nobody_outside_answers(
    office: ProcessEngine, bank: Bank, receivers: dict[str, Silence], tmp_path: Path
) -> None:
    clerk = office.identity.actor("clerk0")
    clock = office.clock
    assert isinstance(clock, TravellingClock)
    office.tasks.claim(opened(office, "late"), clerk)
    # More than half of his time is over: a reminder goes out.
    clock.advance(timedelta(hours=3))
    office.management.run_due()
    office.tasks.complete(opened(office, "first"), clerk, {})
    dispatcher = mailer(office, receivers, tmp_path)
    threads = [threading.Thread(target=office.management.run_due)]
    threads[0].start()
    assert bank.called.wait(10)
    # One after the other: the first of them has to find out whom the reminder is for.
    for number in range(1, len(CHANNELS) + 1):
        threads.append(threading.Thread(target=dispatcher.deliver))
        threads[-1].start()
        until(
            lambda wanted=number: sum(one.called.is_set() for one in receivers.values()) == wanted
        )

    spent = []
    for number in range(CASES):
        began = time.monotonic()
        task = opened(office, f"n{number}")
        office.tasks.claim(task, clerk)
        office.tasks.complete(task, clerk, {})
        spent.append(time.monotonic() - began)

    assert all(thread.is_alive() for thread in threads), "nobody waited for a receiver any more"
    assert max(spent) < LONGEST_SECONDS
    bank.answers.set()
    for one in receivers.values():
        one.hang_up()
    for thread in threads:
        thread.join()
    while office.management.run_due():
        pass
    assert len(bank.taken) == len(set(bank.taken)) == CASES + 1
    with office.read() as session:
        letters = list(session.execute(select(DeliveryRow.status, DeliveryRow.attempts)))
    # One attempt each, and it is tried again later.
    assert letters == [("waiting", 1)] * len(CHANNELS)
    assert office.history.verify() == []
