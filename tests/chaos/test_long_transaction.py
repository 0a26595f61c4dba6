"""A report that keeps its snapshot open for long: timers go on being handed out as fast as before."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import load_office
import psycopg
import pytest
from sqlalchemy import make_url, text

from engine import ProcessEngine, TravellingClock
from engine.queues.port import Batch
from engine.store import timers
from engine.store.database import Transaction
from engine.store.transaction import raw_cursor

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]

DUE = 30_000
LATER = 20_000
BATCH = 100
#: at four hundred timers a second
PACE = timedelta(seconds=BATCH / 400)
MOST_MILLISECONDS = 50
#: cases that are not there: nobody fires these timers, they are only handed out and taken away
ARMED = """
INSERT INTO timer (instance_id, kind, element, id, shard, node_id, planned_at, due_at,
                   attempts)
SELECT 'case-' || n, 'event', 1, 'timer-' || n, '349898', 'pause', due_at, due_at, 0
FROM (SELECT n, CAST(:base AS timestamptz) + n * interval '1 millisecond' AS due_at
      FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n) AS those
"""


class Basket:
    """Fulfils `Carrier`: keeps the keys of what it is given."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []

    def room(self, _tx: Transaction) -> int:
        """Plenty."""
        return 1_000

    def carry(self, _tx: Transaction, batches: list[Batch]) -> None:
        """Keep."""
        for batch in batches:
            for timer_id, instance_id, kind, element, _due in batch.what["timers"]:
                self.taken.append(
                    {"timer_id": timer_id, "of_instance": instance_id, "of_kind": kind,
                     "of_element": element}
                )  # fmt: skip


@pytest.fixture
def bureau(postgres_url: str, tmp_path: Path) -> Iterator[ProcessEngine]:
    """A database in which very many timers are due, others not yet, and its statistics are fresh."""
    engine = load_office.build(postgres_url, tmp_path, TravellingClock(load_office.BASE))
    engine.create_schema()
    with engine.database.write() as tx:
        for first, last, base in (
            (1, DUE, load_office.BASE - timedelta(hours=1)),
            (DUE + 1, DUE + LATER, load_office.BASE + timedelta(days=30)),
        ):
            tx.execute(text(ARMED), {"first": first, "last": last, "base": base})
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE timer")
    yield engine
    engine.close()


def libpq(url: str) -> str:
    """The same address for the driver alone."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def drained(engine: ProcessEngine, clock: TravellingClock) -> list[float]:
    """Hand everything out and take it away as firing does; milliseconds of each hand-over."""
    spent = []
    while True:
        basket = Basket()
        began = time.perf_counter()
        handed = engine.cluster.hand_over(basket, BATCH)
        spent.append((time.perf_counter() - began) * 1_000)
        if not handed:
            return spent
        with engine.database.write() as tx:
            tx.write_all(timers.TAKE, basket.taken)
        clock.advance(PACE)


def pages_read(engine: ProcessEngine, floor: object) -> int:
    """How many pages one look for what is due costs now."""
    statement = timers.CLAIM.prepared(engine.database.engine.dialect)
    values = statement.bind({"now": engine.clock.now(), "limit": BATCH, "floor": floor})
    with engine.database.read() as tx:
        cursor = raw_cursor(engine.database.engine, tx.connection.connection)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_report_that_stays_open_does_not_slow_the_pump(
    bureau: ProcessEngine, postgres_url: str
) -> None:
    clock = bureau.clock
    assert isinstance(clock, TravellingClock)
    with psycopg.connect(libpq(postgres_url)) as report:
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert report.execute("SELECT count(*) FROM timer").fetchone() == (DUE + LATER,)

        spent = drained(bureau, clock)

        assert len(spent) == DUE // BATCH + 1
        last = spent[len(spent) // 2 : -1]
        assert statistics.quantiles(last, n=20)[-1] < MOST_MILLISECONDS
        assert statistics.median(last) < 2 * statistics.median(spent[10 : len(spent) // 2])
        # What the lower bound spares: without it every look walks over all that is gone.
        guarded = pages_read(bureau, clock.now() - timedelta(minutes=1))
        assert pages_read(bureau, load_office.BASE - timedelta(days=1)) > 5 * guarded
        # And whoever keeps watch is told.
        assert bureau.cluster.gauges().longest_transaction > 1
