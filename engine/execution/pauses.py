"""Clocks that stand still: begun by a person or by an activity, ended by either or at a limit.

A pause is a row; every due date it holds is counted again from the rows, so nothing is ever added
up twice. The ladder of a held task is taken down and put up again where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.execution import called_clocks, case_clock, held_timers, reckoning
from engine.execution.deadlines import deadline_result
from engine.execution.work import Work
from engine.model.actor import SYSTEM
from engine.model.facts import Fact
from engine.model.package import PauseRule
from engine.store import human_tasks, pauses, timers

PERSON = "person"
LIMIT = "limit"
EVENT = "event"
DONE = "done"
_TASK_OVER = frozenset(
    {
        Fact.TASK_COMPLETED, Fact.TASK_EXITED, Fact.TASK_SKIPPED, Fact.TASK_RETURNED,
    }
)  # fmt: skip
_HAPPENED = frozenset(
    {
        Fact.TASK_COMPLETED, Fact.NODE_COMPLETED, Fact.MESSAGE_RECEIVED, Fact.SIGNAL_RECEIVED,
    }
)  # fmt: skip


def begin(  # one keyword a column
    work: Work,
    rule: PauseRule,
    *,
    scope: str,
    task: Any = None,
    note: str = "",
    evidence: Sequence[str] = (),
) -> str:
    """The clock stands still from now on; its id. Nothing is checked here."""
    rows = reckoning.own_pauses(work)
    ends_at = None
    if rule.limit is not None:
        calendar = work.environment.calendars.at(_unit(work, task))
        ends_at = deadline_result(calendar, work.now, rule.limit)[0].at
    pause_id, element = work.new_id(), timers.WHOLE_CASE - 1 - len(rows)
    work.tx.write(
        pauses.INSERT,
        {
            "id": pause_id,
            "shard": work.instance.shard,
            "instance_id": work.instance.id,
            "task_id": task.id if task is not None else None,
            "scope": scope,
            "element": element,
            "reason": rule.key,
            "title": rule.title,
            "note": note,
            "evidence": list(evidence),
            "started_at": work.now,
            "started_by": work.actor.id,
            "started_by_name": work.actor.name,
            "ends_at": ends_at,
            "ended_at": None,
            "ended_by": None,
            "ended_by_name": None,
            "ended_how": None,
            "end_note": None,
        },
    )
    if ends_at is not None:
        work.arm(kind=timers.PAUSE, element=element, node_id="", at=ends_at)
    work.record(
        Fact.CLOCK_PAUSED,
        activity_id=task.activity_id if task is not None else None,
        task_id=task.id if task is not None else None,
        detail={
            "name": rule.title,
            "note": note,
            "until": ends_at,
            "files": len(evidence),
            "scope": scope,
        },
    )
    _count_again(work, scope, task.id if task is not None else None)
    reason = f"暂停计时：{rule.title}"
    held_timers.recount(work, reason)
    why = {"fact": Fact.CLOCK_PAUSED, "name": rule.title, "reason": reason}
    called_clocks.tell(work, scope, rule.timers, why)
    return pause_id


def end(work: Work, pause: Any, *, how: str, note: str = "") -> bool:
    """The clock runs again; False where somebody else let it go first."""
    by = None if work.actor is SYSTEM else work.actor
    hit = work.tx.write(
        pauses.END,
        {
            "pause_id": pause.id,
            "ended_at": work.now,
            "ended_by": by.id if by else None,
            "ended_by_name": by.name if by else None,
            "ended_how": how,
            "end_note": note,
        },
    )
    if hit != 1:
        return False
    if pause.ends_at is not None and how != LIMIT:
        work.disarm(timers.PAUSE, pause.element)
    if how == DONE and work.instance.ended_at is not None:
        return True
    due = _count_again(work, pause.scope, pause.task_id)
    reason = f"恢复计时：{pause.title}"
    held_timers.recount(work, reason)
    rule = work.deployed.package.pauses.get(pause.reason)
    why = {"fact": Fact.CLOCK_RESUMED, "name": pause.title, "reason": reason}
    called_clocks.tell(work, pause.scope, rule.timers if rule is not None else (), why)
    work.record(
        Fact.CLOCK_RESUMED,
        task_id=pause.task_id,
        detail={"name": pause.title, "how": how, "note": note, "due": due},
    )
    return True


def limit_reached(work: Work, timer: Any) -> None:
    """The longest pause the reason allows is over."""
    for pause in reckoning.own_pauses(work):
        if pause.element == timer.element and pause.ended_at is None:
            end(work, pause, how=LIMIT)


def follow(work: Work) -> None:
    """At the end of a command: clocks begin, stand still and go on as what happened says.

    Costs nothing for processes that say nothing of clocks.
    """
    package = work.deployed.package
    if any(fact.kind == Fact.INSTANCE_MIGRATED for fact in work.facts):
        held_timers.let_go(work)
        if reckoning.own_pauses(work):
            called_clocks.tell_all(work, called_clocks.MOVED)
    called_clocks.hold_new(work)
    if not package.watches_clocks:
        return
    case_clock.follow(work)
    called_clocks.hold_case(work)
    if not package.pauses or not work.facts:
        return
    rows = [row for row in reckoning.own_pauses(work) if row.ended_at is None]
    if work.instance.ended_at is not None:
        for row in rows:
            end(work, row, how=DONE)
        return
    _end_what_is_over(work, rows)
    _follow_activities(work, rows)
    held_timers.hold_armed(work)


def _end_what_is_over(work: Work, rows: list[Any]) -> None:
    over = {fact.task_id for fact in work.facts if fact.kind in _TASK_OVER}
    happened = set()
    for fact in work.facts:
        if fact.kind in _HAPPENED:
            happened |= {fact.activity_id, fact.detail.get("name")}
    for row in rows:
        rule = work.deployed.package.pauses.get(row.reason)
        if row.task_id is not None and row.task_id in over:
            end(work, row, how=DONE)
        elif rule is not None and happened & set(rule.until):
            end(work, row, how=EVENT)


def _follow_activities(work: Work, rows: list[Any]) -> None:
    waiting = {node_id for _, node_id in work.state.waiting()}
    for rule in work.deployed.package.pauses.values():
        if not rule.automatic:
            continue
        open_one = next(
            (row for row in rows if row.reason == rule.key and row.scope == pauses.CLOCK), None
        )
        active = bool(waiting & set(rule.during))
        if active and open_one is None:
            begin(work, rule, scope=pauses.CLOCK)
        elif not active and open_one is not None:
            end(work, open_one, how=EVENT)


def _count_again(work: Work, scope: str, task_id: str | None) -> Any:
    """Every clock the pause holds or lets go; the due instant of the task, else of the case."""
    rows = reckoning.pauses_of(work)
    case_due = case_clock.recount(work, rows)
    if scope == pauses.CLOCK:
        return case_due
    due = None
    for row in work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
        if scope == pauses.CASE or row.id == task_id:
            again = reckoning.recount(work, row, rows=rows)
            due = again.due_at if again is not None and row.id == task_id else due
    return due or case_due


def _unit(work: Work, task: Any) -> str:
    return (task.unit if task is not None else None) or work.instance.region
