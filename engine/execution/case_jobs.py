"""What a job does to the case it belongs to, in a transaction of that case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.execution import called_clocks, outside, settle
from engine.execution.job_triggers import TRIGGERS
from engine.execution.work import Work
from engine.kernel.effects import Invoke
from engine.kernel.triggers import Cancelled, OperationReturned, Started
from engine.model.facts import Fact
from engine.model.process import InstanceStatus
from engine.store import jobs
from engine.store.base import FAR_FUTURE

Handler = Callable[[Work, Any, Mapping[str, Any]], None]
"""Does the part of one kind of job: the case, the job's row, its arguments."""


def carry_out(
    work: Work, job: Any, arguments: Mapping[str, Any], how: Handler | None = None
) -> None:
    """Take the job and do what its kind does, or `how`; once, and not while the case stands still.

    Of a case that is over, or an element that is gone, the job is taken and nothing is done.
    """
    stands_still = work.instance.status is InstanceStatus.SUSPENDED
    if stands_still and job.kind not in (settle.JOB_CANCEL, called_clocks.JOB):
        _put_off(work, job)
        return
    if work.tx.write(jobs.TAKE, {"job_id": job.id}) != 1:
        return
    if work.instance.ended_at is None and _still_waits(work, job, arguments):
        (how or _HANDLERS[job.kind])(work, job, arguments)


def start(work: Work, variables: Mapping[str, object], node: str | None) -> None:
    """Begin an instance whose row has been made."""
    parent = work.instance.parent_id
    said = {} if parent is None else {"parent": parent}
    work.record(Fact.INSTANCE_STARTED, detail={"version": work.deployed.version, **said})
    settle.advance(work, Started(at=work.now, variables=variables, node=node))


def answered(work: Work, job: Any, arguments: Mapping[str, Any], answer: outside.Answer) -> None:
    """What the outside said to an operation becomes what the operation brought."""
    invocation = _invocation(job, arguments)
    if answer.refusal is not None:
        settle.advance(work, settle.refused(work, invocation, answer.refusal))
        return
    work.record(
        Fact.OPERATION_PERFORMED,
        activity_id=invocation.activity_id,
        detail={"operation": invocation.operation},
    )
    settle.advance(
        work, OperationReturned(at=work.now, element=job.element, outputs=answer.outputs)
    )


def _still_waits(work: Work, job: Any, arguments: Mapping[str, Any]) -> bool:
    # Cancelled in the meantime: there is nobody to tell any more.
    element = job.element if job.element is not None else arguments.get("element")
    return element is None or element in work.state.elements


def _put_off(work: Work, job: Any) -> None:
    work.tx.write(
        jobs.FAILED,
        {
            "job_id": job.id,
            "run_at": FAR_FUTURE,
            "status": jobs.QUEUED,
            "error": None,
            "attempts": job.attempts,
        },
    )


def _start(work: Work, _job: Any, arguments: Mapping[str, Any]) -> None:
    start(work, arguments["variables"], arguments["node"])


def _trigger(work: Work, _job: Any, arguments: Mapping[str, Any]) -> None:
    make = TRIGGERS[arguments["trigger"]]
    settle.advance(work, make(work, arguments))


def _operation(work: Work, job: Any, arguments: Mapping[str, Any]) -> None:
    answer = settle.invoked(work, _invocation(job, arguments))
    settle.settle_variables(work)
    settle.advance(work, answer)


def _invocation(job: Any, arguments: Mapping[str, Any]) -> Invoke:
    return Invoke(
        element=job.element,
        activity_id=arguments["activity_id"],
        operation=arguments["operation"],
        inputs=arguments["inputs"],
        later=True,
    )


def _cancel(work: Work, _job: Any, arguments: Mapping[str, Any]) -> None:
    work.instance.end_reason = arguments["reason"]
    settle.advance(work, Cancelled(at=work.now, reason=arguments["reason"]))


_HANDLERS: dict[str, Handler] = {
    settle.JOB_START: _start,
    settle.JOB_TRIGGER: _trigger,
    settle.JOB_OPERATION: _operation,
    settle.JOB_CANCEL: _cancel,
    settle.JOB_CALL: lambda work, _job, arguments: settle.call(work, arguments),
    called_clocks.JOB: lambda work, _job, arguments: called_clocks.reached(work, arguments),
}
