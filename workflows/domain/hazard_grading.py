"""分级: 一般 or 重大, the criterion behind 重大, and the two signatures that lower it (Inv-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import OperationContext, errors
from workflows.domain import hazard as register
from workflows.domain import hazard_checklist, hazard_rules
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_state import Grade, HazardEvent, HazardState
from workflows.domain.hazard_tables import DowngradeRow, HazardRow, RoundRow


class NotAllGraded(errors.InvalidState):
    """还有隐患没有分级"""

    code = "HAZARDS_NOT_GRADED"


def criteria_of(session: Session, round_id: str | None) -> hazard_checklist.Checklist:
    """The checklist version whose criteria count: the round's, else the newest."""
    found = session.get(RoundRow, round_id) if round_id else None
    checklist_id = found.checklist_id if found else hazard_checklist.newest(session)
    return hazard_checklist.load(session, checklist_id)


def grade(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> None:
    """Give the grade together with the 五落实.

    Grading again may raise 一般 to 重大; lowering is refused (`DowngradeRefused`).
    Raises `InvalidInput`, `HazardNotReady`.
    """
    fields = Fields(data)
    wanted = fields.choice("grade", "等级", Grade)
    criterion = fields.text("criterion", "判定依据条款", required=False, longest=30) or None
    fields.refuse_faults()
    hazard_rules.check_regrade(Grade(hazard.grade) if hazard.grade else None, wanted)
    known = criteria_of(context.session, hazard.round_id).criterion_ids()
    hazard_rules.check_grade(wanted, criterion, known)
    register.write_five(context, hazard, data)
    hazard.grade = wanted.value
    hazard.criterion = criterion if wanted is Grade.MAJOR else None
    register.move(context, hazard, HazardEvent.GRADE, wanted.title_cn)


def raise_to_major(context: OperationContext, hazard: HazardRow, criterion: str) -> None:
    """An inspector finds the grade too low while the hazard is open; the 五落实 stay."""
    state = HazardState(hazard.state)
    if not state.is_open or state is HazardState.FOUND:
        raise errors.InvalidState("这条隐患现在不能改定等级")
    known = criteria_of(context.session, hazard.round_id).criterion_ids()
    hazard_rules.check_grade(Grade.MAJOR, criterion, known)
    hazard.grade, hazard.criterion = Grade.MAJOR.value, criterion
    register.note(context, hazard, "改定为重大", criterion)


def require_all_graded(hazards: list[HazardRow]) -> None:
    """Raises `NotAllGraded` naming those that still wait."""
    waiting = [one.number for one in hazards if one.state == HazardState.FOUND.value]
    if waiting:
        raise NotAllGraded(f"还有 {len(waiting)} 条隐患没有分级：{'、'.join(waiting)}")


def open_downgrade(session: Session, hazard_id: str) -> DowngradeRow | None:
    """The proposal that waits for its second signature, if any."""
    query = select(DowngradeRow).where(
        DowngradeRow.hazard_id == hazard_id, DowngradeRow.second_by.is_(None)
    )
    return session.scalars(query).first()


def propose_downgrade(
    context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]
) -> DowngradeRow:
    """First signature: reason and evidence; the grade stays 重大 until the second."""
    if hazard.grade != Grade.MAJOR.value or not HazardState(hazard.state).is_open:
        raise errors.InvalidState("只有未销号的重大隐患可以提出降级")
    if open_downgrade(context.session, hazard.id) is not None:
        raise errors.AlreadyExists("这条隐患已有待签字的降级提议")
    fields = Fields(data)
    reason = fields.text("reason", "降级理由")
    evidence = fields.photos("evidence", "降级证据材料", context, at_least=1)
    fields.refuse_faults()
    proposal = DowngradeRow(
        id=context.new_id(),
        hazard_id=hazard.id,
        reason=reason,
        evidence=evidence,
        first_by=register.person(context).id,
        first_at=context.now,
    )
    context.session.add(proposal)
    register.note(context, hazard, "提议降级", reason)
    return proposal


def confirm_downgrade(context: OperationContext, hazard: HazardRow) -> None:
    """Second signature, by somebody else: 重大 becomes 一般. Raises `DowngradeRefused`."""
    proposal = open_downgrade(context.session, hazard.id)
    if proposal is None:
        raise errors.InvalidState("这条隐患没有待签字的降级提议")
    actor = register.person(context)
    hazard_rules.check_downgrade(
        (proposal.first_by, actor.id), [str(one["sha256"]) for one in proposal.evidence]
    )
    proposal.second_by, proposal.second_at = actor.id, context.now
    hazard.grade, hazard.criterion = Grade.GENERAL.value, None
    if hazard.major_case is not None and hazard.listed_due is None:
        # Nothing is left to list; should it be raised again, a new case must tell the city.
        context.send_message("hazard_lowered", hazard.id, {})
        hazard.major_case = None
    register.note(context, hazard, "降为一般", proposal.reason)


def report_major(context: OperationContext, hazard: HazardRow) -> None:
    """Open the 挂牌督办 case of a 重大 hazard, which tells the city at once; once per hazard.

    安全生产法 41: report in time to the regulator. A second call changes nothing.
    """
    if hazard.major_case is not None:
        return
    hazard.major_case = context.start(
        "hazard_major",
        variables={"hazard_id": hazard.id, "hazard_number": hazard.number},
        region=hazard.institution,
        title=f"重大隐患挂牌督办 {hazard.number}",
        business_key=f"major:{hazard.id}",
    )
