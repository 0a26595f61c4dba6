"""花名册 of a village: opened once a campaign, filled by form or import, visited, corrected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine import OperationContext, clock, errors, region
from workflows.domain import funds, kin, line_input, lines, masking, vault
from workflows.domain.line_input import Household
from workflows.domain.line_states import COMMITTED, EDITABLE, LineState, Verb
from workflows.domain.roster_tables import Roster, RosterLine, RosterMember

Purpose = vault.Purpose


def open_roster(context: OperationContext, campaign_id: str, village: str) -> Roster:
    """The village's roster of this campaign; the same one when asked twice."""
    session: Session = context.session
    found = session.scalars(
        select(Roster).where(Roster.campaign_id == campaign_id, Roster.village == village)
    ).one_or_none()
    if found is not None:
        return found
    town = region.parent(village)
    if town is None or region.level(village) is not region.Level.VILLAGE:
        raise errors.InvalidInput("花名册以村（社区）为单位")
    found = Roster(
        id=context.new_id(), campaign_id=campaign_id, village=village, town=town,
        opened_at=context.now, visit_photos=[],
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def save_line(
    context: OperationContext, roster: Roster, data: Mapping[str, Any], line_id: str | None = None
) -> RosterLine:
    """A household is entered, or corrected where the state allows it.

    Raises InvalidInput by field, DuplicatePerson, DuplicateAccount, LineNotReady, KinMayNotHandle.
    """
    known = lines.get(context.session, line_id) if line_id else None
    if known is not None and known.roster_id != roster.id:
        raise errors.NotFound("这一户不在本村花名册内")
    household = line_input.read(
        data, clock.local_date(context.now), known_identity=known is not None
    )
    return write_line(context, roster, household, known)


def write_line(
    context: OperationContext, roster: Roster, household: Household, known: RosterLine | None = None
) -> RosterLine:
    """A checked household is on the roster; a new one has declared itself (户报)."""
    session: Session = context.session
    line = known or _new_line(context, roster)
    if known is not None:
        if line.standing not in EDITABLE:
            raise errors.InvalidState(
                f"“{line.head_name}”户处于“{line.standing.label}”，不能直接修改，请走退回补正"
            )
        kin.refuse_kin(context, line)
    lines.change(context, line, lambda row: fill(row, household))
    session.add(line)
    session.flush()
    lines.refuse_shared_account(context, line)
    _write_persons(context, line, household)
    lines.claim_persons(
        context, line, [m.id_hash for m in lines.members(session, line.id) if m.id_hash]
    )
    kin.mark_relatives(context, line)
    if known is None:
        kin.refuse_kin(context, line)
        lines.move(context, line, Verb.DECLARE)
    elif line.standing is LineState.CORRECTING:
        lines.move(context, line, Verb.CORRECT)
    else:
        lines.note(context, line, "edit", line.standing)
    session.flush()
    return line


def _new_line(context: OperationContext, roster: Roster) -> RosterLine:
    refuse_submitted(roster)
    return blank_line(context, roster, lines.next_seq(context.session, roster.id))


def refuse_submitted(roster: Roster) -> None:
    """Raises InvalidState once the roster was handed in."""
    if roster.submitted_at is not None:
        raise errors.InvalidState("本村花名册已报送，新增户请登记到下一批")


def blank_line(context: OperationContext, roster: Roster, seq: int) -> RosterLine:
    """A draft with a number and a place, and nothing of a household yet."""
    return RosterLine(
        id=context.new_id(), campaign_id=roster.campaign_id, roster_id=roster.id,
        town=roster.town, village=roster.village, seq=seq, version=1,
        state=LineState.DRAFT.value, entered_by=lines.actor_id(context),
        created_at=context.now, updated_at=context.now, passed_by="",
        planned_fen=0, least_fen=0, most_fen=0, approved_fen=0, paid_fen=0, pay_failures=0,
        exception="none",
    )  # fmt: skip


_PLAIN = (
    "head_name", "id_kind", "no_id_reason", "head_is_minor", "guardian_name", "group_name",
    "address", "members_n", "need_n", "hukou", "family_type", "dis_on", "hazard_kind", "self_help",
    "need_months", "apply_way", "reason", "pay_way", "account_kind", "bank", "account_name",
    "payee_reason",
)  # fmt: skip


def fill(line: RosterLine, household: Household) -> None:
    """The line says what the household says; empty numbers keep those on record."""
    was_minor = bool(line.head_is_minor)
    for name in _PLAIN:
        setattr(line, name, getattr(household, name))
    if not household.id_no and line.id_hash:
        # The number on record was kept, and with it what it says of the head's age.
        line.head_is_minor = was_minor
        if was_minor and not household.guardian_name:
            raise errors.InvalidInput(None, {"guardian_name": "户主未成年，公示须写监护人姓名"})
    line.family_types = list(household.family_types)
    line.dis_types = list(household.dis_types)
    line.needs = dict(household.needs)
    line.surveyors = list(household.surveyors) or list(line.surveyors or [])
    if household.id_no:
        line.id_sealed = vault.seal(household.id_no, Purpose.IDENTITY)
        line.id_hash = vault.digest(household.id_no, Purpose.IDENTITY)
        line.id_masked = masking.screen_id(household.id_no)
    if household.phone:
        line.phone_sealed = vault.seal(household.phone, Purpose.PHONE)
        line.phone_masked = masking.screen_phone(household.phone)
    if household.account_no:
        set_account(line, household.account_no)


def set_account(line: RosterLine, number: str) -> None:
    """The account the money goes to; no notice speaks of it, so the version stays."""
    line.account_sealed = vault.seal(number, Purpose.ACCOUNT)
    line.account_hash = vault.digest(number, Purpose.ACCOUNT)
    line.account_masked = masking.screen_account(number)


def _write_persons(context: OperationContext, line: RosterLine, household: Household) -> None:
    session: Session = context.session
    kept = {(row.name, row.relation): row for row in lines.members(session, line.id)}
    session.execute(delete(RosterMember).where(RosterMember.line_id == line.id))
    session.add_all(persons_of(context, line, household, kept))
    session.flush()


def numbers_of(household: Household) -> list[str]:
    """The identity number of each person; the head's stands with the household."""
    return [
        person.id_no or (household.id_no if person.relation == "户主" else "")
        for person in household.persons
    ]


_NOBODY: Mapping[tuple[str, str], RosterMember] = {}


def persons_of(
    context: OperationContext,
    line: RosterLine,
    household: Household,
    kept: Mapping[tuple[str, str], RosterMember] = _NOBODY,
) -> list[RosterMember]:
    """The rows of the household's persons; who comes without a number has the one of `kept`."""
    made = []
    for person, number in zip(household.persons, numbers_of(household), strict=True):
        old = kept.get((person.name, person.relation))
        made.append(
            RosterMember(
                id=context.new_id(), line_id=line.id, name=person.name, relation=person.relation,
                id_sealed=vault.seal(number, Purpose.IDENTITY) if number
                else (old.id_sealed if old else None),
                id_hash=vault.digest(number, Purpose.IDENTITY) if number
                else (old.id_hash if old else None),
                id_masked=masking.screen_id(number) if number else (old.id_masked if old else ""),
                is_needy=person.is_needy,
            )
        )  # fmt: skip
    return made


def fill_account(context: OperationContext, line: RosterLine, data: Mapping[str, Any]) -> None:
    """Bank and account of a line that is not reported yet; its notice goes on standing."""
    if line.standing is not LineState.VILLAGE_NOTICED:
        raise errors.InvalidState("只能在报送前补齐账户")
    kin.refuse_kin(context, line)
    filled = line_input.read_account(data, line.head_name)
    set_account(line, filled["account_no"])
    line.bank, line.account_kind = filled["bank"], filled["account_kind"]
    line.account_name, line.payee_reason = filled["account_name"], filled["payee_reason"]
    context.session.flush()
    lines.refuse_shared_account(context, line)
    lines.note(context, line, "fill_account", line.standing)


def withdraw(context: OperationContext, line: RosterLine, reason: str) -> None:
    """The household takes its application back."""
    if not reason.strip():
        raise errors.InvalidInput(None, {"reason": "请写明撤回原因"})
    lines.move(context, line, Verb.WITHDRAW, reason)


def cancel(context: OperationContext, line: RosterLine, reason: str) -> None:
    """注销 before payment (death, moved away, duplicate); an approved amount is free again.

    The line stays readable for ever; its money is reversed by counter-entry (Inv-17).
    Raises LineNotReady once the line is in a bank file or paid.
    """
    if not reason.strip():
        raise errors.InvalidInput(None, {"reason": "请写明注销原因"})
    kin.refuse_kin(context, line)
    was_committed = line.standing in COMMITTED
    lines.move(context, line, Verb.CANCEL, reason)
    if was_committed and line.approved_fen:
        funds.release(context, line.campaign_id, (line.id, line.village), line.approved_fen)


def finish_register(context: OperationContext, roster: Roster) -> dict[str, int]:
    """Every line is complete and declared. Raises InvalidState naming what is missing."""
    found = lines.of_roster(context.session, roster.id)
    open_lines = [line for line in found if line.standing is LineState.CORRECTING]
    if open_lines:
        names = "、".join(line.head_name for line in open_lines[:5])
        raise errors.InvalidState(f"还有 {len(open_lines)} 户待补正：{names}")
    return {"lines": sum(line.standing is LineState.APPLIED for line in found)}


def finish_visit(context: OperationContext, roster: Roster, data: Mapping[str, Any]) -> None:
    """入户核查 by two persons with photos is on record. Raises InvalidInput."""
    surveyors = line_input.people(data.get("surveyors"))
    photos = line_input.people(data.get("photos"))
    wrong: dict[str, str] = {}
    if len(surveyors) < 2:
        wrong["surveyors"] = "入户核查须由两人进行"
    if len(photos) < 1:
        wrong["photos"] = "请上传入户照片"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    for photo in photos:
        context.attachment(photo)
    for line in lines.of_roster(context.session, roster.id, LineState.APPLIED):
        line.surveyors = list(dict.fromkeys([*(line.surveyors or []), *surveyors]))
    roster.visited_at, roster.visit_photos = context.now, list(photos)


def totals(session: Session, roster_id: str) -> dict[str, int]:
    """Households, persons in need and planned money of a roster's live lines."""
    dead = [state.value for state in LineState if not state.is_live]
    households, persons, planned = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(RosterLine.need_n), 0),
            func.coalesce(func.sum(RosterLine.planned_fen), 0),
        ).where(RosterLine.roster_id == roster_id, RosterLine.state.not_in(dead))
    ).one()
    return {"households": households, "persons": int(persons), "planned_fen": int(planned)}
