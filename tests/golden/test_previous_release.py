"""Two releases on one database: the old one's statements on the new schema, its cases to the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import inspect, text

from engine import SYSTEM, ProcessEngine, TravellingClock, errors
from engine.store import schema
from engine.store.database import Database
from tests.golden import release
from webforms import app  # noqa: F401  # an installation has the tables of every area


@pytest.fixture
def clock():
    return TravellingClock(release.clock())


@pytest.fixture
def database(store_url):
    """The database that the previous release left, with an office at work."""
    database = Database(store_url)
    release.leave(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def engine_of(store_url, clock, tmp_path):
    engines = []

    def make():
        engines.append(ProcessEngine(store_url, clock=clock, files=tmp_path / "files"))
        return engines[-1]

    yield make
    for one in engines:
        one.close()


def finish(engine, clock):
    """Do whatever is to be done until nothing moves."""
    li, wang = engine.identity.actor("li"), engine.identity.actor("wang")
    for _ in range(20):
        done = 0
        for who, data in ((wang, {"note": "新"}), (li, {})):
            for row in engine.worklist.page(who, limit=100).rows:
                task = engine.worklist.task(row.id, who)
                outcome = "agree" if row.activity_id == "approve" else None
                try:
                    engine.tasks.complete(row.id, who, data, outcome=outcome, version=task.version)
                except (errors.SeparationOfDuties, errors.InvalidState):
                    continue
                done += 1
        clock.set(clock.now() + timedelta(days=3))
        while engine.management.run_due():
            done += 1
        if not done:
            return


def test_new_code_refuses_an_old_database_in_words(database, clock, engine_of):
    said = "停机.*nuanliu upgrade（" if database.is_sqlite else "nuanliu upgrade --pre"
    with pytest.raises(schema.SchemaBehind, match=said):
        engine_of().create_schema()


def test_every_statement_of_the_old_code_runs_on_the_new_schema(database, clock):
    """Zero downtime: old processes go on between `upgrade --pre` and their end."""
    ran = schema.upgrade(database.engine, clock, pre_only=True)

    scenes = set()
    for scene, statement, then, now in release.replay(database.engine):
        scenes.add(scene)
        if then is not None:
            assert now == then, (scene, statement)
    assert ran
    assert len(scenes) == 7


def test_what_old_code_wrote_after_the_pre_upgrade_is_read_by_new_code(database, clock, engine_of):
    schema.upgrade(database.engine, clock, pre_only=True)
    assert list(release.replay(database.engine))
    clock.set(clock.now() + timedelta(days=3))
    engine = engine_of()
    if database.is_sqlite:
        # One process works on such a database: the old one ends before the new one begins.
        with pytest.raises(schema.SchemaBehind, match="停机"):
            engine.create_schema()
    else:
        engine.create_schema()
    schema.upgrade(database.engine, clock)

    finish(engine, clock)

    assert engine.history.verify() == []
    states = _states(database)
    # One was suspended and one waits for an answer that does not come.
    assert states == {"completed": 5, "active": 1, "suspended": 1, "terminated": 1}, states


def test_the_cases_of_the_previous_release_go_on_to_their_end(database, clock, engine_of):
    engine = engine_of()
    before = _states(database)
    engine.upgrade()

    engine.runtime.correlate("reply", "L1", {"answer": "是"}, SYSTEM)
    engine.runtime.correlate("reply", "L2", {"answer": "否"}, SYSTEM)
    (suspended,) = [
        one.id for one in engine.runtime.instances(SYSTEM).rows if one.status == "suspended"
    ]
    engine.runtime.resume(suspended, SYSTEM, "核实完毕")
    finish(engine, clock)

    assert before == {"active": 5, "suspended": 1}
    assert _states(database) == {"completed": 6}
    assert engine.history.verify() == []
    assert not engine.management.incidents(SYSTEM)


def test_pre_upgrade_only_adds(database, clock):
    """Nothing the old code names is gone, and nothing new has to be named by it."""
    before = release.columns(database.engine)
    schema.upgrade(database.engine, clock, pre_only=True)
    after = release.columns(database.engine)

    for table, columns in before.items():
        assert set(columns) <= set(after[table]), table
        for name in set(after[table]) - set(columns):
            added = after[table][name]
            assert added["nullable"] or added["default"] is not None, (table, name)


def test_an_upgraded_database_is_what_a_new_one_is(database, clock, request):
    schema.upgrade(database.engine, clock)
    kind = "sqlite" if database.is_sqlite else "postgresql"
    url = (
        "sqlite://"
        if kind == "sqlite"
        else request.getfixturevalue("postgres_server").create("fresh_schema")
    )
    fresh = Database(url)
    schema.create_schema(fresh.engine, clock)
    try:
        # Tables that both have: other tests of the run may have declared more.
        for table in inspect(fresh.engine).get_table_names():
            assert _shape(database, table) == _shape(fresh, table), table
    finally:
        fresh.dispose()
        if kind == "postgresql":
            request.getfixturevalue("postgres_server").drop("fresh_schema")


def _shape(database, table):
    seen = inspect(database.engine)
    columns = {
        column["name"]: (str(column["type"]), column["nullable"])
        for column in seen.get_columns(table)
    }
    indexes = {
        one["name"]: (tuple(one["column_names"]), bool(one["unique"]))
        for one in seen.get_indexes(table)
    }
    return columns, indexes


def _states(database):
    with database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT status, count(*) FROM process_instance GROUP BY status")
        )
        return {row[0]: row[1] for row in rows}
