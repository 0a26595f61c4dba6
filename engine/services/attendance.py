"""Which open tasks nobody can take any more, because the last holder of the seat has gone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, or_, select, text, update

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
        self._mark(_task.c.no_holder.is_(False), ~attended(today), no_holder=True)

    def _mark(self, marked: Any, condition: Any, *, no_holder: bool) -> None:
        database = self._environment.database
        wanted = and_(text("is_open = 1"), _task.c.role.is_not(None), marked, condition)
        while True:
            with database.read() as tx:
                found = _ids(tx, wanted)
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
    by_stand_in = exists().where(
        _stand_in.c.absent_id == _seat.c.participant_id,
        _stand_in.c.substitute_id == _task.c.owner,
        _stand_in.c.since <= today,
        _stand_in.c.until >= today,
    )
    named = and_(_task.c.owner.is_not(None), _task.c.claimed_at.is_(None))
    his = or_(_task.c.owner.is_(None), _person.c.id == _task.c.owner, by_stand_in)
    return or_(named, exists().where(held, his))


def _ids(tx: Transaction, wanted: Any) -> list[str]:
    return list(tx.execute(select(_task.c.id).where(wanted).limit(_BATCH)).scalars())
