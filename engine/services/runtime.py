"""Cases: start, correlate, signal, return, suspend, resume, terminate, look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from engine.execution import assignment, correlation, operations, pauses, settle
from engine.execution.case_jobs import start as begin
from engine.execution.snapshot import Snapshot, new_instance
from engine.execution.work import Work
from engine.kernel import codec, jump
from engine.kernel.decide import RunningDecide
from engine.kernel.events_waiting import key_text
from engine.kernel.program import Expression
from engine.kernel.triggers import Cancelled, Moved
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import (
    BusinessError,
    InvalidInput,
    InvalidState,
    ModelFault,
    NotAllowed,
    NotFound,
    Stale,
)
from engine.model.facts import Fact
from engine.model.process import InstanceStatus
from engine.model.states import InstanceVerb, Verb, require_instance_verb
from engine.services.cases import require_manager
from engine.services.jumps import Jumps
from engine.store import definitions, human_tasks, instances, jobs, start_keys, timers
from engine.store.base import FAR_FUTURE
from engine.store.database import Transaction, is_duplicate

_EMPTY: Mapping[str, object] = {}
_timer: Any = timers.Timer.__table__
_job: Any = jobs.Job.__table__
_task: Any = human_tasks.HumanTask.__table__
_activity: Any = human_tasks.ACTIVITY


class RuntimeService(Jumps):
    """What can be done to a whole case."""

    def start(
        self,
        key: str,
        actor: Actor,
        *,
        variables: Mapping[str, object] = _EMPTY,
        region: str,
        title: str | None = None,
        business_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Start the latest version of a process at a region; the id of the new case.

        The actor must hold a starter role of the package at a unit that covers the region.
        A second call of the same actor with the same `idempotency_key` for the same process
        answers the case of the first and begins none. Raises NotFound, NotAllowed, InvalidState
        for a retired version, InvalidRegion, InvalidInput for a key that is too long.
        """
        regions.level(region)
        plain = codec.plain(variables)
        assert isinstance(plain, dict)
        if idempotency_key is not None and not 0 < len(idempotency_key) <= start_keys.LONGEST:
            raise InvalidInput(f"发起的幂等键应为 1 到 {start_keys.LONGEST} 个字")

        def act(tx: Transaction) -> tuple[str, list[str]]:
            begun = start_keys.found(tx, actor.id, key, idempotency_key)
            if begun is not None:
                return begun, []
            deployed = self._environment.programs.latest(tx, key)
            self._require_starter(tx, deployed, actor, region)
            now = self._environment.clock.now()
            instance_id = self._environment.ids.new()
            row = new_instance(
                instance_id,
                deployed=deployed,
                title=title or self._title(deployed, plain, now),
                unit=region,
                business_key=business_key,
                actor=actor,
                now=now,
            )
            start_keys.keep(tx, actor.id, key, idempotency_key, instance_id, now)
            tx.write(instances.INSERT, row)
            snapshot = Snapshot.of([row[name] for name in instances.COLUMNS])
            work = Work(self._environment, tx, now, actor, snapshot, deployed)
            begin(work, plain, None)
            settle.settle_variables(work)
            pauses.follow(work)
            work.flush()
            return instance_id, work.follow_up

        try:
            return self._commands.apart(act)
        except self._environment.database.refusals as error:
            # The same start came twice at once: the other one has begun it.
            if idempotency_key is None or not is_duplicate(error):
                raise
            return self._commands.apart(act)

    def perform(
        self, operation: str, actor: Actor | None, data: Mapping[str, object] = _EMPTY
    ) -> Mapping[str, object]:
        """Run an operation that belongs to no task, in its own transaction.

        It must be public, or the actor must hold one of its roles. Raises NotFound, NotAllowed,
        InvalidState for a business error.
        """
        declared = self._environment.operations.by_name.get(operation)
        if declared is None:
            raise NotFound(f"没有操作“{operation}”")
        allowed = declared.public or (
            actor is not None and (actor is SYSTEM or actor.has_role(*declared.roles))
        )
        if not allowed:
            raise NotAllowed
        if declared.outside:
            raise InvalidState(f"操作“{operation}”只能由流程在后台办理")

        def act(tx: Transaction) -> tuple[Mapping[str, object], list[str]]:
            context = operations.Context(
                environment=self._environment,
                tx=tx,
                now=self._environment.clock.now(),
                actor=None if actor is SYSTEM else actor,
            )
            try:
                outputs = operations.called(declared, context, data)
            except BusinessError as error:
                raise InvalidState(error.message) from error
            return operations.checked_outputs(operation, outputs), context.follow_up

        return self._commands.apart(act)

    def correlate(
        self,
        message: str,
        key: str | Sequence[object] | None,
        payload: Mapping[str, object] = _EMPTY,
        actor: Actor = SYSTEM,
    ) -> str:
        """Bring a message to the one case that waits for it; its id.

        A key of several properties is a list of their values, all of which must be equal.

        A person reaches only cases he has a part in and processes he may start. Raises
        NotCorrelated, NotAllowed.
        """
        instance_id, follow_up = correlation.deliver(
            self._commands,
            name=message,
            key=None if key is None else key_text(key),
            payload=payload,
            actor=actor,
            seen_by=None if actor is SYSTEM else actor,
        )
        self._commands.finish(follow_up)
        return instance_id

    def signal(
        self,
        name: str,
        payload: Mapping[str, object] = _EMPTY,
        *,
        region: str,
        actor: Actor = SYSTEM,
    ) -> int:
        """Tell every case of the region's subtree that waits for the signal; how many.

        A person signals below his own seats, reaches cases that he has a part in and begins what
        he may start. Raises InvalidRegion, NotAllowed.
        """
        regions.level(region)
        if actor is not SYSTEM and not actor.sees(region):
            raise NotAllowed("您只能向本单位及下属单位发出信号")

        def act(tx: Transaction) -> tuple[int, list[str]]:
            queued = correlation.broadcast(self._commands, tx, name, payload, region, actor=actor)
            return len(queued), queued

        return self._commands.apart(act)

    def return_to(
        self,
        task_id: str,
        activity_id: str,
        actor: Actor,
        reason: str,
        version: int | None = None,
    ) -> str:
        """Send the case back from a task to an earlier activity that the task lists.

        Everything the moved token would do again is cancelled first; nothing is left behind. The
        people who did the earlier activity are told. Answers the case's id. Raises NotFound,
        NotAllowed, InvalidInput, InvalidState (also when the move would break a join), Stale.
        """
        if not reason.strip():
            raise InvalidInput("退回必须说明原因", {"reason": "必填"})

        def act(work: Work, row: Any) -> str:
            if version is not None and row.version != version:
                raise Stale
            assignment.require(work, row, Verb.RETURN)
            if activity_id not in assignment.spec_of(work, row).returns:
                raise NotAllowed("不能退回到这个环节")
            self._move_back(work, row, activity_id, reason)
            return work.instance.id

        return self._commands.on_task(task_id, actor, act)

    def suspend(self, instance_id: str, actor: Actor, reason: str) -> None:
        """The case and all it called stand still: no task can be done, no timer fires."""

        def act(work: Work) -> None:
            require_manager(work, actor)
            require_instance_verb(InstanceVerb.SUSPEND, work.instance.status)
            work.instance.status = InstanceStatus.SUSPENDED
            work.tx.execute(
                update(_timer).where(_timer.c.instance_id == instance_id).values(due_at=FAR_FUTURE)
            )
            work.record(Fact.INSTANCE_SUSPENDED, detail={"reason": reason})

        self._commands.on_instance(instance_id, actor, act)
        for child in self._called(instance_id, suspended=False):
            self.suspend(child, SYSTEM, reason)

    def resume(self, instance_id: str, actor: Actor, reason: str = "") -> None:
        """The case goes on; what became due meanwhile happens now."""

        def act(work: Work) -> None:
            require_manager(work, actor)
            require_instance_verb(InstanceVerb.RESUME, work.instance.status)
            work.instance.status = (
                InstanceStatus.INCIDENT if work.state.failed() else InstanceStatus.ACTIVE
            )
            work.tx.execute(
                update(_timer)
                .where(_timer.c.instance_id == instance_id)
                .values(due_at=_timer.c.planned_at)
            )
            work.tx.execute(
                update(_job)
                .where(_job.c.instance_id == instance_id, _job.c.run_at == FAR_FUTURE)
                .values(run_at=work.now)
            )
            work.record(Fact.INSTANCE_RESUMED, detail={"reason": reason})

        self._commands.on_instance(instance_id, actor, act)
        for child in self._called(instance_id, suspended=True):
            self.resume(child, SYSTEM, reason)

    def terminate(self, instance_id: str, actor: Actor, reason: str) -> None:
        """End the case and everything it called; open tasks are Exited."""
        if not reason.strip():
            raise InvalidInput("终止必须说明原因", {"reason": "必填"})

        def act(work: Work) -> None:
            require_manager(work, actor)
            require_instance_verb(InstanceVerb.TERMINATE, work.instance.status)
            work.instance.end_reason = reason
            settle.advance(work, Cancelled(at=work.now, reason=reason))

        self._commands.on_instance(instance_id, actor, act)

    def _called(self, instance_id: str, *, suspended: bool) -> list[str]:
        """Living instances it called, in the order of their start."""
        instance: Any = instances.ProcessInstance.__table__
        is_suspended = instance.c.status == InstanceStatus.SUSPENDED
        with self._environment.database.read() as tx:
            return list(
                tx.execute(
                    select(instance.c.id)
                    .where(
                        instance.c.parent_id == instance_id,
                        instance.c.ended_at.is_(None),
                        is_suspended if suspended else ~is_suspended,
                    )
                    .order_by(instance.c.id)
                ).scalars()
            )

    # --- private -----------------------------------------------------------------------------

    @staticmethod
    def _require_starter(tx: Transaction, deployed: Any, actor: Actor, unit: str) -> None:
        latest = tx.first(definitions.LATEST, {"key": deployed.key})
        if latest is not None and latest.retired_at is not None:
            raise InvalidState(f"流程“{deployed.title}”已停用")
        if not assignment.may_start(deployed, actor, unit):
            raise NotAllowed(f"您不能在这个单位启动“{deployed.title}”")

    def _title(self, deployed: Any, variables: Mapping[str, object], now: Any) -> str:
        title = deployed.program.title
        if not isinstance(title, Expression):
            return str(title or deployed.title)
        decide = RunningDecide(now, decisions=deployed.decisions)
        root = deployed.program.by_id[""]
        try:
            found = decide.value(root, title, lambda name: (name in variables, variables.get(name)))
        except ModelFault:
            return str(deployed.title)
        return str(found or deployed.title)

    @staticmethod
    def _move_back(work: Work, row: Any, activity_id: str, reason: str) -> None:
        if work.instance.status is InstanceStatus.SUSPENDED:
            raise InvalidState("事项已挂起，恢复后才能退回")
        program = work.deployed.program
        cancel = jump.elements_to_cancel(program, work.state, row.element, activity_id)
        work.change_task(
            row,
            status="Exited",
            is_open=0,
            owner=row.owner or work.actor.id,
            completed_at=work.now,
            completed_by=None,
            outcome="return",
        )
        work.task = assignment.task_ref(row, "return")
        node = program.node(activity_id)
        work.closed[row.element] = work.record(
            Fact.TASK_RETURNED,
            activity_id=row.activity_id,
            task_id=row.id,
            element=row.element,
            detail={"to": activity_id, "name": node.name, "reason": reason},
        )
        settle.advance(
            work,
            Moved(
                at=work.now,
                cancel=cancel,
                node=activity_id,
                variables={
                    row.activity_id: {
                        "outcome": "return",
                        "by": work.actor.id,
                        "at": work.now,
                        "reason": reason,
                    }
                },
            ),
        )
        _tell_earlier(work, row, activity_id, reason)


TOLD_AT_MOST = 100
"""A step may have been done ten thousand times over; those who did it last are to hear of it."""


def _tell_earlier(work: Work, row: Any, activity_id: str, reason: str) -> None:
    asked = {"instance_id": work.instance.id, "activity_id": activity_id, "limit": TOLD_AT_MOST}
    told = [row.completed_by for row in work.tx.rows(human_tasks.LAST_COMPLETERS, asked)]
    for person in told or _under_another_name(work, activity_id):
        work.notify(
            "task_returned",
            {"kind": "participant", "id": person},
            {"name": row.name, "subject": row.subject, "reason": reason},
            task_id=row.id,
        )


def _under_another_name(work: Work, activity_id: str) -> list[str]:
    """Who completed it in an earlier version of the process, where it had another name."""
    newest = (
        select(_task.c.completed_by)
        .where(
            _task.c.instance_id == work.instance.id,
            _task.c.is_open == 0,
            _activity == activity_id,
            _task.c.completed_by.is_not(None),
        )
        .order_by(_task.c.id.desc())
        .limit(TOLD_AT_MOST)
    )
    return list(dict.fromkeys(work.tx.execute(newest).scalars()))
