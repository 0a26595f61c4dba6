"""One command at work on one instance: what was read, what changed, what will be written.

Rows are gathered and written together at the end, so that a completed task costs the same few
statements however many things it leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.execution.environment import Environment
from engine.execution.programs import Deployed
from engine.execution.snapshot import Snapshot, pack
from engine.kernel import codec
from engine.kernel.state import State
from engine.model.actor import SYSTEM, Actor
from engine.model.facts import Fact
from engine.model.process import InstanceStatus
from engine.store import (
    history,
    human_tasks,
    incidents,
    instances,
    jobs,
    outbox,
    subscriptions,
    timers,
)
from engine.store.base import FAR_FUTURE
from engine.store.database import LostRace, Transaction
from engine.store.statement import Statement

_Rows = list[dict[str, Any]]
#: a page of a time line reads whole rows
_FACTS_A_ROW = 100
#: so many new rows go with the instance as one statement; each mix of rows is a plan to remember
_FEW = 5


@dataclass(slots=True, kw_only=True)
class PendingFact:
    """A fact not yet numbered; element tells which of the kernel's records it can absorb."""

    kind: str
    activity_id: str | None = None
    task_id: str | None = None
    detail: dict[str, object] = field(default_factory=dict)
    element: int | None = None
    by: Actor | None = None


@dataclass(slots=True)
class Work:
    """The unit of work of one command."""

    environment: Environment
    tx: Transaction
    now: datetime
    actor: Actor
    instance: Snapshot
    deployed: Deployed
    facts: list[PendingFact] = field(default_factory=list)
    #: open tasks made by this command, by element
    tasks: dict[int, dict[str, Any]] = field(default_factory=dict)
    armed: list[dict[str, Any]] = field(default_factory=list)
    disarmed: list[tuple[str, int]] = field(default_factory=list)
    subscribed: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    #: task elements closed by this command: their facts absorb the kernel's record
    closed: dict[int, PendingFact] = field(default_factory=dict)
    #: the human task on whose behalf operations run
    task: Any = None
    #: root variables an operation set; they enter the state with the next step
    pending_variables: dict[str, object] = field(default_factory=dict)
    #: jobs to run right after the commit, in order
    follow_up: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The state as it stands after the steps so far."""
        return self.instance.state

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return self.environment.ids.new()

    def record(
        self,
        kind: str,
        *,
        activity_id: str | None = None,
        task_id: str | None = None,
        detail: Mapping[str, object] | None = None,
        element: int | None = None,
    ) -> PendingFact:
        """Append a fact to the instance's chain with the commit."""
        fact = PendingFact(
            kind=kind,
            activity_id=activity_id,
            task_id=task_id,
            detail=dict(detail) if detail else {},
            element=element,
        )
        self.facts.append(fact)
        return fact

    def arm(
        self,
        *,
        kind: str,
        element: int,
        node_id: str,
        at: datetime,
        task_id: str | None = None,
        rung: int | None = None,
        length: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """A timer row with the commit."""
        due_at = FAR_FUTURE if self.instance.status is InstanceStatus.SUSPENDED else at
        self.armed.append(
            {
                "id": self.new_id(),
                "shard": self.instance.shard,
                "instance_id": self.instance.id,
                "kind": kind,
                "element": element,
                "node_id": node_id,
                "task_id": task_id,
                "rung": rung,
                "planned_at": at,
                "due_at": due_at,
                "attempts": 0,
                "length": length,
                "since": since,
            }
        )

    def disarm(self, kind: str, element: int) -> None:
        """Forget the timer of this kind of an element, whether written or still gathered."""
        for row in self.armed:
            if row["kind"] == kind and row["element"] == element:
                self.armed.remove(row)
                return
        self.disarmed.append((kind, element))

    def queue(
        self,
        kind: str,
        arguments: Mapping[str, object],
        *,
        instance_id: str | None = None,
        shard: str | None = None,
        element: int | None = None,
        key: str | None = None,
        at_once: bool = True,
    ) -> str:
        """A job row with the commit; `at_once` runs it right after, in this process."""
        job_id = self.new_id()
        self.jobs.append(
            {
                "id": job_id,
                "shard": shard or self.instance.shard,
                "kind": kind,
                "instance_id": instance_id,
                "element": element,
                "key": key,
                "arguments": codec.encode({**arguments, "by": self._behind()}),
                "status": jobs.QUEUED,
                "run_at": self.now,
                "created_at": self.now,
                "attempts": 0,
                "error": None,
            }
        )
        if at_once:
            self.follow_up.append(job_id)
        return job_id

    def _behind(self) -> list[str] | None:
        return None if self.actor is SYSTEM else [self.actor.id, self.actor.name]

    def notify(
        self,
        message: str,
        audience: Mapping[str, object],
        data: Mapping[str, object] | None = None,
        *,
        task_id: str | None = None,
    ) -> None:
        """An outbox row with the commit."""
        self.messages.append(
            {
                "id": self.new_id(),
                "shard": self.instance.shard,
                "message": message,
                "audience": dict(audience),
                "data": dict(data or {}),
                "process_key": self.instance.process_key,
                "definition_id": self.instance.definition_id,
                "instance_id": self.instance.id,
                "task_id": task_id,
                "created_at": self.now,
                "status": outbox.QUEUED,
                "next_at": self.now,
                "attempts": 0,
            }
        )

    def raise_incident(
        self,
        *,
        kind: str,
        message: str,
        element: int | None = None,
        activity_id: str | None = None,
        job_id: str | None = None,
        timer_id: str | None = None,
        attempts: int = 0,
    ) -> None:
        """An incident row with the commit; a running instance is marked."""
        self.incidents.append(
            {
                "id": self.new_id(),
                "shard": self.instance.shard,
                "instance_id": self.instance.id,
                "region": self.instance.region,
                "element": element,
                "activity_id": activity_id,
                "kind": kind,
                "message": message,
                "at": self.now,
                "attempts": attempts,
                "job_id": job_id,
                "timer_id": timer_id,
                "resolved_at": None,
                "resolved_by": None,
            }
        )
        if self.instance.status is InstanceStatus.ACTIVE:
            self.instance.status = InstanceStatus.INCIDENT
        self.record(
            Fact.INCIDENT_RAISED, activity_id=activity_id, detail={"kind": kind, "message": message}
        )

    def end(self, status: InstanceStatus, reason: str | None = None) -> None:
        """The instance is over."""
        self.instance.status = status
        self.instance.ended_at = self.now
        self.instance.end_reason = reason[:500] if reason else None

    def change_task(self, row: Any, **changes: Any) -> None:
        """Write these columns of a task now, if nobody changed it since it was read.

        Raises LostRace.
        """
        if "due_at" in changes and changes["due_at"] != row.due_at:
            changes["due_sort"] = changes["due_at"] or FAR_FUTURE
        changes["version"] = row.version + 1
        statement = human_tasks.change(tuple(changes))
        self.tx.defer(statement, {**changes, "task_id": row.id, "loaded_version": row.version})
        if not changes.get("is_open", row.is_open) and row.due_at is not None:
            self.disarm(timers.LADDER, row.element)

    def flush(self) -> None:
        """Write everything gathered, the guarded update of the instance first of all.

        Raises LostRace when somebody else changed the instance since it was read.
        """
        self.tx.flush()
        replaced, cancelled = self._timer_changes()
        rows = self._gathered()
        if len(replaced) <= 1 and not cancelled and sum(map(len, rows.values())) <= _FEW:
            self._write_few(replaced, rows)
        else:
            self._write_many(replaced, cancelled, rows)

    def _write_few(self, replaced: _Rows, rows: Mapping[Statement, _Rows]) -> None:
        changes = [self._saved(), *((timers.REPLACE, row) for row in replaced)]
        changes += [(statement, row) for statement, many in rows.items() for row in many]
        hits = self.tx.finish(changes)
        if hits[0] != 1:
            raise LostRace
        self._arm_missed(replaced, hits[1:])

    def _write_many(
        self, replaced: _Rows, cancelled: _Rows, rows: Mapping[Statement, _Rows]
    ) -> None:
        tx = self.tx
        # Who comes second waits here and finds no row.
        if tx.write(*self._saved()) != 1:
            raise LostRace
        hits = [tx.write(timers.REPLACE, row) for row in replaced]
        tx.write_all(timers.CANCEL, cancelled)
        self._arm_missed(replaced, hits)
        tx.write_behind()
        for statement, many in rows.items():
            tx.write_all(statement, many)

    def _arm_missed(self, replaced: _Rows, hits: Sequence[int]) -> None:
        """A cancelled timer may have fired and gone already: then the one in its place is new."""
        for row, hit in zip(replaced, hits, strict=False):
            if hit == 0:
                self.tx.write(timers.INSERT, row)

    def _gathered(self) -> dict[Statement, _Rows]:
        return {
            timers.INSERT: self.armed,
            human_tasks.OPEN: list(self.tasks.values()),
            subscriptions.INSERT: self.subscribed,
            jobs.INSERT: self.jobs,
            outbox.INSERT: self.messages,
            incidents.INSERT: self.incidents,
            history.INSERT: self._numbered_facts(),
        }

    def _timer_changes(self) -> tuple[_Rows, _Rows]:
        """Rows of cancelled timers that carry the next ones, and rows that only go."""
        replaced = []
        # A timer that is armed anew takes its own old row: another row of its kind and element
        # must not stand beside the old one even for a moment.
        for row in tuple(self.armed):
            own = (row["kind"], row["element"])
            if own in self.disarmed:
                self.disarmed.remove(own)
                self.armed.remove(row)
                replaced.append({**row, "of_kind": own[0], "of_element": own[1]})
        while self.armed and self.disarmed:
            kind, element = self.disarmed.pop()
            replaced.append({**self.armed.pop(), "of_kind": kind, "of_element": element})
        cancelled = [
            {"instance_id": self.instance.id, "kind": kind, "element": element}
            for kind, element in self.disarmed
        ]
        return replaced, cancelled

    def _numbered_facts(self) -> _Rows:
        instance = self.instance
        chain = history.Chain(instance.id, instance.shard, instance.fact_count, instance.fact_hash)
        rows = []
        told, facts = 0, self.facts
        while told < len(facts):
            first = facts[told]
            end = told + 1
            while end < len(facts) and end - told < _FACTS_A_ROW and facts[end].by is first.by:
                end += 1
            actor = first.by or self.actor
            rows.append(
                chain.add(
                    at=self.now,
                    kind=first.kind,
                    activity_id=first.activity_id,
                    task_id=first.task_id,
                    actor_id=actor.id,
                    actor_name=actor.name,
                    detail=first.detail,
                    more=[
                        history.short(fact.kind, fact.activity_id, fact.task_id, fact.detail)
                        for fact in facts[told + 1 : end]
                    ],
                )
            )
            told = end
        instance.fact_count, instance.fact_hash = chain.count, chain.head
        return rows

    def _saved(self) -> tuple[Statement, dict[str, Any]]:
        """The guarded update of the instance, its facts numbered."""
        instance = self.instance
        life = (instance.status, instance.ended_at, instance.end_reason)
        return (
            instances.SAVE_MOVED if life == instance.loaded_life else instances.SAVE,
            {
                "instance_id": instance.id,
                "loaded_revision": instance.loaded_revision,
                "revision": instance.loaded_revision + 1,
                "state": pack(instance.state),
                "status": instance.status,
                "fact_count": instance.fact_count,
                "fact_hash": instance.fact_hash,
                "ended_at": instance.ended_at,
                "end_reason": instance.end_reason,
            },
        )
