"""What must be true afterwards: nothing acknowledged is lost, nothing happened twice.

Invariants of the domain (design, domain §7): Inv-4, 6, 7, 13, 16, and the history event by event
against what every visitor was told.
"""

from __future__ import annotations

import collections
import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import load_office
from load_office import Board, Booking, OfficeClock
from load_people import NO, SILENCE, YES
from sqlalchemy import func, select

from engine import SYSTEM, ProcessEngine, errors, tables
from engine.execution.snapshot import unpack
from engine.store import history
from engine.store.timers import WHOLE_CASE
from notifications.dispatcher import failures, retry
from notifications.tables import DeliveryRow, DeliveryStatus, MessageRow

FACT_OF = {"claim": "task.claimed", "release": "task.released", "complete": "task.completed"}
_SHOWN = 12
#: so often the cycle timers beside the tasks may fire
CYCLES = 3


def verdict(url: str, folder: Path, board: Board) -> tuple[list[str], dict[str, int]]:
    """Everything that is wrong after a run that came to its end, and how much there was."""
    engine = load_office.build(url, folder, OfficeClock(board))
    wrong = [f"history broken: {one}" for one in engine.history.verify()]
    record = [json.loads(line) for line in (folder / "record").read_text().splitlines()]
    with engine.read() as session:
        rows = select(tables.HistoryFact).order_by(
            tables.HistoryFact.instance_id, tables.HistoryFact.sequence
        )
        facts = list(history.facts(session.scalars(rows)))
        wrong += told(record, facts)
        wrong += winners(record, facts)
        wrong += started(session, record)
        wrong += timers(session, facts)
        wrong += outside(session, folder, facts)
        wrong += letters(session, folder)
        wrong += leftovers(session)
    engine.close()
    surprises = folder / "surprises"
    if surprises.exists():
        wrong.append(f"unexpected: {surprises.read_text()[:3000]}")
    counts = {
        "requests": len(record),
        "acknowledged": sum(line["answer"] == YES for line in record),
        "unanswered": sum(line["answer"] == SILENCE for line in record),
        "facts": len(facts),
        "timers": sum(fact.kind == "timer.fired" for fact in facts),
    }
    for file in ("letters", "hooks"):
        keys = (folder / file).read_text().split()
        # A letter whose sender died comes again; its key says that it is the same one.
        counts |= {file: len(set(keys)), f"{file}_again": len(keys) - len(set(keys))}
    return wrong, counts


def mend_and_count(engine: ProcessEngine) -> int:
    """Do what an operator does after a bad day; how much is still under way."""
    for incident in engine.management.incidents(SYSTEM):
        with contextlib.suppress(errors.Rejected):
            engine.management.retry(incident.id, SYSTEM, {"poison": False})
    waiting = (DeliveryRow.status != DeliveryStatus.SENT.value, DeliveryRow)
    with engine.database.write() as tx:
        for failed in failures(tx.session):
            retry(tx.session, failed.message_id, failed.channel, engine.clock.now())
    with engine.read() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table).where(where)) or 0
            for where, table in (
                waiting,
                (tables.OutboxMessage.status != "sent", tables.OutboxMessage),
                (tables.ProcessInstance.ended_at.is_(None), tables.ProcessInstance),
            )
        )


def orphans(engine: ProcessEngine) -> list[str]:
    """Open rows whose element the state of their case does not have; may be asked at any time."""
    case = tables.ProcessInstance
    wrong = []
    with engine.read() as session:
        for table, open_rows in (
            (tables.HumanTask, tables.HumanTask.is_open == 1),
            (tables.Timer, tables.Timer.element != WHOLE_CASE),
            (tables.EventSubscription, True),
        ):
            # One statement: state and rows as one instant saw them.
            found = session.execute(
                select(case.id, case.state, table.element)
                .join(table, table.instance_id == case.id).where(open_rows)
            )  # fmt: skip
            wrong += [
                f"{table.__tablename__} of element {element} without its element: {case_id}"
                for case_id, state, element in found
                if element not in unpack(bytes(state)).elements
            ]
    return wrong


def told(record: list[dict[str, Any]], facts: Iterable[Any]) -> list[str]:
    """An acknowledged request is in the history once, a refused one not, a silent one at most."""
    happened = collections.Counter(
        (fact.kind, fact.task_id, fact.actor_id) for fact in facts if fact.kind in FACT_OF.values()
    )
    asked = collections.defaultdict(list)
    for line in record:
        if line["verb"] in FACT_OF:
            asked[FACT_OF[line["verb"]], line["task"], line["who"]].append(line["answer"])
    wrong = [f"{n} times: {what}" for what, n in happened.items() if n != 1]
    wrong += [f"nobody asked for: {what}" for what in happened if what not in asked]
    for what, answers in asked.items():
        if YES in answers and not happened[what]:
            wrong.append(f"acknowledged but not in the history: {what}")
        if set(answers) == {NO} and happened[what]:
            wrong.append(f"refused but in the history: {what}")
        if FACT_OF["complete"] == what[0] and answers[-1] == NO and happened[what]:
            wrong.append(f"the key was not known again: {what} {answers}")
    return wrong[:_SHOWN]


def winners(record: list[dict[str, Any]], facts: Iterable[Any]) -> list[str]:
    """The facts of a task are one order of its requests that contradicts nobody's clock.

    Taken only when free, given back only by its owner, completed once; and what was answered
    before another request was sent stands before it (linearizability, the facts as witness).
    """
    wrong = []
    of_task = collections.defaultdict(list)
    for fact in facts:
        if fact.kind in FACT_OF.values():
            of_task[fact.task_id].append((fact.kind, fact.actor_id))
    times: dict[Any, tuple[int, int]] = {}
    for line in record:
        if line["verb"] in FACT_OF and line["answer"] == YES:
            what = (line["task"], FACT_OF[line["verb"]], line["who"])
            sent, _ = times.get(what, (line["sent"], 0))
            times.setdefault(what, (sent, line["answered"]))
    wrong += _refused_for_nothing(record, of_task)
    for task, order in of_task.items():
        owner, done = "", 0
        latest = 0
        for kind, who in order:
            if done or (kind == "task.claimed" and owner) or (owner and owner != who):
                wrong.append(f"two winners: {task} {order}")
                break
            owner = "" if kind == "task.released" else who
            done += kind == "task.completed"
            sent, answered = times.get((task, kind, who), (0, 0))
            if answered and answered < latest:
                wrong.append(f"answered before what stands before it was sent: {task} {order}")
            latest = max(latest, sent)
        if done != 1:
            wrong.append(f"completed {done} times: {task}")
    return wrong[:_SHOWN]


def _refused_for_nothing(
    record: list[dict[str, Any]], of_task: dict[str, list[tuple[str, str]]]
) -> list[str]:
    """Whoever was refused a task lost it to somebody who had asked before the refusal came."""
    asked = collections.defaultdict(list)
    for line in record:
        if (
            line["verb"] in FACT_OF
            and (FACT_OF[line["verb"]], line["who"]) in of_task[line["task"]]
        ):
            asked[line["task"]].append(line)
    return [
        f"refused, and nobody else had it: {line['task']} {line['who']}"
        for line in record
        if line["verb"] == "claim"
        and line["answer"] == NO
        and not any(other["sent"] < line["answered"] for other in asked[line["task"]])
    ]


def started(session: Any, record: list[dict[str, Any]]) -> list[str]:
    """Every acknowledged case is there once, every silent one at most once, no other at all."""
    there = collections.Counter(
        session.scalars(
            select(tables.ProcessInstance.business_key).where(
                tables.ProcessInstance.parent_id.is_(None)
            )
        )
    )
    asked: dict[str, str] = {}
    ids = collections.defaultdict(set)
    for line in record:
        if line["verb"] == "start" and asked.get(line["number"]) != YES:
            asked[line["number"]] = line["answer"]
        if line["verb"] == "start" and line["answer"] == YES:
            ids[line["number"]].add(line["said"])
    booked = collections.Counter(session.scalars(select(Booking.number)))
    wrong = [f"{n} cases of {number}" for number, n in there.items() if n != 1]
    wrong += [
        f"told as {len(said)} cases: {number}" for number, said in ids.items() if len(said) > 1
    ]
    wrong += [f"nobody opened {number}" for number in there if number not in asked]
    wrong += [
        f"acknowledged but lost: {number}"
        for number, answer in asked.items()
        if answer == YES and not there[number]
    ]
    wrong += [f"booked {booked[number]} times: {number}" for number in there if booked[number] != 1]
    return wrong[:_SHOWN]


def timers(session: Any, facts: Iterable[Any]) -> list[str]:
    """Each of the two waits of a case is over exactly once; no arming fires twice."""
    fired = collections.Counter()
    armings = collections.Counter()
    receipts = collections.Counter()
    for fact in facts:
        if fact.kind == "timer.fired":
            fired[fact.instance_id, fact.activity_id] += 1
            armings[fact.instance_id, fact.activity_id, str(fact.detail)] += 1
        if fact.kind == "message.received":
            receipts[fact.instance_id] += 1
    wrong = [f"fired {n} times: {what}" for what, n in armings.items() if n != 1]
    for case in session.scalars(select(tables.ProcessInstance.id)):
        for wait in ("pause", "notice"):
            if fired[case, wait] != 1:
                wrong.append(f"{wait} fired {fired[case, wait]} times: {case}")
        for beside in ("murmur", "grumble"):
            if fired[case, beside] > CYCLES:
                wrong.append(f"{beside} fired {fired[case, beside]} times: {case}")
        if receipts[case] != 1:
            wrong.append(f"{receipts[case]} receipts taken: {case}")
    return wrong[:_SHOWN]


def outside(session: Any, folder: Path, facts: Iterable[Any]) -> list[str]:
    """The gateway saw every case, each under one key, no key for two."""
    keys = collections.defaultdict(set)
    for line in (folder / "gateway").read_text().splitlines():
        number, key = line.split()
        keys[number].add(key)
    cases = set(session.scalars(select(tables.ProcessInstance.business_key)))
    wrong = [
        f"{len(found)} keys for one hand-over: {n}" for n, found in keys.items() if len(found) != 1
    ]
    wrong += [f"never handed over: {number}" for number in cases - set(keys)]
    wrong += [f"handed over without a case: {number}" for number in set(keys) - cases]
    if len(set().union(*keys.values(), set())) != len(keys):
        wrong.append("one key for two hand-overs")
    performed = collections.Counter(
        fact.instance_id for fact in facts
        if fact.kind == "operation.performed" and fact.activity_id == "hand_over"
    )  # fmt: skip
    wrong += [f"settled {n} times: {case}" for case, n in performed.items() if n != 1]
    return wrong[:_SHOWN]


def letters(session: Any, folder: Path) -> list[str]:
    """Every message to a person went out, and only what was written went out."""
    wrong = []
    for channel, file, written in (
        ("email", "letters", "<{}@example.cn>"),
        ("webhook", "hooks", "{}"),
    ):
        arrived = set((folder / file).read_text().split())
        sent = {
            written.format(one)
            for one in session.scalars(
                select(DeliveryRow.message_id).where(
                    DeliveryRow.status == DeliveryStatus.SENT.value, DeliveryRow.channel == channel
                )
            )
        }
        wrong += [f"marked as sent, never arrived: {channel} {one}" for one in sent - arrived]
        wrong += [f"arrived, not marked as sent: {channel} {one}" for one in arrived - sent]
    waiting = session.scalar(
        select(func.count()).select_from(DeliveryRow)
        .where(DeliveryRow.status != DeliveryStatus.SENT.value)
    )  # fmt: skip
    queued = session.scalar(
        select(func.count()).select_from(tables.OutboxMessage)
        .where(tables.OutboxMessage.status != "sent")
    )  # fmt: skip
    told_of = set(session.scalars(select(MessageRow.source)))
    lost = [one for one in session.scalars(select(tables.OutboxMessage.id)) if one not in told_of]
    wrong += [f"told to nobody: {one}" for one in lost]
    if waiting or queued:
        wrong.append(f"{waiting} letters and {queued} messages never went out")
    return wrong[:_SHOWN]


def leftovers(session: Any) -> list[str]:
    """All have ended, so nothing may be open or armed any more."""
    wrong = [
        f"{case.status}, never ended: {case.title}"
        for case in session.scalars(
            select(tables.ProcessInstance).where(tables.ProcessInstance.status != "completed")
        )
    ]
    for table in (tables.Job, tables.Timer, tables.EventSubscription):
        left = session.scalar(select(func.count()).select_from(table))
        if left:
            wrong.append(f"{left} rows left in {table.__tablename__}")
            some = session.execute(select(*table.__table__.columns).limit(3))
            wrong += [f"left: {dict(row._mapping)}" for row in some]
    opened = session.scalar(
        select(func.count()).select_from(tables.HumanTask).where(tables.HumanTask.is_open == 1)
    )
    if opened:
        wrong.append(f"{opened} open tasks of cases that ended")
    return wrong[:_SHOWN]
