"""Takes the picture of a release: its schema, an office at work, and what its code says to the SQL.

Run with the tree of that release first on the path, so that its code is what speaks:

    mkdir old && git archive 763c365 | tar x -C old
    PYTHONPATH=old python tests/golden/release_recorder.py old tests/golden/release_763c365

The files are committed: what a release said does not change any more.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from engine import Base
from webforms import app  # noqa: F401  # its import declares every table

TAPE: list[dict[str, Any]] = []
RECORDING: list[bool] = []
#: one grey dot
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


def neutral(value: Any) -> Any:
    """A value as JSON; bytes and instants are marked."""
    if isinstance(value, psycopg.Binary):
        value = value.obj
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        return {"instant": value.isoformat("T", "microseconds")}
    if isinstance(value, dict):
        return {"named": {key: neutral(each) for key, each in value.items()}}
    if isinstance(value, list | tuple):
        return [neutral(each) for each in value]
    return value


class Listening:
    """A cursor that writes down what is said to the database and what it answers."""

    def execute(self, sql: Any, parameters: Any = None, /, **more: Any) -> Any:
        answer = (
            super().execute(sql, **more)
            if parameters is None
            else super().execute(sql, parameters, **more)
        )
        self._note(sql, parameters)
        return answer

    def executemany(self, sql: Any, many: Any, /, **more: Any) -> Any:
        rows = list(many)
        answer = super().executemany(sql, rows, **more)
        if RECORDING:
            TAPE.append({"sql": str(sql), "many": neutral(rows)})
        return answer

    def _note(self, sql: Any, parameters: Any) -> None:
        words = str(sql)
        if RECORDING and not words.startswith(("BEGIN", "PRAGMA", "SET ")):
            said = {"sql": words, "parameters": neutral(parameters)}
            if not words.startswith("SELECT"):
                said["hit"] = self.rowcount
            TAPE.append(said)


class ListeningSqlite(Listening, sqlite3.Cursor):
    pass


class SqliteConnection(sqlite3.Connection):
    def cursor(self, *_: Any, **__: Any) -> Any:
        return super().cursor(ListeningSqlite)


class ListeningPostgres(Listening, psycopg.Cursor):
    pass


@contextmanager
def recording(scene: str) -> Iterator[None]:
    TAPE.append({"scene": scene})
    RECORDING.append(True)
    yield
    RECORDING.clear()


def office_of(conftest: Any, target: Any, files: Path) -> Any:
    """The office of that release's tests, with cases in every state of waiting."""
    office = conftest.Office(target, files)
    register = conftest.user_task(
        "register",
        deadline="5wd",
        ladder="default",
        beside=conftest.timer_beside("register", "remind", "P3D", interrupting=False),
    )
    rest = conftest.Step(
        tag="intermediateCatchEvent",
        id="rest",
        children=(
            '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P2D'
            "</bpmn:timeDuration></bpmn:timerEventDefinition>"
        ),
    )
    receive = conftest.Step(
        tag="receiveTask",
        id="receive",
        attributes='messageRef="message"',
        extensions='<nl:message key="=number"/>',
    )

    def approve(other: str) -> Any:
        outcomes = '<nl:outcome id="agree" name="同意"/><nl:outcome id="deny" name="不同意"/>'
        return conftest.user_task(
            "approve", role="approver", differentFrom=other, outcomes=outcomes
        )

    office.deploy(register, rest, approve("register"), key="case")
    office.deploy(
        conftest.user_task("ask"),
        receive,
        approve("ask"),
        key="letter",
        root='<bpmn:message id="message" name="reply"/>',
    )
    return office


def at_work(office: Any) -> None:
    """One case in each state of waiting."""
    for number in range(3):
        office.start("case", number=f"C{number}", amount=number)
    office.complete("wang", "register", note="一")  # rests
    office.travel(2.5)
    office.complete("wang", "register", note="二")  # rests while the first waits for approval
    over = office.start("case", number="C3")
    task = office.task("wang", "register")
    wang = office.actor("wang")
    office.engine.tasks.claim(task.id, wang, version=task.version)
    mine = office.see(task.id)
    office.engine.tasks.save_draft(task.id, wang, {"note": "草稿"})
    office.engine.tasks.comment(wang, "先放一放", task_id=task.id)
    office.engine.tasks.attach(wang, name="现场.png", content=PICTURE, task_id=mine.id)
    for number in ("L1", "L2"):
        office.start("letter", number=number)
        office.complete("wang", "ask")
    office.engine.runtime.suspend(over, office.actor("chen"), "等候核实")


def traffic(office: Any) -> None:
    """What the code of that release does all day, said to the database."""
    engine = office.engine
    wang, li = office.actor("wang"), office.actor("li")
    with recording("start a case"):
        office.start("case", number="N1", amount=7)
    with recording("the worklist and its counts"):
        page = engine.worklist.page(wang)
        engine.worklist.counts(wang)
    first = page.rows[-1]
    with recording("claim, keep a draft, complete"):
        engine.tasks.claim(first.id, wang, version=office.see(first.id).version)
        engine.tasks.save_draft(first.id, wang, {"note": "三"})
        seen = office.see(first.id)
        engine.tasks.complete(first.id, wang, {"note": "三"}, version=seen.version)
    with recording("a message comes in"):
        engine.runtime.correlate("reply", "L1", {"answer": "是"}, office.actor("chen"))
    with recording("timers fire"):
        office.clock.set(office.clock.now() + timedelta(days=3))
        while engine.management.run_due():
            pass
    task = office.task("li", "approve")
    with recording("approve: the case ends"):
        engine.tasks.complete(task.id, li, {}, outcome="agree", version=task.version)
    with recording("start, then give up a case"):
        case = office.start("case", number="N2")
        engine.runtime.terminate(case, office.actor("chen"), "重复申请")


def data(engine: Any) -> Iterator[dict[str, Any]]:
    """Every row, as the SQLite of that release keeps it."""
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            keys = list(table.primary_key.columns)
            rows = connection.execute(select(table).order_by(*keys)).cursor.fetchall()
            if rows:
                names = [column.name for column in table.columns]
                yield {"table": table.name, "columns": names, "rows": neutral(rows)}


def schema(dialect: Any) -> str:
    """The whole schema as that release makes it."""
    said: list[Any] = []
    for table in Base.metadata.sorted_tables:
        said.append(CreateTable(table))
        said += [CreateIndex(index) for index in sorted(table.indexes, key=lambda one: one.name)]
    texts = [str(one.compile(dialect=dialect)).strip() for one in said]
    return ";\n\n".join(" ".join(text.split()) for text in texts) + ";\n"


def write(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text(text + "\n", encoding="utf-8")


def main(tree: Path, target: Path) -> None:
    spec = importlib.util.spec_from_file_location("release_conftest", tree / "tests/conftest.py")
    conftest: Any = importlib.util.module_from_spec(spec)
    sys.modules["release_conftest"] = conftest
    spec.loader.exec_module(conftest)
    target.mkdir(exist_ok=True)
    (target / "schema_sqlite.sql").write_text(schema(sqlite.dialect()))
    (target / "schema_postgresql.sql").write_text(schema(postgresql.dialect()))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/golden.db"
        listening = create_engine(url, connect_args={"factory": SqliteConnection})
        office = office_of(conftest, listening, Path(folder) / "files")
        at_work(office)
        write(target / "data.jsonl", list(data(office.engine.database.engine)))
        (target / "clock.txt").write_text(office.clock.now().isoformat() + "\n")
        traffic(office)
        write(target / "traffic_sqlite.jsonl", TAPE)
    record_postgres(conftest, target)


def record_postgres(conftest: Any, target: Path) -> None:
    """The same day on the other database; its rows are its own, so they are kept, too."""
    TAPE.clear()
    server = conftest.OwnPostgres()
    try:
        listening = create_engine(
            server.create("golden"),
            connect_args={"cursor_factory": ListeningPostgres, "options": "-c timezone=UTC"},
        )
        with tempfile.TemporaryDirectory() as folder:
            office = office_of(conftest, listening, Path(folder))
            at_work(office)
            write(target / "data_postgresql.jsonl", list(data(office.engine.database.engine)))
            traffic(office)
        write(target / "traffic_postgresql.jsonl", TAPE)
        office.engine.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
