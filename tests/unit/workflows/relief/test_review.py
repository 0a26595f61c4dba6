"""乡审 and 县定: every line by somebody who did not make it."""

from __future__ import annotations

import pytest

from engine import errors
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain import funds, kin, lines, notice, review, roster, roster_query
from workflows.domain.line_states import LineState
from workflows.domain.vault import DisclosureRead

TOWN = TOWNS[0]


@pytest.fixture
def submitted(desk, book, wan, apply):
    """Four lines that stood their notice, reported to the town."""
    found = [apply(size) for size in (1, 2, 3, 4)]
    for line in found:
        line.level, line.planned_fen, line.state = (
            "一般",
            20_000 + line.seq,
            LineState.VILLAGE_NOTICED.value,
        )
        desk.stand(line)
    assert review.submit_village(desk.by("head"), book, wan) == {"reported": 4}
    return found


@pytest.fixture
def town(desk):
    return desk.by("zhao", "town_clerk", TOWN)


@pytest.fixture
def county(desk):
    return desk.by("qian", "county_clerk", COUNTY)


def opinion(line, text="通过", **more):
    return {"line": line.id, "opinion": text} | more


def test_a_village_reports_only_what_stood_its_notice_with_a_complete_account(
    desk, book, wan, apply
) -> None:
    line = apply(1)
    line.state = LineState.VILLAGE_NOTICED.value

    with pytest.raises(errors.InvalidState, match="未经公示"):
        review.submit_village(desk, book, wan)
    desk.stand(line)
    line.bank = ""
    with pytest.raises(errors.InvalidState, match="账号"):
        review.submit_village(desk, book, wan)


def test_a_village_with_nobody_in_need_reports_zero(desk, book, wan) -> None:
    assert review.submit_village(desk, book, wan) == {"reported": 0}
    assert book.submitted_at == desk.now


@pytest.mark.parametrize(
    ("text", "reason", "state"),
    [
        ("退回补正", "缺评议记录", LineState.TOWN_RETURNED),
        ("不符合", "已死亡", LineState.TOWN_REJECTED),
    ],
)
def test_whatever_is_not_passed_has_a_written_reason(town, submitted, text, reason, state) -> None:
    with pytest.raises(errors.InvalidInput):
        review.review_line(town, "town", opinion(submitted[0], text), region_unit=TOWN)
    review.review_line(town, "town", opinion(submitted[0], text, reason=reason), region_unit=TOWN)

    assert submitted[0].standing is state
    assert submitted[0].opinion == reason


def test_who_entered_or_surveyed_a_line_does_not_review_it(desk, submitted) -> None:
    submitted[0].surveyors = ["sun"]

    for name in ("wang", "sun"):
        with pytest.raises(lines.SamePersonTwice):
            review.review_line(
                desk.by(name, "town_clerk", TOWN), "town", opinion(submitted[0]), region_unit=TOWN
            )


def test_kin_leave_the_line_to_another_desk(desk, town, submitted) -> None:
    member = lines.members(desk.session, submitted[1].id)[0]
    desk.session.add(
        kin.KinLink(
            participant_id="zhao", id_hash=member.id_hash, relation="父母", registered_at=desk.now
        )
    )
    desk.session.flush()

    with pytest.raises(kin.KinMayNotHandle):
        review.review_line(town, "town", opinion(submitted[1]), region_unit=TOWN)
    assert review.pass_rest(town, "town", submitted[0].campaign_id, TOWN) == 3
    with pytest.raises(review.ReviewIncomplete):
        review.finish_town(town, submitted[0].campaign_id, TOWN)
    other = desk.by("chen", "town_clerk", TOWN)
    assert review.pass_rest(other, "town", submitted[0].campaign_id, TOWN) == 1
    assert review.finish_town(other, submitted[0].campaign_id, TOWN)["returned"] == 0


def test_a_town_does_not_review_another_towns_line(desk, submitted) -> None:
    with pytest.raises(errors.NotFound):
        review.review_line(
            desk.by("li", "town_clerk", TOWNS[1]),
            "town",
            opinion(submitted[0]),
            region_unit=TOWNS[1],
        )


def test_the_sum_keeps_to_the_allotment(desk, town, submitted) -> None:
    submitted[0].planned_fen = 2_500_000
    review.pass_rest(town, "town", submitted[0].campaign_id, TOWN)

    with pytest.raises(funds.OverAllotment, match=r"超过下达额度 25000\.00"):
        review.finish_town(town, submitted[0].campaign_id, TOWN)


def test_a_returned_line_resumes_unchanged_or_is_noticed_again(
    desk, book, town, submitted, household
) -> None:
    same, changed = submitted[:2]
    for line in (same, changed):
        review.review_line(
            town, "town", opinion(line, "退回补正", reason="请核实"), region_unit=TOWN
        )
    review.pass_rest(town, "town", same.campaign_id, TOWN)
    assert review.finish_town(town, same.campaign_id, TOWN) == {
        "returned": 2,
        "returned_villages": [VILLAGES[0]],
    }

    data = household(2) | {"id_no": "", "members_n": 2, "need_n": 1}
    data["members"] = [member | {"id_no": ""} for member in data["members"]]
    roster.save_line(desk, book, data, changed.id)
    assert review.finish_correction(desk, book) == {"changed": 1}

    assert same.standing is LineState.TOWN_REVIEW
    assert changed.standing is LineState.APPRAISED
    assert not notice.has_stood(desk.session, changed, "village")


def to_county(desk, town, wan, submitted):
    campaign_id = submitted[0].campaign_id
    review.pass_rest(town, "town", campaign_id, TOWN)
    assert review.submit_town(town, campaign_id, TOWN, wan) == {"reported": 4}
    return campaign_id


def test_the_county_visits_its_share_and_every_relative(desk, town, county, wan, submitted) -> None:
    campaign_id = to_county(desk, town, wan, submitted)
    submitted[3].is_relative = True

    assert review.pass_rest(county, "county", campaign_id, TOWN) == 3
    with pytest.raises(review.ReviewIncomplete, match="没有审核意见"):
        review.finish_county(county, campaign_id, TOWN, wan)
    review.review_line(county, "county", opinion(submitted[3], spot="电话"), region_unit=TOWN)
    with pytest.raises(review.ReviewIncomplete, match="入户"):
        review.finish_county(county, campaign_id, TOWN, wan)
    review.review_line(county, "county", opinion(submitted[3], spot="入户"), region_unit=TOWN)
    with pytest.raises(review.ReviewIncomplete, match="应 2 户"):
        review.finish_county(county, campaign_id, TOWN, wan)
    review.review_line(county, "county", opinion(submitted[0], spot="电话"), region_unit=TOWN)

    assert review.finish_county(county, campaign_id, TOWN, wan) == {"returned": 0, "lines": 4}


def test_a_change_of_job_makes_nobody_his_own_checker(desk, town, wan, submitted) -> None:
    to_county(desk, town, wan, submitted)

    with pytest.raises(lines.SamePersonTwice):
        review.review_line(
            desk.by("zhao", "county_clerk", COUNTY),
            "county",
            opinion(submitted[0]),
            region_unit=TOWN,
        )


def test_approval_counts_at_every_node_and_needs_another_person(
    desk, town, county, wan, submitted
) -> None:
    campaign_id = to_county(desk, town, wan, submitted)
    review.pass_rest(county, "county", campaign_id, TOWN)

    with pytest.raises(lines.SamePersonTwice):
        review.approve_town(county, campaign_id, TOWN, wan)
    done = review.approve_town(desk.by("li", "county_approver", COUNTY), campaign_id, TOWN, wan)

    assert done == {"approved": 4, "approved_fen": 80_010}
    assert all(
        line.standing is LineState.APPROVED and line.approved_fen == line.planned_fen
        for line in submitted
    )
    for unit in (TOWN, COUNTY):
        assert funds.view(desk.session, campaign_id, unit).approved_fen == 80_010


def test_nothing_is_approved_without_its_notice_or_its_stamp(
    desk, town, county, wan, submitted
) -> None:
    campaign_id = to_county(desk, town, wan, submitted)
    review.pass_rest(county, "county", campaign_id, TOWN)
    approver = desk.by("li", "county_approver", COUNTY)
    submitted[0].exception = "stated"

    with pytest.raises(errors.InvalidState, match="盖章"):
        review.approve_town(approver, campaign_id, TOWN, wan)


def test_the_county_sends_a_list_back_to_be_reviewed_again(
    desk, town, county, wan, submitted
) -> None:
    campaign_id = to_county(desk, town, wan, submitted)

    assert review.back_to_town(county, campaign_id, TOWN, "抽查不实") == 4

    assert {line.standing for line in submitted} == {LineState.TOWN_REVIEW}
    with pytest.raises(review.ReviewIncomplete):
        review.finish_town(town, campaign_id, TOWN)


def test_pages_of_lines_are_masked_bounded_and_continue(desk, submitted, apply) -> None:
    actor = desk.by("zhao", "town_clerk", TOWN).actor
    selection = roster_query.LineSelection(unit=TOWN)
    first = roster_query.page(desk.session, actor, selection, limit=3)
    rest = roster_query.page(desk.session, actor, selection, cursor=first.next_cursor, limit=3)

    assert [row.seq for row in (*first.rows, *rest.rows)] == [1, 2, 3, 4]
    assert rest.next_cursor is None
    assert first.counts == {"town_review": 4}
    assert all("****" in row.id_masked for row in first.rows)
    stranger = desk.by("sun", "town_clerk", TOWNS[1]).actor
    assert roster_query.page(desk.session, stranger, selection).rows == ()
    with pytest.raises(errors.NotFound):
        roster_query.detail(desk.session, stranger, submitted[0].id)
    assert roster_query.detail(desk.session, actor, submitted[0].id).events[-1]["after"] == "乡审中"
    assert [view.households for view in roster_query.rosters(desk.session, actor)] == [4]


def test_a_full_number_is_read_on_record_and_with_a_purpose(desk, submitted) -> None:
    clerk = desk.by("zhao", "town_clerk", TOWN)
    with pytest.raises(errors.InvalidInput):
        roster_query.reveal(clerk, submitted[0].id, "")
    shown = roster_query.reveal(clerk, submitted[0].id, "电话核实开户行")
    with pytest.raises(errors.NotFound):
        roster_query.reveal(desk.by("sun", "town_clerk", TOWNS[1]), submitted[0].id, "想看一看")
    desk.session.flush()

    assert len(shown["id_no"]) == 18
    read = desk.session.query(DisclosureRead).one()
    assert (read.actor_id, read.subject) == ("zhao", f"line:{submitted[0].id}")
