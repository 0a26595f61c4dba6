"""A receiver that does not answer is left alone, tried by one, and served again once it answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine import Breaker, TravellingClock
from engine.execution.breaker import FIRST_PAUSE, LONGEST_PAUSE, PROBE, THRESHOLD

BANK = "bank"


@pytest.fixture
def clock() -> TravellingClock:
    return TravellingClock(datetime(2026, 1, 5, 1, tzinfo=UTC))


@pytest.fixture
def broken(clock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(THRESHOLD):
        assert breaker.rests_until(BANK, clock.now()) is None
        breaker.failed(BANK, clock.now())
    return breaker


def test_a_failure_now_and_then_opens_nothing(clock):
    breaker = Breaker()
    for _ in range(10):
        for _ in range(THRESHOLD - 1):
            breaker.failed(BANK, clock.now())
        breaker.answered(BANK)

    assert breaker.rests_until(BANK, clock.now()) is None


def test_failures_in_a_row_open_it_for_a_pause(broken, clock):
    assert broken.rests_until(BANK, clock.now()) == clock.now() + FIRST_PAUSE
    assert broken.resting(clock.now()) == {BANK: clock.now() + FIRST_PAUSE}
    assert broken.rests_until("another", clock.now()) is None


def test_after_the_pause_one_may_try_and_the_others_wait_for_him(broken, clock):
    clock.advance(FIRST_PAUSE)

    assert broken.rests_until(BANK, clock.now()) is None
    assert broken.rests_until(BANK, clock.now()) == clock.now() + PROBE


def test_an_attempt_that_never_came_back_lets_another_try(broken, clock):
    clock.advance(FIRST_PAUSE)
    assert broken.rests_until(BANK, clock.now()) is None
    clock.advance(PROBE)

    assert broken.rests_until(BANK, clock.now()) is None


def test_an_attempt_that_was_not_made_leaves_the_turn_to_the_next(broken, clock):
    clock.advance(FIRST_PAUSE)
    assert broken.rests_until(BANK, clock.now()) is None
    broken.left(BANK)

    assert broken.rests_until(BANK, clock.now()) is None


def test_every_failed_attempt_doubles_the_pause_up_to_the_longest(broken, clock):
    pauses = []
    for _ in range(8):
        until = broken.rests_until(BANK, clock.now())
        pauses.append(until - clock.now())
        clock.set(until)
        assert broken.rests_until(BANK, clock.now()) is None
        broken.failed(BANK, clock.now())

    assert pauses[:4] == [FIRST_PAUSE * 2**n for n in range(4)]
    assert pauses[-1] == LONGEST_PAUSE


def test_an_answer_closes_it_and_begins_anew(broken, clock):
    clock.advance(FIRST_PAUSE)
    broken.rests_until(BANK, clock.now())
    broken.answered(BANK)
    broken.failed(BANK, clock.now())

    assert broken.rests_until(BANK, clock.now()) is None


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(days=-1), timedelta(days=365)])
def test_a_clock_that_jumps_never_makes_the_pause_longer(broken, clock, jump):
    clock.advance(jump)

    assert broken.rests_until(BANK, clock.now()) is None
