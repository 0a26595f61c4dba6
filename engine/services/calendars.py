"""The calendar as the administration keeps it: imports in order, and what each of them moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from engine.execution.command import Commands
from engine.execution.recount import Order, Place, Recount, Stage
from engine.kernel import codec
from engine.model import region as regions
from engine.model.actor import Actor, is_administrator
from engine.model.calendar import WorkingCalendar, read_holiday_json
from engine.model.clocks import CalendarVersionView, MovedDueView, RecountView
from engine.model.errors import InvalidInput, NotAllowed, NotFound
from engine.model.office_time import NoHours, read_hours
from engine.services.calendars_entries import named, with_entry, written
from engine.store import calendars as store
from engine.store import jobs
from engine.store.database import Transaction

_entry: Any = store.CalendarEntry.__table__
_moved: Any = store.MovedDue.__table__
JOB_RECOUNT = "recount"
#: how long another process may have counted by the calendar before
OVERLAP = timedelta(minutes=3)
EVERY = timedelta(seconds=30)
WAIT_FOR_FIRST = timedelta(minutes=1)
#: after so much other jobs and timers get their turn
MOVED_AT_ONCE = 100
LOOKED_AT_ONCE = 5_000


class CalendarService:
    """Versions of the working calendar; every open due date follows the newest."""

    def __init__(self, commands: Commands) -> None:
        self._environment = commands.environment
        self._recount = Recount(commands)
        self._base = commands.environment.calendars.default
        self._applied = 0
        self._looked_at: datetime | None = None

    # --- imports -----------------------------------------------------------------------------

    def import_year(self, actor: Actor, text: str, *, source: str = "") -> int:
        """Keep an announced year (open JSON form), count by it, and let a job count what is open.

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
        if not is_administrator(actor):
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
            self._queue(tx, number, late=False)
            self._queue(tx, number, late=True)
        self.apply()
        self._environment.wake()
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

        What this process opened meanwhile by the older calendar is counted again a little later,
        by the second job of the import.
        """
        with self._environment.database.read() as tx:
            newest = int(tx.execute(select(func.max(_entry.c.number))).scalar() or 0)
        if newest == self._applied:
            return False
        self.apply()
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
            self._row(tx, number)
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
        return self._recount.everything(Order(reason=reason))

    def progress(self, number: int) -> RecountView:
        """How far counting again for a version is. Raises NotFound."""
        with self._environment.database.read() as tx:
            row = self._row(tx, number)
            moved = row.moved
            if moved is None:
                moved = _moved_so_far(tx, number)
            return RecountView(
                number=number,
                looked_at=row.done or 0,
                total=row.total or 0,
                moved=moved,
                is_over=row.moved is not None,
            )

    def run_job(self, job: Any, arguments: Mapping[str, Any]) -> list[str]:
        """Some pages of a recount, each kept before the next; then the job stands in line again.

        A job that comes twice, or was cut off, begins its page again and finds nothing to move.
        """
        number, late = arguments["number"], arguments["late"]
        self.refresh()
        place = Place(
            stage=Stage(arguments["stage"]),
            after=arguments["after"],
            element=arguments["element"],
        )
        known = bytes(job.arguments)
        with self._environment.database.write() as tx:
            row = self._row(tx, number)
            if late and row.moved is None:
                self._wait(tx, job)
                return []
            newest = int(tx.execute(select(func.max(_entry.c.number))).scalar() or 0)
            if newest > number:
                # The newer version counts everything again; what moved so far is listed.
                self._finish(tx, job, known, number)
                return []
            if not late and row.total is None:
                total = self._recount.total(tx)
                tx.execute(
                    update(_entry).where(_entry.c.number == number).values(total=total, done=0)
                )
        since = row.imported_at - OVERLAP if late else None
        order = Order(reason=f"工作日历第 {number} 版", number=number, since=since)
        done, moved, looked_at = row.done or 0, 0, 0
        then: Place | None = place
        while then is not None and moved < MOVED_AT_ONCE and looked_at < LOOKED_AT_ONCE:
            page = self._recount.page(order, then)
            then, moved, looked_at = page.then, moved + page.moved, looked_at + page.looked_at
            done += page.looked_at
            goes_on = moved < MOVED_AT_ONCE and looked_at < LOOKED_AT_ONCE
            told = {} if late else {"done": done}
            kept = self._keep_place(job, known, arguments, then, goes_on=goes_on, told=told)
            if kept is None:
                return []  # another worker goes on with it
            known = kept
        self._environment.wake()
        return []

    def _keep_place(
        self,
        job: Any,
        known: bytes,
        arguments: Mapping[str, Any],
        then: Place | None,
        *,
        goes_on: bool,
        told: Mapping[str, int],
    ) -> bytes | None:
        """Note how far it is, with the job; None where somebody else noted something since."""
        number = arguments["number"]
        with self._environment.database.write() as tx:
            if then is None:
                return b"" if self._finish(tx, job, known, number) else None
            place = {"stage": str(then.stage), "after": then.after, "element": then.element}
            noted = codec.encode({**arguments, **place})
            hit = tx.write(
                jobs.GO_ON,
                {
                    "job_id": job.id,
                    "seen_arguments": known,
                    "arguments": noted,
                    "run_at": self._environment.clock.now(),
                    "claimed_at": job.claimed_at if goes_on else None,
                },
            )
            if hit != 1:
                return None
            if told:
                tx.execute(update(_entry).where(_entry.c.number == number).values(**told))
        return noted

    def _finish(self, tx: Transaction, job: Any, known: bytes, number: int) -> bool:
        hit = tx.write(jobs.TAKE_AS, {"job_id": job.id, "seen_arguments": known})
        if hit != 1:
            return False
        tx.execute(
            update(_entry)
            .where(_entry.c.number == number)
            .values(moved=_moved_so_far(tx, number), done=_entry.c.total)
        )
        return True

    def _wait(self, tx: Transaction, job: Any) -> None:
        again = self._environment.clock.now() + WAIT_FOR_FIRST
        tx.write(jobs.LEASE, {"job_id": job.id, "seen_run_at": job.run_at, "run_at": again})

    def _queue(self, tx: Transaction, number: int, *, late: bool) -> None:
        now = self._environment.clock.now()
        place = Place()
        tx.write(
            jobs.INSERT,
            {
                "id": self._environment.ids.new(),
                "shard": "000000",
                "kind": JOB_RECOUNT,
                "instance_id": None,
                "element": None,
                "key": f"{JOB_RECOUNT}:{number}{':late' if late else ''}",
                "arguments": codec.encode(
                    {
                        "number": number,
                        "late": late,
                        "stage": str(place.stage),
                        "after": place.after,
                        "element": place.element,
                    }
                ),
                "status": jobs.QUEUED,
                "run_at": now + OVERLAP if late else now,
                "created_at": now,
                "attempts": 0,
                "error": None,
            },
        )

    @staticmethod
    def _row(tx: Transaction, number: int) -> Any:
        row = tx.execute(select(_entry).where(_entry.c.number == number)).first()
        if row is None:
            raise NotFound("没有这一版日历")
        return row


def _moved_so_far(tx: Transaction, number: int) -> int:
    found = tx.execute(
        select(func.count()).select_from(_moved).where(_moved.c.number == number)
    ).scalar()
    return int(found or 0)
