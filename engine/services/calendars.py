"""The calendar as the administration keeps it: imports in order, and what each of them moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from engine.execution.command import Commands
from engine.model import region as regions
from engine.model.actor import Actor, is_administrator
from engine.model.calendar import WorkingCalendar, read_holiday_json
from engine.model.clocks import CalendarVersionView, MovedDueView, RecountView
from engine.model.errors import InvalidInput, NotAllowed
from engine.model.office_time import NoHours, read_hours
from engine.services import calendars_entries as entries
from engine.services.calendars_recounts import RecountJobs
from engine.store import calendars as store

_entry: Any = store.CalendarEntry.__table__
_moved: Any = store.MovedDue.__table__
EVERY = timedelta(seconds=30)


class CalendarService:
    """Versions of the working calendar; every open due date follows the newest."""

    def __init__(self, commands: Commands) -> None:
        self._environment = commands.environment
        self._base = commands.environment.calendars.default
        self._applied = 0
        self._looked_at: datetime | None = None
        self.recounts = RecountJobs(commands, self.refresh)

    # --- imports -----------------------------------------------------------------------------

    def import_year(self, actor: Actor, text: str, *, source: str = "") -> int:
        """Keep an announced year (open JSON form), count by it, and let a job count what is open.

        Answers the number of the version. Raises NotAllowed, InvalidCalendar.
        """
        table = read_holiday_json(text)
        return self._keep(actor, store.YEAR, str(table.year), entries.written(table), source)

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
        entries.with_entry(self._base, store.LOCAL, unit, content)
        return self._keep(actor, store.LOCAL, unit, content, source)

    def _keep(self, actor: Actor, kind: str, about: str, content: Any, source: str) -> int:
        if not is_administrator(actor):
            raise NotAllowed("工作日历由系统管理员维护")
        with self._environment.database.write() as tx:
            number = entries.newest(tx) + 1
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
            self.recounts.queue(tx, number)
        self.apply()
        self._environment.wake()
        return number

    def apply(self) -> None:
        """Count by the shipped calendar and every import, in their order."""
        with self._environment.database.read() as tx:
            rows = tx.execute(select(_entry).order_by(_entry.c.number)).all()
        calendar = self._base
        for row in rows:
            calendar = entries.with_entry(calendar, row.kind, row.about, row.content)
        if rows:
            self._applied = rows[-1].number
            calendar = entries.named(calendar, f"{self._base.version}.{self._applied}")
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

    def refresh(self) -> None:
        """Take over what another process imported.

        What this process opened meanwhile by the older calendar is counted again a little later,
        by the second job of the import.
        """
        with self._environment.database.read() as tx:
            newest = entries.newest(tx)
        if newest != self._applied:
            self.apply()

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
            entries.row(tx, number)
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

    def recount(self, reason: str = "工作日历更新") -> int:
        """Count open deadlines, timers and cases again at once; how many moved, each with a fact.

        Dates that an expression or an operation set stay.
        """
        return self.recounts.at_once(reason)

    def progress(self, number: int) -> RecountView:
        """How far counting again for a version is. Raises NotFound."""
        with self._environment.database.read() as tx:
            return self.recounts.progress(tx, number)
