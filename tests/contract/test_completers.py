"""Who did a step: each person once, however often it was done; told to whoever asks at once."""

from __future__ import annotations

import psycopg
from sqlalchemy import text

from engine.store import human_tasks

PEOPLE = ("wang", "li", "zhao", "qian")


def lay(office, case, number, *, activity="register", counts_as=None):
    """Finished tasks of a case, done by four people in turn."""
    with office.engine.database.write() as tx:
        known = tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": case})[0]._asdict()
        done = {
            **known, "is_open": 0, "status": "Completed", "activity_id": activity,
            "completed_at": office.engine.clock.now(), "counts_as": counts_as,
        }  # fmt: skip
        tx.write_all(
            human_tasks.INSERT,
            [
                {**done, "id": f"{case[-6:]}{turn:030}", "completed_by": PEOPLE[turn % 4]}
                for turn in range(number)
            ],
        )


def asked(office, statement, case, activity, **more):
    values = {"instance_id": case, "activity_id": activity, **more}
    with office.engine.database.read() as tx:
        return [row.completed_by for row in tx.rows(statement, values)]


def steps(office, statement, values):
    """What the database did to answer: virtual machine steps of SQLite, buffers of PostgreSQL."""
    with office.engine.database.read() as tx:
        prepared = statement.prepared(tx.dialect)
        if office.engine.database.is_sqlite:
            ticks = []
            driver = tx.driver_connection
            driver.set_progress_handler(lambda: ticks.append(1), 10)
            driver.execute(prepared.sql, prepared.bind(values)).fetchall()
            driver.set_progress_handler(None, 0)
            return len(ticks)
        cursor = psycopg.RawCursor(tx.driver_connection)
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {prepared.sql}", prepared.bind(values)
        )
        plan = cursor.fetchone()[0][0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def test_each_person_is_named_once_the_last_one_first(office):
    office.deploy(office.user_task("register"), office.user_task("check"))
    case = office.start()
    lay(office, case, 39)

    assert sorted(asked(office, human_tasks.COMPLETERS, case, "register")) == sorted(PEOPLE)
    assert asked(office, human_tasks.COMPLETERS, case, "check") == []
    assert asked(office, human_tasks.LAST_COMPLETERS, case, "register", limit=3) == [
        "zhao", "li", "wang",
    ]  # fmt: skip


def test_a_step_of_another_name_counts_as_the_one_it_became(office):
    office.deploy(office.user_task("register"), office.user_task("check"))
    case = office.start()
    lay(office, case, 8, activity="old", counts_as="check")

    assert sorted(asked(office, human_tasks.COMPLETERS, case, "check")) == sorted(PEOPLE)
    assert asked(office, human_tasks.COMPLETERS, case, "old") == []


def test_a_hundred_times_as_many_returns_make_the_question_no_dearer(office):
    office.deploy(office.user_task("register"), office.user_task("check"))
    young, old = office.start(), office.start()
    lay(office, young, 40)
    lay(office, old, 4_000)
    with office.engine.database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    for statement in (human_tasks.COMPLETERS, human_tasks.LAST_COMPLETERS):
        cost = [
            steps(
                office,
                statement,
                {"instance_id": case, "activity_id": "register", "limit": 100},
            )
            for case in (young, old)
        ]
        assert cost[1] <= 3 * cost[0] + 20
