"""Hazards from finding to closing, as far as the law lets anybody go, in the engine."""

from __future__ import annotations

from datetime import date

import pytest

from engine import (
    WorklistFilter,
    clock,
    errors,
)
from tests.journeys.safety.safety_stage import (
    facts,
    found_by_city,
    messages,
    refuse,
    reported,
    row,
)
from workflows.demo.safety_people import CITY, STATION
from workflows.demo.safety_pictures import picture
from workflows.demo.safety_story import (
    StoryDiffers,
    five,
    grade,
    hazard_id,
    inspect,
    recheck,
    rectify,
    selfcheck,
)
from workflows.domain import (
    hazard,
    hazard_deferral,
    hazard_rectification,
    hazard_rules,
)


def test_it_reports_a_major_hazard_to_the_city_at_once_without_waiting(stage) -> None:
    stage.go(1)
    selfcheck(stage, "wangan", {"B01": ("配电箱", "线路老化")})
    stage.do("wangan", "selfcheck")
    given = five("王安", "更换", "0", stage.day(10), grade="major", criterion="Z02")
    grade(stage, "lihai", STATION, [given])
    stage.do("lihai", "grade", outcome="submit")

    assert stage.task("zhoujianguo", "listing")
    assert stage.task("lihai", "ledger")
    assert messages(stage)["major_hazard"] == 1


def test_it_keeps_the_issuers_from_rectifying_and_the_rectifier_from_rechecking(stage) -> None:
    stage.engine.identity.assign_seat("zhaoming", "safety_officer", STATION, date(2025, 1, 1))
    stage.engine.identity.assign_seat("wangan", "inspector", CITY, date(2025, 1, 1))
    inspector = stage.actor("zhaoming")
    done = stage.engine.runtime.perform("hazard.register", inspector, found_by_city(stage))
    number = str(done["number"])
    refuse(stage, "zhaoming", "wangan", "rectify", about=number)
    rectify(stage, "wangan", number)

    refuse(stage, "wangan", "qianhao", "recheck", about=number)
    photo = stage.photo("zhaoming", "recheck", "看", good=True, about=number)
    found = {"result": "pass", "note": "好", "photos": [photo]}
    stage.do("zhaoming", "recheck", found, about=number)
    for login in ("wangan", "zhaoming"):
        refuse(stage, login, "qianhao", "recheck_cosign", about=number, outcome="agree")
    stage.do("qianhao", "recheck_cosign", {}, about=number, outcome="agree")

    refuse(stage, "wangan", "qianhao", "close_general", about=number, outcome="approve")
    assert row(stage, number).state == "passed"


def test_it_registers_a_hazard_at_any_time_and_lists_a_major_one(stage) -> None:
    inspector = stage.actor("zhaoming")
    with pytest.raises(errors.Rejected):
        stage.engine.runtime.perform("hazard.register", stage.actor("wangan"), {})

    given = found_by_city(stage, grade="major", criterion="Z03", source="report")
    done = stage.engine.runtime.perform("hazard.register", inspector, given)

    assert stage.task("wangan", "rectify", str(done["number"]))
    assert stage.task("zhoujianguo", "listing")
    (before,) = row(stage, str(done["number"])).before
    seen, content = stage.engine.tasks.attachment(before["id"], stage.actor("wangan"))
    assert seen.sha256 == before["sha256"]
    assert content == picture("市查", good=False)


def test_it_moves_the_deadline_of_the_open_task_with_a_granted_deferral(stage) -> None:
    number = reported(stage)
    stage.go(4)
    ask = {"reason": "缺件", "interim": "封闭", "new_due": stage.day(15)}
    stage.act("wangan", "rectify", "hazard.apply_deferral", ask, number)
    stage.do("zhaoming", "defer_opinion", about=number, outcome="support")
    stage.do("zhoujianguo", "defer_decision", about=number, outcome="grant")

    task_id = stage.task("wangan", "rectify", number)
    task = stage.engine.worklist.task(task_id, stage.actor("wangan"))
    assert task.due_at == clock.end_of_day(stage.day(15))
    assert "批准延期" in task.due_note
    again = ask | {"new_due": stage.day(30)}
    with pytest.raises(hazard_rules.DeferralRefused):
        stage.act("wangan", "rectify", "hazard.apply_deferral", again, number)
    with stage.engine.read() as session:
        assert hazard_deferral.of(session, hazard_id(stage, number)).granted is True


def test_it_decides_a_deferral_although_the_rectification_was_done_meanwhile(stage) -> None:
    number = reported(stage)
    ask = {"reason": "缺件", "interim": "封闭", "new_due": stage.day(15)}
    stage.act("wangan", "rectify", "hazard.apply_deferral", ask, number)
    rectify(stage, "wangan", number)
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("zhaoming", "close_general", about=number, outcome="approve")
    assert row(stage, number).state == "closed"

    stage.do("zhaoming", "defer_opinion", {"opinion": "已完成"}, about=number, outcome="oppose")
    stage.do("zhoujianguo", "defer_decision", {"reason": "已完成"}, about=number, outcome="refuse")

    instance = stage.engine.runtime.instance(
        str(row(stage, number).instance_id), stage.actor("zhoujianguo")
    )
    assert instance.status == "completed"


def test_it_refuses_a_deferral_when_the_day_is_over(stage) -> None:
    number = reported(stage)
    stage.go(12)

    ask = {"reason": "缺件", "interim": "封闭", "new_due": stage.day(30)}
    with pytest.raises(hazard_rules.DeferralRefused, match="已过"):
        stage.act("wangan", "rectify", "hazard.apply_deferral", ask, number)


def test_it_supervises_after_the_second_failed_recheck_and_closes_at_last(stage) -> None:
    number = reported(stage)
    stage.go(3)
    rectify(stage, "wangan", number, "一")
    recheck(stage, number, "zhaoming", "qianhao", new_due=12)
    task = stage.engine.worklist.task(
        stage.task("wangan", "rectify", number), stage.actor("wangan")
    )
    assert task.due_at == clock.end_of_day(stage.day(12))
    with pytest.raises(StoryDiffers):
        stage.task("zhoujianguo", "supervise", number)
    rectify(stage, "wangan", number, "二")
    recheck(stage, number, "qianhao", "zhaoming", new_due=14)

    stage.do("zhoujianguo", "supervise", {"demand": "书面说明原因"}, about=number)
    rectify(stage, "wangan", number, "三")
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("sunli", "close_general", about=number, outcome="approve")

    found = row(stage, number)
    assert (found.state, found.failures, found.supervision) == ("closed", 2, "书面说明原因")
    assert messages(stage)["supervision_order"] == 1


def test_it_takes_neither_the_old_photo_nor_a_picture_that_failed(stage) -> None:
    number = reported(stage)
    before = row(stage, number).before[0]["id"]
    task_id = stage.task("wangan", "rectify", number)
    done = {
        "note": "完成", "self_verdict": "合格", "cost": "0", "finished_on": stage.today,
        "after": [before],
    }  # fmt: skip
    with pytest.raises(hazard_rules.PhotoNotNew):
        stage.engine.tasks.complete(task_id, stage.actor("wangan"), done)
    rectify(stage, "wangan", number, "同一张")
    recheck(stage, number, "zhaoming", "qianhao", new_due=12)

    with pytest.raises(hazard_rules.PhotoNotNew):
        rectify(stage, "wangan", number, "同一张")


def test_it_repeats_the_recheck_when_the_second_inspector_or_the_leader_disagrees(stage) -> None:
    number = reported(stage, grade="major", criterion="Z02")
    rectify(stage, "wangan", number)
    photo = stage.photo("zhaoming", "recheck", "看", good=True, about=number)
    found = {"result": "pass", "note": "好", "photos": [photo]}
    stage.do("zhaoming", "recheck", found, about=number)
    stage.do("qianhao", "recheck_cosign", {"remark": "未见"}, about=number, outcome="disagree")
    recheck(stage, number, "sunli", "qianhao")
    stage.do("zhoujianguo", "close_major", {"reason": "再看"}, about=number, outcome="return")
    recheck(stage, number, "zhaoming", "sunli")

    stage.do("zhoujianguo", "close_major", about=number, outcome="approve")

    with stage.engine.read() as session:
        records = hazard_rectification.rechecks(session, hazard_id(stage, number))
    assert [one.void for one in records] == [True, True, False]


def test_it_unlists_a_major_hazard_once_it_is_closed_out(stage) -> None:
    number = reported(stage, grade="major", criterion="Z02")
    stage.do(
        "zhoujianguo",
        "listing",
        {"listed_number": "1号", "listed_leader": "周建国", "listed_due": stage.day(3)},
    )
    stage.go(5)
    assert messages(stage)["listing_expired"] == 2
    with pytest.raises(StoryDiffers):
        stage.task("zhoujianguo", "unlist")

    rectify(stage, "wangan", number)
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("zhoujianguo", "close_major", about=number, outcome="approve")

    stage.do("zhoujianguo", "unlist")
    assert stage.engine.management.health().open_incidents == 0


def test_it_unlists_a_hazard_that_was_closed_before_it_was_listed(stage) -> None:
    number = reported(stage, grade="major", criterion="Z02")
    rectify(stage, "wangan", number)
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("zhoujianguo", "close_major", about=number, outcome="approve")

    stage.do(
        "zhoujianguo",
        "listing",
        {"listed_number": "1号", "listed_leader": "周建国", "listed_due": stage.day(30)},
    )

    stage.do("zhoujianguo", "unlist")
    assert messages(stage)["listing_expired"] == 0
    assert row(stage, number).state == "closed"


def test_it_lowers_a_grade_with_evidence_and_the_second_inspectors_signature(stage) -> None:
    number = reported(stage, grade="major", criterion="Z02")
    about = "暖河县救助管理站"
    photo = stage.photo("zhaoming", "inspect", "证据", good=True, about=about)
    target = {"hazard_id": hazard_id(stage, number)}
    proof = target | {"reason": "不符合判定标准", "evidence": [photo]}
    stage.act("zhaoming", "inspect", "hazard.propose_downgrade", proof, about)
    with pytest.raises(errors.InvalidState, match="降级"):
        inspect(stage, about, "zhaoming", "qianhao")

    stage.act("qianhao", "cosign", "hazard.confirm_downgrade", target, about)
    stage.do("qianhao", "cosign", about=about, outcome="agree")

    assert row(stage, number).grade == "general"


def test_it_refuses_an_action_on_a_hazard_of_somebody_else(stage) -> None:
    number = reported(stage)
    selfcheck(stage, "wufang", {"A01": ("走廊", "堆物")})
    stage.do("wufang", "selfcheck")

    data = {"hazard_id": hazard_id(stage, number), "reason": "不是我们的"}
    with pytest.raises(hazard.UnknownHazard):
        stage.act("zhengqiang", "grade", "hazard.withdraw", data)


def test_it_shows_the_institution_only_its_own_hazards(stage) -> None:
    number = reported(stage)
    stage.go(2)
    assert (
        stage.engine.worklist.page(stage.actor("wufang"), filter=WorklistFilter(search=number)).rows
        == ()
    )
    with pytest.raises(errors.Rejected):
        stage.engine.runtime.instance(str(row(stage, number).instance_id), stage.actor("wufang"))


def test_it_writes_the_deeds_into_the_cases_audit_trail(stage) -> None:
    number = reported(stage)
    rectify(stage, "wangan", number)

    found = facts(stage, row(stage, number).instance_id)

    assert "提交整改" in [one.detail.get("what") for one in found if one.kind == "hazard"]
    assert stage.engine.history.verify() == []
