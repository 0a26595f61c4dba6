"""From finding to close-out over the register's own tables, through every exception."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine import Actor, Seat, errors
from workflows.domain import hazard as register
from workflows.domain import (
    hazard_deferral,
    hazard_grading,
    hazard_rectification,
    hazard_rules,
)
from workflows.domain.hazard_state import HazardNotReady, Source
from workflows.domain.hazard_tables import HazardRow

STATION, CITY = "349898000000.1", "349800000000"


def somebody(name: str, role: str, unit: str) -> Actor:
    return Actor(id=name, name=name, seats=(Seat(role=role, unit=unit),))


WANG = somebody("wang", "safety_officer", STATION)
LI = somebody("li", "safety_head", STATION)
ZHAO = somebody("zhao", "inspector", CITY)
QIAN = somebody("qian", "inspector", CITY)
SUN = somebody("sun", "inspector", CITY)
LEADER = somebody("zhou", "city_leader", CITY)

FIVE = {
    "owner_name": "王安", "measure": "更换老化线路", "fund": "1200.50", "due_on": "2026-01-20",
    "plan": "断电并安排夜间巡查", "interim": "停用该房间",
}  # fmt: skip


def find(desk: Any, *, issuers: tuple[str, ...] = (), **given: Any) -> HazardRow:
    data = {
        "place": "二楼宿舍", "category": "electricity", "description": "线路老化",
        "photos": [desk.upload("before")],
    } | given  # fmt: skip
    return register.register(
        desk,
        register.read_finding(
            desk,
            data,
            institution=STATION,
            round_id=None,
            source=Source.CITY if issuers else Source.SELF,
            issuers=issuers,
        ),
    )


def ordered(desk: Any, *, grade: str = "general", issuers: tuple[str, ...] = ()) -> HazardRow:
    hazard = find(desk.by(WANG), issuers=issuers)
    criterion = "Z02" if grade == "major" else ""
    hazard_grading.grade(desk.by(LI), hazard, {**FIVE, "grade": grade, "criterion": criterion})
    hazard_rectification.order(desk, hazard)
    return hazard


def rectified(desk: Any, hazard: HazardRow, photo: str = "after") -> HazardRow:
    hazard_rectification.submit(desk.by(WANG), hazard, done(desk, photo))
    return hazard


def done(desk: Any, photo: str, **given: Any) -> dict[str, Any]:
    return {
        "note": "已更换", "self_verdict": "合格", "cost": 1180, "finished_on": desk.now.date(),
        "after": [desk.upload(photo)],
    } | given  # fmt: skip


def rechecked(desk: Any, hazard: HazardRow, result: str, *pair: Any) -> str:
    first, second = pair or (ZHAO, QIAN)
    hazard_rectification.recheck(
        desk.by(first),
        hazard,
        {
            "result": result,
            "note": "现场查看",
            "photos": [desk.upload("seen")],
            "new_due": "2026-02-28",
        },
    )
    return hazard_rectification.cosign(desk.by(second), hazard, agrees=True, remark="")


def test_it_numbers_hazards_of_an_institution_one_after_another(desk: Any) -> None:
    assert [find(desk).number for _ in range(3)] == [
        "349898-1-2026-001",
        "349898-1-2026-002",
        "349898-1-2026-003",
    ]


def test_it_asks_for_a_photo_of_what_was_found(desk: Any) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        find(desk, photos=[], place="")

    assert set(refused.value.fields) == {"photos", "place"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fund": "一千"}, "fund"),
        ({"fund": "0.001"}, "fund"),
        ({"fund": "-1"}, "fund"),
        ({"fund": "NaN"}, "fund"),
        ({"due_on": "2026-01-03"}, "due_on"),
        ({"due_on": "明天"}, "due_on"),
        ({"interim": ""}, "interim"),
        ({"grade": "huge"}, "grade"),
        ({"grade": "major"}, "criterion"),
        ({"suspension": "sometimes"}, "suspension"),
    ],
)
def test_it_grades_only_with_the_five_items_settled(
    desk: Any, given: dict[str, str], field: str
) -> None:
    hazard = find(desk)

    with pytest.raises(errors.InvalidInput) as refused:
        hazard_grading.grade(desk.by(LI), hazard, {**FIVE, "grade": "general"} | given)

    assert field in refused.value.fields


def test_it_keeps_money_as_whole_fen(desk: Any) -> None:
    assert ordered(desk).fund_fen == 120050


def test_it_sets_tomorrow_for_what_is_fixed_at_once(desk: Any) -> None:
    hazard = find(desk)

    hazard_grading.grade(
        desk.by(LI), hazard, {**FIVE, "due_on": "", "fix_at_once": "on", "grade": "general"}
    )

    assert hazard.current_due == date(2026, 1, 5)


def test_it_closes_a_hazard_that_two_others_found_put_right(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))

    assert rechecked(desk, hazard, "pass") == "pass"
    hazard_rectification.close(desk.by(ZHAO), hazard)

    assert hazard.state == "closed"
    assert hazard.closed_by == "zhao"
    whats = [entry.what for entry in register.entries(desk.session, hazard.id)]
    assert whats == ["发现", "分级", "下达整改", "提交整改", "复查", "复查合格", "销号"]


def test_it_refuses_to_close_what_nobody_rechecked(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))

    with pytest.raises(hazard_rules.NotRechecked):
        hazard_rectification.close(desk.by(ZHAO), hazard)


def test_it_refuses_the_rectifier_as_rechecker_and_as_closer(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))

    with pytest.raises(hazard_rules.SamePersonAgain):
        rechecked(desk, hazard, "pass", WANG, QIAN)
    rechecked(desk, hazard, "pass")
    with pytest.raises(hazard_rules.SamePersonAgain):
        hazard_rectification.close(desk.by(WANG), hazard)


def test_it_refuses_two_issuers_as_the_pair_that_rechecks(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk, issuers=("zhao", "qian")))

    with pytest.raises(hazard_rules.SamePersonAgain):
        rechecked(desk, hazard, "pass", ZHAO, QIAN)
    assert hazard_rectification.cosign(desk.by(SUN), hazard, agrees=True, remark="") == "pass"


def test_it_takes_no_photo_that_failed_before(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))
    rechecked(desk, hazard, "fail")

    for photo in ("before", "after"):
        with pytest.raises(hazard_rules.PhotoNotNew):
            hazard_rectification.submit(desk.by(WANG), hazard, done(desk, photo))
    assert rectified(desk, hazard, "second try").state == "submitted"


@pytest.mark.parametrize("day", ["2026-01-05", "2026-01-03"])
def test_it_takes_no_finishing_day_outside_of_the_hazards_life(desk: Any, day: str) -> None:
    hazard = ordered(desk)

    with pytest.raises(errors.InvalidInput) as refused:
        hazard_rectification.submit(desk.by(WANG), hazard, done(desk, "after", finished_on=day))

    assert list(refused.value.fields) == ["finished_on"]


def test_it_counts_failures_and_supervises_from_the_second_on(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))
    rechecked(desk, hazard, "fail")
    with pytest.raises(errors.InvalidState):
        hazard_rectification.supervise(desk.by(LEADER), hazard, "立即整改")
    rectified(desk, hazard, "second")
    rechecked(desk, hazard, "fail")

    hazard_rectification.supervise(desk.by(LEADER), hazard, "书面说明原因")

    assert hazard.failures == 2
    assert hazard.current_due == date(2026, 2, 28)
    assert "supervision_order" in [message for message, _ in desk.told]


def test_it_voids_a_recheck_the_second_person_does_not_sign(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))
    hazard_rectification.recheck(
        desk.by(ZHAO),
        hazard,
        {"result": "pass", "note": "好", "photos": [desk.upload("seen")]},
    )

    assert (
        hazard_rectification.cosign(desk.by(QIAN), hazard, agrees=False, remark="未看") == "again"
    )
    assert hazard.state == "submitted"
    with pytest.raises(hazard_rules.NotRechecked):
        hazard_rectification.close(desk.by(SUN), hazard)


def test_it_rechecks_again_when_the_closer_sends_it_back(desk: Any) -> None:
    hazard = rectified(desk, ordered(desk))
    rechecked(desk, hazard, "pass")

    hazard_rectification.send_back(desk.by(LEADER), hazard, "照片看不清")

    with pytest.raises(hazard_rules.NotRechecked):
        hazard_rectification.close(desk.by(LEADER), hazard)
    rechecked(desk, hazard, "pass", QIAN, SUN)
    hazard_rectification.close(desk.by(LEADER), hazard)
    assert hazard.state == "closed"


def test_it_moves_the_due_date_with_a_granted_deferral_once(desk: Any) -> None:
    hazard = ordered(desk)
    ask = {"reason": "配件未到货", "interim": "封闭房间", "new_due": "2026-01-30"}

    hazard_deferral.apply(desk.by(WANG), hazard, ask)
    hazard_deferral.give_opinion(desk.by(ZHAO), hazard, supported=True, opinion="")
    hazard_deferral.decide(desk.by(LEADER), hazard, granted=True, decision="")

    assert desk.messages == [("hazard_deferral", hazard.id)]
    assert desk.moved == [("rectify", date(2026, 1, 30))]
    assert (hazard.due_on, hazard.current_due) == (date(2026, 1, 20), date(2026, 1, 30))
    with pytest.raises(hazard_rules.DeferralRefused):
        hazard_deferral.apply(desk.by(WANG), hazard, ask | {"new_due": "2026-02-20"})


def test_it_leaves_the_due_date_when_the_deferral_is_refused(desk: Any) -> None:
    hazard = ordered(desk)
    hazard_deferral.apply(
        desk.by(WANG), hazard, {"reason": "忙", "interim": "无", "new_due": "2026-01-30"}
    )

    hazard_deferral.give_opinion(desk.by(ZHAO), hazard, supported=False, opinion="理由不足")
    hazard_deferral.decide(desk.by(LEADER), hazard, granted=False, decision="不同意")

    assert (desk.moved, hazard.current_due) == ([], date(2026, 1, 20))


def test_it_moves_no_date_when_the_work_was_done_meanwhile(desk: Any) -> None:
    hazard = ordered(desk)
    hazard_deferral.apply(
        desk.by(WANG), hazard, {"reason": "忙", "interim": "无", "new_due": "2026-01-30"}
    )
    rectified(desk, hazard)

    hazard_deferral.decide(desk.by(LEADER), hazard, granted=True, decision="")

    assert (desk.moved, hazard.current_due) == ([], date(2026, 1, 20))


def test_it_refuses_a_deferral_after_the_day_is_over(desk: Any) -> None:
    hazard = ordered(desk)

    with pytest.raises(hazard_rules.DeferralRefused):
        hazard_deferral.apply(
            desk.by(WANG).later(17),
            hazard,
            {"reason": "忙", "interim": "无", "new_due": "2026-02-28"},
        )


def test_it_refuses_the_same_person_for_opinion_and_decision(desk: Any) -> None:
    hazard = ordered(desk)
    hazard_deferral.apply(
        desk.by(WANG), hazard, {"reason": "忙", "interim": "无", "new_due": "2026-01-30"}
    )
    hazard_deferral.give_opinion(desk.by(LEADER), hazard, supported=True, opinion="")

    with pytest.raises(errors.SeparationOfDuties):
        hazard_deferral.decide(desk.by(LEADER), hazard, granted=True, decision="")


def test_it_lowers_a_major_hazard_only_by_two_signatures_with_evidence(desk: Any) -> None:
    hazard = ordered(desk, grade="major")
    with pytest.raises(errors.InvalidInput):
        hazard_grading.propose_downgrade(
            desk.by(ZHAO), hazard, {"reason": "已加装", "evidence": []}
        )
    hazard_grading.propose_downgrade(
        desk.by(ZHAO), hazard, {"reason": "已加装", "evidence": [desk.upload("report")]}
    )

    with pytest.raises(hazard_rules.DowngradeRefused):
        hazard_grading.confirm_downgrade(desk.by(ZHAO), hazard)
    assert hazard.grade == "major"
    hazard_grading.confirm_downgrade(desk.by(QIAN), hazard)

    assert (hazard.grade, hazard.criterion) == ("general", None)


def test_it_refuses_to_regrade_or_withdraw_a_major_hazard_alone(desk: Any) -> None:
    hazard = find(desk)
    hazard_grading.grade(desk.by(LI), hazard, {**FIVE, "grade": "major", "criterion": "Z02"})

    with pytest.raises(hazard_rules.DowngradeRefused):
        hazard_grading.grade(desk.by(LI), hazard, {**FIVE, "grade": "general"})
    with pytest.raises(hazard_rules.DowngradeRefused):
        register.withdraw(desk.by(LI), hazard, "重复")


def test_it_marks_a_withdrawn_hazard_and_keeps_its_row(desk: Any) -> None:
    hazard = find(desk)

    register.withdraw(desk.by(LI), hazard, "与 001 重复")

    assert desk.session.get(HazardRow, hazard.id).withdrawn_reason == "与 001 重复"
    with pytest.raises(HazardNotReady):
        hazard_grading.grade(desk.by(LI), hazard, {**FIVE, "grade": "general"})


def test_it_reports_a_major_hazard_once_and_tells_its_case_when_closed(desk: Any) -> None:
    hazard = ordered(desk, grade="major")

    hazard_grading.report_major(desk.by(LI), hazard)
    hazard_grading.report_major(desk.by(LI), hazard)
    assert desk.started == [("hazard_major", f"major:{hazard.id}")]

    rechecked(desk, rectified(desk, hazard), "pass")
    hazard_rectification.close(desk.by(LEADER), hazard)
    assert desk.messages == [("hazard_closed", hazard.id)]


def test_it_lists_only_major_hazards_and_unlists_only_closed_ones(desk: Any) -> None:
    given = {
        "listed_number": "安督〔2026〕1号",
        "listed_leader": "周市",
        "listed_due": "2026-03-01",
    }
    general, hazard = ordered(desk), ordered(desk, grade="major")
    with pytest.raises(errors.InvalidState):
        hazard_rectification.list_publicly(desk.by(LEADER), general, given)

    hazard_rectification.list_publicly(desk.by(LEADER), hazard, given)

    assert hazard.listed_due == date(2026, 3, 1)
    with pytest.raises(errors.InvalidState):
        hazard_rectification.unlist(desk.by(LEADER), hazard)


def test_it_knows_no_hazard_of_another_institution(desk: Any) -> None:
    hazard = find(desk)

    with pytest.raises(register.UnknownHazard):
        register.load(desk.session, hazard.id, institution="349898000000.2")
    with pytest.raises(register.UnknownHazard):
        register.load(desk.session, None)


def test_it_orders_nothing_that_has_no_grade(desk: Any) -> None:
    hazard = find(desk)

    with pytest.raises(HazardNotReady):
        hazard_rectification.order(desk, hazard)


def test_it_lets_nothing_move_without_a_person(desk: Any) -> None:
    desk.actor = None

    with pytest.raises(errors.NotAllowed):
        find(desk)
