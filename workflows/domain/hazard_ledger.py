"""The ledger D-30 as people read it: filters, keyset pages, and one line with all its columns."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from engine import clock, region
from workflows.domain import division, hazard_institution, hazard_rules
from workflows.domain.hazard_state import Category, Grade, HazardState, Source, Suspension
from workflows.domain.hazard_tables import HazardRow, RecheckRow

_OWED = tuple(state.value for state in HazardState if state.is_owed)
_OPEN = tuple(state.value for state in HazardState if state.is_open)


class View(enum.StrEnum):
    """The tabs of the ledger page."""

    ALL = "all"
    OPEN = "open"
    OVERDUE = "overdue"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    """What to show; `units` bounds it to the reader's subtrees (Inv-18), empty shows nothing."""

    units: tuple[str, ...]
    view: View = View.ALL
    category: Category | None = None
    grade: Grade | None = None
    institution: str | None = None
    round_id: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One line of D-30 with what the page shows beside it."""

    id: str
    institution: str
    institution_name: str
    state: HazardState
    number: str
    grade: Grade | None
    category: Category
    place: str
    description: str
    current_due: date | None
    overdue: bool
    failures: int
    before: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]]
    #: the values of `COLUMNS`, without the running number
    cells: tuple[str | Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """One keyset page."""

    lines: tuple[LedgerLine, ...]
    next_cursor: str | None


COLUMNS: tuple[tuple[str, int], ...] = (
    ("机构", 22), ("隐患编号", 18), ("检查来源", 9), ("发现日期", 12), ("部位/区域", 16),
    ("类别", 10), ("隐患描述", 36), ("等级", 7), ("判定依据条款", 12), ("照片", 10),
    ("是否停用/局部停用", 12), ("临时防范措施", 26), ("整改目标", 22), ("整改措施", 30),
    ("责任单位", 22), ("责任人", 10), ("资金(元)", 12), ("计划完成日", 12), ("延期至", 12),
    ("完成日", 12), ("整改情况及照片", 30), ("自评", 18), ("复查人", 16), ("复查日期", 12),
    ("复查结论", 24), ("销号日期", 12), ("备注", 18),
)  # fmt: skip
"""Columns of D-30 after 序号, with their width; their order is fixed (Inv-14)."""


def page(
    session: Session,
    wanted: LedgerFilter,
    *,
    today: date,
    cursor: str | None = None,
    limit: int = 50,
) -> LedgerPage:
    """The newest hazards first; `cursor` is the id of the last line shown before."""
    query = _query(wanted, today).order_by(HazardRow.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(HazardRow.id < cursor)
    rows = session.scalars(query).all()
    lines = _lines(session, rows[:limit], today)
    more = len(rows) > limit
    return LedgerPage(lines=tuple(lines), next_cursor=rows[limit - 1].id if more else None)


def everything(
    session: Session, wanted: LedgerFilter, *, today: date, batch: int = 500
) -> Iterator[LedgerLine]:
    """Every line in order of institution and number, read in batches (for the export)."""
    last: tuple[str, str] | None = None
    while True:
        query = _query(wanted, today).order_by(HazardRow.institution, HazardRow.id).limit(batch)
        if last is not None:
            query = query.where(
                or_(
                    HazardRow.institution > last[0],
                    (HazardRow.institution == last[0]) & (HazardRow.id > last[1]),
                )
            )
        rows = session.scalars(query).all()
        yield from _lines(session, rows, today)
        if len(rows) < batch:
            return
        last = (rows[-1].institution, rows[-1].id)


def counts(session: Session, wanted: LedgerFilter, *, today: date) -> dict[View, int]:
    """How many lines each tab has under the other filters."""
    return {
        view: session.scalar(
            select(func.count()).select_from(
                _query(replace(wanted, view=view), today).with_only_columns(HazardRow.id).subquery()
            )
        )
        or 0
        for view in View
    }


def heading(session: Session, unit: str) -> str:
    """The name of the unit that hands in the ledger."""
    return division.name_of(session, unit)


def visible(session: Session, hazard_id: str, units: Sequence[str]) -> HazardRow | None:
    """The hazard when one of the reader's units covers its institution."""
    found = session.get(HazardRow, hazard_id)
    if found is None or not any(region.covers(unit, found.institution) for unit in units):
        return None
    return found


def _query(wanted: LedgerFilter, today: date) -> Select[HazardRow]:
    query = select(HazardRow).where(_within(wanted.units))
    if wanted.view is View.OPEN:
        query = query.where(HazardRow.state.in_(_OPEN))
    elif wanted.view is View.OVERDUE:
        query = query.where(HazardRow.state.in_(_OWED), HazardRow.current_due < today)
    elif wanted.view is View.CLOSED:
        query = query.where(HazardRow.state == HazardState.CLOSED.value)
    for column, value in (
        (HazardRow.category, wanted.category),
        (HazardRow.grade, wanted.grade),
        (HazardRow.institution, wanted.institution),
        (HazardRow.round_id, wanted.round_id),
    ):
        if value:
            query = query.where(column == str(value))
    if wanted.search:
        text = wanted.search.strip()
        query = query.where(
            or_(
                HazardRow.number.contains(text, autoescape=True),
                HazardRow.place.contains(text, autoescape=True),
                HazardRow.description.contains(text, autoescape=True),
            )
        )
    return query


def _within(units: Sequence[str]) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        HazardRow.institution == unit
        if region.level(unit) is region.Level.INSTITUTION
        else HazardRow.institution.startswith(region.prefix(unit), autoescape=True)
        for unit in units
    ]
    return or_(*conditions) if conditions else false()


def _lines(session: Session, rows: Sequence[HazardRow], today: date) -> list[LedgerLine]:
    names = hazard_institution.names(session, {row.institution for row in rows})
    checks = _last_rechecks(session, [row.id for row in rows])
    return [
        LedgerLine(
            id=row.id,
            institution=row.institution,
            institution_name=names[row.institution],
            state=HazardState(row.state),
            number=row.number,
            grade=Grade(row.grade) if row.grade else None,
            category=Category(row.category),
            place=row.place,
            description=row.description,
            current_due=row.current_due,
            overdue=hazard_rules.is_overdue(
                row.current_due, today, is_owed=HazardState(row.state).is_owed
            ),
            failures=row.failures,
            before=row.before,
            after=row.after,
            cells=cells(row, names[row.institution], checks.get(row.id)),
        )
        for row in rows
    ]


def _last_rechecks(session: Session, ids: Sequence[str]) -> dict[str, RecheckRow]:
    query = (
        select(RecheckRow)
        .where(
            RecheckRow.hazard_id.in_(ids),
            RecheckRow.void.is_(False),
            RecheckRow.second_by.is_not(None),
        )
        .order_by(RecheckRow.first_at, RecheckRow.id)
    )
    return {found.hazard_id: found for found in session.scalars(query)}


def cells(row: HazardRow, name: str, check: RecheckRow | None) -> tuple[str | Decimal, ...]:
    """The columns of D-30 in their fixed order, without 序号."""
    verdict = ""
    if check is not None:
        verdict = "复查合格，整改情况属实" if check.passed else f"复查不合格：{check.note}"
    return (
        name,
        row.number,
        Source(row.source).title_cn,
        _day(row.found_on),
        row.place,
        Category(row.category).title_cn,
        row.description,
        Grade(row.grade).title_cn if row.grade else "",
        row.criterion or "",
        _photo_count(row.before),
        Suspension(row.suspension).title_cn,
        row.interim,
        row.goal,
        row.measure,
        name,
        row.owner_name,
        _yuan(row.fund_fen),
        _day(row.due_on),
        _day(row.deferred_to),
        _day(row.rectified_on),
        "；".join(filter(None, (row.rectified_note, _photo_count(row.after)))),
        row.self_verdict,
        f"{check.first_name}、{check.second_name}" if check else "",
        _day(clock.local_date(check.second_at)) if check and check.second_at else "",
        verdict,
        _day(row.closed_on),
        row.remark or row.withdrawn_reason,
    )


def _day(value: date | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d}"


def _yuan(fen: int | None) -> str | Decimal:
    return "" if fen is None else Decimal(fen) / 100


def _photo_count(photos: Sequence[object]) -> str:
    return f"{len(photos)} 张" if photos else ""
