"""Killed at the worst instruction: what had not been committed is done again, the rest is not."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import load_office
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from engine import SYSTEM, ProcessEngine, TravellingClock, errors, tables
from engine.execution.job_executor import ATTEMPTS
from engine.queues.cluster import ProcrastinateCarrier, install
from engine.store import timers
from notifications.dispatcher import LEASE, Dispatcher
from notifications.message import Reach
from notifications.tables import DeliveryRow

DYING = Path(__file__).with_name("dying.py")
LATE = timedelta(minutes=31)
LOST = timedelta(minutes=20)


class Bureau:
    """A case that waits for its timer, an engine, and processes that die beside it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.clock = TravellingClock(load_office.BASE)
        self.engine: ProcessEngine = load_office.build(url, folder, self.clock)
        load_office.furnish(self.engine)

    def opened(self, number: str = "1", *, poison: bool = False) -> str:
        """A case at its first desk."""
        return self.engine.runtime.start(
            "load_case", SYSTEM, variables={"number": number, "poison": poison},
            region=load_office.VILLAGE, title=number, business_key=number,
        )  # fmt: skip

    def waiting(self, number: str = "1") -> str:
        """A case whose timer is due now."""
        case = self.opened(number)
        clerk = self.engine.identity.actor("clerk0")
        task = self.engine.worklist.page(clerk).rows[0]
        self.engine.tasks.complete(task.id, clerk, {})
        self.engine.management.run_due()
        self.engine.runtime.correlate("receipt", number, {})
        self.clock.advance(LATE)
        return case

    def kill_at(self, point: str) -> None:
        """Another process comes to this point and is killed there."""
        died = subprocess.run(
            [sys.executable, DYING, point, self.url, self.folder, self.clock.now().isoformat()],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert died.returncode == -signal.SIGKILL, died.stderr

    def revision(self, case: str) -> int:
        """How often the case was written."""
        with self.engine.read() as session:
            return session.scalar(
                select(tables.ProcessInstance.revision).where(tables.ProcessInstance.id == case)
            )

    def fired(self, case: str) -> Counter[str]:
        """Which timers of the case fired, and how often."""
        rows = self.engine.history.timeline(case, SYSTEM, limit=1000).rows
        return Counter(row.activity_id for row in rows if row.kind == "timer.fired")

    def claimed(self) -> int:
        """Timers that are noted as handed over."""
        with self.engine.read() as session:
            return session.scalar(
                select(func.count())
                .select_from(tables.Timer)
                .where(tables.Timer.claimed_at.is_not(None))
            )


class Basket:
    """Fulfils `Carrier`: keeps what it is given instead of bringing it to anybody."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def room(self, _tx: object) -> int:
        """Plenty."""
        return 100

    def carry(self, _tx: object, batches: Any) -> None:
        """Keep."""
        self.batches.extend(batches)


class Postman:
    """Takes every letter."""

    name = "email"
    reach = Reach.EMAIL

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, letter: Any) -> None:
        """Take it."""
        self.sent.append(letter.id)


@pytest.fixture(autouse=True)
def the_gateway_answers(monkeypatch) -> None:
    """What it loses in the harness by chance would be chance here too."""
    monkeypatch.setattr(load_office, "ANSWERS_LOST", 0)


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path: Path) -> Iterator[Bureau]:
    bureau = Bureau(postgres_url, tmp_path)
    yield bureau
    bureau.engine.close()


@pytest.fixture
def bureau(store_url: str, tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(store_url, tmp_path)
    yield made
    made.engine.close()


def carried(bureau: Bureau) -> int:
    with bureau.engine.read() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))


@pytest.mark.postgres
def test_a_pump_killed_before_its_commit_has_handed_over_nothing(on_postgres) -> None:
    case = on_postgres.waiting()

    on_postgres.kill_at("pump.before_commit")

    assert (on_postgres.claimed(), carried(on_postgres)) == (0, 0)
    basket = Basket()
    assert on_postgres.engine.cluster.hand_over(basket) == 1
    on_postgres.engine.management.run_due()
    assert on_postgres.fired(case) == {"pause": 1}


@pytest.mark.postgres
def test_a_pump_killed_after_its_commit_has_left_the_batch_to_any_worker(on_postgres) -> None:
    on_postgres.waiting()

    on_postgres.kill_at("pump.after_commit")

    assert (on_postgres.claimed(), carried(on_postgres)) == (1, 1)
    assert on_postgres.engine.cluster.hand_over(Basket()) == 0


@pytest.mark.postgres
def test_batches_wiped_from_the_queue_are_handed_over_again(on_postgres) -> None:
    case = on_postgres.waiting()
    engine = on_postgres.engine
    install(engine.database)
    assert engine.cluster.hand_over(ProcrastinateCarrier()) == 1
    with engine.database.write() as tx:
        tx.execute(text("DELETE FROM procrastinate_jobs"))
    assert engine.cluster.hand_over(ProcrastinateCarrier()) == 0

    on_postgres.clock.advance(LOST)

    assert engine.cluster.hand_over(ProcrastinateCarrier()) == 1
    assert carried(on_postgres) == 1
    engine.management.run_due()
    assert on_postgres.fired(case) == {"pause": 1}


def test_a_worker_killed_before_the_commit_of_a_firing_has_changed_nothing(bureau) -> None:
    case = bureau.waiting()
    before = bureau.revision(case)

    bureau.kill_at("fire.before_commit")

    assert (bureau.revision(case), bureau.fired(case)) == (before, {})
    bureau.engine.management.run_due()
    assert (bureau.revision(case), bureau.fired(case)) == (before + 1, {"pause": 1})


def test_a_worker_killed_after_the_commit_of_a_firing_is_not_repeated(bureau) -> None:
    case = bureau.waiting()
    with bureau.engine.database.read() as tx:
        handed = tx.rows(timers.DUE, {"now": bureau.clock.now(), "limit": 10})

    bureau.kill_at("fire.after_commit")
    assert bureau.fired(case) == {"pause": 1}
    facts = bureau.engine.history.timeline(case, SYSTEM, limit=1000).rows
    bureau.engine.cluster.fire(handed)
    bureau.engine.cluster.fire(handed)

    assert bureau.engine.history.timeline(case, SYSTEM, limit=1000).rows == facts
    assert bureau.engine.history.verify() == []


def test_a_worker_killed_while_it_gives_a_job_up_leaves_it_to_the_next(bureau) -> None:
    case = bureau.opened(poison=True)
    clerk = bureau.engine.identity.actor("clerk0")
    bureau.engine.tasks.complete(bureau.engine.worklist.page(clerk).rows[0].id, clerk, {})
    for _ in range(ATTEMPTS - 1):
        bureau.engine.management.run_due()
        bureau.clock.advance(timedelta(hours=2))
    assert bureau.engine.management.incidents(SYSTEM) == ()

    bureau.kill_at("give_up.before_commit")

    assert bureau.engine.dead_letters.all() == ()
    bureau.clock.advance(timedelta(hours=2))
    bureau.engine.management.run_due()
    (incident,) = bureau.engine.management.incidents(SYSTEM)
    assert incident.instance_id == case
    bureau.engine.management.retry(incident.id, SYSTEM, {"poison": False})
    bureau.engine.management.run_due()
    assert len((bureau.folder / "gateway").read_text().splitlines()) == 1


def test_a_letter_whose_sender_is_killed_after_sending_goes_out_again_under_its_id(bureau) -> None:
    bureau.opened()
    clerk = bureau.engine.identity.actor("clerk0")
    bureau.engine.tasks.claim(bureau.engine.worklist.page(clerk).rows[0].id, clerk)
    # More than half of his time is over: a reminder goes out by mail.
    bureau.clock.advance(timedelta(hours=3))
    bureau.engine.management.run_due()

    bureau.kill_at("send.before_mark")

    postman = Postman()
    Dispatcher(bureau.engine, [postman]).deliver()
    first = (bureau.folder / "sent").read_text().split()
    assert first[0] not in postman.sent  # still leased to the dead
    bureau.clock.advance(LEASE)
    Dispatcher(bureau.engine, [postman]).deliver()
    assert Counter(postman.sent)[first[0]] == 1
    with bureau.engine.read() as session:
        states = session.scalars(select(DeliveryRow.status)).all()
    assert set(states) == {"sent"}
    assert len(states) == len(set(first) | set(postman.sent))


def test_a_full_disk_refuses_whole_and_the_next_attempt_succeeds(sqlite_url, tmp_path) -> None:
    bureau = Bureau(sqlite_url, tmp_path)
    case = bureau.waiting()
    before = bureau.revision(case)
    full = [True]

    @event.listens_for(bureau.engine.database.engine, "checkout")
    def limit(connection: Any, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages if full[0] else 10**6}")

    bureau.engine.database.dispose()
    clerk = bureau.engine.identity.actor("clerk0")
    with pytest.raises((sqlite3.OperationalError, DBAPIError), match="full"):
        for number in range(200):
            bureau.engine.runtime.start(
                "load_case", SYSTEM, variables={"number": "x" * 9000, "poison": False},
                region=load_office.VILLAGE, title=f"n{number}", business_key=f"n{number}",
            )  # fmt: skip
    opened = len(bureau.engine.worklist.page(clerk, limit=500).rows)
    bureau.clock.advance(timedelta(minutes=5))
    assert bureau.engine.management.health().problems

    full[0] = False
    bureau.engine.database.dispose()
    bureau.engine.management.run_due()

    assert (bureau.revision(case), bureau.fired(case)) == (before + 1, {"pause": 1})
    with bureau.engine.read() as session:
        cases = session.scalar(select(func.count()).select_from(tables.ProcessInstance))
    assert cases == opened + 1
    assert bureau.engine.history.verify() == []
    bureau.engine.close()


def test_a_key_whose_answer_was_lost_tells_what_became_of_it(bureau) -> None:
    bureau.opened()
    clerk, other = (bureau.engine.identity.actor(one) for one in ("clerk0", "clerk1"))
    task = bureau.engine.worklist.page(clerk).rows[0]
    first = bureau.engine.tasks.complete(task.id, clerk, {}, key="k")

    assert bureau.engine.tasks.complete(task.id, clerk, {}, key="k").task_id == first.task_id
    for who, key in ((clerk, "another"), (other, "k")):
        with pytest.raises(errors.Rejected):
            bureau.engine.tasks.complete(task.id, who, {}, key=key)
