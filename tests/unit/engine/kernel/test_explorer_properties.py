"""Random models: the reduced exploration finds what the plain one and the token game find."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.bpmn import read
from engine.execution.proof import prove
from engine.kernel.explorer import explore
from engine.kernel.program import Kind, Program
from tests.unit.engine.token_moves import all_can_end, fire

_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d"><message id="M" name="m"/>'
    '<process id="p" isExecutable="true">'
)
_TAGS = {
    "x": "exclusiveGateway",
    "p": "parallelGateway",
    "o": "inclusiveGateway",
    "t": "userTask",
    "k": "task",
}
COMMON = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def drawn(kinds: list[str], edges: set[tuple[int, int]], extras: str = "") -> Program:
    """A process: node `i` is `<letter>i`; nodes without a way on lead to the end."""
    parts = ['<startEvent id="s"/>']
    flows = [("s", f"{kinds[0]}0")]
    flows += [(f"{kinds[a]}{a}", f"{kinds[b]}{b}") for a, b in sorted(edges)]
    sources = {a for a, _ in edges}
    for index, kind in enumerate(kinds):
        if index not in sources:
            parts.append(f'<endEvent id="e{index}"/>')
            flows.append((f"{kind}{index}", f"e{index}"))
    outgoing = Counter(source for source, _ in flows)
    for index, kind in enumerate(kinds):
        name = f"{kind}{index}"
        splits = outgoing[name] > 1 and kind == "x"
        last = [f"{a}__{b}" for a, b in flows if a == name][-1]
        default = f' default="{last}"' if splits else ""
        parts.append(f'<{_TAGS[kind]} id="{name}"{default}/>')
    for place, (a, b) in enumerate(flows):
        free = outgoing[a] > 1 and a[0] in "xo"
        is_last = (a, b) == [flow for flow in flows if flow[0] == a][-1]
        condition = (
            f'<conditionExpression xsi:type="tFormalExpression">c{place}</conditionExpression>'
            if free and not (a[0] == "x" and is_last)
            else ""
        )
        parts.append(
            f'<sequenceFlow id="{a}__{b}" sourceRef="{a}" targetRef="{b}">{condition}</sequenceFlow>'
        )
    text = _HEAD + "".join(parts) + extras + "</process></definitions>"
    return read(text.encode(), file="random.bpmn").programs[0]


@st.composite
def graphs(draw, letters="xptk", largest=7):
    size = draw(st.integers(2, largest))
    kinds = [draw(st.sampled_from(letters)) for _ in range(size)]
    edges = {(draw(st.integers(0, node - 1)), node) for node in range(1, size)}
    for _ in range(draw(st.integers(0, 4))):
        edges.add((draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))))
    assume(all(a != b for a, b in edges))
    return kinds, edges


def token_game(program: Program, limit: int = 4_000) -> bool | None:
    """The textbook: a marking is a bag of flows, any node may fire; None where it is too large."""
    start = next(node for node in program.nodes if node.kind is Kind.START)
    first = (frozenset({(start.outgoing[0], 1)}), frozenset())
    before: dict[object, set[object]] = {}
    known, todo, fired = {first}, deque([first]), {start.id}
    while todo:
        state = todo.popleft()
        marking, ended = Counter(dict(state[0])), state[1]
        for node in program.nodes:
            for after in fire(node, marking):
                reached = ended | {node.id} if node.kind is Kind.END else ended
                fired.add(node.id)
                if node.kind is Kind.END and node.id in ended:
                    return False
                if max(after.values(), default=0) > 3:
                    return False
                found = (frozenset(after.items()), reached)
                before.setdefault(found, set()).add(state)
                if found not in known:
                    known.add(found)
                    todo.append(found)
                    if len(known) > limit:
                        return None
    return all_can_end(known, before) and fired == {node.id for node in program.nodes}


@COMMON
@given(graphs())
def test_every_verdict_is_that_of_the_token_game(graph):
    program = drawn(*graph)
    expected = token_game(program)
    assume(expected is not None)

    assert prove(program, maximum_seconds=5).sound is expected


@COMMON
@given(graphs(letters="xpotk"))
def test_reduced_and_plain_exploration_agree(graph):
    program = drawn(*graph)
    plain = prove(program, reduce=False, maximum_states=4_000, maximum_seconds=5)
    assume(plain.sound is not None)

    assert prove(program, maximum_seconds=5).sound is plain.sound


@st.composite
def decorated(draw):
    """A graph of tasks and gateways with boundary events, a terminate end, an event subprocess."""
    kinds, edges = draw(graphs(letters="xptt", largest=5))
    tasks = [f"t{index}" for index, kind in enumerate(kinds) if kind == "t"]
    names = [f"{kind}{index}" for index, kind in enumerate(kinds)]
    extras = ""
    for place, task in enumerate(tasks[:2]):
        if not draw(st.booleans()):
            continue
        target = draw(st.sampled_from([*names, "over", "stop"]))
        interrupting = str(draw(st.booleans())).lower()
        extras += (
            f'<boundaryEvent id="b{place}" attachedToRef="{task}" cancelActivity="{interrupting}">'
            f'<messageEventDefinition messageRef="M"/></boundaryEvent>'
            f'<sequenceFlow id="b{place}_on" sourceRef="b{place}" targetRef="{target}"/>'
        )
    if "over" in extras:
        extras += '<endEvent id="over"/>'
    if '"stop"' in extras:
        extras += '<endEvent id="stop"><terminateEventDefinition/></endEvent>'
    if draw(st.booleans()):
        extras += (
            '<subProcess id="h" triggeredByEvent="true">'
            f'<startEvent id="h1" isInterrupting="{str(draw(st.booleans())).lower()}">'
            '<messageEventDefinition messageRef="M"/></startEvent><userTask id="h2"/>'
            '<endEvent id="h3"/><sequenceFlow id="h4" sourceRef="h1" targetRef="h2"/>'
            '<sequenceFlow id="h5" sourceRef="h2" targetRef="h3"/></subProcess>'
        )
    return drawn(kinds, edges, extras)


@COMMON
@given(decorated())
def test_reduced_and_plain_exploration_agree_on_events(program):
    plain = prove(program, reduce=False, maximum_states=4_000, maximum_seconds=5)
    assume(plain.sound is not None)

    assert prove(program, maximum_seconds=5).sound is plain.sound


@COMMON
@given(graphs(letters="xpotk"))
def test_every_counter_example_is_a_way_the_kernel_goes(graph):
    program = drawn(*graph)

    for finding in prove(program, maximum_states=4_000).findings:
        steps = set(zip(finding.path, finding.path[1:], strict=False))
        assert not finding.path or finding.path[0] == "s"
        assert {node for pair in steps for node in pair} <= set(program.by_id)


def test_a_bound_on_states_gives_no_verdict():
    kinds = ["p", *("t" * 9)]
    wide = drawn(kinds, {(0, node) for node in range(1, 10)})

    found = prove(wide, maximum_states=50, reduce=False)

    assert found.sound is None
    assert [(each.rule, each.severity) for each in found.findings] == [
        ("soundness.bound_hit", "warning")
    ]
    assert "没有结论" in found.findings[0].message


def test_a_bound_on_time_gives_no_verdict():
    wide = drawn(["p", *("t" * 9)], {(0, node) for node in range(1, 10)})

    assert prove(wide, maximum_seconds=0, reduce=False).sound is None


def test_independent_branches_are_not_interleaved():
    wide = drawn(["p", *("t" * 9)], {(0, node) for node in range(1, 10)})

    plain, reduced = explore(wide, reduce=False), explore(wide)

    assert (len(plain.vertices), len(reduced.vertices)) == (2**9 + 1, 11)
    assert plain.visited == reduced.visited
