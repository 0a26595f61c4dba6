"""One institution's part in a round: 自查, ledger, city inspection by two, 整改通知书, receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Audience, OperationContext, errors
from workflows.domain import hazard as register
from workflows.domain import (
    hazard_checklist,
    hazard_grading,
    hazard_institution,
    hazard_rectification,
    hazard_round,
    hazard_rules,
)
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_state import AnswerResult, HazardState, Source
from workflows.domain.hazard_tables import AnswerRow, HazardRow, RoundUnitRow


class NotAllAnswered(errors.InvalidState):
    """检查清单还有未填写的检查项"""

    code = "CHECKLIST_NOT_COMPLETE"


class LedgerIncomplete(errors.InvalidState):
    """台账内容不完整，不能上报"""

    code = "LEDGER_INCOMPLETE"


def answers(session: Session, round_id: str, institution: str) -> dict[str, AnswerRow]:
    """Answers given so far, by item code."""
    query = select(AnswerRow).where(
        AnswerRow.round_id == round_id, AnswerRow.institution == institution
    )
    return {row.item: row for row in session.scalars(query)}


def answer(context: OperationContext, part: RoundUnitRow, data: Mapping[str, Any]) -> None:
    """Answer one item; 不合格 needs words and a photo and opens a hazard at once.

    Answering again replaces the answer; a hazard that it opened is withdrawn when the item turns
    out 合格, for nothing is ever deleted (Inv-17).
    """
    found = hazard_round.get(context.session, part.round_id)
    checklist = hazard_checklist.load(context.session, found.checklist_id)
    fields = Fields(data)
    item = checklist.item(str(data.get("item", "")))
    result = fields.choice("result", "检查结果", AnswerResult)
    remark = fields.text("note", "情况说明", required=hazard_checklist.needs_note(result))
    photos = fields.photos(
        "photos", "现场照片", context, at_least=1 if result is AnswerResult.BAD else 0
    )
    fields.refuse_faults()
    key = (part.round_id, part.institution, item.code)
    row = context.session.get(AnswerRow, key) or AnswerRow(
        round_id=key[0], institution=key[1], item=key[2], note="", photos=[]
    )
    row.result, row.note, row.photos = result.value, remark, photos
    row.by, row.at = register.person(context).id, context.now
    context.session.add(row)
    context.session.flush()
    _follow_answer(context, part, item, row, data)


def answer_all(context: OperationContext, part: RoundUnitRow, data: Mapping[str, Any]) -> None:
    """Answer one item, or several at once when all of them are 合格 (they need no words)."""
    items = data.get("item")
    if not isinstance(items, list):
        answer(context, part, data)
        return
    if data.get("result") != AnswerResult.OK.value:
        raise errors.InvalidInput(fields={"result": "只有合格的检查项可以一次填写多项"})
    for item in items:
        answer(context, part, {"item": item, "result": AnswerResult.OK.value})


def _follow_answer(
    context: OperationContext,
    part: RoundUnitRow,
    item: hazard_checklist.Item,
    row: AnswerRow,
    data: Mapping[str, Any],
) -> None:
    known = _hazard_of_item(context.session, part, item.code)
    result = AnswerResult(row.result)
    if result is not AnswerResult.BAD:
        if known is not None:
            register.withdraw(context, known, f"检查项 {item.code} 改答为“{result.title_cn}”")
        return
    if known is not None:
        known.description, known.before = row.note, row.photos
        register.note(context, known, "更新描述", known.description)
        return
    finding = register.read_finding(
        context,
        {
            "place": data.get("place") or item.group,
            "category": item.category.value,
            "description": data.get("note"),
            "item": item.code,
            "photos": data.get("photos"),
        },
        institution=part.institution,
        round_id=part.round_id,
        source=Source.SELF,
    )
    register.register(context, finding)


def _hazard_of_item(session: Session, part: RoundUnitRow, item: str) -> HazardRow | None:
    for one in register.of_round(session, part.round_id, part.institution):
        if one.item == item and one.state != HazardState.WITHDRAWN.value:
            return one
    return None


def add_found(context: OperationContext, part: RoundUnitRow, data: Mapping[str, Any]) -> HazardRow:
    """A hazard that the institution found beside the items of the checklist."""
    finding = register.read_finding(
        context,
        data,
        institution=part.institution,
        round_id=part.round_id,
        source=Source.SELF,
    )
    return register.register(context, finding)


def finish_answers(context: OperationContext, part: RoundUnitRow) -> int:
    """自查 is done when every item has its answer; answers the count of hazards found.

    Raises `NotAllAnswered` naming the items.
    """
    found = hazard_round.get(context.session, part.round_id)
    checklist = hazard_checklist.load(context.session, found.checklist_id)
    missing = checklist.unanswered(answers(context.session, part.round_id, part.institution))
    if missing:
        raise NotAllAnswered(f"还有 {len(missing)} 项没有填写：{'、'.join(missing)}")
    part.checked_by, part.checked_at = register.person(context).id, context.now
    context.session.flush()
    return len(live(context.session, part))


def live(session: Session, part: RoundUnitRow) -> list[HazardRow]:
    """Hazards of this part that were not withdrawn."""
    return [
        one
        for one in register.of_round(session, part.round_id, part.institution)
        if one.state != HazardState.WITHDRAWN.value
    ]


def finish_grading(context: OperationContext, part: RoundUnitRow) -> list[HazardRow]:
    """分级 is done when no hazard waits for a grade; answers the 重大 ones."""
    hazards = live(context.session, part)
    hazard_grading.require_all_graded(hazards)
    part.graded_by, part.graded_at = register.person(context).id, context.now
    context.session.flush()
    return [one for one in hazards if one.grade == "major"]


def sign_ledger(context: OperationContext, part: RoundUnitRow, signature: str) -> list[HazardRow]:
    """上报台账: the head signs, and every self-found hazard is ordered to be rectified.

    Raises `LedgerIncomplete` naming the lines whose 五落实 is not settled.
    """
    hazards = live(context.session, part)
    gaps = [one.number for one in hazards if _five_missing(one)]
    if gaps:
        raise LedgerIncomplete(f"五落实不完整的隐患：{'、'.join(gaps)}")
    if not signature.strip():
        raise errors.InvalidInput(fields={"signature": "请主要负责人签名"})
    part.ledger_by, part.ledger_at = register.person(context).id, context.now
    part.ledger_signature = signature.strip()
    for one in hazards:
        hazard_rectification.order(context, one)
    context.notify(
        "ledger_reported",
        Audience.seat("inspector", hazard_institution.city_of(part.institution)),
        {"institution": part.institution, "count": len(hazards)},
    )
    return hazards


def _five_missing(one: HazardRow) -> bool:
    items = hazard_rules.FiveItems(
        owner_name=one.owner_name,
        measure=one.measure,
        fund_fen=one.fund_fen,
        due_on=one.due_on,
        plan=one.plan,
    )
    # A date that has passed between grading and signing is late, not incomplete.
    return bool(hazard_rules.missing_of_five(items, one.due_on or one.found_on))


def add_inspected(
    context: OperationContext, part: RoundUnitRow, data: Mapping[str, Any]
) -> HazardRow:
    """A hazard found by the city's inspector on site, graded and dated by him at once."""
    hazard = register.register(
        context,
        register.read_finding(
            context,
            data,
            institution=part.institution,
            round_id=part.round_id,
            source=Source.CITY,
            issuers=(register.person(context).id,),
        ),
    )
    hazard_grading.grade(context, hazard, data)
    return hazard


def new_finds(session: Session, part: RoundUnitRow) -> list[HazardRow]:
    """Hazards found on site that are not yet ordered to be rectified."""
    return [
        one
        for one in live(session, part)
        if one.source != Source.SELF.value and one.state == HazardState.GRADED.value
    ]


def inspect(context: OperationContext, part: RoundUnitRow, data: Mapping[str, Any]) -> None:
    """The first inspector's record D-31; it counts once a second one has signed."""
    fields = Fields(data)
    day = fields.must_day("inspected_on", "检查日期")
    opinion = fields.text("opinion", "检查意见")
    photos = fields.photos("photos", "现场检查照片", context, at_least=1)
    verdicts = {
        key: fields.choice(key, title, AnswerResult) for key, title in INSPECTED_SUBJECTS.items()
    }
    fields.check("inspected_on", day <= register.today(context), "检查日期不能晚于今天")
    fields.refuse_faults()
    part.inspected_by, part.inspected_on = register.person(context).id, day
    part.inspection = {
        "opinion": opinion,
        "photos": photos,
        "subjects": {key: verdict.value for key, verdict in verdicts.items()},
    }
    context.session.flush()


#: what the city looks at besides the checklist (000:L35)
INSPECTED_SUBJECTS: Mapping[str, str] = {
    "responsibility": "安全管理责任体系",
    "rectifying": "隐患排查整治",
    "rights": "救助人员权益保障",
    "drills": "应急预案与演练",
}


def cosign_inspection(context: OperationContext, part: RoundUnitRow) -> list[HazardRow]:
    """The second inspector signs; the institution is covered. Answers the new hazards.

    He becomes an issuer of them too. Raises `SeparationOfDuties` for the first inspector.
    """
    actor = register.person(context)
    if part.inspected_by is None or actor.id == part.inspected_by:
        raise errors.SeparationOfDuties("市级检查须由两名检查人员分别签字")
    waiting = [
        one.number
        for one in live(context.session, part)
        if hazard_grading.open_downgrade(context.session, one.id) is not None
    ]
    if waiting:
        raise errors.InvalidState(f"还有待第二人签字的降级提议：{'、'.join(waiting)}")
    part.cosigned_by, part.cosigned_at = actor.id, context.now
    found = new_finds(context.session, part)
    for one in found:
        one.issuers = sorted({*one.issuers, actor.id})
    context.session.flush()
    return found


def serve_notice(context: OperationContext, part: RoundUnitRow) -> list[HazardRow]:
    """整改通知书 (D-32): number it, order every new hazard, report the 重大 ones, tell the head."""
    found = new_finds(context.session, part)
    part.notice_number = _next_notice(context, part)
    part.notice_at = context.now
    for one in found:
        hazard_rectification.order(context, one)
        if one.grade == "major":
            hazard_grading.report_major(context, one)
    context.notify(
        "rectification_notice",
        Audience.seat("safety_head", part.institution),
        {"number": part.notice_number, "count": len(found)},
    )
    return found


def _next_notice(context: OperationContext, part: RoundUnitRow) -> str:
    earlier = context.session.scalar(
        select(func.count())
        .select_from(RoundUnitRow)
        .where(RoundUnitRow.institution == part.institution, RoundUnitRow.notice_at.is_not(None))
    )
    division, _, serial = part.institution.partition(".")
    year = register.today(context).year
    return f"安检改〔{year}〕{division[:6]}-{serial}-{int(earlier or 0) + 1:02d}号"


def receive_notice(context: OperationContext, part: RoundUnitRow) -> None:
    """签收 of the 整改通知书 by the institution's head."""
    if part.notice_at is None:
        raise errors.InvalidState("还没有下达整改通知书")
    part.received_by, part.received_at = register.person(context).id, context.now
    context.session.flush()
