"""Two-phase migrations: what is refused, what is served, who waits, what a failure leaves."""

from __future__ import annotations

import sys
import threading
from datetime import date
from types import ModuleType

import pytest
from sqlalchemy import inspect, text

from engine import TravellingClock, errors
from engine.model.clock import local_midnight
from engine.store import schema
from engine.store.database import Database
from engine.store.schema_change import add_index


@pytest.fixture
def clock():
    return TravellingClock(local_midnight(date(2026, 1, 5)))


@pytest.fixture
def database(store_url, clock):
    database = Database(store_url)
    schema.create_schema(database.engine, clock)
    yield database
    database.dispose()


@pytest.fixture
def ship(monkeypatch):
    """Let the release under test have these migrations, too."""
    shipped = schema.migration_names()

    def add(name, run, **attributes):
        module = ModuleType(f"{schema.migrations.__name__}.{name}")
        module.run = run
        for key, value in attributes.items():
            setattr(module, key, value)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        shipped.append(name)
        shipped.sort()
        monkeypatch.setattr(schema, "migration_names", lambda: list(shipped))

    return add


def adds(column):
    return lambda connection: connection.execute(
        text(f"ALTER TABLE participant ADD COLUMN {column} VARCHAR(10)")
    )


def drops(column):
    return lambda connection: connection.execute(
        text(f"ALTER TABLE participant DROP COLUMN {column}")
    )


def columns(database):
    return {column["name"] for column in inspect(database.engine).get_columns("participant")}


def applied(database):
    return [step.name for step in schema.status(database.engine).steps if step.applied_at]


def test_pre_adds_while_old_code_runs_and_the_rest_comes_after_it(database, clock, ship):
    ship("0090_pre_colour", adds("colour"))
    ship("0091_post_phone", drops("phone"))

    with pytest.raises(schema.SchemaBehind, match="0090_pre_colour"):
        schema.create_schema(database.engine, clock)
    assert schema.upgrade(database.engine, clock, pre_only=True) == ["0090_pre_colour"]
    schema.create_schema(database.engine, clock)
    assert {"colour", "phone"} <= columns(database)
    assert schema.upgrade(database.engine, clock, pre_only=True) == []

    assert schema.upgrade(database.engine, clock) == ["0091_post_phone"]
    assert "phone" not in columns(database)


@pytest.mark.parametrize(
    ("name", "served"), [("0099_pre_colour", True), ("0099_post_colour", False)]
)
def test_a_newer_database_is_served_unless_it_was_cleared_up(database, clock, name, served):
    with database.engine.begin() as connection:
        schema.note(connection, name, clock)

    if served:
        schema.create_schema(database.engine, clock)
        assert schema.upgrade(database.engine, clock) == []
    else:
        with pytest.raises(schema.SchemaAhead, match=name):
            schema.create_schema(database.engine, clock)
        with pytest.raises(schema.SchemaAhead):
            schema.upgrade(database.engine, clock)
        with pytest.raises(schema.SchemaAhead):
            schema.upgrade(database.engine, clock, pre_only=True)


def test_additions_do_not_overtake_clearing_up_that_is_still_due(database, clock, ship):
    ship("0090_post_phone", drops("phone"))
    ship("0091_pre_colour", adds("colour"))

    with pytest.raises(errors.InvalidState, match="0090_post_phone"):
        schema.upgrade(database.engine, clock, pre_only=True)
    assert "colour" not in columns(database)

    assert schema.upgrade(database.engine, clock) == ["0090_post_phone", "0091_pre_colour"]


def test_a_migration_that_fails_leaves_the_database_as_it_was(database, clock, ship):
    def fails(connection):
        adds("half")(connection)
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("power cut")

    ship("0090_pre_colour", adds("colour"))
    ship("0091_pre_half", fails)
    before = applied(database)

    with pytest.raises(RuntimeError):
        schema.upgrade(database.engine, clock)

    assert applied(database) == [*before, "0090_pre_colour"]
    assert "half" not in columns(database)
    assert not inspect(database.engine).has_table("half")
    assert schema.pending(database.engine) == ["0091_pre_half"]


def test_two_upgrades_at_once_run_each_migration_once(database, store_url, clock, ship):
    ran = []
    entered = threading.Event()

    def slowly(connection):
        entered.set()
        ran.append(threading.get_ident())
        adds("colour")(connection)
        threading.Event().wait(0.3)

    ship("0090_pre_colour", slowly)
    answers = []

    def upgrade():
        own = Database(store_url)
        answers.append(schema.upgrade(own.engine, clock))
        own.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ran) == 1
    assert sorted(answers) == [[], [], ["0090_pre_colour"]]
    assert entered.is_set()


def test_new_databases_made_by_many_at_once_are_made_once(store_url, clock):
    faults = []

    def make():
        own = Database(store_url)
        try:
            schema.create_schema(own.engine, clock)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            faults.append(error)
        own.dispose()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    database = Database(store_url)
    assert schema.pending(database.engine) == []
    database.dispose()


def test_a_change_does_not_wait_for_ever_behind_a_long_transaction(
    database, clock, ship, monkeypatch
):
    """Everybody else would queue up behind the change that waits."""
    if database.is_sqlite:
        pytest.skip("SQLite's one writer waits by its busy timeout")
    monkeypatch.setattr(schema, "PATIENCE", "200ms")
    ship("0090_pre_colour", adds("colour"))

    with database.engine.begin() as report:
        report.execute(text("SELECT * FROM participant"))
        with pytest.raises(schema.SchemaBusy):
            schema.upgrade(database.engine, clock)

    assert schema.upgrade(database.engine, clock) == ["0090_pre_colour"]
    with database.engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "0"


def test_every_shipped_migration_may_be_run_again(database, clock):
    """A restore of an older backup runs them on tables that were made complete."""
    before = applied(database)
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM schema_version WHERE number > 1"))

    assert schema.upgrade(database.engine, clock) == before[1:]


def test_names_say_number_and_phase():
    names = schema.migration_names()

    assert names
    assert len({name[:4] for name in names}) == len(names)


def test_an_index_cut_off_half_built_is_built_again(database, clock, ship):
    """A concurrent build on PostgreSQL leaves an invalid index behind when it is killed."""
    if database.is_sqlite:
        pytest.skip("SQLite builds in a transaction")

    def build(connection):
        add_index(connection, "ix_test_login", "participant", "login")

    ship("0090_pre_index", build, OUTSIDE_TRANSACTION=True)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_test_login ON participant (login)"))
        connection.execute(
            text(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_test_login'::regclass"
            )
        )

    assert schema.upgrade(database.engine, clock) == ["0090_pre_index"]

    with database.engine.connect() as connection:
        valid = connection.scalar(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_test_login'::regclass")
        )
    assert valid is True
