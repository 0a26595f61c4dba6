"""The incident of a timer or job that was given up, whatever state its case is in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from engine.execution import clock_starts, settle
from engine.execution.command import Commands
from engine.execution.environment import Environment
from engine.execution.work import Work
from engine.kernel import codec
from engine.model.actor import SYSTEM
from engine.store import incidents, instances, jobs
from engine.store.database import Transaction

_log = logging.getLogger("engine.jobs")


def store(
    commands: Commands,
    instance_id: str,
    also: Callable[[Transaction], object] = lambda _tx: None,
    **about: Any,
) -> None:
    """Raise it in the case; where that cannot be done, beside it: somebody must see it.

    What is to be written `also` is committed with it or not at all. Raises what the driver raises
    when the database goes away.
    """

    def act(work: Work) -> None:
        also(work.tx)
        work.raise_incident(**about)

    try:
        commands.run_on_instance(instance_id, SYSTEM, act)
    except Exception as error:
        if commands.environment.database.is_gone(error):
            raise
        _log.exception("the incident of instance %s is stored beside it", instance_id)
        _beside(commands, instance_id, also, about)


def given_up(commands: Commands, job: Any, failed: Mapping[str, Any]) -> None:
    """The job is dead, and an incident says so: in its case, else for the administrators."""
    arguments = codec.decode(bytes(job.arguments))
    if job.instance_id is None:
        _store_alone(commands, job, failed, arguments)
        return
    store(
        commands,
        job.instance_id,
        lambda tx: tx.write(jobs.FAILED, failed),
        kind=job.kind,
        message=failed["error"],
        activity_id=arguments.get("activity_id"),
        element=job.element,
        job_id=job.id,
        attempts=failed["attempts"],
    )


def _store_alone(
    commands: Commands, job: Any, failed: Mapping[str, Any], arguments: Mapping[str, Any]
) -> None:
    environment = commands.environment
    about = _about(environment, job, arguments)
    with environment.database.write() as tx:
        tx.write(jobs.FAILED, failed)
        if tx.first(incidents.OPEN_OF_JOB, {"job_id": job.id}) is None:
            _insert(
                environment,
                tx,
                shard=job.shard,
                activity_id=arguments.get("node"),
                kind=job.kind,
                message=f"{about}失败：{failed['error']}",
                attempts=failed["attempts"],
                job_id=job.id,
            )


def _about(environment: Environment, job: Any, arguments: Mapping[str, Any]) -> str:
    if job.kind == clock_starts.JOB_BEGIN:
        with environment.database.read() as tx:
            deployed = environment.programs.by_id(tx, arguments["definition"])
        return f"按时间启动“{deployed.title}”"
    name = arguments.get("name")
    return f"{_ALONE.get(job.kind, job.kind)}{f'“{name}”' if name else ''}"


_ALONE = {
    settle.JOB_MESSAGE: "投递消息",
    settle.JOB_SIGNAL: "广播信号",
    "recount": "换用新的工作日历后重算时限",
}


def _beside(
    commands: Commands,
    instance_id: str,
    also: Callable[[Transaction], object],
    about: dict[str, Any],
) -> None:
    environment = commands.environment
    with environment.database.write() as tx:
        also(tx)
        row = tx.first(instances.BY_ID, {"instance_id": instance_id})
        if row is not None:
            _insert(
                environment,
                tx,
                instance_id=instance_id,
                shard=row.shard,
                region=row.region,
                **about,
            )


def _insert(environment: Environment, tx: Transaction, **columns: Any) -> None:
    own = {"id": environment.ids.new(), "at": environment.clock.now()}
    tx.write(incidents.INSERT, {**incidents.NOTHING, **own, **columns})
