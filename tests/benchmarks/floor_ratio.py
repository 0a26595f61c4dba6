"""CPU of a completed task, beside the bare SQL of one and beside plain SpiffWorkflow.

    python tests/benchmarks/floor_ratio.py [rounds] [sqlite|postgresql …]

The drivers take turns in one process, each on a database of its own; on PostgreSQL the processor
time of their server processes is added. Printed are medians, minima and the ratios of a round:
processor time depends on the load of the machine, the ratio of neighbours hardly does.
"""

# ruff: noqa: E402  # the checkout comes first
from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2]))

import psycopg
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine import ProcessEngine, SystemClock
from tests.databases import OwnPostgres
from webforms.bench import workload

CASES = 40
STEPS = len(workload.STEPS)
_CLOCK = SystemClock()

_TABLES = """
CREATE TABLE cases (id BIGINT PRIMARY KEY, rev INTEGER NOT NULL, data {json} NOT NULL, over {time});
CREATE TABLE tasks (id {serial}, case_id BIGINT NOT NULL, step INTEGER NOT NULL,
    seat TEXT NOT NULL, due {time} NOT NULL, open SMALLINT NOT NULL, done_at {time}, done_by TEXT);
CREATE INDEX tasks_seat ON tasks (seat, due, id) WHERE open = 1;
CREATE INDEX tasks_case ON tasks (case_id);
CREATE TABLE trail (id {serial}, case_id BIGINT NOT NULL, task_id BIGINT, who TEXT, at {time},
    data {json});
CREATE INDEX trail_case ON trail (case_id)
"""


class Driver(Protocol):
    """One way to keep cases of workload W."""

    def start(self, number: int) -> Any:
        """Begin a case; what names it."""
        ...

    def task_of(self, case: Any) -> Any:
        """Its open task, found outside of what is measured."""
        ...

    def complete(self, task: Any, step: int) -> None:
        """Complete it, durably."""
        ...


class Floor:
    """The least that a durable approval writes: case, task closed, task opened, trail."""

    def __init__(self, connection: Any, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._is_sqlite = is_sqlite
        names = (
            {"json": "TEXT", "time": "TEXT", "serial": "INTEGER PRIMARY KEY"}
            if is_sqlite
            else {"json": "JSONB", "time": "TIMESTAMPTZ", "serial": "BIGSERIAL PRIMARY KEY"}
        )
        for text in _TABLES.format(**names).split(";"):
            connection.execute(text)
        if not is_sqlite:
            connection.commit()
        merge = "json_patch(data, ?)" if is_sqlite else "data || %s::jsonb"
        self._merge = f"UPDATE cases SET rev = rev + 1, data = {merge}, over = ? WHERE id = ?"
        self._close = (
            "UPDATE tasks SET open = 0, done_at = ?, done_by = ? WHERE id = ? AND open = 1"
        )
        self._open = "INSERT INTO tasks (case_id, step, seat, due, open) VALUES (?, ?, ?, ?, 1)"
        self._tell = "INSERT INTO trail (case_id, task_id, who, at, data) VALUES (?, ?, ?, ?, ?)"

    def _run(self, text: str, *values: object) -> Any:
        return self._connection.execute(
            text if self._is_sqlite else text.replace("?", "%s"), values
        )

    def _at(self, days: int = 0) -> Any:
        at = _CLOCK.now() + timedelta(days=days)
        return at.isoformat() if self._is_sqlite else at

    def _begin(self) -> None:
        if self._is_sqlite:
            self._connection.execute("BEGIN IMMEDIATE")

    def start(self, number: int) -> int:
        self._begin()
        data = json.dumps(workload.payload(number), ensure_ascii=False)
        self._run("INSERT INTO cases (id, rev, data) VALUES (?, 0, ?)", number, data)
        self._run(self._open, number, 0, "village", self._at(3))
        self._connection.commit()
        return number

    def task_of(self, case: int) -> tuple[int, int]:
        found = self._run("SELECT id, case_id FROM tasks WHERE case_id = ? AND open = 1", case)
        row: tuple[int, int] = found.fetchone()
        self._connection.commit()
        return row

    def complete(self, task: tuple[int, int], step: int) -> None:
        number, case = task
        answer = json.dumps(workload.ANSWER, ensure_ascii=False)
        last = step == STEPS - 1
        self._begin()
        self._run(self._merge, f'{{"t{step}": {answer}}}', self._at() if last else None, case)
        self._run(self._close, self._at(), "u", number)
        if not last:
            self._run(self._open, case, step + 1, "county", self._at(3))
        self._run(self._tell, case, number, "u", self._at(), answer)
        self._connection.commit()


class Spiff:
    """SpiffWorkflow as its documentation uses it: one serialized workflow a case, and a list."""

    def __init__(self, connection: Any, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._mark = "?" if is_sqlite else "%s"
        self._is_sqlite = is_sqlite
        parser = BpmnParser()
        model = workload.package().files["workload_w.bpmn"].decode()
        parser.add_bpmn_str(model.replace(">P3D<", '>"P3D"<').encode())
        self._spec = parser.get_spec(workload.KEY)
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        connection.execute("CREATE TABLE flows (id BIGINT PRIMARY KEY, state TEXT NOT NULL)")
        connection.execute(
            "CREATE TABLE list (id TEXT PRIMARY KEY, flow BIGINT NOT NULL, open SMALLINT NOT NULL)"
        )
        connection.execute("CREATE INDEX list_flow ON list (flow)")
        if not is_sqlite:
            connection.commit()

    def _run(self, text: str, *values: object) -> Any:
        return self._connection.execute(text.replace("?", self._mark), values)

    def _begin(self) -> None:
        if self._is_sqlite:
            self._connection.execute("BEGIN IMMEDIATE")

    def _keep(self, number: int, flow: Any) -> None:
        flow.do_engine_steps()
        flow.refresh_waiting_tasks()
        known = {row[0] for row in self._run("SELECT id FROM list WHERE flow = ?", number)}
        for task in flow.get_tasks(state=TaskState.READY, manual=True):
            if str(task.id) not in known:
                self._run("INSERT INTO list VALUES (?, ?, 1)", str(task.id), number)
        text = self._serializer.serialize_json(flow)
        self._run("UPDATE flows SET state = ? WHERE id = ?", text, number)
        self._connection.commit()

    def start(self, number: int) -> int:
        flow = BpmnWorkflow(self._spec)
        flow.get_next_task(state=TaskState.READY).data.update(workload.payload(number))
        self._begin()
        self._run("INSERT INTO flows VALUES (?, '')", number)
        self._keep(number, flow)
        return number

    def task_of(self, case: int) -> tuple[str, int]:
        found = self._run("SELECT id, flow FROM list WHERE flow = ? AND open = 1", case)
        row: tuple[str, int] = found.fetchone()
        self._connection.commit()
        return row

    def complete(self, task: tuple[str, int], step: int) -> None:
        task_id, number = task
        self._begin()
        (text,) = self._run("SELECT state FROM flows WHERE id = ?", number).fetchone()
        flow = self._serializer.deserialize_json(text)
        found = flow.get_task_from_id(uuid.UUID(task_id))
        found.data.update(workload.ANSWER)
        found.run()
        self._run("UPDATE list SET open = 0 WHERE id = ?", task_id)
        self._keep(number, flow)


class Ours:
    """The engine, through its front door."""

    def __init__(self, url: str, folder: Path) -> None:
        self.engine = ProcessEngine(url, clock=_CLOCK, files=folder / "files")
        workload.install(self.engine)
        self._officer = self.engine.identity.actor(workload.OFFICER)
        clerks = len(workload.VILLAGES)
        self._clerks = [self.engine.identity.actor(workload.clerk_of(n)) for n in range(clerks)]

    def _clerk(self, number: int) -> Any:
        return self._clerks[number % len(self._clerks)]

    def start(self, number: int) -> tuple[str, int]:
        return workload.start(self.engine, number, self._clerk(number)), number

    def task_of(self, case: tuple[str, int]) -> tuple[str, int]:
        rows = self.engine.worklist.of_instance(case[0], self._officer, open_only=True)
        return rows[0].id, case[1]

    def complete(self, task: tuple[str, int], step: int) -> None:
        actor = self._officer if step else self._clerk(task[1])
        self.engine.tasks.complete(task[0], actor, workload.ANSWER)


class DurablePostgres(OwnPostgres):
    """As the tests' own server, but what is committed survives the machine."""

    SETTINGS = ("shared_buffers=128MB", "fsync=on", "synchronous_commit=on")

    def cpu(self, database: str) -> float:
        """Milliseconds of processor time so far of the sessions of one database."""
        total = 0
        for process in Path("/proc").iterdir():
            try:
                words = (process / "cmdline").read_bytes()
                if words.startswith(b"postgres:") and f" {database} ".encode() in words:
                    total += int((process / "schedstat").read_text().split()[0])
            except (OSError, ValueError):
                continue
        return total / 1e6


def _milliseconds(driver: Driver, first: int, beside: Callable[[], float]) -> float:
    """Mean of one round: cases begun, then completed step by step."""
    cases = [driver.start(first + number) for number in range(CASES)]
    total = 0.0
    for step in range(STEPS):
        tasks = [driver.task_of(case) for case in cases]
        theirs, began = beside(), time.process_time()
        for task in tasks:
            driver.complete(task, step)
        total += (time.process_time() - began) * 1e3 + beside() - theirs
    return total / (CASES * STEPS)


def _measured(
    name: str, drivers: dict[str, tuple[Driver, Callable[[], float]]], rounds: int
) -> None:
    found: dict[str, list[float]] = {key: [] for key in drivers}
    for number in range(rounds + 1):
        for key, (driver, beside) in drivers.items():
            taken = _milliseconds(driver, 1_000 * (number + 1), beside)
            if number:
                found[key].append(taken)
    print(f"{name}, load {os.getloadavg()[0]:.1f}")
    for key, values in found.items():
        ratio = statistics.median(a / b for a, b in zip(values, found["floor"], strict=True))
        print(
            f"  {key:6} median {statistics.median(values):7.3f} ms, least {min(values):7.3f} ms, "
            f"{ratio:6.2f} times the floor (least: {min(values) / min(found['floor']):.2f})"
        )
    share = statistics.median(a / b for a, b in zip(found["ours"], found["spiff"], strict=True))
    print(f"  ours is {share:.3f} of plain SpiffWorkflow")


def _sqlite(folder: Path, rounds: int) -> None:
    def opened(name: str) -> Any:
        found = sqlite3.connect(folder / name, isolation_level=None)
        found.execute("PRAGMA journal_mode=WAL")
        found.execute("PRAGMA synchronous=FULL")
        return found

    ours = Ours(f"sqlite:///{folder / 'ours.sqlite'}", folder)
    nothing = lambda: 0.0  # noqa: E731  # one expression
    _measured(
        "SQLite",
        {
            "floor": (Floor(opened("floor.sqlite"), is_sqlite=True), nothing),
            "spiff": (Spiff(opened("spiff.sqlite"), is_sqlite=True), nothing),
            "ours": (ours, nothing),
        },
        rounds,
    )
    ours.engine.close()


def _postgresql(folder: Path, rounds: int) -> None:
    server = DurablePostgres()
    try:
        urls = {name: server.create(f"bench_{name}") for name in ("floor", "spiff", "ours")}

        def opened(name: str) -> Any:
            plain = urls[name].replace("postgresql+psycopg://", "postgresql://")
            return psycopg.connect(plain, prepare_threshold=1)

        def beside(name: str) -> Callable[[], float]:
            return lambda: server.cpu(f"bench_{name}")

        ours = Ours(urls["ours"], folder)
        _measured(
            "PostgreSQL, server processes included",
            {
                "floor": (Floor(opened("floor"), is_sqlite=False), beside("floor")),
                "spiff": (Spiff(opened("spiff"), is_sqlite=False), beside("spiff")),
                "ours": (ours, beside("ours")),
            },
            rounds,
        )
        ours.engine.close()
    finally:
        server.stop()


def main(arguments: Sequence[str]) -> None:
    """Measure on the databases named, both when none is."""
    rounds = int(arguments[0]) if arguments else 7
    kinds = arguments[1:] or ("sqlite", "postgresql")
    with tempfile.TemporaryDirectory() as name:
        if "sqlite" in kinds:
            _sqlite(Path(name), rounds)
        if "postgresql" in kinds:
            _postgresql(Path(name), rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
