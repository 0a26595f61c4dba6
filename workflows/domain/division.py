"""Administrative divisions and institutions by name; the order of the codes is `engine.region`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, bindparam, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column
from sqlalchemy.sql import ColumnElement

from engine import Actor, Base, Statement, errors, region


class Division(Base):
    """A county, town, village or institution; `profile_key` names the rules a town goes by."""

    __tablename__ = "division"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    parent: Mapped[str | None] = mapped_column(String(32), index=True)
    profile_key: Mapped[str | None] = mapped_column(String(40))


def add(session: Session, code: str, name: str, *, profile_key: str | None = None) -> Division:
    """Enter a unit, or rename it."""
    unit = session.get(Division, code)
    if unit is None:
        unit = Division(code=code, parent=region.parent(code))
        session.add(unit)
    unit.name, unit.profile_key = name, profile_key or unit.profile_key
    return unit


def name_of(session: Session, code: str) -> str:
    """The unit's own name; the code where it is not in the table."""
    unit = session.get(Division, code)
    return unit.name if unit is not None else code


def names_of(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Names by code, in one query; unknown codes stand for themselves."""
    wanted = sorted(set(codes))
    rows = session.execute(select(Division.code, Division.name).where(Division.code.in_(wanted)))
    return {code: code for code in wanted} | {row.code: row.name for row in rows}


#: the name of one unit, for pages that ask for few: a row with `code` and `name`, or none
BY_CODE = Statement(select(Division.code, Division.name).where(Division.code == bindparam("code")))


def children(session: Session, code: str) -> Sequence[Division]:
    """Units directly below, without institutions, in order of their codes."""
    found = session.scalars(select(Division).where(Division.parent == code).order_by(Division.code))
    return [unit for unit in found if "." not in unit.code]


def units(session: Session) -> list[str]:
    """Codes of every unit, and of the cities and provinces above them."""
    found = set(session.scalars(select(Division.code)))
    todo = list(found)
    while todo:
        above = region.parent(todo.pop())
        if above is not None and above not in found:
            found.add(above)
            todo.append(above)
    return sorted(found)


def get(session: Session, code: str) -> Division:
    """One unit. Raises NotFound."""
    unit = session.get(Division, code)
    if unit is None:
        raise errors.NotFound(f"没有登记区划代码“{code}”")
    return unit


def visible(column: InstrumentedAttribute[Any], actor: Actor) -> ColumnElement[bool]:
    """Rows whose unit lies in the subtree of one of the actor's seats; nothing without a seat."""
    prefixes = {region.prefix(seat.unit) for seat in actor.seats}
    return or_(false(), *(column.startswith(prefix, autoescape=True) for prefix in prefixes))


def below(column: InstrumentedAttribute[Any], unit: str) -> ColumnElement[bool]:
    """Rows whose unit is this one or lies below it."""
    return column.startswith(region.prefix(unit), autoescape=True)
