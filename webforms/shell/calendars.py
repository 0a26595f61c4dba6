"""Announced years that the administration imported; kept here, counted by the engine."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, ProcessEngine, UtcDateTime, WorkingCalendar
from webforms.database import db, engine, wall_now


class ImportedYear(Base):
    """The days of one year that differ from Monday-to-Friday, in the open JSON form."""

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    table: Mapped[str] = mapped_column(Text)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_by: Mapped[str] = mapped_column(String(36))


def apply(to: ProcessEngine, session: Session) -> None:
    """Let an engine count with every imported year over the shipped ones."""
    calendar = WorkingCalendar.default()
    for row in session.scalars(select(ImportedYear).order_by(ImportedYear.year)):
        calendar = calendar.with_holiday_json(row.table)
    to.replace_calendar(calendar)


def keep(year: int, table: str, by: str) -> int:
    """Keep an announcement, count with it from now on; how many open deadlines it moved.

    Raises InvalidCalendar.
    """
    WorkingCalendar.default().with_holiday_json(table)
    row = db.session.get(ImportedYear, year) or ImportedYear(year=year)
    row.table, row.imported_at, row.imported_by = table, wall_now(), by
    db.session.add(row)
    db.session.commit()
    apply(engine(), db.session())
    return engine().management.recount()
