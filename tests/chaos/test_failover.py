"""The database's machine is gone: its standby is promoted, and knows whatever was acknowledged."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import load_office
import pytest
from outside_world import Postgres
from sqlalchemy import create_engine, text

from engine import SYSTEM, TravellingClock

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(600)]
CASES = 60
CRASH_AT = 40


@pytest.fixture
def pair() -> Iterator[SimpleNamespace]:
    """A primary that waits for its standby at every commit, and the standby."""
    folder = Path(tempfile.mkdtemp(prefix="nuanliu-failover-"))
    folder.chmod(0o755)  # PostgreSQL runs as nobody below it
    first = Postgres(folder / "one", "synchronous_standby_names=ANY 1 (*)")
    # No standby is there yet: the wait for it begins with the first one that connects.
    first.start()
    second = first.standby(folder / "two")
    second.start()
    yield SimpleNamespace(first=first, second=second, folder=folder)
    for server in (first, second):
        server.end(signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_promoted_standby_has_every_acknowledged_case_once(pair, tmp_path: Path) -> None:
    clock = TravellingClock(load_office.BASE)
    with create_engine(pair.first.url).connect() as connection:
        names = connection.execute(text("SELECT sync_state FROM pg_stat_replication")).scalars()
        assert list(names) == ["quorum"]
    engine = load_office.build(pair.first.url, tmp_path, clock)
    load_office.furnish(engine)
    acknowledged = []
    for number in range(CASES):
        if number == CRASH_AT:
            pair.first.end(signal.SIGKILL)
            break
        engine.runtime.start(
            "load_case", SYSTEM, variables={"number": str(number), "poison": False},
            region=load_office.VILLAGE, title=str(number), business_key=str(number),
        )  # fmt: skip
        acknowledged.append(str(number))
    engine.close()

    pair.second.promote()
    engine = load_office.build(pair.second.url, tmp_path, clock)
    titles = [row.title for row in engine.runtime.instances(SYSTEM, limit=500).rows]
    clerk = engine.identity.actor("clerk0")
    task = engine.worklist.page(clerk).rows[0]
    engine.tasks.complete(task.id, clerk, {})
    engine.management.run_due()

    assert sorted(titles) == sorted(acknowledged)
    assert engine.history.verify() == []
    engine.close()
