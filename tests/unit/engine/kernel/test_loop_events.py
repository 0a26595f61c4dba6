"""What a multi-instance tells while it runs (BPMN 2.0.2 table 10.27), and errors out of it."""

from __future__ import annotations

import pytest

TELLING = """
<startEvent id="s"/><userTask id="a"><multiInstanceLoopCharacteristics behavior="{0}" {1}>
<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></userTask>
<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><signalEventDefinition signalRef="S"/></boundaryEvent>
<userTask id="t"/><endEvent id="e"/><endEvent id="e2"/>
s -> a -> e
b -> t -> e2
"""
ROOTS = '<signal id="S" name="one"/><signalEventDefinition id="sd" signalRef="S"/>'


@pytest.mark.parametrize(
    ("behavior", "told"), [("None", [1, 2, 3]), ("One", [1, 1, 1]), ("All", [0, 0, 0])]
)
def test_completed_rounds_are_told_as_the_model_says(bench, behavior, told):
    reference = "" if behavior == "All" else f'{behavior.lower()}BehaviorEventRef="sd"'
    case = bench(TELLING.format(behavior, reference), ROOTS).start("p")

    for expected in told:
        case.complete("a")
        assert case.waiting_at().count("t") == expected


def test_an_error_of_one_called_process_ends_the_other_rounds(bench):
    called = """<process id="q" isExecutable="true"><startEvent id="qs"/><userTask id="qa"/><endEvent id="qe"><errorEventDefinition errorRef="E"/></endEvent>
        qs -> qa -> qe
        </process>"""
    b = bench(
        """
        <startEvent id="s"/><callActivity id="c" calledElement="q"><extensionElements>
        <nl:loop collection="[1, 2]" item="i"/></extensionElements><multiInstanceLoopCharacteristics/></callActivity>
        <boundaryEvent id="x" attachedToRef="c"><errorEventDefinition errorRef="E"/></boundaryEvent>
        <userTask id="h"/><endEvent id="e"/>
        s -> c -> e
        x -> h -> e
        """,
        '<error id="E" errorCode="E-1"/>',
        called,
    )
    case = b.start("p")

    case.children[0].complete("qa")

    assert case.waiting_at() == ["h"]
    assert [each.status for each in b.cases] == ["active", "failed", "terminated"]
