"""Counting what is open again after the calendar changed, a page at a time.

Only what really moves costs a command: the rest is looked through a page at a time and told which
version has counted it. Looking twice finds nothing to move the second time, so a page that was cut
off is simply begun again.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update

from engine.execution import case_clock, held_timers, job_incidents, participation, reckoning
from engine.execution.command import Commands
from engine.execution.deadlines import deadline_result, timer_instant
from engine.execution.work import Work
from engine.kernel.codec import CodecError
from engine.model.actor import SYSTEM
from engine.model.errors import Incident, NotFound, Rejected, Stale
from engine.model.process import InstanceStatus
from engine.store import calendars as store
from engine.store import human_tasks, incidents, instances, pauses, timers
from engine.store.base import FAR_FUTURE
from engine.store.database import Transaction

_log = logging.getLogger("engine.calendar")
_moved: Any = store.MovedDue.__table__
_task: Any = human_tasks.HumanTask.__table__
_timer: Any = timers.Timer.__table__
_clock: Any = pauses.CaseClock.__table__
_pause: Any = pauses.DeadlinePause.__table__
_instance: Any = instances.ProcessInstance.__table__
PAGE = 200
FAULT = "recount"


class Stage(enum.StrEnum):
    """What is looked through, in this order."""

    TASKS = "tasks"
    TIMERS = "timers"
    CASES = "cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a recount has come: behind this row of its stage."""

    stage: Stage = Stage.TASKS
    after: str = ""
    #: timers have no id that stays: the element inside the case
    element: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one page came to; `then` is None after the last one."""

    looked_at: int
    moved: int
    then: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Why is counted again, for which version, and since when the rows are (None: all)."""

    reason: str
    number: int | None = None
    since: datetime | None = None


class Recount:
    """Pages of open tasks, timers and cases."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._pages: dict[Stage, Callable[[Order, Place], tuple[list[Any], int]]] = {
            Stage.TASKS: self._tasks,
            Stage.TIMERS: self._timers,
            Stage.CASES: self._cases,
        }

    def total(self, tx: Transaction) -> int:
        """How many rows there are to look at now."""
        return sum(
            int(tx.execute(select(func.count()).select_from(table).where(*where)).scalar() or 0)
            for table, where in (
                (_task, (_task.c.is_open == 1, _task.c.deadline.is_not(None))),
                (_timer, (_timer.c.length.is_not(None),)),
                (_clock, (_clock.c.is_open == 1,)),
            )
        )

    def everything(self, order: Order) -> int:
        """Every page at once; how many due dates moved."""
        moved = 0
        place: Place | None = Place()
        while place is not None:
            page = self.page(order, place)
            moved, place = moved + page.moved, page.then
        return moved

    def page(self, order: Order, place: Place) -> Page:
        """Count the rows behind this place again.

        A row that cannot be counted raises an incident in its case and holds up no other. Raises
        Stale where a case is too busy to be counted now.
        """
        rows, moved = self._pages[place.stage](order, place)
        then = _behind(place.stage, rows[-1]) if len(rows) == PAGE else _FOLLOWING[place.stage]
        return Page(looked_at=len(rows), moved=moved, then=then)

    def _rows(self, query: Any) -> list[Any]:
        with self._environment.database.read() as tx:
            return list(tx.execute(query.limit(PAGE)).all())

    def _version(self, unit: str) -> str:
        """Of the calendar that counts there, as rows keep it."""
        return self._environment.calendars.at(unit).version[:60]

    # --- tasks -------------------------------------------------------------------------------

    def _tasks(self, order: Order, place: Place) -> tuple[list[Any], int]:
        """Open tasks whose due date today's calendar counts otherwise, or only a command can."""
        names = ("id", "instance_id", "unit", "region", "created_at", "deadline", "due_at")
        held = select(_pause.c.id).where(_pause.c.instance_id == _task.c.instance_id).exists()
        wanted = [_task.c.is_open == 1, _task.c.deadline.is_not(None), _task.c.id > place.after]
        if order.since is not None:
            version = self._environment.calendars.default.version[:60]
            other = _task.c.calendar_version
            wanted.append(or_(_task.c.created_at >= order.since, other.is_(None), other != version))
        query = select(*(_task.c[name] for name in names), held.label("held")).where(*wanted)
        rows = self._rows(query.order_by(_task.c.id))
        same = [row for row in rows if self._is_same(row)]
        self._say_version(same)
        unchanged = {row.id for row in same}

        def move(work: Work, row: Any) -> bool:
            return _task_moved(work, row, order)

        moved = 0
        for row in rows:
            if row.id not in unchanged:
                at = partial(self._commands.on_task, row.id, SYSTEM, move)
                moved += self._one(row.instance_id, at)
        return rows, moved

    def _is_same(self, row: Any) -> bool:
        if row.held or " after " in row.deadline:
            return False
        calendar = self._environment.calendars.at(row.unit or row.region)
        try:
            result, _ = deadline_result(calendar, row.created_at, row.deadline)
        except Incident:
            return False
        return bool(result.at_or_none == row.due_at)

    def _say_version(self, rows: list[Any]) -> None:
        by_version: dict[str, list[str]] = {}
        for row in rows:
            by_version.setdefault(self._version(row.unit or row.region), []).append(row.id)
        for version, ids in by_version.items():
            with self._environment.database.write() as tx:
                tx.execute(
                    update(_task)
                    .where(_task.c.id.in_(ids), _task.c.is_open == 1)
                    .values(calendar_version=version)
                )

    # --- timers and cases --------------------------------------------------------------------

    def _timers(self, order: Order, place: Place) -> tuple[list[Any], int]:
        behind = or_(
            _timer.c.instance_id > place.after,
            and_(_timer.c.instance_id == place.after, _timer.c.element > place.element),
        )
        held = select(_pause.c.id).where(_pause.c.instance_id == _timer.c.instance_id).exists()
        wanted = [_timer.c.kind == timers.EVENT, _timer.c.length.is_not(None), behind]
        if order.since is not None:
            wanted.append(_timer.c.since >= order.since)
        query = (
            select(_timer, _instance.c.region, held.label("held"))
            .join(_instance, _instance.c.id == _timer.c.instance_id)
            .where(*wanted)
            .order_by(_timer.c.instance_id, _timer.c.element)
        )
        moved, rows = 0, self._rows(query)
        for row in rows:
            if row.held or not self._is_planned_so(row):
                act = partial(_timer_moved, timer=row, order=order)
                at = partial(self._commands.on_instance, row.instance_id, SYSTEM, act)
                moved += self._one(row.instance_id, at)
        return rows, moved

    def _is_planned_so(self, row: Any) -> bool:
        calendar = self._environment.calendars.at(row.region)
        try:
            return bool(timer_instant(calendar, row.since, row.length) == row.planned_at)
        except Incident:
            return False

    def _cases(self, order: Order, place: Place) -> tuple[list[Any], int]:
        query = (
            select(_clock.c.instance_id, _clock.c.region, _clock.c.calendar_version)
            .where(_clock.c.is_open == 1, _clock.c.instance_id > place.after)
            .order_by(_clock.c.instance_id)
        )

        def act(work: Work) -> bool:
            return _case_moved(work, order)

        moved, rows = 0, self._rows(query)
        for row in rows:
            if self._version(row.region) != row.calendar_version:
                at = partial(self._commands.on_instance, row.instance_id, SYSTEM, act)
                moved += self._one(row.instance_id, at)
        return rows, moved

    def _one(self, instance_id: str, move: Callable[[], bool]) -> bool:
        try:
            return move()
        except Stale:
            raise
        except NotFound:
            return False  # filed away in the meantime
        except (Rejected, Incident, CodecError) as error:
            _log.warning("instance %s cannot be counted again", instance_id, exc_info=error)
            unreadable = isinstance(error, CodecError)
            self._say_fault(instance_id, CodecError().message if unreadable else error.message)
            return False

    def _say_fault(self, instance_id: str, message: str) -> None:
        with self._environment.database.read() as tx:
            known = tx.rows(incidents.OPEN_OF_INSTANCE, {"instance_id": instance_id})
        if not any(row.kind == FAULT for row in known):
            said = f"换用新的工作日历后无法重算时限：{message}"
            job_incidents.store(self._commands, instance_id, kind=FAULT, message=said)


_FOLLOWING: Mapping[Stage, Place | None] = {
    Stage.TASKS: Place(stage=Stage.TIMERS),
    Stage.TIMERS: Place(stage=Stage.CASES),
    Stage.CASES: None,
}


def _behind(stage: Stage, row: Any) -> Place:
    if stage is Stage.TASKS:
        return Place(stage=stage, after=row.id)
    element = row.element if stage is Stage.TIMERS else -1
    return Place(stage=stage, after=row.instance_id, element=element)


def _task_moved(work: Work, row: Any, order: Order) -> bool:
    before = row.due_at
    if not participation.recount_due(work, row, order.reason):
        return False
    again = work.tx.first(human_tasks.BY_ID, {"task_id": row.id})
    assert again is not None
    _list(work, order.number, "task", row, row.name, before, again.due_at)
    return True


def _timer_moved(work: Work, timer: Any, order: Order) -> bool:
    at = held_timers.planned(work, timer, reckoning.pauses_of(work))
    if at == timer.planned_at:
        return False
    suspended = work.instance.status is InstanceStatus.SUSPENDED
    hit = work.tx.execute(
        update(_timer)
        .where(
            _timer.c.instance_id == timer.instance_id,
            _timer.c.kind == timer.kind,
            _timer.c.element == timer.element,
            _timer.c.id == timer.id,
        )
        .values(planned_at=at, due_at=FAR_FUTURE if suspended else at)
    )
    if hit.rowcount:
        node = work.deployed.program.by_id.get(timer.node_id)
        name = node.name if node is not None and node.name else timer.node_id
        _list(work, order.number, "timer", None, name, _told(timer.planned_at), _told(at))
    return bool(hit.rowcount)


def _told(at: datetime) -> datetime | None:
    return None if at == FAR_FUTURE else at


def _case_moved(work: Work, order: Order) -> bool:
    row = case_clock.of(work)
    if row is None:
        return False
    after = case_clock.recount(work, reckoning.pauses_of(work), order.reason)
    if after == row.due_at:
        return False
    _list(work, order.number, "case", None, work.deployed.title, row.due_at, after)
    return True


def _list(  # one parameter a column
    work: Work,
    number: int | None,
    kind: str,
    task: Any,
    name: str,
    before: datetime | None,
    after: datetime | None,
) -> None:
    if number is None:
        return
    work.tx.execute(
        insert(_moved).values(
            id=work.new_id(),
            number=number,
            kind=kind,
            instance_id=work.instance.id,
            task_id=task.id if task is not None else None,
            region=task.region if task is not None else work.instance.region,
            process_key=work.instance.process_key,
            name=name[:200],
            title=task.subject if task is not None else work.instance.title,
            before=before,
            after=after,
        )
    )
