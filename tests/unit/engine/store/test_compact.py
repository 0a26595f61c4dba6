"""Ids and instants as bytes: they come back as they were and sort as they did."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.base import FAR_FUTURE
from engine.store.compact import packed_id, packed_instant, plain_id, plain_instant
from engine.store.human_tasks import HumanTask

_task = HumanTask.__table__
UUIDS = st.uuids().map(str)
INSTANTS = st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 12, 30))


@given(UUIDS)
def test_a_uuid_takes_sixteen_bytes_and_comes_back(text):
    kept = packed_id(text)

    assert isinstance(kept, bytes)
    assert len(kept) == 16
    assert plain_id(kept) == text


@given(UUIDS, UUIDS)
def test_packed_ids_sort_as_their_texts(one, other):
    assert (packed_id(one) < packed_id(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "", "wang", "349898101201", "01A20355-4914-7E4F-9C4B-82FC9F90CEB9",
        "{01a20355-4914-7e4f-9c4b-82fc9f90ceb9}", "01a2035549147e4f9c4b82fc9f90ceb9",
        " 1a20355-4914-7e4f-9c4b-82fc9f90ceb9", "01a20355-4914-7e4f-9c4b-82fc9f90ceb9\n",
    ],
)  # fmt: skip
def test_what_would_not_come_back_the_same_stays_as_it_is(text):
    assert packed_id(text) == text
    assert plain_id(packed_id(text)) == text


@given(INSTANTS)
def test_an_instant_takes_eight_bytes_and_comes_back(instant):
    kept = packed_instant(instant)

    assert len(kept) == 8
    assert plain_instant(kept) == instant
    assert plain_instant(kept).utcoffset() == timedelta(0)


@given(INSTANTS, INSTANTS)
def test_packed_instants_sort_as_they_happened(one, other):
    assert (packed_instant(one) < packed_instant(other)) == (one < other)


def test_the_far_future_sorts_behind_everything():
    assert packed_instant(FAR_FUTURE) > packed_instant(datetime(9998, 1, 1, tzinfo=UTC))


def test_the_same_instant_is_the_same_bytes_in_every_zone():
    there = datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=8)))

    assert packed_instant(there) == packed_instant(datetime(2026, 1, 5, 1, tzinfo=UTC))


def test_it_refuses_a_time_without_zone():
    with pytest.raises(ValueError, match="without zone"):
        packed_instant(datetime(2026, 1, 5))  # the very thing that is refused


def test_it_reads_what_an_older_release_wrote():
    assert plain_instant("2026-01-05T01:00:00.000000+00:00") == datetime(2026, 1, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        (sqlite.dialect(), "x'01a2035549147e4f9c4b82fc9f90ceb9'"),
        (postgresql.dialect(), "'01a20355-4914-7e4f-9c4b-82fc9f90ceb9'"),
    ],
)
def test_a_plan_shows_the_value_as_the_database_keeps_it(dialect, written):
    query = select(_task.c.name).where(_task.c.id == "01a20355-4914-7e4f-9c4b-82fc9f90ceb9")

    text = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    assert text.endswith(f"human_task.id = {written}")


def test_ids_that_python_makes_are_of_this_form():
    assert isinstance(packed_id(str(uuid.UUID(int=0))), bytes)
