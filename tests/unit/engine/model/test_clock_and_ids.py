from __future__ import annotations

import os
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.clock import (
    LOCAL_ZONE,
    TravellingClock,
    end_of_day,
    local_date,
    local_midnight,
    to_local,
)
from engine.model.ids import CountingIds, uuid7, uuid7_ms
from engine.store.clock import SystemClock
from engine.store.ids import SystemIds

NEW_YEAR = datetime(2026, 1, 1, tzinfo=LOCAL_ZONE)


def test_a_travelling_clock_stands_still_until_it_is_moved():
    clock = TravellingClock(NEW_YEAR)
    assert clock.now() == clock.now() == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.advance(timedelta(hours=1)) == clock.now() == NEW_YEAR + timedelta(hours=1)
    clock.set(NEW_YEAR)
    assert clock.now() == NEW_YEAR


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="without zone"):
        TravellingClock(datetime(2026, 1, 1))


def test_days_begin_and_end_in_shanghai():
    late = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    assert local_date(late) == date(2026, 1, 1)
    assert to_local(late).hour == 0
    assert local_midnight(date(2026, 1, 1)) == NEW_YEAR
    assert end_of_day(date(2025, 12, 31)) == NEW_YEAR


def test_the_system_clock_answers_utc():
    assert SystemClock().now().tzinfo is UTC


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_an_id_is_a_version_7_uuid_that_tells_its_time(at_ms, random_bytes):
    made = uuid7(at_ms, random_bytes)
    parsed = uuid.UUID(made)
    assert str(parsed) == made
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert uuid7_ms(made) == at_ms


def test_it_refuses_times_and_bytes_that_do_not_fit():
    with pytest.raises(ValueError, match="48 bits"):
        uuid7(2**48, b"0" * 10)
    with pytest.raises(ValueError, match="ten random bytes"):
        uuid7(0, b"0" * 9)


def test_counted_ids_are_the_same_in_every_run_and_rise():
    ids = CountingIds()
    made = [ids.new() for _ in range(300)]
    again = CountingIds()
    assert made == [again.new() for _ in range(300)]
    assert made == sorted(set(made))
    assert made[0] == "00000000-0000-7000-8000-000000000001"


def test_system_ids_rise_within_one_instant_and_when_the_clock_falls_back():
    clock = TravellingClock(NEW_YEAR)
    ids = SystemIds(clock)
    made = [ids.new() for _ in range(2000)]
    clock.advance(-timedelta(hours=1))
    made += [ids.new() for _ in range(2000)]
    clock.advance(timedelta(hours=2))
    made.append(ids.new())
    assert made == sorted(set(made))
    assert uuid7_ms(made[0]) == int(NEW_YEAR.timestamp() * 1000)
    assert uuid7_ms(made[-1]) == int(clock.now().timestamp() * 1000)


def test_a_process_that_was_forked_makes_other_ids_than_the_one_it_came_from():
    clock = TravellingClock(NEW_YEAR)
    ids = SystemIds(clock)
    ids.new()
    clock.advance(timedelta(milliseconds=1))
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(into, ids.new().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(out, 36).decode()
    os.close(out)
    os.close(into)

    assert ids.new() != of_child
