"""Two pools of one file, each published under its own key, really talk: on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine import SYSTEM, errors
from tests.unit.engine.execution.pool_drawings import draw

TASK = '<nl:task role="clerk"/>'
ASKS = {
    "client": "s_c -> w_ask -> m_reply -> t_read -> e_c",
    "office": "b_ask -> t_work -> z_reply",
}
ASK_FLOWS = {"f_ask": "w_ask -> b_ask", "f_reply": "z_reply -> m_reply"}
NUMBERS = '<nl:input name="number" value="number"/><nl:input name="line" value="line"/>'
ANSWERS = "".join(f'<nl:output name="{name}" value="{name}"/>' for name in ("number", "line"))
LATE = {"client": "s_c -> w_ask -> e_c", "office": "s_o -> t_first -> m_ask -> t_read -> e_o"}


def published(office, pools, flows, **more):
    xml = draw(pools, flows, **more)
    for key in pools:
        office.engine.repository.deploy(office.package(key, xml), SYSTEM)
    return office


@pytest.fixture
def bureau(office):
    """A client who asks and an office that works on it and replies; the key has two parts."""
    return published(
        office,
        ASKS,
        ASK_FLOWS,
        keys={"m_reply": "[number, line]", "z_reply": "[number, line]"},
        inside={"w_ask": NUMBERS, "t_work": TASK, "t_read": TASK},
    )


def of(office, key: str) -> list[str]:
    return [row.id for row in office.engine.runtime.instances(SYSTEM, process_key=key).rows]


def test_a_thrown_message_begins_the_partner_and_the_reply_finds_the_asker(bureau):
    client = bureau.start("client", number=7, line="A")

    (partner,) = of(bureau, "office")
    assert bureau.waiting_at(client) == ("m_reply",)
    assert bureau.waiting_at(partner) == ("t_work",)
    bureau.complete("wang", "t_work")

    assert bureau.status(partner) == "completed"
    assert bureau.waiting_at(client) == ("t_read",)
    assert "message.received" in bureau.kinds(client)


def test_a_reply_finds_the_one_case_of_which_all_parts_of_the_key_are_equal(bureau):
    clients = {
        pair: bureau.start("client", number=pair[0], line=pair[1])
        for pair in [(7, "A"), (7, "B"), (8, "A")]
    }
    assert len(of(bureau, "office")) == 3

    with pytest.raises(errors.NotCorrelated):
        bureau.engine.runtime.correlate("to_m_reply", [8, "B"], {}, SYSTEM)
    found = bureau.engine.runtime.correlate("to_m_reply", [7, "B"], {}, SYSTEM)

    assert found == clients[7, "B"]
    assert [bureau.waiting_at(case) for case in clients.values()] == [
        ("m_reply",), ("t_read",), ("m_reply",),
    ]  # fmt: skip


def test_a_message_thrown_before_its_receiver_waits_is_kept_and_read_at_once(office):
    bureau = published(
        office, LATE, {"f": "w_ask -> m_ask"}, inside={"t_first": TASK, "t_read": TASK}
    )
    case = bureau.start("office")
    sender = bureau.start("client")
    assert bureau.status(sender) == "completed"
    bureau.travel(days=3)

    bureau.complete("wang", "t_first")

    assert bureau.waiting_at(case) == ("t_read",)
    assert waiting_jobs(bureau) == 0


def test_a_kept_message_is_read_once_and_by_the_key_it_bears(office):
    bureau = published(
        office,
        LATE,
        {"f": "w_ask -> m_ask"},
        keys={"w_ask": "number", "m_ask": "number"},
        inside={"t_first": TASK, "t_read": TASK},
    )
    bureau.start("client", number=1)
    other, right, late = (bureau.start("office", number=number) for number in (2, 1, 1))
    for _ in range(3):
        bureau.complete("wang", "t_first")
    bureau.travel(days=2)

    assert [bureau.waiting_at(case) for case in (other, right, late)] == [
        ("m_ask",), ("t_read",), ("m_ask",),
    ]  # fmt: skip


def test_a_kept_message_is_asked_again_more_and_more_seldom(office):
    bureau = published(
        office, LATE, {"f": "w_ask -> m_ask"}, inside={"t_first": TASK, "t_read": TASK}
    )
    bureau.start("client")
    asked = 0
    until = bureau.clock.now().timestamp() + 10 * 86_400
    while (due := bureau.engine.management.next_due()) and due.timestamp() < until:
        bureau.clock.set(due)
        bureau.engine.management.run_due()
        asked += 1

    assert 10 < asked < 25
    assert waiting_jobs(bureau) == 1


def waiting_jobs(office) -> int:
    with office.engine.read() as session:
        return session.execute(text("select count(*) from job")).scalar_one()
