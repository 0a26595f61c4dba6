"""The previous release as it was photographed: its schema, an office at work, its statements."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, text

FOLDER = Path(__file__).parent / "release_763c365"


def clock() -> datetime:
    """When the office of the picture was left."""
    return datetime.fromisoformat((FOLDER / "clock.txt").read_text().strip())


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def plain(value: Any) -> Any:
    """A recorded value as the driver took it."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        if "bytes" in value:
            return base64.b64decode(value["bytes"])
        if "instant" in value:
            return datetime.fromisoformat(value["instant"])
        return {name: plain(each) for name, each in value["named"].items()}
    return value


def leave(engine: Engine) -> None:
    """The same as that release itself left it: one migration known to it."""
    _build(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM schema_version"))
        connection.execute(
            text(
                "INSERT INTO schema_version (number, name, applied_at)"
                " VALUES (1, '0001_pre_first_release', '2026-11-22T05:39:01.000000+00:00')"
            )
        )


def _build(engine: Engine) -> None:
    """The database of that release with its cases in flight."""
    is_sqlite = engine.dialect.name == "sqlite"
    schema = (FOLDER / f"schema_{engine.dialect.name}.sql").read_text()
    data = _lines("data.jsonl" if is_sqlite else "data_postgresql.jsonl")
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        for statement in schema.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        for part in data:
            names = ", ".join(f'"{name}"' for name in part["columns"])
            marks = ", ".join(["?" if is_sqlite else "%s"] * len(part["columns"]))
            into = f"INSERT INTO {part['table']} ({names}) VALUES ({marks})"
            cursor.executemany(into, plain(part["rows"]))
        cursor.close()


def replay(engine: Engine) -> Iterator[tuple[str, str, int | None, int]]:
    """Say again what its code said; scene, statement, rows it hit then and now."""
    scene = ""
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        for said in _lines(f"traffic_{engine.dialect.name}.jsonl"):
            if "scene" in said:
                scene = said["scene"]
                continue
            if "many" in said:
                cursor.executemany(said["sql"], plain(said["many"]))
                yield scene, said["sql"], None, 0
                continue
            parameters = plain(said["parameters"])
            if parameters is None:
                cursor.execute(said["sql"])
            else:
                cursor.execute(said["sql"], parameters)
            if cursor.description is not None:
                cursor.fetchall()
            yield scene, said["sql"], said.get("hit"), cursor.rowcount
        cursor.close()


def columns(engine: Engine) -> dict[str, dict[str, Any]]:
    """Every column of every table, as the database says."""
    seen = inspect(engine)
    return {
        table: {column["name"]: column for column in seen.get_columns(table)}
        for table in seen.get_table_names()
    }
