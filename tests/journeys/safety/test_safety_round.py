"""A round of hazard checks from its plan to its summary, in the engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import (
    InstanceStatus,
    clock,
    errors,
)
from notifications.rendering import Renderer
from tests.journeys.safety.safety_stage import (
    NOON,
    build,
    messages,
    refuse,
    reported,
)
from workflows.demo import safety
from workflows.demo.safety_people import CITY, HOME, MINORS, STATION
from workflows.demo.safety_story import (
    StoryDiffers,
    inspect,
    numbers,
    play,
    recheck,
    rectify,
    selfcheck,
)
from workflows.domain import (
    hazard_ledger,
    hazard_round,
)
from workflows.domain.hazard_state import HazardState
from workflows.domain.hazard_tables import HazardRow, RoundRow


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
