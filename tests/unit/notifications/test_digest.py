"""One summary a day, of what had no mail of its own and is still unread."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications.channels import inbox
from notifications.digest import LINES, Digest

WANG = {"kind": "participant", "id": "wang"}


@pytest.fixture
def digest(desk):
    return Digest(desk.engine, [desk.postman], sessions=desk.write)


def test_a_clerk_with_many_new_tasks_gets_one_letter(desk, digest) -> None:
    for number in range(LINES + 3):
        desk.outbox.put("task_opened", WANG, subject=f"第{number}件")
    dispatcher = desk.dispatcher()
    dispatcher.deliver()

    assert digest.deliver() == 1
    dispatcher.deliver()

    (letter,) = desk.postman.letters
    assert letter.subject == f"今日提要：{LINES + 3} 条消息"
    assert letter.body.startswith("王小满同志：")
    assert f"{LINES}. 待办" in letter.body
    assert "另有 3 条" in letter.body


def test_nobody_gets_two_summaries_on_a_day_whoever_asks(desk, digest) -> None:
    desk.outbox.put("task_opened", WANG)
    desk.dispatcher().deliver()
    digest.deliver()

    assert digest.deliver() == 0
    again = Digest(desk.engine, [desk.postman], sessions=desk.write)
    assert again.deliver() == 0


def test_before_eight_nothing_leaves(desk, digest) -> None:
    desk.outbox.put("task_opened", WANG)
    desk.dispatcher().deliver()
    desk.clock.advance(timedelta(hours=22, minutes=59))  # 07:59 of the next day

    assert digest.deliver() == 0
    desk.clock.advance(timedelta(minutes=1))
    assert digest.deliver() == 1


def test_what_was_read_or_mailed_already_is_not_repeated(desk, digest) -> None:
    desk.outbox.put("task_opened", WANG, subject="读过的")
    desk.outbox.put("task_overdue", WANG, subject="寄过的")
    desk.dispatcher().deliver()
    with desk.write() as session:
        (read,) = [i for i in inbox.page(session, "wang").items if "读过的" in i.subject]
        inbox.mark_read(session, "wang", [read.id], desk.clock.now())

    assert digest.deliver() == 0


def test_the_box_does_not_show_the_summary(desk, digest) -> None:
    desk.outbox.put("task_opened", WANG)
    desk.dispatcher().deliver()
    digest.deliver()

    with desk.sessions() as session:
        assert inbox.unread_count(session, "wang") == 1
        assert len(inbox.page(session, "wang").items) == 1
