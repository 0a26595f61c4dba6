"""The bounds the product promises, measured: CPU, bytes and milliseconds, as medians.

Process time and medians of interleaved rounds, so that a busy machine does not decide.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine import SYSTEM, ProcessEngine, SystemClock, TravellingClock, WorklistFilter
from engine.execution.snapshot import pack
from engine.kernel import step as kernel
from engine.kernel.decide import Decide
from engine.kernel.effects import Effect
from engine.kernel.program import Program
from engine.kernel.state import State
from engine.kernel.triggers import TaskCompleted, Trigger
from webforms.bench import measure, seed, workload
from workflows import catalog
from workflows.demo.relief_households import Mark, marked
from workflows.demo.relief_people import TOWNS, VILLAGES
from workflows.demo.relief_story import Story
from workflows.domain import vault

pytestmark = pytest.mark.slow

KERNEL_MS = 0.5
STATE_BYTES = 4096
INBOX_MS = 50
OPEN_BYTES, FINISHED_BYTES = 1_500, 4_000
OPEN_TASKS = 100_000
#: The goal is 4. Reached so far: 9 on a quick disk, 10 in memory, where nothing else costs
#: anything; what is asserted keeps that from getting worse (`docs/measurements.md`).
TIMES_THE_FLOOR = 14

Completion = tuple[Program, bytes, TaskCompleted, Decide]


class Recorder:
    """Stands before the kernel: keeps every completion of a task, and every state it leads to."""

    def __init__(self, real: Callable[..., tuple[State, tuple[Effect, ...]]]) -> None:
        self.real = real
        self.completions: list[Completion] = []
        self.largest: dict[str, int] = {}

    def step(
        self, program: Program, state: State, trigger: Trigger, decide: Decide
    ) -> tuple[State, tuple[Effect, ...]]:
        after, effects = self.real(program, state, trigger, decide)
        if isinstance(trigger, TaskCompleted):
            self.completions.append((program, state.encode(), trigger, decide))
        size = len(pack(after))
        self.largest[program.key] = max(size, self.largest.get(program.key, 0))
        return after, effects


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder(kernel.step)
    monkeypatch.setattr(kernel, "step", found.step)
    return found


@pytest.fixture
def county(tmp_path: Path, recorder: Recorder) -> Iterator[ProcessEngine]:
    """Every shipped process published: the gate plays all their scenarios before the recorder."""
    assert not recorder.completions
    vault.configure(b"a key for tests, nothing else")
    built = ProcessEngine(
        f"sqlite:///{tmp_path / 'county.db'}",
        clock=TravellingClock(datetime(2026, 1, 4, 1, tzinfo=UTC)),
        operations=catalog.operation_modules(),
        files=tmp_path / "files",
    )
    built.create_schema()
    catalog.deploy_changed(built, SYSTEM)
    yield built
    built.close()


def _milliseconds(recorder: Recorder, completion: Completion) -> float:
    """CPU of reading the state, completing the task and writing the state again."""
    program, stored, trigger, decide = completion

    def once() -> None:
        recorder.real(program, State.decode(stored), trigger, decide)[0].encode()

    once()
    rounds = []
    for _ in range(9):
        began = time.process_time()
        for _ in range(5):
            once()
        rounds.append((time.process_time() - began) / 5 * 1e3)
    return statistics.median(rounds)


@pytest.mark.usefixtures("county")
def test_no_task_of_a_shipped_process_costs_half_a_millisecond_in_the_kernel(recorder) -> None:
    slowest: dict[str, float] = {}
    for completion in recorder.completions:
        task = f"{completion[0].key}.{_activity(completion)}"
        slowest[task] = max(slowest.get(task, 0.0), _milliseconds(recorder, completion))
    with_tasks = {
        package.key for package in catalog.packages() if b"userTask" in package.files[package.bpmn]
    }
    assert {task.split(".")[0] for task in slowest} == with_tasks
    print({task: round(cost, 3) for task, cost in sorted(slowest.items())})
    assert {task: cost for task, cost in slowest.items() if cost > KERNEL_MS} == {}


def _activity(completion: Completion) -> str:
    _, stored, trigger, _ = completion
    return State.decode(stored).elements[trigger.element].node


def test_the_state_of_every_relief_case_stays_below_four_kilobytes_all_the_way(
    county: ProcessEngine, recorder: Recorder
) -> None:
    recorder.largest.clear()
    story = Story(county)
    story.populate()
    story.begin()
    for village in VILLAGES:
        story.register(village)
    for village in VILLAGES:
        story.visit(village)
        story.appraise(village)
    story.settle_exceptions(marked(Mark.OVER_CAP).village, TOWNS[0])
    for village in VILLAGES:
        story.post("village_clerk", village)
    for town in TOWNS[:2]:
        for village in VILLAGES:
            if village.startswith(town[:9]):
                story.post("town_clerk", town)
    clock = county.clock
    assert isinstance(clock, TravellingClock)
    clock.advance(timedelta(days=11))
    while county.management.run_due():
        pass
    for village in VILLAGES:
        story.close("village_clerk", village)
    print(recorder.largest)
    assert {"relief_main", "relief_town", "relief_village", "public_notice"} <= set(
        recorder.largest
    )
    assert max(recorder.largest.values()) <= STATE_BYTES


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_inbox_opens_at_once_beside_a_hundred_thousand_open_tasks(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_url")
    engine = ProcessEngine(url, clock=SystemClock(), files=tmp_path / "files")
    workload.install(engine)
    seed.open_cases(engine, OPEN_TASKS)
    clerks = [engine.identity.actor(workload.clerk_of(n)) for n in range(len(workload.VILLAGES))]
    taken = []
    for number in range(300):
        began = time.perf_counter()
        page = engine.worklist.page(clerks[number % 20], filter=WorklistFilter(), limit=50)
        taken.append((time.perf_counter() - began) * 1e3)
        assert len(page.rows) == 50
    engine.close()
    p50, p95 = statistics.median(taken), sorted(taken)[int(len(taken) * 0.95)]
    print(f"{kind}: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    assert p95 <= INBOX_MS


@pytest.mark.parametrize(("finished", "most"), [(False, OPEN_BYTES), (True, FINISHED_BYTES)])
def test_a_case_takes_as_few_bytes_as_promised(tmp_path: Path, finished: bool, most: int) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    engine = ProcessEngine(url, clock=SystemClock(), files=tmp_path / "files")
    workload.install(engine)

    found = measure.bytes_per_case(engine, url, finished=finished)

    engine.close()
    print(f"finished: {finished}, {found} bytes")
    assert 0 < found <= most


class Floor:
    """The least that any durable approval writes: case, task closed, task opened, trail."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            """
            PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
            CREATE TABLE cases (id INTEGER PRIMARY KEY, rev INTEGER, data TEXT);
            CREATE TABLE tasks (id INTEGER PRIMARY KEY, case_id INTEGER, seat TEXT, due TEXT,
                                open INTEGER, done_at TEXT, done_by TEXT);
            CREATE INDEX tasks_seat ON tasks (seat, due, id) WHERE open = 1;
            CREATE INDEX tasks_case ON tasks (case_id);
            CREATE TABLE trail (id INTEGER PRIMARY KEY, case_id INTEGER, task_id INTEGER,
                                who TEXT, at TEXT, data TEXT);
            CREATE INDEX trail_case ON trail (case_id);
            """
        )
        self._last = 0

    def start(self) -> None:
        self._last += 1
        data = json.dumps(workload.payload(self._last), ensure_ascii=False)
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        run("INSERT INTO cases VALUES (?, 0, ?)", (self._last, data))
        run(
            "INSERT INTO tasks (case_id, seat, due, open) VALUES (?, 'v', ?, 1)",
            (self._last, _later()),
        )
        run("COMMIT")

    def open_tasks(self) -> list[tuple[int, int]]:
        return self._connection.execute("SELECT id, case_id FROM tasks WHERE open = 1").fetchall()

    def complete(self, task: tuple[int, int]) -> None:
        number, case = task
        answer = json.dumps(workload.ANSWER, ensure_ascii=False)
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        run(
            "UPDATE cases SET rev = rev + 1, data = json_patch(data, ?) WHERE id = ?",
            (answer, case),
        )
        run(
            "UPDATE tasks SET open = 0, done_at = ?, done_by = 'u' WHERE id = ? AND open = 1",
            (_later(), number),
        )
        run(
            "INSERT INTO tasks (case_id, seat, due, open) VALUES (?, 'county', ?, 1)",
            (case, _later()),
        )
        run(
            "INSERT INTO trail (case_id, task_id, who, at, data) VALUES (?, ?, 'u', ?, ?)",
            (case, number, _later(), answer),
        )
        run("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _later() -> str:
    return (SystemClock().now() + timedelta(days=3)).isoformat()


def _cpu(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1e3


def test_a_completion_costs_a_bounded_multiple_of_the_bare_writes(tmp_path: Path) -> None:
    engine = ProcessEngine(
        f"sqlite:///{tmp_path / 'ours.db'}", clock=SystemClock(), files=tmp_path / "files"
    )
    workload.install(engine)
    officer = engine.identity.actor(workload.OFFICER)
    clerk = engine.identity.actor(workload.clerk_of(0))
    floor = Floor(tmp_path / "floor.db")
    bare, ours = [], []
    for number in range(240):
        floor.start()
        case = workload.start(engine, 20 * number, clerk)
        for step in range(len(workload.STEPS) - 1):
            open_task = floor.open_tasks()[-1]
            task = engine.worklist.of_instance(case, officer, open_only=True)[0].id
            actor = officer if step else clerk
            bare.append(_cpu(lambda task=open_task: floor.complete(task)))
            ours.append(_cpu(lambda t=task, a=actor: engine.tasks.complete(t, a, workload.ANSWER)))
    floor.close()
    engine.close()
    floor_ms, ours_ms = statistics.median(bare[40:]), statistics.median(ours[40:])
    print(f"floor {floor_ms:.4f} ms, ours {ours_ms:.4f} ms, {ours_ms / floor_ms:.1f} times")
    assert ours_ms / floor_ms <= TIMES_THE_FLOOR
