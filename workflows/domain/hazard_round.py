"""Rounds (检查轮次): every institution of the city gets its task, and the figures of D-37.

Coverage is by construction: `open_round` writes one row for each institution, and `close_round`
refuses while one of them has not been inspected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Audience, OperationContext, errors, region
from workflows.domain import hazard as register
from workflows.domain import hazard_checklist, hazard_institution, hazard_rules
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_state import Grade, HazardState
from workflows.domain.hazard_tables import HazardRow, RoundRow, RoundUnitRow


class NotCovered(errors.InvalidState):
    """还有机构没有完成市级检查，不能办结本轮检查"""

    code = "ROUND_NOT_COVERED"


class UnknownRound(errors.NotFound):
    """没有这轮安全检查"""

    code = "UNKNOWN_ROUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFigures:
    """One line of the summary D-37; counts of hazards, and whether each duty was done in time."""

    institution: str
    name: str
    checked: bool
    reported: bool
    late: bool
    inspected: bool
    found: int
    major: int
    closed: int
    overdue: int

    @property
    def rate(self) -> int:
        """Per mille of hazards closed out; 1000 where none was found."""
        return 1000 if not self.found else self.closed * 1000 // self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Summary D-37 of a round."""

    units: tuple[UnitFigures, ...]

    def total(self, column: str) -> int:
        """Sum of a column over all institutions; true counts as one."""
        return sum(int(getattr(unit, column)) for unit in self.units)

    @property
    def coverage(self) -> int:
        """Per mille of institutions inspected; a round without institutions covers nothing."""
        return self.total("inspected") * 1000 // len(self.units) if self.units else 0

    def as_data(self) -> dict[str, Any]:
        """Plain data for storing what was signed."""
        return {"coverage": self.coverage, "units": [asdict(unit) for unit in self.units]}


def open_round(context: OperationContext, data: Mapping[str, Any]) -> RoundRow:
    """下发: keep the round and one row for every open institution below the city.

    Raises `InvalidInput` for dates out of order, `UnknownChecklist`, `InvalidState` where the
    city has no institution.
    """
    fields = Fields(data)
    title = fields.text("title", "检查名称", longest=200)
    notice_on = fields.must_day("notice_on", "通知日期")
    ledger_due = fields.must_day("ledger_due", "台账上报期限")
    inspect_due = fields.must_day("inspect_due", "市级检查期限")
    report_on = fields.must_day("report_on", "汇总通报日期")
    fields.check("ledger_due", ledger_due >= notice_on, "台账上报期限不能早于通知日期")
    fields.check("inspect_due", inspect_due >= ledger_due, "市级检查期限不能早于台账上报期限")
    fields.check("report_on", report_on >= inspect_due, "汇总通报日期不能早于市级检查期限")
    checklist = fields.text("checklist", "清单版本", required=False, longest=60)
    fields.refuse_faults()
    checklist = checklist or hazard_checklist.newest(context.session)
    hazard_checklist.load(context.session, checklist)
    instance = context.instance
    city = instance.region if instance else str(data.get("city"))
    if region.level(city) is not region.Level.CITY:
        raise errors.InvalidState("安全检查由市级发起，请在市级办理")
    units = hazard_institution.under(context.session, city, notice_on)
    if not units:
        raise errors.InvalidState("本地区没有登记需要检查的机构")
    found = RoundRow(
        id=context.new_id(),
        title=title,
        city=city,
        checklist_id=checklist,
        notice_on=notice_on,
        ledger_due=ledger_due,
        inspect_due=inspect_due,
        report_on=report_on,
        opened_by=register.person(context).id,
        opened_at=context.now,
        instance_id=instance.id if instance else None,
        summary="",
    )
    context.session.add(found)
    context.session.add_all(
        RoundUnitRow(round_id=found.id, institution=one.code, ledger_signature="") for one in units
    )
    context.session.flush()
    for one in units:
        context.notify(
            "round_opened",
            Audience.seat("safety_officer", one.code),
            {"title": title, "ledger_due": f"{ledger_due:%Y-%m-%d}"},
        )
    return found


def get(session: Session, round_id: object) -> RoundRow:
    """The round. Raises `UnknownRound`."""
    found = session.get(RoundRow, str(round_id or ""))
    if found is None:
        raise UnknownRound
    return found


def part(
    session: Session, round_id: object, institution: object, *, lock: bool = True
) -> RoundUnitRow:
    """One institution's part in a round, locked for this command. Raises `UnknownRound`."""
    key = (str(round_id or ""), str(institution or ""))
    found = session.get(RoundUnitRow, key, with_for_update=lock)
    if found is None:
        raise UnknownRound("这个机构不在本轮检查之内")
    return found


def parts(session: Session, round_id: str) -> list[RoundUnitRow]:
    """Every institution's part, in order of code."""
    query = select(RoundUnitRow).where(RoundUnitRow.round_id == round_id)
    return list(session.scalars(query.order_by(RoundUnitRow.institution)))


def figures(session: Session, found: RoundRow, today: date) -> Figures:
    """D-37 as it stands today, counted from the rows, never typed in."""
    lines = session.scalars(select(HazardRow).where(HazardRow.round_id == found.id))
    by_unit: dict[str, list[HazardRow]] = {}
    for line in lines:
        if line.state != HazardState.WITHDRAWN.value:
            by_unit.setdefault(line.institution, []).append(line)
    units = parts(session, found.id)
    names = hazard_institution.names(session, [one.institution for one in units])
    return Figures(
        units=tuple(
            _unit_figures(
                found, one, names[one.institution], by_unit.get(one.institution, []), today
            )
            for one in units
        )
    )


def coverage(session: Session, round_ids: Sequence[str]) -> dict[str, int]:
    """Per mille of institutions inspected, by round, in one query."""
    query = (
        select(
            RoundUnitRow.round_id,
            func.count(),
            func.count(RoundUnitRow.cosigned_at),
        )
        .where(RoundUnitRow.round_id.in_(round_ids))
        .group_by(RoundUnitRow.round_id)
    )
    return {round_id: done * 1000 // total for round_id, total, done in session.execute(query)}


def _unit_figures(
    found: RoundRow,
    one: RoundUnitRow,
    name: str,
    hazards: Sequence[HazardRow],
    today: date,
) -> UnitFigures:
    return UnitFigures(
        institution=one.institution,
        name=name,
        checked=one.checked_at is not None,
        reported=one.ledger_at is not None,
        late=_is_late(found, one, today),
        inspected=one.cosigned_at is not None,
        found=len(hazards),
        major=_count(h.grade == Grade.MAJOR.value for h in hazards),
        closed=_count(h.state == HazardState.CLOSED.value for h in hazards),
        overdue=_count(
            hazard_rules.is_overdue(h.current_due, today, is_owed=HazardState(h.state).is_owed)
            for h in hazards
        ),
    )


def _count(holds: Iterable[bool]) -> int:
    return sum(1 for one in holds if one)


def _is_late(found: RoundRow, one: RoundUnitRow, today: date) -> bool:
    """The ledger's due day is inclusive: on the day itself it is in time (domain §0, finding 9)."""
    reported_on = register.local_day(one.ledger_at) if one.ledger_at else today
    return reported_on > found.ledger_due


def require_covered(context: OperationContext, found: RoundRow) -> None:
    """Every institution has been inspected by two. Raises `NotCovered` naming the others."""
    now = figures(context.session, found, register.today(context))
    missing = "、".join(unit.name for unit in now.units if not unit.inspected)
    if missing:
        raise NotCovered(f"还有机构没有完成市级检查：{missing}")


def named(session: Session, units: Sequence[RoundUnitRow]) -> list[dict[str, str]]:
    """Code and name of each institution, the keys that a case carries."""
    names = hazard_institution.names(session, [one.institution for one in units])
    return [{"code": one.institution, "name": names[one.institution]} for one in units]


def report(context: OperationContext, found: RoundRow, text: str, *, final: bool) -> None:
    """阶段通报 or 汇总通报: figures frozen as signed, told to every institution.

    The final one needs 100 % coverage: raises `NotCovered`.
    """
    if final:
        require_covered(context, found)
    now = figures(context.session, found, register.today(context))
    found.summary, found.figures = text, now.as_data()
    if final:
        found.closed_by, found.closed_at = register.person(context).id, context.now
    context.session.flush()
    for unit in now.units:
        context.notify(
            "round_reported",
            Audience.seat("safety_head", unit.institution),
            {"title": found.title, "found": unit.found, "closed": unit.closed},
        )


def cities_under(session: Session, units: Sequence[str]) -> list[str]:
    """Cities with rounds that lie below one of these units."""
    known = session.scalars(select(RoundRow.city).distinct().order_by(RoundRow.city))
    return [city for city in known if any(region.covers(unit, city) for unit in units)]


def rounds(session: Session, cities: Sequence[str], limit: int = 50) -> list[RoundRow]:
    """Rounds of these cities, the newest first."""
    query = select(RoundRow).where(RoundRow.city.in_(cities)).order_by(RoundRow.id.desc())
    return list(session.scalars(query.limit(limit)))
