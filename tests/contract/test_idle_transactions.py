"""Sessions that forget to end their transaction: asked for, and not in our own way."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine import SystemClock
from engine.store import backup

NAME = "idle_in_transaction_session_timeout"


def set_to(office, value):
    with office.engine.database.engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET {NAME} = '{value}'"))
    office.engine.database.dispose()


def told(office):
    return [one for one in office.engine.upkeep.faults(SystemClock()) if NAME in one.message]


@pytest.fixture
def office(open_office, postgres_url):
    """An office on PostgreSQL: SQLite has no such sessions."""
    return open_office(postgres_url)


@pytest.mark.postgres
def test_the_doctor_asks_for_an_end_of_idle_transactions(office):
    set_to(office, "0")
    (reminder,) = told(office)
    assert reminder.is_reminder
    assert "60s" in reminder.message

    set_to(office, "60s")
    assert told(office) == []


@pytest.mark.postgres
def test_a_backup_may_wait_for_its_disk(office):
    set_to(office, "60s")

    with backup.snapshot(office.engine.database) as source:
        assert source.connection.scalar(text(f"SHOW {NAME}")) == "0"
    with office.engine.database.read() as tx:
        assert tx.execute(text(f"SHOW {NAME}")).scalar() == "1min"


def test_sqlite_has_none_to_ask_for(open_office, sqlite_url):
    assert told(open_office(sqlite_url)) == []
