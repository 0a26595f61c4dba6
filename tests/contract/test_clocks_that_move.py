"""Pauses and reminders survive the move of a case to another version; old databases are upgraded."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import inspect, text

from engine import SYSTEM, MoveOrder, PauseRule, TravellingClock
from engine.store import schema
from engine.store.database import Database

RULES = {"supplement": PauseRule(key="supplement", title="补正", limit="10wd")}


def two_versions(office):
    """A case on the first version, and the order that moves it to the second."""
    steps = (office.user_task("register", deadline="5wd"), office.user_task("decide"))
    model = replace(office.package("case", office.straight("case", *steps)), pauses=RULES)
    old = office.engine.repository.deploy(model, SYSTEM).id
    case = office.start()
    office.engine.tasks.claim(office.task("wang").id, office.actor("wang"))
    renamed = (office.user_task("register", deadline="5wd"), office.user_task("approve"))
    newer = replace(
        office.package("case", office.straight("case", *renamed)), pauses=RULES, version_tag="2"
    )
    new = office.engine.repository.deploy(newer, SYSTEM).id
    return case, MoveOrder(from_definition=old, to_definition=new, mapping={"decide": "approve"})


def move(office, order):
    batch = office.engine.moves.migrate(order, SYSTEM, reason="改版")
    office.engine.management.run_due()
    return batch


def test_reminders_survive_the_move(office):
    case, order = two_versions(office)
    office.travel(days=1)
    move(office, order)
    office.messages()

    office.travel(days=8)

    assert "instance.migrated" in office.kinds(case)
    told = office.messages()
    assert ("task_reminder", "wang") in told
    assert ("task_overdue", "wang") in told


def test_a_pause_survives_the_move_and_moves_the_due_date(office):
    case, order = two_versions(office)
    wang = office.actor("wang")
    task = office.task("wang")
    office.travel(days=1)
    office.engine.deadlines.pause(task.id, wang, reason="supplement", note="等")

    move(office, order)
    assert office.see(task.id).paused_at is not None
    office.travel(days=3)
    office.engine.deadlines.resume(task.id, wang)

    assert "instance.migrated" in office.kinds(case)
    assert office.see(task.id).due_at.isoformat()[:16] == "2026-01-16T16:00"


def test_the_limit_of_a_pause_holds_after_the_move(office):
    _, order = two_versions(office)
    task = office.task("wang")
    office.engine.deadlines.pause(task.id, office.actor("wang"), reason="supplement", note="等")
    move(office, order)

    office.travel(days=15)

    assert office.see(task.id).paused_at is None


def test_an_undone_move_leaves_the_pause(office):
    case, order = two_versions(office)
    task = office.task("wang")
    office.engine.deadlines.pause(task.id, office.actor("wang"), reason="supplement", note="等")
    batch = move(office, order)

    office.engine.moves.undo(batch, SYSTEM)
    office.engine.management.run_due()

    assert office.see(task.id).paused_at is not None
    office.travel(days=15)
    assert office.see(task.id).due_at.isoformat()[:16] == "2026-01-26T16:00"
    assert case


def test_a_database_of_before_gets_its_clocks_and_keeps_its_years(store_url, office):
    database = Database(store_url)
    clock = TravellingClock(office.clock.now())
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX IF EXISTS ix_human_task_watch"))
        for name in ("start_by", "warn_at", "paused_at", "calendar_version"):
            connection.execute(text(f"ALTER TABLE human_task DROP COLUMN {name}"))
        for name in ("calendar_moved_due", "calendar_entry", "deadline_pause", "case_clock"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(
            text(
                'CREATE TABLE calendar_year (year INTEGER PRIMARY KEY, "table" TEXT,'
                " imported_at TIMESTAMP WITH TIME ZONE, imported_by VARCHAR(36))"
                if connection.dialect.name == "postgresql"
                else 'CREATE TABLE calendar_year (year INTEGER PRIMARY KEY, "table" TEXT,'
                " imported_at VARCHAR(32), imported_by VARCHAR(36))"
            )
        )
        connection.execute(
            text(
                "INSERT INTO calendar_year VALUES (2027, :days,"
                " '2026-11-20 01:00:00+00:00', 'admin')"
            ),
            {
                "days": '{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-05",'
                ' "isOffDay": true}]}'
            },
        )
        connection.execute(text("DELETE FROM schema_version WHERE number = 4"))

    assert schema.upgrade(database.engine, clock) == ["0004_pre_deadlines"]

    seen = {column["name"] for column in inspect(database.engine).get_columns("human_task")}
    assert {"start_by", "warn_at", "paused_at", "calendar_version"} <= seen
    office.engine.calendars.apply()
    (version,) = office.engine.calendars.versions()
    assert (version.number, version.about, version.imported_by) == (1, "2027", "admin")
    assert 2027 not in office.engine.calendar_for(office.county).provisional_years
    database.dispose()
