"""Delivery on both databases: everybody once, however many workers pull."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from engine import SYSTEM, Audience, operation
from notifications.channels import inbox
from notifications.dispatcher import Dispatcher, failures, retry
from notifications.errors import DeliveryError
from notifications.message import Letter, Reach
from notifications.tables import MessageRow

VILLAGE = "349898101201"
ROUNDS = 20


@dataclass
class Postman:
    """Keeps letters from any thread; refuses while told so."""

    name: str = "postman"
    reach: Reach = Reach.EMAIL
    letters: list[str] = field(default_factory=list)
    refuse: DeliveryError | None = None

    def send(self, letter: Letter) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.letters.append(letter.id)


@operation("test.tell", public=True)
def tell(context, data) -> None:
    told = {"name": "村级评议", "subject": data["subject"], "unit": VILLAGE,
            "due_at": "2026-01-02T16:00:00Z"}  # fmt: skip
    context.notify(data["message"], Audience.seat("clerk", VILLAGE), told)


@pytest.fixture
def office(open_office, store_url):
    found = open_office(store_url, operations=(tell,))
    for login in ("wang", "li"):
        found.engine.identity.change_participant(login, email=f"{login}@example.cn")
    return found


@pytest.fixture
def put(office):
    """Puts an urgent message for the two clerks of the village into the outbox."""

    def told(number: int = 1, message: str = "task_supervised") -> None:
        data = {"subject": f"第{number}件", "message": message}
        office.engine.runtime.perform("test.tell", SYSTEM, data)

    return told


def test_every_holder_is_told_once_in_the_app_and_once_by_mail(office, put) -> None:
    put()
    postman = Postman()
    dispatcher = Dispatcher(office.engine, [postman])

    dispatcher.deliver()
    dispatcher.deliver()

    with office.engine.read() as session:
        assert sorted(session.scalars(select(MessageRow.participant_id))) == ["li", "wang"]
        assert inbox.unread_count(session, "wang") == 1
    assert len(postman.letters) == 2
    assert office.engine.management.pending_outbox() == ()


def test_workers_that_pull_at_once_repeat_nothing(office, put) -> None:
    for number in range(ROUNDS):
        put(number)
    postman = Postman()
    faults: list[BaseException] = []

    def work() -> None:
        dispatcher = Dispatcher(office.engine, [postman])
        try:
            for _ in range(ROUNDS):
                dispatcher.deliver(7)
        except BaseException as fault:  # noqa: BLE001  # carried into the test's thread
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    with office.engine.read() as session:
        told = Counter(session.scalars(select(MessageRow.participant_id)))
    assert told == {"wang": ROUNDS, "li": ROUNDS}
    assert Counter(Counter(postman.letters).values()) == {1: 2 * ROUNDS}


def test_a_refused_letter_waits_for_the_operator(office, put) -> None:
    put()
    postman = Postman(refuse=DeliveryError("没有这个邮箱", permanent=True))
    dispatcher = Dispatcher(office.engine, [postman])
    dispatcher.deliver()
    postman.refuse = None
    with office.engine.database.write() as tx:
        for failure in failures(tx.session):
            retry(tx.session, failure.message_id, failure.channel, office.clock.now())

    dispatcher.deliver()

    assert len(postman.letters) == 2


def test_a_message_nobody_can_read_is_told_to_the_operator(office, put) -> None:
    put(message="without_words")

    Dispatcher(office.engine, ()).deliver()

    health = office.engine.management.health()
    assert health.failed_messages == 1
    assert any("没有送出" in problem for problem in health.problems)


def test_marking_read_touches_only_ones_own(office, put) -> None:
    put()
    Dispatcher(office.engine, ()).deliver()

    with office.engine.database.write() as tx:
        assert inbox.mark_all_read(tx.session, "wang", office.clock.now()) == 1
    with office.engine.read() as session:
        assert inbox.unread_count(session, "wang") == 0
        assert inbox.unread_count(session, "li") == 1
