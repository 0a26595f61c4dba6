"""公示 and 异议: Inv-1, Inv-2, Inv-8."""

from __future__ import annotations

import dataclasses
import re
from datetime import date, timedelta

import pytest

from engine import AttachmentRef, clock, errors
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain import appraisal, lines, notice, notice_query, objection, roster
from workflows.domain.line_states import LineState
from workflows.domain.masking import Audience
from workflows.domain.notice_tables import NoticeStatus

PLACES = {"places": ["村务公开栏"]}


@pytest.fixture
def noticed(desk, winter, book, wan, apply):
    """Three appraised lines and their notice, prepared."""
    found = [apply(size) for size in (1, 2, 3)]
    appraisal.set_meeting(
        desk,
        book,
        wan,
        {"held_on": "2026-01-04", "place": "村委会", "host": "李主任", "due_n": 3, "present_n": 3},
    )
    for line in found:
        appraisal.record_vote(
            desk,
            book,
            wan,
            {"line": line.id, "agree": 3, "against": 0, "abstain": 0, "level": "一般"},
        )
    made, posted = notice.prepare(desk, winter.id, "village", book.village, wan)
    assert posted == 3
    return made, found


def hang(desk, made, profile):
    notice.post(desk, made, "village", PLACES | {"photos": [desk.photo()]}, profile)


def take_in(desk, made):
    late = desk.later(days=11)
    notice.close(late, made, "village", {"photos": [late.photo()]})
    return late, notice.conclude(late, made)


def test_ten_days_from_the_fourth_end_with_the_fourteenth(desk, noticed, wan) -> None:
    made, found = noticed

    hang(desk, made, wan)

    assert clock.to_local(made.ends_at).isoformat() == "2026-01-15T00:00:00+08:00"
    assert {line.standing for line in found} == {LineState.VILLAGE_NOTICE}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"places": []}, "places"),
        ({"places": ["电线杆"]}, "places"),
        (PLACES | {"photos": []}, "photos"),
    ],
)
def test_it_hangs_nothing_without_place_and_photo(desk, noticed, wan, data, field) -> None:
    made, _ = noticed

    with pytest.raises(errors.InvalidInput) as refused:
        notice.post(desk, made, "village", data, wan)

    assert field in refused.value.fields
    assert made.status == NoticeStatus.PREPARED


def test_a_photo_of_another_day_is_no_evidence(desk, noticed, wan) -> None:
    made, _ = noticed
    old = AttachmentRef(
        id="old",
        name="旧照片.jpg",
        media_type="image/jpeg",
        size=1,
        sha256="0",
        taken_at=desk.now - timedelta(days=2),
    )
    desk.files["old"] = (old, b"")

    with pytest.raises(notice.PhotoMissing) as refused:
        notice.post(desk, made, "village", PLACES | {"photos": ["old"]}, wan)

    assert "不是今天拍摄" in refused.value.fields["photos"]


@pytest.mark.parametrize("days", [0, 1, 9, 10])
def test_it_does_not_end_before_its_last_midnight(desk, noticed, wan, days) -> None:
    made, _ = noticed
    hang(desk, made, wan)
    early = desk.later(days=days)

    with pytest.raises(notice.NoticeStillRunning):
        notice.close(early, made, "village", {"photos": [early.photo()]})
    with pytest.raises(errors.InvalidState):
        notice.conclude(early, made)


def test_it_is_not_concluded_without_the_closing_photo(desk, noticed, wan) -> None:
    made, _ = noticed
    hang(desk, made, wan)

    with pytest.raises(errors.InvalidState, match="取证"):
        notice.conclude(desk.later(days=11), made)


def test_unchanged_lines_are_cleared(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)

    _, counts = take_in(desk, made)

    assert counts == {"cleared": 3, "changed": 0, "struck": 0}
    assert all(notice.has_stood(desk.session, line, "village") for line in found)
    assert notice.first_missing(desk.session, found, wan.notice_tiers) == (found[0], "镇村同时公示")


def test_a_changed_line_has_not_stood_and_alone_is_posted_again(
    desk, winter, book, noticed, wan
) -> None:
    made, found = noticed
    hang(desk, made, wan)
    lines.change(desk, found[1], lambda line: setattr(line, "need_n", 1))

    late, counts = take_in(desk, made)
    again, posted = notice.prepare(late, winter.id, "village", book.village, wan)

    assert counts == {"cleared": 2, "changed": 1, "struck": 0}
    assert posted == 1
    assert [line.id for line in notice.posted_lines(desk.session, again.id)] == [found[1].id]
    assert not notice.has_stood(desk.session, found[1], "village")


def test_a_change_after_the_notice_voids_it_without_anybody_doing_anything(
    desk, noticed, wan
) -> None:
    made, found = noticed
    hang(desk, made, wan)
    take_in(desk, made)

    changed = lines.change(desk, found[0], lambda line: setattr(line, "planned_fen", 30_000))

    assert changed
    assert not notice.has_stood(desk.session, found[0], "village")
    assert notice.has_stood(desk.session, found[2], "village")


def test_an_account_may_change_without_a_new_notice(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    take_in(desk, made)

    changed = lines.change(desk, found[0], lambda line: roster.set_account(line, "62980000009999"))

    assert not changed
    assert notice.has_stood(desk.session, found[0], "village")


def objection_to(desk, made, target, **changes):
    data = {"notice": made.id, "line": target.id, "kind": "金额", "text": "金额高于邻居"}
    return objection.file(desk, data | changes)


TOWN = ("town_clerk", TOWNS[0])


def test_a_dismissed_objection_leaves_the_line_standing(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    filed = objection_to(desk, made, found[0], objector="孙某 13900000000")
    assert found[0].standing is LineState.VILLAGE_OBJECTION
    late = desk.later(days=11)
    notice.close(late, made, "village", {"photos": [late.photo()]})
    with pytest.raises(errors.InvalidState, match="异议"):
        notice.conclude(late, made)

    data = {"verdict": "不成立", "reply": "金额按标准核定，符合规定"}
    objection.record_check(desk.by("zhao", *TOWN), wan, filed, data)
    objection.confirm(desk.by("sun", *TOWN), wan, filed)

    assert found[0].standing is LineState.VILLAGE_NOTICE
    assert b"13900000000" not in filed.objector_sealed
    assert objection.status_of(desk.session, filed.id)["reply"] == data["reply"]
    assert take_in(desk, made)[1]["cleared"] == 3


def test_an_upheld_objection_strikes_or_adjusts(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    strike, adjust = objection_to(desk, made, found[0]), objection_to(desk, made, found[2])

    for filed, data in (
        (strike, {"verdict": "成立剔除", "reply": "经核实有商铺出租"}),
        (adjust, {"verdict": "成立调整", "reply": "核减外出一人，金额调整", "needy": "2"}),
    ):
        objection.record_check(desk.by("zhao", *TOWN), wan, filed, data)
        objection.confirm(desk.by("sun", *TOWN), wan, filed)

    assert found[0].standing is LineState.STRUCK
    assert (found[2].need_n, found[2].planned_fen) == (2, 200_00)
    assert take_in(desk, made)[1] == {"cleared": 1, "changed": 1, "struck": 1}


def test_two_different_people_check_who_are_no_kin_and_did_not_survey(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    filed = objection_to(desk, made, found[0])
    data = {"verdict": "不成立", "reply": "金额按标准核定"}

    with pytest.raises(errors.SeparationOfDuties):
        objection.record_check(desk.by("wang", *TOWN), wan, filed, data)
    objection.record_check(desk.by("zhao", *TOWN), wan, filed, data)
    with pytest.raises(lines.SamePersonTwice):
        objection.confirm(desk.by("zhao", *TOWN), wan, filed)


@pytest.mark.parametrize("changes", [{"kind": "无"}, {"text": "短"}, {"line": "no-such-line"}])
def test_it_refuses_an_objection_to_nothing(desk, noticed, wan, changes) -> None:
    made, found = noticed
    hang(desk, made, wan)

    with pytest.raises(errors.InvalidInput) as refused:
        objection_to(desk, made, found[0], **changes)

    assert set(refused.value.fields) == set(changes)


def test_after_the_end_it_takes_no_objection(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    late, _ = take_in(desk, made)

    with pytest.raises(errors.InvalidState, match="公示期内"):
        objection_to(late, made, found[0])


def test_between_the_end_and_its_photo_it_takes_no_objection(desk, noticed, wan) -> None:
    made, found = noticed
    hang(desk, made, wan)
    days = (made.ends_at - desk.now).days + 1

    with pytest.raises(errors.InvalidState, match="公示期内"):
        objection_to(desk.later(days=days), made, found[0])


def test_both_tiers_count_from_the_later_posting(desk, winter, book, noticed, wan) -> None:
    made, posted = notice.prepare(desk, winter.id, "both", book.village, wan)
    assert posted == 3
    first = notice.post(desk, made, "village", PLACES | {"photos": [desk.photo()]}, wan)
    later = desk.later(days=2)
    ends = notice.post(
        later, made, "town", {"places": ["政务公开栏"], "photos": [later.photo()]}, wan
    )

    assert first is None
    assert clock.local_date(ends) == date(2026, 1, 17)


@pytest.mark.parametrize("audience", [one for one in Audience if one.is_public])
def test_a_public_notice_says_no_number_of_a_person(desk, noticed, wan, audience) -> None:
    made, found = noticed
    hang(desk, made, wan)
    found[0].family_type = "精神残疾人家庭"

    shown = notice_query.public_notice(desk.session, made.id, desk.now, audience)
    text = repr(dataclasses.asdict(dataclasses.replace(shown, lines=())))
    text += repr([dataclasses.replace(line, ref="") for line in shown.lines])

    assert len(shown.lines) == 3
    assert not re.search(r"\d{15,}|199\d{8}|6298\d+|精神|重病|残疾", text)
    assert ("王建国" in text) is (audience is not Audience.WEBSITE)
    assert shown.hotline in text


def test_a_notice_is_taken_down_from_the_web(desk, noticed, wan) -> None:
    made, _ = noticed
    with pytest.raises(errors.NotFound):
        notice_query.public_notice(desk.session, made.id, desk.now)
    hang(desk, made, wan)
    assert [one.id for one in notice_query.public_list(desk.session, desk.now)] == [made.id]

    after = desk.now + timedelta(days=42)

    assert notice_query.public_list(desk.session, after) == []
    with pytest.raises(errors.NotFound):
        notice_query.public_notice(desk.session, made.id, after)


def test_an_office_sees_its_own_notices_only(desk, noticed) -> None:
    made, _ = noticed

    for unit, seen in (
        (VILLAGES[0], 1),
        (TOWNS[0], 1),
        (COUNTY, 1),
        (VILLAGES[1], 0),
        (TOWNS[1], 0),
    ):
        rows, _ = notice_query.page(desk.session, desk.by("li", "town_clerk", unit).actor)
        assert len(rows) == seen
    with pytest.raises(errors.NotFound):
        notice_query.view(desk.session, desk.by("sun", "village_clerk", VILLAGES[1]).actor, made.id)
