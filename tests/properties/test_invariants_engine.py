"""Inv-5, 7, 13, 16: whoever does whatever when, duties stay separate, the trail holds, time is kept."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine import SYSTEM, ProcessEngine, errors, operation, tables
from tests.conftest import TOWN, VILLAGE, Office, timer_beside, user_task

QUICK = settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
CAST = ("wang", "li", "zhao", "qian", "chen", "sun")
_NUMBERS = itertools.count()


@operation("desk.kin")
def kin(_context: Any, _data: Any) -> dict[str, list[str]]:
    """Who is related to the applicant: always Li."""
    return {"participants": ["li"]}


class Opened:
    """An office in a folder of its own."""

    def __enter__(self) -> Office:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.url = f"sqlite:///{path / 'office.db'}"
        self.office = Office(self.url, path / "files", (kin,))
        return self.office

    def __exit__(self, *_: object) -> None:
        self.office.engine.close()
        self.folder.cleanup()


# --- Inv-5: separation of duties ---------------------------------------------------------------

VERBS = (
    "claim", "release", "start", "complete", "complete", "complete", "delegate", "nominate",
    "forward", "return", "skip", "fail", "perform", "substitute", "suspend", "resume",
)  # fmt: skip
MOVES = st.lists(
    st.tuples(
        st.sampled_from(CAST), st.sampled_from(VERBS), st.sampled_from(CAST), st.integers(0, 3)
    ),
    min_size=10,
    max_size=60,
)


def chain(office: Office) -> str:
    """Register, review by another who is no kin, approve by a third; returns lead back."""
    for person in ("wang", "zhao"):
        office.engine.identity.assign_seat(person, "approver", VILLAGE)
    office.deploy(
        user_task("register"),
        user_task("review", differentFrom="register", excludedBy="desk.kin", returns="register"),
        user_task("approve", "approver", differentFrom="register review", returns="review"),
    )
    return office.start()


def move(office: Office, case: str, who: str, verb: str, other: str, which: int) -> None:
    """One person tries one verb on one open task of the case."""
    engine, actor = office.engine, office.actor(who)
    if verb == "substitute":
        today = date(2026, 1, 5)
        engine.identity.substitute(other, who, today, today, by=SYSTEM)
        return
    found = tables.HumanTask.__table__
    with engine.read() as session:
        rows = session.execute(
            select(found.c.id).where(found.c.instance_id == case, found.c.is_open == 1)
        ).all()
    if not rows:
        return
    task = rows[which % len(rows)].id
    tasks = engine.tasks
    verbs = {
        "claim": lambda: tasks.claim(task, actor),
        "release": lambda: tasks.release(task, actor),
        "start": lambda: tasks.start(task, actor),
        "complete": lambda: tasks.complete(task, actor, {}),
        "delegate": lambda: tasks.delegate(task, actor, other),
        "nominate": lambda: tasks.nominate(task, actor, other),
        "forward": lambda: tasks.forward(task, actor, unit=(VILLAGE, TOWN)[which % 2]),
        "return": lambda: engine.runtime.return_to(
            task, ("register", "review")[which % 2], actor, "补正"
        ),
        "skip": lambda: tasks.skip(task, actor, reason="急"),
        "fail": lambda: tasks.fail(task, actor, reason="病"),
        "perform": lambda: tasks.perform(task, actor, "desk.kin"),
        "suspend": lambda: tasks.suspend(task, actor, reason="等"),
        "resume": lambda: tasks.resume(task, actor),
    }
    verbs[verb]()


def holds(office: Office, who: str, role: str, unit: str) -> bool:
    return office.actor(who).holds(role, unit)


def assert_duties_stay_separate(office: Office, case: str) -> None:
    with office.engine.read() as session:
        done = [
            row
            for row in session.execute(select(tables.HumanTask.__table__)).all()
            if row.instance_id == case and row.status == "Completed"
        ]
    done.sort(key=lambda row: (row.completed_at, row.id))
    earlier: dict[str, set[str]] = {"register": set(), "review": set(), "approve": set()}
    duties = {"review": ("register",), "approve": ("register", "review")}
    for row in done:
        who = row.completed_by
        for activity in duties.get(row.activity_id, ()):
            assert who not in earlier[activity], f"{who} did {activity} and {row.activity_id}"
        if row.activity_id == "review":
            assert who != "li", "kin of the applicant decided"
        assert holds(office, who, row.role, row.unit) or any(
            seat.instead_of == row.owner for seat in office.actor(who).seats
        ), f"{who} has no seat for {row.activity_id}"
        earlier[row.activity_id].add(who)
    with office.engine.read() as session:
        statuses = {
            (row.activity_id, row.status)
            for row in session.execute(select(tables.HumanTask.__table__)).all()
        }
    assert ("review", "Obsolete") not in statuses, "a checking step was skipped"
    assert ("approve", "Obsolete") not in statuses, "a checking step was skipped"


@QUICK
@given(moves=MOVES)
def test_nobody_ever_does_what_duties_keep_from_him(moves):
    with Opened() as office:
        case = chain(office)
        for one in moves:
            with contextlib.suppress(errors.Rejected):
                move(office, case, *one)
            # Time passes: facts of one instant would have no order.
            office.clock.advance(timedelta(seconds=1))
        assert_duties_stay_separate(office, case)
        assert office.engine.history.verify() == []


def test_the_chain_can_be_done_by_three_people():
    with Opened() as office:
        case = chain(office)
        office.engine.identity.assign_seat("zhao", "clerk", VILLAGE)
        for who, activity in (("wang", "register"), ("zhao", "review"), ("li", "approve")):
            office.complete(who, activity)

        assert office.status(case) == "completed"
        assert_duties_stay_separate(office, case)


def test_who_left_his_seat_does_nothing_more_by_it(office):
    office.deploy(user_task("register"))
    office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    (seat,) = office.engine.identity.participant("wang").seats
    office.engine.identity.end_seat(seat.id)

    for verb in ("complete", "start", "release"):
        with pytest.raises((errors.NotAllowed, errors.NotFound)):
            getattr(office.engine.tasks, verb)(task.id, office.actor("wang"))

    office.engine.tasks.nominate(task.id, office.actor("zhao"), "li")
    office.complete("li")


# --- Inv-7: the trail --------------------------------------------------------------------------


@QUICK
@given(data=st.data())
def test_any_change_of_any_field_of_any_fact_is_found(data):
    fact = tables.HistoryFact.__table__
    with Opened() as office:
        office.deploy(user_task("register"), user_task("approve", "approver"))
        cases = [office.start(), office.start()]
        office.complete("wang", "register", amount=3, reason="急")
        assert office.engine.history.verify() == []
        with office.engine.database.engine.connect() as connection:
            rows = connection.execute(select(fact)).mappings().all()
        row = data.draw(st.sampled_from(rows))
        column = data.draw(st.sampled_from(sorted(fact.c.keys())))
        old = row[column]
        changed = {
            "sequence": 99, "at": row["at"] + timedelta(seconds=1), "hash": bytes(32),
            "instance_id": next(one for one in cases if one != row["instance_id"]),
        }.get(column, f"{old or ''}x")  # fmt: skip
        if column == "instance_id":
            changed = "nobody"
        with contextlib.suppress(Exception), office.engine.database.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.execute(
                update(fact)
                .where(fact.c.instance_id == row["instance_id"], fact.c.sequence == row["sequence"])
                .values({column: changed})
            )
        with office.engine.database.engine.connect() as connection:
            same = connection.execute(select(fact)).mappings().all() == rows
        assert same or office.engine.history.verify(), f"{column} of {row['kind']}"


# --- Inv-13: due work --------------------------------------------------------------------------

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), st.integers(0, 2)),
        st.tuples(st.just("clock"), st.integers(-5, 9)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("run"), st.integers(0, 1)),
        st.tuples(st.just("suspend"), st.integers(0, 5)),
        st.tuples(st.just("resume"), st.integers(0, 5)),
        st.tuples(st.just("recount"), st.none()),
    ),
    min_size=5,
    max_size=25,
)


class Clockwork:
    """Cases that wait for timers, and two engines on one database that both look at the clock."""

    def __init__(self, office: Office, url: str, folder: Path) -> None:
        self.office, self.url, self.folder = office, url, folder
        self.cases: list[str] = []
        self.suspended: set[str] = set()
        self.engines = [self.opened(), self.opened()]
        office.deploy(
            user_task(
                "register", beside=timer_beside("register", "late", "P3D", interrupting=False)
            )
        )
        office.deploy(
            user_task("work", beside=timer_beside("work", "late", "2wd", interrupting=False)),
            key="other",
        )

    def opened(self) -> ProcessEngine:
        return ProcessEngine(self.url, clock=self.office.clock, files=self.folder)

    def do(self, what: str, which: int | None) -> None:
        getattr(self, what)(which)

    def arm(self, which: int) -> None:
        self.cases.append(self.office.start(("case", "case", "other")[which]))

    def clock(self, days: int) -> None:
        self.office.clock.advance(timedelta(days=days))

    def restart(self, _: None) -> None:
        self.engines[0].close()
        self.engines[0] = self.opened()

    def run(self, which: int) -> None:
        self.engines[which].management.run_due()

    def suspend(self, which: int) -> None:
        case = self.cases[which % len(self.cases)]
        self.engines[0].runtime.suspend(case, SYSTEM, "核查")
        self.suspended.add(case)
        self.before = self.fired()

    def resume(self, which: int) -> None:
        case = self.cases[which % len(self.cases)]
        self.engines[1].runtime.resume(case, SYSTEM)
        self.suspended.discard(case)

    def recount(self, _: None) -> None:
        self.engines[1].management.recount()

    def fired(self) -> Counter[str]:
        return Counter(
            {case: Counter(self.office.kinds(case))["timer.fired"] for case in self.cases}
        )


@QUICK
@given(events=EVENTS)
def test_every_due_timer_fires_exactly_once(events):
    with Opened() as office, tempfile.TemporaryDirectory() as folder:
        url = str(office.engine.database.engine.url)
        clockwork = Clockwork(office, url, Path(folder))
        frozen: dict[str, int] = {}
        for what, which in events:
            with contextlib.suppress(errors.Rejected, ZeroDivisionError):
                clockwork.do(what, which)
            fired = clockwork.fired()
            assert max(fired.values(), default=0) <= 1, "a timer fired twice"
            for case in list(frozen):
                if case in clockwork.suspended:
                    assert fired[case] == frozen[case], "a suspended case went on"
                else:
                    del frozen[case]
            frozen |= {case: fired[case] for case in clockwork.suspended if case not in frozen}
        for case in clockwork.suspended:
            office.engine.runtime.resume(case, SYSTEM)
        office.clock.advance(timedelta(days=400))
        for engine in [*clockwork.engines, *clockwork.engines]:
            while engine.management.run_due():
                pass
        assert all(count == 1 for count in clockwork.fired().values()), "a timer was lost"
        for engine in clockwork.engines:
            engine.close()


# --- Inv-16: nobody's task is invisible --------------------------------------------------------

SEATS = st.lists(
    st.tuples(
        st.sampled_from(["start", "complete", "hire", "end", "claim", "day", "refresh"]),
        st.sampled_from(["wang", "li", "zhao"]),
        st.sampled_from(["clerk", "approver"]),
    ),
    min_size=5,
    max_size=25,
)


@QUICK
@given(changes=SEATS)
def test_every_open_task_has_a_living_holder_or_is_on_the_list_of_the_unattended(changes):
    with Opened() as office:
        identity = office.engine.identity
        office.deploy(user_task("register"), user_task("approve", "approver"))
        for what, who, role in changes:
            with contextlib.suppress(errors.Rejected, AssertionError):
                if what == "start":
                    office.start()
                elif what == "hire":
                    identity.assign_seat(who, role, VILLAGE)
                elif what == "end":
                    for seat in identity.participant(who).seats:
                        if seat.role == role and seat.until is None:
                            identity.end_seat(seat.id)
                elif what == "claim":
                    office.engine.tasks.claim(office.task(who).id, office.actor(who))
                elif what == "complete":
                    office.complete(who)
                elif what == "day":
                    office.clock.advance(timedelta(days=1))
                else:
                    office.clock.advance(timedelta(minutes=2))
                    office.engine.management.run_due()
        office.clock.advance(timedelta(minutes=2))
        office.engine.management.run_due()
        watched = {row.id for row in office.engine.worklist.unattended(office.actor("chen")).rows}
        with office.engine.read() as session:
            tasks = session.execute(
                select(tables.HumanTask.__table__).where(tables.HumanTask.is_open == 1)
            ).all()
        for task in tasks:
            able = {one.id for one in identity.holders(task.role, task.unit)}
            attended = task.owner in able if task.owner else bool(able)
            assert attended or task.id in watched, f"{task.activity_id} of {task.owner} is lost"
