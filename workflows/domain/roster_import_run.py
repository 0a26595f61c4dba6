"""Imports of large rosters in the background: one row each, with how far it is and what came of it.

A row is taken for a short while (`LEASE`) and taken up again by anybody once whoever had it is
silent. The transaction that writes the lines also settles the row, under the number of the attempt:
whoever comes second finds nothing to settle, and his lines are rolled back with him.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Integer, String, Text, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Actor, Base, OperationContext, UtcDateTime, errors
from workflows.domain.roster_import import Fault

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
KEPT = timedelta(days=30)
#: more than a file may have rows; a file with several faults in each of them is told these
#: a table with more is wrong in a whole column: nobody corrects that row by row
MOST_FAULTS = 10_000
GIVEN_UP = "后台多次尝试仍未完成，一行也没有导入，请重新上传或联系系统管理员"


class ImportState(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    #: something in the file or in the task stood against it; nothing was kept
    REFUSED = "refused"

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self in (ImportState.WAITING, ImportState.RUNNING)


class RosterImport(Base):
    """One uploaded file and its way into the roster."""

    __tablename__ = "roster_import"
    __table_args__ = (Index("ix_roster_import_state", "state", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(36), index=True)
    roster_id: Mapped[str] = mapped_column(String(36))
    #: the office that may look: whoever holds the task's role at its unit
    role: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str] = mapped_column(String(32))
    #: id of the attachment, and the name it was uploaded under
    file: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    uploaded_by: Mapped[str] = mapped_column(String(36))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    #: rows of the file; how many of them are read and checked, and how many written
    total: Mapped[int] = mapped_column(Integer)
    checked: Mapped[int] = mapped_column(Integer, default=0)
    written: Mapped[int] = mapped_column(Integer, default=0)
    wrong_rows: Mapped[int] = mapped_column(Integer, default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    taken_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def standing(self) -> ImportState:
        """The state as a word of the enum."""
        return ImportState(self.state)


class RosterImportFault(Base):
    """What was wrong with a row, or worth a look; never a full number."""

    __tablename__ = "roster_import_fault"

    import_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    row: Mapped[int] = mapped_column(Integer)
    column: Mapped[str] = mapped_column("field", String(60))
    message: Mapped[str] = mapped_column(Text)


_run: Any = RosterImport.__table__
_fault: Any = RosterImportFault.__table__


def begin(
    context: OperationContext, *, task: tuple[str, str, str], roster_id: str, file: str, total: int
) -> str:
    """Let a stored file wait for its import; `task` is its id, role and unit.

    The same file for the same task, still under way, is not imported a second time: its import is
    the answer. Raises InvalidState while another file is.
    """
    assert context.actor is not None
    task_id, role, unit = task
    stored = context.attachment(file)
    session: Session = context.session
    for other in session.scalars(select(RosterImport).where(RosterImport.task_id == task_id)):
        if other.standing.is_open:
            if other.sha256 == stored.sha256:
                return other.id
            raise errors.InvalidState("这件待办还有一张表正在导入，请等它结束后再上传")
    made = RosterImport(
        id=context.new_id(),
        task_id=task_id,
        roster_id=roster_id,
        role=role,
        unit=unit,
        file=file,
        name=stored.name,
        sha256=stored.sha256,
        uploaded_by=context.actor.id,
        uploaded_at=context.now,
        state=ImportState.WAITING,
        total=total,
        checked=0,
        written=0,
        wrong_rows=0,
        message="",
        attempts=0,
    )
    session.add(made)
    return made.id


def take(context: OperationContext, *, alone: bool) -> tuple[str, int] | None:
    """The oldest import that nobody works on, now ours, and the number of the attempt.

    `alone`: nobody else is there, so whatever is under way was left behind by a dead process.
    """
    session: Session = context.session
    silent = and_(
        _run.c.state == ImportState.RUNNING,
        _run.c.taken_until.is_not(None) if alone else _run.c.taken_until < context.now,
    )
    row = session.execute(
        select(_run.c.id, _run.c.attempts)
        .where(or_(_run.c.state == ImportState.WAITING, silent))
        .order_by(_run.c.id)
        .limit(1)
    ).first()
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        _settle(context, (row.id, row.attempts), state=ImportState.REFUSED, message=GIVEN_UP)
        return None
    hit: Any = session.execute(
        update(_run)
        .where(_run.c.id == row.id, _run.c.attempts == row.attempts)
        .values(
            state=ImportState.RUNNING,
            attempts=row.attempts + 1,
            taken_until=context.now + LEASE,
            checked=0,
            written=0,
        )
    )
    return (row.id, row.attempts + 1) if hit.rowcount == 1 else None


def tell(context: OperationContext, taken: tuple[str, int], *, checked: int, written: int) -> None:
    """How far it is; whoever tells keeps the import for himself."""
    context.session.execute(
        update(_run)
        .where(_mine(taken), _run.c.state == ImportState.RUNNING)
        .values(checked=checked, written=written, taken_until=context.now + LEASE)
    )


def let_go(context: OperationContext, taken: tuple[str, int]) -> None:
    """It went wrong by no fault of the file: somebody tries again after a while."""
    context.session.execute(
        update(_run)
        .where(_mine(taken), _run.c.state == ImportState.RUNNING)
        .values(taken_until=context.now + LEASE)
    )


def refuse(
    context: OperationContext,
    taken: tuple[str, int],
    message: str,
    faults: Sequence[Fault],
    *,
    checked: int = 0,
) -> None:
    """Nothing was imported; why is kept row by row, of the rows that were looked at."""
    _settle(
        context,
        taken,
        state=ImportState.REFUSED,
        message=message,
        wrong_rows=len({one.row for one in faults}),
        checked=checked,
    )
    _keep(context, taken[0], faults)


def done(
    context: OperationContext, taken: tuple[str, int], lines: int, warnings: Iterable[Fault]
) -> None:
    """Every row is a line. Raises Stale where another attempt has settled it."""
    _settle(context, taken, state=ImportState.DONE, checked=_run.c.total, written=lines)
    _keep(context, taken[0], tuple(warnings))


def forget(context: OperationContext) -> None:
    """Imports that ended long ago leave; the lines they brought stay."""
    before = context.now - KEPT
    old = select(_run.c.id).where(_run.c.ended_at < before)
    context.session.execute(delete(_fault).where(_fault.c.import_id.in_(old)))
    context.session.execute(delete(_run).where(_run.c.ended_at < before))


def _settle(context: OperationContext, taken: tuple[str, int], **values: Any) -> None:
    hit: Any = context.session.execute(
        update(_run)
        .where(_mine(taken), _run.c.state.in_((ImportState.RUNNING, ImportState.WAITING)))
        .values(taken_until=None, ended_at=context.now, **values)
    )
    if hit.rowcount != 1:
        raise errors.Stale("这张表已由另一个后台进程处理")


def _mine(taken: tuple[str, int]) -> Any:
    return and_(_run.c.id == taken[0], _run.c.attempts == taken[1])


def _keep(context: OperationContext, import_id: str, faults: Sequence[Fault]) -> None:
    rows = [
        {
            "import_id": import_id,
            "number": number,
            "row": one.row,
            "field": one.column,
            "message": one.message,
        }
        for number, one in enumerate(faults[:MOST_FAULTS], 1)
    ]
    if rows:
        context.session.execute(_fault.insert(), rows)


# --- to look at --------------------------------------------------------------------------------


def anything_waits(session: Session) -> bool:
    """Whether a runner has something to look at."""
    found = (ImportState.WAITING, ImportState.RUNNING)
    query = select(_run.c.id).where(_run.c.state.in_(found)).limit(1)
    return session.execute(query).first() is not None


def anything_known(session: Session) -> bool:
    """Whether there is any import at all."""
    return session.execute(select(_run.c.id).limit(1)).first() is not None


def see(session: Session, import_id: str, actor: Actor) -> RosterImport:
    """An import, for its uploader and his office. Raises NotFound for anybody else."""
    found = session.get(RosterImport, import_id)
    if found is None or not _may_see(found, actor):
        raise errors.NotFound
    return found


def of_task(
    session: Session, task_id: str, actor: Actor, *, limit: int = 5
) -> tuple[RosterImport, ...]:
    """Imports of a task, newest first."""
    query = (
        select(RosterImport)
        .where(RosterImport.task_id == task_id)
        .order_by(RosterImport.id.desc())
        .limit(limit)
    )
    return tuple(one for one in session.scalars(query) if _may_see(one, actor))


def faults(
    session: Session, import_id: str, *, after: int = 0, limit: int | None = None
) -> list[tuple[int, Fault]]:
    """What was wrong, with its number, in the order of the file."""
    query = (
        select(_fault)
        .where(_fault.c.import_id == import_id, _fault.c.number > after)
        .order_by(_fault.c.number)
        .limit(limit)
    )
    return [
        (row.number, Fault(row=row.row, column=row.field, message=row.message))
        for row in session.execute(query)
    ]


def _may_see(found: RosterImport, actor: Actor) -> bool:
    return actor.id == found.uploaded_by or actor.holds(found.role, found.unit)
