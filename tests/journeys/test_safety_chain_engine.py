"""The safety chain on the real engine: from the notice to the last close-out, every exception."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import (
    SYSTEM,
    InstanceStatus,
    ProcessEngine,
    TravellingClock,
    WorklistFilter,
    clock,
    errors,
)
from notifications.rendering import Renderer
from workflows import catalog
from workflows.demo import safety, safety_people
from workflows.demo.safety_people import CITY, HOME, MINORS, STATION
from workflows.demo.safety_pictures import picture
from workflows.demo.safety_story import (
    Stage,
    StoryDiffers,
    five,
    grade,
    hazard_id,
    inspect,
    numbers,
    open_campaign,
    play,
    recheck,
    rectify,
    selfcheck,
)
from workflows.domain import (
    hazard,
    hazard_deferral,
    hazard_ledger,
    hazard_rectification,
    hazard_round,
    hazard_rules,
)
from workflows.domain.hazard_state import HazardState
from workflows.domain.hazard_tables import HazardRow, InstitutionRow, RoundRow

SAFETY = {"safety_campaign", "hazard_selfcheck", "hazard_item", "hazard_major"}
NOON = datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE)


@pytest.fixture
def travelling() -> TravellingClock:
    return TravellingClock(NOON)


def build(url: str, tmp_path: Path, travelling: TravellingClock) -> ProcessEngine:
    """An engine with the four packages, the people and the institutions."""
    built = ProcessEngine(
        url,
        clock=travelling,
        operations=catalog.operation_modules(),
        files=tmp_path / "files",
    )
    built.create_schema()
    for package in catalog.packages():
        if package.key in SAFETY:
            built.repository.deploy(package, SYSTEM)
    safety_people.seed(built)
    return built


@pytest.fixture
def engine(tmp_path, travelling) -> Iterator[ProcessEngine]:
    built = build(f"sqlite:///{tmp_path / 'safety.db'}", tmp_path, travelling)
    yield built
    built.close()


@pytest.fixture
def stage(engine, travelling) -> Stage:
    """A round over two institutions only: the station and the home."""
    with engine.database.write() as tx:
        rows = tx.session.query(InstitutionRow).filter(InstitutionRow.code.not_in((STATION, HOME)))
        rows.update({"closed_on": date(2025, 12, 31)})
    found = Stage(engine, travelling, date(2026, 1, 4))
    open_campaign(found)
    return found


def row(stage: Stage, number: str) -> HazardRow:
    with stage.engine.read() as session:
        return hazard.look(session, hazard_id(stage, number))


def reported(stage: Stage, **grade_of: Any) -> str:
    """One hazard of the station, graded and in the signed ledger; its number."""
    stage.go(1)
    selfcheck(stage, "wangan", {"B01": ("配电箱", "线路老化")})
    stage.do("wangan", "selfcheck")
    given = five("王安", "更换线路", "1000.00", stage.day(10), **grade_of)
    grade(stage, "lihai", STATION, [given])
    stage.do("lihai", "grade", outcome="submit")
    stage.do("lihai", "ledger", {"signature": "李海"}, outcome="submit")
    return numbers(stage, STATION)[0]


def facts(stage: Stage, instance_id: str | None) -> list[Any]:
    assert instance_id is not None
    page = stage.engine.history.timeline(instance_id, stage.actor("zhoujianguo"))
    return list(page.rows)


def messages(stage: Stage) -> Counter[str]:
    return Counter(one.message for one in stage.engine.management.pending_outbox(1000))


def test_it_leaves_every_state_of_a_hazard_somewhere_when_the_story_ends(
    engine, travelling
) -> None:
    stage = play(engine, travelling)

    with engine.read() as session:
        rows = session.query(HazardRow).all()
        assert {one.state for one in rows} == {state.value for state in HazardState}
        assert len(rows) == 8
        (found,) = session.query(RoundRow).all()
        figures = hazard_round.figures(session, found, stage.day(26))
        page = hazard_ledger.page(
            session,
            hazard_ledger.LedgerFilter(units=(CITY,), view=hazard_ledger.View.OVERDUE),
            today=stage.day(26),
        )
    assert figures.coverage == 600
    assert [unit.late for unit in figures.units] == [True, False, False, False, True]
    late = {line.number for line in page.lines}
    assert late == {"349898-3-2026-001", "349898-4-2026-001"}
    assert engine.history.verify() == []
    assert engine.management.health().open_incidents == 0
    renderer = Renderer(engine.repository)
    sent = engine.management.pending_outbox(1000)
    for one in sent:
        text = renderer.render(one.message, one.data, definition_id=one.definition_id)
        assert text.subject
        assert text.body
    own = {one.message for one in sent if not one.message.startswith("task_")}
    assert own >= {"round_opened", "major_hazard", "ledger_reported", "rectification_notice"}
    assert own >= {"deferral_decided", "recheck_failed", "weekly_figures", "round_reported"}


@pytest.mark.postgres
def test_it_plays_the_same_story_on_postgresql(postgres_url, tmp_path, travelling) -> None:
    built = build(postgres_url, tmp_path, travelling)

    stage = play(built, travelling)

    with built.read() as session:
        assert {one.state for one in session.query(HazardRow)} == {s.value for s in HazardState}
        (found,) = session.query(RoundRow).all()
        assert hazard_round.figures(session, found, stage.day(26)).coverage == 600
    assert built.management.health().open_incidents == 0
    built.close()


def test_it_plays_the_story_in_one_instant_for_a_demo_that_stands_still(engine) -> None:
    assert safety.is_loaded(engine)

    safety.load(engine)

    with engine.read() as session:
        states = {one.state for one in session.query(HazardRow)}
    assert states == {state.value for state in HazardState}
    assert engine.clock.now() == NOON


def test_it_covers_every_institution_before_the_round_may_end(stage) -> None:
    number = reported(stage)
    selfcheck(stage, "wufang", {})
    stage.do("wufang", "selfcheck")
    stage.do("zhengqiang", "ledger", {"signature": "郑强"}, outcome="submit")
    stage.go(5)
    rectify(stage, "wangan", number)
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("qianhao", "close_general", about=number, outcome="approve")
    inspect(stage, "暖河县救助管理站", "zhaoming", "qianhao")
    with pytest.raises(StoryDiffers):
        stage.task("zhaoming", "summarise")

    inspect(stage, "暖河县中心敬老院", "sunli", "qianhao")
    stage.do("zhaoming", "summarise", {"text": "全覆盖，隐患全部销号"})
    refuse(stage, "zhaoming", "zhoujianguo", "sign", outcome="approve")
    stage.do("zhoujianguo", "sign", {"reason": "补充数字"}, outcome="return")
    stage.do("zhaoming", "summarise", {"text": "检查覆盖率 100%，隐患全部销号"})
    stage.do("zhoujianguo", "sign", outcome="approve")

    with stage.engine.read() as session:
        (found,) = session.query(RoundRow).all()
        assert found.figures["coverage"] == 1000
        assert found.closed_by == "zhoujianguo"
    active = stage.engine.runtime.instances(
        stage.actor("zhoujianguo"), status=InstanceStatus.ACTIVE
    )
    assert active.rows == ()
    assert messages(stage)["round_reported"] == 2


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


def test_it_sends_the_case_back_to_self_check_and_on_again(stage) -> None:
    stage.go(1)
    selfcheck(stage, "wangan", {"B01": ("配电箱", "线路老化")})
    refuse(stage, "lihai", "wangan", "selfcheck")
    stage.do("wangan", "selfcheck")
    with pytest.raises(errors.InvalidState):
        stage.do("lihai", "grade", outcome="submit")
    stage.do("lihai", "grade", {"reason": "照片不清"}, outcome="return")

    fixed = {"item": "B01", "result": "ok"}
    stage.act("wangan", "selfcheck", "hazard.answer_item", fixed)
    stage.do("wangan", "selfcheck")
    stage.do("lihai", "ledger", {"signature": "李海"}, outcome="submit")

    assert numbers(stage, STATION) == []
    assert stage.task("zhaoming", "inspect", "暖河县救助管理站")


def test_it_takes_the_ledger_until_the_end_of_the_due_day_and_escalates_after(stage) -> None:
    stage.go(1)
    selfcheck(stage, "wangan", {})
    stage.do("wangan", "selfcheck")
    task = stage.engine.worklist.task(stage.task("lihai", "ledger"), stage.actor("lihai"))
    assert task.due_at == clock.end_of_day(stage.day(7))

    stage.go(7, 23)
    assert messages(stage)["task_overdue"] == 0
    stage.go(8, 1)
    assert messages(stage)["task_overdue"] > 0
    stage.go(12)
    assert messages(stage)["task_urged"] > 0


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


def refuse(
    stage: Stage,
    login: str,
    holder: str,
    activity: str,
    data: dict[str, Any] | None = None,
    *,
    about: str = "",
    outcome: str | None = None,
) -> None:
    """Somebody tries to complete the task of somebody else by its id, and must not."""
    task_id = stage.task(holder, activity, about)
    with pytest.raises(errors.Rejected):
        stage.engine.tasks.complete(task_id, stage.actor(login), data or {}, outcome=outcome)


def found_by_city(stage: Stage, **more: Any) -> dict[str, Any]:
    inspector = stage.actor("zhaoming")
    photo = stage.engine.tasks.attach(inspector, name="a.png", content=picture("市查", good=False))
    return {
        "institution": STATION, "place": "大厅", "category": "security",
        "description": "安检门断电", "photos": [photo.id],
        **five("王安", "接通电源", "0", stage.day(9)), **more,
    }  # fmt: skip


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


def test_it_reports_figures_every_week_while_the_round_runs(stage) -> None:
    stage.go(15)

    assert messages(stage)["weekly_figures"] == 4
    assert stage.clock is not None
    assert stage.clock.now() - NOON < timedelta(days=16)


def test_it_asks_for_an_interim_report_on_the_day_itself(stage) -> None:
    stage.go(26, 8)
    with pytest.raises(StoryDiffers):
        stage.task("zhaoming", "interim")
    stage.go(26, 10)

    stage.do("zhaoming", "interim", {"text": "两个机构均未上报"})

    with stage.engine.read() as session:
        (found,) = session.query(RoundRow).all()
        assert (found.summary, found.closed_at) == ("两个机构均未上报", None)


def test_it_leaves_the_minors_home_out_of_a_round_it_is_not_in(stage) -> None:
    with stage.engine.read() as session:
        (found,) = session.query(RoundRow).all()
        codes = [one.institution for one in hazard_round.parts(session, found.id)]
    assert codes == [STATION, HOME]
    assert MINORS not in codes
