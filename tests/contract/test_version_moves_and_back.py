"""What is told of a move between versions, moving twice and beside busy clerks, and taking it back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from engine import SYSTEM, MoveStatus, Renew, errors, tables
from engine.model.errors import Stale
from tests.contract.moving_versions import kept_rows

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
    before = {each: kept_rows(office, each) for each in (case, other)}
    versions.deploy(
        office.user_task("accept", deadline="2wd", role="approver"), office.user_task("b")
    )
    versions.migrate({"a": "accept"}, renew={"a": (Renew.DEADLINE, Renew.ROLE)})
    assert kept_rows(office, other) != before[other]

    previews = office.engine.moves.plan_undo(versions.batch, SYSTEM)
    results = versions.undo()

    assert all(each.is_exact for each in previews)
    assert {status for status, _ in results.values()} == {MoveStatus.UNDONE}
    assert {each: kept_rows(office, each) for each in (case, other)} == before
    office.travel(days=30)
    assert "timer.fired" in office.kinds(other)
    assert "task.urged" in office.kinds(other)
    assert office.engine.history.verify() == []


def test_a_move_that_drove_the_case_on_is_told_and_taken_back(office, versions):
    versions.deploy(office.user_task("a", deadline="5wd"))
    case = office.start(amount=9)
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    before = kept_rows(office, case)
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
    after = kept_rows(office, case)
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
        moved = tables.MovedInstance
        kept = session.scalars(select(moved.instance_id).where(moved.state_before.is_not(None)))
        assert list(kept) == [second if gone_on == first else first]


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
