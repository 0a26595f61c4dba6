"""整改通知书 (D-32), 复查意见书 (D-33) and 督办单 (D-43) of the safety register."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import errors
from workflows.domain import hazard_rectification
from workflows.domain.hazard_state import Category, Grade, HazardState, Source
from workflows.domain.hazard_tables import HazardRow, RecheckRow, RoundUnitRow
from workflows.papers import wording

READERS = (
    "safety_officer", "safety_head", "station_head", "inspector", "city_leader",
    "county_approver", "province_view", "audit", "discipline",
)  # fmt: skip
"""Who may print them, each within his own units."""


def get(session: Session, hazard_id: str) -> HazardRow:
    """The hazard. Raises NotFound."""
    found = session.get(HazardRow, hazard_id)
    if found is None:
        raise errors.NotFound("没有这条隐患")
    return found


def rectification(session: Session, hazard: HazardRow) -> dict[str, Any]:
    """The notice under which this hazard was ordered, with every hazard of that inspection.

    Raises InvalidState for a hazard the institution found itself, or before the notice is served.
    """
    part = None
    if hazard.round_id is not None and hazard.source != Source.SELF.value:
        part = session.get(RoundUnitRow, (hazard.round_id, hazard.institution))
    if part is None or part.notice_at is None or part.notice_number is None:
        raise errors.InvalidState("这条隐患没有下达过整改通知书")
    name = wording.institution(session, hazard.institution)
    rows = [_line(number, one) for number, one in enumerate(_noticed(session, hazard), 1)]
    return {
        "title": "安全隐患整改通知书",
        "issuer": wording.body(session, hazard.city),
        "number": part.notice_number,
        "addressee": name,
        "opening": f"{wording.day(part.inspected_on)}，我局检查组对你单位进行了安全检查，"
        f"发现安全隐患{len(rows)}条（见下表）。依据《中华人民共和国安全生产法》，现要求你单位整改。",
        "demand": "请你单位逐条落实责任人、措施、资金、时限和预案，在规定期限内完成整改；"
        "整改期间落实临时防范措施，确保安全。",
        "rows": rows,
        "closing": "整改完成后，请在系统内提交整改情况和照片，我局将组织复查。逾期未整改或者整改后"
        "仍不符合要求的，按照有关规定处理。",
        "date": wording.local_day(part.notice_at),
        "inspectors": wording.listed(
            wording.people(session, (part.inspected_by, part.cosigned_by))
        ),
    }


def _noticed(session: Session, hazard: HazardRow) -> list[HazardRow]:
    query = (
        select(HazardRow)
        .where(
            HazardRow.round_id == hazard.round_id,
            HazardRow.institution == hazard.institution,
            HazardRow.source != Source.SELF.value,
            HazardRow.state != HazardState.WITHDRAWN.value,
        )
        .order_by(HazardRow.number)
    )
    return list(session.scalars(query))


def _line(number: int, hazard: HazardRow) -> dict[str, Any]:
    demands = (hazard.measure, f"防范措施：{hazard.interim}" if hazard.interim else "")
    return {
        "seq": number,
        "number": hazard.number,
        "place": hazard.place,
        "category": Category(hazard.category).title_cn,
        "major": hazard.grade == Grade.MAJOR.value,
        "description": hazard.description,
        "demand": "；".join(one.rstrip("。") for one in demands if one) or "限期整改",
        "due": wording.iso_day(hazard.current_due),
    }


def recheck(session: Session, hazard: HazardRow) -> dict[str, Any]:
    """The last re-inspection that two people signed. Raises InvalidState without one."""
    record = _signed(session, hazard)
    name = wording.institution(session, hazard.institution)
    if record.passed:
        verdict = "整改合格，符合销号条件"
        closing = "请你单位举一反三，巩固整改成果，防止同类隐患再次发生。"
    else:
        verdict = f"整改不合格，限于{wording.day(record.new_due)}前重新整改"
        closing = "请你单位按照复查意见重新整改，整改期间落实防范措施；仍不合格的，转为督办。"
    finished = f"（{wording.day(hazard.rectified_on)}完成）" if hazard.rectified_on else ""
    return {
        "title": "安全隐患整改复查意见书",
        "issuer": wording.body(session, hazard.city),
        "addressee": name,
        "opening": f"{wording.local_day(record.second_at)}，我局复查人员对你单位"
        "下列安全隐患的整改情况进行了复查，意见如下：",
        "number": hazard.number,
        "grade": Grade(hazard.grade).title_cn if hazard.grade else "",
        "place": hazard.place,
        "due": wording.day(hazard.deferred_to or hazard.due_on),
        "description": hazard.description,
        "rectified": f"{hazard.rectified_note}{finished}",
        "note": record.note,
        "verdict": verdict,
        "closing": closing,
        "date": wording.local_day(record.second_at),
        "checkers": wording.listed([record.first_name, record.second_name]),
    }


def _signed(session: Session, hazard: HazardRow) -> RecheckRow:
    records = [
        record
        for record in hazard_rectification.rechecks(session, hazard.id)
        if record.second_by is not None and not record.void
    ]
    if not records:
        raise errors.InvalidState("这条隐患还没有两人签字的复查记录")
    return records[-1]


def supervision(session: Session, hazard: HazardRow) -> dict[str, Any]:
    """The order that was given for this hazard. Raises InvalidState when none was."""
    if hazard.supervised_at is None:
        raise errors.InvalidState("这条隐患没有下达过督办单")
    matter = f"隐患{hazard.number}（{hazard.place}，{Category(hazard.category).title_cn}）的整改"
    return {
        "title": "督办单",
        "issuer": wording.body(session, hazard.city),
        "addressee": wording.institution(session, hazard.institution),
        "number": hazard.listed_number or "",
        "matter": matter,
        "due": wording.day(hazard.due_on),
        "late": f"复查不合格{hazard.failures}次",
        "demand": hazard.supervision,
        "reply_by": "收到本单后一个工作日内书面说明",
        "date": wording.local_day(hazard.supervised_at),
    }
