"""Operations that call the outside: leased, called without a transaction, settled afterwards.

A bank that answers slowly must not hold the database's writer. So the job is leased in a short
transaction, the operation runs in none, and what it answered is settled by whoever deletes the
job's row. A crash or a lease that ran out calls again, under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.execution import operations
from engine.execution.breaker import Breaker
from engine.execution.environment import Environment
from engine.execution.snapshot import Snapshot
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import BusinessError
from engine.model.operation import AttachmentRef, InstanceRef, Operation
from engine.model.process import InstanceStatus
from engine.store import instances, jobs

#: an operation must have answered (or given up) by then; afterwards another may call
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the outside said: outputs, or a refusal."""

    outputs: Mapping[str, object] = field(default_factory=dict)
    refusal: BusinessError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Fulfils `engine.model.operation.OutsideContext`: values, and files to read."""

    idempotency_key: str
    now: datetime
    actor: Actor | None
    instance: InstanceRef
    environment: Environment
    root_variables: Mapping[str, object]

    def variables(self) -> Mapping[str, object]:
        """Root variables as they stood when the job was leased."""
        return dict(self.root_variables)

    def attachment(self, attachment_id: str) -> AttachmentRef:
        """A file by its id. Raises NotFound."""
        return operations.attachment_ref(self._row(attachment_id))

    def read_attachment(self, attachment_id: str) -> bytes:
        """The bytes of a file. Raises NotFound."""
        return self.environment.files.get(self._row(attachment_id).sha256)

    def _row(self, attachment_id: str) -> Any:
        with self.environment.database.read() as tx:
            return operations.usable_attachment(tx, attachment_id, self.actor, self.instance)


def lease(environment: Environment, job: Any) -> bool:
    """Make the job ours for `LEASE`; False when it is not due yet or another was faster."""
    now = environment.clock.now()
    if job.run_at > now:
        return False
    with environment.database.write() as tx:
        hit = tx.write(
            jobs.LEASE, {"job_id": job.id, "seen_run_at": job.run_at, "run_at": now + LEASE}
        )
    return hit == 1


def put_off(environment: Environment, job: Any, until: datetime) -> None:
    """Do not call before this instant; it costs the job none of its attempts."""
    with environment.database.write() as tx:
        tx.write(jobs.LEASE, {"job_id": job.id, "seen_run_at": job.run_at, "run_at": until})


def call(
    environment: Environment,
    declared: Operation,
    job: Any,
    arguments: Mapping[str, Any],
    actor: Actor,
    *,
    breaker: Breaker,
) -> Answer | None:
    """Call the outside for a leased job; None when its case does not wait for it (now).

    An `OSError` (no route, no answer in time) tells the breaker that nobody is there; any other
    failure is one of this job. Raises what the operation raises, `BusinessError` excepted: that
    is an answer.
    """
    with environment.database.read() as tx:
        row = tx.first(instances.BY_ID, {"instance_id": job.instance_id})
    if row is None:
        breaker.left(declared.name)
        return None
    instance = Snapshot.of(row)
    stands_still = instance.ended_at is not None or instance.status is InstanceStatus.SUSPENDED
    if stands_still or job.element not in instance.state.elements:
        breaker.left(declared.name)
        return None
    context = Context(
        idempotency_key=job.key,
        now=environment.clock.now(),
        actor=None if actor is SYSTEM else actor,
        instance=operations.instance_ref(instance),
        environment=environment,
        root_variables=instance.state.variables,
    )
    try:
        outputs = declared.function(context, dict(arguments["inputs"]))
    except BusinessError as refusal:
        breaker.answered(declared.name)
        return Answer(refusal=refusal)
    except OSError:
        breaker.failed(declared.name, environment.clock.now())
        raise
    except BaseException:
        breaker.left(declared.name)
        raise
    breaker.answered(declared.name)
    return Answer(outputs=operations.checked_outputs(declared.name, outputs))
