"""The hazard register: finding a hazard, settling its 五落实, moving it, and its time line.

Every move goes through `move`, which reads the one transition table, writes the hazard's time
line and a fact of the case; no other code sets `state` (Inv-6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Actor, OperationContext, clock, errors
from workflows.domain import hazard_institution, hazard_rules, hazard_state
from workflows.domain.hazard_input import Fields
from workflows.domain.hazard_state import Category, HazardEvent, HazardState, Source, Suspension
from workflows.domain.hazard_tables import EntryRow, HazardRow


class UnknownHazard(errors.NotFound):
    """没有这条隐患，或者它不属于这件事"""

    code = "UNKNOWN_HAZARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What somebody saw: enough to write the first columns of the ledger."""

    institution: str
    round_id: str | None
    source: Source
    place: str
    category: Category
    description: str
    item: str | None
    photos: list[dict[str, Any]]
    issuers: tuple[str, ...] = ()


def today(context: OperationContext) -> date:
    """The local day of the command."""
    return clock.local_date(context.now)


def local_day(at: datetime) -> date:
    """The local day of an instant."""
    return clock.local_date(at)


def person(context: OperationContext) -> Actor:
    """Who acts. A hazard never moves without a person behind it: raises `NotAllowed`."""
    if context.actor is None:
        raise errors.NotAllowed("隐患只能由具体人员办理")
    return context.actor


def seen_institution(context: OperationContext, code: object) -> str:
    """The institution's code when it exists and the actor's seat covers it."""
    if not code:
        raise errors.InvalidInput(fields={"institution": "请选择机构"})
    found = hazard_institution.get(context.session, str(code or ""))
    if not person(context).sees(found.code):
        raise hazard_institution.UnknownInstitution
    return found.code


def read_finding(
    context: OperationContext,
    data: Mapping[str, Any],
    *,
    institution: str,
    round_id: str | None,
    source: Source,
    issuers: tuple[str, ...] = (),
) -> Finding:
    """A finding from a form: 部位、类别、描述 and at least one photo. Raises `InvalidInput`."""
    fields = Fields(data)
    found = Finding(
        institution=institution,
        round_id=round_id,
        source=source,
        place=fields.text("place", "部位/区域", longest=100),
        category=fields.choice("category", "类别", Category),
        description=fields.text("description", "隐患描述"),
        item=fields.text("item", "检查项", required=False, longest=30) or None,
        photos=fields.photos("photos", "整改前照片", context, at_least=1),
        issuers=issuers,
    )
    fields.refuse_faults()
    return found


def register(context: OperationContext, finding: Finding) -> HazardRow:
    """Write a new hazard with its number; it waits for its grade."""
    actor, day = person(context), today(context)
    number = hazard_institution.next_number(context.session, finding.institution, day.year)
    hazard = HazardRow(
        id=context.new_id(),
        number=number,
        round_id=finding.round_id,
        institution=finding.institution,
        city=hazard_institution.city_of(finding.institution),
        item=finding.item,
        state=HazardState.FOUND.value,
        source=finding.source.value,
        found_on=day,
        found_by=actor.id,
        issuers=list(finding.issuers),
        place=finding.place,
        category=finding.category.value,
        description=finding.description,
        before=finding.photos,
        suspension=Suspension.NONE.value,
        interim="",
        goal="",
        measure="",
        owner_name="",
        plan="",
        rectifiers=[],
        rectified_note="",
        self_verdict="",
        after=[],
        failures=0,
        supervision="",
        listed_leader="",
        withdrawn_reason="",
        remark="",
    )
    context.session.add(hazard)
    note(context, hazard, "发现", f"{finding.source.title_cn}：{finding.place}")
    return hazard


def look(session: Session, hazard_id: object) -> HazardRow:
    """The hazard for reading only, without a lock. Raises `UnknownHazard`."""
    hazard = session.get(HazardRow, str(hazard_id or ""))
    if hazard is None:
        raise UnknownHazard
    return hazard


def take_over(context: OperationContext, hazard: HazardRow) -> None:
    """The case of the hazard begins: it knows its case, and the case holds its first photos.

    A photo taken outside of any case would be visible to its uploader only. The bytes are not
    copied: the same content is stored once.
    """
    if context.instance is None:
        return
    hazard.instance_id = context.instance.id
    if hazard.round_id is None:
        hazard.before = [_kept(context, photo) for photo in hazard.before]
    context.session.flush()


def _kept(context: OperationContext, photo: Mapping[str, Any]) -> dict[str, Any]:
    found = context.attachment(str(photo["id"]))
    content = context.read_attachment(found.id)
    return {**photo, "id": context.store_file(found.name, content, found.media_type).id}


def load(session: Session, hazard_id: object, *, institution: str | None = None) -> HazardRow:
    """The hazard, locked for this command; only one of the institution when that is given.

    A form names the hazard, so its belonging to the case must be checked here. Raises
    `UnknownHazard`.
    """
    query = select(HazardRow).where(HazardRow.id == str(hazard_id or "")).with_for_update()
    hazard = session.scalars(query).one_or_none()
    if hazard is None or (institution is not None and hazard.institution != institution):
        raise UnknownHazard
    return hazard


def by_number(session: Session, number: str) -> HazardRow:
    """The hazard of this number. Raises `UnknownHazard`."""
    hazard = session.scalars(select(HazardRow).where(HazardRow.number == number)).one_or_none()
    if hazard is None:
        raise UnknownHazard
    return hazard


def of_institution(session: Session, institution: str) -> list[HazardRow]:
    """Hazards of an institution that were not withdrawn, in order of number."""
    query = select(HazardRow).where(
        HazardRow.institution == institution, HazardRow.state != HazardState.WITHDRAWN.value
    )
    return list(session.scalars(query.order_by(HazardRow.number)))


def of_round(session: Session, round_id: str, institution: str) -> list[HazardRow]:
    """Hazards of one institution in one round, in order of number; withdrawn ones too."""
    query = (
        select(HazardRow)
        .where(HazardRow.round_id == round_id, HazardRow.institution == institution)
        .order_by(HazardRow.number)
    )
    return list(session.scalars(query))


def move(
    context: OperationContext, hazard: HazardRow, event: HazardEvent, remark: str = ""
) -> None:
    """Take the hazard to the state that follows. Raises `HazardNotReady`."""
    hazard.state = hazard_state.after(HazardState(hazard.state), event).value
    note(context, hazard, event.title_cn, remark)


def keys(hazards: Iterable[HazardRow]) -> list[dict[str, str]]:
    """What a token carries of hazards: id and number, nothing else."""
    return [{"id": one.id, "number": one.number} for one in hazards]


def position(hazard: HazardRow) -> dict[str, object]:
    """What the process decides by: grade, day that counts, failed re-inspections."""
    return {"grade": hazard.grade, "due": hazard.current_due, "failures": hazard.failures}


def note(context: OperationContext, hazard: HazardRow, what: str, remark: str = "") -> None:
    """Add a line to the hazard's time line and a fact to the case, and flush."""
    actor = person(context)
    context.session.add(
        EntryRow(
            id=context.new_id(),
            hazard_id=hazard.id,
            at=context.now,
            by=actor.id,
            by_name=actor.name,
            what=what,
            state=hazard.state,
            note=remark,
        )
    )
    if context.instance is not None:
        told = {"number": hazard.number, "what": what, "state": hazard.state}
        context.record("hazard", {"title": f"{what} {hazard.number}", **told})
    context.session.flush()


def entries(session: Session, hazard_id: str) -> list[EntryRow]:
    """The time line of a hazard, the oldest first (ids are time-ordered)."""
    query = select(EntryRow).where(EntryRow.hazard_id == hazard_id)
    return list(session.scalars(query.order_by(EntryRow.at, EntryRow.id)))


def write_five(context: OperationContext, hazard: HazardRow, data: Mapping[str, Any]) -> None:
    """Settle the 五落实 with goal and interim measures. Raises `InvalidInput` for each gap."""
    fields = Fields(data)
    due_on = fields.day("due_on", "计划完成日", required=False)
    if data.get("fix_at_once") in (True, "true", "on", "1"):
        due_on = hazard_rules.fix_at_once_due(today(context))
    items = hazard_rules.FiveItems(
        owner_name=fields.text("owner_name", "整改责任人", required=False, longest=50),
        measure=fields.text("measure", "整改措施", required=False),
        fund_fen=fields.fen("fund", "整改资金"),
        due_on=due_on,
        plan=fields.text("plan", "应急预案", required=False),
    )
    for key, message in hazard_rules.missing_of_five(items, today(context)).items():
        fields.faults.setdefault(key, message)
    suspension = fields.choice("suspension", "是否停用", Suspension, Suspension.NONE)
    interim = fields.text("interim", "临时防范措施")
    goal = fields.text("goal", "整改目标", required=False)
    fields.refuse_faults()
    hazard.owner_name, hazard.measure, hazard.plan = items.owner_name, items.measure, items.plan
    hazard.fund_fen, hazard.due_on, hazard.current_due = items.fund_fen, due_on, due_on
    hazard.suspension, hazard.interim, hazard.goal = suspension.value, interim, goal


def withdraw(context: OperationContext, hazard: HazardRow, reason: str) -> None:
    """Mark a hazard that turned out to be none; the row stays (Inv-17). Raises `HazardNotReady`.

    A 重大 one cannot vanish this way: it would be a downgrade by one person (Inv-12).
    """
    if hazard.grade is not None:
        hazard_rules.check_regrade(hazard_state.Grade(hazard.grade), hazard_state.Grade.GENERAL)
    if not reason.strip():
        raise errors.InvalidInput(fields={"reason": "请填写撤销理由"})
    hazard.withdrawn_reason = reason.strip()
    move(context, hazard, HazardEvent.WITHDRAW, reason.strip())
