"""The whole winter of the demo county on the engine: from the campaign to the archive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine import SYSTEM, ProcessEngine, TravellingClock, errors
from engine.store.instances import ProcessInstance
from workflows import catalog
from workflows.demo import relief
from workflows.demo.relief_households import Mark, marked, of_village
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.demo.relief_story import Story
from workflows.domain import archive, bank_account, campaign, funds, vault
from workflows.domain.line_states import LineState

OF = {town: tuple(v for v in VILLAGES if v.startswith(town[:9])) for town in TOWNS}


@pytest.fixture
def clock() -> TravellingClock:
    return TravellingClock(datetime(2026, 1, 4, 1, tzinfo=UTC))


@pytest.fixture
def engine(tmp_path, clock, store_url) -> ProcessEngine:
    vault.configure(b"a key for tests, nothing else")
    built = ProcessEngine(
        store_url,
        clock=clock,
        operations=catalog.operation_modules(),
        files=tmp_path / "files",
    )
    built.create_schema()
    catalog.deploy_changed(built, SYSTEM)
    yield built
    built.close()


def travel(engine: ProcessEngine, clock: TravellingClock, days: int) -> None:
    """Let days pass and everything that falls due happen."""
    clock.advance(timedelta(days=days))
    while engine.management.run_due():
        pass


def test_the_winter_of_a_county_from_campaign_to_archive(engine, clock) -> None:
    story = Story(engine)
    story.populate()
    campaign_id = story.begin()

    refused = [message for village in VILLAGES for message in story.register(village)]
    assert len(refused) == 1
    assert "已登记在“" in refused[0]

    for village in VILLAGES:
        story.visit(village)
        story.appraise(village)
    over_cap = marked(Mark.OVER_CAP)
    assert story.line(over_cap).exception == "open"
    story.settle_exceptions(over_cap.village, TOWNS[0])
    assert story.line(over_cap).planned_fen == 54_000
    assert story.line(marked(Mark.URBAN)).standing is LineState.NOT_APPRAISED

    for village in VILLAGES:
        story.post("village_clerk", village)
    for town in TOWNS[:2]:
        for _ in OF[town]:
            story.post("town_clerk", town)

    story.object_to(marked(Mark.OBJECTION_UPHELD), "不符合", "该户在县城有商铺，不困难")
    story.answer(TOWNS[0], {"verdict": "成立剔除", "reply": "经核查情况属实，不再救助"})
    story.object_to(marked(Mark.OBJECTION_DISMISSED), "金额", "金额比我家多，不公平")
    story.answer(TOWNS[0], {"verdict": "不成立", "reply": "该户人口较多，金额符合标准"})
    adjusted = marked(Mark.OBJECTION_ADJUSTED)
    story.object_to(adjusted, "人口虚报", "有一人长期在外务工")
    story.answer(
        TOWNS[1], {"verdict": "成立调整", "needy": "1", "reply": "核减长期外出的一人，金额相应调整"}
    )
    assert story.line(marked(Mark.OBJECTION_UPHELD)).standing is LineState.STRUCK
    assert story.line(marked(Mark.OBJECTION_DISMISSED)).standing is LineState.VILLAGE_NOTICE

    travel(engine, clock, 11)
    for village in VILLAGES:
        story.close("village_clerk", village)
    for town in TOWNS[:2]:
        for _ in OF[town]:
            story.close("town_clerk", town)

    # The adjusted line alone is posted again, for its full days.
    story.post("village_clerk", adjusted.village)
    story.post("town_clerk", TOWNS[1])
    travel(engine, clock, 11)
    story.close("village_clerk", adjusted.village)
    story.close("town_clerk", TOWNS[1])
    assert story.line(adjusted).standing is LineState.VILLAGE_NOTICED

    for village in VILLAGES:
        story.submit(village)

    returned = marked(Mark.RETURNED)
    story.review_town(TOWNS[0])
    story.review_town(TOWNS[1])
    story.review_town(TOWNS[2], [returned])
    story.correct(returned, {"reason": "已补充说明外出情况，人口无误"})
    story.review_town(TOWNS[2])
    for town in TOWNS:
        story.sign(town)
    story.post("town_clerk", TOWNS[2])
    travel(engine, clock, 4)
    story.close("town_clerk", TOWNS[2])
    for town in TOWNS:
        story.report(town)
        story.decide(town, OF[town])

    dead = marked(Mark.DEATH)
    with engine.read() as session:
        before = funds.view(session, campaign_id, TOWNS[2]).approved_fen
    amount = story.line(dead).approved_fen
    stranger = story.actor("village_clerk", VILLAGES[0])
    with pytest.raises(errors.NotFound):
        engine.runtime.perform(
            "roster.cancel_line", stranger, {"line": story.line(dead).id, "reason": "与我无关"}
        )
    clerk = story.actor("village_clerk", dead.village)
    engine.runtime.perform(
        "roster.cancel_line", clerk, {"line": story.line(dead).id, "reason": "户主1月27日去世"}
    )
    with engine.read() as session:
        assert funds.view(session, campaign_id, TOWNS[2]).approved_fen == before - amount

    mismatch = marked(Mark.ACCOUNT_MISMATCH)
    failing = story.line(mismatch).id
    for town in TOWNS:
        batch = story.make_file(town)
        story.bank_returns(batch, lambda line: "户名不符" if line == failing else None)
    assert story.line(mismatch).standing is LineState.FIXING
    story.mend(mismatch, TOWNS[1], bank_account.make_card("629898999999999999"))
    story.bank_returns(story.make_file(TOWNS[1]))
    assert story.line(mismatch).standing is LineState.PAID
    story.pay_cash(marked(Mark.CASH), TOWNS[2])

    for village in VILLAGES:
        story.publish(village)
    story.archive()

    with engine.read() as session:
        found = campaign.get(session, campaign_id)
        assert found.status == campaign.ARCHIVED
        assert all(entry.is_settled for entry in archive.checklist(session, campaign_id))
        county = funds.view(session, campaign_id, COUNTY)
    assert county.allotted_fen >= county.approved_fen == county.paid_fen > 0
    paid = [line for village in VILLAGES for line in story.lines(village) if line.paid_fen]
    assert sum(line.paid_fen for line in paid) == county.paid_fen
    assert all(line.paid_fen == line.approved_fen for line in paid)
    assert len(paid) == sum(len(of_village(village)) for village in VILLAGES) - 4
    assert not engine.history.verify()
    with engine.read() as session:
        sizes = session.scalars(select(func.length(ProcessInstance.state))).all()
    assert max(sizes) < 4096
    cases = engine.runtime.instances(SYSTEM, limit=200).rows
    assert {case.status.value for case in cases} == {"completed"}


def test_the_demonstration_gives_every_desk_something_to_do(engine) -> None:
    loaded = relief.load(engine)

    assert loaded.households == 150
    assert relief.is_loaded(engine)
    waiting = {
        activity
        for case in engine.runtime.instances(SYSTEM, limit=200).rows
        for activity in case.waiting_at
    }
    assert {"recheck", "register", "visit", "appraise", "period_over", "post_village"} <= waiting
