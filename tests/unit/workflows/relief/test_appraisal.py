"""村评: quorum, kin, amounts, exceptions."""

from __future__ import annotations

import pytest

from engine import errors
from workflows.demo.relief_people import TOWNS, VILLAGES
from workflows.domain import appraisal, kin, lines, roster, standard
from workflows.domain.line_states import LineState
from workflows.domain.profile import by_key

MEETING = {
    "held_on": "2026-01-04", "place": "村委会", "host": "李主任", "due_n": 9, "present_n": 6,
    "attendees": ["li", "zhao"],
}  # fmt: skip


@pytest.fixture
def meeting(desk, book, wan):
    appraisal.set_meeting(desk, book, wan, MEETING)
    return book


def vote(line, **changes):
    return {
        "line": line.id, "agree": 6, "against": 0, "abstain": 0, "level": "一般",
        "main_type": "作物",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("due_n", "present_n", "holds"),
    [(9, 6, True), (9, 5, False), (10, 7, True), (10, 6, False), (3, 2, True)],
)
def test_it_needs_two_thirds_of_the_members(desk, book, wan, due_n, present_n, holds) -> None:
    data = MEETING | {"due_n": due_n, "present_n": present_n}

    if holds:
        appraisal.set_meeting(desk, book, wan, data)
        assert book.meeting["present_n"] == present_n
    else:
        with pytest.raises(appraisal.NoQuorum):
            appraisal.set_meeting(desk, book, wan, data)


@pytest.mark.parametrize(
    "wrong", [{"held_on": "2026-01-05"}, {"place": ""}, {"present_n": "x"}, {"present_n": 12}]
)
def test_it_refuses_a_meeting_that_cannot_be(desk, book, wan, wrong) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        appraisal.set_meeting(desk, book, wan, MEETING | wrong)

    assert set(refused.value.fields) == set(wrong)


def test_no_vote_without_a_meeting(desk, book, wan, apply) -> None:
    with pytest.raises(errors.InvalidState):
        appraisal.record_vote(desk, book, wan, vote(apply(1)))


@pytest.mark.parametrize(
    ("agree", "against", "abstain", "state"),
    [
        (6, 0, 0, LineState.APPRAISED),
        (4, 2, 0, LineState.APPRAISED),
        (3, 3, 0, LineState.NOT_APPRAISED),
        (3, 0, 3, LineState.NOT_APPRAISED),
        (0, 6, 0, LineState.NOT_APPRAISED),
    ],
)
def test_more_than_half_must_agree(
    desk, meeting, wan, apply, agree, against, abstain, state
) -> None:
    line = apply(2)

    appraisal.record_vote(
        desk,
        meeting,
        wan,
        vote(line, agree=agree, against=against, abstain=abstain, reason="收入高于标准"),
    )

    assert line.standing is state
    assert line.planned_fen == (200_00 if state is LineState.APPRAISED else 0)


def test_votes_add_up_to_those_present(desk, meeting, wan, apply) -> None:
    with pytest.raises(errors.InvalidInput, match="有误") as refused:
        appraisal.record_vote(desk, meeting, wan, vote(apply(1), agree=5))

    assert "应为 6" in refused.value.fields["agree"]


def test_who_is_turned_down_gets_the_reason_in_writing(desk, meeting, wan, apply) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        appraisal.record_vote(desk, meeting, wan, vote(apply(1), agree=0, against=6))

    assert "reason" in refused.value.fields


def test_kin_leave_the_vote_and_the_record(desk, meeting, wan, household) -> None:
    data = household(2)
    line = roster.save_line(desk, meeting, data)
    kin.register(desk, "zhao", data["id_no"], "兄弟姐妹")

    with pytest.raises(errors.InvalidInput) as refused:
        appraisal.record_vote(desk, meeting, wan, vote(line))
    with pytest.raises(kin.KinMayNotHandle):
        appraisal.record_vote(desk.by("zhao"), meeting, wan, vote(line, agree=5, recused=["zhao"]))
    appraisal.record_vote(desk.by("li"), meeting, wan, vote(line, agree=5, recused=["zhao"]))

    assert "recused" in refused.value.fields
    assert line.standing is LineState.APPRAISED


@pytest.mark.parametrize("amount", ["199.99", "500.01", "0", "1000"])
def test_an_amount_keeps_to_the_standard(desk, meeting, wan, apply, amount) -> None:
    with pytest.raises(standard.AmountOutOfRange) as refused:
        appraisal.record_vote(desk, meeting, wan, vote(apply(2), amount=amount))

    assert "200.00 至 500.00" in refused.value.fields["amount"]


def test_two_disasters_are_not_added_up(desk, meeting, wan, apply) -> None:
    line = apply(2, dis_types=["作物", "房屋"])

    with pytest.raises(errors.InvalidInput) as refused:
        appraisal.record_vote(desk, meeting, wan, vote(line, main_type=""))
    appraisal.record_vote(desk, meeting, wan, vote(line, main_type="房屋"))

    assert "不能叠加" in refused.value.fields["main_type"]
    assert (line.main_type, line.planned_fen) == ("房屋", 200_00)


def test_townspeople_are_not_eligible_where_the_profile_says_rural_only(
    desk, winter, household
) -> None:
    book, profile = roster.open_roster(desk, winter.id, VILLAGES[8]), by_key("qian_shangzhai")
    appraisal.set_meeting(desk, book, profile, MEETING)
    line = roster.save_line(desk, book, household(2, hukou="城镇"))

    with pytest.raises(standard.NotEligible, match="不含城镇居民"):
        appraisal.record_vote(desk, book, profile, vote(line))


def test_a_contradiction_goes_to_people_and_is_never_clamped(desk, meeting, wan, apply) -> None:
    line = apply(6)
    appraisal.record_vote(desk, meeting, wan, vote(line))
    assert (line.exception, line.planned_fen) == ("open", 540_00)
    assert appraisal.finish(desk, meeting)["exceptions"] == 1

    with pytest.raises(errors.InvalidState):
        appraisal.finish_statement(desk, meeting)
    with pytest.raises(errors.InvalidState):
        appraisal.stamp_exceptions(desk, meeting)
    with pytest.raises(standard.AmountOutOfRange):
        appraisal.state_exception(desk, line, "人均与户均矛盾", "541")
    appraisal.state_exception(desk, line, "人均与户均矛盾", "520")
    appraisal.finish_statement(desk, meeting)
    leader = desk.by("chen", "town_leader", TOWNS[0])
    assert appraisal.stamp_exceptions(leader, meeting) == 1

    assert (line.exception, line.planned_fen, line.exception_by) == ("stamped", 520_00, "chen")
    assert appraisal.finish(desk, meeting)["exceptions"] == 0


def test_a_refused_exception_is_voted_on_again(desk, meeting, wan, apply) -> None:
    line = apply(6)
    appraisal.record_vote(desk, meeting, wan, vote(line))
    appraisal.state_exception(desk, line, "人均与户均矛盾", "")

    assert appraisal.refuse_exceptions(desk, meeting, "请核减人口") == 1

    assert line.standing is LineState.APPLIED
    with pytest.raises(errors.InvalidState, match="没有评议"):
        appraisal.finish(desk, meeting)


def test_a_second_vote_keeps_the_first_on_record(desk, meeting, wan, apply) -> None:
    line = apply(2)
    appraisal.record_vote(desk, meeting, wan, vote(line))
    appraisal.record_vote(desk, meeting, wan, vote(line, level="重点", amount="700"))

    rounds = [
        (row.round, row.planned_fen)
        for row in desk.session.query(appraisal.Appraisal).order_by(appraisal.Appraisal.round)
    ]

    assert rounds == [(1, 200_00), (2, 700_00)]
    assert line.planned_fen == 700_00
    assert lines.published(line)["level"] == "重点"
