"""Pools of one file on the bench: messages flow between them without the test doing anything."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine import bpmn
from engine.kernel.events_waiting import key_text
from engine.model.errors import NotCorrelated
from engine.testing import Bench
from tests.unit.engine.execution.pool_drawings import draw

ASKS = {
    "client": "s_c -> w_ask -> m_reply -> t_read -> e_c",
    "office": "b_ask -> t_work -> z_reply",
}
ASK_FLOWS = {"f_ask": "w_ask -> b_ask", "f_reply": "z_reply -> m_reply"}
TWO_KEYS = {
    "keys": {"m_reply": "[order, client]", "z_reply": "[order, client]"},
    "inside": {
        "w_ask": '<nl:input name="order" value="order"/><nl:input name="client" value="client"/>',
        "z_reply": '<nl:input name="answer" value="answer"/>',
    },
}


def test_a_message_starts_the_partner_and_its_reply_comes_back():
    bench = Bench.from_bpmn(draw(ASKS, ASK_FLOWS, **TWO_KEYS))
    client = bench.start("client", {"order": 7, "client": "A"})

    office = bench.cases[1]
    assert (office.process, office.waiting_at()) == ("office", ["t_work"])
    assert client.waiting_at() == ["m_reply"]
    office.complete("t_work", {"answer": "yes"})

    assert (office.status, client.waiting_at()) == ("completed", ["t_read"])
    assert client.variables["answer"] == "yes"


def test_a_reply_finds_the_case_of_which_all_keys_are_equal():
    bench = Bench.from_bpmn(draw(ASKS, ASK_FLOWS, **TWO_KEYS))
    pairs = [(7, "A"), (7, "B"), (8, "A")]
    clients = {pair: bench.start("client", {"order": pair[0], "client": pair[1]}) for pair in pairs}

    second = next(
        case for case in bench.cases if case.process == "office" and case.variables["client"] == "B"
    )
    second.complete("t_work", {"answer": "only B"})

    waits = {pair: case.waiting_at() for pair, case in clients.items()}
    assert waits == {(7, "A"): ["m_reply"], (7, "B"): ["t_read"], (8, "A"): ["m_reply"]}


def test_a_key_of_which_one_part_differs_finds_nobody():
    bench = Bench.from_bpmn(draw(ASKS, ASK_FLOWS, **TWO_KEYS))
    client = bench.start("client", {"order": 7, "client": "A"})

    with pytest.raises(NotCorrelated):
        bench.message("to_m_reply", key=[7, "B"])
    bench.message("to_m_reply", key=[7, "A"])

    assert client.waiting_at() == ["t_read"]


@pytest.mark.parametrize("order", [["client", "office"], ["office", "client"]])
def test_a_message_that_comes_before_its_receiver_waits_is_kept(order):
    pools = {"client": "s_c -> w_ask -> e_c", "office": "s_o -> t_first -> m_ask -> e_o"}
    bench = Bench.from_bpmn(draw(pools, {"f": "w_ask -> m_ask"}))
    cases = {key: bench.start(key) for key in order}

    bench.travel("P3D")
    cases["office"].complete("t_first")

    assert cases["office"].status == "completed"
    assert bench.simulation.undelivered == []


def test_a_message_sent_twice_is_read_twice():
    pools = {"client": "s_c -> w_ask -> e_c", "office": "s_o -> t_first -> m_ask -> e_o"}
    bench = Bench.from_bpmn(draw(pools, {"f": "w_ask -> m_ask"}))
    bench.start("client")
    bench.start("client")
    offices = [bench.start("office") for _ in range(3)]
    for office in offices:
        office.complete("t_first")

    assert [office.status for office in offices] == ["completed", "completed", "active"]


def test_a_message_without_a_drawn_flow_is_gone_when_nobody_waits():
    pools = {"client": "s_c -> w_ask -> e_c", "office": "s_o -> t_first -> m_ask -> e_o"}
    text = draw(pools, {"f": "w_ask -> m_ask"}).decode()
    without = text.replace('<messageFlow id="f" sourceRef="w_ask" targetRef="m_ask"/>', "")
    bench = Bench.from_bpmn(without)
    bench.start("client")
    office = bench.start("office")
    bench.travel("P1D")
    office.complete("t_first")

    assert office.waiting_at() == ["m_ask"]
    assert len(bench.simulation.undelivered) == 1


KEY = (
    '<correlationProperty id="p_order" name="order">'
    '<correlationPropertyRetrievalExpression messageRef="M_to_m_reply">'
    "<messagePath>number</messagePath></correlationPropertyRetrievalExpression>"
    "</correlationProperty>"
    '<correlationProperty id="p_client" name="client">'
    '<correlationPropertyRetrievalExpression messageRef="M_to_m_reply">'
    "<messagePath>who.name</messagePath></correlationPropertyRetrievalExpression>"
    "</correlationProperty>"
)
BOUND = (
    '<correlationSubscription id="sub" correlationKeyRef="k">'
    '<correlationPropertyBinding correlationPropertyRef="p_order"><dataPath>order</dataPath>'
    "</correlationPropertyBinding>"
    '<correlationPropertyBinding correlationPropertyRef="p_client"><dataPath>client</dataPath>'
    "</correlationPropertyBinding></correlationSubscription>"
)


def keyed(subscription: str = BOUND, properties: str = KEY) -> bytes:
    """The client's answer correlates by two properties, as the standard writes them."""
    text = draw(
        ASKS,
        ASK_FLOWS,
        root=properties,
        inside=TWO_KEYS["inside"]
        | {
            "z_reply": '<nl:input name="number" value="order"/>'
            '<nl:input name="who" value="{name: client}"/>'
        },
    ).decode()
    key = (
        '<correlationKey id="k"><correlationPropertyRef>p_order</correlationPropertyRef>'
        "<correlationPropertyRef>p_client</correlationPropertyRef></correlationKey>"
    )
    text = text.replace("</collaboration>", f"{key}</collaboration>")
    # A subscription stands before the flow elements of its process.
    where = text.index('id="client"')
    place = text.index(">", where) + 1
    return (text[:place] + subscription + text[place:]).encode()


def test_correlation_properties_of_the_standard_are_one_key_of_all_of_them():
    bench = Bench.from_bpmn(keyed())
    first = bench.start("client", {"order": 7, "client": "A"})
    second = bench.start("client", {"order": 7, "client": "B"})

    office = next(case for case in bench.cases[::-1] if case.process == "office")
    assert office.variables["client"] == "B"
    office.complete("t_work")

    assert (first.waiting_at(), second.waiting_at()) == (["m_reply"], ["t_read"])


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        (keyed(BOUND.replace("<dataPath>client</dataPath>", "<dataPath/>")), "p_client"),
        (keyed(properties=KEY.replace("<messagePath>number</messagePath>", "")), "p_order"),
    ],
    ids=["binding", "path"],
)
def test_a_key_with_a_property_that_nobody_can_find_is_refused(drawing, says):
    faults = [each for each in bpmn.read(drawing, file="x").findings if each.rule == "correlation"]

    assert faults
    assert all(says in each.message for each in faults)


def test_a_flow_whose_ends_mean_different_messages_is_refused():
    text = (
        draw(ASKS, ASK_FLOWS)
        .decode()
        .replace(
            '<messageEventDefinition messageRef="M_to_m_reply"/></endEvent>',
            '<messageEventDefinition messageRef="M_to_b_ask"/></endEvent>',
        )
    )

    faults = [each for each in bpmn.read(text.encode(), file="x").findings if each.is_error]

    assert [(each.rule, each.element) for each in faults] == [("message-mismatch", "f_reply")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b|c"], ["a|b", "c"]),
        (["a", "~1b"], ["a", "|b"]),
        (["x" * 300, "a"], ["x" * 300, "b"]),
        (["a", "b"], ["b", "a"]),
    ],
)
def test_different_lists_of_properties_are_different_keys(one, other):
    assert key_text(one) != key_text(other)
    assert max(len(key_text(one)), len(key_text(other))) <= 200


def test_equal_properties_are_equal_keys_whatever_writes_them():
    assert key_text([7, "A"]) == key_text([Decimal("7.0"), "A"]) == key_text(("7", "A"))
    assert key_text(["A"]) == key_text("A")
