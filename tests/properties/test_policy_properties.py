"""What a policy calls certain is never contradicted by a run of the kernel on random models."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn import read
from engine.execution import policy
from engine.kernel.program import Kind, Program
from engine.model.package import Package
from engine.model.policy import read_policy
from tests.properties.random_models import BLOCKS, PICKS, document
from tests.properties.test_kernel_properties import COMMON, play

_COUNTED = (Kind.USER_TASK, Kind.SCRIPT_TASK, Kind.END, Kind.TASK, Kind.SUB_PROCESS)


def certain(program: Program, kind: str, sentence: dict[str, object]) -> bool:
    rule = read_policy({"id": "r", "law": "x", kind: sentence})
    package = Package(
        key=program.key, title="t", version_tag="1", bpmn="p", files={}, policies=(rule,)
    )
    return not policy.check(package, (program,), {})


def pair(program: Program, picked: list[int]) -> tuple[str, str] | None:
    nodes = [node.id for node in program.nodes if node.kind in _COUNTED and not node.loop]
    if len(nodes) < 2:
        return None
    first, then = nodes[picked[0] % len(nodes)], nodes[picked[1] % len(nodes)]
    return None if first == then else (first, then)


TWO = st.lists(st.integers(0, 40), min_size=2, max_size=2)
ORDER = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@settings(COMMON, max_examples=400)
@given(BLOCKS, PICKS, ORDER, TWO)
def test_what_always_comes_before_came_before_in_every_run(block, picks, order, picked):
    (program,) = read(document(block), file="random.bpmn").programs
    chosen = pair(program, picked)
    if chosen is None or not certain(
        program, "always_before", {"first": chosen[0], "then": chosen[1]}
    ):
        return
    trace = play(program, picks, order, restart=False).trace
    done = [n for n, (move, node) in enumerate(trace) if (move, node) == ("completed", chosen[0])]
    came = [n for n, (move, node) in enumerate(trace) if (move, node) == ("entered", chosen[1])]

    assert not came or (done and done[0] < came[0])


@settings(COMMON, max_examples=400)
@given(BLOCKS, PICKS, ORDER, TWO)
def test_what_is_never_without_never_is_in_any_run(block, picks, order, picked):
    (program,) = read(document(block), file="random.bpmn").programs
    chosen = pair(program, picked)
    if chosen is None or not certain(
        program, "never_without", {"done": chosen[0], "must": chosen[1]}
    ):
        return
    trace = play(program, picks, order, restart=False).trace

    assert ("completed", chosen[0]) not in trace or ("completed", chosen[1]) in trace


@settings(COMMON, max_examples=300)
@given(BLOCKS, TWO)
def test_a_broken_rule_comes_with_a_path_of_the_drawing(block, picked):
    (program,) = read(document(block), file="random.bpmn").programs
    chosen = pair(program, picked)
    if chosen is None:
        return
    rule = read_policy(
        {"id": "r", "law": "x", "always_before": {"first": chosen[0], "then": chosen[1]}}
    )
    package = Package(
        key=program.key, title="t", version_tag="1", bpmn="p", files={}, policies=(rule,)
    )
    for finding in policy.check(package, (program,), {}):
        assert finding.path[0] in {program.nodes[each].id for each in program.scopes[0].starts}
        assert finding.path[-1] == chosen[1]
        assert set(finding.path) <= set(program.by_id)
