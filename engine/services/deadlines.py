"""Clocks of tasks and cases: paused with a reason, let go, and shown as the sums they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.execution import (
    assignment,
    case_clock,
    held_timers,
    pauses,
    pauses_above,
    reckoning,
    task_terms,
)
from engine.execution.command import Commands
from engine.execution.deadlines import is_pausable
from engine.execution.work import Work
from engine.model.actor import SYSTEM, Actor
from engine.model.calendar import Pause
from engine.model.clocks import Card, ClockView, PauseView, TimerView, card
from engine.model.due_sum import due_sum
from engine.model.errors import Incident, InvalidInput, InvalidState, NotAllowed, NotFound
from engine.model.package import PauseRule
from engine.model.states import Verb
from engine.services import task_rules
from engine.services.cases import require_manager
from engine.services.files import Files
from engine.store import attachments
from engine.store import pauses as rows_of_pauses
from engine.store.base import FAR_FUTURE

_attachment: Any = attachments.Attachment.__table__
MOST_NOTE = 1000


class DeadlineService:
    """What people do to clocks, and what they read off them."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._files = Files(commands)

    # --- verbs -------------------------------------------------------------------------------

    def pause(  # one keyword a field of the form
        self,
        task_id: str,
        actor: Actor,
        *,
        reason: str,
        note: str,
        evidence: Sequence[str] = (),
        version: int | None = None,
    ) -> str:
        """The clock of a task, and of its case, stands still from now on; the pause's id.

        `reason` is one of the process's own, within its limits; `evidence` are files of the case.
        Raises NotFound, NotAllowed, InvalidState (no clock, a fixed date, paused or late already),
        InvalidInput (no such reason, used up, proof missing), Stale.
        """

        def act(work: Work, row: Any) -> str:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.PAUSE)
            task_rules.require_running(work)
            if row.paused_at is not None:
                raise InvalidState("计时已经暂停")
            _require_clock(work, row.due_at, row.deadline)
            rule = _rule(work, reason, row.id)
            self._require_proof(work, rule, note, evidence)
            return pauses.begin(
                work,
                rule,
                scope=rows_of_pauses.TASK,
                task=row,
                note=note.strip()[:MOST_NOTE],
                evidence=evidence,
            )

        return self._commands.on_task(task_id, actor, act)

    def resume(
        self, task_id: str, actor: Actor, *, note: str = "", version: int | None = None
    ) -> None:
        """The clock of a task runs again; its due date is counted anew, its ladder put up again.

        Raises NotFound, NotAllowed, InvalidState where it runs, or stands still with the case.
        """

        def act(work: Work, row: Any) -> None:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.CONTINUE)
            held = [
                one
                for one in reckoning.own_pauses(work)
                if one.task_id == row.id and one.ended_at is None
            ]
            if not held:
                raise InvalidState("计时没有暂停，或者随全案暂停")
            for one in held:
                pauses.end(work, one, how=pauses.PERSON, note=note.strip()[:MOST_NOTE])

        self._commands.on_task(task_id, actor, act)

    def pause_case(
        self,
        instance_id: str,
        actor: Actor,
        *,
        reason: str,
        note: str,
        evidence: Sequence[str] = (),
    ) -> str:
        """Every clock of the case stands still, also of tasks opened meanwhile; the pause's id.

        So do those of the cases it called, and of those they called.

        For those who may suspend it. Raises as `pause` does.
        """

        def act(work: Work) -> str:
            require_manager(work, actor)
            if work.instance.ended_at is not None:
                raise InvalidState("事项已经结束")
            rows = reckoning.own_pauses(work)
            if any(one.scope == rows_of_pauses.CASE and one.ended_at is None for one in rows):
                raise InvalidState("全案计时已经暂停")
            rule = _rule(work, reason, None)
            self._require_proof(work, rule, note, evidence)
            return pauses.begin(
                work,
                rule,
                scope=rows_of_pauses.CASE,
                note=note.strip()[:MOST_NOTE],
                evidence=evidence,
            )

        return self._commands.on_instance(instance_id, actor, act)

    def resume_case(self, instance_id: str, actor: Actor, *, note: str = "") -> None:
        """The clocks of the case run again. Raises InvalidState where they do."""

        def act(work: Work) -> None:
            require_manager(work, actor)
            held = [
                one
                for one in reckoning.own_pauses(work)
                if one.scope == rows_of_pauses.CASE and one.ended_at is None
            ]
            if not held:
                raise InvalidState("全案计时没有暂停")
            for one in held:
                pauses.end(work, one, how=pauses.PERSON, note=note.strip()[:MOST_NOTE])

        self._commands.on_instance(instance_id, actor, act)

    # --- looking -----------------------------------------------------------------------------

    def of_task(self, task_id: str, actor: Actor) -> ClockView | None:
        """The clock of a task; None without a deadline. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            work, row = self._files.task(tx, task_id, actor)
            if not assignment.relations(work, actor, row):
                raise NotFound
            wanted = row.deadline or row.due_at
            if wanted is None:
                return None
            now = min(row.completed_at or work.now, work.now)
            rows = reckoning.pauses_of(work)
            return self._clock(
                work,
                wanted=wanted,
                since=row.created_at,
                unit=row.unit or work.instance.region,
                rows=[
                    one for one in rows if one.scope == rows_of_pauses.CASE or one.task_id == row.id
                ],
                now=now,
                kept=(row.due_at, row.warn_at, row.paused_at, row.calendar_version),
                ladder=task_terms.ladder_of(work, row),
                reasons=_open_reasons(work, rows, row.id)
                if row.is_open and is_pausable(row.deadline)
                else (),
            )

    def of_case(self, instance_id: str, actor: Actor) -> ClockView | None:
        """The clock of a whole case; None for processes without. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            work = self._files.seen(tx, instance_id, actor)
            row = case_clock.of(work)
            if row is None:
                return None
            rows = reckoning.pauses_of(work)
            return self._clock(
                work,
                wanted=row.deadline,
                since=row.since,
                unit=work.instance.region,
                rows=rows,
                now=work.instance.ended_at or work.now,
                kept=(
                    row.due_at,
                    row.warn_at,
                    reckoning.held_from(rows, None),
                    row.calendar_version,
                ),
                ladder=None,
                reasons=_open_reasons(work, rows, None) if row.is_open else (),
            )

    def timers_of_case(self, instance_id: str, actor: Actor) -> tuple[TimerView, ...]:
        """Timers of the model that the case waits for, the next first, those that are held last.

        Raises NotFound for strangers.
        """
        with self._environment.database.read() as tx:
            work = self._files.seen(tx, instance_id, actor)
            if work.instance.ended_at is not None:
                return ()
            rows = reckoning.pauses_of(work)
            found = [_timer_view(work, timer, rows) for timer in held_timers.of_case(work)]
        return tuple(sorted(found, key=lambda one: (one.due_at or FAR_FUTURE, one.activity_id)))

    def reasons_of_case(self, instance_id: str, actor: Actor) -> tuple[PauseRule, ...]:
        """Reasons for which the whole case may be paused now. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            work = self._files.seen(tx, instance_id, actor)
            return _open_reasons(work, reckoning.own_pauses(work), None)

    def pauses_of_case(self, instance_id: str, actor: Actor) -> tuple[PauseView, ...]:
        """Every pause of the case, the oldest first. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            work = self._files.seen(tx, instance_id, actor)
            return tuple(_view(row) for row in reckoning.pauses_of(work))

    # --- private -----------------------------------------------------------------------------

    @staticmethod
    def _clock(  # noqa: PLR0913  # one keyword a part of the clock
        work: Work,
        *,
        wanted: object,
        since: datetime,
        unit: str,
        rows: list[Any],
        now: datetime,
        kept: tuple[datetime | None, datetime | None, datetime | None, str | None],
        ladder: Any,
        reasons: tuple[PauseRule, ...],
    ) -> ClockView | None:
        due_at, warn_at, paused_at, version = kept
        # An open pause is closed at this moment, so that the page can say what it comes to.
        held = tuple(
            Pause(
                start=one.started_at, end=one.ended_at or max(now, one.started_at), reason=one.title
            )
            for one in rows
        )
        try:
            since, length, _ = reckoning.anchored(work, since, wanted)
            calendar = work.environment.calendars.at(unit)
            clock = reckoning.counted(calendar, since, length, ladder=ladder, held=held)
        except Incident:
            return None
        return ClockView(
            due_at=due_at,
            warn_at=warn_at,
            paused_at=paused_at,
            sum=due_sum(
                clock.result,
                clock.due,
                pauses=held,
                calendar=version or clock.calendar_version,
                now=now,
                paused=paused_at is not None,
            ),
            pauses=tuple(_view(row) for row in rows),
            card=Card.NONE if paused_at is not None else card(due_at, warn_at, now),
            reasons=reasons,
        )

    @staticmethod
    def _require_proof(work: Work, rule: PauseRule, note: str, evidence: Sequence[str]) -> None:
        if not note.strip():
            raise InvalidInput("请说明暂停的情况", {"note": "此项必填"})
        if rule.evidence and not evidence:
            raise InvalidInput(f"以“{rule.title}”暂停计时须有依据", {"evidence": "请上传依据材料"})
        if not evidence:
            return
        known = set(
            work.tx.execute(
                select(_attachment.c.id).where(
                    _attachment.c.id.in_(list(evidence)),
                    _attachment.c.instance_id == work.instance.id,
                    _attachment.c.deleted_at.is_(None),
                )
            ).scalars()
        )
        if known != set(evidence):
            raise InvalidInput("依据材料不属于这件事项", {"evidence": "请重新上传"})


def _timer_view(work: Work, timer: Mapping[str, Any], rows: list[Any]) -> TimerView:
    node_id = timer["node_id"]
    node = work.deployed.program.by_id.get(node_id)
    held = held_timers.holding(work, node_id, rows)
    paused_at = held_timers.paused_since(held) if timer["planned_at"] == FAR_FUTURE else None
    counted = None
    if timer["length"] is not None:
        calendar = work.environment.calendars.at(work.instance.region)
        pauses_until_now = held_timers.stretches(held, timer["since"], until=work.now)
        counted = held_timers.sum_of(
            calendar, timer["since"], timer["length"], pauses_until_now, work.now, paused_at
        )
    return TimerView(
        activity_id=node_id,
        name=node.name if node is not None and node.name else node_id,
        due_at=None if timer["planned_at"] == FAR_FUTURE else timer["planned_at"],
        paused_at=paused_at,
        sum=counted,
    )


def _require_clock(work: Work, due_at: datetime | None, deadline: str | None) -> None:
    if due_at is None:
        raise InvalidState("这件待办没有时限，无须暂停")
    if not is_pausable(deadline):
        raise InvalidState("时限是固定日期，不因暂停而顺延")
    if due_at <= work.now:
        raise InvalidState("已经超期，不能再暂停计时")


def _rule(work: Work, reason: str, task_id: str | None) -> PauseRule:
    rule = work.deployed.package.pauses.get(reason)
    if rule is None or rule.automatic:
        raise InvalidInput("请选择暂停原因", {"reason": "请选择暂停原因"})
    if work.actor is not SYSTEM and rule not in _open_reasons(
        work, reckoning.own_pauses(work), task_id
    ):
        raise NotAllowed(f"以“{rule.title}”暂停计时最多{rule.times}次，已经用完")
    return rule


def _open_reasons(work: Work, rows: list[Any], task_id: str | None) -> tuple[PauseRule, ...]:
    """Reasons a person may give now: not the automatic ones, not those used up."""
    found = []
    for rule in work.deployed.package.pauses.values():
        used = sum(
            1
            for row in rows
            if row.reason == rule.key and (task_id is None or row.task_id in (None, task_id))
        )
        if not rule.automatic and (rule.times is None or used < rule.times):
            found.append(rule)
    return tuple(found)


def _view(row: Any) -> PauseView:
    return PauseView(
        id=row.id,
        task_id=row.task_id,
        reason=row.reason,
        title=row.title,
        note=row.note,
        evidence=tuple(row.evidence),
        started_at=row.started_at,
        started_by_name=row.started_by_name,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        ended_by_name=row.ended_by_name,
        ended_how=row.ended_how,
        end_note=row.end_note,
        automatic=row.scope == rows_of_pauses.CLOCK,
        above=isinstance(row, pauses_above.PauseAbove),
    )
