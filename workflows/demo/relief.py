"""Fills an empty engine with data set demo-s: the county, its people, one winter under way.

Everything happens at the present instant of the engine's clock, so notices are running and
nothing had to wait: every desk finds something to do, and every list something to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine import ProcessEngine
from workflows.demo.relief_households import Mark, households, marked
from workflows.demo.relief_people import TOWNS, VILLAGES, people
from workflows.demo.relief_story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load brought."""

    campaign: str
    people: int
    households: int


def is_loaded(engine: ProcessEngine) -> bool:
    """Whether the people are there already: a second start keeps the data."""
    return engine.identity.by_login(people()[0].id) is not None


def load(engine: ProcessEngine) -> Loaded:
    """The county as it stands on the first day; packages must be published, the vault configured.

    柳河镇: notices hang, two objections (one answered). 石桥镇: visits and appraisals.
    青崖乡: one village registers, the others have not begun.
    """
    story = Story(engine)
    story.populate()
    campaign = story.begin()
    first, second, third = (
        [village for village in VILLAGES if village.startswith(town[:9])] for town in TOWNS
    )
    for village in (*first, *second, third[0]):
        story.register(village)
    for village in (*first, *second[:3]):
        story.visit(village)
    for village in (*first, second[0], second[1]):
        story.appraise(village)
    over_cap = marked(Mark.OVER_CAP).village
    story.settle_exceptions(over_cap, TOWNS[0])
    for village in first[:3]:
        story.post("village_clerk", village)
    for _ in first[:3]:
        story.post("town_clerk", TOWNS[0])
    story.object_to(marked(Mark.OBJECTION_DISMISSED), "金额", "这一户金额比相邻几户都高，请核对")
    story.answer(
        TOWNS[0], {"verdict": "不成立", "reply": "该户需救助人口较多，金额按标准核定，符合规定"}
    )
    story.object_to(marked(Mark.OBJECTION_UPHELD), "不符合", "该户在县城有商铺出租，不属困难户")
    while engine.management.run_due():
        pass
    return Loaded(campaign=campaign, people=len(people()), households=len(households()))
