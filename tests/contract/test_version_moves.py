"""Running cases move to another version: tasks, drafts, timers, ladders stay; the rest is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import SYSTEM, MoveFilter, MoveOrder, MoveStatus, Renew, errors
from tests.contract.moving_versions import kept_rows

# -- what stays -----------------------------------------------------------------------------------


def test_an_open_task_keeps_its_row_owner_draft_and_comments(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    case = office.start()
    task = office.task("wang")
    wang = office.actor("wang")
    office.engine.tasks.claim(task.id, wang)
    office.engine.tasks.save_draft(task.id, wang, {"note": "half"})
    office.engine.tasks.comment(wang, "等材料", task_id=task.id)
    versions.deploy(office.user_task("accept"), office.user_task("check"), office.user_task("b"))

    assert versions.migrate({"a": "accept"}) == {case: (MoveStatus.MOVED, "")}

    moved = office.see(task.id)
    assert (moved.activity_id, moved.name, moved.owner) == ("accept", "环节accept", "wang")
    assert office.engine.tasks.draft(task.id, wang).data == {"note": "half"}
    assert [each.text for each in office.engine.tasks.comments(wang, task_id=task.id)] == ["等材料"]
    office.complete("wang")
    assert office.waiting_at(case) == ("check",)
    assert office.engine.history.verify(case) == []


def test_reminders_survive_with_their_due_date(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start()
    due = office.task("wang").due_at
    office.travel(days=1)
    versions.deploy(office.user_task("accept", deadline="5wd"))
    office.messages()

    versions.migrate({"a": "accept"})
    assert office.task("wang").due_at == due
    office.travel(days=30)

    late = [kind for kind in office.kinds(case) if kind.startswith("task.")]
    assert late == ["task.opened", "task.reminded", "task.overdue", "task.urged"]


def test_rungs_climbed_already_are_not_climbed_again(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start()
    office.travel(days=8)
    versions.deploy(office.user_task("a", deadline="2wd"), office.user_task("b"))

    versions.migrate()
    office.travel(days=30)

    kinds = [kind for kind in office.kinds(case) if kind.startswith("task.")]
    assert kinds == ["task.opened", "task.reminded", "task.overdue", "task.urged"]


def test_a_ladder_the_new_version_does_not_have_is_climbed_to_its_end(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start()
    versions.deploy(office.user_task("a", deadline="5wd"), ladders={})

    (preview,) = versions.preview()
    versions.migrate()
    office.travel(days=30)

    assert "时限和提醒按原规定" in preview.lines[0]
    assert "task.urged" in office.kinds(case)


def test_a_deadline_follows_the_new_version_only_when_the_order_says_so(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    office.start()
    before = office.task("wang").due_at
    versions.deploy(office.user_task("a", deadline="2wd"), office.user_task("b"))
    versions.migrate()
    assert office.task("wang").due_at == before

    versions.deploy(office.user_task("a", deadline="3wd"))
    versions.migrate(renew={"a": (Renew.DEADLINE,)})

    assert office.task("wang").due_at == before - timedelta(days=4)  # two working days less
    office.travel(days=30)
    assert "task.urged" in office.kinds(office.task("wang").instance_id)


def test_the_form_is_kept_and_told_or_follows_the_order(office, versions):
    old = {"forms/a.json": b'{"components": [{"id": "x", "key": "x", "type": "textfield"}]}'}
    new = {"forms/a.json": b'{"components": [{"id": "y", "key": "y", "type": "textfield"}]}'}

    versions.deploy(office.user_task("a", form="a"), files=old)
    first, second = office.start(), office.start()
    versions.deploy(office.user_task("a", form="a"), files=new)

    previews = versions.preview()
    versions.migrate(which=MoveFilter(instance_ids=(first,)))
    versions.migrate(renew={"a": (Renew.FORM,)}, which=MoveFilter(instance_ids=(second,)))

    shown = {}
    for row in office.engine.worklist.page(office.actor("wang")).rows:
        shown[row.instance_id] = office.see(row.id).definition_id
    assert all("沿用原表单" in preview.lines[0] for preview in previews)
    assert shown == {first: versions.ids[0], second: versions.ids[1]}


def test_another_role_takes_over_when_the_order_says_so(office, versions):
    versions.deploy(office.user_task("a"))
    case = office.start()
    office.engine.tasks.claim(office.task("wang").id, office.actor("wang"))
    versions.deploy(office.user_task("a", role="approver"))
    office.messages()

    versions.migrate(renew={"a": (Renew.ROLE,)})

    task = office.task("li")
    assert (task.instance_id, task.owner, task.role) == (case, None, "approver")
    assert office.engine.worklist.page(office.actor("wang")).rows == ()
    assert office.messages() == [("task_opened", f"approver@{office.village}")]


def test_separation_of_duties_follows_a_renamed_activity(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    office.start()
    office.complete("li")
    versions.deploy(
        office.user_task("accept"), office.user_task("b", role="approver", differentFrom="accept")
    )
    versions.migrate({"a": "accept"}, renew={"b": (Renew.ROLE,)})

    with pytest.raises(errors.SeparationOfDuties):
        office.complete("li")


def test_a_duty_that_finished_steps_would_escape_is_told(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    office.start()
    office.complete("li")
    versions.deploy(office.user_task("accept"), office.user_task("b", differentFrom="accept"))

    (warning,) = office.engine.moves.survey(versions.order(), SYSTEM).warnings
    mapped = office.engine.moves.survey(versions.order({"a": "accept"}), SYSTEM)

    assert "“环节b”须与“环节accept”由不同的人办理" in warning
    assert mapped.warnings == ()
    assert [point.id for point in mapped.open_points] == ["a"]


def test_boundary_timers_are_kept_armed_and_cancelled(office, versions):
    def beside(*timers):
        return "".join(
            office.timer_beside("a", name, length, interrupting=False) for name, length in timers
        )

    versions.deploy(office.user_task("a", beside=beside(("keep", "P5D"), ("gone", "P6D"))))
    case = office.start()
    office.travel(days=1)
    versions.deploy(office.user_task("a", beside=beside(("keep", "P1D"), ("fresh", "P7D"))))

    versions.migrate()
    office.travel(days=10)

    fired = [(f.activity_id, f.at.day) for f in office.facts(case) if f.kind == "timer.fired"]
    assert fired == [("keep", 10), ("fresh", 13)]


# -- where the token is ---------------------------------------------------------------------------


def _visits(office, id="visit", **more):
    loop = '<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>'
    task = office.user_task(id, loop=loop, **more)
    extensions = (
        task.extensions + '<nl:loop collection="homes" item="home" output="note" outputs="notes"/>'
    )
    return type(task)(tag=task.tag, id=task.id, extensions=extensions, children=task.children)


def test_the_middle_of_a_multi_instance_goes_on(office, versions):
    versions.deploy(_visits(office))
    case = office.start(homes=["东", "西", "北"])
    office.complete("wang", note="一")
    versions.deploy(_visits(office, "call"), office.user_task("z"))

    (preview,) = versions.preview({"visit": "call"})
    versions.migrate({"visit": "call"})
    office.complete("wang", note="二")
    office.complete("wang", note="三")

    assert any("3 份" in line for line in preview.lines)
    assert any(
        line.startswith("待办“环节visit”对应“环节call”保留") and line.endswith("（2 件）")
        for line in preview.lines
    )
    assert office.waiting_at(case) == ("z",)
    assert office.engine.runtime.instance(case, SYSTEM).variables["notes"] == ["一", "二", "三"]


def test_a_called_process_is_waited_for_and_moves_apart(office, versions):
    office.deploy(office.user_task("inner"), key="part")
    call = office.call("part")
    versions.deploy(call, office.user_task("b"))
    case = office.start()
    renamed = office.call("part", id="ask")
    versions.deploy(renamed, office.user_task("c"))

    (preview,) = versions.preview({"call": "ask"})
    versions.migrate({"call": "ask"})
    office.complete("wang", "inner")

    assert preview.lines == ("下级流程“环节call”对应“环节ask”继续办理，另行迁移",)
    assert office.waiting_at(case) == ("c",)


# -- refused --------------------------------------------------------------------------------------


def test_what_cannot_move_is_refused_with_the_reason_and_stays(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    first, second = office.start(), office.start()
    office.complete("wang")
    stays = first if office.waiting_at(first) == ("a",) else second
    versions.deploy(office.user_task("b"))
    before = kept_rows(office, stays)

    survey = office.engine.moves.survey(versions.order(), SYSTEM)
    results = versions.migrate()

    assert (survey.total, survey.possible, survey.impossible) == (2, 1, 1)
    assert [point.id for point in survey.open_points] == ["a"]
    assert survey.open_points[0].candidates == (("b", "环节b"),)
    ((reason, count),) = survey.reasons
    assert ("没有这个环节" in reason, count) == (True, 1)
    assert results[stays] == (MoveStatus.REFUSED, reason)
    assert kept_rows(office, stays) == before
    assert "instance.migrated" not in office.kinds(stays)


def test_it_refuses_another_process_strangers_and_no_reason(office, versions):
    versions.deploy(office.user_task("a"))
    other = office.deploy(office.user_task("x"), key="other")
    office.start()
    versions.deploy(office.user_task("a"), office.user_task("b"))
    moves = office.engine.moves

    with pytest.raises(errors.InvalidInput, match="同一流程"):
        moves.survey(MoveOrder(from_definition=versions.ids[0], to_definition=other), SYSTEM)
    with pytest.raises(errors.NotAllowed, match="系统管理员"):
        moves.survey(versions.order(), office.actor("chen"))
    with pytest.raises(errors.InvalidInput, match="原因"):
        moves.migrate(versions.order(), SYSTEM, reason=" ")
    with pytest.raises(errors.NotFound):
        moves.batch("none", SYSTEM)


def test_an_administrator_moves_only_what_lies_below_his_seat(office, versions):
    office.hire("xia", "夏管", ("sys_admin", office.other_town))
    office.hire("shang", "尚管", ("sys_admin", office.county))
    versions.deploy(office.user_task("a"))
    case = office.start()
    versions.deploy(office.user_task("a"), office.user_task("b"))

    with pytest.raises(errors.InvalidState, match="没有可以迁移"):
        versions.migrate(actor=office.actor("xia"))
    assert versions.migrate(actor=office.actor("shang")) == {case: (MoveStatus.MOVED, "")}

    with pytest.raises(errors.NotFound):
        office.engine.moves.batch(versions.batch, office.actor("xia"))
    migrated = next(f for f in office.facts(case) if f.kind == "instance.migrated")
    assert migrated.actor_id == "shang"


def test_a_case_that_stands_still_is_moved_but_not_driven_on(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start()
    office.engine.runtime.suspend(case, SYSTEM, "停一停")
    versions.deploy(office.user_task("a", deadline="5wd"), office.user_task("b"))

    assert versions.migrate() == {case: (MoveStatus.MOVED, "")}

    office.travel(days=30)
    assert "task.reminded" not in office.kinds(case)
    office.engine.runtime.resume(case, SYSTEM)
    office.travel(hours=1)
    kinds = office.kinds(case)
    later = ["task.reminded", "task.overdue", "task.urged"]
    assert kinds[kinds.index("instance.resumed") + 1 :] == later
