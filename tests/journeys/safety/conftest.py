"""A round over two institutions, at its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from engine import (
    ProcessEngine,
    TravellingClock,
)
from tests.journeys.safety.safety_stage import (
    NOON,
    build,
)
from workflows.demo.safety_people import HOME, STATION
from workflows.demo.safety_story import (
    Stage,
    open_campaign,
)
from workflows.domain.hazard_tables import InstitutionRow


@pytest.fixture
def travelling() -> TravellingClock:
    return TravellingClock(NOON)


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
