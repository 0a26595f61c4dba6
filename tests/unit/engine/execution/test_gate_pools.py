"""The gate on a file with several pools: a verdict a process, found for those that talk together."""

from __future__ import annotations

import pytest

from engine.execution.deployment import Examination, examine
from engine.execution.references import Known
from engine.model.package import Package
from tests.unit.engine.execution.pool_drawings import draw

TASK = '<nl:task role="clerk" deadline="5wd"/>'
WAITS = {"A": "s_a -> t_a -> m_a -> w_a -> e_a", "B": "s_b -> m_b -> w_b -> e_b"}
FLOWS = {"f1": "w_a -> m_b", "f2": "w_b -> m_a"}


def examined(xml: bytes, key: str = "A") -> Examination:
    package = Package(
        key=key,
        title="两方",
        version_tag="1",
        bpmn="pools.bpmn",
        files={"pools.bpmn": xml},
        roles={"clerk": "经办"},
    )
    return examine(package, Known(operations=frozenset(), programs={}))


def verdicts(found: Examination) -> dict[str, bool | None]:
    return {key: proof.sound for key, proof in found.proofs.items()}


@pytest.mark.parametrize("key", ["A", "B", "C"])
def test_a_process_that_is_sound_alone_but_waits_for_its_partner_in_vain_is_not_sound(key):
    pools = WAITS | {"C": "s_c -> t_c -> e_c"}
    found = examined(draw(pools, FLOWS, inside={"t_a": TASK, "t_c": TASK}), key)

    assert verdicts(found) == {"A": False, "B": False, "C": True}
    assert (found.ok, found.sound) == (False, False)
    (fault,) = [each for each in found.findings if each.is_error]
    assert (fault.rule, fault.element) == ("soundness.deadlock", "m_a")
    assert {"m_a", "m_b"} <= set(fault.path)


def test_pools_that_talk_in_the_right_order_are_published_with_their_warnings():
    pools = {"A": "s_a -> w_a -> g_a -> m_a -> e_a\ng_a -> i_a -> e_late", "B": "b_a -> t_b -> z_b"}
    flows = {"f1": "w_a -> b_a", "f2": "z_b -> m_a"}

    found = examined(draw(pools, flows, inside={"t_b": TASK}))

    assert (found.ok, found.sound) == (True, True)
    told = {(each.rule, each.element) for each in found.findings if "soundness" in each.rule}
    assert told == {("soundness.unread_message", "f2")}


def test_a_drawing_whose_messages_have_no_name_yet_is_judged_by_its_message_flows():
    named = draw(WAITS, FLOWS).decode()
    for node in ("m_a", "w_a", "m_b", "w_b"):
        named = named.replace(f' messageRef="M_to_{node}"', "")

    found = examined(named.encode())

    assert "missing-reference" in {each.rule for each in found.findings}
    assert verdicts(found) == {"A": False, "B": False}


def test_a_pool_that_only_a_black_box_speaks_to_is_proven_alone():
    xml = draw({"A": "s_a -> m_a -> e_a"}, {"in": "box -> m_a"})

    assert verdicts(examined(xml)) == {"A": True}


def test_a_flow_into_a_task_that_does_not_wait_is_told():
    xml = draw(
        {"A": "s_a -> w_a -> e_a", "B": "s_b -> t_b -> e_b", "C": "s_c -> k_c -> e_c"},
        {"f": "w_a -> k_c"},
        inside={"t_b": TASK},
    )

    found = examined(xml)

    assert [(e.rule, e.element) for e in found.findings if "flow" in e.rule] == [
        ("message-flow-idle", "f")
    ]
