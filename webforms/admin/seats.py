"""Whether every unit has somebody for every task: shown where a process is published."""

from __future__ import annotations

from dataclasses import dataclass

from engine import Package, ProcessEngine, VacancyPage
from workflows.domain import division

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedVacancy:
    """One line of the list: which desk of which unit, and what waits for it."""

    unit: str
    role: str
    activities: str


def of_package(
    engine: ProcessEngine, package: Package, *, cursor: str | None = None, limit: int = SHOWN
) -> VacancyPage:
    """Desks of the process that nobody holds today."""
    with engine.read() as session:
        units = division.units(session)
    return engine.vacancies.page(package, units, cursor=cursor, limit=limit)


def named(engine: ProcessEngine, page: VacancyPage) -> list[NamedVacancy]:
    """The same for people to read."""
    with engine.read() as session:
        names = division.names_of(session, [row.unit for row in page.rows])
    return [
        NamedVacancy(
            unit=names[row.unit], role=row.role_title, activities="、".join(row.activities)
        )
        for row in page.rows
    ]
