"""What every test of bad input asks: is everything as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData, func, select

from engine import ProcessEngine
from tests.bad_input import demo_county
from tests.journeys.conftest import County, county, photo, snap

__all__ = ["County", "county", "photo", "snap"]

#: what reading and refusing may write: who looked, what was uploaded and then refused
READING = frozenset({"web_session", "login_failure", "attachment"})


def rows_of(engine: ProcessEngine) -> dict[str, int]:
    """Table → number of rows, for every table there is."""
    found = MetaData()
    found.reflect(engine.database.engine)
    with engine.database.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in found.tables.items()
            if name not in READING
        }


@pytest.fixture
def nothing_changes() -> Callable[[ProcessEngine], object]:
    """A block after which every table has as many rows as before."""

    @contextmanager
    def watch(engine: ProcessEngine) -> Iterator[None]:
        before = rows_of(engine)
        yield
        after = rows_of(engine)
        changed = {
            name: (before.get(name), count)
            for name, count in after.items()
            if before.get(name) != count
        }
        assert changed == {}

    return watch


@pytest.fixture(scope="session")
def built_county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """The folder of the demonstration county, to be copied, and the instant at which it stands."""
    folder = tmp_path_factory.mktemp("county")
    return folder, demo_county.build(folder)
