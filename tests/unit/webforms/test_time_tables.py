"""When duties come round: cron in Asia/Shanghai, weekdays by name; who stands in for a worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from engine import TravellingClock
from webforms.heartbeat import STANDS_IN_AFTER, Heartbeat, WrongSchedule, cron


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
