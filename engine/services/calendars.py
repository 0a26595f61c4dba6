"""The calendar as the administration keeps it: imports in order, and what each of them moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from engine.execution import case_clock, held_timers, participation, reckoning
from engine.execution.command import Commands
from engine.execution.deadlines import deadline_result, timer_instant
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.calendar import WorkingCalendar, read_holiday_json
from engine.model.clocks import CalendarVersionView, MovedDueView
from engine.model.errors import Incident, InvalidInput, NotAllowed, NotFound
from engine.model.office_time import NoHours, read_hours
from engine.model.process import InstanceStatus
from engine.services.calendars_entries import named, with_entry, written
from engine.store import calendars as store
from engine.store import human_tasks, instances, pauses, timers
from engine.store.base import FAR_FUTURE

_entry: Any = store.CalendarEntry.__table__
_moved: Any = store.MovedDue.__table__
_task: Any = human_tasks.HumanTask.__table__
_timer: Any = timers.Timer.__table__
_clock: Any = pauses.CaseClock.__table__
_pause: Any = pauses.DeadlinePause.__table__
_instance: Any = instances.ProcessInstance.__table__
ADMINISTRATOR = "sys_admin"
BATCH = 500
#: how long another process may have counted by the calendar before
OVERLAP = timedelta(minutes=3)
EVERY = timedelta(seconds=30)


class CalendarService:
    """Versions of the working calendar; every open due date follows the newest."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._base = commands.environment.calendars.default
        self._applied = 0
        self._looked_at: datetime | None = None

    # --- imports -----------------------------------------------------------------------------

    def import_year(self, actor: Actor, text: str, *, source: str = "") -> int:
        """Keep an announced year (open JSON form), count by it, and count again what is open.

        Answers the number of the version. Raises NotAllowed, InvalidCalendar.
        """
        table = read_holiday_json(text)
        return self._keep(actor, store.YEAR, str(table.year), written(table), source)

    def import_local(  # one keyword a field of the form
        self,
        actor: Actor,
        *,
        unit: str,
        days: Mapping[date, tuple[str, str]],
        hours: tuple[str, ...] = (),
        source: str = "",
    ) -> int:
        """Days that differ at a unit and below it: day → (off | work | half, name); its hours.

        Replaces what the unit had before. Raises NotAllowed, InvalidCalendar, InvalidInput,
        InvalidRegion.
        """
        regions.level(unit)
        try:
            own_hours = read_hours(hours) if hours else None
        except NoHours as wrong:
            raise InvalidInput(str(wrong), {"hours": str(wrong)}) from wrong
        content = {
            "days": [
                {"date": day.isoformat(), "kind": kind, "name": name}
                for day, (kind, name) in sorted(days.items())
            ],
            "hours": list(hours) if own_hours else [],
        }
        with_entry(self._base, store.LOCAL, unit, content)
        return self._keep(actor, store.LOCAL, unit, content, source)

    def _keep(self, actor: Actor, kind: str, about: str, content: Any, source: str) -> int:
        if actor is not SYSTEM and not actor.has_role(ADMINISTRATOR):
            raise NotAllowed("工作日历由系统管理员维护")
        with self._environment.database.write() as tx:
            last = tx.execute(select(func.max(_entry.c.number))).scalar() or 0
            number = int(last) + 1
            tx.execute(
                insert(_entry).values(
                    number=number,
                    kind=kind,
                    about=about,
                    content=content,
                    source=source[:200],
                    imported_at=self._environment.clock.now(),
                    imported_by=actor.id,
                    moved=None,
                )
            )
        self.apply()
        moved = self.recount(f"工作日历第 {number} 版", number)
        with self._environment.database.write() as tx:
            tx.execute(update(_entry).where(_entry.c.number == number).values(moved=moved))
        return number

    def apply(self) -> None:
        """Count by the shipped calendar and every import, in their order."""
        with self._environment.database.read() as tx:
            rows = tx.execute(select(_entry).order_by(_entry.c.number)).all()
        calendar = self._base
        for row in rows:
            calendar = with_entry(calendar, row.kind, row.about, row.content)
        if rows:
            self._applied = rows[-1].number
            calendar = named(calendar, f"{self._base.version}.{self._applied}")
        self._environment.calendars.replace(calendar)

    def replace_base(self, calendar: WorkingCalendar) -> None:
        """What stands below every import from now on; until `apply` it counts alone."""
        self._base = calendar
        self._applied = 0
        self._environment.calendars.replace(calendar)

    def keep_up(self) -> None:
        """Look every half minute whether another process imported something."""
        now = self._environment.clock.now()
        if self._looked_at is None or abs(now - self._looked_at) >= EVERY:
            self._looked_at = now
            self.refresh()

    def refresh(self) -> bool:
        """Take over what another process imported; whether there was something.

        What this process opened meanwhile by the older calendar is counted again.
        """
        with self._environment.database.read() as tx:
            last = tx.execute(
                select(_entry.c.number, _entry.c.imported_at)
                .order_by(_entry.c.number.desc())
                .limit(1)
            ).first()
        if last is None or last.number == self._applied:
            return False
        begun = self._applied == 0
        self.apply()
        if begun:
            return True
        self.recount(
            f"工作日历第 {last.number} 版", last.number, opened_from=last.imported_at - OVERLAP
        )
        return True

    # --- looking -----------------------------------------------------------------------------

    def versions(self) -> tuple[CalendarVersionView, ...]:
        """Every import, the newest first."""
        columns = [
            _entry.c[name]
            for name in (
                "number", "kind", "about", "source", "imported_at", "imported_by", "moved",
            )
        ]  # fmt: skip
        with self._environment.database.read() as tx:
            rows = tx.execute(select(*columns).order_by(_entry.c.number.desc())).all()
        return tuple(CalendarVersionView(**row._mapping) for row in rows)  # noqa: SLF001  # the documented way to a mapping

    def moved_by(
        self, number: int, *, after: str = "", limit: int = 200
    ) -> tuple[tuple[MovedDueView, ...], str | None]:
        """Due dates that a version moved, in the order they were found, and where to go on.

        Raises NotFound.
        """
        with self._environment.database.read() as tx:
            if tx.execute(select(_entry.c.number).where(_entry.c.number == number)).first() is None:
                raise NotFound("没有这一版日历")
            rows = tx.execute(
                select(_moved)
                .where(_moved.c.number == number, _moved.c.id > after)
                .order_by(_moved.c.id)
                .limit(limit + 1)
            ).all()
        names = MovedDueView.__dataclass_fields__.keys()
        views = tuple(
            MovedDueView(**{name: getattr(row, name) for name in names}) for row in rows[:limit]
        )
        return views, rows[limit - 1].id if len(rows) > limit else None

    # --- counting again ----------------------------------------------------------------------

    def recount(
        self,
        reason: str = "工作日历更新",
        number: int | None = None,
        *,
        opened_from: datetime | None = None,
    ) -> int:
        """Count open deadlines, timers and cases again; how many moved, each with a fact.

        Dates that an expression or an operation set stay. Only what really moves costs a command:
        the rest is looked through a page at a time and told which version has counted it.
        """

        def task(work: Work, row: Any) -> bool:
            return _task_moved(work, row, reason, number)

        def case(work: Work) -> bool:
            return _case_moved(work, reason, number)

        moved = 0
        for row in self._tasks(opened_from):
            moved += self._commands.on_task(row.id, SYSTEM, task)
        for row in self._timers():
            moved += self._recount_timer(row, number)
        for instance_id in self._cases():
            moved += self._commands.on_instance(instance_id, SYSTEM, case)
        return moved

    def _recount_timer(self, timer: Any, number: int | None) -> bool:
        def act(work: Work) -> bool:
            return self._timer_moved(work, timer, number)

        return self._commands.on_instance(timer.instance_id, SYSTEM, act)

    def _tasks(self, opened_from: datetime | None) -> Iterator[Any]:
        """Open tasks whose due date today's calendar counts otherwise, or only a command can."""
        wanted = [_task.c.is_open == 1, _task.c.deadline.is_not(None)]
        if opened_from is not None:
            wanted.append(_task.c.created_at >= opened_from)
        columns = [
            _task.c[name] for name in ("id", "unit", "region", "created_at", "deadline", "due_at")
        ]
        held = select(_pause.c.id).where(_pause.c.instance_id == _task.c.instance_id).exists()
        query = (
            select(*columns, held.label("held")).where(*wanted).order_by(_task.c.id).limit(BATCH)
        )
        after = ""
        while True:
            with self._environment.database.read() as tx:
                rows = tx.execute(query.where(_task.c.id > after)).all()
            if not rows:
                return
            same = [row for row in rows if self._is_same(row)]
            self._say_version(same)
            unchanged = {row.id for row in same}
            yield from (row for row in rows if row.id not in unchanged)
            after = rows[-1].id

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
            version = self._environment.calendars.at(row.unit or row.region).version[:60]
            by_version.setdefault(version, []).append(row.id)
        for version, ids in by_version.items():
            with self._environment.database.write() as tx:
                tx.execute(
                    update(_task)
                    .where(_task.c.id.in_(ids), _task.c.is_open == 1)
                    .values(calendar_version=version)
                )

    def _timers(self) -> list[Any]:
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(_timer, _instance.c.region)
                .join(_instance, _instance.c.id == _timer.c.instance_id)
                .where(_timer.c.length.is_not(None))
            ).all()
        calendars = self._environment.calendars
        return [
            row
            for row in rows
            if timer_instant(calendars.at(row.region), row.since, row.length) != row.planned_at
        ]

    def _timer_moved(self, work: Work, timer: Any, number: int | None) -> bool:
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
            _list(work, number, "timer", None, name, timer.planned_at, at)
        return bool(hit.rowcount)

    def _cases(self) -> list[str]:
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(_clock.c.instance_id, _clock.c.region, _clock.c.calendar_version).where(
                    _clock.c.is_open == 1
                )
            ).all()
        calendars = self._environment.calendars
        return [
            row.instance_id
            for row in rows
            if calendars.at(row.region).version[:60] != row.calendar_version
        ]


def _task_moved(work: Work, row: Any, reason: str, number: int | None) -> bool:
    before = row.due_at
    if not participation.recount_due(work, row, reason):
        return False
    again = work.tx.first(human_tasks.BY_ID, {"task_id": row.id})
    assert again is not None
    _list(work, number, "task", row, row.name, before, again.due_at)
    return True


def _case_moved(work: Work, reason: str, number: int | None) -> bool:
    row = case_clock.of(work)
    if row is None:
        return False
    after = case_clock.recount(work, reckoning.pauses_of(work), reason)
    if after == row.due_at:
        return False
    _list(work, number, "case", None, work.deployed.title, row.due_at, after)
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
