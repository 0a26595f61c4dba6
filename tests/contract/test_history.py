"""The audit trail says what happened, and shows when somebody changed it."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import delete, insert, select, update

from engine import SYSTEM, errors, tables
from tests.contract.whole_lists import walked

_fact = tables.HistoryFact


@pytest.fixture
def case(office):
    office.deploy(office.user_task("register"), office.user_task("approve", role="approver"))
    case = office.start()
    office.complete("wang", amount=3)
    return case


def _rows(office, case):
    with office.engine.database.engine.connect() as connection:
        table = _fact.__table__
        query = select(table).where(table.c.instance_id == case).order_by(table.c.sequence)
        return connection.execute(query).all()


def _tamper(office, statement):
    with office.engine.database.engine.begin() as connection:
        connection.execute(statement)


def test_an_untouched_chain_has_no_break(office, case):
    assert office.engine.history.verify() == []
    assert office.engine.history.verify(case) == []


def test_it_finds_a_changed_fact(office, case):
    first, second, *_ = _rows(office, case)
    _tamper(
        office,
        update(_fact)
        .where(_fact.instance_id == case, _fact.sequence == second.sequence)
        .values(actor_id="li"),
    )

    (found,) = office.engine.history.verify()
    assert (found.instance_id, found.sequence) == (case, first.sequence + 1)


def test_it_finds_a_changed_detail(office, case):
    first = _rows(office, case)[0]
    _tamper(
        office,
        update(_fact)
        .where(_fact.instance_id == case, _fact.sequence == first.sequence)
        .values(detail='{"by": "li"}'),
    )

    assert [found.sequence for found in office.engine.history.verify()] == [1]


@pytest.mark.parametrize(
    "changed", [None, "", "[", "3", '[["task.completed","approve",null,{}]]', "[]"]
)
def test_it_finds_a_changed_word_of_what_followed(office, case, changed):
    row = _rows(office, case)[0]
    assert row.more
    _tamper(
        office,
        update(_fact)
        .where(_fact.instance_id == case, _fact.sequence == row.sequence)
        .values(more=changed),
    )

    assert [found.sequence for found in office.engine.history.verify()] == [1]


def test_it_finds_a_fact_that_was_taken_out(office, case):
    first, second, *_ = _rows(office, case)
    _tamper(
        office,
        delete(_fact).where(_fact.instance_id == case, _fact.sequence == second.sequence),
    )

    assert [found.sequence for found in office.engine.history.verify()] == [first.sequence + 1]


def test_it_finds_that_the_end_was_cut_off(office, case):
    before, last = _rows(office, case)[-2:]
    _tamper(office, delete(_fact).where(_fact.instance_id == case, _fact.sequence == last.sequence))

    (found,) = office.engine.history.verify(case)
    assert found.sequence == before.sequence + 1


def test_it_finds_a_fact_that_was_slipped_in(office, case):
    last = office.facts(case)[-1]
    _tamper(
        office,
        insert(_fact).values(
            instance_id=case,
            sequence=last.sequence + 1,
            shard="349898",
            at=last.at,
            kind="task.completed",
            activity_id="approve",
            task_id=None,
            actor_id="li",
            actor_name="李审批",
            detail="{}",
            hash=bytes(32),
        ),
    )

    assert len(office.engine.history.verify(case)) == 1


def test_the_time_line_tells_the_story_page_by_page(office, case):
    actor = office.actor("wang")
    rows, _ = walked(partial(office.engine.history.timeline, case, actor), limit=2)

    told = [fact.kind for fact in rows]
    assert told == office.kinds(case)
    assert told[0] == "instance.started"
    assert told.count("task.completed") == 1


def test_a_completed_task_is_one_fact_and_not_three(office, case):
    of_register = [fact.kind for fact in office.facts(case) if fact.activity_id == "register"]

    assert of_register == ["task.opened", "task.completed"]


def test_a_stranger_does_not_see_the_time_line(office, case):
    with pytest.raises(errors.NotFound):
        office.engine.history.timeline(case, office.actor("sun"))


def test_the_overlay_shows_what_is_done_and_what_is_open(office, case):
    states = {
        state.element_id: state.state
        for state in office.engine.history.overlay(case, office.actor("wang"))
    }

    assert states["start"] == states["register"] == "done"
    assert states["flow2"] == "done"
    assert states["approve"] == "active"
    assert "end" not in states


def test_the_overlay_marks_what_is_overdue(office):
    office.deploy(office.user_task("register", deadline="2d"), key="urgent")
    case = office.start("urgent")
    office.travel(days=4)

    states = {
        state.element_id: state.state for state in office.engine.history.overlay(case, SYSTEM)
    }
    assert states["register"] == "overdue"
