"""Random pools: together they are judged as the plain token game with letters judges them."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine import bpmn
from engine.execution.joint_proof import prove_together
from engine.execution.proof import prove
from engine.kernel.program import Kind
from tests.unit.engine.execution.pool_drawings import draw
from tests.unit.engine.execution.random_pools import talking_pools
from tests.unit.engine.token_moves import all_can_end, fire

COMMON = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
_LIMIT = 6_000
DRAFT = frozenset({"missing-reference", "missing-message"})
"""What a drawing lacks whose messages without a flow have no name."""


@st.composite
def pool(draw_one, mark: str, letters: str = "xptwwmm", largest: int = 6) -> str:
    """Arrows of a random process whose nodes carry the mark of their pool."""
    size = draw_one(st.integers(2, largest))
    names = [f"{draw_one(st.sampled_from(letters))}_{mark}{place}" for place in range(size)]
    edges = {(draw_one(st.integers(0, node - 1)), node) for node in range(1, size)}
    for _ in range(draw_one(st.integers(0, 2))):
        edges.add((draw_one(st.integers(0, size - 1)), draw_one(st.integers(0, size - 1))))
    assume(all(a != b for a, b in edges))
    found = [f"s_{mark} -> {names[0]}"]
    sources = {a for a, _ in edges}
    for place, name in enumerate(names):
        if place not in sources:
            found.append(f"{name} -> e_{mark}{place}")
    outgoing = Counter(a for a, _ in edges)
    last = dict(sorted(edges))
    for a, b in sorted(edges):
        free = names[a][0] == "x" and outgoing[a] > 1
        arrow = ("-default->" if last[a] == b else f"-[c{a}_{b} = 1]->") if free else "->"
        found.append(f"{names[a]} {arrow} {names[b]}")
    return "\n".join(found)


@st.composite
def collaborations(draw_one, marks: str = "AB"):
    """Pools and message flows, each catching node with at most one sender."""
    pools = {mark: draw_one(pool(mark)) for mark in marks}
    nodes = {mark: sorted(set(text.replace("->", " ").split())) for mark, text in pools.items()}
    throws = {m: [n for n in nodes[m] if n.startswith("w_")] for m in marks}
    flows: dict[str, str] = {}
    for mark in marks:
        others = [n for other in marks if other != mark for n in throws[other]]
        for catch in (n for n in nodes[mark] if n.startswith("m_")):
            if others:
                flows[f"f{len(flows)}"] = f"{draw_one(st.sampled_from(others))} -> {catch}"
    return pools, flows


def read(pools, flows):
    """Programs and collaboration; messages without a flow have no name, which only drafts may."""
    found = bpmn.read(draw(pools, flows), file="random.bpmn")
    rules = {each.rule for each in found.findings if each.is_error}
    assume(rules <= DRAFT | {"endless-loop"})
    return found


def token_game(result) -> bool | None:
    """The textbook with letters: any node may fire; None where the game is too large."""
    nodes = [(p, node) for p, program in enumerate(result.programs) for node in program.nodes]
    heard = {flow.target: flow.id for flow in result.collaboration.flows}
    sends: dict[str, list[str]] = {}
    for flow in result.collaboration.flows:
        sends.setdefault(flow.source, []).append(flow.id)
    begin = Counter(
        (p, node.outgoing[0]) for p, node in nodes if node.kind is Kind.START and node.outgoing
    )
    first = (frozenset(begin.items()), frozenset(), frozenset())
    before: dict[object, set[object]] = {}
    known, todo = {first}, deque([first])
    fired = {node.id for _, node in nodes if node.kind is Kind.START}
    while todo:
        state = todo.popleft()
        marking, ended, letters = Counter(dict(state[0])), state[1], Counter(dict(state[2]))
        for p, node in nodes:
            flow = heard.get(node.id)
            if flow is not None and not letters[flow]:
                continue
            for after in fire(node, marking, p):
                fired.add(node.id)
                if node.kind is Kind.END and node.id in ended:
                    return False
                if max(after.values(), default=0) > 3:
                    return False
                bag = Counter(letters)
                bag.update(sends.get(node.id, ()))
                if flow is not None:
                    bag[flow] -= 1
                if max(bag.values(), default=0) > 6:
                    return None
                reached = ended | {node.id} if node.kind is Kind.END else ended
                found = (frozenset(after.items()), reached, frozenset((+bag).items()))
                before.setdefault(found, set()).add(state)
                if found not in known:
                    known.add(found)
                    todo.append(found)
                    if len(known) > _LIMIT:
                        return None
    return all_can_end(known, before) and fired == {node.id for _, node in nodes}


def verdict(proofs) -> bool | None:
    """Of all pools together."""
    found = {proof.sound for proof in proofs.values()}
    return False if False in found else (None if None in found else True)


@COMMON
@given(collaborations())
def test_two_pools_are_judged_as_the_token_game_with_letters_judges_them(drawn):
    result = read(*drawn)
    expected = token_game(result)
    assume(expected is not None)

    for reduce in (True, False):
        proofs = prove_together(
            result.programs, result.collaboration, reduce=reduce, maximum_seconds=5
        )
        found = verdict(proofs)
        # Letters that a loop sends without end leave it open: then nothing is claimed.
        assert found is expected or (found is None and not expected), drawn


@settings(COMMON, max_examples=60)
@given(collaborations("ABC"))
def test_three_pools_are_judged_the_same_with_and_without_the_reduction(drawn):
    result = read(*drawn)
    plain = verdict(
        prove_together(result.programs, result.collaboration, reduce=False, maximum_seconds=3)
    )
    assume(plain is not None)

    assert verdict(prove_together(result.programs, result.collaboration)) is plain, drawn


@COMMON
@given(pool("A"), pool("B"))
def test_pools_without_message_flows_are_judged_as_each_is_alone(first, second):
    result = read({"A": first, "B": second}, {})

    together = prove_together(result.programs, result.collaboration)

    alone = {program.key: prove(program, reduce=False) for program in result.programs}
    assert verdict(together) is verdict(alone), (first, second)
    if verdict(alone) is True:
        assert {key: each.sound for key, each in together.items()} == {"A": True, "B": True}


def unread(proofs) -> set[str | None]:
    """Flows whose messages may stay unread."""
    return {
        finding.element
        for proof in proofs.values()
        for finding in proof.findings
        if finding.rule == "soundness.unread_message"
    }


@settings(COMMON, max_examples=200)
@given(st.sampled_from(["AB", "ABC"]).flatmap(talking_pools))
def test_everything_that_talks_is_judged_the_same_with_and_without_the_reduction(drawn):
    pools, flows, xml = drawn
    result = bpmn.read(draw(pools, flows, xml=xml), file="random.bpmn")
    assert {f.rule for f in result.findings if f.is_error} <= DRAFT
    plain = prove_together(result.programs, result.collaboration, reduce=False, maximum_seconds=3)
    assume(verdict(plain) is not None)

    found = prove_together(result.programs, result.collaboration)

    assert verdict(found) is verdict(plain)
    if verdict(plain):
        assert unread(found) == unread(plain)
