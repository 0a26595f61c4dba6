"""Several instances in one transaction: a disk that syncs once for a dozen of them.

Only where the database has a single writer: elsewhere two of these could wait for each other's
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.execution.command import write_out
from engine.execution.environment import Environment
from engine.execution.snapshot import Snapshot
from engine.execution.work import Work
from engine.model.actor import SYSTEM
from engine.model.errors import NotFound
from engine.store import instances
from engine.store.database import Transaction

Act = Callable[[Work], None]


def run(environment: Environment, acts: Sequence[tuple[str, Act]]) -> list[str]:
    """Each command on its instance, in order; the jobs they left to do at once.

    All of them or none: raises what any of them raises, NotFound for an instance that is gone.
    """
    follow_up: list[str] = []
    with environment.database.write() as tx:
        for instance_id, act in acts:
            work = _loaded(environment, tx, instance_id)
            act(work)
            write_out(work)
            follow_up += work.follow_up
            # The next one must not find what this one's operations had read.
            tx.session.flush()
            tx.session.expunge_all()
    return follow_up


def _loaded(environment: Environment, tx: Transaction, instance_id: str) -> Work:
    row = tx.first(instances.BY_ID, {"instance_id": instance_id})
    if row is None:
        raise NotFound("没有这个事项")
    snapshot = Snapshot.of(row)
    deployed = environment.programs.by_id(tx, snapshot.definition_id)
    return Work(environment, tx, environment.clock.now(), SYSTEM, snapshot, deployed)
