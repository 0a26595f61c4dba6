"""Timers of one instant are fired some at a time: one that fails takes none of them with it."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import update

from engine.execution.job_executor import TIMERS_TOGETHER
from engine.store import timers
from engine.store.instances import ProcessInstance
from engine.store.transaction import Transaction

NUMBER = 2 * TIMERS_TOGETHER + 3


def cases(office):
    office.deploy(
        office.user_task(
            "register",
            beside=office.timer_beside("register", "late", "P3D", interrupting=False)
            + office.timer_beside("register", "later", "P3D", interrupting=False),
        )
    )
    return [office.start(name=f"户{number}") for number in range(NUMBER)]


def fired(office, each):
    return [Counter(office.kinds(case))["timer.fired"] for case in each]


def test_each_timer_fires_once_however_many_go_together(office):
    each = cases(office)

    office.travel(days=3.1)

    assert fired(office, each) == [2] * NUMBER


def test_one_commit_serves_several_timers_where_there_is_one_writer(office, store_url, monkeypatch):
    cases(office)
    commits, commit = [], Transaction.commit
    monkeypatch.setattr(Transaction, "commit", lambda tx: (commits.append(tx), commit(tx))[1])

    office.travel(days=3.1)

    timers_fired = 2 * NUMBER
    if store_url.startswith("sqlite"):
        assert len(commits) < timers_fired / 3
    else:
        assert len(commits) >= timers_fired


def test_a_case_that_cannot_go_on_holds_up_none_of_those_fired_with_it(office):
    each = cases(office)
    table = ProcessInstance.__table__
    with office.engine.database.write() as tx:
        tx.execute(update(table).where(table.c.id == each[4]).values(state=b"\x00nonsense"))

    office.travel(days=3.1)

    assert fired(office, each[:4] + each[5:]) == [2] * (NUMBER - 1)
    with office.engine.database.read() as tx:
        left = tx.rows(timers.OF_INSTANCE, {"instance_id": each[4]})
    assert len(left) == 2
    assert all(row.attempts > 0 and row.due_at > office.clock.now() for row in left)
