"""What every room of the domain does with a household line: find, move, change, claim.

State changes happen in `move` alone; a change of anything a notice publishes raises the
version, and by that alone every notice of the former version is void (Inv-2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import OperationContext, errors
from workflows.domain import division
from workflows.domain.line_states import BEFORE_NOTICE, DEAD, LineState, Verb, after
from workflows.domain.roster_tables import (
    IdentityClaim,
    Roster,
    RosterLine,
    RosterLineEvent,
    RosterLineVersion,
    RosterMember,
)

MOST_IDS = 500
"""Ids named in one query: SQLite and drivers bound the number of parameters."""


class DuplicatePerson(errors.AlreadyExists):
    """家庭成员已在本次行动的其他户中登记"""

    code = "DUPLICATE_PERSON"


class DuplicateAccount(errors.AlreadyExists):
    """该账号已用于其他户，未登记监护人或代领原因的不能重复使用"""

    code = "DUPLICATE_ACCOUNT"


class SamePersonTwice(errors.SeparationOfDuties):
    """经办与审核不能是同一人"""

    code = "SAME_PERSON_TWICE"


def actor_id(context: OperationContext) -> str:
    """Who acts; timers and jobs act as the system."""
    return context.actor.id if context.actor is not None else "system"


def get_roster(session: Session, roster_id: str) -> Roster:
    """One roster. Raises NotFound."""
    found = session.get(Roster, roster_id)
    if found is None:
        raise errors.NotFound("没有找到这本花名册")
    return found


def get(session: Session, line_id: object) -> RosterLine:
    """One line, locked for this transaction where the database can. Raises NotFound."""
    found = session.scalars(
        select(RosterLine).where(RosterLine.id == str(line_id)).with_for_update()
    ).one_or_none()
    if found is None:
        raise errors.NotFound("没有找到这一户")
    return found


def get_all(session: Session, line_ids: Sequence[str]) -> dict[str, RosterLine]:
    """Lines by id, locked where the database can. Raises NotFound when one is missing."""
    found: dict[str, RosterLine] = {}
    for start in range(0, len(line_ids), MOST_IDS):
        some = line_ids[start : start + MOST_IDS]
        query = select(RosterLine).where(RosterLine.id.in_(some)).with_for_update()
        found |= {line.id: line for line in session.scalars(query)}
    if len(found) != len(set(line_ids)):
        raise errors.NotFound("没有找到其中的户")
    return found


def of_roster(session: Session, roster_id: str, *states: LineState) -> Sequence[RosterLine]:
    """Lines of a roster in these states (all without any), in their order."""
    query = select(RosterLine).where(RosterLine.roster_id == roster_id)
    return _fetch(session, query, states)


def of_town(
    session: Session, campaign_id: str, town: str, *states: LineState
) -> Sequence[RosterLine]:
    """Lines of a town in these states, by village and order."""
    query = select(RosterLine).where(RosterLine.campaign_id == campaign_id, RosterLine.town == town)
    return _fetch(session, query, states)


def _fetch(session: Session, query: Any, states: tuple[LineState, ...]) -> Sequence[RosterLine]:
    if states:
        query = query.where(RosterLine.state.in_([state.value for state in states]))
    found: Sequence[RosterLine] = session.scalars(
        query.order_by(RosterLine.village, RosterLine.seq)
    ).all()
    return found


def members(session: Session, line_id: str) -> Sequence[RosterMember]:
    """The persons of a household."""
    return session.scalars(
        select(RosterMember).where(RosterMember.line_id == line_id).order_by(RosterMember.id)
    ).all()


def next_seq(session: Session, roster_id: str) -> int:
    """The next free number of a roster; numbers of dead lines are not used again."""
    last = session.scalar(select(func.max(RosterLine.seq)).where(RosterLine.roster_id == roster_id))
    return int(last or 0) + 1


def move(context: OperationContext, line: RosterLine, verb: Verb, reason: str = "") -> LineState:
    """The line is in the state the table names, and the step is on record.

    Identity numbers of a line that died are free again. Raises LineNotReady.
    """
    before = line.standing
    target = after(before, verb)
    line.state, line.updated_at, line.passed_by = target.value, context.now, ""
    if reason:
        line.opinion = reason
    note(context, line, verb, before, reason)
    if target in DEAD:
        context.session.execute(delete(IdentityClaim).where(IdentityClaim.line_id == line.id))
    return target


def note(
    context: OperationContext, line: RosterLine, verb: str, before: LineState, reason: str = ""
) -> None:
    """One more event of the line, without moving it."""
    context.session.add(
        RosterLineEvent(
            id=context.new_id(), line_id=line.id, at=context.now, actor_id=actor_id(context),
            verb=str(verb), before=before.value, after=line.state, version=line.version,
            reason=reason,
        )
    )  # fmt: skip


def published(line: RosterLine) -> dict[str, Any]:
    """What a notice says about the household, and what therefore makes its version."""
    return {
        "head": line.guardian_name if line.head_is_minor else line.head_name,
        "members": line.members_n,
        "needy": line.need_n,
        "family_type": line.family_type,
        "dis_types": sorted(line.dis_types or []),
        "level": line.level,
        "main_type": line.main_type,
        "amount_fen": line.planned_fen,
        "person": line.id_hash,
    }


def change(
    context: OperationContext, line: RosterLine, apply: Callable[[RosterLine], None]
) -> bool:
    """Apply a change; whether it touched what notices publish, which then makes a new version."""
    before = published(line)
    apply(line)
    line.updated_at = context.now
    if published(line) == before or line.standing in BEFORE_NOTICE:
        return False
    line.version += 1
    line.passed_by = ""
    keep_version(context, line)
    return True


def keep_version(context: OperationContext, line: RosterLine) -> None:
    """The present content is kept under the present version, once."""
    known = context.session.get(RosterLineVersion, (line.id, line.version))
    if known is None:
        context.session.add(
            RosterLineVersion(
                line_id=line.id, version=line.version, at=context.now,
                actor_id=actor_id(context), content=published(line),
            )
        )  # fmt: skip
    else:
        known.content = published(line)


def claim_persons(context: OperationContext, line: RosterLine, hashes: Iterable[str]) -> None:
    """These persons belong to this line alone (Inv-4). Raises DuplicatePerson, naming where."""
    session: Session = context.session
    wanted = set(hashes)
    session.execute(delete(IdentityClaim).where(IdentityClaim.line_id == line.id))
    taken = session.execute(
        select(RosterLine.head_name, RosterLine.village, RosterLine.seq)
        .join(IdentityClaim, IdentityClaim.line_id == RosterLine.id)
        .where(IdentityClaim.campaign_id == line.campaign_id, IdentityClaim.id_hash.in_(wanted))
    ).first()
    if taken is not None:
        place = division.name_of(session, taken.village)
        raise DuplicatePerson(person_taken(taken.head_name, place, taken.seq))
    for hashed in sorted(wanted):
        session.add(IdentityClaim(campaign_id=line.campaign_id, id_hash=hashed, line_id=line.id))
    try:
        session.flush()
    except IntegrityError as race:
        raise DuplicatePerson from race


def person_taken(head_name: str, place: str, seq: int) -> str:
    """On the list of which village a person is already; `place` is its name."""
    return f"家庭成员证件号码已登记在“{place}”第 {seq} 号“{head_name}”户"


def account_taken(place: str, seq: int) -> str:
    """In which village an account is used already, and what to do about it."""
    return f"该账号已用于“{place}”第 {seq} 号；确由监护人代领的，请填写代领原因"


def refuse_shared_account(context: OperationContext, line: RosterLine) -> None:
    """Raises DuplicateAccount when another live household uses the account without a reason."""
    if line.account_hash is None or line.payee_reason:
        return
    other = context.session.execute(
        select(RosterLine.village, RosterLine.seq)
        .where(
            RosterLine.campaign_id == line.campaign_id,
            RosterLine.account_hash == line.account_hash,
            RosterLine.id != line.id,
            RosterLine.state.not_in([state.value for state in DEAD]),
        )
        .order_by(RosterLine.seq)
    ).first()
    if other is not None:
        place = division.name_of(context.session, other.village)
        raise DuplicateAccount(account_taken(place, other.seq))


def refuse_own_work(context: OperationContext, line: RosterLine, *others: str) -> None:
    """Raises SamePersonTwice when the actor entered, surveyed or passed this line (SoD-2)."""
    me = actor_id(context)
    if me in {line.entered_by, *(line.surveyors or []), *others}:
        raise SamePersonTwice(f"您经办过“{line.head_name}”户，审核须由他人完成")
