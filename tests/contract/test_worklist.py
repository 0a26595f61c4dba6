"""What people find on their desks, and what their superiors find on them."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from engine import SYSTEM, WorklistFilter, errors
from engine.model.worklist import DueFilter, Holding
from engine.store import human_tasks, worklists
from engine.store.transaction import raw_cursor
from tests.contract.whole_lists import walked


@pytest.fixture
def office(office):
    office.deploy(office.user_task("register", subject="=name", deadline="=limit", unit="=place"))
    return office


def _case(office, name, limit, place=None):
    return office.start(name=name, limit=limit, place=place or office.village)


def _subjects(page):
    return [row.subject for row in page.rows]


def test_the_most_urgent_comes_first(office):
    _case(office, "后", "9d")
    _case(office, "先", "1d")
    _case(office, "中", "5d")

    assert _subjects(office.engine.worklist.page(office.actor("wang"))) == ["先", "中", "后"]


def test_pages_show_every_task_once(office):
    for number in range(7):
        _case(office, f"户{number}", "5d" if number % 2 else "3d")

    seen, _ = walked(partial(office.engine.worklist.page, office.actor("wang")), limit=2)

    assert len(seen) == 7
    assert {row.subject for row in seen} == {f"户{number}" for number in range(7)}


def test_several_seats_make_one_list(office):
    office.hire("both", "两处", ("clerk", office.village), ("clerk", office.town))
    _case(office, "村", "3d")
    _case(office, "镇", "2d", office.town)

    assert _subjects(office.engine.worklist.page(office.actor("both"))) == ["镇", "村"]


def test_a_clerk_of_another_office_sees_nothing(office):
    _case(office, "张", "3d")

    assert office.engine.worklist.page(office.actor("sun")).rows == ()


def test_the_filters_narrow_the_list(office):
    _case(office, "张家", "3d")
    _case(office, "李家", "20d")
    wang = office.actor("wang")
    office.engine.tasks.claim(office.engine.worklist.page(wang).rows[0].id, wang)
    office.travel(days=5)

    def shown(**wanted):
        return _subjects(office.engine.worklist.page(wang, filter=WorklistFilter(**wanted)))

    assert shown(holding=Holding.MINE) == ["张家"]
    assert shown(holding=Holding.CLAIMABLE) == ["李家"]
    assert shown(due=DueFilter.OVERDUE) == ["张家"]
    assert shown(search="李") == ["李家"]
    assert shown(process_key="other") == []
    assert shown(unit=office.village, role="clerk") == ["张家", "李家"]


def test_the_badges_count_what_the_list_shows(office):
    _case(office, "一", "2d")
    _case(office, "二", "30d")
    _case(office, "三", "7d")
    wang = office.actor("wang")
    office.engine.tasks.claim(office.engine.worklist.page(wang).rows[0].id, wang)
    office.travel(days=4)

    counts = office.engine.worklist.counts(wang)

    assert (counts.total, counts.overdue, counts.claimable) == (3, 1, 2)


def test_a_leader_sees_what_is_overdue_below_him(office):
    _case(office, "晚", "2d")
    office.travel(days=4)

    assert _subjects(office.engine.worklist.overdue(office.actor("chen"))) == ["晚"]
    assert _subjects(office.engine.worklist.overdue(office.actor("sun"))) == []


def test_a_task_that_nobody_can_do_is_shown_to_the_managers(office):
    place = "349898102000"
    _case(office, "无人", "5d", place)

    assert _subjects(office.engine.worklist.unattended(office.actor("chen"))) == ["无人"]
    assert office.engine.management.health().unattended_tasks == 1

    office.hire("new", "新人", ("clerk", place))
    office.travel(minutes=2)
    assert office.engine.worklist.unattended(office.actor("chen")).rows == ()


def test_what_somebody_did_stays_on_his_list_of_done_work(office):
    for name in ("一", "二", "三"):
        _case(office, name, "5d")
    for _ in range(3):
        office.complete("wang")
        office.travel(minutes=1)
    wang = office.actor("wang")

    first = office.engine.worklist.done_by(wang, limit=2)
    second = office.engine.worklist.done_by(wang, limit=2, cursor=first.next_cursor)

    assert len({*_subjects(first), *_subjects(second)}) == 3


def test_a_task_shows_its_verbs_to_each_according_to_his_part(office):
    _case(office, "张", "5d")
    task = office.task("wang")

    assert {"claim", "complete"} <= task.verbs
    assert "nominate" not in task.verbs
    head = office.see(task.id, "zhao")
    assert "nominate" in head.verbs
    assert "complete" not in head.verbs
    with pytest.raises(errors.NotFound):
        office.see(task.id, "sun")


def test_a_broken_cursor_is_refused(office):
    with pytest.raises(errors.InvalidInput):
        office.engine.worklist.page(office.actor("wang"), cursor="yesterday~x")


def test_the_tasks_of_a_case_are_listed_oldest_first(office):
    case = _case(office, "张", "5d")
    office.complete("wang")

    rows = office.engine.worklist.of_instance(case, SYSTEM)
    assert [row.status for row in rows] == ["Completed"]
    assert office.engine.worklist.of_instance(case, SYSTEM, open_only=True) == ()


def _crowd(office, rows):
    """Open tasks of many other offices, so that the database has a choice of plans."""
    with office.engine.database.write() as tx:
        known = tx.rows(human_tasks.BY_ID, {"task_id": office.task("wang").id})[0]._asdict()
        tx.write_all(
            human_tasks.INSERT,
            [
                {**known, "id": f"{number:036}", "unit": f"3498981{number % 97:05}"}
                for number in range(rows)
            ],
        )
    with office.engine.database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def test_a_worklist_is_read_from_its_index_alone(office, store_url):
    _case(office, "户", "5d")
    _crowd(office, 3000)
    statement = worklists.page(worklists.Holder.SEAT, frozenset())
    values = {
        "role": "clerk", "unit": office.village, "after_at": worklists.BEGINNING[0],
        "after_id": "", "limit": 51,
    }  # fmt: skip
    explain = "EXPLAIN QUERY PLAN " if store_url.startswith("sqlite") else "EXPLAIN "

    with office.engine.database.read() as tx:
        prepared = statement.prepared(tx.dialect)
        cursor = raw_cursor(office.engine.database.engine, tx.connection.connection)
        cursor.execute(explain + prepared.sql, prepared.bind(values))
        plan = "\n".join(str(row) for row in cursor.fetchall())
        cursor.close()

    assert "ix_human_task_inbox" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
