"""Messages find the one instance that waits for them; signals find all in a subtree."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.execution import assignment, kept_messages, settle
from engine.execution.command import Commands
from engine.execution.programs import Deployed
from engine.execution.snapshot import new_instance
from engine.execution.work import Work
from engine.kernel import codec
from engine.kernel.triggers import EventArrived
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import NotAllowed, NotCorrelated
from engine.model.facts import Fact
from engine.model.process import InstanceStatus
from engine.store import definitions, instances, jobs, subscriptions
from engine.store.database import Transaction

_starts = definitions.DefinitionStart
_ASK_AGAIN = timedelta(minutes=5)


class ReceiverSuspended(NotCorrelated):
    """等待这条消息的事项已挂起，恢复后才能接收"""

    code = "RECEIVER_SUSPENDED"


class _Arrival(enum.Enum):
    TAKEN = "taken"
    GONE = "gone"
    SUSPENDED = "suspended"


def deliver(
    commands: Commands,
    *,
    name: str,
    key: str | None,
    payload: Mapping[str, object],
    actor: Actor,
    unit: str | None = None,
    job_id: str | None = None,
    seen_by: Actor | None = None,
) -> tuple[str, list[str]]:
    """Bring a message to the instance that waits for it longest, else to a message start event.

    `seen_by` limits it to cases that this actor has a part in, and to processes he may start.
    Answers the instance and the follow-up jobs. Raises NotCorrelated when nobody wants it, and
    ReceiverSuspended when who wants it stands still.
    """
    suspended = False
    for waiting in _waiting(commands, name, key):
        arrival, follow_up = _arrive(commands, waiting, payload, actor, job_id, seen_by)
        if arrival is _Arrival.TAKEN:
            return waiting.instance_id, follow_up
        suspended = suspended or arrival is _Arrival.SUSPENDED
    if suspended:
        raise ReceiverSuspended
    return _start_by_message(commands, name, key, payload, actor, unit, job_id, seen_by)


def deliver_job(
    commands: Commands, job: Any, arguments: Mapping[str, Any], actor: Actor
) -> list[str]:
    """A thrown message; one that nobody waits for is kept if a drawn flow carries it, else gone."""
    try:
        _, follow_up = deliver(
            commands,
            name=arguments["name"],
            key=arguments["key"],
            payload=arguments["payload"],
            actor=actor,
            unit=arguments["region"],
            job_id=job.id,
        )
    except ReceiverSuspended:
        _wait(commands, job)
        return []
    except NotCorrelated:
        if arguments.get("kept"):
            kept_messages.keep(commands.environment, job, arguments["name"], arguments["key"])
            return []
        with commands.environment.database.write() as tx:
            tx.write(jobs.TAKE, {"job_id": job.id})
        return []
    return follow_up


def broadcast_job(commands: Commands, job: Any, arguments: Mapping[str, Any]) -> list[str]:
    """A thrown signal: one trigger job for every instance of the subtree that waits for it."""
    with commands.environment.database.write() as tx:
        if tx.write(jobs.TAKE, {"job_id": job.id}) != 1:
            return []
        return broadcast(
            commands,
            tx,
            arguments["name"],
            arguments["payload"],
            arguments["region"],
            thrower=arguments.get("thrower"),
        )


def broadcast(
    commands: Commands,
    tx: Transaction,
    name: str,
    payload: Mapping[str, object],
    unit: str,
    *,
    thrower: str | None = None,
    actor: Actor = SYSTEM,
) -> list[str]:
    """Queue the signal for everybody who waits for it at the unit or below; the job ids.

    Every process that begins with it begins once, at the unit (BPMN 2.0.2 §10.5.6).
    The kernel has already served the listeners of the instance that threw it. A person reaches
    only cases that he has a part in, and begins only what he may start.
    """
    environment = commands.environment
    now = environment.clock.now()
    behind = None if actor is SYSTEM else [actor.id, actor.name]
    has_part = environment.visibility.player(tx, actor)
    waiting = tx.rows(subscriptions.WAITING, {"kind": "signal", "name": name})
    rows = [
        {
            "id": environment.ids.new(),
            "shard": row.shard,
            "kind": settle.JOB_TRIGGER,
            "instance_id": row.instance_id,
            "element": row.element,
            "key": None,
            "arguments": codec.encode(
                {
                    "trigger": "event",
                    "element": row.element,
                    "node_id": row.node_id,
                    "name": name,
                    "payload": codec.plain(payload),
                    "by": behind,
                }
            ),
            "status": jobs.QUEUED,
            "run_at": now,
            "created_at": now,
            "attempts": 0,
            "error": None,
        }
        for row in waiting
        if regions.covers(unit, row.region)
        and row.instance_id != thrower
        and has_part(row.process_key, row.region)
    ]
    tx.write_all(jobs.INSERT, rows)
    queued = [row["id"] for row in rows]
    for started in _starts_of(commands, tx, "signal", name):
        if assignment.may_start(started[0], actor, unit):
            queued += begin(commands, tx, started, unit, payload, None, actor)[1]
    return queued


def _waiting(commands: Commands, name: str, key: str | None) -> list[Any]:
    wanted = {"kind": "message", "name": name}
    with commands.environment.database.read() as tx:
        if key is None:
            return tx.rows(subscriptions.WAITING, wanted)
        exact = tx.rows(subscriptions.WAITING_FOR_KEY, {**wanted, "key": key})
        if exact:
            return exact
        return [row for row in tx.rows(subscriptions.WAITING, wanted) if row.key is None]


def _arrive(
    commands: Commands,
    waiting: Any,
    payload: Mapping[str, object],
    actor: Actor,
    job_id: str | None,
    seen_by: Actor | None,
) -> tuple[_Arrival, list[str]]:
    def act(work: Work) -> _Arrival:
        still = work.tx.rows(
            subscriptions.OF_ELEMENT,
            {"instance_id": waiting.instance_id, "element": waiting.element},
        )
        hidden = seen_by is not None and not assignment.plays(work, seen_by)
        if hidden or not any(row.name == waiting.name for row in still):
            return _Arrival.GONE
        if work.instance.status is InstanceStatus.SUSPENDED:
            return _Arrival.SUSPENDED
        if job_id is not None and work.tx.write(jobs.TAKE, {"job_id": job_id}) != 1:
            return _Arrival.TAKEN
        work.record(
            Fact.MESSAGE_RECEIVED, activity_id=waiting.node_id, detail={"name": waiting.name}
        )
        plain = codec.plain(payload)
        assert isinstance(plain, dict)
        settle.advance(work, EventArrived(at=work.now, element=waiting.element, payload=plain))
        return _Arrival.TAKEN

    return commands.run_on_instance(waiting.instance_id, actor, act)


def _wait(commands: Commands, job: Any) -> None:
    with commands.environment.database.write() as tx:
        tx.write(
            jobs.FAILED,
            {
                "job_id": job.id,
                "run_at": commands.environment.clock.now() + _ASK_AGAIN,
                "status": jobs.QUEUED,
                "error": None,
                "attempts": job.attempts,
            },
        )


def _start_by_message(
    commands: Commands,
    name: str,
    key: str | None,
    payload: Mapping[str, object],
    actor: Actor,
    unit: str | None,
    job_id: str | None,
    seen_by: Actor | None,
) -> tuple[str, list[str]]:
    environment = commands.environment
    unit = str(payload.get("region") or unit or "")
    with environment.database.write() as tx:
        waiting = _starts_of(commands, tx, "message", name)
        if not waiting:
            raise NotCorrelated
        started = waiting[0]
        if not regions.is_code(unit):
            raise NotCorrelated("消息没有说明区划，不能启动流程")
        if seen_by is not None and not assignment.may_start(started[0], seen_by, unit):
            raise NotAllowed(f"您不能在这个单位启动“{started[0].title}”")
        if job_id is not None and tx.write(jobs.TAKE, {"job_id": job_id}) != 1:
            # Another executor was faster: the case has been started.
            return "", []
        return begin(commands, tx, started, unit, payload, key, actor)


def begin(
    commands: Commands,
    tx: Transaction,
    started: tuple[Deployed, str],
    unit: str,
    payload: Mapping[str, object],
    key: str | None,
    actor: Actor,
) -> tuple[str, list[str]]:
    """A case of this process at a unit, and the job that starts it at its triggered event."""
    deployed, node_id = started
    environment = commands.environment
    now = environment.clock.now()
    instance_id, start_id = environment.ids.new(), environment.ids.new()
    tx.write(
        instances.INSERT,
        new_instance(
            instance_id,
            deployed=deployed,
            title=str(payload.get("title") or deployed.title),
            unit=unit,
            business_key=key,
            actor=actor,
            now=now,
        ),
    )
    behind = None if actor is SYSTEM else [actor.id, actor.name]
    arguments = {"variables": codec.plain(payload), "node": node_id, "by": behind}
    tx.write(
        jobs.INSERT,
        {
            "id": start_id,
            "shard": regions.shard(unit),
            "kind": settle.JOB_START,
            "instance_id": instance_id,
            "element": None,
            "key": None,
            "arguments": codec.encode(arguments),
            "status": jobs.QUEUED,
            "run_at": now,
            "created_at": now,
            "attempts": 0,
            "error": None,
        },
    )
    return instance_id, [start_id]


def _starts_of(
    commands: Commands, tx: Transaction, kind: str, name: str
) -> list[tuple[Deployed, str]]:
    """Start events of newest, active versions that wait for this message or signal."""
    rows = tx.execute(
        select(_starts.definition_id, _starts.node_id, _starts.process_key)
        .where(_starts.kind == kind, _starts.name == name)
        .order_by(_starts.process_key, _starts.node_id)
    ).all()
    found = []
    for row in rows:
        newest = tx.first(definitions.LATEST, {"key": row.process_key})
        if newest is not None and newest.id == row.definition_id and newest.retired_at is None:
            found.append((commands.environment.programs.by_id(tx, newest.id), row.node_id))
    return found
