"""What is promised of a database that is full and old, measured on a data set that was laid.

Every figure is of public services. Milliseconds are wall time at the 95th percentile unless the
name says `cpu`; a busy machine shows in them, so each run says its load.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import Actor, ProcessEngine, Seat, SystemClock, WorklistFilter, errors, tables
from webforms.bench import load_p, workload
from webforms.heartbeat import Heartbeat

READS = 200
COMPLETIONS = 60
PEOPLE = 4

Figures = Mapping[str, float]
_instance: Any = tables.ProcessInstance.__table__
_timer: Any = tables.Timer.__table__


def percentile(values: list[float], part: float = 0.95) -> float:
    """The value that this part of the measured ones does not exceed."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 3)


def timed(act: Callable[[int], object], times: int) -> list[float]:
    """Milliseconds of each call; one call before, unmeasured."""
    act(0)
    taken = []
    for number in range(times):
        began = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def leaders(engine: ProcessEngine) -> Mapping[str, Actor]:
    """Who looks at the whole city, at a county, at a town, at a village."""
    above = engine.identity.actor(load_p.LEADER)
    units = {
        "city": load_p.CITY,
        "county": f"{load_p.village(0)[:6]}000000",
        "town": f"{load_p.village(0)[:9]}000",
        "village": load_p.village(0),
    }
    return {
        name: replace(above, id=f"bench_{name}", seats=(Seat(role="county_clerk", unit=unit),))
        for name, unit in units.items()
    }


def lists(engine: ProcessEngine, shape: load_p.Shape) -> Figures:
    """First pages: a clerk's inbox with its counts, what leaders and searchers look at."""
    step = max(1, shape.villages // 100)
    numbers = range(0, shape.villages, step)
    clerks = [engine.identity.actor(load_p.clerk(number)) for number in numbers]

    def inbox(number: int) -> None:
        clerk = clerks[number % len(clerks)]
        engine.worklist.page(clerk, filter=WorklistFilter(), limit=50)
        engine.worklist.counts(clerk)

    found = timed(inbox, READS)
    figures = {
        "inbox_and_counts_p50": percentile(found, 0.5),
        "inbox_and_counts_p95": percentile(found),
    }
    for name, actor in leaders(engine).items():
        asked: Mapping[str, Callable[[Actor], object]] = {
            "overdue": engine.worklist.overdue,
            "open_below": engine.worklist.open_below,
            "yellow": engine.worklist.warned,
            "load": engine.worklist.load,
            "cases": engine.runtime.instances,
        }
        for what, ask in asked.items():
            figures[f"{what}_{name}_p95"] = percentile(
                timed(lambda _, ask=ask, actor=actor: ask(actor), 20)  # type: ignore[misc]  # the defaults bind the loop
            )
    officer = engine.identity.actor(workload.OFFICER)
    cases = _finished(engine, 50)
    figures["history_p95"] = percentile(
        timed(lambda n: engine.history.timeline(cases[n % len(cases)], officer), READS)
    )
    figures["done_by_p95"] = percentile(timed(lambda _: engine.worklist.done_by(officer), 50))
    return figures


def completions(engine: ProcessEngine) -> Figures:
    """Starting a case of W and completing its first task: CPU and wall, medians."""
    clerk = engine.identity.actor(workload.clerk_of(0))
    cpu, wall = [], []
    for number in range(COMPLETIONS):
        case = workload.start(engine, 50_000_000 + number * len(workload.VILLAGES), clerk)
        task = engine.worklist.of_instance(case, clerk, open_only=True)[0]
        began, used = time.perf_counter(), time.thread_time()
        engine.tasks.complete(task.id, clerk, workload.ANSWER)
        cpu.append((time.thread_time() - used) * 1e3)
        wall.append((time.perf_counter() - began) * 1e3)
    return {
        "completion_cpu_ms": round(statistics.median(cpu[5:]), 3),
        "completion_wall_ms": round(statistics.median(wall[5:]), 3),
    }


def beginning(url: str, folder: str) -> Figures:
    """A process begins beside a million timers: its engine, its first look, its next instant."""
    began = time.perf_counter()
    engine = ProcessEngine(url, clock=SystemClock(), files=Path(folder) / "files")
    engine.management.next_due()
    looked = time.perf_counter()
    engine.management.run_due()
    ready = time.perf_counter()
    again = timed(lambda _: engine.management.next_due(), 50)
    engine.close()
    return {
        "begin_ms": round((looked - began) * 1e3, 1),
        "first_beat_ms": round((ready - looked) * 1e3, 1),
        "next_due_ms_p95": percentile(again),
    }


def waking(engine: ProcessEngine, times: int = 5) -> Figures:
    """How late the firing of a timer is seen that becomes due while the heart waits."""
    late = []
    heart = Heartbeat(engine)
    heart.start()
    try:
        for _ in range(times):
            due = engine.clock.now() + timedelta(seconds=0.43)
            load_p.make_due(engine, 1, due)
            while _is_pending(engine, due):
                threading.Event().wait(0.005)
            late.append((engine.clock.now() - due).total_seconds() * 1e3)
    finally:
        heart.stop()
    return {"timer_late_ms_max": round(max(late), 1)}


def draining(engine: ProcessEngine, shape: load_p.Shape, number: int) -> Figures:
    """`number` timers of one instant are fired while people open lists and complete tasks."""
    due = load_p.make_due(engine, number, engine.clock.now() - timedelta(seconds=1))
    over = threading.Event()
    taken: list[float] = []
    people = [
        threading.Thread(target=_person, args=(engine, shape, one, over, taken))
        for one in range(PEOPLE)
    ]
    for person in people:
        person.start()
    began, used, fired = time.perf_counter(), time.thread_time(), 0
    # What people complete meanwhile takes its timer with it: there is nothing left to fire there.
    while ran := engine.management.run_due(limit=200):
        fired += ran
    wall, cpu = time.perf_counter() - began, time.thread_time() - used
    over.set()
    for person in people:
        person.join()
    return {
        "due": due,
        "drained": fired,
        "drained_per_s": round(fired / wall, 1),
        "drained_per_cpu_s": round(fired / cpu, 1),
        "people_acts": len(taken),
        "people_ms_p50": percentile(taken, 0.5),
        "people_ms_p95": percentile(taken),
    }


def _person(
    engine: ProcessEngine,
    shape: load_p.Shape,
    number: int,
    over: threading.Event,
    taken: list[float],
) -> None:
    """Opens the list, completes the first task of it, thinks for a moment, again."""
    clerk = engine.identity.actor(load_p.clerk(number * 7 % shape.villages))
    while not over.is_set():
        began = time.perf_counter()
        page = engine.worklist.page(clerk, filter=WorklistFilter(), limit=30)
        engine.worklist.counts(clerk)
        taken.append((time.perf_counter() - began) * 1e3)
        if page.rows:
            began = time.perf_counter()
            try:
                engine.tasks.complete(page.rows[-1].id, clerk, workload.ANSWER)
            except errors.Rejected:
                continue
            taken.append((time.perf_counter() - began) * 1e3)
        over.wait(0.05)


def load() -> float:
    """Processes that wanted the machine over the last minute."""
    return round(os.getloadavg()[0], 1)


def _finished(engine: ProcessEngine, number: int) -> list[str]:
    query = select(_instance.c.id).where(_instance.c.ended_at.is_not(None)).limit(number)
    with engine.read() as session:
        return list(session.scalars(query))


def _is_pending(engine: ProcessEngine, due: Any) -> bool:
    with engine.read() as session:
        return session.scalar(select(_timer.c.id).where(_timer.c.due_at == due)) is not None
