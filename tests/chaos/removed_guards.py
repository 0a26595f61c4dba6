"""The control: take one guard out of a process and the judge must find what it kept away.

Nothing in the product can be switched like this; the harness replaces parts of its own process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import bindparam

from engine.execution import job_executor, outside
from engine.execution.work import Work
from engine.services.runtime import RuntimeService
from engine.services.tasks import TaskService
from engine.store import database, human_tasks, instances, timers, transaction

#: of the transactions whose end is told and does not come about
NOT_DONE = 0.02


def _timer() -> None:
    """Fire what was once found due, whether or not its row is still there."""
    seen: dict[str, Any] = {}

    def firing(self: Any, row: Any) -> Callable[[Work], None]:
        with self._environment.database.read() as tx:
            timer = seen.setdefault(row.id, tx.first(timers.THIS, timers.key_of(row)))

        def act(work: Work) -> None:
            work.tx.write(timers.TAKE, timers.key_of(row))
            if timer is not None and timer.element in work.state.elements:
                self._fire_taken(work, timer)

        return act

    job_executor.JobExecutor._firing = firing


def _key() -> None:
    """Call the outside under another key each time, and settle whoever's answer comes."""
    call = outside.call

    def called(environment: Any, declared: Any, job: Any, *more: Any, **named: Any) -> Any:
        class Renamed:
            key = f"{job.key}-{random.randrange(10**9)}"

            def __getattr__(self, name: str) -> Any:
                return getattr(job, name)

        return call(environment, declared, Renamed(), *more, **named)

    outside.call = called


def _revision() -> None:
    """Write a case and its task over whatever somebody else wrote meanwhile."""
    _unguarded(instances.SAVE)
    _unguarded(instances.SAVE_MOVED)
    guarded = human_tasks.change
    human_tasks.change = lambda columns: _unguarded(guarded(columns))
    numbered = Work._numbered_facts

    def anew(self: Work) -> list[dict[str, Any]]:
        row = self.tx.first(instances.BY_ID_LOCKED, {"instance_id": self.instance.id})
        if row is not None:
            self.instance.fact_count, self.instance.fact_hash = row.fact_count, row.fact_hash
        return numbered(self)

    Work._numbered_facts = anew


def _together() -> None:
    """On SQLite besides: read before the transaction begins, and let writers in at once.

    There the revision alone guards nothing: BEGIN IMMEDIATE has kept everybody else out already.
    """
    _revision()
    numbered = Work._numbered_facts

    def anew(self: Work) -> list[dict[str, Any]]:
        self.tx.begin_late()
        return numbered(self)

    Work._numbered_facts = anew
    database.Transaction = _Late

    @contextmanager
    def write(self: Any, *, lazily: bool = False) -> Iterator[Any]:
        yield from self._transaction(writes=True)

    database.Database.write = write
    database.Database._writers_own = lambda self: self.engine.raw_connection()


class _Late(database.Transaction):
    """Begins with its first write, whatever was read before."""

    __slots__ = ("_wanted",)

    def __init__(self, *given: Any) -> None:
        self._wanted = ""
        super().__init__(*given)

    def begin(self, command: str) -> None:
        if "IMMEDIATE" in command:
            self._wanted = command
        else:
            super().begin(command)

    def begin_late(self) -> None:
        command, self._wanted = self._wanted, ""
        if command:
            super().begin(command)

    @property
    def connection(self) -> Any:
        self.begin_late()
        return super().connection

    def write(self, *given: Any) -> int:
        self.begin_late()
        return super().write(*given)

    def write_all(self, *given: Any) -> None:
        self.begin_late()
        super().write_all(*given)

    def close(self, *, keep_connection: bool = False) -> None:
        super().close()


def _answer() -> None:
    """Forget which request completed a task, so that its repetition is a stranger's."""
    complete = TaskService.complete

    def completed(self: Any, *given: Any, key: str = "", **named: Any) -> Any:
        return complete(self, *given, **named)

    TaskService.complete = completed


def _unguarded(statement: Any) -> Any:
    table = statement._core.table
    wanted = "instance_id" if table is instances.ProcessInstance.__table__ else "task_id"
    core = statement._core._generate()
    core._where_criteria = (table.c.id == bindparam(wanted),)
    statement._core = core
    statement._prepared.clear()
    return statement


def _begun() -> None:
    """Forget which request began a case, so that its repetition begins another."""
    start = RuntimeService.start

    def started(self: Any, *given: Any, idempotency_key: str = "", **named: Any) -> Any:
        return start(self, *given, **named)

    RuntimeService.start = started


def _commit() -> None:
    """Say that it is done, and now and then it is not."""
    commit = database.Transaction.commit

    def said(self: Any) -> None:
        if random.random() < NOT_DONE:
            self.rollback()
        else:
            commit(self)

    database.Transaction.commit = said
    finish = transaction.LazyTransaction.finish

    def said_alone(self: Any, writes: Any) -> list[int]:
        if self._begun or random.random() >= NOT_DONE:
            return finish(self, writes)
        self._deferred = None
        return [1] * len(writes)

    transaction.LazyTransaction.finish = said_alone


GUARDS: dict[str, Callable[[], None]] = {
    "timer": _timer,
    "key": _key,
    "revision": _revision,
    "together": _together,
    "answer": _answer,
    "begun": _begun,
    "commit": _commit,
}


def remove(guard: str) -> None:
    """Take this guard out of the process at hand; nothing for an empty name."""
    if guard:
        GUARDS[guard]()
