"""Campaigns, profiles and the dates that contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources

import pytest

from engine import WorkingCalendar, errors
from workflows.demo.relief_people import COUNTY, TOWNS
from workflows.domain import archive, campaign, profile
from workflows.domain.profile import NoticeMode, Profile, by_key

CALENDAR = WorkingCalendar.default()


def test_the_shipped_profiles_are_those_of_the_sources() -> None:
    wan, qian = by_key("wan_zhonggang"), by_key("qian_shangzhai")

    assert (wan.notice_mode, wan.village_days, wan.notice_tiers) == (
        NoticeMode.PARALLEL,
        "10d",
        ("both",),
    )
    assert (qian.village_days, qian.town_days, qian.notice_tiers) == (
        "7d",
        "3d",
        ("village", "town"),
    )
    assert qian.rural_only
    assert Profile.from_data(wan.as_data()) == wan


def test_january_17_and_five_working_days_cannot_meet_january_20() -> None:
    found = campaign.feasibility(
        by_key("wan_zhonggang"), "柳河镇", 2025, date(2026, 1, 4), CALENDAR
    )

    assert [(one.earliest, one.latest) for one in found] == [(date(2026, 1, 23), date(2026, 1, 20))]
    assert "不能同时满足" in found[0].sentence


def test_seven_days_of_notice_from_the_fourth_cannot_meet_the_eighth() -> None:
    found = campaign.feasibility(
        by_key("qian_shangzhai"), "青崖乡", 2025, date(2026, 1, 4), CALENDAR
    )

    assert [one.until for one in found] == ["村报乡镇截止", "乡镇报县截止"]
    assert (
        campaign.feasibility(by_key("qian_shangzhai"), "青崖乡", 2025, date(2025, 12, 20), CALENDAR)
        == ()
    )


@pytest.mark.parametrize(
    ("key", "day"), [("wan_zhonggang", date(2026, 1, 27)), ("qian_shangzhai", date(2026, 2, 6))]
)
def test_five_days_run_from_approval_and_fifteen_from_receipt(key, day) -> None:
    reported, approved = (datetime(2026, 1, d, 2, tzinfo=UTC) for d in (17, 20))

    assert campaign.pay_due(by_key(key), reported, approved, CALENDAR) == day


def test_conflicts_ask_for_a_choice(desk, winter) -> None:
    assert winter.conflicts
    with pytest.raises(errors.InvalidInput):
        campaign.choose_schedule(desk.session, winter.id, " ")

    campaign.choose_schedule(desk.session, winter.id, "公示期优先")

    assert winter.schedule_choice == "公示期优先"


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"total_fen": 0}, {"hotline": ""}, {"document_no": " "}]
)
def test_a_campaign_has_name_money_hotline_and_document(desk, wrong) -> None:
    draft = campaign.Draft(
        name="冬春救助", county=COUNTY, winter=2025, total_fen=1, document_no="1号", hotline="1"
    )

    with pytest.raises(errors.InvalidInput):
        campaign.open_campaign(desk, replace(draft, **wrong))


def test_a_running_campaign_keeps_its_profile(desk, winter, monkeypatch) -> None:
    before = campaign.profile_of(desk.session, winter.id, TOWNS[0])
    monkeypatch.setattr(profile, "shipped", dict)

    assert campaign.profile_of(desk.session, winter.id, TOWNS[0]) == before == by_key_before(before)


def by_key_before(found: Profile) -> Profile:
    return Profile.from_data(found.as_data())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('remark = "救灾资金"', 'remark = "慰问金"'), "救灾"),
        (('village = "10d"', 'village = "十天"'), "时长"),
        (('quorum = "2/3"', 'quorum = "3/2"'), "到会比例"),
        (('decision = "amount_wan_zhonggang"', ""), "decision"),
    ],
)
def test_a_profile_with_a_mistake_is_refused(change, said) -> None:
    text = resources.files("workflows.domain").joinpath("profiles/wan_zhonggang.toml").read_text()
    assert change[0] in text

    with pytest.raises(errors.Rejected, match=said):
        profile.read(text.replace(*change))


@pytest.mark.parametrize(
    ("text", "day"), [("01-04", date(2026, 1, 4)), ("10-31", date(2025, 10, 31)), (None, None)]
)
def test_days_belong_to_the_winter(text, day) -> None:
    assert profile.due_on(text, 2025) == day


def test_nothing_is_archived_that_is_missing_and_unexplained(desk, winter, book, apply) -> None:
    apply(1)
    missing = [
        entry for entry in archive.checklist(desk.session, winter.id) if not entry.is_settled
    ]
    assert {"D-04", "D-05", "D-08", "D-12", "D-15", "D-16"} <= {entry.document for entry in missing}
    with pytest.raises(errors.InvalidState, match=f"还缺 {len(missing)} 项"):
        archive.close(desk, winter.id)

    for entry in missing:
        archive.explain_gap(desk, winter.id, entry.unit, entry.document, "本次演练未产生")

    assert archive.close(desk, winter.id)["documents"] > len(missing)
    assert winter.status == campaign.ARCHIVED
