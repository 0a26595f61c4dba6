"""What breaks is contained: a lost connection, a poisoned timer, an operation that cheats."""

from __future__ import annotations

from collections import Counter

import pytest
from psycopg import OperationalError
from sqlalchemy import create_engine, text, update
from sqlalchemy.pool import NullPool

from engine import SYSTEM, BusinessError, errors, operation, tables
from engine.execution import job_executor

kept = []


@operation("lines.keep")
def keep_context(context, data):
    kept.append(context)
    if data.get("fail"):
        raise BusinessError("NO", "不行")
    return {}


@operation("lines.return_nonsense")
def return_nonsense(context, data):
    return {"when": object()}


@operation("lines.write_then_fail")
def write_then_fail(context, data):
    context.session.add(
        tables.Participant(
            id="ghost", name="幽灵", login="ghost", active=True, created_at=context.now
        )
    )
    context.session.flush()
    if data.get("fail"):
        raise errors.InvalidInput("有误", {"line": "有误"})
    return {}


def test_a_lost_connection_fails_once_and_the_next_call_works(office, store_url):
    if store_url.startswith("sqlite"):
        pytest.skip("a file does not hang up")
    office.deploy(office.user_task("register"))
    office.start()
    task, wang = office.task("wang"), office.actor("wang")
    with create_engine(store_url, poolclass=NullPool).connect() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    with pytest.raises(OperationalError):
        office.engine.tasks.complete(task.id, wang, {})
    office.engine.tasks.complete(task.id, wang, {})

    assert office.see(task.id).status == "Completed"


def test_a_poisoned_timer_is_pushed_ahead_then_becomes_one_incident(office, monkeypatch):
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "PT1H", interrupting=False)
        )
    )
    case = office.start()

    def broken(work, timer):
        raise ZeroDivisionError("poison")

    monkeypatch.setattr(job_executor.JobExecutor, "_fire_taken", staticmethod(broken))
    office.travel(days=2)
    monkeypatch.undo()

    (incident,) = office.engine.management.incidents(SYSTEM)
    assert "poison" in incident.message
    assert "timer.fired" not in office.kinds(case)
    office.engine.management.retry(incident.id, SYSTEM)
    office.engine.management.run_due()
    assert Counter(office.kinds(case))["timer.fired"] == 1
    assert office.status(case) == "active"


def test_what_an_operation_wrote_goes_with_the_refusal(open_on):
    office = open_on(write_then_fail)
    office.deploy(office.user_task("register", operation="lines.write_then_fail"))
    office.start()
    task, wang = office.task("wang"), office.actor("wang")

    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.complete(task.id, wang, {"fail": True})
    assert office.engine.identity.by_login("ghost") is None
    office.engine.tasks.complete(task.id, wang, {})
    assert office.engine.identity.by_login("ghost") is not None


def test_an_operation_cannot_use_its_context_afterwards(open_on):
    office = open_on(keep_context)
    office.deploy(office.user_task("register", operation="lines.keep"))
    office.start()
    office.complete("wang")

    with pytest.raises(errors.Broken):
        _ = kept[-1].session


def test_an_operation_that_refused_cannot_use_its_context_either(open_on):
    office = open_on(keep_context)
    office.deploy(office.user_task("register", operation="lines.keep"))
    office.start()
    with pytest.raises(errors.InvalidState):
        office.complete("wang", fail=True)

    with pytest.raises(errors.Broken):
        _ = kept[-1].session


def test_a_value_that_no_variable_can_hold_is_refused_whole(open_on):
    office = open_on(return_nonsense)
    office.deploy(office.user_task("register", operation="lines.return_nonsense"))
    office.start()
    task = office.task("wang")

    with pytest.raises(errors.Incident):
        office.engine.tasks.complete(task.id, office.actor("wang"), {})

    assert office.see(task.id).status == "Ready"


def test_a_job_that_nobody_ran_is_found_by_the_heartbeat(office):
    office.deploy(office.user_task("inner"), key="child")
    office.deploy(
        office.call("child"),
        key="parent",
    )
    commands = office.engine.management._commands
    drain, commands.drain = commands.drain, lambda _jobs: None
    office.start("parent")
    commands.drain = drain
    assert office.engine.worklist.page(office.actor("wang")).rows == ()

    office.engine.management.run_due()

    assert office.task("wang").activity_id == "inner"


def test_a_state_over_a_kilobyte_is_compressed_and_read_again(office):
    office.deploy(office.user_task("one"), office.user_task("two"))
    case = office.start(note="长" * 5000)

    office.complete("wang")

    assert office.engine.runtime.instance(case, SYSTEM).variables["note"] == "长" * 5000
    with office.engine.read() as session:
        (stored,) = session.execute(text("SELECT length(state) FROM process_instance")).one()
    assert stored < 1000


def test_a_foreign_write_between_read_and_write_is_never_overwritten(office):
    office.deploy(office.user_task("one"), office.user_task("two"))
    case = office.start()
    wang = office.actor("wang")
    task = office.task("wang")
    seen = []

    def meddle(work, row):
        seen.append(work.instance.loaded_revision)
        if len(seen) == 1:
            work.tx.execute(
                update(tables.ProcessInstance)
                .where(tables.ProcessInstance.id == case)
                .values(revision=tables.ProcessInstance.revision + 1)
            )

    office.engine.tasks._commands.on_task(task.id, wang, meddle)

    assert len(seen) == 2
