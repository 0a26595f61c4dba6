"""The jobs of an import of the calendar: they count what is open again, some pages a run.

The first begins at once; the second looks a little later at what other processes opened meanwhile
by the older calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from engine.execution.command import Commands
from engine.execution.recount import Order, Place, Recount, Stage
from engine.kernel import codec
from engine.model.clocks import RecountView
from engine.services import calendars_entries as entries
from engine.store import calendars as store
from engine.store import jobs
from engine.store.database import Transaction

_entry: Any = store.CalendarEntry.__table__
_moved: Any = store.MovedDue.__table__
JOB_RECOUNT = "recount"
#: how long another process may have counted by the calendar before
OVERLAP = timedelta(minutes=3)
WAIT_FOR_FIRST = timedelta(minutes=1)
#: after so much other jobs and timers get their turn
MOVED_AT_ONCE = 100
LOOKED_AT_ONCE = 5_000


class RecountJobs:
    """Makes the jobs, runs them, says how far they are; `refresh` fetches the newest calendar."""

    def __init__(self, commands: Commands, refresh: Callable[[], None]) -> None:
        self._environment = commands.environment
        self._recount = Recount(commands)
        self._refresh = refresh

    def at_once(self, reason: str) -> int:
        """Everything without a job; how many due dates moved."""
        return self._recount.everything(Order(reason=reason))

    def queue(self, tx: Transaction, number: int) -> None:
        """Let both jobs of a version stand in line."""
        now = self._environment.clock.now()
        for late in (False, True):
            tx.write(
                jobs.INSERT,
                {
                    "id": self._environment.ids.new(),
                    "shard": "000000",
                    "kind": JOB_RECOUNT,
                    "instance_id": None,
                    "element": None,
                    "key": f"{JOB_RECOUNT}:{number}{':late' if late else ''}",
                    "arguments": codec.encode({"number": number, "late": late, **_told(Place())}),
                    "status": jobs.QUEUED,
                    "run_at": now + OVERLAP if late else now,
                    "created_at": now,
                    "attempts": 0,
                    "error": None,
                },
            )

    def progress(self, tx: Transaction, number: int) -> RecountView:
        """How far counting again for a version is. Raises NotFound."""
        row = entries.row(tx, number)
        return RecountView(
            number=number,
            looked_at=row.done or 0,
            total=row.total or 0,
            moved=_moved_so_far(tx, number) if row.moved is None else row.moved,
            is_over=row.moved is not None,
        )

    def run(self, job: Any, arguments: Mapping[str, Any]) -> list[str]:
        """Some pages of a recount, each kept before the next; then the job stands in line again.

        A job that comes twice, or was cut off, begins its page again and finds nothing to move.
        """
        number, late = arguments["number"], arguments["late"]
        self._refresh()
        with self._environment.database.write() as tx:
            row = entries.row(tx, number)
            if late and row.moved is None:
                self._wait(tx, job)
                return []
            if entries.newest(tx) > number:
                # The newer version counts everything again; what moved so far is listed.
                _finish(tx, job, bytes(job.arguments), number)
                return []
            if not late and row.total is None:
                _note(tx, number, total=self._recount.total(tx), done=0)
        if self._run_pages(job, arguments, row):
            self._environment.wake()
        return []

    def _run_pages(self, job: Any, arguments: Mapping[str, Any], row: Any) -> bool:
        """Until it is another's turn, or all is done; False: another worker goes on with it."""
        number, late = arguments["number"], arguments["late"]
        since = row.imported_at - OVERLAP if late else None
        order = Order(reason=f"工作日历第 {number} 版", number=number, since=since)
        place, known = _place(arguments), bytes(job.arguments)
        moved = looked_at = 0
        goes_on = True
        while goes_on:
            page = self._recount.page(order, place)
            moved, looked_at = moved + page.moved, looked_at + page.looked_at
            goes_on = moved < MOVED_AT_ONCE and looked_at < LOOKED_AT_ONCE
            with self._environment.database.write() as tx:
                if page.then is None:
                    return _finish(tx, job, known, number)
                place = page.then
                noted = codec.encode({**arguments, **_told(place)})
                if not self._keep_place(tx, job, known, noted, goes_on=goes_on):
                    return False
                if not late:
                    _note(tx, number, done=(row.done or 0) + looked_at)
            known = noted
        return True

    def _keep_place(
        self, tx: Transaction, job: Any, known: bytes, noted: bytes, *, goes_on: bool
    ) -> bool:
        """Note how far it is, with the job; False where somebody else noted something since."""
        kept = {
            "job_id": job.id,
            "seen_arguments": known,
            "arguments": noted,
            "run_at": self._environment.clock.now(),
            "claimed_at": job.claimed_at if goes_on else None,
        }
        return tx.write(jobs.GO_ON, kept) == 1

    def _wait(self, tx: Transaction, job: Any) -> None:
        again = self._environment.clock.now() + WAIT_FOR_FIRST
        tx.write(jobs.LEASE, {"job_id": job.id, "seen_run_at": job.run_at, "run_at": again})


def _place(arguments: Mapping[str, Any]) -> Place:
    return Place(
        stage=Stage(arguments["stage"]), after=arguments["after"], element=arguments["element"]
    )


def _told(place: Place) -> dict[str, str | int]:
    return {"stage": str(place.stage), "after": place.after, "element": place.element}


def _note(tx: Transaction, number: int, **told: Any) -> None:
    tx.execute(update(_entry).where(_entry.c.number == number).values(**told))


def _finish(tx: Transaction, job: Any, known: bytes, number: int) -> bool:
    if tx.write(jobs.TAKE_AS, {"job_id": job.id, "seen_arguments": known}) != 1:
        return False
    _note(tx, number, moved=_moved_so_far(tx, number), done=_entry.c.total)
    return True


def _moved_so_far(tx: Transaction, number: int) -> int:
    found = tx.execute(
        select(func.count()).select_from(_moved).where(_moved.c.number == number)
    ).scalar()
    return int(found or 0)
