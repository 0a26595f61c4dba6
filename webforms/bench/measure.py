"""What `nuanliu bench` measures, and how: honest calls of public services, each durable on return.

Clients are operating-system processes with a connection of their own; every call reads the
instance's state from the database.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from engine import ProcessEngine, SystemClock, TravellingClock, WorklistFilter
from webforms.bench import bars, http, load_h, load_p, seed, workload
from workflows import catalog
from workflows.domain import vault

ONE_CLIENT_CASES = 200
CASES_A_CLIENT = 60
INBOX_READS = 200
TIMER_CASES = 400
SIZE_CASES = 300
HTTP_TASKS = 40
#: timers due at one instant (domain §9: 390,000 in the whole country); a share is enough for a rate
DRAINED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The keys of `contract.md`; None where a part was left out."""

    database: str
    starts_per_s: float
    completions_per_s_1: float
    completions_per_s_8: float
    inbox_ms_p50: float
    inbox_ms_p95: float
    timers_per_s: float
    bytes_per_instance: int
    http_completions_per_s_8: float | None
    http_inbox_ms_p95: float | None
    cpu_ms_per_start: float
    cpu_ms_per_completion_1: float
    #: what a data set of a whole province lets one measure; empty without `--dataset`
    bars: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """One client's part of a run."""

    url: str
    files: str
    first: int
    cases: int


def run(
    database: str | None = None,
    *,
    clients: int = 8,
    open_tasks: int = 100_000,
    with_http: bool = True,
    dataset: str | None = None,
    scale: float = 1.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Measure on an empty database: a fresh SQLite file, or the database of this URL.

    Raises ValueError where the database already holds cases.
    """
    with tempfile.TemporaryDirectory(prefix="nuanliu-bench-") as folder:
        url = database or f"sqlite:///{folder}/bench.sqlite"
        engine = _engine(url, folder)
        tell("准备数据库")
        workload.install(engine)
        per_instance = bytes_per_case(engine, url, finished=True)
        if dataset is None:
            tell(f"铺底 {open_tasks} 个未办结事项")
            seed.open_cases(engine, open_tasks)
        else:
            _lay(engine, dataset, scale, tell)
        engine.close()
        full = _bars(url, folder, scale, tell) if dataset == "load-p" else {}
        tell("单客户端")
        one = _clients(url, folder, 1, ONE_CLIENT_CASES, first=1_000_000)
        tell(f"{clients} 个客户端")
        many = _clients(url, folder, clients, CASES_A_CLIENT, first=2_000_000)
        tell("待办列表")
        inbox = _inbox(url, folder)
        tell("定时器")
        timers = _timers(url, folder)
        served = http.measure(url, folder, clients, HTTP_TASKS, tell) if with_http else None
    return Figures(
        database=url.split(":", 1)[0].split("+", 1)[0],
        starts_per_s=one["starts_per_s"],
        completions_per_s_1=one["completions_per_s"],
        completions_per_s_8=many["completions_per_s"],
        inbox_ms_p50=bars.percentile(inbox, 0.50),
        inbox_ms_p95=bars.percentile(inbox, 0.95),
        timers_per_s=timers,
        bytes_per_instance=per_instance,
        http_completions_per_s_8=served.completions_per_s if served else None,
        http_inbox_ms_p95=served.inbox_ms_p95 if served else None,
        cpu_ms_per_start=one["cpu_ms_per_start"],
        cpu_ms_per_completion_1=one["cpu_ms_per_completion"],
        bars=full,
    )


def lay(
    database: str, dataset: str, scale: float, *, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Only the data set, in an empty database."""
    with tempfile.TemporaryDirectory(prefix="nuanliu-bench-") as folder:
        engine = _engine(database, folder)
        workload.install(engine)
        _lay(engine, dataset, scale, tell)
        engine.close()


def _lay(engine: ProcessEngine, dataset: str, scale: float, tell: Callable[[str], None]) -> None:
    tell(f"铺 {dataset} × {scale:g}")
    if dataset == "load-p":
        load_p.build(engine, load_p.Shape.at(scale), tell)
        return
    catalog.operation_modules()
    vault.configure(b"of a throw-away database")
    engine.create_schema()
    load_h.build(engine, load_h.Shape.at(scale), tell)


def _bars(url: str, folder: str, scale: float, tell: Callable[[str], None]) -> Mapping[str, float]:
    tell("铺满后的各项")
    shape = load_p.Shape.at(scale)
    found: dict[str, float] = {"load_before": bars.load(), **bars.beginning(url, folder)}
    engine = _engine(url, folder)
    found |= bars.lists(engine, shape)
    found |= bars.completions(engine)
    found |= bars.waking(engine)
    found |= bars.draining(engine, shape, min(shape.timers // 2, DRAINED))
    engine.close()
    return {**found, "load_after": bars.load()}


def _engine(url: str, folder: str, clock: Any = None) -> ProcessEngine:
    return ProcessEngine(url, clock=clock or SystemClock(), files=Path(folder) / "files")


def _clients(url: str, folder: str, clients: int, cases: int, first: int) -> dict[str, float]:
    """All clients start together, then complete together; rates over the whole wall time."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(clients)
    shares = [
        _Share(url=url, files=folder, first=first + number * cases, cases=cases)
        for number in range(clients)
    ]
    with context.Pool(clients, initializer=_share_barrier, initargs=(barrier,)) as pool:
        answers = pool.map(_client, shares, chunksize=1)
    total = clients * cases
    done = sum(answer["done"] for answer in answers)
    return {
        "starts_per_s": round(total / max(answer["start_wall"] for answer in answers), 1),
        "completions_per_s": round(done / max(answer["complete_wall"] for answer in answers), 1),
        "cpu_ms_per_start": round(
            statistics.mean(a["start_cpu"] for a in answers) / cases * 1e3, 3
        ),
        "cpu_ms_per_completion": round(
            sum(answer["complete_cpu"] for answer in answers) / done * 1e3, 3
        ),
    }


_barriers: list[Any] = []


def _share_barrier(barrier: Any) -> None:
    _barriers[:] = [barrier]


def _client(share: _Share) -> dict[str, float]:
    engine = _engine(share.url, share.files)
    officer = engine.identity.actor(workload.OFFICER)
    clerks = [engine.identity.actor(workload.clerk_of(n)) for n in range(len(workload.VILLAGES))]
    numbers = range(share.first, share.first + share.cases)
    warm = workload.start(engine, 10_000_000 + share.first, clerks[share.first % len(clerks)])
    workload.complete(engine, warm, clerks[share.first % len(clerks)])
    _barriers[0].wait(120)
    wall, cpu = time.perf_counter(), time.process_time()
    cases = [workload.start(engine, n, clerks[n % len(clerks)]) for n in numbers]
    start_wall, start_cpu = time.perf_counter() - wall, time.process_time() - cpu
    _barriers[0].wait(600)
    complete_wall = complete_cpu = 0.0
    done = 0
    for step in range(len(workload.STEPS)):
        found = [
            (engine.worklist.of_instance(case, officer, open_only=True)[0].id, n)
            for case, n in zip(cases, numbers, strict=True)
        ]
        wall, cpu = time.perf_counter(), time.process_time()
        for task_id, n in found:
            actor = officer if step else clerks[n % len(clerks)]
            engine.tasks.complete(task_id, actor, workload.ANSWER)
        complete_wall += time.perf_counter() - wall
        complete_cpu += time.process_time() - cpu
        done += len(found)
    engine.close()
    return {
        "start_wall": start_wall, "start_cpu": start_cpu, "done": done,
        "complete_wall": complete_wall, "complete_cpu": complete_cpu,
    }  # fmt: skip


def _inbox(url: str, folder: str) -> list[float]:
    engine = _engine(url, folder)
    clerks = [engine.identity.actor(workload.clerk_of(n)) for n in range(len(workload.VILLAGES))]
    for clerk in clerks[:3]:
        engine.worklist.page(clerk, filter=WorklistFilter(), limit=50)
    taken = []
    for number in range(INBOX_READS):
        began = time.perf_counter()
        engine.worklist.page(clerks[number % len(clerks)], filter=WorklistFilter(), limit=50)
        taken.append((time.perf_counter() - began) * 1e3)
    engine.close()
    return taken


def _timers(url: str, folder: str) -> float:
    """Boundary timers of fresh cases, all due at the same instant, fired one transaction each.

    They are armed in a far past, so that the hundred thousand others are not due yet.
    """
    past = TravellingClock(SystemClock().now() - timedelta(days=2000))
    engine = _engine(url, folder, past)
    clerk = engine.identity.actor(workload.clerk_of(0))
    for number in range(TIMER_CASES):
        workload.start(engine, 30_000_000 + number * len(workload.VILLAGES), clerk)
    past.advance(timedelta(days=4))
    fired, began = 0, time.perf_counter()
    while step := engine.management.run_due(limit=200):
        fired += step
    taken = time.perf_counter() - began
    engine.close()
    return round(fired / taken, 1)


def bytes_per_case(engine: ProcessEngine, url: str, *, finished: bool) -> int:
    """What a case adds to the database, its messages delivered, dead rows cleared away."""
    clerk = engine.identity.actor(workload.clerk_of(0))
    before = _size(url)
    for number in range(SIZE_CASES):
        case = workload.start(engine, 20_000_000 + number * len(workload.VILLAGES), clerk)
        if finished:
            workload.complete(engine, case, clerk)
    while waiting := engine.management.pending_outbox(SIZE_CASES):
        engine.management.taken_over(*(message.id for message in waiting))
    return max(0, _size(url) - before) // SIZE_CASES


def _size(url: str) -> int:
    """Bytes of live rows and their indexes: the file after VACUUM, or what the server says."""
    alone = create_engine(url, isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        if url.startswith("sqlite"):
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            size = int(pages) * int(connection.execute(text("PRAGMA page_size")).scalar_one())
        else:
            connection.execute(text("VACUUM FULL"))
            asked = text("SELECT pg_database_size(current_database())")
            size = int(connection.execute(asked).scalar_one())
    alone.dispose()
    return size
