"""The verbs of WS-HumanTask 1.1 §4.7: what people do with their tasks.

Which verb is allowed in which state, to whom, says `engine.model.states`; who is who says
`engine.execution.assignment`. Every verb checks the version the page carried (`Stale`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.execution import assignment, operations, policy_guard, settle, withdrawal
from engine.execution.work import Work
from engine.kernel import codec
from engine.kernel.triggers import TaskCompleted
from engine.model.actor import Actor
from engine.model.errors import (
    BusinessError,
    InvalidInput,
    InvalidState,
    NotAllowed,
)
from engine.model.facts import Fact
from engine.model.human_task import Completed, TaskStatus
from engine.model.states import Verb
from engine.services import task_rules
from engine.services.withdrawing import Withdrawing

_EMPTY: Mapping[str, object] = {}


class TaskService(Withdrawing):
    """One method a verb; each is one transaction and says what holds after it."""

    def claim(self, task_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Reserve the task for one of its potential owners: Ready → Reserved. One wins.

        Raises NotFound, NotAllowed, SeparationOfDuties, InvalidState, Stale.
        """

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.CLAIM)
            work.change_task(
                row,
                status=TaskStatus.RESERVED,
                owner=actor.id,
                claimed_at=work.now,
                no_holder=False,
            )
            task_rules.told(work, row, Fact.TASK_CLAIMED)

        self._commands.on_task(task_id, actor, act)

    def release(self, task_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Give the task back to its potential owners: → Ready."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.RELEASE)
            if row.role is None:
                raise InvalidState("这件待办只指定了一个人办理，不能退签")
            work.change_task(row, status=TaskStatus.READY, owner=None, claimed_at=None)
            task_rules.told(work, row, Fact.TASK_RELEASED)

        self._commands.on_task(task_id, actor, act)

    def start(self, task_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Begin to work on it, claiming it on the way: → InProgress."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.START)
            task_rules.take(work, row, TaskStatus.IN_PROGRESS)
            task_rules.told(work, row, Fact.TASK_STARTED)

        self._commands.on_task(task_id, actor, act)

    def complete(
        self,
        task_id: str,
        actor: Actor,
        data: Mapping[str, object] = _EMPTY,
        *,
        outcome: str | None = None,
        version: int | None = None,
        key: str | None = None,
    ) -> Completed:
        """Finish the task with its data; the process moves on in the same transaction.

        The task's own operation runs first; what it returns joins the data. A second call with
        the same `key` answers as the first did and does nothing. Raises NotFound, NotAllowed,
        SeparationOfDuties, InvalidState, InvalidInput, Stale.
        """

        def act(work: Work, row: Any) -> Completed:
            if key is not None and row.completion_key == key and row.completed_by == actor.id:
                return self._completed(work, row, actor)
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.COMPLETE)
            task_rules.require_running(work)
            chosen = task_rules.chosen_outcome(work, row, outcome, data)
            self._finish(work, row, data, chosen, key)
            return self._completed(work, row, actor)

        return self._commands.on_task(task_id, actor, act)

    def perform(
        self,
        task_id: str,
        actor: Actor,
        operation: str,
        data: Mapping[str, object] = _EMPTY,
        *,
        version: int | None = None,
    ) -> Mapping[str, object]:
        """Run one of the operations the task lists as actions; the task becomes the actor's.

        Afterwards the operation's changes are committed with a fact. Its returned mapping is the
        answer; it does not become variables unless the operation sets them.
        """

        def act(work: Work, row: Any) -> Mapping[str, object]:
            task_rules.fresh(row, version)
            if operation not in assignment.spec_of(work, row).actions:
                raise NotAllowed(f"这件待办不能执行“{operation}”")
            assignment.require(work, row, Verb.PERFORM)
            task_rules.require_running(work)
            if row.owner is None or row.status != TaskStatus.IN_PROGRESS:
                task_rules.take(work, row, TaskStatus.IN_PROGRESS)
            work.task = assignment.task_ref(row)
            try:
                return operations.run(work, operation, data, activity_id=row.activity_id)
            except BusinessError as error:
                raise InvalidState(error.message) from error

        return self._commands.on_task(task_id, actor, act)

    def delegate(
        self, task_id: str, actor: Actor, to: str, *, reason: str = "", version: int | None = None
    ) -> None:
        """Hand the task to a colleague who could have claimed it: → Reserved for him."""
        self._hand_over(task_id, actor, to, verb=Verb.DELEGATE, reason=reason, version=version)

    def nominate(
        self, task_id: str, actor: Actor, to: str, *, reason: str = "", version: int | None = None
    ) -> None:
        """A manager names the owner: → Reserved for him."""
        self._hand_over(task_id, actor, to, verb=Verb.NOMINATE, reason=reason, version=version)

    def forward(
        self,
        task_id: str,
        actor: Actor,
        *,
        role: str | None = None,
        unit: str | None = None,
        reason: str = "",
        version: int | None = None,
    ) -> None:
        """Replace the potential owners: another role or unit; → Ready, nobody has it."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.FORWARD)
            to_role, to_unit = role or row.role, unit or row.unit
            if to_role not in work.deployed.package.roles and to_role != row.role:
                raise InvalidInput("流程没有这个岗位", {"role": "流程没有这个岗位"})
            holders = self._environment.seats.holders(work.tx, to_role, to_unit, work.now)
            if not holders:
                raise InvalidInput("该单位没有人任此岗位", {"unit": "该单位没有人任此岗位"})
            task_rules.require_in_reach(work, to_unit)
            work.change_task(
                row,
                status=TaskStatus.READY,
                owner=None,
                claimed_at=None,
                role=to_role,
                unit=to_unit,
                no_holder=False,
            )
            task_rules.told(
                work,
                row,
                Fact.TASK_FORWARDED,
                {"role": to_role, "unit": to_unit, "reason": reason},
            )
            work.notify(
                "task_opened",
                {"kind": "role", "role": to_role, "unit": to_unit},
                task_rules.message_data(row),
                task_id=row.id,
            )

        self._commands.on_task(task_id, actor, act)

    def skip(
        self,
        task_id: str,
        actor: Actor,
        *,
        reason: str,
        outcome: str | None = None,
        version: int | None = None,
    ) -> Completed:
        """A manager lets the process go on without the task being done: → Obsolete."""

        def act(work: Work, row: Any) -> Completed:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.SKIP)
            spec = assignment.spec_of(work, row)
            if spec.different_from or spec.excluded_by:
                raise NotAllowed("审核把关的环节不能跳过")
            task_rules.require_running(work)
            task_rules.require_reason(reason)
            chosen = task_rules.chosen_outcome(work, row, outcome, {"reason": reason})
            work.change_task(
                row,
                status=TaskStatus.OBSOLETE,
                is_open=0,
                completed_at=work.now,
                outcome=chosen,
            )
            work.closed[row.element] = task_rules.told(
                work, row, Fact.TASK_SKIPPED, {"reason": reason}, element=row.element
            )
            settle.advance(
                work, TaskCompleted(at=work.now, element=row.element, outcome=chosen, by=None)
            )
            return self._completed(work, row, actor)

        return self._commands.on_task(task_id, actor, act)

    def fail(self, task_id: str, actor: Actor, *, reason: str, version: int | None = None) -> None:
        """The owner cannot do it: → Failed, and an incident tells the managers why."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.FAIL)
            task_rules.require_reason(reason)
            # The row stays open: the token waits here until a manager forwards or skips it.
            work.change_task(row, status=TaskStatus.READY, owner=None, claimed_at=None)
            task_rules.told(work, row, Fact.TASK_FAILED, {"reason": reason})
            work.raise_incident(
                kind="task",
                message=f"{actor.name}报告无法办理“{row.name}”：{reason}",
                element=row.element,
                activity_id=row.activity_id,
            )

        self._commands.on_task(task_id, actor, act)

    def suspend(
        self, task_id: str, actor: Actor, *, reason: str, version: int | None = None
    ) -> None:
        """Put the task aside: → Suspended."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.SUSPEND)
            task_rules.require_reason(reason)
            work.change_task(row, status=TaskStatus.SUSPENDED, suspended_from=row.status)
            task_rules.told(work, row, Fact.TASK_SUSPENDED, {"reason": reason})

        self._commands.on_task(task_id, actor, act)

    def resume(self, task_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Take it up again, in the state it had."""

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.RESUME)
            work.change_task(
                row, status=row.suspended_from or TaskStatus.READY, suspended_from=None
            )
            task_rules.told(work, row, Fact.TASK_RESUMED)

        self._commands.on_task(task_id, actor, act)

    # --- private -----------------------------------------------------------------------------

    @staticmethod
    def _finish(
        work: Work,
        row: Any,
        data: Mapping[str, object],
        outcome: str | None,
        key: str | None,
    ) -> None:
        spec = assignment.spec_of(work, row)
        plain = codec.plain(data)
        assert isinstance(plain, dict)
        noted = withdrawal.before(work, row) if spec.withdrawable else None
        answered = dict(plain) if noted is not None else {}
        work.change_task(
            row,
            status=TaskStatus.COMPLETED,
            is_open=0,
            owner=work.actor.id if row.owner is None else row.owner,
            claimed_at=row.claimed_at or work.now,
            completed_at=work.now,
            completed_by=work.actor.id,
            outcome=outcome,
            completion_key=key,
            no_holder=False,
        )
        work.task = assignment.task_ref(row, outcome)
        if spec.operation is not None:
            try:
                plain.update(
                    operations.run(work, spec.operation, plain, activity_id=row.activity_id)
                )
            except BusinessError as error:
                raise InvalidState(error.message) from error
            settle.settle_variables(work)
        policy_guard.completed(work, row.activity_id, outcome, plain)
        detail: dict[str, object] = {}
        if outcome is not None:
            detail["outcome"] = outcome
        reason = data.get("reason")
        if isinstance(reason, str) and reason:
            detail["reason"] = reason
        if row.owner not in (None, work.actor.id):
            detail["instead_of"] = row.owner
        work.closed[row.element] = task_rules.told(
            work, row, Fact.TASK_COMPLETED, detail, element=row.element
        )
        settle.advance(
            work,
            TaskCompleted(
                at=work.now,
                element=row.element,
                data=plain,
                outcome=outcome,
                by=work.actor.id,
            ),
        )
        withdrawal.keep(work, row, noted, answered)

    @staticmethod
    def _completed(work: Work, row: Any, actor: Actor) -> Completed:
        mine = tuple(
            task["id"]
            for task in work.tasks.values()
            if task["owner"] == actor.id
            or (
                task["owner"] is None
                and task["role"] is not None
                and actor.holds(task["role"], task["unit"])
            )
        )
        return Completed(task_id=row.id, instance_id=row.instance_id, next_tasks=mine)

    def _hand_over(
        self,
        task_id: str,
        actor: Actor,
        to: str,
        *,
        verb: Verb,
        reason: str,
        version: int | None,
    ) -> None:
        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, verb)
            receiver = task_rules.receiver(work, row, to)
            assignment.require_distinct(work, row, receiver)
            work.change_task(
                row,
                status=TaskStatus.RESERVED,
                owner=receiver.id,
                claimed_at=work.now,
                no_holder=False,
            )
            fact = Fact.TASK_DELEGATED if verb is Verb.DELEGATE else Fact.TASK_NOMINATED
            task_rules.told(
                work, row, fact, {"to": receiver.id, "name": receiver.name, "reason": reason}
            )
            work.notify(
                "task_opened",
                {"kind": "participant", "id": receiver.id},
                task_rules.message_data(row),
                task_id=row.id,
            )

        self._commands.on_task(task_id, actor, act)
