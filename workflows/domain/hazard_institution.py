"""Institutions under safety inspection: who must be covered by a round, and their units."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import errors, region
from workflows.domain import division
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_tables import InstitutionRow


class InstitutionKind(enum.StrEnum):
    """机构类别 (002:L83-93, 000:L35)."""

    STATION = "救助管理站"
    ELDERLY = "养老机构"
    SUPPORT = "特困供养机构"
    WELFARE = "儿童福利机构"
    MINORS = "未成年人保护中心"


class UnknownInstitution(errors.NotFound):
    """没有这个机构，或者它不在您的管辖范围"""

    code = "UNKNOWN_INSTITUTION"


def register(session: Session, institution: InstitutionRow) -> InstitutionRow:
    """Keep an institution, and its name among the units.

    Raises `InvalidRegion`, `InvalidInput` for a code of another level, `AlreadyExists`.
    """
    if region.level(institution.code) is not region.Level.INSTITUTION:
        raise errors.InvalidInput(fields={"code": "机构代码应为区划代码加“.序号”"})
    if session.get(InstitutionRow, institution.code) is not None:
        raise errors.AlreadyExists(f"机构 {institution.code} 已经登记")
    session.add(institution)
    division.add(session, institution.code, institution.name)
    session.flush()
    return institution


def read(data: Mapping[str, Any]) -> InstitutionRow:
    """An institution from a form. Raises `InvalidInput`."""
    fields = Fields(data)
    code = fields.text("code", "机构代码", longest=32)
    kind = fields.choice("kind", "机构类别", InstitutionKind)
    fields.check("code", region.is_code(code), "机构代码应为区划代码加“.序号”")
    found = InstitutionRow(
        code=code,
        name=fields.text("name", "机构名称", longest=60),
        kind=kind.value,
        buddy=fields.text("buddy", "帮包人", required=False, longest=50),
        opened_on=fields.must_day("opened_on", "启用日期"),
        hazard_count=0,
    )
    fields.refuse_faults()
    return found


def get(session: Session, code: str) -> InstitutionRow:
    """The institution. Raises `UnknownInstitution`."""
    found = session.get(InstitutionRow, code)
    if found is None:
        raise UnknownInstitution
    return found


def names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Names by code, in one query; an unknown code stands for itself."""
    query = select(InstitutionRow.code, InstitutionRow.name).where(InstitutionRow.code.in_(codes))
    known = {found.code: found.name for found in session.execute(query)}
    return {code: known.get(code, code) for code in codes}


def under(session: Session, unit: str, on: date) -> list[InstitutionRow]:
    """Every institution in the unit's subtree that is open on the day, in order of code."""
    query = (
        select(InstitutionRow)
        .where(InstitutionRow.code.startswith(region.prefix(unit), autoescape=True))
        .where(InstitutionRow.opened_on <= on)
        .where((InstitutionRow.closed_on.is_(None)) | (InstitutionRow.closed_on > on))
        .order_by(InstitutionRow.code)
    )
    return [one for one in session.scalars(query) if region.covers(unit, one.code)]


def city_of(code: str) -> str:
    """The city that inspects the institution."""
    city = region.at_level(code, region.Level.CITY)
    if city is None:
        raise UnknownInstitution(f"机构 {code} 没有上级市")
    return city


def next_number(session: Session, code: str, year: int) -> str:
    """The next hazard number of the institution, such as ``349898-1-2026-003``.

    The counter is one row per institution, raised by UPDATE, so two commands at the same time
    wait for one another instead of taking the same number.
    """
    session.execute(
        update(InstitutionRow)
        .where(InstitutionRow.code == code)
        .values(hazard_count=InstitutionRow.hazard_count + 1)
        .execution_options(synchronize_session=False)
    )
    count = session.scalar(select(InstitutionRow.hazard_count).where(InstitutionRow.code == code))
    if count is None:
        raise UnknownInstitution
    division, _, serial = code.partition(".")
    return f"{division[:6]}-{serial}-{year}-{count:03d}"
