"""民主评议会议记录 (D-04): who met, how each household was voted on, who signed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import errors
from workflows.domain import campaign, division
from workflows.domain.money import text_from_fen
from workflows.domain.roster_tables import Appraisal, Roster, RosterLine
from workflows.papers import wording

_QUORUM_WORDS = {Fraction(2, 3): "三分之二", Fraction(1, 2): "二分之一"}


def minutes(session: Session, roster: Roster) -> dict[str, Any]:
    """What the template `appraisal` prints. Raises InvalidState before a meeting was held."""
    meeting: Mapping[str, Any] | None = roster.meeting
    if meeting is None:
        raise errors.InvalidState("还没有登记评议会议")
    action = campaign.get(session, roster.campaign_id)
    quorum = campaign.profile_of(session, roster.campaign_id, roster.town).quorum_share
    votes = _last_votes(session, roster.id)
    rows = [_row(session, line, vote) for line, vote in votes]
    passed = [(line, vote) for line, vote in votes if vote.passed]
    attendees = wording.people(session, meeting.get("attendees", ()))
    present = int(meeting["present_n"])
    return {
        "title": f"{division.name_of(session, roster.village)}{action.name}民主评议会议记录",
        "issuer": wording.body(session, roster.village),
        "held": wording.day(date.fromisoformat(meeting["held_on"])),
        "place": meeting["place"],
        "host": meeting["host"],
        "due": int(meeting["due_n"]),
        "present": present,
        "share": f"占应到{present / max(int(meeting['due_n']), 1):.1%}",
        "matter": f"{action.name}申请户{len(rows)}户",
        "rule": f"应到人数的{_QUORUM_WORDS.get(quorum, str(quorum))}以上到会方为有效；同意人数超过"
        "参加表决人数的半数为通过；与申请户有近亲属关系的回避。",
        "rows": rows,
        "summary": f"本次共评议{len(rows)}户，符合{len(passed)}户，"
        f"不符合{len(rows) - len(passed)}户；拟救助{sum(line.need_n for line, _ in passed)}人、"
        f"{text_from_fen(sum(vote.planned_fen for _, vote in passed))}元。",
        "attendees": attendees + [""] * max(present - len(attendees), 0),
    }


def _last_votes(session: Session, roster_id: str) -> list[tuple[RosterLine, Appraisal]]:
    """The last round of each household, in the order of the roster."""
    found = session.execute(
        select(RosterLine, Appraisal)
        .join(Appraisal, Appraisal.line_id == RosterLine.id)
        .where(RosterLine.roster_id == roster_id)
        .order_by(RosterLine.seq, Appraisal.round)
    )
    last = {line.id: (line, vote) for line, vote in found}
    return list(last.values())


def _row(session: Session, line: RosterLine, vote: Appraisal) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "name": line.head_name,
        "needy": line.need_n,
        "agree": vote.agree,
        "against": vote.against,
        "abstain": vote.abstain,
        "recused": wording.listed(wording.people(session, vote.recused or ())),
        "passed": vote.passed,
        "level": vote.level or "",
        "amount": text_from_fen(vote.planned_fen) if vote.passed else "",
        "reason": vote.reason,
    }
