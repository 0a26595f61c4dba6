"""What every command needs, built once by `ProcessEngine`: store, clock, ids, programs, seats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.execution.programs import Programs
from engine.execution.visibility import Visibility
from engine.model import region
from engine.model.actor import SYSTEM, Actor
from engine.model.calendar import WorkingCalendar
from engine.model.clock import Clock, local_date
from engine.model.errors import SeparationOfDuties
from engine.model.ids import IdSource
from engine.model.operation import OperationRegistry
from engine.model.package import Ladder
from engine.model.package_terms import ladder_of
from engine.store import participants
from engine.store.attachments import FileStore
from engine.store.database import Database, Transaction
from engine.store.ladder_overrides import LadderOverride

SEATS_ARE_FRESH_FOR = timedelta(seconds=30)


@dataclass(slots=True)
class Calendars:
    """Which calendar counts where; the administration may replace it while all runs."""

    default: WorkingCalendar
    by_region: Mapping[str, WorkingCalendar] = field(default_factory=dict)
    _resolved: dict[str, WorkingCalendar] = field(default_factory=dict)

    def at(self, unit: str) -> WorkingCalendar:
        """The calendar of the nearest region that has its own, with its local days."""
        found = self._resolved.get(unit)
        if found is None:
            covering = [code for code in self.by_region if _covers(code, unit)]
            nearest = max(covering, key=len, default=None)
            own = self.default if nearest is None else self.by_region[nearest]
            found = self._resolved[unit] = own.for_region(unit)
        return found

    def replace(self, default: WorkingCalendar) -> None:
        """From now on count with this calendar where no region has its own."""
        self.default = default
        self._resolved = {}


def _covers(code: str, unit: str) -> bool:
    return unit.startswith(code.rstrip("0")) if "." not in code else unit == code


class Seats:
    """Who sits where, remembered for half a minute: asked for every task that opens."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, tuple[str, ...]]] = {}
        self._lock = Lock()
        #: how often seats changed in this process
        self.changes = 0

    def holders(self, tx: Transaction, role: str, unit: str, now: datetime) -> tuple[str, ...]:
        """Ids of the living participants who hold the role at the unit today."""
        known = self._known.get((role, unit))
        if known is not None and abs(now - known[0]) < SEATS_ARE_FRESH_FOR:
            return known[1]
        rows = tx.rows(participants.HOLDERS, {"role": role, "unit": unit, "today": local_date(now)})
        found = tuple(row.id for row in rows)
        with self._lock:
            self._known[(role, unit)] = (now, found)
        return found

    def forget(self) -> None:
        """A seat changed in this process; other processes see it within the half minute."""
        with self._lock:
            self._known.clear()
            self.changes += 1


class Ladders:
    """Ladders that regions have instead of the packages' own, remembered for half a minute."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, Ladder]] = {}
        self._read_at: datetime | None = None

    def at(
        self, tx: Transaction, process_key: str, ladder: Ladder, unit: str, now: datetime
    ) -> Ladder:
        """The nearest region's ladder of this name, else this one."""
        if self._read_at is None or abs(now - self._read_at) >= SEATS_ARE_FRESH_FOR:
            self._read(tx, now)
        found = self._known.get((process_key, ladder.name))
        if not found:
            return ladder
        covering = [code for code in found if region.covers(code, unit)]
        nearest = max(covering, key=lambda code: len(region.prefix(code)), default=None)
        return ladder if nearest is None else found[nearest]

    def forget(self) -> None:
        """One was set in this process; other processes see it within the half minute."""
        self._read_at = None

    def _read(self, tx: Transaction, now: datetime) -> None:
        known: dict[tuple[str, str], dict[str, Ladder]] = {}
        table = LadderOverride
        for row in tx.execute(
            select(table.process_key, table.ladder, table.region, table.rungs)
        ).all():
            rungs = ladder_of(row.ladder, row.rungs)
            known.setdefault((row.process_key, row.ladder), {})[row.region] = rungs
        self._known, self._read_at = known, now


@dataclass(slots=True, kw_only=True)
class Environment:
    """The engine's parts, handed to commands and services."""

    database: Database
    clock: Clock
    ids: IdSource
    files: FileStore
    operations: OperationRegistry
    calendars: Calendars
    programs: Programs
    visibility: Visibility
    seats: Seats = field(default_factory=Seats)
    ladders: Ladders = field(default_factory=Ladders)
    #: called after a commit that left work behind; must return at once
    nudge: Callable[[], None] | None = None
    #: whether versions and jumps take effect only once a second administrator confirms
    four_eyes: bool = False

    def require_one_pair_of_eyes(self, actor: Actor) -> None:
        """Return where a person may do alone what two should. Raises SeparationOfDuties."""
        if self.four_eyes and actor is not SYSTEM:
            raise SeparationOfDuties("须由另一名系统管理员复核后生效，请提交复核")

    def wake(self) -> None:
        """Tell whoever drives due work that there may be some."""
        if self.nudge is not None:
            self.nudge()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A read-only session; whatever is written through it is rolled back."""
        with self.database.read() as tx:
            yield tx.session
