"""Withdrawing: who completed a task takes it back while nobody has begun what follows."""

from __future__ import annotations

from typing import Any

from engine.execution import assignment, withdrawal
from engine.execution.work import Work
from engine.model.actor import Actor
from engine.model.errors import InvalidState, NotAllowed, NotFound, Rejected
from engine.model.states import Verb
from engine.services import task_rules
from engine.services.notes import CaseNotes
from engine.store import withdrawals


class Withdrawing(CaseNotes):
    """The part of `TaskService` that takes a completion back."""

    def withdraw(self, task_id: str, actor: Actor, reason: str, version: int | None = None) -> str:
        """Take a completed task back; the id of the task that is open again, with his answers.

        Afterwards the case stands as if the task had not been completed: what it opened is closed
        and whoever would have done it is told, other branches keep what they did meanwhile. The
        closed task keeps his name, so that separation of duties still counts him. Raises NotFound
        for strangers, NotAllowed for all but whoever completed it, InvalidState (also when somebody
        has begun what follows, or when something left the case that cannot be called back: the
        message names it), InvalidInput without a reason, Stale.
        """

        def act(work: Work, row: Any) -> str:
            task_rules.fresh(row, version)
            _require_completer(work, row)
            task_rules.require_reason(reason)
            return withdrawal.take_back(work, row, reason.strip()[:500])

        return self._commands.on_task(task_id, actor, act)

    def why_not_withdraw(self, task_id: str, actor: Actor) -> str | None:
        """Why he cannot take this task back now; None where he can.

        Raises NotFound and NotAllowed as `withdraw` does.
        """
        with self._environment.database.read() as tx:
            work, row = self._files.task(tx, task_id, actor)
            _require_completer(work, row)
            try:
                withdrawal.checked(work, row)
            except InvalidState as refused:
                return refused.message
        return None

    def withdrawable(self, instance_id: str, actor: Actor) -> tuple[str, ...]:
        """Ids of his completed tasks of a case that he can take back now, the newest first."""
        found = []
        with self._environment.database.read() as tx:
            work = self._files.instance(tx, instance_id, actor)
            mine = {"instance_id": instance_id, "completed_by": actor.id}
            for row in tx.rows(withdrawals.OF_PERSON, mine):
                try:
                    _require_completer(work, row)
                    withdrawal.checked(work, row)
                except Rejected:
                    continue
                found.append(row.id)
        return tuple(found)


def _require_completer(work: Work, row: Any) -> None:
    """Raises NotFound for strangers, NotAllowed for everybody but who completed it by his seat."""
    actor = work.actor
    if row.completed_by != actor.id:
        if not assignment.relations(work, actor, row):
            raise NotFound
        raise NotAllowed("只有办结这件待办的人可以撤回")
    assignment.require(work, row, Verb.WITHDRAW)
