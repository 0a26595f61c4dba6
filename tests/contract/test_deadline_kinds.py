"""Every kind of clock the law or an office knows: office hours, minutes, other steps, local days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine import (
    SYSTEM,
    CaseDeadline,
    Ladder,
    LadderAction,
    ProcessEngine,
    Rung,
    WorkingCalendar,
    errors,
)


def due_of(office, deadline):
    office.deploy(office.user_task("register", deadline=deadline))
    office.start()
    return office.task("wang")


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


# --- ladders -------------------------------------------------------------------------------------


def deploy_with(office, *rungs, outcomes="", **terms):
    model = office.package(
        "case",
        office.straight("case", office.user_task("register", deadline="5wd", outcomes=outcomes)),
    )
    ladders = {"default": Ladder(name="default", rungs=rungs)}
    office.engine.repository.deploy(replace(model, ladders=ladders, **terms), SYSTEM)
    return office.start()


def test_a_task_turns_yellow_then_red(office):
    task = due_of(office, "5wd")
    chen = office.actor("chen")

    assert task.warn_at.isoformat()[:10] == "2026-01-11"
    office.travel(days=6.5)
    assert [row.id for row in office.engine.worklist.warned(chen).rows] == [task.id]
    assert office.engine.worklist.overdue(chen).rows == ()
    office.travel(days=1.5)
    assert office.engine.worklist.warned(chen).rows == ()
    assert [row.id for row in office.engine.worklist.overdue(chen).rows] == [task.id]


def test_a_late_task_goes_to_the_desk_above(office):
    case = deploy_with(
        office,
        Rung(at="due", action=LadderAction.REASSIGN, audience=("superior",)),
        Rung(at="due+1wd", action=LadderAction.URGE, audience=("superior",)),
    )
    office.engine.tasks.claim(office.task("wang").id, office.actor("wang"))

    office.travel(days=9)

    task = office.task("qian")
    assert (task.unit, task.owner, task.status.value) == (office.town, None, "Ready")
    assert office.engine.worklist.page(office.actor("wang")).rows == ()
    # The ladder goes on at the new office: the next desk above it hears.
    assert ("task_urged", f"county@{office.county}") in office.messages()
    assert "task.reassigned" in office.kinds(case)


APPROVED = '<nl:outcome id="none" name="无异议"/><nl:outcome id="some" name="有异议"/>'


def test_silence_decides_where_the_law_lets_it(office):
    case = deploy_with(
        office, Rung(at="due", action=LadderAction.AUTO, outcome="none"), outcomes=APPROVED
    )

    office.travel(days=8)

    assert office.status(case) == "completed"
    fact = next(one for one in office.facts(case) if one.kind == "task.completed")
    assert (fact.detail["outcome"], fact.detail["automatic"], fact.actor_name) == (
        "none",
        "due",
        SYSTEM.name,
    )


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [({"differentFrom": "other"}, "none"), ({}, "unknown"), ({"operation": "x.y"}, "none")],
)
def test_it_refuses_silence_where_people_must_decide(office, attributes, outcome):
    xml = office.straight(
        "case",
        office.user_task("other"),
        office.user_task("register", deadline="5wd", outcomes=APPROVED, **attributes),
    )
    rung = Rung(at="due", action=LadderAction.AUTO, outcome=outcome)
    model = replace(
        office.package("case", xml), ladders={"default": Ladder(name="default", rungs=(rung,))}
    )

    found = office.engine.repository.examine(model)

    assert any(one.rule == "automatic" for one in found)


def test_an_emergency_climbs_in_minutes(office):
    model = office.package(
        "case", office.straight("case", office.user_task("register", deadline="PT20M"))
    )
    rungs = (
        Rung(at="50%", action=LadderAction.REMIND),
        Rung(at="due", action=LadderAction.OVERDUE),
        Rung(at="due+PT5M", action=LadderAction.URGE, audience=("superior",)),
        Rung(at="due+PT15M", action=LadderAction.SUPERVISE, audience=("superior",)),
    )
    office.engine.repository.deploy(
        replace(model, ladders={"default": Ladder(name="default", rungs=rungs)}), SYSTEM
    )
    case = office.start()

    office.travel(minutes=40)

    told = [(f.kind, f.at.strftime("%H:%M")) for f in office.facts(case) if f.kind[:5] == "task."]
    assert told[1:] == [
        ("task.reminded", "01:10"),
        ("task.overdue", "01:20"),
        ("task.urged", "01:25"),
        ("task.supervised", "01:35"),
    ]


def test_a_task_nobody_begins_is_told_to_the_leader(office):
    case = deploy_with(
        office, Rung(at="due", action=LadderAction.OVERDUE), start_by={"register": "1wd"}
    )
    assert office.task("wang").start_by.isoformat()[:16] == "2026-01-06T16:00"
    office.messages()

    office.travel(days=2)

    assert ("task_not_begun", f"head@{office.village}") in office.messages()
    assert "task.begun_late" in office.kinds(case)


def test_a_task_that_was_begun_is_not(office):
    case = deploy_with(
        office, Rung(at="due", action=LadderAction.OVERDUE), start_by={"register": "1wd"}
    )
    office.engine.tasks.claim(office.task("wang").id, office.actor("wang"))

    office.travel(days=2)

    assert "task.begun_late" not in office.kinds(case)


# --- a region's own ladder -----------------------------------------------------------------------

SOONER = (
    Rung(at="50%", action=LadderAction.REMIND),
    Rung(at="due", action=LadderAction.URGE, audience=("superior",)),
)


def admin(office):
    office.hire("root", "根管理", ("sys_admin", office.county))
    return office.actor("root")


def replace_ladder(office, region, rungs=SOONER):
    return office.engine.ladders.replace(
        admin(office),
        process_key="case",
        ladder="default",
        region=region,
        rungs=rungs,
        reason="县政府办〔2026〕1号",
    )


def test_a_county_climbs_its_own_ladder_at_once(office):
    task = due_of(office, "5wd")

    assert replace_ladder(office, office.county) == 1

    office.travel(days=8)
    kinds = [kind for kind in office.kinds(task.instance_id) if kind.startswith("task.")]
    assert kinds == ["task.opened", "task.reminded", "task.urged"]


def test_another_county_climbs_the_packages_ladder(office):
    task = due_of(office, "5wd")

    assert replace_ladder(office, "349899000000") == 0

    office.travel(days=8)
    assert "task.urged" not in office.kinds(task.instance_id)


def test_a_county_takes_its_ladder_back(office):
    task = due_of(office, "5wd")
    replace_ladder(office, office.county)
    root = office.actor("root")
    office.engine.ladders.take_back(
        root, process_key="case", ladder="default", region=office.county
    )

    office.travel(days=8)

    assert "task.overdue" in office.kinds(task.instance_id)
    assert [view.region for view in office.engine.ladders.listed(root)] == [None]


@pytest.mark.parametrize(
    ("rungs", "said"),
    [
        ((), "至少写一级"),
        ((Rung(at="later", action=LadderAction.URGE),), "第 1 级"),
        ((Rung(at="due", action=LadderAction.URGE, audience=("mayor",)),), "没有岗位“mayor”"),
        ((Rung(at="due", action=LadderAction.AUTO),), "流程包"),
    ],
)
def test_it_refuses_a_ladder_that_cannot_be_climbed(office, rungs, said):
    due_of(office, "5wd")

    with pytest.raises(errors.InvalidInput, match=said):
        replace_ladder(office, office.county, rungs)


def test_only_the_administrator_sets_ladders(office):
    due_of(office, "5wd")

    with pytest.raises(errors.NotAllowed):
        office.engine.ladders.replace(
            office.actor("chen"), process_key="case", ladder="default", region=office.county,
            rungs=SOONER, reason="试",
        )  # fmt: skip


# --- supervision slips ---------------------------------------------------------------------------


def slip_of(office):
    task = due_of(office, "5wd")
    office.travel(days=8)
    return office.engine.supervision.issue(task.id, office.actor("zhao"), demand="请说明原因")


def answer(office, slip, who="wang", **more):
    said = {"cause": "下雪封路", "measures": "改为电话核实", "promised": date(2026, 1, 15)}
    office.engine.supervision.reply(slip, office.actor(who), **{**said, **more})


def test_a_slip_is_answered_once_by_the_late_office(office):
    slip = slip_of(office)
    wang = office.actor("wang")
    (mine,) = office.engine.supervision.mine(wang)
    assert (mine.id, mine.mine, mine.reply_by.isoformat()[:16]) == (slip, True, "2026-01-14T16:00")
    office.messages()

    answer(office, slip)

    seen = office.engine.supervision.slip(slip, office.actor("zhao"))
    assert (seen.cause, seen.promised, seen.replied_by_name) == (
        "下雪封路", date(2026, 1, 15), "王经办",
    )  # fmt: skip
    assert office.engine.supervision.mine(wang) == ()
    assert office.messages() == [("slip_answered", "zhao")]
    assert "slip.answered" in office.kinds(seen.instance_id)
    with pytest.raises(errors.InvalidState, match="已经回复"):
        answer(office, slip)


@pytest.mark.parametrize(
    ("more", "field"),
    [({"cause": " "}, "cause"), ({"promised": None}, "promised"),
     ({"promised": date(2026, 1, 1)}, "promised")],
)  # fmt: skip
def test_it_refuses_an_answer_that_says_too_little(office, more, field):
    slip = slip_of(office)

    with pytest.raises(errors.InvalidInput) as refused:
        answer(office, slip, **more)
    assert field in refused.value.fields


def test_a_stranger_neither_sees_nor_answers_a_slip(office):
    slip = slip_of(office)

    with pytest.raises(errors.NotFound):
        office.engine.supervision.slip(slip, office.actor("sun"))
    with pytest.raises(errors.NotAllowed):
        answer(office, slip, "sun")


def test_one_slip_at_a_time(office):
    slip_of(office)

    with pytest.raises(errors.InvalidState, match="还没有回复"):
        office.engine.supervision.issue(office.task("wang").id, office.actor("zhao"))


def test_the_ladder_issues_the_slip(office):
    deploy_with(
        office,
        Rung(at="due+1wd", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H"),
    )

    office.travel(days=9)

    (slip,) = office.engine.supervision.mine(office.actor("wang"))
    assert slip.issued_by_name == "系统"
    assert (slip.reply_by - slip.issued_at).total_seconds() == 4 * 3600
    office.messages()
    answer(office, slip.id)
    assert office.messages() == [("slip_answered", f"clerk@{office.town}")]


def late_case(office, *rungs):
    """A case of ten working days, on the ladder of these rungs, that nobody has finished."""
    case_ladder = Ladder(
        name="case",
        rungs=rungs or (Rung(at="due", action=LadderAction.OVERDUE, audience=("leader",)),),
    )
    model = office.package(
        "case", office.straight("case", office.user_task("register"), office.user_task("decide"))
    )
    model = replace(
        model,
        ladders={**model.ladders, "case": case_ladder},
        case_deadline=CaseDeadline(deadline="10wd", ladder="case"),
    )
    office.engine.repository.deploy(model, SYSTEM)
    case = office.start()
    office.travel(days=16)  # due at the end of Monday 19 January; Wednesday 21 January
    return case


def supervised_case(office):
    case = late_case(office)
    return case, office.engine.supervision.issue_case(
        case, office.actor("chen"), demand="请说明原因"
    )


def test_a_case_that_is_late_gets_a_slip_which_its_leader_answers(office):
    case, slip = supervised_case(office)
    assert office.engine.supervision.mine(office.actor("wang")) == ()
    (mine,) = office.engine.supervision.mine(office.actor("zhao"))
    assert (mine.id, mine.task_id, mine.instance_id, mine.name, mine.subject) == (
        slip, None, case, "流程case", "张家的事",
    )  # fmt: skip
    assert mine.due_at.isoformat()[:16] == "2026-01-19T16:00"
    assert ("slip_issued", f"head@{office.village}") in office.messages()

    answer(office, slip, "zhao", promised=date(2026, 1, 25))

    (seen,) = office.engine.supervision.of_case(case, office.actor("chen"))
    assert (seen.cause, seen.replied_by_name) == ("下雪封路", "赵主任")
    assert office.messages() == [("slip_answered", "chen")]
    assert [kind for kind in office.kinds(case) if kind.startswith("slip.")] == [
        "slip.issued", "slip.answered",
    ]  # fmt: skip
    with pytest.raises(errors.InvalidState, match="已经回复"):
        answer(office, slip, "zhao", promised=date(2026, 1, 25))


def test_the_ladder_of_a_case_issues_its_slip(office):
    rung = Rung(at="due+1wd", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H")
    case = late_case(office, rung)

    (slip,) = office.engine.supervision.mine(office.actor("zhao"))

    assert (slip.task_id, slip.instance_id, slip.issued_by_name) == (None, case, "系统")
    assert (slip.reply_by - slip.issued_at).total_seconds() == 4 * 3600
    told = office.messages()
    assert ("task_supervised", f"clerk@{office.town}") in told
    answer(office, slip.id, "zhao", promised=date(2026, 1, 25))
    assert office.messages() == [("slip_answered", f"clerk@{office.town}")]


def test_without_a_leader_in_office_the_slip_goes_to_whoever_has_the_case(office):
    case = late_case(office)
    (seat,) = office.engine.identity.participant("zhao").seats
    office.engine.identity.end_seat(seat.id)
    office.travel(days=1)

    office.engine.supervision.issue_case(case, office.actor("chen"))

    (slip,) = office.engine.supervision.mine(office.actor("wang"))
    assert (slip.role, slip.unit) == ("clerk", office.village)


def test_one_slip_of_a_case_at_a_time_beside_those_of_its_tasks(office):
    case, slip = supervised_case(office)

    with pytest.raises(errors.InvalidState, match="还没有回复"):
        office.engine.supervision.issue_case(case, office.actor("chen"))
    answer(office, slip, "zhao", promised=date(2026, 1, 25))
    assert office.engine.supervision.issue_case(case, office.actor("chen")) != slip


@pytest.mark.parametrize(
    ("who", "wrong"),
    [("wang", errors.NotAllowed), ("zhao", errors.NotAllowed), ("sun", errors.NotFound)],
)
def test_only_the_superior_supervises_a_case(office, who, wrong):
    case = late_case(office)

    with pytest.raises(wrong):
        office.engine.supervision.issue_case(case, office.actor(who))
    assert office.engine.supervision.may_supervise(case, office.actor("chen"))
    if who != "sun":
        assert not office.engine.supervision.may_supervise(case, office.actor(who))


def test_a_case_in_time_or_without_a_clock_is_not_supervised(office):
    task = due_of(office, "5wd")
    with pytest.raises(errors.InvalidState, match="没有时限"):
        office.engine.supervision.issue_case(task.instance_id, office.actor("chen"))
    case = late_case(office)
    office.clock.set(office.clock.now() - timedelta(days=10))
    with pytest.raises(errors.InvalidState, match="还没有超期"):
        office.engine.supervision.issue_case(case, office.actor("chen"))


def test_a_stranger_neither_sees_nor_answers_the_slip_of_a_case(office):
    case, slip = supervised_case(office)

    with pytest.raises(errors.NotFound):
        office.engine.supervision.slip(slip, office.actor("sun"))
    with pytest.raises(errors.NotFound):
        office.engine.supervision.of_case(case, office.actor("sun"))
    with pytest.raises(errors.NotAllowed):
        answer(office, slip, "sun", promised=date(2026, 1, 25))


def test_who_is_to_be_named_in_the_circular(office):
    task = due_of(office, "5wd")
    deploy_with(office, Rung(at="due+1wd", action=LadderAction.CIRCULATE, audience=("superior",)))
    office.travel(days=9)

    named = office.engine.supervision.to_be_named(
        office.actor("chen"), since=office.clock.now().replace(day=1), until=office.clock.now()
    )

    assert len(named) == 1
    assert named[0].id != task.id


def named_cases(office, who="chen"):
    first = office.clock.now().replace(day=1)
    return office.engine.supervision.cases_to_be_named(
        office.actor(who), since=first, until=office.clock.now()
    )


def test_a_whole_case_is_named_in_the_circular_when_its_ladder_says_so(office):
    order = Rung(at="due", action=LadderAction.SUPERVISE, audience=("superior",), reply="PT4H")
    case = late_case(office, order)
    assert named_cases(office) == ()
    late = late_case(
        office, order, Rung(at="due+1wd", action=LadderAction.CIRCULATE, audience=("superior",))
    )
    office.engine.runtime.terminate(case, SYSTEM, "重复")

    (named,) = named_cases(office)

    assert (named.instance_id, named.title, named.process_title) == (late, "张家的事", "流程case")
    assert (named.region, named.due_at.isoformat()[:10]) == (office.village, "2026-02-04")
    (slip,) = office.engine.supervision.of_case(late, office.actor("chen"))
    assert (named.slip_id, named.answered, named.ended_at) == (slip.id, False, None)
    answer(office, slip.id, "zhao", promised=date(2026, 3, 25))
    office.engine.runtime.terminate(late, SYSTEM, "重复")

    (named,) = named_cases(office)
    assert named.answered
    assert named.ended_at == office.clock.now()
    assert named_cases(office, "sun") == ()


# --- reminders are never lost --------------------------------------------------------------------


def overdue_after(office, days):
    office.travel(days=days)
    return office.messages()


def test_a_returned_step_is_reminded_again(office):
    office.deploy(
        office.user_task("register", deadline="5wd"),
        office.user_task("review", deadline="5wd", returns="register"),
    )
    office.start()
    office.complete("wang", "register")
    review = office.task("wang", "review")
    office.engine.runtime.return_to(review.id, "register", office.actor("wang"), "缺材料")
    office.messages()

    told = overdue_after(office, 8)

    assert ("task_reminder", f"clerk@{office.village}") in told
    assert ("task_overdue", f"head@{office.village}") in told
    assert len([one for one in told if one[0] == "task_reminder"]) == 1


def test_a_reassigned_task_reminds_who_has_it_now(office):
    task = due_of(office, "5wd")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    office.engine.tasks.delegate(task.id, office.actor("wang"), "li")
    office.messages()

    told = overdue_after(office, 8)

    assert ("task_reminder", "li") in told
    assert ("task_reminder", "wang") not in told


def test_a_forwarded_task_reminds_the_other_office(office):
    task = due_of(office, "5wd")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    office.engine.tasks.forward(task.id, office.actor("wang"), unit=office.town)
    office.messages()

    assert ("task_reminder", f"clerk@{office.town}") in overdue_after(office, 8)


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
