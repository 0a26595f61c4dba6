"""Seats: whether every unit has somebody for every task (the gate's last question)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from engine.execution.environment import Environment
from engine.model import region as regions
from engine.model.clock import local_date
from engine.model.package import Package
from engine.model.vacancy import Vacancy, VacancyPage
from engine.store.participants import Participant, SeatRow

_seat: Any = SeatRow.__table__
_participant: Any = Participant.__table__


class VacancyService:
    """Compares what a package needs with who holds a seat. It only warns: people come and go."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def page(
        self,
        package: Package,
        units: Iterable[str],
        *,
        region: str | None = None,
        on: date | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> VacancyPage:
        """Roles of the package that nobody holds at a unit of their level, on a day.

        `units` are those there are (the engine keeps no list of them), `region` narrows them to
        a subtree; `on` is today unless given.  Roles whose level the package does not say are
        left out.  The cursor is the place of the last row shown.
        """
        day = on or local_date(self._environment.clock.now())
        found = self._vacant(package, units, region, day)
        rows = [each for each in found if cursor is None or _place(each) > cursor]
        shown = tuple(rows[:limit])
        more = len(rows) > limit
        return VacancyPage(
            rows=shown, total=len(found), next_cursor=_place(shown[-1]) if more else None
        )

    def _vacant(
        self, package: Package, units: Iterable[str], region: str | None, day: date
    ) -> list[Vacancy]:
        waiting = self._activities(package)
        levels = {role: level for role, level in package.seats.items() if role in waiting}
        wanted = sorted({unit for unit in units if region is None or regions.covers(region, unit)})
        held = self._held(sorted(levels), day)
        return [
            Vacancy(
                role=role,
                role_title=package.roles.get(role, role),
                unit=unit,
                activities=waiting[role],
            )
            for unit in wanted
            for role, level in sorted(levels.items())
            if regions.level(unit).name.lower() == level and (role, unit) not in held
        ]

    def _activities(self, package: Package) -> dict[str, tuple[str, ...]]:
        program, _ = self._environment.programs.compile(package)
        found: dict[str, tuple[str, ...]] = {}
        for node in program.nodes:
            if node.task is not None and node.task.role is not None:
                found[node.task.role] = (*found.get(node.task.role, ()), node.name or node.id)
        return found

    def _held(self, roles: list[str], day: date) -> frozenset[tuple[str, str]]:
        query = (
            select(_seat.c.role, _seat.c.unit)
            .join(_participant, _participant.c.id == _seat.c.participant_id)
            .where(
                _seat.c.role.in_(roles),
                _participant.c.active.is_(True),
                _seat.c.since <= day,
                or_(_seat.c.until.is_(None), _seat.c.until >= day),
            )
            .distinct()
        )
        with self._environment.database.read() as tx:
            return frozenset((row.role, row.unit) for row in tx.execute(query))


def _place(vacancy: Vacancy) -> str:
    return f"{vacancy.unit} {vacancy.role}"
