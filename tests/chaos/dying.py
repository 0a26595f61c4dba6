"""A process that is killed at one certain instruction; the hooks are what an engine is given.

python tests/chaos/dying.py POINT DATABASE-URL FOLDER INSTANT [CASE]
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import load_office

from engine import SYSTEM, ProcessEngine, TravellingClock
from engine.queues import cluster
from engine.store import timers
from engine.store.ids import SystemIds
from notifications.dispatcher import Dispatcher
from notifications.message import Reach


def die(*_: object, **__: object) -> Any:
    """SIGKILL: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingCarrier(cluster.ProcrastinateCarrier):
    """Dies after it has enqueued, before the pump commits."""

    def carry(self, tx: Any, batches: Any) -> None:
        """Enqueue and die."""
        super().carry(tx, batches)
        die()


class DyingIds(SystemIds):
    """Dies when an id is asked for: a timer that fires arms the next one, a fault has one."""

    new = die


class DyingPostman:
    """Sends the letter, and dies before anybody can note it."""

    name = "email"
    reach = Reach.EMAIL

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Any) -> None:
        """Send and die."""
        with (self._folder / "sent").open("a") as sent:
            sent.write(f"{letter.id}\n")
        die()


def due(engine: ProcessEngine) -> list[Any]:
    """The timers that are due."""
    with engine.database.read() as tx:
        return tx.rows(timers.DUE, {"now": engine.clock.now(), "limit": 10})


def pause(engine: ProcessEngine, case: str, *, told: int) -> None:
    """Pause a case, tell so many of those it called, and die."""
    commands = engine.deadlines._commands
    drain = commands.drain

    def telling(jobs: Any) -> None:
        drain(jobs[:told])
        die()

    commands.drain = telling
    engine.deadlines.pause_case(case, SYSTEM, reason="recheck", note="有人反映")


def main(point: str, url: str, folder: Path, clock: TravellingClock, case: str = "") -> None:
    """Come to the point and die there."""
    load_office.ANSWERS_LOST = 0
    engine = load_office.build(url, folder, clock)
    if point == "pump.before_commit":
        cluster.install(engine.database)
        engine.cluster.hand_over(DyingCarrier())
    elif point == "pump.after_commit":
        cluster.install(engine.database)
        engine.cluster.hand_over(cluster.ProcrastinateCarrier())
    elif point == "fire.before_commit":
        ids = DyingIds(clock)
        engine = ProcessEngine(url, clock=clock, ids=ids, files=folder)
        engine.cluster.fire(due(engine))
    elif point == "give_up.before_commit":
        engine = ProcessEngine(
            url, clock=clock, ids=DyingIds(clock), files=folder,
            operations=[load_office.Gateway(folder).operations()],
        )  # fmt: skip
        engine.management.run_due()
    elif point == "fire.after_commit":
        engine.cluster.fire(due(engine))
    elif point == "send.before_mark":
        Dispatcher(engine, [DyingPostman(folder)]).deliver()
    elif point.startswith("pause."):
        pause(engine, case, told=int(point.removeprefix("pause.")))
    die()


if __name__ == "__main__":
    main(
        sys.argv[1], sys.argv[2], Path(sys.argv[3]),
        TravellingClock(datetime.fromisoformat(sys.argv[4])), *sys.argv[5:],
    )  # fmt: skip
