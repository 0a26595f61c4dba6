"""异议: anybody may object, two people who are no kin check, the answer is given in writing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import OperationContext, errors
from workflows.domain import appraisal, kin, lines, notice, standard, vault
from workflows.domain.line_states import LineState, Verb
from workflows.domain.money import fen_from_text
from workflows.domain.notice_tables import NoticeLine, NoticeStatus, Objection
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import RosterLine
from workflows.domain.standard import Verdict

KINDS = ("不符合", "金额", "人口虚报", "户籍", "其他")
DISMISSED, STRUCK, ADJUSTED = "不成立", "成立剔除", "成立调整"
VERDICTS = (DISMISSED, STRUCK, ADJUSTED)
MOST_OPEN_PER_NOTICE = 200
"""More at once is an attack on the desk, not a village with doubts."""

_OBJECTED = (LineState.VILLAGE_OBJECTION, LineState.TOWN_OBJECTION)


def get(session: Session, objection_id: object) -> Objection:
    """One objection. Raises NotFound."""
    found = session.get(Objection, str(objection_id))
    if found is None:
        raise errors.NotFound("没有找到这条异议")
    return found


def file(context: OperationContext, data: Mapping[str, Any]) -> Objection:
    """The objection is on record and the line waits for its check; the objector may be nameless.

    Raises InvalidInput, InvalidState once the notice is concluded.
    """
    session: Session = context.session
    found = notice.get(session, data.get("notice"))
    over = found.ends_at is not None and context.now >= found.ends_at
    if found.status != NoticeStatus.POSTED or over:
        raise errors.InvalidState("这份公示不在公示期内，如有疑问请拨打公示所载电话")
    text = str(data.get("text") or "").strip()
    kind = str(data.get("kind") or "")
    wrong: dict[str, str] = {}
    if kind not in KINDS:
        wrong["kind"] = f"应为：{'、'.join(KINDS)}" if kind else "请选择"
    if not 5 <= len(text) <= 1000:
        wrong["text"] = "请写明理由，5 至 1000 字"
    line = _target(session, found.id, data.get("line"), wrong)
    if wrong:
        raise errors.InvalidInput(None, wrong)
    if notice.open_objections(session, found.id) >= MOST_OPEN_PER_NOTICE:
        raise errors.InvalidState("这份公示收到的异议过多，请拨打公示所载电话")
    who = str(data.get("objector") or "").strip()[:200]
    made = Objection(
        id=context.new_id(), notice_id=found.id, line_id=line.id if line else None, kind=kind,
        text=text, objector_sealed=vault.seal(who, vault.Purpose.OBJECTOR), status="open",
        filed_at=context.now, filed_by=context.actor.id if context.actor else "public", reply="",
    )  # fmt: skip
    session.add(made)
    if line is not None:
        lines.move(context, line, Verb.OBJECT, f"异议：{kind}")
    session.flush()
    return made


def _target(session: Session, notice_id: str, raw: Any, wrong: dict[str, str]) -> RosterLine | None:
    if not raw:
        return None
    row = session.get(NoticeLine, (notice_id, str(raw)))
    line = lines.get(session, raw) if row is not None else None
    if line is None or line.standing not in (
        LineState.VILLAGE_NOTICE, LineState.TOWN_NOTICE, *_OBJECTED,
    ):  # fmt: skip
        wrong["line"] = "该户不在这份公示内，或已不在公示中"
        return None
    return line


def excluded_checkers(session: Session, objection_id: str) -> frozenset[str]:
    """Kin of the household, and those who surveyed or entered it, do not check the objection."""
    found = get(session, objection_id)
    if found.line_id is None:
        return frozenset()
    line = lines.get(session, found.line_id)
    return kin.people_kin_to(session, [line.id]) | {line.entered_by, *(line.surveyors or [])}


def record_check(
    context: OperationContext, profile: Profile, found: Objection, data: Mapping[str, Any]
) -> None:
    """The first checker's verdict with the written reason. Raises InvalidInput."""
    _refuse_excluded(context, found)
    verdict = str(data.get("verdict") or "")
    reply = str(data.get("reply") or "").strip()
    wrong: dict[str, str] = {}
    if verdict not in VERDICTS:
        wrong["verdict"] = f"应为：{'、'.join(VERDICTS)}"
    if len(reply) < 5:
        wrong["reply"] = "请写明核查结果和答复意见"
    if verdict != DISMISSED and found.line_id is None:
        wrong["verdict"] = "没有指明户的异议只能答复，不能调整名册"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    found.adjustment = None
    if verdict == ADJUSTED:
        found.adjustment = _adjustment(context, profile, found, data)
    found.verdict, found.reply, found.status = verdict, reply, "checked"
    found.checked_by = lines.actor_id(context)


def _adjustment(
    context: OperationContext, profile: Profile, found: Objection, data: Mapping[str, Any]
) -> dict[str, Any]:
    line = lines.get(context.session, found.line_id)
    raw = str(data.get("needy") or line.need_n)
    needy = int(raw) if re.fullmatch("[0-9]{1,9}", raw) else 0
    if not 1 <= needy <= line.members_n:
        raise errors.InvalidInput(None, {"needy": f"应为 1 至 {line.members_n}"})
    level = str(data.get("level") or line.level or "")
    proposal = _proposal(context, profile, line, needy, level)
    text = str(data.get("amount") or "").strip()
    amount = fen_from_text(text) if text else proposal.least_fen
    if proposal.check(amount) is not Verdict.WITHIN:
        raise standard.AmountOutOfRange(None, {"amount": "调整后的金额不在标准之内"})
    return {"needy": needy, "level": level, "amount_fen": amount}


def _proposal(
    context: OperationContext, profile: Profile, line: RosterLine, needy: int, level: str
) -> standard.Proposal:
    kept = line.need_n
    try:
        line.need_n = needy
        return standard.propose(context, profile, line, level)
    finally:
        line.need_n = kept


def confirm(context: OperationContext, profile: Profile, found: Objection) -> dict[str, Any]:
    """The second checker agrees: the verdict takes effect and the reply is given.

    Raises SamePersonTwice, InvalidState without a first verdict.
    """
    if found.status != "checked":
        raise errors.InvalidState("这条异议还没有核查结论")
    _refuse_excluded(context, found)
    me = lines.actor_id(context)
    if me == found.checked_by:
        raise lines.SamePersonTwice("异议须由两人核查，请由另一人确认")
    found.status, found.confirmed_by, found.resolved_at = "resolved", me, context.now
    context.session.flush()
    if found.line_id is not None:
        _take_effect(context, profile, found, lines.get(context.session, found.line_id))
    return {"verdict": found.verdict}


def _take_effect(
    context: OperationContext, profile: Profile, found: Objection, line: RosterLine
) -> None:
    if line.standing not in _OBJECTED:
        return
    if found.verdict == STRUCK:
        lines.move(context, line, Verb.STRIKE, found.reply)
        return
    if found.verdict == ADJUSTED:
        new = found.adjustment
        proposal = _proposal(context, profile, line, new["needy"], new["level"])
        lines.change(context, line, lambda row: setattr(row, "need_n", new["needy"]))
        appraisal.set_amount(
            context, line, new["level"], str(line.main_type), new["amount_fen"], proposal
        )
    others = context.session.scalar(
        select(func.count()).where(Objection.line_id == line.id, Objection.status != "resolved")
    )
    if not others:
        lines.move(context, line, Verb.DISMISS, found.reply)


def reopen(found: Objection) -> None:
    """The second checker disagrees: the check is done again."""
    found.status, found.verdict, found.adjustment = "open", None, None


def _refuse_excluded(context: OperationContext, found: Objection) -> None:
    if lines.actor_id(context) in excluded_checkers(context.session, found.id):
        raise errors.SeparationOfDuties("该户近亲属、原调查人和登记人不能核查这条异议")


def status_of(session: Session, receipt: str) -> dict[str, str]:
    """What whoever filed it may read with his receipt: state, verdict, reply. Raises NotFound."""
    found = get(session, receipt)
    resolved = found.status == "resolved"
    return {
        "status": "已答复" if resolved else "核查中",
        "verdict": (found.verdict or "") if resolved else "",
        "reply": found.reply if resolved else "",
    }
