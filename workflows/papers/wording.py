"""Words of an office: dates, bodies that sign, names of people, long titles in two lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, region, tables
from workflows.domain import division
from workflows.domain.hazard_tables import InstitutionRow

LONGEST_LINE = 18
_BREAKS = ("拟救助对象公示", "救助对象公示", "发放花名册", "民主评议会议记录")


def day(value: date | None) -> str:
    """2026年1月5日; nothing for no day."""
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def local_day(at: datetime | None) -> str:
    """The local day of an instant in words."""
    return day(clock.local_date(at)) if at else ""


def iso_day(value: date | None) -> str:
    """2026-01-05, for narrow columns."""
    return f"{value:%Y-%m-%d}" if value else ""


def period(posted: datetime, ends: datetime) -> str:
    """公示期限 in words: the end is an instant, 24:00 of the last day."""
    last = clock.local_date(ends - timedelta(microseconds=1))
    return f"{local_day(posted)}至{day(last)}24时"


def title_lines(title: str) -> list[str]:
    """The title, in two lines where it is long, broken where its sense breaks (GB/T 9704)."""
    if len(title) <= LONGEST_LINE:
        return [title]
    for tail in _BREAKS:
        if title.endswith(tail) and title != tail:
            return [title.removesuffix(tail), tail]
    return [title]


def body(session: Session, unit: str) -> str:
    """The body that signs for a unit: 村民委员会, 人民政府, 民政局, or the institution itself."""
    if region.level(unit) is region.Level.INSTITUTION:
        return institution(session, unit)
    name = division.name_of(session, unit)
    match region.level(unit):
        case region.Level.VILLAGE:
            return name + ("居民委员会" if name.endswith("社区") else "村民委员会")
        case region.Level.TOWN:
            return name + ("办事处" if name.endswith("街道") else "人民政府")
        case _:
            return name + "民政局"


def institution(session: Session, code: str) -> str:
    """The institution's own name; its code where it is not registered."""
    found = session.get(InstitutionRow, code)
    return found.name if found is not None else code


def people(session: Session, ids: Iterable[str | None]) -> list[str]:
    """Names of participants in the order of the ids; who is unknown is left out."""
    wanted = [one for one in ids if one]
    rows = session.execute(
        select(tables.Participant.id, tables.Participant.name).where(
            tables.Participant.id.in_(wanted)
        )
    )
    names = {row.id: row.name for row in rows}
    return [names[one] for one in wanted if one in names]


def listed(names: Sequence[str]) -> str:
    """甲、乙."""
    return "、".join(names)
