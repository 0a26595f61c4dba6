"""Collaborations of the textbook: what each pool is worth when they run together."""

from __future__ import annotations

import pytest

from engine import bpmn
from engine.execution import joint_proof
from engine.execution.joint_proof import prove_together
from engine.execution.proof import prove
from tests.unit.engine.execution.pool_drawings import draw, read

TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"

TRAVEL = (
    {
        "customer": """
            s_c -> t_need -> w_book -> g_c -> m_offer -> x_c
            x_c -[price < 100]-> w_yes -> m_ticket -> e_fly
            x_c -default-> w_no -> e_home
            g_c -> m_none -> e_none""",
        "agency": """
            b_book -> t_look -> x_a
            x_a -[found = 1]-> w_offer -> g_a
            x_a -default-> z_none
            g_a -> m_yes -> t_issue -> z_ticket
            g_a -> m_no -> e_a""",
    },
    {
        "f_book": "w_book -> b_book",
        "f_offer": "w_offer -> m_offer",
        "f_none": "z_none -> m_none",
        "f_yes": "w_yes -> m_yes",
        "f_no": "w_no -> m_no",
        "f_ticket": "z_ticket -> m_ticket",
    },
)
ORDER = (
    {
        "buyer": "s_b -> n_order -> p_b\np_b -> r_goods -> p_j\np_b -> r_bill -> t_pay -> n_pay -> p_j"
        "\np_j -> e_b",
        "seller": "b_order -> p_s\np_s -> t_pack -> n_goods -> p_t\np_s -> n_bill -> r_pay -> p_t"
        "\np_t -> e_s",
    },
    {
        "f_order": "n_order -> b_order",
        "f_goods": "n_goods -> r_goods",
        "f_bill": "n_bill -> r_bill",
        "f_pay": "n_pay -> r_pay",
    },
)
CREDIT = (
    {
        "client": "s_k -> w_ask -> m_answer -> e_k",
        "broker": "b_ask -> p_b\np_b -> w_one -> m_one -> p_j\np_b -> w_two -> m_two -> p_j"
        "\np_j -> t_best -> z_answer",
        "bank_one": "b_one -> t_one -> z_one",
        "bank_two": "b_two -> t_two -> z_two",
    },
    {
        "f_ask": "w_ask -> b_ask",
        "f_1": "w_one -> b_one",
        "f_2": "w_two -> b_two",
        "f_3": "z_one -> m_one",
        "f_4": "z_two -> m_two",
        "f_answer": "z_answer -> m_answer",
    },
)


def proven(pools, flows, **more):
    """The verdicts, which the plain exploration shares as far as it comes to one."""
    result = read(pools, flows, **more)
    proofs = prove_together(result.programs, result.collaboration)
    plain = prove_together(result.programs, result.collaboration, reduce=False)
    for key, proof in plain.items():
        assert proof.sound in (None, proofs[key].sound)
    return proofs


def rules(proofs) -> set[tuple[str, str | None]]:
    return {
        (finding.rule.removeprefix("soundness."), finding.element)
        for proof in proofs.values()
        for finding in proof.findings
    }


@pytest.mark.parametrize("drawing", [TRAVEL, ORDER, CREDIT], ids=["travel", "order", "credit"])
def test_a_collaboration_of_the_textbook_is_sound(drawing):
    proofs = proven(*drawing)

    assert {proof.sound for proof in proofs.values()} == {True}
    assert rules(proofs) == set()
    assert max(proof.ms for proof in proofs.values()) < 500


def test_pools_that_wait_for_each_other_are_a_deadlock_of_both():
    proofs = proven(
        {"A": "s_a -> t_a -> m_a -> w_a -> e_a", "B": "s_b -> m_b -> w_b -> e_b"},
        {"f1": "w_a -> m_b", "f2": "w_b -> m_a"},
    )

    assert {key: proof.sound for key, proof in proofs.items()} == {"A": False, "B": False}
    (fault,) = [each for proof in proofs.values() for each in proof.findings]
    assert (fault.rule, fault.element) == ("soundness.deadlock", "m_a")
    assert "m_a" in fault.message
    assert "m_b" in fault.message
    assert "互相等待" in fault.message
    assert set(fault.path) == {"s_a", "t_a", "m_a", "s_b", "m_b"}


def test_each_of_them_alone_is_sound():
    result = read(
        {"A": "s_a -> m_a -> w_a -> e_a", "B": "s_b -> m_b -> w_b -> e_b"},
        {"f1": "w_a -> m_b", "f2": "w_b -> m_a"},
    )

    assert [prove(program).sound for program in result.programs] == [True, True]


TWO_WAYS = {"f_yes": "w_yes -> m_yes", "f_no": "w_no -> m_no"}
SAYS = "s_a -> x_a -[n > 1]-> w_yes -> e_1\nx_a -default-> w_no -> e_2"


def test_a_choice_by_other_data_than_the_partners_is_a_deadlock_of_who_waits():
    hears = "s_b -> x_b -[k > 1]-> m_yes -> e_3\nx_b -default-> m_no -> e_4"

    proofs = proven({"A": SAYS, "B": hears}, TWO_WAYS)

    assert (proofs["A"].sound, proofs["B"].sound) == (True, False)
    assert rules(proofs) == {("deadlock", "m_yes"), ("deadlock", "m_no")}
    assert all("“A方”" in finding.message for finding in proofs["B"].findings)


def test_a_choice_by_which_message_comes_is_sound():
    hears = "s_b -> g_b -> m_yes -> e_3\ng_b -> m_no -> e_4"

    assert {each.sound for each in proven({"A": SAYS, "B": hears}, TWO_WAYS).values()} == {True}


def test_a_message_that_may_come_too_late_is_told_with_its_flow_and_is_no_fault():
    proofs = proven(
        {"A": "s_a -> t_a -> w_a -> e_a", "B": "s_b -> g_b -> m_b -> e_1\ng_b -> i_b -> e_2"},
        {"f": "w_a -> m_b"},
    )

    assert {proof.sound for proof in proofs.values()} == {True}
    (told,) = proofs["B"].findings
    assert (told.rule, told.severity, told.element) == ("soundness.unread_message", "warning", "f")
    assert "i_b" in told.path


BOUNDARY = (
    '<boundaryEvent id="{id}" attachedToRef="{to}" cancelActivity="{cuts}">{event}</boundaryEvent>'
)


def boundary(name: str, to: str, event: str, *, cuts: bool = True) -> str:
    return BOUNDARY.format(id=name, to=to, event=event, cuts=str(cuts).lower())


def test_the_race_of_a_boundary_timer_with_a_late_answer_leaves_the_answer_unread():
    proofs = proven(
        {"A": "s_a -> w_ask -> r_reply -> e_a\nlate -> e_late", "B": "b_ask -> t_b -> z_reply"},
        {"f_ask": "w_ask -> b_ask", "f_reply": "z_reply -> r_reply"},
        xml={"A": boundary("late", "r_reply", TIMER)},
    )

    assert {proof.sound for proof in proofs.values()} == {True}
    assert rules(proofs) == {("unread_message", "f_reply")}


def test_an_answer_that_is_sent_only_sometimes_is_waited_for_in_vain():
    proofs = proven(
        {
            "A": "s_a -> w_ask -> m_reply -> e_a",
            "B": "b_ask -> x_b -[n > 1]-> z_reply\nx_b -default-> e_lost",
        },
        {"f_ask": "w_ask -> b_ask", "f_reply": "z_reply -> m_reply"},
    )

    assert (proofs["A"].sound, proofs["B"].sound) == (False, True)
    assert rules(proofs) == {("deadlock", "m_reply")}


CANCEL = '<messageEventDefinition messageRef="M_to_{id}"/>'


@pytest.mark.parametrize(
    ("cuts", "expected"), [(True, {("unread_message", "f_reply")}), (False, set())]
)
def test_a_message_at_a_boundary_cuts_the_work_or_does_not(cuts, expected):
    proofs = proven(
        {
            "A": "s_a -> w_ask -> t_a -> w_stop -> g_a -> m_reply -> e_1\ng_a -> i_a -> e_2",
            "B": "b_ask -> t_b -> z_reply\nstop -> e_stop",
        },
        {"f_ask": "w_ask -> b_ask", "f_stop": "w_stop -> stop", "f_reply": "z_reply -> m_reply"},
        xml={"B": boundary("stop", "t_b", CANCEL.format(id="stop"), cuts=cuts)},
    )

    assert {proof.sound for proof in proofs.values()} == {True}
    # The stop may come when the work is done; the reply may come when nobody waits.
    assert rules(proofs) == {("unread_message", "f_stop"), ("unread_message", "f_reply")} | expected


def event_sub_process(name: str, start: str, rest: str, flows: str, *, cuts: bool) -> str:
    return (
        f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="{start}" '
        f'isInterrupting="{str(cuts).lower()}">{CANCEL.format(id=start)}</startEvent>{rest}{flows}'
        "</subProcess>"
    )


@pytest.mark.parametrize("cuts", [True, False])
def test_an_event_subprocess_hears_a_message_of_the_partner(cuts):
    handler = event_sub_process(
        "handler",
        "heard",
        '<endEvent id="e_heard"/>',
        '<sequenceFlow id="hf" sourceRef="heard" targetRef="e_heard"/>',
        cuts=cuts,
    )
    proofs = proven(
        {"A": "s_a -> w_a -> e_a", "B": "s_b -> t_b -> e_b"},
        {"f": "w_a -> heard"},
        xml={"B": handler},
    )

    assert {proof.sound for proof in proofs.values()} == {True}
    assert rules(proofs) == {("unread_message", "f")}


def test_a_message_sent_twice_is_there_twice():
    flows = {"f": "w_a -> m_b"}
    again = "s_a -> x_j -> w_a -> i_a -> x_a -[n > 1]-> x_j\nx_a -default-> e_a"

    # Two branches, one message each, on one flow: the reader must read twice.
    twice = "s_a -> p_a -> k_1 -> x_m -> w_a -> e_a\np_a -> k_2 -> x_m"
    found = proven({"A": twice, "B": "s_b -> m_b -> e_b"}, flows)
    assert ("improper_completion", "e_a") in rules(found)

    found = proven({"A": again, "B": "s_b -> m_b -> e_b"}, flows)
    assert {proof.sound for proof in found.values()} == {True}
    assert rules(found) == {("unread_message", "f")}

    two = {"f": "w_a -> m_b", "g": "w_b -> m_c"}
    found = proven({"A": "s_a -> w_a -> w_b -> e_a", "B": "s_b -> m_c -> m_b -> e_b"}, two)
    assert {proof.sound for proof in found.values()} == {True}
    assert rules(found) == set()


def test_a_letter_that_nobody_sends_leaves_its_reader_dead():
    proofs = proven(
        {
            "A": "s_a -> x_a -[false]-> w_a -> e_1\nx_a -default-> w_b -> e_2",
            "B": "s_b -> g_b -> m_a -> e_3\ng_b -> m_b -> e_4",
        },
        {"f1": "w_a -> m_a", "f2": "w_b -> m_b"},
    )

    assert ("dead_activity", "m_a") in rules(proofs)
    assert (proofs["A"].sound, proofs["B"].sound) == (False, False)


def test_a_pool_comes_into_being_once_for_each_message():
    sends = "s_a -> x_j -> w_a -> x_a -[n > 1]-> x_j\nx_a -default-> e_a"

    proofs = proven({"A": sends, "B": "b_b -> e_b"}, {"f": "w_a -> b_b"})

    assert {proof.sound for proof in proofs.values()} == {True}


def test_pools_that_come_into_being_without_end_are_told_and_not_judged():
    proofs = proven(
        {
            "A": "s_a -> x_j -> w_a -> x_a -[n > 1]-> x_j\nx_a -default-> w_b -> e_a",
            "B": "b_b -> m_b -> e_b",
        },
        {"f": "w_a -> b_b", "g": "w_b -> m_b"},
    )

    assert rules(proofs) & {("unbounded_instances", None), ("deadlock", "m_b")}
    assert True not in {proof.sound for proof in proofs.values()}


def test_messages_that_pile_up_are_told_and_not_judged():
    proofs = proven(
        {
            "A": "s_a -> x_j -> w_a -> x_a -[n > 1]-> x_j\nx_a -default-> w_end -> e_a",
            "B": "s_b -> x_k -> g_b -> m_b -> x_k\ng_b -> m_end -> e_b",
        },
        {"f": "w_a -> m_b", "g": "w_end -> m_end"},
    )

    assert {proof.sound for proof in proofs.values()} == {None}
    assert ("unbounded_messages", "f") in rules(proofs)


def test_a_message_of_a_black_box_may_come_at_any_time():
    result = read(
        {"A": "s_a -> m_a -> w_a -> e_a", "B": "b_a -> m_box -> e_b"},
        {"f": "w_a -> b_a", "in": "box -> m_a", "more": "box -> m_box"},
    )

    assert [flow.id for flow in result.collaboration.flows] == ["f"]
    proofs = prove_together(result.programs, result.collaboration)
    assert {proof.sound for proof in proofs.values()} == {True}


def test_only_processes_that_talk_are_proven_together():
    result = read(
        {"A": "s_a -> w_a -> e_a", "B": "b_b -> e_b", "C": "s_c -> t_c -> e_c"},
        {"f": "w_a -> b_b"},
    )

    found = joint_proof.groups(result.programs, result.collaboration)

    assert [[program.key for program in group] for group in found] == [["A", "B"], ["C"]]


def test_a_pool_of_tasks_without_a_message_is_judged_as_it_is_drawn():
    """Abstract tasks at the ends of a message flow send and wait, as in a drawing on paper."""
    pools = {"A": "s_a -> k_wait -> k_send -> e_a", "B": "s_b -> k_get -> k_answer -> e_b"}
    result = bpmn.read(
        draw(pools, {"f": "k_send -> k_get", "g": "k_answer -> k_wait"}), file="drawing.bpmn"
    )

    proofs = prove_together(result.programs, result.collaboration)

    assert {proof.sound for proof in proofs.values()} == {False}


def test_four_pools_of_thirty_nodes_are_proven_in_time():
    """A ring: the first pool begins each of six rounds, the others do two things at once in it."""
    ring = "ABCD"
    rounds = range(6)
    flows = {
        f"f_{mark}{i}": f"w_{mark}{i} -> m_{ring[(place + 1) % 4]}{i}"
        for place, mark in enumerate(ring)
        for i in rounds
    }
    pools = {"A": f"s_A -> {' -> '.join(f'w_A{i} -> t_A{i} -> m_A{i}' for i in rounds)} -> e_A"}
    for mark in "BCD":
        steps = [
            f"m_{mark}{i} -> p_{mark}{i}s -> t_{mark}{i} -> p_{mark}{i}j -> w_{mark}{i}"
            for i in rounds
        ]
        forks = "\n".join(f"p_{mark}{i}s -> t_{mark}{i}o -> p_{mark}{i}j" for i in rounds)
        pools[mark] = f"s_{mark} -> {' -> '.join(steps)} -> e_{mark}\n{forks}"
    result = read(pools, flows)

    proofs = prove_together(result.programs, result.collaboration)

    assert sum(len(program.nodes) for program in result.programs) > 120
    assert {proof.sound for proof in proofs.values()} == {True}
    assert proofs["A"].ms < 1_000  # about 20 ms on a quiet machine


def test_an_event_that_may_occur_again_and_again_and_sends_is_not_a_pile_of_tokens():
    proofs = proven(
        {
            "A": "s_a -> t_a -> e_a\nagain -> x_a -[n > 1]-> w_1 -> e_1\nx_a -default-> e_2",
            "B": "s_b -> t_b -> e_b",
        },
        {"news": "w_1 -> heard", "in": "box -> again"},
        xml={
            "A": boundary("again", "t_a", CANCEL.format(id="again"), cuts=False),
            "B": event_sub_process(
                "handler",
                "heard",
                '<endEvent id="e_heard"/>',
                '<sequenceFlow id="hf" sourceRef="heard" targetRef="e_heard"/>',
                cuts=False,
            ),
        },
    )

    assert {proof.sound for proof in proofs.values()} == {True}


def test_an_event_that_occurs_twice_but_is_answered_once_waits_in_vain():
    proofs = proven(
        {"A": "s_a -> t_a -> e_a\nagain -> m_1 -> e_1", "B": "s_b -> t_b -> w_b -> e_b"},
        {"news": "w_b -> m_1", "in": "box -> again"},
        xml={"A": boundary("again", "t_a", CANCEL.format(id="again"), cuts=False)},
    )

    assert (proofs["A"].sound, proofs["B"].sound) == (False, True)
    assert rules(proofs) == {("deadlock", "m_1")}
