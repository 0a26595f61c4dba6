"""The schema: made once, migrated by number, each migration once."""

from __future__ import annotations

import sys
from datetime import date
from types import ModuleType

import pytest
from sqlalchemy import inspect, text

from engine import TravellingClock, tables
from engine.model.clock import local_midnight
from engine.store import schema
from engine.store.database import Database


@pytest.fixture
def database(store_url):
    database = Database(store_url)
    yield database
    database.dispose()


@pytest.fixture
def clock():
    return TravellingClock(local_midnight(date(2026, 1, 5)))


def test_every_table_is_there_and_no_migration_is_left(database, clock):
    schema.create_schema(database.engine, clock)

    made = set(inspect(database.engine).get_table_names())
    assert {getattr(tables, name).__tablename__ for name in tables.__all__} <= made
    assert schema.pending(database.engine) == []


def test_making_it_twice_changes_nothing(database, clock):
    schema.create_schema(database.engine, clock)
    schema.create_schema(database.engine, clock)

    assert schema.upgrade(database.engine, clock) == []


def test_a_new_migration_runs_once(database, clock, monkeypatch):
    schema.create_schema(database.engine, clock)
    name = "0099_pre_colour"
    module = ModuleType(f"{schema.migrations.__name__}.{name}")
    module.run = lambda connection: connection.execute(
        text("ALTER TABLE participant ADD COLUMN colour VARCHAR(10)")
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = schema.migration_names()
    monkeypatch.setattr(schema, "migration_names", lambda: [*known, name])

    assert schema.pending(database.engine) == [name]
    assert schema.upgrade(database.engine, clock) == [name]
    assert schema.upgrade(database.engine, clock) == []
    columns = {column["name"] for column in inspect(database.engine).get_columns("participant")}
    assert "colour" in columns
