"""民主评议 (村评): quorum, kin leave the vote, amounts by the standard, exceptions to people.

村民委员会组织法 25–26: at least two thirds present, more than half of those who vote agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import OperationContext, clock, errors
from workflows.domain import kin, line_input, lines, standard
from workflows.domain.line_states import LineState, Verb
from workflows.domain.money import fen_from_text, text_from_fen
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import Appraisal, Roster, RosterLine
from workflows.domain.standard import Proposal, Verdict


class NoQuorum(errors.InvalidState):
    """到会人数不足应到人数的三分之二，评议无效"""

    code = "NO_QUORUM"


def set_meeting(
    context: OperationContext, roster: Roster, profile: Profile, data: Mapping[str, Any]
) -> None:
    """The meeting (D-04) is on record. Raises InvalidInput, NoQuorum."""
    wrong: dict[str, str] = {}
    today = clock.local_date(context.now)
    held_on = _day(data.get("held_on"), today)
    if held_on is None:
        wrong["held_on"] = "请填写会议日期，不能晚于今天"
    place, host = (str(data.get(key) or "").strip() for key in ("place", "host"))
    wrong |= {key: "必填" for key, value in (("place", place), ("host", host)) if not value}
    due_n, present_n = _count(data, "due_n", wrong), _count(data, "present_n", wrong)
    if not wrong and present_n > due_n:
        wrong["present_n"] = "实到不能多于应到"
    if wrong or held_on is None:
        raise errors.InvalidInput(None, wrong)
    if present_n < profile.quorum_share * due_n:
        raise NoQuorum(f"应到 {due_n} 人，实到 {present_n} 人，不足 {profile.quorum}，评议无效")
    photos = list(line_input.people(data.get("photos")))
    for photo in photos:
        context.attachment(photo)
    roster.meeting = {
        "held_on": held_on.isoformat(), "place": place, "host": host, "due_n": due_n,
        "present_n": present_n, "attendees": list(line_input.people(data.get("attendees"))),
        "photos": photos,
    }  # fmt: skip


def _day(raw: Any, today: date) -> date | None:
    try:
        found = raw if isinstance(raw, date) else date.fromisoformat(str(raw or "")[:10])
    except ValueError:
        return None
    return found if found <= today else None


def _count(data: Mapping[str, Any], key: str, wrong: dict[str, str]) -> int:
    text = str(data.get(key, "")).strip()
    if not re.fullmatch("[0-9]{1,9}", text):
        wrong[key] = "请填写人数"
        return 0
    return int(text)


def must_recuse(session: Session, roster: Roster, line: RosterLine) -> frozenset[str]:
    """Those present at the meeting who are kin of the household and may not vote on it."""
    attendees: Sequence[str] = (roster.meeting or {}).get("attendees", [])
    return kin.people_kin_to(session, [line.id]) & frozenset(attendees)


def record_vote(
    context: OperationContext, roster: Roster, profile: Profile, data: Mapping[str, Any]
) -> RosterLine:
    """One line's vote is on record and the line moved; a second vote reopens the first.

    `data`: line, agree, against, abstain, recused, level, main_type, amount (元; empty takes the
    least the standard allows), reason. Raises InvalidInput, NoQuorum, KinMayNotHandle.
    """
    line = lines.get(context.session, data.get("line"))
    if line.roster_id != roster.id:
        raise errors.NotFound("这一户不在本村花名册内")
    kin.refuse_kin(context, line)
    if roster.meeting is None:
        raise errors.InvalidState("请先登记评议会议：日期、地点、主持、应到、实到")
    votes = _votes(context.session, roster, line, data)
    passed = 2 * votes["agree"] > votes["voting"]
    if line.standing is LineState.APPRAISED:
        lines.move(context, line, Verb.REOPEN, "重新评议")
    reason = str(data.get("reason") or "").strip()
    if passed:
        _settle_amount(context, profile, line, data)
    elif not reason:
        # Inv-10: whoever is turned down gets the reason in writing.
        raise errors.InvalidInput(None, {"reason": "不符合的，必须写明理由"})
    _write(context, line, votes, passed=passed, reason=reason)
    lines.move(context, line, Verb.APPRAISE if passed else Verb.REFUSE, reason)
    lines.keep_version(context, line)
    return line


def _votes(
    session: Session, roster: Roster, line: RosterLine, data: Mapping[str, Any]
) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    recused = set(line_input.people(data.get("recused")))
    missing = must_recuse(session, roster, line) - recused
    if missing:
        raise errors.InvalidInput(
            "到会人员中有该户近亲属，须回避表决", {"recused": f"应回避 {len(missing)} 人"}
        )
    counts = {key: _count(data, key, wrong) for key in ("agree", "against", "abstain")}
    voting = int(roster.meeting["present_n"]) - len(recused)
    if not wrong and sum(counts.values()) != voting:
        wrong["agree"] = f"同意、反对、弃权合计应为 {voting}（实到减回避）"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    return {**counts, "voting": voting, "recused": sorted(recused)}


def _settle_amount(
    context: OperationContext, profile: Profile, line: RosterLine, data: Mapping[str, Any]
) -> None:
    level = str(data.get("level") or "")
    main_type = str(data.get("main_type") or "")
    if not main_type and len(line.dis_types or []) == 1:
        main_type = line.dis_types[0]
    if main_type not in (line.dis_types or []):
        raise errors.InvalidInput(None, {"main_type": "主因须是该户登记的受灾类型之一，不能叠加"})
    proposal = standard.propose(context, profile, line, level)
    if not proposal.eligible:
        raise standard.NotEligible(f"“{line.head_name}”户：{proposal.note or '不在救助范围内'}")
    raw = str(data.get("amount") or "").strip()
    amount = fen_from_text(raw) if raw else proposal.least_fen
    verdict = proposal.check(amount)
    if verdict is Verdict.OUTSIDE:
        raise standard.AmountOutOfRange(None, {"amount": _band(proposal)})
    set_amount(context, line, level, main_type, amount, proposal)


def _band(proposal: Proposal) -> str:
    low, high = sorted((proposal.least_fen, proposal.most_fen))
    return f"应在 {text_from_fen(low)} 至 {text_from_fen(high)} 元之间"


def set_amount(
    context: OperationContext,
    line: RosterLine,
    level: str,
    main_type: str,
    amount_fen: int,
    proposal: Proposal,
) -> None:
    """Level, cause, amount and the trace of the standard; contradiction opens an exception."""

    def apply(row: RosterLine) -> None:
        row.level, row.main_type, row.planned_fen = level, main_type, amount_fen
        row.least_fen, row.most_fen = proposal.least_fen, proposal.most_fen
        row.amount_trace = dict(proposal.trace)
        row.exception = "open" if proposal.is_contradiction else "none"
        row.exception_by = None

    lines.change(context, line, apply)


def _write(
    context: OperationContext, line: RosterLine, votes: dict[str, Any], *, passed: bool, reason: str
) -> None:
    session: Session = context.session
    last = session.scalar(select(func.max(Appraisal.round)).where(Appraisal.line_id == line.id))
    session.add(
        Appraisal(
            line_id=line.id, round=int(last or 0) + 1, roster_id=line.roster_id, passed=passed,
            present_n=votes["voting"] + len(votes["recused"]), recused=votes["recused"],
            agree=votes["agree"], against=votes["against"], abstain=votes["abstain"],
            level=line.level if passed else None, main_type=line.main_type if passed else None,
            planned_fen=line.planned_fen if passed else 0, reason=reason, at=context.now,
            actor_id=lines.actor_id(context),
        )
    )  # fmt: skip
    session.flush()


def finish(context: OperationContext, roster: Roster) -> dict[str, int]:
    """Every declared line has its vote. Raises InvalidState naming who is missing."""
    session: Session = context.session
    undecided = lines.of_roster(session, roster.id, LineState.APPLIED, LineState.CORRECTING)
    if undecided:
        names = "、".join(line.head_name for line in undecided[:5])
        raise errors.InvalidState(f"还有 {len(undecided)} 户没有评议：{names}")
    passed = lines.of_roster(session, roster.id, LineState.APPRAISED)
    return {
        "passed": len(passed),
        "exceptions": sum(line.exception in ("open", "stated") for line in passed),
        "equal_split": int(standard.is_equal_split(passed)),
    }


def open_exceptions(session: Session, roster_id: str) -> list[RosterLine]:
    """Lines whose rules contradict each other and that nobody has settled yet."""
    return [
        line
        for line in lines.of_roster(session, roster_id, LineState.APPRAISED)
        if line.exception in ("open", "stated")
    ]


def state_exception(context: OperationContext, line: RosterLine, reason: str, amount: str) -> None:
    """The village says in writing why, and which amount between the contradicting bounds."""
    if line.exception not in ("open", "stated"):
        raise errors.InvalidState("这一户没有待说明的特殊情形")
    kin.refuse_kin(context, line)
    if len(reason.strip()) < 4:
        raise errors.InvalidInput(None, {"reason": "请写明超出标准的理由"})
    low, high = sorted((line.least_fen, line.most_fen))
    fen = fen_from_text(amount) if amount.strip() else low
    if not low <= fen <= high:
        raise standard.AmountOutOfRange(
            None, {"amount": f"应在 {text_from_fen(low)} 至 {text_from_fen(high)} 元之间"}
        )

    def apply(row: RosterLine) -> None:
        row.planned_fen, row.exception = fen, "stated"
        row.exception_reason = reason.strip()

    lines.change(context, line, apply)
    lines.note(context, line, "state_exception", line.standing, reason.strip())


def finish_statement(context: OperationContext, roster: Roster) -> None:
    """Every exception has its reason. Raises InvalidState."""
    missing = [
        line.head_name
        for line in open_exceptions(context.session, roster.id)
        if line.exception == "open"
    ]
    if missing:
        raise errors.InvalidState(f"还有 {len(missing)} 户特殊情形未说明：{'、'.join(missing[:5])}")


def stamp_exceptions(context: OperationContext, roster: Roster) -> int:
    """The town stamps every stated exception; how many. Raises KinMayNotHandle."""
    found = open_exceptions(context.session, roster.id)
    for line in found:
        kin.refuse_kin(context, line)
        if line.exception != "stated":
            raise errors.InvalidState(f"“{line.head_name}”户尚无村级书面理由")
        line.exception, line.exception_by = "stamped", lines.actor_id(context)
        lines.note(context, line, "stamp_exception", line.standing)
    return len(found)


def refuse_exceptions(context: OperationContext, roster: Roster, reason: str) -> int:
    """The town sends them back: those lines are voted on again."""
    found = open_exceptions(context.session, roster.id)
    for line in found:
        line.exception = "open"
        lines.move(context, line, Verb.REOPEN, reason or "乡镇未同意特殊情形")
    return len(found)
