"""Participants, their seats, and who stands in for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from engine.execution.environment import Environment
from engine.model import region
from engine.model.actor import SYSTEM, Actor, Seat
from engine.model.clock import local_date
from engine.model.errors import AlreadyExists, InvalidInput, NotFound
from engine.store import participants as store
from engine.store.database import Transaction

_participant = store.Participant
_seat = store.SeatRow
_substitution = store.Substitution


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantView:
    """A participant as the administration lists him."""

    id: str
    name: str
    login: str
    phone: str | None
    email: str | None
    active: bool
    seats: tuple[SeatView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """One seat with its id, for the administration."""

    id: str
    participant_id: str
    role: str
    unit: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstitutionView:
    """Who acts for whom, on which days."""

    id: str
    absent_id: str
    substitute_id: str
    since: date
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantPage:
    """One keyset page, by login."""

    rows: tuple[ParticipantView, ...]
    next_cursor: str | None


class IdentityService:
    """WS-HumanTask's people directory; passwords and sessions belong to the shell."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def actor(self, participant_id: str) -> Actor:
        """The participant with the seats valid today, his own and those he stands in for.

        Raises NotFound, also for one who was deactivated.
        """
        if participant_id == SYSTEM.id:
            return SYSTEM
        today = local_date(self._environment.clock.now())
        asked = {"participant_id": participant_id, "today": today}
        with self._environment.database.read() as tx:
            row = tx.first(store.BY_ID, {"participant_id": participant_id})
            if row is None or not row.active:
                raise NotFound("没有这个人员，或已停用")
            own = tx.rows(store.SEATS, asked)
            instead = tx.rows(store.SEATS_INSTEAD, asked)
        seats = [
            Seat(role=seat.role, unit=seat.unit, since=seat.since, until=seat.until) for seat in own
        ]
        seats += [
            Seat(
                role=seat.role,
                unit=seat.unit,
                since=seat.since,
                until=seat.until,
                instead_of=seat.absent_id,
            )
            for seat in instead
        ]
        return Actor(id=row.id, name=row.name, seats=tuple(seats))

    def create_participant(
        self,
        id: str | None = None,  # the spine names it so  # noqa: A002  # the name callers know
        *,
        name: str,
        login: str,
        phone: str | None = None,
        email: str | None = None,
    ) -> str:
        """Enter a person; his id. Raises AlreadyExists for a known id or login."""
        participant_id = id or self._environment.ids.new()
        if not name.strip() or not login.strip():
            raise InvalidInput("姓名和登录名必填", {"name": "必填", "login": "必填"})
        try:
            with self._environment.database.write() as tx:
                tx.execute(
                    insert(_participant).values(
                        id=participant_id,
                        name=name.strip(),
                        login=login.strip(),
                        phone=phone,
                        email=email,
                        active=True,
                        created_at=self._environment.clock.now(),
                    )
                )
        except IntegrityError:
            raise AlreadyExists(f"登录名“{login}”已被使用") from None
        return participant_id

    def change_participant(
        self,
        participant_id: str,
        *,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        active: bool | None = None,
    ) -> None:
        """Change what is given. Raises NotFound."""
        given = {"name": name, "phone": phone, "email": email, "active": active}
        changes = {field: value for field, value in given.items() if value is not None}
        with self._environment.database.write() as tx:
            found = tx.execute(
                update(_participant).where(_participant.id == participant_id).values(changes)
            )
            if found.rowcount != 1:
                raise NotFound("没有这个人员")
        self._environment.seats.forget()

    def by_login(self, login: str) -> ParticipantView | None:
        """The active participant of this login."""
        with self._environment.database.read() as tx:
            row = tx.execute(
                select(_participant.__table__).where(
                    _participant.login == login, _participant.active.is_(True)
                )
            ).first()
            return None if row is None else self._view(tx, row)

    def participant(self, participant_id: str) -> ParticipantView:
        """One participant with all his seats. Raises NotFound."""
        with self._environment.database.read() as tx:
            row = tx.first(store.BY_ID, {"participant_id": participant_id})
            if row is None:
                raise NotFound("没有这个人员")
            return self._view(tx, row)

    def participants(
        self,
        *,
        unit: str | None = None,
        role: str | None = None,
        search: str | None = None,
        below: bool = False,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ParticipantPage:
        """People by login, who hold a seat at the unit (or below it), or match the search."""
        query = select(_participant.__table__).order_by(_participant.login).limit(limit + 1)
        if unit is not None or role is not None:
            query = query.where(_participant.id.in_(self._seated(unit, role, below=below)))
        if search:
            pattern = f"%{search}%"
            query = query.where(
                or_(_participant.name.like(pattern), _participant.login.like(pattern))
            )
        if cursor is not None:
            query = query.where(_participant.login > cursor)
        with self._environment.database.read() as tx:
            rows = tx.execute(query).all()
            views = tuple(self._view(tx, row) for row in rows[:limit])
        return ParticipantPage(
            rows=views, next_cursor=views[-1].login if len(rows) > limit else None
        )

    def assign_seat(
        self,
        participant_id: str,
        role: str,
        unit: str,
        since: date | None = None,
        until: date | None = None,
    ) -> str:
        """Give a role at a unit from a day to a day, both included; the seat's id.

        Raises NotFound, InvalidRegion, InvalidInput.
        """
        region.level(unit)
        since = since or local_date(self._environment.clock.now())
        if until is not None and until < since:
            raise InvalidInput("止日不能早于起日", {"until": "不能早于起日"})
        seat_id = self._environment.ids.new()
        with self._environment.database.write() as tx:
            if tx.first(store.BY_ID, {"participant_id": participant_id}) is None:
                raise NotFound("没有这个人员")
            tx.execute(
                insert(_seat).values(
                    id=seat_id,
                    participant_id=participant_id,
                    role=role,
                    unit=unit,
                    since=since,
                    until=until,
                )
            )
        self._environment.seats.forget()
        return seat_id

    def end_seat(self, seat_id: str, last_day: date | None = None) -> None:
        """The seat holds through this day (default: yesterday, so it is over). Raises NotFound."""
        today = local_date(self._environment.clock.now())
        last_day = last_day or today - timedelta(days=1)
        with self._environment.database.write() as tx:
            found = tx.execute(update(_seat).where(_seat.id == seat_id).values(until=last_day))
            if found.rowcount != 1:
                raise NotFound("没有这个任职")
        self._environment.seats.forget()

    def holders(self, role: str, unit: str) -> tuple[ParticipantView, ...]:
        """The active participants who hold exactly this role at exactly this unit today."""
        today = local_date(self._environment.clock.now())
        with self._environment.database.read() as tx:
            rows = tx.rows(store.HOLDERS, {"role": role, "unit": unit, "today": today})
            found = []
            for row in rows:
                person = tx.first(store.BY_ID, {"participant_id": row.id})
                found.append(self._view(tx, person))
        return tuple(found)

    def substitute(
        self,
        absent_id: str,
        substitute_id: str,
        since: date,
        until: date,
        *,
        by: Actor,
        reason: str = "",
    ) -> str:
        """Let one person act on another's seats these days. Raises InvalidInput, NotFound."""
        if absent_id == substitute_id:
            raise InvalidInput("不能由本人代理本人")
        if until < since:
            raise InvalidInput("止日不能早于起日", {"until": "不能早于起日"})
        substitution_id = self._environment.ids.new()
        with self._environment.database.write() as tx:
            for person in (absent_id, substitute_id):
                if tx.first(store.BY_ID, {"participant_id": person}) is None:
                    raise NotFound("没有这个人员")
            tx.execute(
                insert(_substitution).values(
                    id=substitution_id,
                    absent_id=absent_id,
                    substitute_id=substitute_id,
                    since=since,
                    until=until,
                    reason=reason,
                    created_at=self._environment.clock.now(),
                    created_by=by.id,
                )
            )
        return substitution_id

    def end_substitution(self, substitution_id: str) -> None:
        """The substitution is over since yesterday. Raises NotFound."""
        yesterday = local_date(self._environment.clock.now()) - timedelta(days=1)
        with self._environment.database.write() as tx:
            found = tx.execute(
                update(_substitution)
                .where(_substitution.id == substitution_id)
                .values(until=yesterday)
            )
            if found.rowcount != 1:
                raise NotFound("没有这个代理")

    def substitutions(self, participant_id: str) -> tuple[SubstitutionView, ...]:
        """Every substitution in which this person is absent or stands in, newest first."""
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(_substitution.__table__)
                .where(
                    or_(
                        _substitution.absent_id == participant_id,
                        _substitution.substitute_id == participant_id,
                    )
                )
                .order_by(_substitution.id.desc())
            ).all()
        return tuple(
            SubstitutionView(
                id=row.id,
                absent_id=row.absent_id,
                substitute_id=row.substitute_id,
                since=row.since,
                until=row.until,
                reason=row.reason,
            )
            for row in rows
        )

    def count(self) -> int:
        """How many participants there are."""
        with self._environment.database.read() as tx:
            found = tx.execute(select(func.count()).select_from(_participant)).scalar()
        return int(found or 0)

    def _seated(self, unit: str | None, role: str | None, *, below: bool) -> Any:
        today = local_date(self._environment.clock.now())
        query = select(_seat.participant_id).where(
            _seat.since <= today, or_(_seat.until.is_(None), _seat.until >= today)
        )
        if role is not None:
            query = query.where(_seat.role == role)
        if unit is not None and below:
            query = query.where(_seat.unit.startswith(region.prefix(unit), autoescape=True))
        elif unit is not None:
            query = query.where(_seat.unit == unit)
        return query

    @staticmethod
    def _view(tx: Transaction, row: Any) -> ParticipantView:
        seats = tx.rows(store.EVERY_SEAT, {"participant_id": row.id})
        return ParticipantView(
            id=row.id,
            name=row.name,
            login=row.login,
            phone=row.phone,
            email=row.email,
            active=row.active,
            seats=tuple(
                SeatView(
                    id=seat.id,
                    participant_id=row.id,
                    role=seat.role,
                    unit=seat.unit,
                    since=seat.since,
                    until=seat.until,
                )
                for seat in seats
            ),
        )
