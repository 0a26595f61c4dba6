"""Every question of a full working day is answered from an index, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from engine import SYSTEM, DueFilter, ProcessEngine, SystemClock, WorklistFilter
from engine.model.process import InstanceStatus
from engine.services.attendance import Attendance
from engine.store import pauses, timers, worklists
from engine.store.database import Transaction
from engine.store.statement import Statement
from engine.store.transaction import raw_cursor
from webforms.bench import bars, load_p, workload

pytestmark = pytest.mark.slow

BIG = ("human_task", "process_instance", "timer", "history_fact")
SHAPE = load_p.Shape(villages=300, open_tasks=100_000, timers=50_000, finished=1_000)
MONTH = timedelta(days=31)
#: indexes of every open task: whoever reads one of them from its beginning reads them all
FULL = re.compile(r"ix_human_task_(seat|watch|step|done)")
Asked = list[tuple[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Province:
    engine: ProcessEngine

    @contextmanager
    def listening(self, patch: pytest.MonkeyPatch) -> Iterator[Asked]:
        """Every statement that is run meanwhile, prebuilt or not."""
        asked: Asked = []
        rows = Transaction.rows

        def spy(tx: Transaction, statement: Any, values: Any = None) -> list[Any]:
            prepared = statement.prepared(tx.dialect)
            asked.append((prepared.sql, prepared.bind(values or {})))
            return rows(tx, statement, values)

        def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_more: Any) -> None:
            asked.append((sql, values))

        patch.setattr(Transaction, "rows", spy)
        event.listen(self.engine.database.engine, "before_cursor_execute", note)
        yield asked
        event.remove(self.engine.database.engine, "before_cursor_execute", note)

    def plan(self, sql: str, values: Any) -> list[str]:
        pooled = self.engine.database.engine.raw_connection()
        try:
            engine = self.engine.database.engine
            # Statements built for one call come in the words of the driver.
            cursor = raw_cursor(engine, pooled) if "$1" in sql else pooled.cursor()
            lite = self.engine.database.is_sqlite
            cursor.execute(("EXPLAIN QUERY PLAN " if lite else "EXPLAIN ") + sql, values)
            return [str(row[3] if lite else row[0]).strip() for row in cursor.fetchall()]
        finally:
            pooled.rollback()
            pooled.close()


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.huge])],
)
def province(request, tmp_path_factory) -> Iterator[Province]:
    folder: Path = tmp_path_factory.mktemp("province")
    url = f"sqlite:///{folder / 'province.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create("province_plans")
    engine = ProcessEngine(url, clock=SystemClock(), files=folder / "files")
    workload.install(engine)
    load_p.build(engine, SHAPE)
    yield Province(engine=engine)
    engine.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").drop("province_plans")


def full_scans(plan: list[str]) -> list[str]:
    """Lines that read a whole big table, or a whole index of one without stopping early."""
    sorts = any("TEMP B-TREE FOR ORDER BY" in line for line in plan)
    found = []
    for line in plan:
        lite = re.match(rf"SCAN ({'|'.join(BIG)})\b(.*)", line)
        if lite and ("USING" not in lite[2] or sorts or FULL.search(lite[2])):
            found.append(line)
        if re.search(rf"Seq Scan on ({'|'.join(BIG)})\b", line):
            found.append(line)
    return found


def questions(engine: ProcessEngine) -> dict[str, Callable[[], object]]:
    clerk = engine.identity.actor(load_p.clerk(7))
    officer = engine.identity.actor(workload.OFFICER)
    with engine.read() as session:
        finished = session.scalars(
            bars.select(bars._instance.c.id).where(bars._instance.c.ended_at.is_not(None)).limit(1)
        ).one()
    asked: dict[str, Callable[[], object]] = {
        "inbox": lambda: engine.worklist.page(clerk, filter=WorklistFilter()),
        "inbox, late ones": lambda: engine.worklist.page(
            clerk, filter=WorklistFilter(due=DueFilter.OVERDUE)
        ),
        "counts": lambda: engine.worklist.counts(clerk),
        "done": lambda: engine.worklist.done_by(officer),
        "time line": lambda: engine.history.timeline(finished, officer),
        "picture": lambda: engine.history.overlay(finished, officer),
        "case": lambda: engine.runtime.instance(finished, SYSTEM),
        "next instant": engine.management.next_due,
        "nothing due": engine.management.run_due,
        "housekeeping": lambda: Attendance(
            engine.management._environment
        ).refresh(),  # anew, as after a start
        "health": engine.management.health,
    }
    people = {**bars.leaders(engine), "clerk": clerk, "officer": officer}
    for name, actor in people.items():
        asked |= {
            f"late below {name}": lambda a=actor: engine.worklist.overdue(a),
            f"open below {name}": lambda a=actor: engine.worklist.open_below(a),
            f"yellow below {name}": lambda a=actor: engine.worklist.warned(a),
            f"load below {name}": lambda a=actor: engine.worklist.load(a),
            f"unattended below {name}": lambda a=actor: engine.worklist.unattended(a),
            f"circular of {name}": lambda a=actor: engine.supervision.to_be_named(
                a, since=engine.clock.now() - MONTH, until=engine.clock.now()
            ),
            f"circular of {name}, whole cases": lambda a=actor: (
                engine.supervision.cases_to_be_named(
                    a, since=engine.clock.now() - MONTH, until=engine.clock.now()
                )
            ),
            f"cases of {name}": lambda a=actor: engine.runtime.instances(a),
            f"open cases of {name}": lambda a=actor: engine.runtime.instances(
                a, process_key=workload.KEY, status=InstanceStatus.ACTIVE
            ),
        }
    return asked


def test_no_question_of_the_day_reads_a_whole_table(province, monkeypatch) -> None:
    found: dict[str, list[str]] = {}
    for name, ask in questions(province.engine).items():
        ask()
        with monkeypatch.context() as patch, province.listening(patch) as asked:
            ask()
        assert asked
        for sql, values in asked:
            if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            bad = full_scans(province.plan(sql, values))
            if bad:
                found[name] = [*bad, sql[:200]]
    assert found == {}


def test_the_judge_of_plans_sees_a_scan(province) -> None:
    scan = province.plan("SELECT id FROM human_task WHERE subject || name = 'x'", ())
    assert full_scans(scan)


def test_timers_due_at_one_midnight_are_taken_without_sorting_them(province) -> None:
    engine = province.engine
    prepared = timers.DUE.prepared(engine.database.engine.dialect)
    plan = province.plan(prepared.sql, prepared.bind({"now": engine.clock.now(), "limit": 200}))
    assert not [line for line in plan if "B-TREE" in line or "Sort" in line], plan


def test_pauses_of_callers_and_cases_called_are_found_by_index(province) -> None:
    with province.engine.read() as session:
        case = session.scalars(select(bars._instance.c.id).limit(1)).one()
    asked = {"parent_id": case, "parent_element": 1}
    for statement in (pauses.OF_CALLERS, pauses.CALLED):
        prepared = statement.prepared(province.engine.database.engine.dialect)
        plan = province.plan(prepared.sql, prepared.bind(asked))
        assert not full_scans(plan), plan
        assert any("process_instance" in line for line in plan)


def test_what_is_open_in_a_county_is_read_from_one_index_in_its_order(province) -> None:
    engine = province.engine
    asked = {
        "shard": load_p.village(0)[:6], "after_at": worklists.BEGINNING[0], "after_id": "",
        "until": engine.clock.now() + MONTH, "limit": 500, "before": 499, "first": "000000",
        "last": "999999",
    }  # fmt: skip
    window = Statement(select(worklists.WINDOW))
    for statement in (worklists.IN_SHARD, worklists.END_OF_WINDOW, worklists.SHARDS, window):
        prepared = statement.prepared(engine.database.engine.dialect)
        plan = province.plan(prepared.sql, prepared.bind(asked))
        assert any("ix_human_task_watch" in line for line in plan), plan
        assert not [line for line in plan if "B-TREE" in line or "Sort" in line], plan
        if engine.database.is_sqlite:
            tables = [line for line in plan if "ix_human_task_watch" in line]
            assert all("COVERING INDEX" in line for line in tables), plan


@pytest.mark.parametrize("search", [None, "户"])
def test_finished_cases_are_found_without_a_walk_past_the_open_ones(
    province, monkeypatch, search
) -> None:
    engine = province.engine
    some = engine.runtime.instances(SYSTEM, status=InstanceStatus.COMPLETED, limit=20)
    assert len(some.rows) == 20
    for actor in (SYSTEM, *bars.leaders(engine).values()):

        def ask(status, a=actor):
            return engine.runtime.instances(a, status=status, search=search, limit=20)

        for status in (InstanceStatus.COMPLETED, InstanceStatus.FAILED):
            ask(status)
            with monkeypatch.context() as patch, province.listening(patch) as asked:
                ask(status)
            lists = [one for one in asked if "process_instance.status" in one[0]]
            assert lists
            for sql, values in lists:
                plan = province.plan(sql, values)
                assert not walks_open(plan), (actor.id, status, sql, plan)


def walks_open(plan: list[str]) -> list[str]:
    """Lines that read cases in an order in which open ones stand among the others."""
    found = []
    for line, following in zip(plan, [*plan[1:], ""], strict=True):
        lite = re.match(r"(SCAN|SEARCH) (process_instance|following)\b(.*)", line)
        by_key = "(id=?)" in line or re.match(r"Index Cond: \(+id\)?(::\w+)? = ", following)
        by_own = re.search(r"ix_process_instance_(starter|ended|business_key)\b", line)
        full = re.search(r"Scan .*on process_instance\b|Scan .*on following\b", line)
        # Two indexes cut with each other: what is read is over, and in the unit.
        if line.startswith("->  Bitmap Heap Scan") and any("_ended" in one for one in plan):
            continue
        if (lite or full) and not by_key and not by_own:
            found.append(line)
    return found


def test_the_judge_of_walks_sees_one(province) -> None:
    shard = load_p.village(0)[:6]
    plan = province.plan(
        f"SELECT id FROM process_instance WHERE shard = '{shard}' ORDER BY id DESC LIMIT 5", ()
    )
    assert walks_open(plan)
