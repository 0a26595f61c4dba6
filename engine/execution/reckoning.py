"""The clock of a task or a case: counted from its facts, its pauses and the calendar of its unit.

Whatever moves a due date (a pause, a new calendar, another version, an operation) counts here
again; so reminders and later rungs always follow the date that holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from engine.execution import pauses_above, task_terms
from engine.execution.deadlines import (
    deadline_result,
    first_rung_from,
    note_of,
    share_instant,
)
from engine.execution.work import Work
from engine.model.calendar import DueResult, Pause, WorkingCalendar
from engine.model.due_text import RelativeDue, read_deadline
from engine.model.duration import Due
from engine.model.errors import ModelFault
from engine.model.facts import Fact
from engine.model.package import YELLOW_SHARE, Ladder
from engine.store import history, human_tasks, pauses, timers

_fact: Any = history.HistoryFact.__table__
_DONE = (
    Fact.TASK_COMPLETED, Fact.TASK_SKIPPED, Fact.NODE_COMPLETED, Fact.MESSAGE_RECEIVED,
    Fact.TIMER_FIRED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """A clock as counted; without `due_at` it stands still."""

    due_at: datetime | None
    note: str
    warn_at: datetime | None
    calendar_version: str
    since: datetime
    result: DueResult
    due: Due

    def columns(self) -> dict[str, Any]:
        """What of it is kept with the task, beside its due instant."""
        return {"warn_at": self.warn_at, "calendar_version": self.calendar_version[:60]}


def reckon(
    work: Work,
    *,
    unit: str,
    since: datetime,
    wanted: object,
    ladder: Ladder | None = None,
    held: Iterable[Pause] = (),
) -> Reckoned:
    """Count a deadline. Raises ModelFault."""
    calendar = work.environment.calendars.at(unit)
    return counted(calendar, *anchored(work, since, wanted), ladder=ladder, held=held)


def counted(
    calendar: WorkingCalendar,
    since: datetime,
    wanted: object,
    prefix: str = "",
    *,
    ladder: Ladder | None = None,
    held: Iterable[Pause] = (),
) -> Reckoned:
    """The same from a beginning that is known."""
    pauses_held = tuple(held)
    result, due = deadline_result(calendar, since, wanted, pauses_held)
    at = result.at_or_none
    share = ladder.yellow_share if ladder is not None else YELLOW_SHARE
    return Reckoned(
        due_at=at,
        note=prefix + note_of(result),
        warn_at=None if at is None else share_instant(since, at, share, pauses_held),
        calendar_version=calendar.version,
        since=since,
        result=result,
        due=due,
    )


def anchored(work: Work, since: datetime, wanted: object) -> tuple[datetime, object, str]:
    """From when a deadline counts, its length, and words for that. Raises ModelFault."""
    if not isinstance(wanted, str) or " after " not in wanted:
        return since, wanted, ""
    found = read_deadline(wanted)
    if not isinstance(found, RelativeDue):
        return since, wanted, ""
    at = last_done(work, found.after)
    if at is None:
        raise ModelFault(f"时限“{wanted}”从环节“{found.after}”办结起算，但它还没有办结过")
    node = work.deployed.program.by_id.get(found.after)
    name = node.name if node is not None and node.name else found.after
    return at, found.length, f"自“{name}”办结起算；"


def last_done(work: Work, activity_id: str) -> datetime | None:
    """When a step of this case was done last, this command included; None: never."""
    if any(fact.activity_id == activity_id and fact.kind in _DONE for fact in work.facts):
        return work.now
    rows = work.tx.execute(
        select(_fact)
        .where(
            _fact.c.instance_id == work.instance.id,
            or_(
                _fact.c.activity_id == activity_id,
                _fact.c.more.contains(f'"{activity_id}"', autoescape=True),
            ),
        )
        .order_by(_fact.c.sequence.desc())
    )
    for row in rows:
        for fact in history.facts((row,)):
            if fact.activity_id == activity_id and fact.kind in _DONE:
                return fact.at
    return None


# --- pauses as the calendar wants them -----------------------------------------------------------


def pauses_of(work: Work) -> list[Any]:
    """Every pause that has a say in the clocks of the case: its own, then those of its callers."""
    return [*own_pauses(work), *pauses_above.of(work)]


def own_pauses(work: Work) -> list[Any]:
    """Every pause of the case itself, the oldest first."""
    return work.tx.rows(pauses.OF_INSTANCE, {"instance_id": work.instance.id})


def holding(rows: Iterable[Any], task_id: str | None) -> tuple[Pause, ...]:
    """Those that hold the clock of this task, or (None) of the case."""
    return tuple(
        Pause(start=row.started_at, end=row.ended_at, reason=row.title)
        for row in rows
        if (task_id is None and row.scope != pauses_above.TIMERS)
        or row.scope == pauses.CASE
        or (row.scope == pauses.TASK and row.task_id == task_id)
    )


def held_from(rows: Iterable[Any], task_id: str | None) -> datetime | None:
    """Since when an open pause holds this clock; None: it runs."""
    return min((one.start for one in holding(rows, task_id) if one.end is None), default=None)


# --- an open task counted again -----------------------------------------------------------------


def recount(work: Work, row: Any, *, rows: list[Any] | None = None) -> Reckoned | None:
    """Count an open task again and write what came out; None where nothing counts it."""
    if row.deadline is None or not row.is_open:
        return None
    rows = pauses_of(work) if rows is None else rows
    held = holding(rows, row.id)
    ladder = task_terms.ladder_of(work, row)
    unit = row.unit or work.instance.region
    again = reckon(
        work, unit=unit, since=row.created_at, wanted=row.deadline, ladder=ladder, held=held
    )
    paused = held_from(rows, row.id)
    moved = again.due_at != row.due_at
    if moved:
        work.change_task(row, due_at=again.due_at, due_note=again.note)
    if moved or paused != row.paused_at or again.calendar_version != row.calendar_version:
        keep(work, row.id, again, paused)
    if moved:
        rearm(work, row._asdict(), again.due_at, held, ladder)
    return again


def keep(work: Work, task_id: str, again: Reckoned, paused_at: datetime | None) -> None:
    """Write what a count changes beside the due instant."""
    work.tx.write(
        human_tasks.RECKONED, {"task_id": task_id, "paused_at": paused_at, **again.columns()}
    )


def rearm(
    work: Work,
    row: dict[str, Any],
    due_at: datetime | None,
    held: Iterable[Pause],
    ladder: Ladder | None,
) -> None:
    """The first rung of the ladder that is not past; none while the clock stands still."""
    if (timers.LADDER, row["element"]) not in work.disarmed:
        work.disarm(timers.LADDER, row["element"])
    if ladder is None or due_at is None:
        return
    calendar = work.environment.calendars.at(row["unit"] or work.instance.region)
    rung = first_rung_from(ladder, calendar, row["created_at"], due_at, work.now, held)
    if rung is not None:
        work.arm(
            kind=timers.LADDER,
            element=row["element"],
            node_id=row["activity_id"],
            at=rung[1],
            task_id=row["id"],
            rung=rung[0],
        )
