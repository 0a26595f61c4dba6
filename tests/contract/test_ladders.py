"""What happens before and after a deadline, rung by rung: the package's ladder or a region's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SYSTEM, Ladder, LadderAction, Rung, errors
from tests.contract.clocked_tasks import deploy_with, due_of


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
