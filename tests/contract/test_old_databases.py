"""What a database of an earlier release lacks is there after the upgrade, and in its backup."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import inspect, text

from engine import ProcessEngine, TravellingClock
from engine.store import archive, schema
from engine.store.database import Database
from tests.contract.test_backup import sign
from tests.golden import release
from webforms import app  # noqa: F401  # an installation has the tables of every area

#: made by no numbered migration: they came with whoever started first
UNNUMBERED = ("taken_step", "api_token", "api_request")


@pytest.fixture
def old(store_url):
    """The database as the previous release left it."""
    database = Database(store_url)
    release.leave(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def clock():
    return TravellingClock(release.clock())


def tables(database):
    return set(inspect(database.engine).get_table_names())


@pytest.mark.parametrize("pre_only", [True, False])
def test_the_upgrade_makes_every_table_of_this_release(old, clock, pre_only):
    assert not tables(old) & set(UNNUMBERED)

    schema.upgrade(old.engine, clock, pre_only=pre_only)

    assert set(UNNUMBERED) <= tables(old)
    if not (old.is_sqlite and pre_only):
        schema.create_schema(old.engine, clock)


def test_an_upgraded_database_goes_through_a_backup_with_them(old, clock, store_url, tmp_path):
    schema.upgrade(old.engine, clock)
    engine = ProcessEngine(store_url, clock=clock, files=tmp_path / "files")
    with engine.database.write() as tx:
        tx.execute(
            text(
                "INSERT INTO taken_step (task_id, instance_id, definition_id, sequence, at, refused,"
                " state_before, state_after, kept) SELECT 'task', id, definition_id, 1,"
                " :at, '', state, state, state FROM process_instance ORDER BY id LIMIT 1"
            ),
            {"at": "2026-01-05 01:00:00+00:00"},
        )
    engine.upkeep.backup(tmp_path / "backup.tar", sign=sign)
    engine.close()

    other = ProcessEngine(
        f"sqlite:///{tmp_path / 'other.db'}", clock=clock, files=tmp_path / "other"
    )
    other.upkeep.restore(tmp_path / "backup.tar", sign=sign)

    assert set(UNNUMBERED) <= {table.name for table in archive.tables()}
    assert set(UNNUMBERED) <= tables(other.database)
    with other.database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM taken_step")) == 1
    other.close()


def test_the_schema_knows_its_tables_whoever_imports_it(tmp_path):
    """A program that only upgrades must not depend on which other modules it happened to load."""
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                from datetime import UTC, datetime
                from sqlalchemy import inspect, text
                from engine.model.clock import TravellingClock
                from engine.store import archive, schema
                from engine.store.database import Database

                database = Database({url!r})
                clock = TravellingClock(datetime(2026, 1, 5, 1, tzinfo=UTC))
                schema.create_schema(database.engine, clock)
                with database.engine.begin() as connection:
                    connection.execute(text("DROP TABLE calendar_moved_due"))
                    connection.execute(text("DROP TABLE calendar_entry"))
                    connection.execute(text(
                        'CREATE TABLE calendar_year (year INTEGER PRIMARY KEY, "table" TEXT,'
                        " imported_at VARCHAR(32), imported_by VARCHAR(36))"
                    ))
                    connection.execute(
                        text("INSERT INTO calendar_year VALUES (2027, :table, :at, 'admin')"),
                        {{"table": '{{"year": 2027, "days": []}}',
                          "at": "2026-11-20 01:00:00+00:00"}},
                    )
                    connection.execute(text("DELETE FROM schema_version WHERE number IN (4, 9)"))
                print(*schema.upgrade(database.engine, clock))
                with database.engine.connect() as connection:
                    print(connection.scalar(text("SELECT about FROM calendar_entry")))
                """
            ),
        ],
        check=False,
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["0004_pre_deadlines", "0009_pre_recount", "2027"]
