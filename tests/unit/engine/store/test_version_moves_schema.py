"""A database of the first release gets what moves between versions need."""

from __future__ import annotations

from datetime import date

from sqlalchemy import inspect, text

from engine import TravellingClock
from engine.model.clock import local_midnight
from engine.store import schema
from engine.store.database import Database


def test_the_first_release_is_upgraded_once(store_url):
    database = Database(store_url)
    clock = TravellingClock(local_midnight(date(2026, 1, 5)))
    schema.create_schema(database.engine, clock)
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_human_task_counts_as"))
        for name in ("form_of", "ladder_of", "counts_as"):
            connection.execute(text(f"ALTER TABLE human_task DROP COLUMN {name}"))
        connection.execute(text("DROP TABLE moved_instance"))
        connection.execute(text("DROP TABLE move_batch"))
        connection.execute(text("DELETE FROM schema_version WHERE number = 2"))

    assert schema.upgrade(database.engine, clock) == ["0002_pre_version_moves"]
    assert schema.upgrade(database.engine, clock) == []

    seen = inspect(database.engine)
    assert {"form_of", "ladder_of", "counts_as"} <= {
        column["name"] for column in seen.get_columns("human_task")
    }
    assert "ix_human_task_counts_as" in {one["name"] for one in seen.get_indexes("human_task")}
    assert {"move_batch", "moved_instance"} <= set(seen.get_table_names())
    database.dispose()
