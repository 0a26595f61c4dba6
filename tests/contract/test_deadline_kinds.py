"""Every kind of clock the law or an office knows: office hours, minutes, other steps, local days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import SYSTEM, ProcessEngine, WorkingCalendar, errors
from tests.contract.clocked_tasks import due_of


@pytest.mark.parametrize(
    ("deadline", "due"),
    [
        ("4wh", "2026-01-05T06:30"),  # 09:00-12:00 and 13:30-14:30 in Shanghai
        ("8wh", "2026-01-06T02:00"),  # seven hours today, one tomorrow
        ("90wm", "2026-01-05T02:30"),
        ("PT15M", "2026-01-05T01:15"),
        ("5d", "2026-01-12T16:00"),  # 10 January is a Saturday: the last day moves to Monday
        ("2026-01-10", "2026-01-10T16:00"),  # a date somebody set does not move
    ],
)
def test_it_counts(office, deadline, due):
    assert due_of(office, deadline).due_at.isoformat()[:16] == due


def test_office_hours_rest_on_days_off(office):
    office.travel(days=4, hours=7.5)  # Friday, half past four

    assert due_of(office, "4wh").due_at.isoformat()[:16] == "2026-01-12T04:00"


def test_a_county_has_hours_and_half_days_of_its_own(office):
    office.engine.calendars.import_local(
        SYSTEM,
        unit=office.county,
        days={date(2026, 1, 5): ("half", "本地节日")},
        hours=("08:00-12:00", "14:00-18:00"),
    )

    task = due_of(office, "4wh")

    # Three hours until noon, the afternoon is off, the fourth is Tuesday's first.
    assert task.due_at.isoformat()[:16] == "2026-01-06T01:00"
    assert task.calendar_version == "cn-2026.1"


def test_it_counts_from_another_step(office):
    office.deploy(
        office.user_task("register"),
        office.user_task("visit"),
        office.user_task("decide", deadline="10wd after register"),
    )
    office.start()
    office.complete("wang", "register")
    office.travel(days=3)
    office.complete("wang", "visit")

    task = office.task("wang", "decide")

    assert task.due_at.isoformat()[:16] == "2026-01-19T16:00"
    assert task.due_note.startswith("自“环节register”办结起算")
    clock = office.engine.deadlines.of_task(task.id, office.actor("wang"))
    assert clock.sum.line == "收件日2026年1月5日 + 10个工作日 = 2026年1月19日24:00"


def test_it_refuses_to_publish_a_count_from_a_step_that_is_not_there(office):
    with pytest.raises(errors.Rejected, match="nowhere"):
        due_of(office, "10wd after nowhere")


def test_a_provisional_year_is_marked_in_every_due_date_it_touches(office):
    office.travel(days=(date(2026, 12, 28) - date(2026, 1, 5)).days)

    task = due_of(office, "10wd")

    assert "暂定" in task.due_note
    clock = office.engine.deadlines.of_task(task.id, office.actor("wang"))
    assert clock.sum.line.endswith("（暂定）")
    assert clock.sum.provisional


# --- calendars -----------------------------------------------------------------------------------

YEAR_2027 = (
    '{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true},'
    ' {"name": "元旦", "date": "2027-01-02", "isOffDay": true},'
    ' {"name": "元旦", "date": "2027-01-03", "isOffDay": true},'
    ' {"name": "元旦", "date": "2027-01-04", "isOffDay": true},'
    ' {"name": "元旦", "date": "2027-01-09", "isOffDay": false}]}'
)


def test_the_notice_of_a_year_moves_open_due_dates_and_lists_them(office):
    office.travel(days=(date(2026, 12, 28) - date(2026, 1, 5)).days)
    task = due_of(office, "5wd")  # 29, 30, 31 December, 4, 5 January: provisional
    untouched = due_of(office, "2wd")

    number = office.engine.calendars.import_year(SYSTEM, YEAR_2027, source="国办发明电〔2026〕7号")
    # The request only keeps it: who counts again is the heartbeat.
    assert office.see(task.id).due_at.isoformat()[:10] == "2027-01-05"
    assert not office.engine.calendars.progress(number).is_over
    office.travel()

    moved, more = office.engine.calendars.moved_by(number)
    assert more is None
    assert [(one.task_id, one.before.isoformat()[:10], one.after.isoformat()[:10]) for one in moved] \
        == [(task.id, "2027-01-05", "2027-01-06")]  # fmt: skip
    (version,) = office.engine.calendars.versions()
    assert (version.about, version.source, version.moved) == ("2027", "国办发明电〔2026〕7号", 1)
    again = office.see(task.id)
    assert "暂定" not in again.due_note
    assert again.calendar_version == "cn-2026.1"
    # Looked at and found right: it is the new version that says so.
    assert office.see(untouched.id).calendar_version == "cn-2026.1"


def test_another_process_counts_by_the_new_calendar_within_half_a_minute(office, store_url):
    beside = ProcessEngine(store_url, clock=office.clock)
    beside.management.run_due()
    office.engine.calendars.import_local(
        SYSTEM, unit=office.county, days={date(2026, 1, 8): ("off", "雪灾停工")}
    )

    office.clock.set(office.clock.now() + timedelta(seconds=31))
    beside.management.run_due()

    assert not beside.calendar_for(office.village).is_working_day(date(2026, 1, 8))
    assert beside.calendar_for(office.village).version == "cn-2026.1"
    beside.close()


def test_only_the_administrator_imports(office):
    with pytest.raises(errors.NotAllowed):
        office.engine.calendars.import_year(office.actor("chen"), YEAR_2027)


def test_a_restart_counts_by_what_was_imported(office):
    office.engine.calendars.import_year(SYSTEM, YEAR_2027)
    office.engine.replace_calendar(WorkingCalendar.default())

    office.engine.calendars.apply()

    assert not office.engine.calendar_for(office.county).is_working_day(date(2027, 1, 4))
