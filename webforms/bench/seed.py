"""A hundred thousand open cases in seconds: real cases of every village, their rows copied.

Copies differ in their ids and due instants only; they are never completed by the benchmark, they
are what the indexes have to hold while it measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from engine import ProcessEngine, tables
from webforms.bench import workload

BATCH = 2_000
SPREAD_MINUTES = 5_000


def open_cases(engine: ProcessEngine, number: int) -> None:
    """`number` cases that wait at T1, over twenty villages, due over three and a half days."""
    if number <= 0:
        return
    models = [_model(engine, village) for village in range(len(workload.VILLAGES))]
    for first in range(0, number, BATCH):
        batch: dict[str, list[dict[str, Any]]] = {}
        for index in range(first, min(first + BATCH, number)):
            for table, rows in _copy(engine, models[index % len(models)], index).items():
                batch.setdefault(table, []).extend(rows)
        with engine.database.engine.begin() as connection:
            for table, rows in batch.items():
                connection.execute(insert(_TABLES[table]), rows)


_TABLES: Mapping[str, Any] = {
    "instance": tables.ProcessInstance.__table__,
    "task": tables.HumanTask.__table__,
    "timer": tables.Timer.__table__,
    "fact": tables.HistoryFact.__table__,
}
_OWNER = {"instance": "id", "task": "instance_id", "timer": "instance_id", "fact": "instance_id"}

Model = Mapping[str, list[dict[str, Any]]]


def _model(engine: ProcessEngine, village: int) -> Model:
    clerk = engine.identity.actor(workload.clerk_of(village))
    case = workload.start(engine, 40_000_000 + village, clerk)
    with engine.database.engine.connect() as connection:
        return {
            name: [
                dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented accessor
                for row in connection.execute(select(table).where(table.c[_OWNER[name]] == case))
            ]
            for name, table in _TABLES.items()
        }


def _copy(engine: ProcessEngine, model: Model, index: int) -> Model:
    case = engine.ids.new()
    task = {row["id"]: engine.ids.new() for row in model["task"]}
    later = timedelta(minutes=(index * 7) % SPREAD_MINUTES)
    copied: dict[str, list[dict[str, Any]]] = {}
    for name, rows in model.items():
        copied[name] = [_moved(engine, name, row, case, task, later) for row in rows]
    return copied


def _moved(
    engine: ProcessEngine,
    name: str,
    row: Mapping[str, Any],
    case: str,
    task: Mapping[str, str],
    later: timedelta,
) -> dict[str, Any]:
    new = dict(row) | {_OWNER[name]: case}
    if name == "instance":
        new["root_id"] = case
        return new
    if name == "task":
        new |= {"id": task[row["id"]], "due_sort": row["created_at"] + later}
        return new
    if name == "timer":
        new["id"] = engine.ids.new()
        new["due_at"] = row["due_at"] + later
        new["task_id"] = task.get(row["task_id"]) if row["task_id"] else None
    return new
