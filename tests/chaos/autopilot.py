"""Everybody of the demo county at work, as fast as the machine allows, from wherever things stand.

The autopilot keeps no plan: it looks at the open tasks and does what the person would do, so it
may be killed and started again at any instruction.  Every completion that was answered is
written to the acknowledgement file afterwards: what stands there must be in the history.
"""

from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import SYSTEM, Actor, ProcessEngine, TravellingClock, errors, tables
from workflows import catalog
from workflows.demo.relief_households import Mark, marked, of_village
from workflows.demo.relief_people import people
from workflows.demo.relief_story import Story, picture
from workflows.domain import bank_account, vault
from workflows.domain.line_states import LineState
from workflows.domain.payout_tables import PayoutBatch
from workflows.domain.roster_tables import RosterLine

THREADS = 3
UPLOADS_AT_ONCE = 2
PRESENT = 7
OUTCOMES = {
    "sign_plan": "approve", "stamp_exception": "stamp", "leader_sign": "approve",
    "county_review": "pass", "county_decide": "approve", "check": "approve", "confirm": "agree",
    "contact": "corrected", "verify": "confirm", "approve_payee": "approve",
    "verify_cash": "confirm", "confirm_cancel": "confirm",
}  # fmt: skip
PHOTOS = {"visit", "post_village", "post_town", "close_village", "close_town", "publish",
          "hand_cash", "contact"}  # fmt: skip
GOOD_ACCOUNT = bank_account.make_card("629898999999999999")


def build(folder: Path, clock: TravellingClock) -> ProcessEngine:
    """The engine of this folder, as a process that starts would build it."""
    vault.configure(b"a key for tests, nothing else")
    return ProcessEngine(
        f"sqlite:///{folder / 'chaos.db'}", clock=clock,
        operations=catalog.operation_modules(), files=folder / "files",
    )  # fmt: skip


class Autopilot:
    """All people at once; `finished` once the county's box is closed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.clock_file = folder / "clock"
        self.clock = TravellingClock(clock_of(self.clock_file))
        self.engine = build(folder, self.clock)
        self.story = Story(self.engine)
        self.acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.failing = marked(Mark.ACCOUNT_MISMATCH).data["head_name"]
        self.lock = threading.Lock()
        self.taken: set[str] = set()

    def run(self) -> None:
        """Work until nothing is open."""
        while not self.finished():
            self._drain()
            busy = self._round()
            self._bank()
            self._object()
            if not busy:
                self._next_day()

    def finished(self) -> bool:
        """Whether the campaign's case has ended."""
        with self.engine.read() as session:
            ended = session.execute(
                select(tables.ProcessInstance.ended_at).where(
                    tables.ProcessInstance.parent_id.is_(None)
                )
            ).scalar_one()
        return ended is not None

    def _round(self) -> bool:
        with self.engine.read() as session:
            found = [
                (row.id, row.activity_id, row.role, row.unit, row.instance_id)
                for row in session.scalars(
                    select(tables.HumanTask).where(tables.HumanTask.is_open == 1)
                )
            ]
        random.Random(f"{self.seed}{len(found)}").shuffle(found)
        done: list[bool] = []
        queue = list(found)

        def work() -> None:
            while True:
                with self.lock:
                    if not queue:
                        return
                    task = queue.pop()
                done.append(self._act(*task))

        workers = [threading.Thread(target=work) for _ in range(THREADS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return any(done)

    def _act(self, task_id: str, activity: str, role: str, unit: str, case: str) -> bool:
        for who in self._holders(role, unit):
            try:
                data = self._prepare(who, task_id, activity, unit, case)
                self.engine.tasks.complete(
                    task_id, who, data, outcome=OUTCOMES.get(activity), key=f"{task_id}-done"
                )
            except (errors.SeparationOfDuties, errors.NotAllowed):
                # Working on it has claimed it for him: somebody else needs it back.
                self._attempt(lambda who=who: self.engine.tasks.release(task_id, who))
                continue
            except errors.Rejected:
                return False
            os.write(self.acknowledged, f"{task_id}\n".encode())
            return True
        return False

    def _holders(self, role: str, unit: str) -> list[Actor]:
        ids = [one.id for one in people() if (one.role, one.unit) == (role, unit)]
        return [self.engine.identity.actor(one) for one in ids]

    def _prepare(
        self, who: Actor, task_id: str, activity: str, unit: str, case: str
    ) -> dict[str, Any]:
        """Everything that is done in the task before it is completed."""
        data: dict[str, Any] = {}
        if activity in PHOTOS:
            picture = self.engine.tasks.attach(
                who, name=f"{activity}.png", content=PICTURE, task_id=task_id
            )
            data["photos"] = [picture.id]
        prepare = getattr(self, f"_{activity}", None)
        if prepare is not None:
            data |= prepare(who, task_id, unit, case) or {}
        return data

    def _perform(self, who: Actor, task_id: str, operation: str, data: dict[str, Any]) -> None:
        self.engine.tasks.perform(task_id, who, operation, data)

    # --- what each activity needs, named as in the diagrams ------------------------------------

    def _register(self, who: Actor, task_id: str, unit: str, _: str) -> None:
        for household in of_village(unit):
            try:
                self._perform(who, task_id, "roster.save_line", dict(household.data))
            except errors.SeparationOfDuties:
                raise
            except errors.Rejected:
                continue  # refused once, or on the list since before the last kill

    def _visit(self, who: Actor, task_id: str, unit: str, _: str) -> dict[str, Any]:
        return {"surveyors": [who.id, self._holders("village_head", unit)[0].id]}

    def _appraise(self, who: Actor, task_id: str, unit: str, _: str) -> None:
        meeting = {
            "held_on": (self.clock.now() + timedelta(hours=8)).date().isoformat(),
            "place": "村委会", "host": who.name, "due_n": 9, "present_n": PRESENT, "attendees": [],
        }  # fmt: skip
        self._perform(who, task_id, "roster.set_meeting", meeting)
        level = {one.data["head_name"]: one.level for one in of_village(unit)}
        for line in self._lines(RosterLine.village == unit, LineState.APPLIED):
            vote: dict[str, Any] = {
                "line": line.id, "agree": PRESENT, "against": 0, "abstain": 0,
                "level": level.get(line.head_name, "一般"), "main_type": line.dis_types[0],
            }  # fmt: skip
            try:
                self._perform(who, task_id, "roster.record_appraisal", vote)
            except errors.SeparationOfDuties:
                raise
            except errors.Rejected:
                vote |= {"agree": 0, "against": PRESENT, "reason": "不在救助范围内"}
                self._perform(who, task_id, "roster.record_appraisal", vote)

    def _state_exception(self, who: Actor, task_id: str, unit: str, _: str) -> None:
        for line in self._lines(RosterLine.village == unit, LineState.APPRAISED):
            if line.exception == "open":
                data = {"line": line.id, "reason": "人均下限与户均上限矛盾", "amount": ""}
                self._perform(who, task_id, "roster.state_exception", data)

    def _post_village(self, *_: object) -> dict[str, Any]:
        return {"places": ["村务公开栏"]}

    _post_town = _publish = _post_village

    def _recheck(self, *_: object) -> dict[str, Any]:
        return {"verdict": "成立剔除", "reply": "经核查情况属实，不再救助"}

    def _town_review(self, who: Actor, task_id: str, *_: object) -> None:
        self._perform(who, task_id, "roster.pass_rest", {})

    def _county_review(self, who: Actor, task_id: str, _: str, case: str) -> None:
        town = (self.engine.runtime.instance(case, SYSTEM).variables or {})["town"]
        for order, line in enumerate(self._lines(RosterLine.town == town, LineState.COUNTY_REVIEW)):
            if line.is_relative or order % 3 == 0:
                data = {"line": line.id, "opinion": "通过", "spot": "入户"}
                self._perform(who, task_id, "roster.county_review_line", data)
        self._perform(who, task_id, "roster.county_pass_rest", {})

    def _contact(self, *_: object) -> dict[str, Any]:
        return {"account_no": GOOD_ACCOUNT}

    def _hand_cash(self, _who: Actor, _task: str, _unit: str, case: str) -> dict[str, Any]:
        line = (self.engine.runtime.instance(case, SYSTEM).variables or {})["line"]
        return {"receiver": self._lines(RosterLine.id == line)[0].head_name}

    def _lines(self, condition: Any, *states: LineState) -> list[RosterLine]:
        with self.engine.read() as session:
            query = select(RosterLine).where(condition)
            if states:
                query = query.where(RosterLine.state.in_([state.value for state in states]))
            found = list(session.scalars(query.order_by(RosterLine.seq)))
            session.expunge_all()
        return found

    # --- the bank, a citizen, the calendar -----------------------------------------------------

    def _bank(self) -> None:
        with self.engine.read() as session:
            handed = list(
                session.scalars(select(PayoutBatch).where(PayoutBatch.status == "handed"))
            )
            session.expunge_all()
        for batch in handed:
            # The same file comes twice at once, and once more when it has been taken.
            uploads = [
                threading.Thread(target=self._upload, args=(batch,)) for _ in range(UPLOADS_AT_ONCE)
            ]
            for upload in uploads:
                upload.start()
            for upload in uploads:
                upload.join()
            self._upload(batch)

    def _upload(self, batch: PayoutBatch) -> None:
        self._attempt(lambda: self.story.bank_returns(batch, self._reason(batch)))

    def _reason(self, batch: PayoutBatch) -> Any:
        failing = {line.id for line in self._lines(RosterLine.head_name == self.failing)}
        return lambda line: "户名不符" if batch.seq == 1 and line in failing else None

    def _object(self) -> None:
        household = marked(Mark.OBJECTION_UPHELD)
        found = self._lines(
            (RosterLine.village == household.village)
            & (RosterLine.head_name == household.data["head_name"]),
            LineState.VILLAGE_NOTICE,
        )
        if found:
            self._attempt(lambda: self.story.object_to(household, "不符合", "该户在县城有商铺"))

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except errors.Rejected:
            return

    def _drain(self) -> None:
        while self.engine.management.run_due():
            continue

    def _next_day(self) -> None:
        """Nobody has anything to do: time passes. The new day is on disk before it begins."""
        later = self.clock.now() + timedelta(hours=12)
        kept = self.clock_file.with_suffix(".new")
        kept.write_text(later.isoformat())
        kept.replace(self.clock_file)
        self.clock.set(later)


def clock_of(file: Path) -> datetime:
    """Where time stood."""
    if file.exists():
        return datetime.fromisoformat(file.read_text())
    return datetime(2026, 1, 4, 1, tzinfo=UTC)


def begin(folder: Path) -> str:
    """An empty county with its campaign and its money; the campaign's id."""
    clock = TravellingClock(clock_of(folder / "clock"))
    engine = build(folder, clock)
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    story = Story(engine)
    story.populate()
    campaign = story.begin()
    engine.close()
    return campaign


PICTURE = picture("evidence")
