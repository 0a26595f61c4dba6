"""Kill the process that runs the relief chain, again and again, and look at what is left.

    python tests/chaos/kill_relief.py --kills 200 --seed 7

Prints one JSON object; a failing run is played again with the seed it printed.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import select
import signal
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import autopilot
from sqlalchemy import func
from sqlalchemy import select as query

from engine import TravellingClock, tables
from engine.store import history
from workflows.demo.relief_people import COUNTY
from workflows.domain import funds
from workflows.domain.funds import EntryKind
from workflows.domain.line_states import LineState
from workflows.domain.payout_tables import PayoutItem
from workflows.domain.roster_tables import RosterLine

SHORTEST, LONGEST = 0.05, 0.9
LAST_LIFE = 300.0


def life(folder: Path, seed: int, seconds: float) -> bool:
    """One process works for so long, then dies at whatever it is doing; True if it had finished."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            autopilot.Autopilot(folder, seed).run()
            os.write(writing, b"finished")
            os._exit(0)
        except BaseException:  # noqa: BLE001  # a forked child must never return into the harness
            traceback.print_exc()
            os._exit(70)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], seconds)
    finished = bool(ready) and os.read(reading, 16) == b"finished"
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 70:
        raise SystemExit("the worker failed by itself; its traceback is above")
    return finished


def inspect(folder: Path, campaign: str, *, ended: bool) -> list[str]:
    """Everything that is wrong in the database of this county."""
    engine = autopilot.build(folder, TravellingClock(autopilot.clock_of(folder / "clock")))
    wrong = [f"history broken: {one}" for one in engine.history.verify()]
    with engine.read() as session:
        facts = collections.Counter(
            fact.task_id
            for fact in history.facts(session.scalars(query(tables.HistoryFact)))
            if fact.kind == "task.completed"
        )
        wrong += _acknowledged(folder, facts)
        wrong += [f"completed {n} times: {task}" for task, n in facts.items() if n != 1]
        wrong += _instances(session, ended=ended)
        wrong += _money(session, campaign)
    engine.close()
    return wrong


def _acknowledged(folder: Path, facts: collections.Counter[str]) -> list[str]:
    told = (folder / "acknowledged").read_text().split()
    return [f"acknowledged but not in the history: {task}" for task in set(told) if not facts[task]]


def _instances(session, *, ended: bool) -> list[str]:
    wrong = []
    for case in session.scalars(query(tables.ProcessInstance)):
        waits = session.scalar(
            query(func.count())
            .select_from(tables.HumanTask)
            .where(tables.HumanTask.instance_id == case.id, tables.HumanTask.is_open == 1)
        )
        if case.ended_at is not None and waits:
            wrong.append(f"ended with {waits} open tasks: {case.title}")
        if case.status not in ("active", "completed"):
            wrong.append(f"{case.status}: {case.title}")
        if ended and case.ended_at is None:
            wrong.append(f"never ended: {case.title}")
    if ended:
        for table in (tables.Job, tables.Timer, tables.EventSubscription):
            left = session.scalar(query(func.count()).select_from(table))
            if left:
                wrong.append(f"{left} rows left in {table.__tablename__}")
    return wrong


def _money(session, campaign: str) -> list[str]:
    wrong = []
    paid_rows = collections.Counter(
        session.scalars(query(PayoutItem.line_id).where(PayoutItem.status == "paid"))
    )
    total = 0
    for line in session.scalars(query(RosterLine)):
        booked = funds.ledger_sum(session, campaign, line.id, EntryKind.PAID)
        total += booked
        if paid_rows[line.id] > 1:
            wrong.append(f"paid {paid_rows[line.id]} times: {line.id}")
        if booked != line.paid_fen or booked > line.approved_fen:
            wrong.append(f"booked {booked}, paid {line.paid_fen} of {line.approved_fen}: {line.id}")
        if (line.standing is LineState.PAID) != (line.paid_fen > 0):
            wrong.append(f"{line.state} with {line.paid_fen}: {line.id}")
    wrong += [
        f"{node.unit}: {node.allotted_fen} {node.approved_fen} {node.paid_fen}"
        for node in funds.nodes(session, campaign)
        if not node.allotted_fen >= node.approved_fen >= node.paid_fen >= 0
    ]
    if funds.view(session, campaign, COUNTY).paid_fen != total:
        wrong.append("the county's sum is not the sum of its lines")
    return wrong


def main() -> int:
    """Kill so many times over as many counties as it takes; 0 when nothing was wrong."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=20260104)
    wanted = arguments.parse_args()
    chance = random.Random(wanted.seed)
    kills = counties = 0
    wrong: list[str] = []
    while kills < wanted.kills and not wrong:
        with tempfile.TemporaryDirectory(prefix="nuanliu-kill-") as name:
            folder = Path(name)
            campaign = autopilot.begin(folder)
            counties += 1
            finished = False
            while not finished and not wrong:
                last = kills >= wanted.kills
                seconds = LAST_LIFE if last else chance.uniform(SHORTEST, LONGEST)
                finished = life(folder, chance.randrange(2**31), seconds)
                kills += not finished
                if last and not finished:
                    wrong.append("the last life did not come to an end")
                if kills % 25 == 0:
                    wrong += inspect(folder, campaign, ended=False)
            wrong += inspect(folder, campaign, ended=True)
    print(json.dumps({"seed": wanted.seed, "kills": kills, "counties": counties, "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
