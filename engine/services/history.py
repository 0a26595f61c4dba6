"""The time line of a case, the proof that nobody changed it, and its picture on the diagram."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select

from engine.execution.command import Commands
from engine.execution.work import Work
from engine.kernel.program import Program
from engine.model.actor import Actor
from engine.model.errors import InvalidInput
from engine.model.facts import Fact
from engine.model.process import ElementStateView, FactView
from engine.services.files import Files
from engine.services.renames import Renames
from engine.store import history, human_tasks, incidents, instances
from engine.store.database import Transaction

_instance: Any = instances.ProcessInstance.__table__
_task: Any = human_tasks.HumanTask.__table__
_fact: Any = history.HistoryFact.__table__
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FactPage:
    """One page of a time line."""

    rows: tuple[FactView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBreak:
    """A place where the audit trail is not what was written."""

    instance_id: str
    sequence: int
    reason: str


class HistoryService:
    """Reads the audit trail; nothing can be changed in it."""

    def __init__(self, commands: Commands) -> None:
        self._environment = commands.environment
        self._files = Files(commands)

    def timeline(
        self, instance_id: str, actor: Actor, *, cursor: str | None = None, limit: int = 200
    ) -> FactPage:
        """Facts of a case, oldest first. Raises NotFound for strangers."""
        after = _sequence(cursor)
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
            work = self._files.instance(tx, instance_id, actor)
            rows = tx.rows(
                history.OF_INSTANCE,
                {"instance_id": instance_id, "after": after, "limit": limit + 1},
            )
            renames = Renames(work)
            told = islice(history.facts(rows, after=after), limit + 1)
            views = tuple(_view(renames, fact) for fact in told)
        more = len(views) > limit
        return FactPage(
            rows=views[:limit], next_cursor=str(views[limit - 1].sequence) if more else None
        )

    def versions(self, instance_id: str, actor: Actor) -> tuple[str, ...]:
        """Every version of its process a case has been on, the present one last."""
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
            return Renames(self._files.instance(tx, instance_id, actor)).versions

    def verify(self, instance_id: str | None = None) -> list[ChainBreak]:
        """Every break in the hash chain of one case, or of all; empty when nothing was changed."""
        breaks: list[ChainBreak] = []
        with self._environment.database.read() as tx:
            query = select(
                _instance.c.id, _instance.c.shard, _instance.c.fact_count, _instance.c.fact_hash
            ).order_by(_instance.c.id)
            if instance_id is not None:
                query = query.where(_instance.c.id == instance_id)
            heads = tx.execute(query).all()
            for head in heads:
                found = _first_break(tx, head)
                if found is not None:
                    breaks.append(found)
        return breaks

    def overlay(self, instance_id: str, actor: Actor) -> tuple[ElementStateView, ...]:
        """What the diagram shows of a case: done, active, overdue, incident, by element.

        `state` is a word of `engine.bpmn.overlay`: done, skipped, active, suspended, overdue,
        incident.
        """
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
            work = self._files.instance(tx, instance_id, actor)
            states = _done(tx, work)
            states.update(_active(work))
            states.update(_overdue(tx, work))
            states.update(_faulty(tx, work))
        return tuple(states.values())


def _first_break(tx: Transaction, head: Any) -> ChainBreak | None:
    previous, expected = history.GENESIS, 0
    while True:
        rows = tx.rows(
            history.OF_INSTANCE,
            {"instance_id": head.id, "after": expected, "limit": _BATCH},
        )
        for row in rows:
            expected += 1
            first = history.first_number(row)
            if first is not None and (first != expected or row.shard != head.shard):
                return ChainBreak(instance_id=head.id, sequence=expected, reason="缺少一条留痕")
            if first is None or history.digest(previous, row._asdict()) != bytes(row.hash):
                return ChainBreak(instance_id=head.id, sequence=expected, reason="留痕内容被改动")
            previous, expected = bytes(row.hash), row.sequence
        if len(rows) < _BATCH:
            break
    if expected != head.fact_count or previous != bytes(head.fact_hash):
        return ChainBreak(
            instance_id=head.id, sequence=expected + 1, reason="末尾的留痕被删除或追加"
        )
    return None


_SKIPPED = {Fact.NODE_CANCELLED, Fact.TASK_EXITED, Fact.TASK_SKIPPED, Fact.TASK_RETURNED}
_DONE = {Fact.NODE_COMPLETED, Fact.TASK_COMPLETED}


def _done(tx: Transaction, work: Work) -> dict[str, ElementStateView]:
    rows = tx.execute(
        select(_fact)
        .where(_fact.c.instance_id == work.instance.id, history.telling(*_DONE, *_SKIPPED))
        .order_by(_fact.c.sequence)
    ).all()
    found: dict[str, ElementStateView] = {}
    renames = Renames(work)
    for fact in history.facts(rows):
        if fact.kind not in _DONE and fact.kind not in _SKIPPED:
            continue
        state = "done" if fact.kind in _DONE else "skipped"
        activity_id = renames.today(fact.sequence, fact.activity_id)
        _count(found, activity_id, state)
        if state == "done":
            for flow in _flows(work.deployed.program, fact, activity_id):
                _count(found, flow, "done")
    return found


def _flows(program: Program, fact: history.Told, activity_id: str | None) -> list[str]:
    """Sequence flows a token left by: those the kernel named, else the only ones there are."""
    said = fact.detail
    if "flows" in said:
        return [str(flow) for flow in said["flows"]]
    node = program.by_id.get(activity_id or "-")
    if node is None or any(program.flows[flow].condition for flow in node.outgoing):
        return []
    return [program.flows[flow].id for flow in node.outgoing]


def _count(found: dict[str, ElementStateView], element_id: str | None, state: str) -> None:
    if not element_id:
        return
    before = found.get(element_id)
    if before is not None and before.state == "done" and state == "skipped":
        return
    number = before.count + 1 if before is not None and before.state == state else 1
    found[element_id] = ElementStateView(element_id=element_id, state=state, count=number)


def _active(work: Work) -> dict[str, ElementStateView]:
    found: dict[str, ElementStateView] = {}
    state = "suspended" if work.instance.status == "suspended" else "active"
    for _, node_id in work.state.waiting():
        _count(found, node_id, state)
    return found


def _overdue(tx: Transaction, work: Work) -> dict[str, ElementStateView]:
    found: dict[str, ElementStateView] = {}
    rows = tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
    for row in rows:
        if row.due_at is not None and row.due_at <= work.now:
            _count(found, row.activity_id, "overdue")
    return found


def _faulty(tx: Transaction, work: Work) -> dict[str, ElementStateView]:
    found: dict[str, ElementStateView] = {}
    for row in tx.rows(incidents.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
        if row.activity_id:
            found[row.activity_id] = ElementStateView(
                element_id=row.activity_id, state="incident", count=1, note=row.message[:200]
            )
    return found


def _view(renames: Renames, fact: history.Told) -> FactView:
    return FactView(
        id=f"{fact.instance_id}:{fact.sequence}",
        sequence=fact.sequence,
        at=fact.at,
        kind=fact.kind,
        activity_id=fact.activity_id,
        activity_name=renames.name(fact.sequence, fact.activity_id),
        actor_id=fact.actor_id,
        actor_name=fact.actor_name,
        detail=fact.detail,
    )


def _sequence(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not re.fullmatch("[0-9]{1,9}", cursor):
        raise InvalidInput("翻页位置不正确")
    return int(cursor)
