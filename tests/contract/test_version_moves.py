"""Running cases move to another version: tasks, drafts, timers and ladders stay; undo brings back."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from engine import SYSTEM, MoveFilter, MoveOrder, MoveStatus, Renew, errors
from engine.model.errors import Stale


class Versions:
    """Two versions of one process and what is moved between them."""

    def __init__(self, office):
        self.office = office
        self.ids = []
        self.batch = None

    def deploy(self, *steps, key="case", files=None, **more):
        office = self.office
        model = office.package(key, office.straight(key, *steps))
        model = replace(model, files={**model.files, **(files or {})}, **more)
        self.ids.append(office.engine.repository.deploy(model, SYSTEM).id)
        return self

    def order(self, mapping=None, renew=None, *, back=False):
        old, new = self.ids[-2:][::-1] if back else self.ids[-2:]
        return MoveOrder(
            from_definition=old, to_definition=new, mapping=mapping or {}, renew=renew or {}
        )

    def migrate(self, mapping=None, renew=None, actor=SYSTEM, which=None):
        self.batch = self.office.engine.moves.migrate(
            self.order(mapping, renew), actor, reason="流程改版", which=which or MoveFilter()
        )
        return self.results()

    def undo(self, *instance_ids):
        self.office.engine.moves.undo(self.batch, SYSTEM, instance_ids or None)
        return self.results()

    def results(self):
        rows = self.office.engine.moves.results(self.batch, SYSTEM).rows
        return {row.instance_id: (row.status, row.reason) for row in rows}

    def preview(self, mapping=None, renew=None):
        return self.office.engine.moves.plan(self.order(mapping, renew), SYSTEM).rows


@pytest.fixture
def versions(office):
    return Versions(office)


def _rows(office, case):
    """Everything kept for a case outside its history, versions of tasks and revisions apart."""
    with office.engine.read() as session:
        found = []
        for table in ("human_task", "timer", "event_subscription"):
            rows = session.connection().exec_driver_sql(
                f"SELECT * FROM {table} WHERE instance_id = '{case}' ORDER BY id"
            )
            found.append(
                [{k: v for k, v in row._mapping.items() if k != "version"} for row in rows]
            )
        return found


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
    call = office.step(tag="callActivity", id="call", attributes='calledElement="part"')
    versions.deploy(call, office.user_task("b"))
    case = office.start()
    renamed = office.step(tag="callActivity", id="ask", attributes='calledElement="part"')
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
    before = _rows(office, stays)

    survey = office.engine.moves.survey(versions.order(), SYSTEM)
    results = versions.migrate()

    assert (survey.total, survey.possible, survey.impossible) == (2, 1, 1)
    assert [point.id for point in survey.open_points] == ["a"]
    assert survey.open_points[0].candidates == (("b", "环节b"),)
    ((reason, count),) = survey.reasons
    assert ("没有这个环节" in reason, count) == (True, 1)
    assert results[stays] == (MoveStatus.REFUSED, reason)
    assert _rows(office, stays) == before
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
    assert "task.overdue" in office.kinds(case) or "task.reminded" in office.kinds(case)


# -- history, repetition, races -------------------------------------------------------------------


def test_the_fact_says_what_was_done_and_the_chain_holds(office, versions):
    versions.deploy(office.user_task("a"))
    case = office.start()
    versions.deploy(office.user_task("accept"))
    versions.migrate({"a": "accept"})

    fact = next(f for f in office.facts(case) if f.kind == "instance.migrated")
    assert (fact.detail["from"]["version"], fact.detail["to"]["version"]) == (1, 2)
    assert (fact.detail["mapping"], fact.detail["reason"]) == ({"a": "accept"}, "流程改版")
    assert fact.detail["plan"] == ["待办“环节a”对应“环节accept”保留，办理人、草稿和批注不变"]
    assert office.engine.history.verify() == []


def test_the_story_keeps_the_names_of_its_time_and_the_picture_todays(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    case = office.start()
    office.complete("wang")
    versions.deploy(office.user_task("accept"), office.user_task("b"), office.user_task("c"))
    versions.migrate({"a": "accept"})
    office.complete("wang")

    told = [(f.activity_id, f.activity_name) for f in office.facts(case) if f.activity_id]
    drawn = {e.element_id: e.state for e in office.engine.history.overlay(case, SYSTEM)}
    assert ("a", "环节a") in told
    assert ("accept", "环节accept") not in told
    assert (drawn["accept"], drawn["b"], drawn["c"]) == ("done", "done", "active")
    assert "a" not in drawn
    assert office.engine.history.versions(case, SYSTEM) == tuple(versions.ids)


def test_after_an_undo_the_picture_is_the_old_one(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    case = office.start()
    office.complete("wang")
    versions.deploy(office.user_task("accept"), office.user_task("b"))
    versions.migrate({"a": "accept"})
    versions.undo()

    drawn = {e.element_id: e.state for e in office.engine.history.overlay(case, SYSTEM)}
    assert (drawn["a"], drawn["b"]) == ("done", "active")
    assert "accept" not in drawn


def test_doing_it_again_moves_nothing_twice(office, versions):
    versions.deploy(office.user_task("a"))
    case = office.start()
    versions.deploy(office.user_task("a"), office.user_task("b"))
    versions.migrate()

    with pytest.raises(errors.InvalidState, match="没有可以迁移"):
        versions.migrate()

    assert office.kinds(case).count("instance.migrated") == 1


def test_a_large_batch_is_moved_by_the_heartbeat(office, versions, monkeypatch):
    monkeypatch.setattr("engine.services.version_moves.AT_ONCE", 1)
    versions.deploy(office.user_task("a"))
    cases = [office.start() for _ in range(3)]
    versions.deploy(office.user_task("a"), office.user_task("b"))

    versions.migrate()
    batch = office.engine.moves.batch(versions.batch, SYSTEM)
    assert (batch.waiting, batch.total) == (3, 3)
    office.engine.management.run_due()

    assert versions.results() == dict.fromkeys(cases, (MoveStatus.MOVED, ""))


def test_clerks_who_complete_while_it_moves_lose_nothing(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    cases = [office.start() for _ in range(12)]
    versions.deploy(office.user_task("a"), office.user_task("c"), office.user_task("b"))
    tasks = [
        (row.id, row.instance_id) for row in office.engine.worklist.page(office.actor("wang")).rows
    ]
    done, failures = [], []

    def clerk(mine):
        actor = office.actor("wang")
        for task_id, case in mine:
            try:
                office.engine.tasks.complete(task_id, actor, {"by_hand": case})
            except Stale:
                office.engine.tasks.complete(task_id, actor, {"by_hand": case})
            except errors.Rejected as error:  # pragma: no cover - a failure of the test
                failures.append(error)
            done.append(case)

    clerks = [threading.Thread(target=clerk, args=(tasks[n::2],)) for n in range(2)]
    for each in clerks:
        each.start()
    results = versions.migrate()
    for each in clerks:
        each.join()

    assert (failures, sorted(done)) == ([], sorted(cases))
    assert {status for status, _ in results.values()} == {MoveStatus.MOVED}
    for case in cases:
        assert office.kinds(case).count("task.completed") == 1
        assert office.waiting_at(case) in (("b",), ("c",))
        assert office.engine.runtime.instance(case, SYSTEM).variables["by_hand"] == case
    assert office.engine.history.verify() == []


# -- undo -----------------------------------------------------------------------------------------


def test_what_nothing_happened_to_goes_back_exactly(office, versions):
    beside = office.timer_beside("a", "gone", "P9D", interrupting=False)
    versions.deploy(office.user_task("a", deadline="5wd", beside=beside), office.user_task("b"))
    case = office.start()
    office.complete("wang")
    office.engine.runtime.instance(case, SYSTEM)
    other = office.start()
    office.engine.tasks.claim(office.task("wang", "a").id, office.actor("wang"))
    before = {each: _rows(office, each) for each in (case, other)}
    versions.deploy(
        office.user_task("accept", deadline="2wd", role="approver"), office.user_task("b")
    )
    versions.migrate({"a": "accept"}, renew={"a": (Renew.DEADLINE, Renew.ROLE)})
    assert _rows(office, other) != before[other]

    previews = office.engine.moves.plan_undo(versions.batch, SYSTEM)
    results = versions.undo()

    assert all(each.is_exact for each in previews)
    assert {status for status, _ in results.values()} == {MoveStatus.UNDONE}
    assert {each: _rows(office, each) for each in (case, other)} == before
    office.travel(days=30)
    assert "timer.fired" in office.kinds(other)
    assert "task.urged" in office.kinds(other)
    assert office.engine.history.verify() == []


def test_a_move_that_drove_the_case_on_is_told_and_taken_back(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start(amount=9)
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    before = _rows(office, case)
    urgent = (
        '<bpmn:boundaryEvent id="much" name="超额" attachedToRef="a"><bpmn:outgoing>f_x</bpmn:outgoing>'
        '<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">'
        "amount &gt; 5</bpmn:condition></bpmn:conditionalEventDefinition></bpmn:boundaryEvent>"
        '<bpmn:userTask id="x" name="复核"><bpmn:extensionElements><nl:task role="clerk"/>'
        "</bpmn:extensionElements><bpmn:incoming>f_x</bpmn:incoming><bpmn:outgoing>f_y</bpmn:outgoing>"
        '</bpmn:userTask><bpmn:endEvent id="y" name="止"><bpmn:incoming>f_y</bpmn:incoming>'
        '</bpmn:endEvent><bpmn:sequenceFlow id="f_x" sourceRef="much" targetRef="x"/>'
        '<bpmn:sequenceFlow id="f_y" sourceRef="x" targetRef="y"/>'
    )
    versions.deploy(office.user_task("a", deadline="5wd", beside=urgent))

    (preview,) = versions.preview()
    versions.migrate()
    assert office.waiting_at(case) == ("x",)
    results = versions.undo()

    assert preview.lines[-2:] == ("随即撤销待办“环节a”", "随即产生待办“复核”")
    assert results == {case: (MoveStatus.UNDONE, "恢复到迁移之前")}
    assert office.waiting_at(case) == ("a",)
    assert (office.see(task.id).owner, office.see(task.id).status) == ("wang", "Reserved")
    after = _rows(office, case)
    assert after[1:] == before[1:]
    assert [row for row in after[0] if row["is_open"]] == before[0]
    office.travel(days=30)
    assert "task.urged" in office.kinds(case)


def test_what_went_on_goes_back_by_the_mapping_turned_round_or_stays(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    first, second = office.start(), office.start()
    versions.deploy(office.user_task("accept"), office.user_task("c"), office.user_task("b"))
    versions.migrate({"a": "accept"})
    gone_on = office.complete("wang", "accept")  # now at c, which the old version does not have
    claimed = second if gone_on == first else first
    task = office.task("wang", "accept")
    office.engine.tasks.claim(task.id, office.actor("wang"))

    previews = {p.instance_id: p for p in office.engine.moves.plan_undo(versions.batch, SYSTEM)}
    results = versions.undo()

    assert (previews[claimed].is_possible, previews[claimed].is_exact) == (True, False)
    assert previews[gone_on].is_possible is False
    assert results[claimed] == (MoveStatus.UNDONE, "迁移之后又有办理，按反向对应退回")
    assert results[gone_on][0] == MoveStatus.STAYS
    assert "没有这个环节" in results[gone_on][1]
    assert (office.see(task.id).activity_id, office.see(task.id).owner) == ("a", "wang")
    assert office.waiting_at(gone_on) == ("c",)


def test_what_is_kept_for_undo_is_forgotten_when_the_case_goes_on(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    first, second = office.start(), office.start()
    versions.deploy(office.user_task("a"), office.user_task("c"), office.user_task("b"))
    versions.migrate()
    gone_on = office.complete("wang")
    office.travel(days=2)

    with office.engine.read() as session:
        kept = session.connection().exec_driver_sql(
            "SELECT instance_id FROM moved_instance WHERE state_before IS NOT NULL"
        )
        assert [row[0] for row in kept] == [second if gone_on == first else first]


def test_it_moves_and_returns_and_moves_again(office, versions):
    versions.deploy(office.user_task("a"), office.user_task("b"))
    case = office.start()
    versions.deploy(office.user_task("accept"), office.user_task("b"))

    for _ in range(2):
        versions.migrate({"a": "accept"})
        versions.undo()
    versions.migrate({"a": "accept"})
    office.complete("wang")
    office.complete("wang")

    assert office.status(case) == "completed"
    assert office.engine.history.verify(case) == []
