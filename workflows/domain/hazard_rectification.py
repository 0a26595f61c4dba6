"""整改 → 复查 → 销号: photos that differ, re-inspection by two, close-out by somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Audience, OperationContext, errors
from workflows.domain import hazard as register
from workflows.domain import hazard_rules
from workflows.domain.hazard_input import Fields, hashes
from workflows.domain.hazard_state import Grade, HazardEvent, HazardState
from workflows.domain.hazard_tables import HazardRow, RecheckRow


def order(context: OperationContext, hazard: HazardRow) -> None:
    """下达整改: from now on the institution owes the rectification."""
    until = f"期限 {hazard.current_due:%Y-%m-%d}" if hazard.current_due else ""
    register.move(context, hazard, HazardEvent.ORDER, until)


def submit(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> None:
    """The institution reports the rectification done, with after-photos and cost.

    Raises `SamePersonAgain` for an issuer, `PhotoNotNew`, `InvalidInput`, `HazardNotReady`.
    """
    actor = register.person(context)
    hazard_rules.check_rectifier(actor.id, hazard.issuers)
    fields = Fields(data)
    remark = fields.text("note", "整改情况")
    verdict = fields.text("self_verdict", "自评")
    cost = fields.fen("cost", "整改花费")
    finished = fields.day("finished_on", "完成日")
    photos = fields.photos("after", "整改后照片", context, at_least=1)
    today = register.today(context)
    fields.check("finished_on", finished is None or finished <= today, "完成日不能晚于今天")
    fields.check(
        "finished_on", finished is None or finished >= hazard.found_on, "完成日不能早于发现日"
    )
    fields.refuse_faults()
    hazard_rules.check_photos_changed(
        hashes(hazard.before) | _rejected_photos(hazard), hashes(photos)
    )
    hazard.rectified_on, hazard.rectified_note, hazard.self_verdict = finished, remark, verdict
    hazard.cost_fen, hazard.after = cost, photos
    hazard.rectifiers = sorted({*hazard.rectifiers, actor.id})
    register.move(context, hazard, HazardEvent.SUBMIT, remark)


def _rejected_photos(hazard: HazardRow) -> frozenset[str]:
    """After a failed re-inspection the photos that failed prove nothing either."""
    return hashes(hazard.after) if hazard.failures else frozenset()


def recheck(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> RecheckRow:
    """What the first re-inspector found; it counts once a second one has signed.

    Raises `SamePersonAgain`, `InvalidInput`, `HazardNotReady`.
    """
    if hazard.state != HazardState.SUBMITTED.value:
        raise errors.InvalidState("这条隐患还没有提交整改，不能复查")
    actor = register.person(context)
    if actor.id in hazard.rectifiers:
        raise hazard_rules.SamePersonAgain("办理整改的人员不能参加复查")
    fields = Fields(data)
    passed = fields.text("result", "复查结论") == "pass"
    remark = fields.text("note", "复查情况")
    photos = fields.photos("photos", "复查照片", context, at_least=1)
    new_due = fields.day("new_due", "重新整改期限", required=not passed)
    fields.check(
        "new_due",
        passed or new_due is None or new_due >= register.today(context),
        "重新整改期限不能早于今天",
    )
    fields.refuse_faults()
    record = RecheckRow(
        id=context.new_id(),
        hazard_id=hazard.id,
        attempt=hazard.failures,
        passed=passed,
        note=remark,
        photos=photos,
        new_due=None if passed else new_due,
        first_by=actor.id,
        first_name=actor.name,
        first_at=context.now,
        second_name="",
        void=False,
    )
    context.session.add(record)
    register.note(context, hazard, "复查", ("合格：" if passed else "不合格：") + remark)
    return record


def rechecks(session: Session, hazard_id: str) -> list[RecheckRow]:
    """Every re-inspection of a hazard, the oldest first; void ones too."""
    query = select(RecheckRow).where(RecheckRow.hazard_id == hazard_id)
    return list(session.scalars(query.order_by(RecheckRow.first_at, RecheckRow.id)))


def unsigned(session: Session, hazard_id: str) -> RecheckRow | None:
    """The re-inspection that waits for its second signature."""
    waiting = [r for r in rechecks(session, hazard_id) if r.second_by is None and not r.void]
    return waiting[-1] if waiting else None


def cosign(context: OperationContext, hazard: HazardRow, *, agrees: bool, remark: str) -> str:
    """The second re-inspector signs or refuses; answers ``pass``, ``fail`` or ``again``.

    Raises `SamePersonAgain` unless the two satisfy SoD-4 together.
    """
    record = unsigned(context.session, hazard.id)
    if record is None:
        raise errors.InvalidState("没有待会签的复查记录")
    actor = register.person(context)
    hazard_rules.check_recheckers(
        (record.first_by, actor.id), rectifiers=hazard.rectifiers, issuers=hazard.issuers
    )
    record.second_by, record.second_name = actor.id, actor.name
    record.second_at, record.void = context.now, not agrees
    if not agrees:
        register.note(context, hazard, "会签不同意", remark)
        return "again"
    if record.passed:
        register.move(context, hazard, HazardEvent.PASS, remark)
        return "pass"
    hazard.failures += 1
    hazard.current_due = record.new_due
    register.move(context, hazard, HazardEvent.FAIL, f"第 {hazard.failures} 次：{record.note}")
    context.notify(
        "recheck_failed",
        Audience.seat("safety_officer", hazard.institution),
        {"number": hazard.number, "due": f"{record.new_due:%Y-%m-%d}", "times": hazard.failures},
    )
    return "fail"


def supervise(context: OperationContext, hazard: HazardRow, text: str) -> None:
    """督办 after repeated failure (rung L3): the leader's demand goes to the head of the place."""
    if not hazard_rules.needs_supervision(hazard.failures):
        raise errors.InvalidState("复查不合格未达到督办次数")
    if not text.strip():
        raise errors.InvalidInput(fields={"demand": "请填写督办要求"})
    hazard.supervised_at, hazard.supervision = context.now, text.strip()
    register.note(context, hazard, "下达督办单", text.strip())
    context.notify(
        "supervision_order",
        Audience.seat("safety_head", hazard.institution),
        {"number": hazard.number, "demand": text.strip(), "times": hazard.failures},
    )


def close(context: OperationContext, hazard: HazardRow) -> None:
    """销号. Raises `NotRechecked`, `SamePersonAgain`, `HazardNotReady` (Inv-12)."""
    actor = register.person(context)
    records = [
        hazard_rules.RecheckRecord(
            people=frozenset(one for one in (r.first_by, r.second_by) if one),
            passed=r.passed,
            confirmed=r.second_by is not None and not r.void,
            attempt=r.attempt,
        )
        for r in rechecks(context.session, hazard.id)
    ]
    hazard_rules.check_closing(
        actor.id,
        records,
        failures=hazard.failures,
        rectifiers=hazard.rectifiers,
        issuers=hazard.issuers,
    )
    hazard.closed_on, hazard.closed_by = register.today(context), actor.id
    register.move(context, hazard, HazardEvent.CLOSE)
    if hazard.major_case is not None:
        context.send_message("hazard_closed", hazard.id, {})


def send_back(context: OperationContext, hazard: HazardRow, reason: str) -> None:
    """Who should close it out wants another re-inspection; the old record becomes void."""
    if not reason.strip():
        raise errors.InvalidInput(fields={"reason": "请填写退回复查的理由"})
    for record in rechecks(context.session, hazard.id):
        record.void = record.void or record.attempt == hazard.failures
    register.move(context, hazard, HazardEvent.RECALL, reason.strip())


def list_publicly(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> None:
    """挂牌督办 of a 重大 hazard: number, leader in charge, last day, suspension of the place."""
    if hazard.grade != Grade.MAJOR.value:
        raise errors.InvalidState("只有重大隐患挂牌督办")
    fields = Fields(data)
    number = fields.text("listed_number", "督办编号", longest=60)
    leader = fields.text("listed_leader", "督办负责人", longest=50)
    due = fields.day("listed_due", "督办期限")
    fields.check(
        "listed_due", due is None or due >= register.today(context), "督办期限不能早于今天"
    )
    fields.refuse_faults()
    hazard.listed_number, hazard.listed_leader, hazard.listed_due = number, leader, due
    register.note(context, hazard, "挂牌督办", f"{number}，负责人{leader}")


def unlist(context: OperationContext, hazard: HazardRow) -> None:
    """摘牌 once the hazard is closed out; the place may be used again (安全生产法 70)."""
    if hazard.state not in (HazardState.CLOSED.value, HazardState.WITHDRAWN.value):
        raise errors.InvalidState("隐患销号以后才能摘牌")
    register.note(context, hazard, "摘牌，恢复使用")
