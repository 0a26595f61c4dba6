"""A round of hazard checks in the engine, and what the tests of it look at."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine import (
    SYSTEM,
    ProcessEngine,
    TravellingClock,
    clock,
    errors,
)
from workflows import catalog
from workflows.demo import safety_people
from workflows.demo.safety_people import STATION
from workflows.demo.safety_pictures import picture
from workflows.demo.safety_story import (
    Stage,
    five,
    grade,
    hazard_id,
    numbers,
    selfcheck,
)
from workflows.domain import (
    hazard,
)
from workflows.domain.hazard_tables import HazardRow

SAFETY = {"safety_campaign", "hazard_selfcheck", "hazard_item", "hazard_major"}
NOON = datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE)


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
