"""After a new calendar a job counts open deadlines again: page by page, cut off and gone on with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from engine import SYSTEM, CaseDeadline, PauseRule, ProcessEngine, errors
from engine.execution import recount
from engine.store.instances import ProcessInstance

SNOW = date(2026, 1, 8)  # a Thursday


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """Pages of two rows, so that few cases fill many."""
    monkeypatch.setattr(recount, "PAGE", 2)


def off(office, day=SNOW):
    return office.engine.calendars.import_local(
        SYSTEM, unit=office.county, days={day: ("off", "雪灾停工")}, source="县规〔2026〕1号"
    )


def opened(office, count, deadline="5wd"):
    """So many cases with a task of five working days: due at the end of Monday 12 January."""
    office.deploy(office.user_task("register", deadline=deadline))
    return [office.start() for _ in range(count)]


def listed(office, number):
    found, after = [], ""
    while after is not None:
        rows, after = office.engine.calendars.moved_by(number, after=after, limit=3)
        found += rows
    return found


def due(office, case):
    (task,) = office.engine.worklist.of_instance(case, SYSTEM)
    return task.due_at.isoformat()[:10]


def one_run(office):
    """What one worker does with the job before he looks at others."""
    office.engine.management.run_due()


def test_the_request_counts_nothing_and_the_heartbeat_everything(office):
    cases = opened(office, 5)

    number = off(office)
    before = office.engine.calendars.progress(number)
    assert (before.looked_at, before.moved, before.is_over) == (0, 0, False)
    assert {due(office, case) for case in cases} == {"2026-01-12"}
    office.travel()

    after = office.engine.calendars.progress(number)
    assert (after.looked_at, after.total, after.moved, after.is_over) == (5, 5, 5, True)
    assert {due(office, case) for case in cases} == {"2026-01-13"}
    assert [
        (one.kind, str(one.before)[:10], str(one.after)[:10]) for one in listed(office, number)
    ] == [("task", "2026-01-12", "2026-01-13")] * 5
    assert office.engine.calendars.versions()[0].moved == 5


def test_progress_is_told_while_it_lasts(office, monkeypatch):
    monkeypatch.setattr("engine.services.calendars_recounts.MOVED_AT_ONCE", 2)
    opened(office, 5)
    number = off(office)
    told = []
    for _ in range(8):
        one_run(office)
        seen = office.engine.calendars.progress(number)
        told.append((seen.looked_at, seen.moved, seen.is_over))

    assert told[:3] == [(2, 2, False), (4, 4, False), (5, 5, True)]
    assert told[-1] == (5, 5, True)


def test_tasks_timers_and_cases_are_all_looked_at(office):
    beside = office.timer_beside("register", "late", "5wd", interrupting=False)
    office.deploy(
        office.user_task("register", deadline="5wd", beside=beside),
        case_deadline=CaseDeadline(deadline="5wd"),
    )
    for _ in range(3):
        office.start()

    number = off(office)
    office.travel()

    assert sorted(one.kind for one in listed(office, number)) == (
        ["case"] * 3 + ["task"] * 3 + ["timer"] * 3
    )
    seen = office.engine.calendars.progress(number)
    assert (seen.looked_at, seen.total, seen.moved) == (9, 9, 9)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_process_killed_in_the_middle_is_gone_on_for_and_nothing_is_counted_twice(
    office, store_url, monkeypatch, after
):
    cases = opened(office, 5)
    number = off(office)
    moved = recount._task_moved
    seen = []

    def killed(work, row, order):
        seen.append(row.id)
        if len(seen) == after:
            raise KeyboardInterrupt
        return moved(work, row, order)

    monkeypatch.setattr(recount, "_task_moved", killed)
    with pytest.raises(KeyboardInterrupt):
        office.engine.management.run_due()
    monkeypatch.setattr(recount, "_task_moved", moved)
    office.engine.close()
    office.engine = ProcessEngine(store_url, clock=office.clock)
    office.travel()

    assert {due(office, case) for case in cases} == {"2026-01-13"}
    assert len(listed(office, number)) == 5
    assert len({one.task_id for one in listed(office, number)}) == 5
    told = office.engine.calendars.progress(number)
    assert (told.looked_at, told.moved, told.is_over) == (5, 5, True)
    for case in cases:
        assert office.kinds(case).count("task.due_changed") == 1


def test_two_workers_at_once_count_each_row_once(office, store_url, monkeypatch):
    cases = opened(office, 5)
    number = off(office)
    beside = ProcessEngine(store_url, clock=office.clock)
    beside.calendars.apply()
    page, inside = recount.Recount.page, []

    def overtaken(self, order, place):
        if not inside:
            inside.append(True)
            while beside.management.run_due():
                pass
        return page(self, order, place)

    monkeypatch.setattr(recount.Recount, "page", overtaken)
    office.travel()

    assert len(listed(office, number)) == 5
    told = office.engine.calendars.progress(number)
    assert (told.looked_at, told.moved, told.is_over) == (5, 5, True)
    for case in cases:
        assert office.kinds(case).count("task.due_changed") == 1
    beside.close()


def test_what_another_process_opened_by_the_old_calendar_is_counted_again(office, store_url):
    office.deploy(office.user_task("register", deadline="5wd"))
    beside = ProcessEngine(store_url, clock=office.clock)
    beside.calendars.apply()
    number = off(office)
    office.travel(seconds=10)
    case = beside.runtime.start("case", SYSTEM, region=office.village, title="晚到")
    assert due(office, case) == "2026-01-12"

    office.travel(minutes=4)

    assert due(office, case) == "2026-01-13"
    assert [one.instance_id for one in listed(office, number)] == [case]
    assert office.engine.calendars.versions()[0].moved == 1
    beside.close()


def test_a_second_import_takes_over_from_the_first(office, monkeypatch):
    monkeypatch.setattr("engine.services.calendars_recounts.MOVED_AT_ONCE", 2)
    cases = opened(office, 5)
    first = off(office)
    one_run(office)

    second = off(office, date(2026, 1, 9))  # replaces what the county had before
    office.travel(minutes=5)

    assert office.engine.calendars.progress(first).is_over
    assert office.engine.calendars.progress(second).is_over
    assert {due(office, case) for case in cases} == {"2026-01-13"}
    # Two moved by the first version; the second counts them alike and moves the other three.
    assert len(listed(office, first)) == 2
    assert len(listed(office, second)) == 3


def test_a_case_that_cannot_be_counted_again_says_so_and_holds_up_no_other(office, monkeypatch):
    cases = opened(office, 4)
    moved = recount._task_moved

    def broken(work, row, order):
        if work.instance.id == cases[1]:
            raise errors.ModelFault("没有这一年的日历")
        return moved(work, row, order)

    monkeypatch.setattr(recount, "_task_moved", broken)
    number = off(office)
    office.travel()

    assert office.engine.calendars.progress(number).moved == 3
    (incident,) = office.engine.management.incidents(SYSTEM)
    assert incident.instance_id == cases[1]
    assert "没有这一年的日历" in incident.message


def test_a_case_that_cannot_be_read_is_shown_and_holds_up_no_other(office):
    cases = opened(office, 5)
    with office.engine.database.write() as tx:
        spoil = update(ProcessInstance).where(ProcessInstance.id == cases[1])
        tx.execute(spoil.values(state=b"\xffjunk"))

    number = off(office)
    office.travel()

    told = office.engine.calendars.progress(number)
    assert (told.looked_at, told.moved, told.is_over) == (5, 4, True)
    (incident,) = office.engine.management.incidents(SYSTEM)
    assert (incident.instance_id, incident.attempts) == (cases[1], 0)


def test_a_paused_timer_is_not_listed_and_not_let_go(office):
    beside = office.timer_beside("register", "late", "5wd", interrupting=False)
    rule = PauseRule(key="recheck", title="复核", timers=("late",))
    office.deploy(office.user_task("register", beside=beside), pauses={"recheck": rule})
    case = office.start()
    office.engine.deadlines.pause_case(case, office.actor("chen"), reason="recheck", note="核")

    number = off(office)
    office.travel(days=20)

    assert listed(office, number) == []
    assert "timer.fired" not in office.kinds(case)


def test_the_job_is_over_when_all_is_counted(office):
    opened(office, 1)
    off(office)
    office.travel(minutes=10)

    due_next = office.engine.management.next_due()

    assert due_next is not None
    assert due_next - office.clock.now() > timedelta(days=1)  # the reminder of the task only
