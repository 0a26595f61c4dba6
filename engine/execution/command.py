"""One command = one transaction on one instance; nowhere else does one begin or end.

Load the snapshot, let the command work on it, write what it gathered under the guard of the
revision, COMMIT. A lost race begins again, at the fourth time behind a row lock. What the commit
left to do at once (a child to start, a caller to tell) is done by the same caller right after it;
if he dies first, the heartbeat finds the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from engine.execution import pauses
from engine.execution.environment import Environment
from engine.execution.settle import settle_variables
from engine.execution.snapshot import Snapshot
from engine.execution.work import Work
from engine.model.actor import Actor
from engine.model.errors import NotFound, Stale
from engine.store import human_tasks, instances
from engine.store.database import LostRace, Transaction

_Answer = TypeVar("_Answer")
OPTIMISTIC_ATTEMPTS = 3


def write_out(work: Work) -> None:
    """What a command and its operations did is in the database, clocks and pauses with it.

    Raises LostRace.
    """
    settle_variables(work)
    pauses.follow(work)
    work.flush()


class Commands:
    """Runs commands; hands their follow-up jobs to whoever drains them."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        #: set by the job executor
        self.drain: Callable[[Sequence[str]], None] = lambda _jobs: None

    def on_instance(
        self, instance_id: str, actor: Actor, act: Callable[[Work], _Answer]
    ) -> _Answer:
        """Run a command on one instance and then what it left to do at once.

        Raises NotFound, and what `act` raises; then nothing has changed.
        """
        answer, follow_up = self.run_on_instance(instance_id, actor, act)
        self.finish(follow_up)
        return answer

    def on_task(self, task_id: str, actor: Actor, act: Callable[[Work, Any], _Answer]) -> _Answer:
        """The same on the instance of a task; `act` also gets the row of the task."""

        def load(tx: Transaction, lock: bool) -> tuple[Work, Any]:
            row = self._task_row(tx, task_id)
            if lock:
                tx.first(instances.BY_ID_LOCKED, {"instance_id": row.instance_id})
                row = self._task_row(tx, task_id)
            return self._work(tx, Snapshot.beside(row), actor), row

        answer, follow_up = self._repeat(load, lambda loaded: (loaded[0], act(*loaded)))
        self.finish(follow_up)
        return answer

    def run_on_instance(
        self, instance_id: str, actor: Actor, act: Callable[[Work], _Answer]
    ) -> tuple[_Answer, list[str]]:
        """As `on_instance`, but leaves the follow-up jobs to the caller."""

        def load(tx: Transaction, lock: bool) -> Work:
            statement = instances.BY_ID_LOCKED if lock else instances.BY_ID
            row = tx.first(statement, {"instance_id": instance_id})
            if row is None:
                raise NotFound("没有这个事项")
            return self._work(tx, Snapshot.of(row), actor)

        return self._repeat(load, lambda work: (work, act(work)))

    def apart(self, act: Callable[[Transaction], tuple[_Answer, list[str]]]) -> _Answer:
        """A transaction on no existing instance (a new one, a register), then its follow-ups."""
        with self.environment.database.write() as tx:
            answer, follow_up = act(tx)
        self.finish(follow_up)
        return answer

    def _repeat(
        self,
        load: Callable[[Transaction, bool], Any],
        act: Callable[[Any], tuple[Work, _Answer]],
    ) -> tuple[_Answer, list[str]]:
        database = self.environment.database
        for attempt in range(OPTIMISTIC_ATTEMPTS + 3):
            lock = attempt >= OPTIMISTIC_ATTEMPTS and not database.is_sqlite
            try:
                # Who lost a race once wants to see each write and what it hit.
                with database.write(lazily=attempt == 0) as tx:
                    work, answer = act(load(tx, lock))
                    write_out(work)
            except LostRace:
                continue
            return answer, work.follow_up
        raise Stale

    def _work(self, tx: Transaction, snapshot: Snapshot, actor: Actor) -> Work:
        deployed = self.environment.programs.by_id(tx, snapshot.definition_id)
        return Work(self.environment, tx, self.environment.clock.now(), actor, snapshot, deployed)

    @staticmethod
    def _task_row(tx: Transaction, task_id: str) -> Any:
        row = tx.first(human_tasks.WITH_INSTANCE, {"task_id": task_id})
        if row is None:
            raise NotFound("没有这件待办")
        return row

    def finish(self, follow_up: Sequence[str]) -> None:
        """Do what a commit left to do at once, then wake the heartbeat."""
        if follow_up:
            self.drain(follow_up)
        self.environment.wake()
