"""The in-app box: nobody sees or marks what is another's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications.channels import inbox

WANG = {"kind": "participant", "id": "wang"}
SUN = {"kind": "participant", "id": "sun"}


@pytest.fixture
def filled(desk):
    for number in range(5):
        desk.outbox.put("task_opened", WANG, subject=f"第{number}件")
    desk.outbox.put("task_opened", SUN, subject="别人的")
    desk.dispatcher().deliver()
    return desk


def test_the_bell_counts_what_is_unread(filled) -> None:
    with filled.write() as session:
        assert inbox.unread_count(session, "wang") == 5
        first = inbox.page(session, "wang", limit=2).items

        assert inbox.mark_read(session, "wang", [one.id for one in first], filled.clock.now()) == 2
        assert inbox.unread_count(session, "wang") == 3


def test_the_bell_counts_no_further_than_it_shows(filled) -> None:
    for number in range(120):
        filled.outbox.put("task_opened", WANG, subject=f"多{number}")
    filled.dispatcher().deliver(200)

    with filled.sessions() as session:
        assert inbox.unread_count(session, "wang") == inbox.COUNT_UP_TO


def test_pages_follow_one_another_without_gap_or_repetition(filled) -> None:
    seen, cursor = [], None
    with filled.sessions() as session:
        while True:
            page = inbox.page(session, "wang", cursor=cursor, limit=2)
            seen += [item.subject for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break

    assert seen == [f"待办：第{number}件" for number in (4, 3, 2, 1, 0)]


def test_nobody_reads_or_marks_the_message_of_another(filled) -> None:
    with filled.write() as session:
        (foreign,) = inbox.page(session, "sun").items

        assert inbox.find(session, "wang", foreign.id) is None
        assert inbox.mark_read(session, "wang", [foreign.id], filled.clock.now()) == 0
        assert inbox.find(session, "sun", foreign.id).is_unread


def test_marking_all_leaves_what_comes_later_unread(filled) -> None:
    with filled.write() as session:
        assert inbox.mark_all_read(session, "wang", filled.clock.now()) == 5
    filled.clock.advance(timedelta(minutes=1))
    filled.outbox.put("task_opened", WANG, subject="新的")
    filled.dispatcher().deliver()

    with filled.sessions() as session:
        assert [i.subject for i in inbox.page(session, "wang", unread_only=True).items] == [
            "待办：新的"
        ]
