"""Region profile: notice days, due dates, standard and quorum as data (domain §8.7).

Profiles are read from `profiles/*.toml`; a campaign keeps a copy of the one each town goes by,
so that an edited profile never changes a running campaign.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

from engine import duration, errors


class NoticeMode(enum.StrEnum):
    """The shape of the public notice."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    VILLAGE_ONLY = "village_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one region goes about relief. Durations are texts, dates are `MM-DD` of the winter."""

    key: str
    title: str
    source: str
    notice_mode: NoticeMode
    village_days: str
    town_days: str
    notice_start: str | None
    take_down_days: int
    village_due: str | None
    town_due: str | None
    all_paid: str | None
    pay_within: str
    pay_counted_from: str
    pay_remark: str
    subsidy_code: str
    decision: str
    #: the process package whose DMN holds the decision
    decision_process: str
    rural_only: bool
    quorum: str
    visit_required: bool
    town_spot_pct: int
    county_spot_pct: int

    @property
    def quorum_share(self) -> Fraction:
        """The share of members that must be present."""
        return Fraction(self.quorum)

    @property
    def notice_tiers(self) -> tuple[str, ...]:
        """The notices every line must have stood in, in their order."""
        return {
            NoticeMode.SEQUENTIAL: ("village", "town"),
            NoticeMode.PARALLEL: ("both",),
            NoticeMode.VILLAGE_ONLY: ("village",),
        }[self.notice_mode]

    def days_of(self, tier: str) -> str:
        """How long a notice of this tier stands; the longer of the two where both are posted."""
        if tier == "village":
            return self.village_days
        if tier == "town":
            return self.town_days
        return max(self.village_days, self.town_days, key=_length)

    def as_data(self) -> dict[str, Any]:
        """Plain values to keep with a campaign."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Profile:
        """The profile that was kept."""
        return cls(**{**data, "notice_mode": NoticeMode(data["notice_mode"])})


def _length(text: str) -> int:
    length = duration.parse_duration(text)
    days = getattr(length, "days", 0)
    return int(days)


def due_on(month_day: str | None, winter: int) -> date | None:
    """The day `MM-DD` means in the winter that begins in the autumn of this year."""
    if month_day is None:
        return None
    month, day = (int(part) for part in month_day.split("-"))
    return date(winter if month >= 9 else winter + 1, month, day)


def read(text: str) -> Profile:
    """A profile from TOML. Raises InvalidInput that names the missing or wrong key."""
    data = tomllib.loads(text)
    try:
        notice, due, pay = data["notice"], data.get("due", {}), data["pay"]
        found = Profile(
            key=data["key"],
            title=data["title"],
            source=data.get("source", ""),
            notice_mode=NoticeMode(notice["mode"]),
            village_days=notice.get("village", "7d"),
            town_days=notice.get("town", "7d"),
            notice_start=notice.get("start"),
            take_down_days=int(notice.get("take_down_days", 30)),
            village_due=due.get("village_to_town"),
            town_due=due.get("town_to_county"),
            all_paid=due.get("all_paid"),
            pay_within=pay["within"],
            pay_counted_from=pay.get("counted_from", "approval"),
            pay_remark=pay["remark"],
            subsidy_code=pay.get("subsidy_code", ""),
            decision=data["standard"]["decision"],
            decision_process=data["standard"]["process"],
            rural_only=bool(data["standard"].get("rural_only", False)),
            quorum=data.get("appraisal", {}).get("quorum", "2/3"),
            visit_required=bool(data.get("review", {}).get("visit_required", True)),
            town_spot_pct=int(data.get("review", {}).get("town_spot_pct", 0)),
            county_spot_pct=int(data.get("review", {}).get("county_spot_pct", 30)),
        )
    except KeyError as missing:
        raise errors.InvalidInput(f"地区口径缺少“{missing.args[0]}”") from missing
    _check(found)
    return found


def _check(found: Profile) -> None:
    for text in (found.village_days, found.town_days, found.pay_within):
        duration.parse_duration(text)
    # 004:L41: the transfer must carry words that say it is disaster relief.
    if "救灾" not in found.pay_remark:
        raise errors.InvalidInput("打卡摘要必须含“救灾”字样", {"pay.remark": "必须含“救灾”"})
    if not 0 < found.quorum_share <= 1:
        raise errors.InvalidInput("到会比例应大于 0 且不超过 1", {"appraisal.quorum": "如 2/3"})


@cache
def shipped() -> Mapping[str, Profile]:
    """The profiles that come with the product, by key."""
    folder = resources.files("workflows.domain").joinpath("profiles")
    found = [
        read(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return {one.key: one for one in sorted(found, key=lambda one: one.key)}


def by_key(key: str) -> Profile:
    """A shipped profile. Raises NotFound."""
    try:
        return shipped()[key]
    except KeyError:
        raise errors.NotFound(f"没有名为“{key}”的地区口径") from None
