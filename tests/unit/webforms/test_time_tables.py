"""When duties come round: cron in Asia/Shanghai, weekdays by name; who stands in for a worker."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from engine import TravellingClock
from webforms.heartbeat import BATCH, INTERVAL, STANDS_IN_AFTER, Heartbeat, WrongSchedule, cron


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 8 * * *", "2026-01-05T07:59+08:00", "2026-01-05T08:00+08:00"),
        ("0 8 * * *", "2026-01-05T08:00+08:00", "2026-01-06T08:00+08:00"),
        ("0 8 * * mon-fri", "2026-11-20T08:00+08:00", "2026-11-23T08:00+08:00"),
        ("30 23 31 12 *", "2026-01-05T08:00+00:00", "2026-12-31T23:30+08:00"),
        ("* * * * *", "2026-01-05T08:00:59.999999+08:00", "2026-01-05T08:01+08:00"),
    ],
)
def test_it_occurs_by_the_clock_of_shanghai(text, after, expected):
    found = cron(text)(datetime.fromisoformat(after))

    assert found == datetime.fromisoformat(expected)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0 8 * * 1-5", "mon-fri"),
        ("0 8 * * 0", "mon-fri"),
        ("0 8 * *", "五段"),
        ("0 8 * * * *", "五段"),
        ("61 8 * * *", "61 8"),
        ("every morning at eight o'clock", "every"),
    ],
)
def test_a_time_table_that_would_mean_something_else_is_refused(text, word):
    with pytest.raises(WrongSchedule, match=word):
        cron(text)


class Engine:
    """Counts beats; has as many workers as told."""

    def __init__(self):
        self.clock = TravellingClock(datetime(2026, 1, 5, 1, tzinfo=UTC))
        self.beats = 0
        self.workers = ()
        self.cluster = SimpleNamespace(
            members=lambda kind: self.workers, run_due_duties=lambda: None
        )
        self.management = SimpleNamespace(run_due=self.run_due)

    def run_due(self, limit):
        self.beats += 1
        return 0


def test_a_web_process_stands_in_once_no_worker_was_seen_for_a_minute():
    engine = Engine()
    heart = Heartbeat(engine, stands_in=True)

    heart.beat()
    assert engine.beats == 0
    engine.clock.advance(STANDS_IN_AFTER)
    heart.beat()
    assert engine.beats == 1
    engine.workers = ("one",)
    heart.beat()
    engine.workers = ()
    engine.clock.advance(STANDS_IN_AFTER - timedelta(seconds=1))
    heart.beat()
    assert engine.beats == 1
    engine.clock.advance(timedelta(seconds=1))
    heart.beat()
    assert engine.beats == 2


def test_a_web_process_that_cannot_see_does_nothing():
    engine = Engine()
    heart = Heartbeat(engine, stands_in=True)
    engine.clock.advance(STANDS_IN_AFTER)

    def away(kind):
        raise ConnectionError

    engine.cluster.members = away
    heart.beat()

    assert engine.beats == 0


def test_the_only_process_always_beats():
    engine = Engine()
    Heartbeat(engine).beat()

    assert engine.beats == 1


@pytest.fixture
def engine():
    engine = Engine()
    engine.management.next_due = lambda: None
    return engine


def test_the_heart_wakes_when_the_next_timer_is_due_and_once_a_second_at_least(engine):
    heart = Heartbeat(engine)

    assert heart.round() == INTERVAL
    engine.management.next_due = lambda: engine.clock.now() + timedelta(milliseconds=250)
    assert heart.round() == 0.25
    engine.management.next_due = lambda: engine.clock.now() + timedelta(days=3)
    assert heart.round() == INTERVAL


def test_it_goes_on_at_once_while_there_may_be_more_and_does_not_spin(engine):
    heart = Heartbeat(engine)

    engine.management.run_due = lambda limit: limit
    assert heart.round() < 0.01
    engine.management.run_due = lambda limit: 0
    engine.management.next_due = lambda: engine.clock.now() - timedelta(seconds=3)
    assert 0.01 < heart.round() < INTERVAL


def test_a_database_that_is_away_ends_no_heart(engine):
    def away(limit):
        raise ConnectionError

    engine.management.run_due = away

    assert Heartbeat(engine).round() == INTERVAL


def test_more_timers_and_jobs_than_a_batch_are_all_run_by_one_beat(engine):
    left = [2 * BATCH, BATCH + 1, 3]
    engine.management.run_due = lambda limit: left.pop(0)

    Heartbeat(engine).beat()

    assert left == []


def test_a_mail_server_that_does_not_answer_delays_no_timer(engine):
    hangs, goes_on, fired = threading.Event(), threading.Event(), threading.Event()

    def letters():
        hangs.set()
        goes_on.wait(10)

    def run_due(limit):
        if hangs.is_set():
            fired.set()
        return 0

    engine.management.run_due = run_due
    engine.management.next_due = engine.clock.now
    heart = Heartbeat(engine, also=(letters,))
    heart.start()
    try:
        assert fired.wait(5)
        assert not goes_on.is_set()
    finally:
        goes_on.set()
        heart.stop()


def test_a_flood_of_timers_delays_no_letter(engine):
    told = threading.Event()
    engine.management.run_due = lambda limit: limit
    heart = Heartbeat(engine, also=(told.set,))
    heart.start()
    try:
        assert told.wait(5)
    finally:
        heart.stop()
