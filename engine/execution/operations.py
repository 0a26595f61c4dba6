"""Named operations at work: the context they are given, and running one by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from engine.execution import participation
from engine.execution.deadlines import due_instant
from engine.execution.environment import Environment
from engine.execution.snapshot import Snapshot, new_instance
from engine.execution.work import Work
from engine.kernel import codec
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import Broken, InvalidInput, NotFound
from engine.model.facts import Fact
from engine.model.operation import (
    AttachmentRef,
    Audience,
    InstanceRef,
    Operation,
    OperationContext,
    TaskRef,
)
from engine.store import attachments, history, human_tasks, incidents, instances, jobs, outbox
from engine.store.database import Transaction

JOB_START = "start"
JOB_MESSAGE = "message"


def run(
    work: Work, name: str, data: Mapping[str, object], *, activity_id: str | None = None
) -> Mapping[str, object]:
    """Run an operation inside the work's transaction; its outputs, ready to be variables.

    What it wrote is flushed. Raises what the operation raises.
    """
    declared = find(work.environment, name)
    if declared.outside:
        raise Broken(f"operation {name} is declared outside: it runs in no transaction")
    context = Context(
        environment=work.environment,
        tx=work.tx,
        now=work.now,
        actor=None if work.actor is SYSTEM else work.actor,
        work=work,
    )
    outputs = called(declared, context, data)
    work.record(Fact.OPERATION_PERFORMED, activity_id=activity_id, detail={"operation": name})
    return checked_outputs(name, outputs)


def called(declared: Operation, context: Context, data: Mapping[str, object]) -> object:
    """What the function answers; afterwards its writes are flushed and its context is void."""
    try:
        answer = declared.function(cast("OperationContext", context), dict(data))
        context.tx.flush()
    finally:
        context.close()
    return answer


def find(environment: Environment, name: str) -> Operation:
    """The declared operation. Raises Broken: the gate lets no unknown name through."""
    declared = environment.operations.by_name.get(name)
    if declared is None:
        raise Broken(f"operation {name} is not registered with this engine")
    return declared


def checked_outputs(name: str, outputs: object) -> Mapping[str, object]:
    """What an operation returned, as values a variable may hold. Raises Broken."""
    if outputs is None:
        return {}
    if not isinstance(outputs, Mapping):
        raise Broken(f"operation {name} returned {type(outputs).__name__}, not a mapping")
    plain = codec.plain(outputs)
    assert isinstance(plain, dict)
    return plain


def open_incidents(work: Work) -> bool:
    """Whether an incident of this instance waits for somebody."""
    found = work.tx.rows(incidents.OPEN_OF_INSTANCE, {"instance_id": work.instance.id})
    return bool(found)


@dataclass(slots=True, kw_only=True)
class Context:
    """Fulfils `engine.model.operation.OperationContext`; alive for one call only."""

    environment: Environment
    tx: Transaction
    now: datetime
    actor: Actor | None
    #: None for an operation without an instance
    work: Work | None = None
    #: ids of jobs to run right after the commit, where there is no work to hold them
    follow_up: list[str] = field(default_factory=list)
    _closed: bool = False

    def close(self) -> None:
        """From now on every use is a mistake of the operation: it kept the context."""
        self._closed = True

    @property
    def session(self) -> Any:
        """An ORM session on the transaction; void once the operation returned."""
        if self._closed:
            raise Broken("an operation used its context after it had returned")
        return self.tx.session

    @property
    def instance(self) -> InstanceRef | None:
        """The case on whose behalf it runs."""
        if self.work is None:
            return None
        return instance_ref(self.work.instance)

    @property
    def task(self) -> TaskRef | None:
        """The task on whose behalf it runs."""
        return None if self.work is None else self.work.task

    @property
    def calendar(self) -> Any:
        """The calendar of the case's region."""
        calendars = self.environment.calendars
        return calendars.default if self.work is None else calendars.at(self.work.instance.region)

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return self.environment.ids.new()

    def variables(self) -> Mapping[str, object]:
        """Root variables as they stand."""
        return {} if self.work is None else dict(self.work.state.variables)

    def notify(
        self, message: str, audience: Audience, data: Mapping[str, object] | None = None
    ) -> None:
        """An outbox row with the commit."""
        receivers = {
            "kind": audience.kind,
            "id": audience.id,
            "role": audience.role,
            "unit": audience.unit,
        }
        if self.work is not None:
            task = self.work.task
            self.work.notify(message, receivers, data, task_id=task.id if task else None)
            return
        self.tx.write(
            outbox.INSERT,
            {
                "id": self.new_id(),
                "shard": _shard(audience.unit),
                "message": message,
                "audience": receivers,
                "data": dict(data or {}),
                "process_key": None,
                "definition_id": None,
                "instance_id": None,
                "task_id": None,
                "created_at": self.now,
                "status": outbox.QUEUED,
                "next_at": self.now,
                "attempts": 0,
                "error": None,
            },
        )

    def send_message(
        self, name: str, key: str, payload: Mapping[str, object] | None = None
    ) -> bool:
        """Correlate after the commit; whether somebody waits now."""
        waits = participation.somebody_waits(self.tx, name, key)
        self._queue(
            JOB_MESSAGE,
            {"name": name, "key": key, "payload": dict(payload or {}), "region": None},
            instance_id=None,
            shard="000000",
        )
        return waits

    def start(
        self,
        process_key: str,
        *,
        variables: Mapping[str, object],
        region: str,
        title: str,
        business_key: str | None = None,
    ) -> str:
        """A case whose row is written now and which starts right after the commit."""
        deployed = self.environment.programs.latest(self.tx, process_key)
        instance_id = self.new_id()
        self.tx.write(
            instances.INSERT,
            new_instance(
                instance_id,
                deployed=deployed,
                title=title,
                unit=region,
                business_key=business_key,
                actor=self.actor or SYSTEM,
                now=self.now,
            ),
        )
        self._queue(
            JOB_START,
            {"variables": codec.plain(variables), "node": None},
            instance_id=instance_id,
            shard=regions.shard(region),
        )
        return instance_id

    def set_due(self, activity_id: str, due: datetime | date, reason: str) -> None:
        """Move the due instant of the open tasks of an activity."""
        work = self._work("set_due")
        for row in work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
            if row.activity_id == activity_id:
                participation.move_due(work, row, due, reason)
        for gathered in work.tasks.values():
            if gathered["activity_id"] == activity_id:
                calendar = self.environment.calendars.at(gathered["unit"])
                moved = due_instant(calendar, work.now, due)
                participation.move_gathered_due(work, gathered, moved, reason)

    def set_variables(self, variables: Mapping[str, object]) -> None:
        """Root variables that enter the state with the command."""
        self._work("set_variables").pending_variables.update(
            checked_outputs("set_variables", variables)
        )

    def attachment(self, attachment_id: str) -> AttachmentRef:
        """A file by its id. Raises NotFound."""
        return attachment_ref(self._attachment_row(attachment_id))

    def read_attachment(self, attachment_id: str) -> bytes:
        """The bytes of a file. Raises NotFound."""
        return self.environment.files.get(self._attachment_row(attachment_id).sha256)

    def store_file(
        self, name: str, content: bytes, media_type: str, *, listed: bool = True
    ) -> AttachmentRef:
        """Keep a file the operation made."""
        digest = self.environment.files.put(content)
        of = self.work.instance if self.work and listed else None
        row: dict[str, Any] = {
            "id": self.new_id(),
            "shard": of.shard if of else "000000",
            "instance_id": of.id if of else None,
            "task_id": self.task.id if self.task and listed else None,
            "name": name,
            "media_type": media_type,
            "size": len(content),
            "sha256": digest,
            "taken_at": None,
            "latitude": None,
            "longitude": None,
            "uploaded_at": self.now,
            # Without case and uploader no page hands it out (see Files.read).
            "uploaded_by": self.actor.id if self.actor and listed else None,
            "deleted_at": None,
        }
        self.tx.write(attachments.INSERT, row)
        return AttachmentRef(
            id=row["id"], name=name, media_type=media_type, size=len(content), sha256=digest
        )

    def decide(
        self, decision: str, inputs: Mapping[str, object], *, process_key: str | None = None
    ) -> Any:
        """A decision of the case's package, or of the latest version of another."""
        if process_key is None or (self.work is not None and self.work.deployed.key == process_key):
            deployed = self._work("decide").deployed
        else:
            deployed = self.environment.programs.latest(self.tx, process_key)
        if deployed.decisions is None:
            raise NotFound(f"流程“{deployed.key}”没有决策“{decision}”")
        return deployed.decisions(decision, inputs, self.now)

    def completed_by(self, *activity_ids: str) -> frozenset[str]:
        """Who completed one of these activities."""
        return participation.completers(self._work("completed_by"), activity_ids)

    def record(self, kind: str, detail: Mapping[str, object]) -> None:
        """A fact of the case. Raises TypeError for a detail that cannot be kept."""
        # Written to text now, so that what cannot be kept fails inside the operation.
        history.written(detail)
        task = self.task
        self._work("record").record(
            kind,
            activity_id=task.activity_id if task else None,
            task_id=task.id if task else None,
            detail=detail,
        )

    def _queue(
        self, kind: str, arguments: dict[str, object], *, instance_id: str | None, shard: str
    ) -> None:
        if self.work is not None:
            self.work.queue(kind, arguments, instance_id=instance_id, shard=shard)
            return
        job_id = self.new_id()
        self.tx.write(
            jobs.INSERT,
            {
                "id": job_id,
                "shard": shard,
                "kind": kind,
                "instance_id": instance_id,
                "element": None,
                "key": None,
                "arguments": codec.encode(arguments),
                "status": jobs.QUEUED,
                "run_at": self.now,
                "created_at": self.now,
                "attempts": 0,
                "error": None,
            },
        )
        self.follow_up.append(job_id)

    def _attachment_row(self, attachment_id: str) -> Any:
        return usable_attachment(self.tx, attachment_id, self.actor, self.instance)

    def _work(self, asked: str) -> Work:
        if self.work is None:
            raise InvalidInput(f"没有流程实例，不能使用 {asked}")
        return self.work


def instance_ref(of: Snapshot) -> InstanceRef:
    """What an operation may know of its case."""
    return InstanceRef(
        id=of.id,
        process_key=of.process_key,
        business_key=of.business_key,
        region=of.region,
        root_id=of.root_id,
        parent_id=of.parent_id,
        title=of.title,
    )


def usable_attachment(
    tx: Transaction, attachment_id: str, actor: Actor | None, here: InstanceRef | None
) -> Any:
    """The row of a file this person may use in this case. Raises NotFound.

    Ids come from forms: a person uses what he uploaded and files of his line of offices. Anything
    else would make another office's file an evidence, or its table one of ours.
    """
    row = tx.first(attachments.BY_ID, {"attachment_id": attachment_id})
    if row is None:
        raise NotFound("没有找到这个附件")
    if actor is None or row.uploaded_by in (None, actor.id):
        return row
    if here is not None and row.instance_id is not None:
        if row.instance_id == here.id:
            return row
        of = tx.first(instances.BY_ID, {"instance_id": row.instance_id})
        if of is not None and of.root_id == here.root_id and _in_line(of.region, here.region):
            return row
    raise NotFound("没有找到这个附件")


def _in_line(one: str, other: str) -> bool:
    return regions.covers(one, other) or regions.covers(other, one)


def attachment_ref(row: Any) -> AttachmentRef:
    """The value of an attachment row."""
    return AttachmentRef(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        taken_at=row.taken_at,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def _shard(unit: str) -> str:
    return regions.shard(unit) if regions.is_code(unit) else "000000"
