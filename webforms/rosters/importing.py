"""Large rosters come in behind the page: read and made ready, then written in one transaction.

How far it is stands in the database while the file is read; SQLite has one writer, so while the
lines are written there it stands in this process, which is the only one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from engine import SYSTEM, Actor, ProcessEngine, errors
from workflows.domain import lines, roster_bulk, roster_import, roster_import_run
from workflows.domain.roster_import import Fault, Prepared
from workflows.domain.roster_import_run import RosterImport

log = structlog.get_logger(__name__)
STEP = "roster.run_import"
TELL_EVERY = 1.0
#: imports that are being written in this process: rows written, by id
written_here: dict[str, int] = {}


@dataclass(slots=True, kw_only=True)
class Asking:
    """Who asks the register while a file is checked."""

    session: Any
    actor: Actor


@dataclass(slots=True)
class Meter:
    """How far the import at hand is."""

    checked: int = 0
    written: int = 0
    writing: bool = False


class Imports:
    """Runs what waits, one file at a time, in the order of upload."""

    def __init__(self, engine: ProcessEngine) -> None:
        self._engine = engine
        self._thread: threading.Thread | None = None
        #: SQLite has one process: what it finds under way at its start nobody works on
        self._alone = engine.database.is_sqlite

    def beat(self) -> None:
        """Begin to work beside the caller where something waits; returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not self._anything():
            self._alone = False
            return
        self._thread = threading.Thread(target=self.run_waiting, name="imports", daemon=True)
        self._thread.start()

    def run_waiting(self) -> int:
        """Import all that waits; how many files came to an end."""
        ended = 0
        # Asked first: an installation without these packages has nobody who could take one.
        while self._anything() and (taken := self._take()):
            try:
                self._run(taken)
                ended += 1
            except Exception:
                # The file stays stored and is taken up again; the loop must live.
                log.exception("an import failed", roster_import=taken[0], attempt=taken[1])
                self._step("let_go", taken)
                # Where nobody else is, the next beat tries again, else whoever finds it silent.
                self._alone = self._engine.database.is_sqlite
                break
        return ended

    def forget(self) -> None:
        """Imports that ended a month ago leave."""
        with self._engine.read() as session:
            known = roster_import_run.anything_known(session)
        if known:
            self._step("forget", None)

    def _anything(self) -> bool:
        with self._engine.read() as session:
            return roster_import_run.anything_waits(session)

    def _take(self) -> tuple[str, int] | None:
        found = self._step("take", None, alone=self._alone)
        self._alone = False
        return (str(found["import"]), int(str(found["attempt"]))) if found else None

    def _run(self, taken: tuple[str, int]) -> None:
        with self._engine.read() as session:
            row = session.get(RosterImport, taken[0])
            assert row is not None
            session.expunge_all()
        meter = Meter()
        try:
            with self._told(taken, meter):
                self._bring(taken, row, meter)
        except errors.Stale:
            raise
        except errors.InvalidInput as refused:
            told = [_fault(place, text) for place, text in refused.fields.items()]
            self._step("refuse", taken, message=refused.message, faults=told)
        except errors.Rejected as refused:
            self._step("refuse", taken, message=refused.message, faults=[])

    def _bring(self, taken: tuple[str, int], row: RosterImport, meter: Meter) -> None:
        engine = self._engine
        actor = engine.identity.actor(row.uploaded_by)
        _, content = engine.tasks.attachment(row.file, actor)
        rows = roster_import.read_rows(content)

        def checked(number: int, _total: int) -> None:
            meter.checked = number

        def wrote(number: int, _total: int) -> None:
            written_here[row.id] = meter.written = number

        with engine.read() as session:
            found = lines.get_roster(session, row.roster_id)
            session.expunge_all()
        desk = roster_bulk.Desk(new_id=engine.ids.new, now=engine.clock.now(), actor=actor)
        most = roster_import_run.MOST_FAULTS
        read = roster_import.read_households(desk, found, rows, most=most, progress=checked)
        with engine.read() as session:
            # Whether the register knows them is asked of tables that may still come right.
            wrong = (
                roster_import.faults_of(Asking(session=session, actor=actor), found, read)
                if read.looked_at == read.rows
                else read.faults
            )
        if wrong:
            message = _refusal(read, len({one.row for one in wrong}))
            self._step("refuse", taken, message=message, faults=wrong, checked=read.looked_at)
            return
        meter.checked, meter.writing = read.rows, True
        self._step("tell", taken, checked=read.rows, written=0)
        token = roster_import.prepared.set(
            Prepared(file=row.file, taken=taken, read=read, wrote=wrote)
        )
        try:
            engine.tasks.perform(row.task_id, actor, "roster.import_lines", {"file": row.file})
        finally:
            roster_import.prepared.reset(token)
            written_here.pop(row.id, None)

    @contextmanager
    def _told(self, taken: tuple[str, int], meter: Meter) -> Iterator[None]:
        """Meanwhile the row says how far it is, and that somebody has it."""
        ending = threading.Event()

        def go_on() -> None:
            while not ending.wait(TELL_EVERY):
                if meter.writing and self._engine.database.is_sqlite:
                    continue
                try:
                    self._step("tell", taken, checked=meter.checked, written=meter.written)
                except Exception:
                    log.exception("an import cannot tell how far it is")

        thread = threading.Thread(target=go_on, name="import-meter", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    def _step(self, step: str, taken: tuple[str, int] | None, **more: object) -> dict[str, object]:
        which = {} if taken is None else {"import": taken[0], "attempt": taken[1]}
        data = {"step": step, **which, **more}
        return dict(self._engine.runtime.perform(STEP, SYSTEM, data))


def _refusal(read: roster_import.Read, wrong: int) -> str:
    if read.looked_at == read.rows:
        return f"共 {wrong:,} 行有误，请改好后重新上传"
    return (
        f"前 {read.looked_at:,} 行里有 {wrong:,} 行有误，后面的没有再检查；"
        "多半是整列填错，请改好后重新上传"
    )


def _fault(place: str, message: str) -> Fault:
    """A fault told by its place in words, as the check of a single upload tells it."""
    row, _, column = place.removeprefix("第 ").partition(" 行")
    return Fault(row=int(row) if row.isdecimal() else 0, column=column.lstrip("·"), message=message)
