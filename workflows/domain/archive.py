"""归档 (D-17): what each level must have in the box, counted from the records themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, OperationContext, UtcDateTime, errors
from workflows.domain import campaign, division, funds, line_input, lines
from workflows.domain.line_states import DEAD, LineState
from workflows.domain.money import text_from_fen
from workflows.domain.notice_tables import Notice, NoticeStatus, Objection, ResultPublication
from workflows.domain.payout_tables import BatchStatus, PayoutBatch
from workflows.domain.roster_tables import Roster, RosterLine


class ArchiveGap(Base):
    """A paper that is missing from the box, with the written reason why it stays missing."""

    __tablename__ = "archive_gap"

    campaign_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    unit: Mapped[str] = mapped_column(String(32), primary_key=True)
    document: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the D-17 list."""

    unit: str
    unit_name: str
    document: str
    title: str
    is_there: bool
    detail: str = ""
    reason: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the paper is there, or its absence explained."""
        return self.is_there or bool(self.reason)


def publish_results(
    context: OperationContext, campaign_id: str, village: str, data: Mapping[str, object]
) -> ResultPublication:
    """公布发放结果 with places and photos. Raises InvalidInput."""
    places, photos = line_input.people(data.get("places")), line_input.people(data.get("photos"))
    wrong = {}
    if not places:
        wrong["places"] = "请选择公布地点"
    if not photos:
        wrong["photos"] = "请上传公布照片"
    if wrong:
        raise errors.InvalidInput(None, wrong)
    for photo in photos:
        context.attachment(photo)
    session: Session = context.session
    households, paid = session.execute(
        select(func.count(), func.coalesce(func.sum(RosterLine.paid_fen), 0)).where(
            RosterLine.campaign_id == campaign_id, RosterLine.village == village,
            RosterLine.state == LineState.PAID.value,
        )
    ).one()  # fmt: skip
    made = session.merge(
        ResultPublication(
            campaign_id=campaign_id, village=village, at=context.now,
            actor_id=lines.actor_id(context), places=list(places), photos=list(photos),
            households=households, paid_fen=int(paid),
        )
    )  # fmt: skip
    session.flush()
    return made


def checklist(session: Session, campaign_id: str) -> list[Entry]:
    """Every paper every level owes, by unit."""
    found = campaign.get(session, campaign_id)
    reasons = {
        (gap.unit, gap.document): gap.reason
        for gap in session.scalars(select(ArchiveGap).where(ArchiveGap.campaign_id == campaign_id))
    }
    rows = [*_county_papers(session, found)]
    for town in sorted(found.profiles):
        rows += _town_papers(session, campaign_id, town)
    names = division.names_of(session, [row[0] for row in rows])
    return [
        Entry(
            unit=unit, unit_name=names[unit], document=document, title=title, is_there=is_there,
            detail=detail, reason=reasons.get((unit, document), ""),
        )
        for unit, document, title, is_there, detail in rows
    ]  # fmt: skip


_Row = tuple[str, str, str, bool, str]


def _county_papers(session: Session, found: campaign.Campaign) -> list[_Row]:
    node = funds.view(session, found.id, found.county)
    approved = session.scalar(
        select(func.count()).where(RosterLine.campaign_id == found.id, RosterLine.approved_fen > 0)
    )
    open_lines = session.scalar(
        select(func.count()).where(
            RosterLine.campaign_id == found.id,
            RosterLine.state.not_in(
                [LineState.PAID.value, LineState.RECOVERED.value, *(s.value for s in DEAD)]
            ),
        )
    )
    county = found.county
    return [
        (county, "D-02", "资金分配方案", node.passed_on_fen > 0, _yuan(node.passed_on_fen)),
        (county, "D-03", "资金台账", node.paid_fen <= node.approved_fen, _yuan(node.paid_fen)),
        (county, "D-12", "审定批复", bool(approved), f"{approved} 户"),
        (county, "D-15", "发放结果", not open_lines, f"未了结 {open_lines} 户"),
    ]


def _yuan(fen: int) -> str:
    return f"{text_from_fen(fen)} 元"


def _town_papers(session: Session, campaign_id: str, town: str) -> list[_Row]:
    batches = session.scalars(
        select(PayoutBatch).where(
            PayoutBatch.campaign_id == campaign_id, PayoutBatch.town == town,
            PayoutBatch.status != BatchStatus.VOID.value,
        )
    ).all()  # fmt: skip
    unsettled = [batch.number for batch in batches if batch.status != BatchStatus.SETTLED]
    rosters = session.scalars(
        select(Roster)
        .where(Roster.campaign_id == campaign_id, Roster.town == town)
        .order_by(Roster.village)
    ).all()
    rows: list[_Row] = [
        (town, "D-11", "发放花名册", all(r.submitted_at for r in rosters), f"{len(rosters)} 村"),
        (town, "D-13", "报盘文件与回盘", not unsettled, f"{len(batches)} 批"),
    ]
    for roster in rosters:
        rows += _village_papers(session, roster)
    return rows


def _village_papers(session: Session, roster: Roster) -> list[_Row]:
    village = roster.village
    households = session.scalar(select(func.count()).where(RosterLine.roster_id == roster.id))
    notices = session.scalars(
        select(Notice).where(Notice.campaign_id == roster.campaign_id, Notice.village == village)
    ).all()
    open_objections = session.scalar(
        select(func.count())
        .select_from(Objection)
        .join(Notice, Notice.id == Objection.notice_id)
        .where(
            Notice.village == village, Notice.campaign_id == roster.campaign_id,
            Objection.status != "resolved",
        )
    )  # fmt: skip
    published = session.get(ResultPublication, (roster.campaign_id, village))
    none = not households
    concluded = bool(notices) and all(n.status == NoticeStatus.CONCLUDED for n in notices)
    return [
        (village, "D-04", "评议会议记录", none or roster.meeting is not None, ""),
        (village, "D-05", "公示表与照片", none or concluded, f"{len(notices)} 次"),
        (village, "D-07", "异议登记与复核", not open_objections, f"未办结 {open_objections} 条"),
        (village, "D-08", "发放表", roster.submitted_at is not None, f"{households} 户"),
        (village, "D-16", "发放结果公布", none or published is not None, ""),
    ]


def explain_gap(
    context: OperationContext, campaign_id: str, unit: str, document: str, reason: str
) -> None:
    """A missing paper has its written reason."""
    if len(reason.strip()) < 4:
        raise errors.InvalidInput(None, {"reason": "请写明缺少的原因"})
    context.session.merge(
        ArchiveGap(
            campaign_id=campaign_id, unit=unit, document=document, reason=reason.strip(),
            at=context.now, actor_id=lines.actor_id(context),
        )
    )  # fmt: skip
    context.session.flush()


def close(context: OperationContext, campaign_id: str) -> dict[str, int]:
    """The campaign is archived. Raises InvalidState naming what is neither there nor explained."""
    entries = checklist(context.session, campaign_id)
    missing = [entry for entry in entries if not entry.is_settled]
    if missing:
        named = "；".join(f"{entry.unit_name}·{entry.title}" for entry in missing[:5])
        raise errors.InvalidState(f"还缺 {len(missing)} 项：{named}")
    found = campaign.get(context.session, campaign_id)
    found.status, found.archived_at = campaign.ARCHIVED, context.now
    return {"documents": len(entries)}
