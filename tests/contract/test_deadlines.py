"""When a task is due by the working calendar, and who hears when it is late."""

from __future__ import annotations

from datetime import date

import pytest

from engine import SYSTEM, WorkingCalendar, operation


@operation("plan.extend")
def extend(context, data):
    context.set_due("register", date(2026, 2, 27), "经批准延期")
    return {}


def _due(office, deadline, **variables):
    office.deploy(office.user_task("register", deadline=deadline), key="timed")
    office.start("timed", **variables)
    return office.task("wang")


@pytest.mark.parametrize(
    ("deadline", "due"),
    [
        ("5wd", "2026-01-12T16:00"),  # Monday 5 Jan + 5 working days: the end of Monday 12 Jan
        ("7d", "2026-01-12T16:00"),
        ("PT24H", "2026-01-06T01:00"),
        ("P3D", "2026-01-08T01:00"),
        ("=date(&quot;2026-01-20&quot;)", "2026-01-20T16:00"),
        ("=limit", "2026-01-06T16:00"),
    ],
)
def test_it_counts_as_the_law_counts(office, deadline, due):
    task = _due(office, deadline, limit="1d")

    assert task.due_at.isoformat()[:16] == due


def test_it_says_how_it_counted(office):
    task = _due(office, "5wd")

    assert "2026年1月5日当日不计" in task.due_note


def test_it_counts_working_days_over_the_spring_festival(office):
    office.travel(days=(date(2026, 2, 14) - date(2026, 1, 5)).days)

    task = _due(office, "5wd")

    assert task.due_at.isoformat()[:10] == "2026-02-28"


def test_each_rung_of_the_ladder_is_climbed_once_and_in_order(office):
    task = _due(office, "5wd")
    office.messages()

    office.travel(days=30)

    late = [fact.kind for fact in office.facts(task.instance_id) if fact.kind.startswith("task.")]
    assert late == ["task.opened", "task.reminded", "task.overdue", "task.urged"]
    assert office.messages() == [
        ("task_reminder", f"clerk@{office.village}"),
        ("task_overdue", f"clerk@{office.village}"),
        ("task_overdue", f"head@{office.village}"),
        ("task_urged", f"clerk@{office.town}"),
    ]


def test_it_reminds_the_owner_once_there_is_one(office):
    task = _due(office, "5wd")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    office.messages()

    office.travel(days=6.5)

    assert office.messages() == [("task_reminder", "wang")]


def test_a_task_that_is_done_in_time_is_not_urged(office):
    task = _due(office, "5wd")

    office.complete("wang", "register")
    office.travel(days=30)

    assert "task.overdue" not in office.kinds(task.instance_id)
    assert office.engine.management.next_due() is None


def test_the_next_rung_is_one_working_day_after_the_last_day_in_time(office):
    task = _due(office, "4wd")  # due at the end of Friday 9 January
    office.travel(days=30)

    urged = next(fact for fact in office.facts(task.instance_id) if fact.kind == "task.urged")
    assert urged.at.isoformat()[:16] == "2026-01-12T16:00"


def test_an_operation_moves_the_due_date_and_the_ladder_with_it(open_on):
    office = open_on(extend)
    office.deploy(office.user_task("register", deadline="5wd", actions="plan.extend"), key="timed")
    office.start("timed")
    task = office.task("wang")

    office.engine.tasks.perform(task.id, office.actor("wang"), "plan.extend", {})

    moved = office.see(task.id)
    assert moved.due_at.isoformat()[:16] == "2026-02-27T16:00"
    assert "经批准延期" in moved.due_note
    office.travel(days=20)
    assert "task.overdue" not in office.kinds(task.instance_id)


def test_nonsense_is_an_incident_that_can_be_mended(office):
    office.deploy(office.user_task("register", deadline="=limit"), key="timed")

    case = office.start("timed", limit="demnächst")

    assert office.engine.worklist.page(office.actor("wang")).rows == ()
    (incident,) = office.engine.management.incidents(SYSTEM)
    office.engine.management.retry(incident.id, SYSTEM, {"limit": "5wd"})
    assert office.status(case) == "active"
    assert office.task("wang").due_at.isoformat()[:10] == "2026-01-12"


def test_open_deadlines_are_counted_again_when_the_calendar_changes(office):
    task = _due(office, "5wd")
    office.engine.replace_calendar(
        WorkingCalendar.default().with_local_days("349898000000", [date(2026, 1, 8)])
    )

    moved = office.engine.management.recount()

    assert moved == 1
    assert office.see(task.id).due_at.isoformat()[:16] == "2026-01-13T16:00"
    assert office.kinds(task.instance_id)[-1] == "task.due_changed"
    office.travel(days=8.5)
    assert "task.overdue" not in office.kinds(task.instance_id)


def test_timers_in_working_days_are_counted_again_too(office):
    office.deploy(
        office.user_task(
            "register", beside=office.timer_beside("register", "late", "5wd", interrupting=False)
        )
    )
    office.start()
    office.engine.replace_calendar(
        WorkingCalendar.default().with_local_days("349898000000", [date(2026, 1, 8)])
    )

    assert office.engine.management.recount() == 1
    assert office.engine.management.next_due().isoformat()[:16] == "2026-01-13T16:00"


def test_a_due_date_set_by_hand_is_not_counted_again(open_on):
    office = open_on(extend)
    office.deploy(office.user_task("register", deadline="5wd", actions="plan.extend"), key="timed")
    office.start("timed")
    task = office.task("wang")
    office.engine.tasks.perform(task.id, office.actor("wang"), "plan.extend", {})

    assert office.engine.management.recount() == 0
