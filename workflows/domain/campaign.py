"""One winter's action (冬春救助行动): its county, its towns with their profiles, its dates.

`feasibility` walks the critical path over the working calendar and names the two rules that
contradict each other (domain finding 3: 004:L41 against 004:L27) before anybody starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import Base, JsonText, OperationContext, UtcDateTime, clock, duration, errors
from workflows.domain import division
from workflows.domain.profile import NoticeMode, Profile, by_key, due_on

OPEN, ARCHIVED = "open", "archived"


class Campaign(Base):
    """One relief action of one county; `profiles` keeps each town's rules as they were."""

    __tablename__ = "relief_campaign"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    county: Mapped[str] = mapped_column(String(32), index=True)
    #: the year in whose autumn the winter begins
    winter: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(10), default=OPEN)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    document_no: Mapped[str] = mapped_column(String(60), default="")
    #: the document by which the county passes the money on to its towns
    plan_document_no: Mapped[str] = mapped_column(String(60), default="")
    hotline: Mapped[str] = mapped_column(String(40), default="")
    profiles: Mapped[Any] = mapped_column(JsonText)
    conflicts: Mapped[Any] = mapped_column(JsonText, default=list)
    schedule_choice: Mapped[str] = mapped_column(String(200), default="")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two rules that cannot both be kept: the one that needs time and the one that ends it."""

    town: str
    needs: str
    until: str
    earliest: date
    latest: date

    @property
    def sentence(self) -> str:
        """What the county is told."""
        return (
            f"{self.town}：{self.needs}，最早 {self.earliest:%Y-%m-%d} 完成；"
            f"而{self.until}是 {self.latest:%Y-%m-%d}，两条规定不能同时满足，请选择"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a county enters to begin."""

    name: str
    county: str
    winter: int
    total_fen: int
    document_no: str
    hotline: str


def get(session: Session, campaign_id: str) -> Campaign:
    """One campaign. Raises NotFound."""
    found = session.get(Campaign, campaign_id)
    if found is None:
        raise errors.NotFound("没有找到这次救助行动")
    return found


def profile_of(session: Session, campaign_id: str, town: str) -> Profile:
    """The rules this town goes by in this campaign. Raises NotFound."""
    data: Mapping[str, Any] = get(session, campaign_id).profiles
    if town not in data:
        raise errors.NotFound("该乡镇不在本次行动范围内")
    return Profile.from_data(data[town])


def open_campaign(context: OperationContext, draft: Draft) -> Campaign:
    """The campaign is on record with a copy of every town's profile and its date conflicts.

    Raises InvalidInput when money or hotline is missing, or a town has no profile.
    """
    _check(draft)
    session: Session = context.session
    towns = division.children(session, draft.county)
    if not towns:
        raise errors.InvalidInput("本县尚未登记乡镇", {"county": "请先在区划中登记乡镇"})
    bare = [town.name for town in towns if town.profile_key is None]
    if bare:
        raise errors.InvalidInput(f"以下乡镇尚未选定救助口径：{'、'.join(bare)}")
    profiles = {town.code: by_key(town.profile_key or "") for town in towns}
    start = clock.local_date(context.now)
    conflicts = [
        conflict
        for town in towns
        for conflict in feasibility(
            profiles[town.code], town.name, draft.winter, start, context.calendar
        )
    ]
    made = Campaign(
        id=context.new_id(),
        name=draft.name,
        county=draft.county,
        winter=draft.winter,
        total_fen=draft.total_fen,
        document_no=draft.document_no,
        hotline=draft.hotline,
        profiles={code: profile.as_data() for code, profile in profiles.items()},
        conflicts=[conflict.sentence for conflict in conflicts],
        opened_at=context.now,
    )
    session.add(made)
    session.flush()
    return made


def _check(draft: Draft) -> None:
    wrong: dict[str, str] = {}
    if not draft.name.strip():
        wrong["name"] = "请填写行动名称"
    if draft.total_fen <= 0:
        wrong["total"] = "资金总额应大于 0"
    if not draft.hotline.strip():
        wrong["hotline"] = "公示必须载明受理电话"
    if not draft.document_no.strip():
        wrong["document_no"] = "每笔资金都要有文号"
    if wrong:
        raise errors.InvalidInput(None, wrong)


def _after(calendar: Any, day: date, length: str) -> date:
    """The last day of a period of this length that begins on this day."""
    noon = datetime.combine(day, time(12), clock.LOCAL_ZONE)
    ends = calendar.end_of_period(noon, duration.parse_duration(length))
    # `at` is the first instant that is too late: midnight after the last day.
    return clock.local_date(ends.at - timedelta(microseconds=1))


def feasibility(
    profile: Profile, town: str, winter: int, start: date, calendar: Any
) -> tuple[Conflict, ...]:
    """Every pair of rules of this profile that cannot both be kept from this day on."""
    found: list[Conflict] = []

    def must(needs: str, earliest: date, until: str, latest: date | None) -> None:
        if latest is not None and earliest > latest:
            found.append(
                Conflict(town=town, needs=needs, until=until, earliest=earliest, latest=latest)
            )

    tier = "both" if profile.notice_mode is NoticeMode.PARALLEL else "village"
    posted = max(start, due_on(profile.notice_start, winter) or start)
    noticed = _after(calendar, posted, profile.days_of(tier))
    village_due = due_on(profile.village_due, winter)
    must(
        f"{posted:%m-%d} 张贴、公示 {_words(profile.days_of(tier))}",
        noticed,
        "村报乡镇截止",
        village_due,
    )
    town_due = due_on(profile.town_due, winter)
    if profile.notice_mode is NoticeMode.SEQUENTIAL:
        reviewed = max(noticed, village_due or noticed)
        noticed = _after(calendar, reviewed, profile.town_days)
        must(f"村报后乡镇再公示 {_words(profile.town_days)}", noticed, "乡镇报县截止", town_due)
    reported = max(noticed, town_due or noticed)
    paid = _after(calendar, reported, profile.pay_within)
    must(
        f"{reported:%m-%d} 报县后 {_words(profile.pay_within)}内打卡（用满期限）",
        paid,
        "全部发放到户截止",
        due_on(profile.all_paid, winter),
    )
    return tuple(found)


def _words(length: str) -> str:
    """5wd → 5 个工作日."""
    return length.replace("wd", " 个工作日").replace("d", " 天")


def pay_due(profile: Profile, reported_at: datetime, approved_at: datetime, calendar: Any) -> date:
    """The last day for the money to be on the accounts (004:L41).

    The source leaves open whether the days run from the town's report or from the county's
    approval: the profile says so (`counted_from`).
    """
    start = reported_at if profile.pay_counted_from == "receipt" else approved_at
    return _after(calendar, clock.local_date(start), profile.pay_within)


def choose_schedule(session: Session, campaign_id: str, choice: str) -> None:
    """The county's answer to the conflicts is on record. Raises InvalidInput when it is missing."""
    found = get(session, campaign_id)
    if found.conflicts and not choice.strip():
        raise errors.InvalidInput(
            "本次行动的时限互相矛盾，请写明以哪一条为准", {"schedule_choice": "请写明取舍"}
        )
    found.schedule_choice = choice.strip()


def number_plan(session: Session, campaign_id: str, document_no: str) -> None:
    """The allotment's document number is on record. Raises InvalidInput: no money without one."""
    if not document_no.strip():
        raise errors.InvalidInput(None, {"document_no": "每笔资金都要有文号"})
    get(session, campaign_id).plan_document_no = document_no.strip()[:60]


def of_county(session: Session, county: str) -> list[Campaign]:
    """Campaigns of a county, newest first."""
    return list(
        session.scalars(
            select(Campaign).where(Campaign.county == county).order_by(Campaign.id.desc())
        )
    )
