"""Timers of the model that stand still with a clock: a notice period the process may pause.

A pause names them (`timers` of its rule). Like due dates they are never added to: each time they
are counted again from the instant they were armed, with every pause there was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from engine.execution import pauses_above, reckoning
from engine.execution.deadlines import timer_instant
from engine.execution.work import Work
from engine.model.calendar import Pause, WorkingCalendar
from engine.model.due_sum import DueSum, due_sum
from engine.model.duration import Cycle, Span, parse_due
from engine.model.facts import Fact
from engine.store import timers
from engine.store.base import FAR_FUTURE


def of_case(work: Work) -> list[dict[str, Any]]:
    """Every timer of the model that waits, those of this command included."""
    gone = set(work.disarmed)
    written = [
        row._asdict()
        for row in work.tx.rows(timers.OF_INSTANCE, {"instance_id": work.instance.id})
        if (row.kind, row.element) not in gone
    ]
    return [row for row in (*written, *work.armed) if row["kind"] == timers.EVENT]


def holding(work: Work, node_id: str, rows: Iterable[Any]) -> tuple[Any, ...]:
    """Those pauses that hold the timer of this node."""
    rules = work.deployed.package.pauses
    return tuple(
        row
        for row in rows
        if (
            row.holds_timers
            if isinstance(row, pauses_above.PauseAbove)
            else row.reason in rules and node_id in rules[row.reason].timers
        )
    )


def instant(
    calendar: WorkingCalendar, since: datetime, length: str, held: Iterable[Any]
) -> datetime:
    """When a timer armed at `since` is due without the pauses that hold it; FAR_FUTURE: held."""
    stopped = stretches(held, since)
    if not stopped:
        return timer_instant(calendar, since, length)
    found = calendar.end_of_period(since, parse_due(length), pauses=stopped)
    return found.at_or_none or FAR_FUTURE


def planned(work: Work, timer: Any, rows: Sequence[Any]) -> datetime:
    """The same for a row of the store, by the calendar of its case."""
    calendar = work.environment.calendars.at(work.instance.region)
    return instant(calendar, timer.since, timer.length, holding(work, timer.node_id, rows))


def sum_of(
    calendar: WorkingCalendar,
    since: datetime,
    length: str,
    stopped: tuple[Pause, ...],
    now: datetime,
    paused_at: datetime | None,
) -> DueSum | None:
    """The arithmetic of a timer; None for a cycle, which has no one end."""
    due = parse_due(length)
    if isinstance(due, Cycle):
        return None
    return due_sum(
        calendar.end_of_period(since, due, pauses=stopped),
        due,
        pauses=stopped,
        calendar=calendar.version,
        now=now,
        origin="起算日",
        paused=paused_at is not None,
    )


def recount(work: Work, reason: str, rows: Sequence[Any] | None = None) -> None:
    """Count what pauses hold, or held, anew; what moved is armed anew, with a fact."""
    package = work.deployed.package
    if not package.holds_timers and work.instance.parent_id is None:
        return
    rows = reckoning.pauses_of(work) if rows is None else rows
    for timer in of_case(work):
        held = holding(work, timer["node_id"], rows)
        if held or package.holds(timer["node_id"]) or timer["planned_at"] == FAR_FUTURE:
            _recount(work, timer, held, reason)


def hold_armed(work: Work) -> None:
    """What this command armed does not begin to run under a pause."""
    package = work.deployed.package
    if package.holds_timers and any(
        row["kind"] == timers.EVENT and package.holds(row["node_id"]) for row in work.armed
    ):
        recount(work, "计时暂停中")


def let_go(work: Work) -> None:
    """After a move to a version whose pauses name other timers: none stays held for ever."""
    for timer in of_case(work):
        if timer["planned_at"] == FAR_FUTURE or work.deployed.package.holds(timer["node_id"]):
            held = holding(work, timer["node_id"], reckoning.pauses_of(work))
            _recount(work, timer, held, "迁移到新版本")


def _recount(work: Work, timer: dict[str, Any], held: tuple[Any, ...], reason: str) -> None:
    length, since = timer["length"], timer["since"]
    if length is None:
        if not held:
            return
        # Armed by a version that named no such pause: what is left of it is known to the second.
        length, since = _left(timer["planned_at"], work.now), work.now
    calendar = work.environment.calendars.at(work.instance.region)
    at = instant(calendar, since, length, held)
    if at == timer["planned_at"]:
        return
    work.disarm(timers.EVENT, timer["element"])
    work.arm(
        kind=timers.EVENT,
        element=timer["element"],
        node_id=timer["node_id"],
        at=at,
        length=length,
        since=since,
    )
    node = work.deployed.program.by_id.get(timer["node_id"])
    work.record(
        Fact.TIMER_DUE_CHANGED,
        activity_id=timer["node_id"],
        detail={
            "name": node.name if node is not None and node.name else timer["node_id"],
            "from": _told(timer["planned_at"]),
            "to": _told(at),
            "reason": reason,
        },
    )


def _left(planned_at: datetime, now: datetime) -> str:
    left = max(planned_at - now, planned_at - planned_at)
    return str(Span(days=left.days, seconds=left.seconds, microseconds=left.microseconds))


def _told(at: datetime) -> datetime | None:
    return None if at == FAR_FUTURE else at


def stretches(
    rows: Iterable[Any], since: datetime, *, until: datetime | None = None
) -> tuple[Pause, ...]:
    """Pauses as the calendar wants them; open ones may be closed at an instant to count so far."""
    return tuple(
        Pause(start=row.started_at, end=row.ended_at or until, reason=row.title)
        for row in rows
        # What was over before the timer was armed is none of its business.
        if row.ended_at is None or row.ended_at > since
    )


def paused_since(rows: Iterable[Any]) -> datetime | None:
    """Since when one of these pauses holds; None: the timer runs."""
    return min((row.started_at for row in rows if row.ended_at is None), default=None)
