"""Which open tasks nobody can take any more, because the last holder of the seat has gone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, literal_column, or_, select, text, update

from engine.execution.environment import Environment
from engine.model.clock import local_date
from engine.store import human_tasks, participants
from engine.store.database import Transaction

_task: Any = human_tasks.HumanTask.__table__
_seat: Any = participants.SeatRow.__table__
_person: Any = participants.Participant.__table__
_stand_in: Any = participants.Substitution.__table__
_EVERY = timedelta(minutes=1)
#: looking through every open task costs more than looking through the unattended ones
_SURVEY_EVERY = timedelta(minutes=10)
_BATCH = 500


class Attendance:
    """Keeps `no_holder` true: after seats changed here, and every few minutes for all others."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._looked_at: datetime | None = None
        self._surveyed: tuple[datetime, int] | None = None

    def is_due(self) -> bool:
        """Whether a minute has passed since the last look."""
        now = self._environment.clock.now()
        if self._looked_at is not None and abs(now - self._looked_at) < _EVERY:
            return False
        self._looked_at = now
        return True

    def refresh(self) -> None:
        """Tasks of offices that are empty are unattended, those of offices with somebody are not.

        A task somebody took is unattended as soon as he no longer holds the seat he took it by,
        nor stands in for a holder; a task the model gave to a person by name stays his.
        """
        now = self._environment.clock.now()
        today = local_date(now)
        self._mark(text("no_holder"), attended(today), no_holder=False)
        changes = self._environment.seats.changes
        if (
            self._surveyed is not None
            and self._surveyed[1] == changes
            and local_date(self._surveyed[0]) == today
            and abs(now - self._surveyed[0]) < _SURVEY_EVERY
        ):
            return
        self._surveyed = (now, changes)
        for role, unit in self._vacant(today):
            office = (_task.c.role == role, _task.c.unit == unit)
            self._mark(_HELD, *office, ~attended(today), no_holder=True)
        # Where somebody sits, only what somebody else has in hand can be unattended.
        taken = and_(text("owner IS NOT NULL"), _task.c.claimed_at.is_not(None))
        self._mark(_HELD, taken, ~attended(today), no_holder=True)

    def _vacant(self, today: date) -> list[tuple[str, str]]:
        """Offices with open tasks in which nobody sits today."""
        with self._environment.database.read() as tx:
            offices = {(row.role, row.unit) for row in tx.execute(_OFFICES)}
            seated = {(row.role, row.unit) for row in tx.execute(_seated(today))}
        return sorted(offices - seated)

    def _mark(self, *conditions: Any, no_holder: bool) -> None:
        database = self._environment.database
        # Written so that no index on the role is read for it: what is asked for has its own.
        of_office = func.coalesce(_task.c.role, "") != ""
        wanted = and_(text("is_open = 1"), of_office, *conditions)
        while True:
            with database.read() as tx:
                found = _ids(tx, wanted, alone=not no_holder)
            if not found:
                return
            with database.write() as tx:
                tx.execute(
                    update(_task)
                    .where(_task.c.id.in_(found), _task.c.is_open == 1)
                    .values(no_holder=no_holder)
                )
            if len(found) < _BATCH:
                return


def _offices() -> Any:
    """Each role and unit with an open task, by skipping through the index from one to the next.

    Two million tasks lie at a few thousand offices. First the roles, then the units of each: one
    comparison of both columns together would read every task of a role for each of its units.
    """
    held = (text("is_open = 1"), _task.c.role.is_not(None), _task.c.unit.is_not(None))
    following = _task.alias("following")
    open_ = following.c.is_open == literal_column("1")
    roles = select(func.min(_task.c.role).label("role")).where(*held)
    role = roles.cte("held_role", recursive=True)
    behind = select(func.min(following.c.role)).where(
        open_, following.c.unit.is_not(None), following.c.role > role.c.role
    )
    role = role.union_all(select(behind.scalar_subquery()).where(role.c.role.is_not(None)))
    first = select(func.min(following.c.unit)).where(open_, following.c.role == role.c.role)
    office = (
        select(role.c.role, first.scalar_subquery().label("unit"))
        .where(role.c.role.is_not(None))
        .cte("office", recursive=True)
    )
    further = select(func.min(following.c.unit)).where(
        open_, following.c.role == office.c.role, following.c.unit > office.c.unit
    )
    office = office.union_all(
        select(office.c.role, further.scalar_subquery()).where(office.c.unit.is_not(None))
    )
    return select(office.c.role, office.c.unit).where(office.c.unit.is_not(None))


def attended(today: date) -> Any:
    """Whether somebody sits where the task is to be done (its owner, where somebody took it)."""
    held = and_(
        _seat.c.role == _task.c.role,
        _seat.c.unit == _task.c.unit,
        _seat.c.since <= today,
        or_(_seat.c.until.is_(None), _seat.c.until >= today),
        _person.c.id == _seat.c.participant_id,
        _person.c.active.is_(True),
    )
    by_stand_in = (
        exists()
        .where(
            _stand_in.c.absent_id == _seat.c.participant_id,
            _stand_in.c.substitute_id == _task.c.owner,
            _stand_in.c.since <= today,
            _stand_in.c.until >= today,
        )
        # Of this task and this seat: two queries further out is too far to be meant by itself.
        .correlate(_task, _seat)
    )
    named = and_(_task.c.owner.is_not(None), _task.c.claimed_at.is_(None))
    his = or_(_task.c.owner.is_(None), _person.c.id == _task.c.owner, by_stand_in)
    return or_(named, exists().where(held, his))


def _ids(tx: Transaction, wanted: Any, *, alone: bool) -> list[str]:
    query = select(_task.c.id).where(wanted).limit(_BATCH)
    if alone:
        # In the order of the index of tasks that nobody can take, so that it is what is read.
        query = query.order_by(_task.c.due_sort, _task.c.id)
    return list(tx.execute(query).scalars())


def _seated(today: date) -> Any:
    """Each role and unit in which somebody sits today."""
    return (
        select(_seat.c.role, _seat.c.unit)
        .join(_person, _person.c.id == _seat.c.participant_id)
        .where(
            _person.c.active.is_(True),
            _seat.c.since <= today,
            or_(_seat.c.until.is_(None), _seat.c.until >= today),
        )
        .distinct()
    )


_OFFICES = _offices()
_HELD = _task.c.no_holder.is_(False)
