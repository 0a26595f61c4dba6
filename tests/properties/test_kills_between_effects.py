"""A process killed between any two effects: after its restart the case ends as if never killed."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import SYSTEM, Ladder, LadderAction, Package, ProcessEngine, Rung, TravellingClock
from engine.execution import settle
from engine.store.database import Transaction
from tests.properties.random_models import PICKS, SCOPES, STAFFED, blocks, document

START = datetime(2026, 1, 4, 1, tzinfo=UTC)
VILLAGE = "349898101201"
BLOCKS = blocks(tuple(scope for scope in SCOPES if scope != "leaving"))
LADDER = Ladder(name="default", rungs=(Rung(at="due", action=LadderAction.OVERDUE),))


class Killed(BaseException):
    """The process is gone; nobody catches that."""


class Killer:
    """Kills at the n-th moment: before an effect, a statement, a commit, or right behind one."""

    def __init__(self) -> None:
        self.moments = 0
        self.kill_at: int | None = None
        self.kills = 0

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.kill_at:
            self.kills += 1
            raise Killed

    @contextmanager
    def at_work(self) -> Iterator[None]:
        settlers = dict(settle._SETTLERS)
        methods = {name: getattr(Transaction, name) for name in ("write", "write_all", "commit")}

        def before(real: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                self.moment()
                return real(*arguments)

            return run

        def around(real: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                self.moment()
                answer = real(*arguments)
                self.moment()
                return answer

            return run

        for kind, real in settlers.items():
            settle._SETTLERS[kind] = before(real)
        for name, method in methods.items():
            setattr(Transaction, name, (around if name == "commit" else before)(method))
        try:
            yield
        finally:
            settle._SETTLERS.update(settlers)
            for name, method in methods.items():
                setattr(Transaction, name, method)


class Bureau:
    """One database file and a process that serves it until it is killed."""

    def __init__(self, folder: Path, xml: bytes) -> None:
        self.path = folder / "bureau.db"
        self.folder = folder
        self.clock = TravellingClock(START)
        self.serve()
        self.engine.create_schema()
        self.engine.identity.create_participant("wang", name="王经办", login="wang")
        self.engine.identity.assign_seat("wang", "clerk", VILLAGE)
        self.engine.repository.deploy(
            Package(
                key="p",
                title="事项",
                version_tag="1",
                bpmn="p.bpmn",
                files={"p.bpmn": xml},
                roles={"clerk": "经办人"},
                starters=("clerk",),
                ladders={"default": LADDER},
            ),
            SYSTEM,
        )

    def serve(self) -> None:
        self.engine = ProcessEngine(
            f"sqlite:///{self.path}", clock=self.clock, files=self.folder / "files"
        )

    def restart(self) -> None:
        self.engine.close()
        self.serve()

    def rows(self) -> list[str]:
        with sqlite3.connect(self.path) as connection:
            return list(connection.iterdump())

    def open_tasks(self) -> list[Any]:
        clerk = self.engine.identity.actor("wang")
        return sorted(
            self.engine.worklist.page(clerk, limit=200).rows,
            key=lambda row: (row.activity_id, row.id),
        )

    def story(self) -> list[tuple[str, str | None]]:
        """What every case of this database went through, and how it stands."""
        told: list[tuple[str, str | None]] = []
        for case in self.engine.runtime.instances(SYSTEM).rows:
            facts = self.engine.history.timeline(case.id, SYSTEM, limit=10_000).rows
            told += [(fact.kind, fact.activity_id) for fact in facts]
            told.append((case.status, None))
        assert not self.engine.history.verify()
        return told


def play(bureau: Bureau, picks: list[bool], order: list[int], killer: Killer | None) -> list:
    """Start a case and do what waits in turn, or let a day pass; killed at random on the way."""
    chance = random.Random(str((picks, order)))

    def acknowledged(deed: Callable[[], object], is_done: Callable[[], bool]) -> None:
        if killer is not None:
            killer.moments, killer.kill_at = 0, chance.randint(1, 30)
            before = bureau.rows()
            try:
                with killer.at_work():
                    deed()
            except Killed:
                bureau.restart()
            else:
                return
            if not is_done():
                assert bureau.rows() == before, "half a command is in the database"
            bureau.engine.management.run_due()
            if is_done():
                return
        deed()

    acknowledged(
        lambda: bureau.engine.runtime.start(
            "p", SYSTEM, variables={"pick": picks}, region=VILLAGE, title="事"
        ),
        lambda: bool(bureau.engine.runtime.instances(SYSTEM).rows),
    )
    for turn in range(30):
        # No two deeds at the same instant: what is due together keeps its order over a restart.
        bureau.clock.advance(timedelta(seconds=1))
        bureau.engine.management.run_due()
        tasks = bureau.open_tasks()
        choice = order[turn % len(order)] % (len(tasks) + 1)
        if choice < len(tasks):
            task = tasks[choice]
            acknowledged(
                lambda task_id=task.id: bureau.engine.tasks.complete(
                    task_id, bureau.engine.identity.actor("wang"), {}
                ),
                lambda task_id=task.id: all(row.id != task_id for row in bureau.open_tasks()),
            )
        elif bureau.engine.management.next_due() is not None:
            bureau.clock.advance(timedelta(days=1, seconds=1))
            while bureau.engine.management.next_due() is not None and run_out(
                bureau, killer, chance
            ):
                pass
        elif not tasks:
            break
    return bureau.story()


def run_out(bureau: Bureau, killer: Killer | None, chance: random.Random) -> int:
    """Do what is due, killed once on the way; how much there was."""
    if killer is not None:
        killer.moments, killer.kill_at = 0, chance.randint(1, 30)
        try:
            with killer.at_work():
                return bureau.engine.management.run_due()
        except Killed:
            # What is due at once fires together: killed each time, it would never be over.
            bureau.restart()
            return bureau.engine.management.run_due() or 1
    return bureau.engine.management.run_due()


def killed(examples: int) -> int:
    """Play random models with and without kills; how many kills there were."""
    killer = Killer()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(BLOCKS, PICKS, st.lists(st.integers(0, 5), min_size=1, max_size=5))
    def run(block, picks, order):
        xml = document(block, STAFFED)
        assert story(xml, picks, order, killer) == story(xml, picks, order, None)

    run()
    return killer.kills


def story(xml: bytes, picks: list[bool], order: list[int], killer: Killer | None) -> list:
    with tempfile.TemporaryDirectory() as folder:
        bureau = Bureau(Path(folder), xml)
        try:
            return play(bureau, picks, order, killer)
        finally:
            bureau.engine.close()


def test_a_case_killed_between_effects_ends_as_if_it_never_was():
    assert killed(15) > 15


@pytest.mark.slow
def test_a_hundred_cases_killed_between_effects_end_as_if_they_never_were():
    assert killed(100) > 200
