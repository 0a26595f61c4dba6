"""近亲属登记: who may not handle whose line (SoD-1, SoD-3; Civil Code art. 1045).

The register holds keyed hashes only: which participant is close kin of (or is) which person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, OperationContext, UtcDateTime, errors
from workflows.domain import vault
from workflows.domain.roster_tables import RosterLine, RosterMember

CLOSE_RELATIONS = (
    "本人", "配偶", "父母", "子女", "兄弟姐妹", "祖父母", "外祖父母", "孙子女", "外孙子女",
)  # fmt: skip
"""art. 1045; a region may register wider relations as 其他."""


class KinMayNotHandle(errors.SeparationOfDuties):
    """您与该户有近亲属关系，须回避，请由他人办理"""

    code = "KIN_MAY_NOT_HANDLE"


class KinLink(Base):
    """A participant is kin of the person with this identity hash."""

    __tablename__ = "kin_link"

    participant_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    relation: Mapped[str] = mapped_column(String(20))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)


def register(
    context: OperationContext, participant_id: str, identity_number: str, relation: str
) -> None:
    """The participant keeps out of everything that touches this person."""
    if relation not in (*CLOSE_RELATIONS, "其他"):
        raise errors.InvalidInput("关系不在登记范围内", {"relation": "、".join(CLOSE_RELATIONS)})
    hashed = vault.digest(identity_number.strip().upper(), vault.Purpose.IDENTITY)
    session: Session = context.session
    link = session.get(KinLink, (participant_id, hashed))
    if link is None:
        session.add(
            KinLink(
                participant_id=participant_id, id_hash=hashed, relation=relation,
                registered_at=context.now,
            )
        )  # fmt: skip
        session.flush()
    else:
        link.relation = relation


def people_kin_to(session: Session, line_ids: Collection[str]) -> frozenset[str]:
    """Participants who are kin of, or are, a member of one of these households."""
    return frozenset(
        session.scalars(
            select(KinLink.participant_id)
            .join(RosterMember, RosterMember.id_hash == KinLink.id_hash)
            .where(RosterMember.line_id.in_(line_ids))
            .distinct()
        )
    )


def lines_kin_to(session: Session, participant_id: str, line_ids: Iterable[str]) -> frozenset[str]:
    """Those of these lines that the participant has to leave to others."""
    mine = session.scalars(
        select(RosterMember.line_id)
        .join(KinLink, RosterMember.id_hash == KinLink.id_hash)
        .where(KinLink.participant_id == participant_id)
        .distinct()
    )
    return frozenset(mine) & frozenset(line_ids)


def told(head_name: str) -> str:
    """The refusal, naming the household."""
    return f"您与“{head_name}”户有近亲属关系，须回避，请由他人办理"


def refuse_kin(context: OperationContext, line: RosterLine) -> None:
    """Raises KinMayNotHandle when the actor is kin of the household (SoD-1)."""
    if context.actor is None:
        return
    if lines_kin_to(context.session, context.actor.id, [line.id]):
        raise KinMayNotHandle(told(line.head_name))


def refuse_kin_of_any(context: OperationContext, found: Sequence[RosterLine]) -> None:
    """As `refuse_kin`, for a whole list at once. Raises KinMayNotHandle, naming the household."""
    if context.actor is None:
        return
    wanted = {line.id: line for line in found}
    # A participant has few kin: ask for theirs, not for thousands of lines.
    mine = context.session.scalars(
        select(RosterMember.line_id)
        .join(KinLink, RosterMember.id_hash == KinLink.id_hash)
        .where(KinLink.participant_id == context.actor.id)
    )
    for line_id in mine:
        if line_id in wanted:
            raise KinMayNotHandle(told(wanted[line_id].head_name))


def mark_relatives(context: OperationContext, line: RosterLine) -> None:
    """A line with any registered kin is recorded apart; the county visits each (SoD-3)."""
    line.is_relative = bool(people_kin_to(context.session, [line.id]))
