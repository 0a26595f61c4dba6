"""The database's machine is gone: its standby is promoted, and knows whatever was acknowledged."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import load_office
import psycopg
import pytest
from outside_world import Postgres
from sqlalchemy.exc import DBAPIError

from engine import SYSTEM, ProcessEngine, TravellingClock

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(600)]
CASES = 40


SYNCHRONOUS = "synchronous_standby_names=ANY 1 (*)"
#: long enough for a commit that waits for nobody
WAITED = 2.0


@contextmanager
def standing_by(*options: str) -> Iterator[SimpleNamespace]:
    """A primary with these options, and a standby that follows it."""
    folder = Path(tempfile.mkdtemp(prefix="nuanliu-failover-"))
    folder.chmod(0o755)  # PostgreSQL runs as nobody below it
    first = Postgres(folder / "one", *options)
    # No standby is there yet: the wait for it begins with the first one that connects.
    first.start()
    second = first.standby(folder / "two")
    second.start()
    try:
        yield SimpleNamespace(first=first, second=second)
    finally:
        for server in (first, second):
            server.end(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def start(engine: ProcessEngine, number: int) -> str:
    """A case; its number, once it is acknowledged."""
    engine.runtime.start(
        "load_case", SYSTEM, variables={"number": str(number), "poison": False},
        region=load_office.VILLAGE, title=str(number), business_key=str(number),
    )  # fmt: skip
    return str(number)


def lost_primary(pair: SimpleNamespace, folder: Path) -> list[str]:
    """Which cases were acknowledged when the line to the standby broke, and then the primary."""
    engine = load_office.build(pair.first.url, folder, TravellingClock(load_office.BASE))
    load_office.furnish(engine)
    acknowledged = [start(engine, number) for number in range(CASES)]
    sender = pair.first.stop_a_child(b"walsender")

    def one_more() -> None:
        # The connection dies with the primary: whoever waited for it is told so.
        with suppress(DBAPIError, psycopg.Error):
            acknowledged.append(start(engine, CASES))

    visitor = threading.Thread(target=one_more)
    visitor.start()
    visitor.join(WAITED)
    pair.first.end(signal.SIGKILL)
    os.kill(sender, signal.SIGKILL)
    visitor.join()
    engine.close()
    return acknowledged


def test_the_promoted_standby_has_every_acknowledged_case_once(tmp_path: Path) -> None:
    with standing_by(SYNCHRONOUS) as pair:
        with psycopg.connect(host=str(pair.first.folder), user="postgres") as connection:
            states = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
        assert states == [("quorum",)]

        acknowledged = lost_primary(pair, tmp_path)

        pair.second.promote()
        engine = load_office.build(pair.second.url, tmp_path, TravellingClock(load_office.BASE))
        titles = [row.title for row in engine.runtime.instances(SYSTEM, limit=500).rows]
        clerk = engine.identity.actor("clerk0")
        task = engine.worklist.page(clerk).rows[0]
        engine.tasks.complete(task.id, clerk, {})
        engine.management.run_due()
        broken = engine.history.verify()
        engine.close()

    assert sorted(titles) == sorted(acknowledged)
    # Nobody was told of the one that the standby did not get.
    assert len(acknowledged) == CASES
    assert broken == []


def test_without_the_wait_for_the_standby_an_acknowledged_case_is_lost(tmp_path: Path) -> None:
    with standing_by() as pair:
        acknowledged = lost_primary(pair, tmp_path)

        pair.second.promote()
        engine = load_office.build(pair.second.url, tmp_path, TravellingClock(load_office.BASE))
        titles = [row.title for row in engine.runtime.instances(SYSTEM, limit=500).rows]
        engine.close()

    assert set(acknowledged) - set(titles) == {str(CASES)}
